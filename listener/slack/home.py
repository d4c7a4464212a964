"""The Home tab: my open alerts and my team's, as the store has them."""

from alerts import wording
from alerts.card import Card, IncidentCard
from alerts.slack.client import SlackDesk
from alerts.slack.home import HomeEntry, home_view
from listener.clock import Clock
from listener.config import Config
from listener.model import AlertState
from listener.pipeline.announce import Announcer
from listener.pipeline.cards import reference
from listener.store import AlertRow, Store

_MOST = 40


class HomeDesk:
    """Publishes Home tabs."""

    def __init__(self, config: Config, slack: SlackDesk, announcer: Announcer, store: Store, clock: Clock) -> None:
        self._config = config
        self._slack = slack
        self._announcer = announcer
        self._store = store
        self._clock = clock

    def publish(self, user_id: str, status: str = "") -> None:
        """Show somebody their alerts and their team's."""
        address = f"slack:{user_id}"
        teams = self._teams_of(user_id)
        alerts = self._store.alerts
        mine = alerts.live(owner_address=address, limit=_MOST)
        others = alerts.live(teams=teams, except_of=address, limit=_MOST)
        names = " and ".join(self._config.teams[name].name for name in teams[:3]) if len(teams) <= 3 else "all teams"
        view = home_view(
            [self._entry(alert) for alert in mine],
            [self._entry(alert) for alert in others],
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

    def _entry(self, alert: AlertRow) -> HomeEntry:
        with self._store.alerts.transaction() as transaction:
            message = self._announcer.look(transaction, alert, self._clock.now())
        progress = message.progress if isinstance(message, Card | IncidentCard) else None
        country = self._config.countries.get(alert.country)
        return HomeEntry(
            alert_id=alert.id,
            reference=reference(alert),
            severity=alert.severity,
            line=_line(message, alert),
            timezone=country.timezone if country else "UTC",
            due=progress.due[0] if progress and progress.due else None,
            owner=alert.owner or "",
            state=alert.state.value if alert.state is AlertState.SNOOZED else "",
        )


def _line(message: object, alert: AlertRow) -> str:
    if isinstance(message, Card):
        return f"{message.brand} · {message.country_name} · {message.author.name}: {message.text}"
    if isinstance(message, IncidentCard):
        return wording.incident_title(message)
    return f"{alert.brand} · {alert.country} · {alert.topic}"
