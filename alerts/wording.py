"""The words of a card that every receiver says alike: severity, counts, language, times. No markup."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from alerts.card import Card, IncidentCard, Progress, Voice
from alerts.escaping import clean, isolate, one_line, shorten
from listener.model import AlertState, Draft, Guidance

SEVERITIES = {3: "urgent, answer now", 2: "important, answer today", 1: "for attention"}
_DOTS = {3: "●●●", 2: "●●○", 1: "●○○"}
_MOST_WORDS = 6
_NETWORKS = {"x": "X", "vk": "VK", "wechat": "WeChat", "file": "File", "drill": "Drill"}
DELETED = "This post was withdrawn by its author, or on request, and its text with it."
EDITED = "The author edited this post; this is its text now."
NO_OWNER = "nobody yet"
UNANSWERED = "As a rule nobody answers this"
WHY_UNANSWERED = "an answer makes it larger"
_THE_TEAM = re.compile(r"\Athe team\.?(?:[;,:]\s*|\s*$)", re.IGNORECASE)
"""What says only that the team itself is told, as every alert tells it."""


def name(text: str, limit: int = 80) -> str:
    """Return a short text that others chose (a name, a place), safe inside a line."""
    return isolate(shorten(one_line(text[: 40 * limit]), limit))


def names(texts: Iterable[str], limit: int = 80) -> list[str]:
    """Return each of several short texts that others chose as `name` does, without those that say nothing."""
    return [shown for text in texts if (shown := name(text, limit))]


def dots(severity: int) -> str:
    """Return a severity as three dots, filled or not."""
    return _DOTS.get(severity, _DOTS[1])


def severity(card: Card | IncidentCard) -> str:
    """Say how severe the alert is: "Severity 3: urgent, answer now"."""
    words = SEVERITIES.get(card.severity)
    return f"Severity {card.severity}: {words}" if words else f"Severity {card.severity}"


def mark(card: Card | IncidentCard) -> str:
    """Return what stands before the title of a card that is not in earnest: a drill's, or a pilot country's."""
    return "DRILL · " if card.drill else "PILOT · " if card.pilot else ""


def is_closed(card: Card | IncidentCard) -> bool:
    """Tell whether nobody needs to act any more."""
    return card.state in (AlertState.RESOLVED, AlertState.DISMISSED)


def network(card: Card) -> str:
    """Return the network's name as people write it."""
    return network_name(card.network)


def network_name(network: str) -> str:
    """Return a network's name as people write it."""
    return _NETWORKS.get(network, name(network, 30))


def where(card: Card | IncidentCard) -> str:
    """Return brand and country, for a title."""
    return f"{name(card.brand, 40)} · {name(card.country_name or card.country, 30)}"


def place(card: Card) -> str:
    """Return country and, where known, place of the post."""
    country = name(card.country_name or card.country)
    return f"{country} ({name(card.place)})" if card.place.strip() else country


def counts(card: Card) -> str:
    """Say what the alert holds: "3 mentions, 1 copy, 1 deleted since"."""
    parts = [plural(card.mentions, "mention", "mentions")]
    if card.copies:
        parts.append(plural(card.copies, "copy", "copies"))
    if card.withdrawn:
        parts.append(f"{card.withdrawn:,} deleted since")
    return ", ".join(parts)


def language(card: Card) -> str:
    """Name the post's language and say whether the team reads it."""
    read = "read by the team" if card.team_reads_language else "nobody in the team reads it"
    return f"{name(card.language_name or card.language)} ({read})"


def author(card: Card) -> str:
    """Name the author with handle and followers."""
    who = card.author
    parts = _known_as(who.name, who.handle)
    if who.verified:
        parts.append("(verified)")
    if who.followers is not None:
        parts.append(f"· {plural(who.followers, 'follower', 'followers')}")
    return " ".join(parts)


def _known_as(full_name: str, handle: str | None) -> list[str]:
    shown = name((handle or "").lstrip("@"))
    return [name(full_name) or "(no name)", *([f"@{shown}"] if shown else [])]


def influence(card: Card) -> str:
    """Say how far the author's voice carries, and why."""
    because = "; ".join(names(card.author.because, 160))
    return f"Influence {card.author.influence:.2f}" + (f": {because}" if because else "")


def because(card: Card) -> str:
    """Name the words of the post that raised its scores: "Because of: refund, nobody"; empty where none is known."""
    if card.fate == "deleted":
        return ""
    words = names(card.words[:_MOST_WORDS], 30)
    return f"Because of: {', '.join(words)}" if words else ""


def priority(card: Card) -> str:
    """Give the priority with its explanation."""
    explanation = name(card.priority_explanation, 300)
    return f"Priority {card.priority:.2f}" + (f": {explanation}" if explanation else "")


def draft_label(draft: Draft) -> str:
    """Describe a draft: locale, length against the network's limit, note."""
    length = f"{draft.length:,} of {draft.limit:,} characters" if draft.limit else f"{draft.length:,} characters"
    over = " (over the limit)" if draft.limit and draft.length > draft.limit else ""
    note = name(draft.note, 150)
    return f"{name(draft.locale, 20)} · {length}{over}" + (f" · {note}" if note else "")


def playbook_title(guidance: Guidance) -> str:
    """Name a playbook, and how soon it wants an answer: "Late delivery · answer within 4 h"."""
    within = "" if guidance.best_unanswered else name(guidance.answer_within, 20)
    return " · ".join(names([guidance.title], 120) + ([f"answer within {within}"] if within else []))


def told(guidance: Guidance) -> str:
    """Say who must hear of it beside the team; empty where nobody must."""
    others = [_THE_TEAM.sub("", line.strip(), count=1) for line in guidance.tell[:3]]
    return " ".join(shown[:1].upper() + shown[1:] for shown in names(others, 160))


def moved(card: Card) -> tuple[str, ...]:
    """Return what may be said in public now that the conversation goes on in private; nothing where it does not."""
    has_moved = card.progress.private_at is not None and not is_closed(card)
    return card.guidance.moved if card.guidance and has_moved else ()


def local_time(moment: datetime, timezone: str) -> str:
    """Write a moment in the country's own time: "Sat 14 Mar 2026, 09:12"."""
    try:
        there = moment.astimezone(ZoneInfo(timezone))
    except (KeyError, ValueError, OSError, OverflowError):
        return f"{moment.astimezone(UTC):%a %d %b %Y, %H:%M} UTC"
    return f"{there:%a %d %b %Y, %H:%M}"


def times(card: Card) -> str:
    """Say when the post was published and the alert raised, in the country's time."""
    published = local_time(card.published_at, card.timezone)
    opened = local_time(card.opened_at, card.timezone)
    same_day, time = opened.split(", ")
    if published.startswith(same_day):
        opened = time
    return f"posted {published}, raised {opened} ({name(card.timezone, 40)})"


def post(card: Card) -> str:
    """Return the post's text, cleaned; what is said in its place where it was deleted or is empty."""
    if card.fate == "deleted":
        return DELETED
    return clean(card.text) or "(no text)"


def progress_lines(progress: Progress, timezone: str) -> Iterator[str]:
    """Say who looks after an alert, what is due and how it ended, a line each, times in the country's zone."""
    since = f" since {local_time(progress.since, timezone)}" if progress.since else ""
    yield f"Owner: {name(progress.owner) or NO_OWNER}{since if progress.owner else ''}"
    if progress.snoozed_until:
        yield f"Snoozed until {local_time(progress.snoozed_until, timezone)}"
    for due in progress.due:
        yield f"{'Missed' if due.missed else 'Due'}: {name(due.what)}, {local_time(due.at, timezone)}"
    if progress.escalated_to:
        yield f"Escalated to: {name(progress.escalated_to)}"
    if progress.replied_at:
        yield f"Answered in public: {local_time(progress.replied_at, timezone)}"
    if progress.private_at:
        yield f"Moved to a private channel: {local_time(progress.private_at, timezone)}"
    if progress.resolution or progress.closed_at:
        closed = f" {local_time(progress.closed_at, timezone)}" if progress.closed_at else ""
        yield f"Closed{closed}: {ending(progress)}"


def ending(progress: Progress) -> str:
    """Say how an alert ended and who ended it: "solved, by Anna"."""
    parts = [name(progress.resolution), f"by {name(progress.closed_by)}" if progress.closed_by.strip() else ""]
    return ", ".join(part for part in parts if part) or "closed"


def incident_title(card: IncidentCard) -> str:
    """Name an incident: severity, brand, country, topic, and whether it is over."""
    topic = f" · {name(card.topic, 30)}" if card.topic else ""
    state = " · over" if card.ended_at else ""
    return f"{mark(card)}Bad buzz, severity {card.severity} · {where(card)}{topic}{state}"


def incident_size(card: IncidentCard) -> str:
    """Say how big an incident is: mentions, authors, what would be usual, speed, copies, reach."""
    authors = plural(card.authors, "author", "authors")
    mentions = plural(card.mentions, "negative mention", "negative mentions")
    return (
        f"{mentions} by {authors}, where {card.expected:,.1f} would be usual · "
        f"fastest {card.fastest_per_hour:,.0f} an hour · {card.copies_share:.0%} are copies · "
        f"{card.reach:,} followers in all"
    )


def incident_span(card: IncidentCard) -> str:
    """Say since when an incident lasts, and until when, in the country's time."""
    began = local_time(card.opened_at, card.timezone)
    zone = name(card.timezone, 40)
    if card.ended_at:
        return f"began {began}, over {local_time(card.ended_at, card.timezone)} ({zone})"
    return f"since {began}, as of {local_time(card.updated_at, card.timezone)} ({zone})"


def voice(one: Voice, timezone: str) -> str:
    """Name who speaks in an incident, how far the voice carries, and when it spoke."""
    followers = [plural(one.followers, "follower", "followers")] if one.followers is not None else []
    about = [*followers, f"influence {one.influence:.2f}", name(one.language_name, 30)]
    about += [local_time(one.posted_at, timezone)]
    return f"{' '.join(_known_as(one.name, one.handle))} · {' · '.join(part for part in about if part)}"


def counted(pairs: tuple[tuple[str, int], ...], most: int = 6) -> str:
    """List things with their counts: "delivery 12, billing 4"."""
    return ", ".join(f"{shown} {count:,}" for what, count in pairs[:most] if (shown := name(what, 40)))


def plural(count: int, one: str, several: str) -> str:
    """Return "1 step" or "3 steps"."""
    return f"{count:,} {one if count == 1 else several}"
