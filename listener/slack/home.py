"""The Home tab: my open alerts and my team's, as their cards show them."""

from collections.abc import Sequence
from datetime import datetime

from alerts import wording
from alerts.card import Card, IncidentCard, load_message
from alerts.slack.client import SlackDesk
from alerts.slack.home import MAX_ENTRIES, HomeEntry, home_view
from listener.clock import Clock
from listener.config import Config
from listener.model import AlertState
from listener.pipeline.announce import Announcer
from listener.pipeline.cards import CardBuilder, reference
from listener.store import AlertRow, Store


class HomeDesk:
    """Publishes Home tabs."""

    def __init__(
        self,
        config: Config,
        slack: SlackDesk,
        announcer: Announcer,
        cards: CardBuilder,
        store: Store,
        clock: Clock,
    ) -> None:
        self._config = config
        self._slack = slack
        self._announcer = announcer
        self._cards = cards
        self._store = store
        self._clock = clock

    def publish(self, user_id: str, status: str = "") -> None:
        """Show somebody their alerts and their team's."""
        address = f"slack:{user_id}"
        teams = self._teams_of(user_id)
        alerts = self._store.alerts
        mine = alerts.live(owner_address=address, limit=MAX_ENTRIES)
        others = alerts.live(teams=teams, except_of=address, limit=MAX_ENTRIES)
        names = " and ".join(self._config.teams[name].name for name in teams[:3]) if len(teams) <= 3 else "all teams"
        view = home_view(
            self._entries(mine),
            self._entries(others),
            team_name=names,
            mine_in_all=alerts.count_live(owner_address=address),
            team_in_all=alerts.count_live(teams=teams, except_of=address),
            status=status,
        )
        self._slack.publish_home(user_id, view)

    def _teams_of(self, user_id: str) -> list[str]:
        """Return the teams somebody belongs to; all of them where the configuration names them in none."""
        own = [
            name for name, team in self._config.teams.items() if any(person.slack == user_id for person in team.people)
        ]
        return own or list(self._config.teams)

    def _entries(self, alerts: Sequence[AlertRow]) -> list[HomeEntry]:
        now, payloads = self._clock.now(), self._store.alerts.looks([alert.id for alert in alerts])
        return [self._entry(alert, _card(payloads.get(alert.id)) or self._drawn(alert, now), now) for alert in alerts]

    def _drawn(self, alert: AlertRow, now: datetime) -> Card | IncidentCard | None:
        """Return the card of an alert that has none that could be read."""
        with self._store.alerts.transaction() as transaction:
            message = self._announcer.look(transaction, alert, now)
        return message if isinstance(message, Card | IncidentCard) else None

    def _entry(self, alert: AlertRow, card: Card | IncidentCard | None, now: datetime) -> HomeEntry:
        # Edits of a card are dropped when they are old, so what it shows as due may be of long ago.
        due = self._cards.progress(alert, now).due if card is not None else ()
        country = self._config.countries.get(alert.country)
        return HomeEntry(
            alert_id=alert.id,
            reference=reference(alert),
            severity=alert.severity,
            line=_line(card, alert),
            timezone=country.timezone if country else "UTC",
            due=due[0] if due else None,
            owner=alert.owner or "",
            state=alert.state.value if alert.state is AlertState.SNOOZED else "",
        )


def _card(payload: str | None) -> Card | IncidentCard | None:
    """Return a stored card; None where there is none, or a damaged one."""
    try:
        message = None if payload is None else load_message(payload)
    except ValueError:
        return None
    return message if isinstance(message, Card | IncidentCard) else None


def _line(card: Card | IncidentCard | None, alert: AlertRow) -> str:
    if isinstance(card, Card):
        return f"{card.brand} · {card.country_name} · {card.author.name}: {card.text}"
    if isinstance(card, IncidentCard):
        return wording.incident_title(card)
    return f"{alert.brand} · {alert.country} · {alert.topic}"
