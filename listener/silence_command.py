"""`listener silence`: mute alerts for a while, see what is muted and why, and end it. Works beside a running daemon."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.escaping import one_line, shorten
from listener.app import OpenDesk
from listener.clock import read_moment
from listener.config.types import parse_duration
from listener.desk import Actor, DeskError
from listener.pipeline.cards import reference
from listener.store import AlertRow
from listener.store.silences import SilenceRow

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """A silence as somebody writes it."""

    matchers: Sequence[str]
    lasting: str
    reason: str
    begins: str = ""
    timezone: str = "UTC"


def add(office: OpenDesk, wish: Wish, actor: Actor) -> list[str]:
    """Store a silence; return what was stored and what it mutes now.

    Raises:
        MatcherError: a matcher cannot be read, or names a value that there is not.
        DeskError: there is no reason, or span or beginning are out of range.
    """
    begins = moment(wish.begins, wish.timezone) if wish.begins else None
    made, words = office.desk.silence(
        list(wish.matchers), actor, lasting=span(wish.lasting), reason=wish.reason, starts_at=begins
    )
    muted = office.desk.muted_by(wish.matchers)
    return [one_line(words), f"{_of_live(office, muted)} match it. End it: listener silence end {made}"]


def preview(office: OpenDesk, matchers: Sequence[str]) -> list[str]:
    """Return which live alerts a silence with these matchers would mute, without adding one.

    Raises:
        MatcherError: a matcher cannot be read, or names a value that there is not.
    """
    office.desk.read_matchers(matchers)
    muted = office.desk.muted_by(matchers)
    lines = [f"{_of_live(office, muted)} match {', '.join(matchers)}"]
    lines += [f"  {_named(alert)}" for alert in muted[:_MOST_NAMED]]
    if len(muted) > _MOST_NAMED:
        lines.append(f"  and {len(muted) - _MOST_NAMED} more")
    return [one_line(lines[0]), *lines[1:]]


def listed(office: OpenDesk, *, everything: bool = False) -> list[str]:
    """Return the silences in force or to come, with `everything` those that are over too: who, why, until when."""
    now = office.clock.now()
    rows = office.store.silences.latest() if everything else office.store.silences.coming(now)
    holding = office.store.silences.holding()
    lines = [line for row in rows for line in _lines(row, holding.get(row.id, 0), now)]
    return lines or [f"No silence is {'stored' if everything else 'in force'}."]


def end(office: OpenDesk, silence_id: int, actor: Actor) -> str:
    """End a silence before its time; what it held back goes on its way.

    Raises:
        DeskError: there is no such silence, or it is over.
    """
    row = office.store.silences.silence(silence_id)
    if row is None:
        raise DeskError(f"there is no silence {silence_id}; `listener silence list` names them")
    answer = office.desk.end_silence(silence_id, actor)
    if not answer.done:
        raise DeskError(f"silence {silence_id} was over at {_utc(row.ends_at)}")
    return answer.text


def span(text: str) -> timedelta:
    """Read a span such as 30m, 2h or 7d.

    Raises:
        DeskError: it is none.
    """
    try:
        return timedelta(seconds=parse_duration(text))
    except ValueError:
        raise DeskError(f"'{one_line(text[:40])}' is no span; write 30m, 2h or 7d") from None


def moment(text: str, timezone: str) -> datetime:
    """Read a moment such as "2026-12-01 09:00" in a time zone; one that names its own offset keeps it.

    Raises:
        DeskError: it is none, there is no such zone, or the clocks skip that time.
    """
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DeskError(f"'{one_line(timezone[:40])}' is no time zone; write an IANA name as Europe/Paris") from None
    try:
        at = read_moment(text, zone)
    except ValueError:
        raise DeskError(f"'{one_line(text[:40])}' is no moment; write it as 2026-12-01 09:00") from None
    written = datetime.fromisoformat(text.strip())
    if written.tzinfo is None and at.astimezone(zone).replace(tzinfo=None) != written:
        raise DeskError(f"on that day the clocks of {timezone} skip {written:%H:%M}; write another time")
    return at


def _lines(row: SilenceRow, holding: int, now: datetime) -> Iterator[str]:
    yield one_line(f"{row.id}  {', '.join(row.matchers)}")
    about = f"{_when(row, now)}; by {shorten(row.author, 80)}: {shorten(row.reason, 300)}"
    yield f"    {one_line(about)}"
    if row.starts_at <= now < row.ends_at:
        yield f"    holds back {holding} alert{'' if holding == 1 else 's'} now"


def _when(row: SilenceRow, now: datetime) -> str:
    if row.ends_at <= now:
        who = f" by {shorten(row.ended_by, 80)}" if row.ended_by else ""
        return f"from {_utc(row.starts_at)} to {_utc(row.ends_at)}, ended{who}"
    return (
        f"from {_utc(row.starts_at)} until {_utc(row.ends_at)}" if row.starts_at > now else f"until {_utc(row.ends_at)}"
    )


def _named(alert: AlertRow) -> str:
    state = f"{alert.state}, {alert.owner}" if alert.owner else str(alert.state)
    return one_line(
        f"{reference(alert)} severity {alert.severity}, {state}: {alert.country} {alert.brand} {alert.topic}"
    )


def _of_live(office: OpenDesk, muted: Sequence[AlertRow]) -> str:
    live = office.store.alerts.count_live()
    return f"{len(muted)} of {live} open alert{'' if live == 1 else 's'}"


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
