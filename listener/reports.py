"""Short answers to short questions, as lines of plain text: how the daemon is, who works, how the last days went."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median

from alerts.escaping import one_line
from alerts.wording import local_time, plural
from listener.config import Config
from listener.pipeline.cards import reference
from listener.pipeline.workplaces import Workplaces
from listener.store import Store

_LEAST_FOR_A_SHARE = 5
_SPAN = timedelta(days=7)
_MOST_NAMED = 10


def status_lines(config: Config, store: Store, now: datetime) -> list[str]:
    """Return what listens, what is open, and what could not be delivered."""
    states = store.collecting.states()
    failing = {
        watch.id: states[watch.id] for watch in config.watches if watch.id in states and states[watch.id].problem
    }
    lines = [f"{plural(len(config.watches), 'watch', 'watches')}, {len(failing)} failing"]
    lines += [f"  {name}: {one_line(state.problem or '')}" for name, state in list(failing.items())[:_MOST_NAMED]]
    live = store.alerts.live(limit=1_000)
    severe = sum(alert.severity == 3 for alert in live)
    unowned = sum(alert.owner is None for alert in live)
    lines.append(f"open: {plural(len(live), 'alert', 'alerts')}, {severe} of severity 3, {unowned} without an owner")
    lines += [f"  burst {reference(alert)}: {alert.brand} {alert.country} {alert.topic}"
              for alert in live if alert.kind == "incident"]  # fmt: skip
    lines += [f"silence {row.id} of {', '.join(row.matchers)} until {row.ends_at:%Y-%m-%d %H:%M} UTC: {row.reason}"
              for row in store.silences.active(now)]  # fmt: skip
    counts = store.outbox.counts()
    for receiver in dict.fromkeys(receiver for receiver, _ in counts):
        waiting = sum(counts.get((receiver, state), 0) for state in ("pending", "sending"))
        dead = counts.get((receiver, "dead"), 0)
        if waiting or dead:
            lines.append(
                f"{receiver}: {plural(waiting, 'message waits', 'messages wait')}, {dead} could not be delivered"
            )
    lines += [f"{name} is disabled: {reason}" for name, reason in store.outbox.disabled().items()]
    return lines


def who_lines(config: Config, workplaces: Workplaces, store: Store, now: datetime) -> list[str]:
    """Return which teams work now, who looks after each country, and who has how many alerts."""
    lines = []
    for name, team in config.teams.items():
        works = "at work" if workplaces.is_open(name, now) else "closed"
        people = ", ".join(one_line(person.name) for person in team.people) or "nobody named"
        called = [one_line(person.name) for person in team.people if person.on_call]
        on_call = f"; on call: {', '.join(called)}" if called else ""
        lines.append(f"{team.name} ({local_time(now, team.timezone)}, {works}): {people}{on_call}")
    lines += list(_countries(config, workplaces, now))
    owners: dict[str, int] = {}
    for alert in store.alerts.live(limit=1_000):
        if alert.owner:
            owners[alert.owner] = owners.get(alert.owner, 0) + 1
    lines += [f"{one_line(owner)} has {count}" for owner, count in sorted(owners.items())]
    return lines


def _countries(config: Config, workplaces: Workplaces, now: datetime) -> Iterator[str]:
    by_team: dict[tuple[str, bool], list[str]] = {}
    for code in config.countries:
        by_team.setdefault(workplaces.in_charge(code, now), []).append(code)
    for (team, works), codes in by_team.items():
        state = "now" if works else "closed now"
        yield f"{', '.join(codes)}: {config.teams[team].name} ({state})"


def digest_lines(config: Config, store: Store, now: datetime) -> list[str]:
    """Return the last seven days in figures; shares only of enough alerts to mean something."""
    since = now - _SPAN
    rows = [alert for alert in store.alerts.since(since) if not alert.pilot]
    if not rows:
        return ["No alert was raised in the last seven days."]
    by_country: dict[str, int] = {}
    for alert in rows:
        by_country[alert.country] = by_country.get(alert.country, 0) + 1
    countries = ", ".join(f"{code} {count}" for code, count in sorted(by_country.items(), key=lambda pair: -pair[1]))
    answered = [alert for alert in rows if alert.replied_at or alert.private_at]
    waits = [min(at for at in (alert.replied_at, alert.private_at) if at) - alert.opened_at for alert in answered]
    severe = sum(alert.severity == 3 for alert in rows)
    lines = [
        f"Last seven days: {plural(len(rows), 'alert', 'alerts')} ({countries}), {severe} of severity 3",
        f"answered: {_share(len(answered), len(rows))}",
        f"moved to a private channel: {_share(sum(alert.private_at is not None for alert in rows), len(rows))}",
        f"no complaint after all: {_share(sum(alert.resolution == 'not_complaint' for alert in rows), len(rows))}",
    ]
    if waits:
        minutes = median(wait.total_seconds() for wait in waits) / 60
        lines.append(f"first answer, median by the clock: {minutes:,.0f} minutes ({len(waits)} answered)")
    return lines


def _share(part: int, whole: int) -> str:
    if whole < _LEAST_FOR_A_SHARE:
        return f"{part} of {whole} (not enough for a share)"
    return f"{part} of {whole} ({100 * part / whole:.0f} %)"
