"""Decides on classified mentions: raise an alert, join one, or stay quiet; writes alert and outbox together."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from alerts.grouping import held_fingerprints, wanted_fingerprints
from alerts.ramp import in_earnest, ramp_key
from listener.clock import Clock
from listener.config import Config, Country
from listener.model import DRILL_NETWORK
from listener.pipeline.announce import Announcer
from listener.pipeline.assess import Assessment
from listener.pipeline.escalate import Escalator
from listener.pipeline.tally import Tally
from listener.store import AlertRow, Store, TriageItem
from listener.store.triage import NewAlert, TriageTransaction

log = structlog.get_logger("listener.triage")


class TriageStep:
    """Takes the oldest undecided mentions, one transaction each."""

    def __init__(
        self,
        config: Config,
        announcer: Announcer,
        escalator: Escalator,
        store: Store,
        clock: Clock,
    ) -> None:
        self._config = config
        self._announcer = announcer
        self._escalator = escalator
        self._store = store.triage
        self._clock = clock

    def run(self, limit: int, tally: Tally) -> int:
        """Decide on at most `limit` mentions; return how many."""
        waiting = self._store.waiting(limit)
        # By time, so that what somebody wrote before a problem does not join the alert that it raised.
        for item in sorted(waiting, key=lambda item: item.mention.published_at):
            outcome = self.decide(item)
            counter = {"raised": tally.alerts, "joined": tally.joined, "old": tally.old}.get(outcome, tally.quiet)
            counter[item.country] += 1
        return len(waiting)

    def decide(self, item: TriageItem) -> str:
        """Decide on one mention and return the outcome.

        One mention that nobody foresaw must not keep those behind it from being seen.

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
        if self._config.brands[item.brand].competitor:
            return self._forget(item, "competitor")
        assessment = self._announcer.assess(item)
        now = self._clock.now()
        root = item.copy_of or item.mention_id
        held = held_fingerprints(item.mention, item.brand, root)
        with self._store.transaction() as transaction:
            if not transaction.is_waiting(item.match_id):
                return "decided"  # another process was quicker
            transaction.one_at_a_time(item.brand)
            wanted = wanted_fingerprints(item.mention, item.brand, root)
            within = timedelta(seconds=country.join_within)
            drill = item.mention.network == DRILL_NETWORK
            live = transaction.live_alert(wanted, item.mention.published_at, within, drill=drill)
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
        severity = assessment.decision.severity
        respond_by, resolve_by = self._escalator.deadlines(item.country, severity, now)
        now_with, _ = self._announcer.workplaces.in_charge(item.country, now)
        drill, topic = item.mention.network == DRILL_NETWORK, item.classification.topic
        pilot = drill or not in_earnest(item.country, country, ramp_key(item.mention), severity, now)
        incident_id = transaction.open_incident(item.brand, item.country, topic, drill=drill)
        crowd = incident_id is not None
        guidance = self._announcer.first_guidance(transaction, item, assessment, now, crowd=crowd)
        alert = transaction.open_alert(
            NewAlert(
                match_id=item.match_id,
                brand=item.brand,
                country=item.country,
                team=country.team,
                now_with=now_with,
                severity=severity,
                priority=assessment.priority.score,
                topic=topic,
                playbook=guidance.playbook,
                pilot=pilot,
                drill=drill,
                rules=assessment.decision.rules,
                posted_at=item.mention.published_at,
                respond_by=respond_by,
                resolve_by=resolve_by,
                incident_id=incident_id,
                variants=[draft.variant for draft in guidance.drafts],
            ),
            held,
            now,
        )
        card = self._announcer.card(alert, item, assessment, guidance, now)
        self._announcer.open(transaction, alert, item, card, now)
        self._escalator.began(transaction, alert, now)
        log.info("alert raised", alert=alert.id, country=item.country, severity=alert.severity, topic=alert.topic)

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
        self._announcer.further(transaction, alert, item, now)
        if alert.severity > live.severity:
            self._escalator.rise(transaction, live, alert, item, assessment.decision.reasons, now)
        else:
            self._announcer.changed(transaction, alert, now)
