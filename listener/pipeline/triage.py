"""Decides on classified mentions: raise an alert, join one, or stay quiet; writes alert and outbox together."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from alerts.card import dump_card
from alerts.grouping import held_fingerprints, wanted_fingerprints
from alerts.routing import receivers_for
from listener.clock import Clock
from listener.config import Config, Country
from listener.pipeline.assess import SPREAD_WINDOW, Assessment, assess
from listener.pipeline.cards import CardBuilder
from listener.pipeline.tally import Tally
from listener.store import AlertRow, Store, TriageItem
from listener.store.triage import NewAlert, TriageTransaction

log = structlog.get_logger("listener.triage")


class TriageStep:
    """Takes the oldest undecided mentions, one transaction each."""

    def __init__(
        self,
        config: Config,
        cards: CardBuilder,
        store: Store,
        clock: Clock,
        effective_receiver: Callable[[str], str],
    ) -> None:
        self._config = config
        self._cards = cards
        self._store = store.triage
        self._clock = clock
        self._effective_receiver = effective_receiver

    def run(self, limit: int, tally: Tally) -> int:
        """Decide on at most `limit` mentions; return how many."""
        waiting = self._store.waiting(limit)
        # By time, so that what somebody wrote before a problem does not join the alert that it raised.
        for item in sorted(waiting, key=lambda item: item.mention.published_at):
            outcome = self._decide_or_set_aside(item)
            counter = {"raised": tally.alerts, "joined": tally.joined, "old": tally.old}.get(outcome, tally.quiet)
            counter[item.country] += 1
        return len(waiting)

    def _decide_or_set_aside(self, item: TriageItem) -> str:
        """One mention that nobody foresaw must not keep those behind it from being seen.

        A fault of the database is no fault of the mention: then everything waits.
        """
        try:
            return self._decide(item)
        except SQLAlchemyError:
            raise
        except Exception:
            log.exception("mention set aside", match=item.match_id, network=item.mention.network)
            return self._forget(item, "failed")

    def _decide(self, item: TriageItem) -> str:
        country = self._config.countries.get(item.country)
        if country is None or country.mode == "off" or item.brand not in self._config.brands:
            return self._forget(item, "not configured")  # it has left since the mention was collected
        assessment = self._assess(item, country)
        now = self._clock.now()
        root = item.copy_of or item.mention_id
        held = held_fingerprints(item.mention, item.brand, root)
        with self._store.transaction() as transaction:
            if not transaction.is_waiting(item.match_id):
                return "decided"  # another process was quicker
            wanted = wanted_fingerprints(item.mention, item.brand, root)
            within = timedelta(seconds=country.join_within)
            live = transaction.live_alert(wanted, item.mention.published_at, within)
            if live is not None and live.country in self._config.countries:
                outcome = "joined"
                self._join(transaction, live, item, assessment, held, now)
            elif not assessment.decision.raises:
                outcome = "quiet"
            elif self._too_old(item):
                outcome = "old"
            else:
                outcome = "raised"
                self._raise(transaction, item, country, assessment, held, now)
            transaction.decided(
                item.match_id,
                outcome,
                priority=assessment.priority.score,
                influence=assessment.influence.score,
                velocity=assessment.velocity.score,
                now=now,
            )
        return outcome

    def _forget(self, item: TriageItem, outcome: str) -> str:
        with self._store.transaction() as transaction:
            transaction.decided(
                item.match_id, outcome, priority=0.0, influence=0.0, velocity=0.0, now=self._clock.now()
            )
        return "quiet"

    def _assess(self, item: TriageItem, country: Country) -> Assessment:
        copies, answers = self._store.spread(item, SPREAD_WINDOW)
        return assess(item, country, copies=copies, answers=answers)

    @staticmethod
    def _too_old(item: TriageItem) -> bool:
        age_s = (item.collected_at - item.mention.published_at).total_seconds()
        return item.max_age_s is not None and age_s > item.max_age_s

    def _raise(
        self,
        transaction: TriageTransaction,
        item: TriageItem,
        country: Country,
        assessment: Assessment,
        held: list[str],
        now: datetime,
    ) -> None:
        guidance = self._cards.guidance(item)
        alert_id = transaction.open_alert(
            NewAlert(
                match_id=item.match_id,
                brand=item.brand,
                country=item.country,
                team=country.team,
                severity=assessment.decision.severity,
                priority=assessment.priority.score,
                topic=item.classification.topic,
                playbook=guidance.playbook,
                pilot=country.mode == "pilot",
                rules=assessment.decision.rules,
                posted_at=item.mention.published_at,
            ),
            held,
            now,
        )
        alert = transaction.alert(alert_id)
        payload = dump_card(self._cards.card(alert, item, assessment, guidance))
        for receiver in self._receivers(alert, item):
            transaction.notify(alert_id, receiver, payload, now)
        log.info("alert raised", alert=alert_id, country=item.country, severity=alert.severity, topic=alert.topic)

    def _join(
        self,
        transaction: TriageTransaction,
        live: AlertRow,
        item: TriageItem,
        assessment: Assessment,
        held: list[str],
        now: datetime,
    ) -> None:
        alert = transaction.join_alert(
            live,
            item.match_id,
            copy=item.copy_of is not None,
            severity=assessment.decision.severity,
            priority=assessment.priority.score,
            posted_at=item.mention.published_at,
            fingerprints=held,
            now=now,
        )
        shown, scores = self._shown(transaction, alert, item, assessment)
        payload = dump_card(self._cards.card(alert, shown, scores, self._cards.guidance(shown)))
        transaction.notify_change(alert.id, payload, now)
        if alert.severity > live.severity:  # a severer alert may concern receivers that had no part in it
            for receiver in self._receivers(alert, shown):
                transaction.notify(alert.id, receiver, payload, now)

    def _shown(
        self, transaction: TriageTransaction, alert: AlertRow, item: TriageItem, assessment: Assessment
    ) -> tuple[TriageItem, Assessment]:
        """Return the mention that the card shows: the one of the highest priority."""
        if alert.match_id == item.match_id:
            return item, assessment
        shown = transaction.item(alert.match_id)
        country = self._config.countries.get(shown.country) if shown else None
        if shown is None or country is None:
            return item, assessment
        return shown, self._assess(shown, country)

    def _receivers(self, alert: AlertRow, item: TriageItem) -> list[str]:
        country = self._config.countries[alert.country]
        if alert.pilot and country.pilot_receiver:
            return [self._effective_receiver(country.pilot_receiver)]
        labels = {
            "brand": alert.brand,
            "country": alert.country,
            "team": alert.team,
            "network": item.mention.network,
            "language": item.classification.language,
            "topic": alert.topic,
            "severity": str(alert.severity),
            "mode": country.mode,
        }
        names = receivers_for(self._config.route, labels)
        return list(dict.fromkeys(self._effective_receiver(name) for name in names))
