"""The words of a card that every receiver says alike: severity, counts, language, times. No markup."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from alerts.card import Card
from alerts.escaping import isolate, one_line, shorten
from listener.model import AlertState, Draft

SEVERITIES = {3: "urgent, answer now", 2: "important, answer today", 1: "for attention"}
_MOST_WORDS = 6
_NETWORKS = {"x": "X", "vk": "VK", "wechat": "WeChat", "file": "File"}


def name(text: str, limit: int = 80) -> str:
    """Return a short text that others chose (a name, a place), safe inside a line."""
    return isolate(shorten(one_line(text[: 40 * limit]), limit))


def severity(card: Card) -> str:
    """Say how severe the alert is: "Severity 3: urgent, answer now"."""
    words = SEVERITIES.get(card.severity)
    return f"Severity {card.severity}: {words}" if words else f"Severity {card.severity}"


def is_closed(card: Card) -> bool:
    """Tell whether nobody needs to act any more."""
    return card.state in (AlertState.RESOLVED, AlertState.DISMISSED)


def network(card: Card) -> str:
    """Return the network's name as people write it."""
    return _NETWORKS.get(card.network, name(card.network, 30))


def place(card: Card) -> str:
    """Return country and, where known, place of the post."""
    country = name(card.country_name or card.country)
    return f"{country} ({name(card.place)})" if card.place.strip() else country


def counts(card: Card) -> str:
    """Say what the alert holds: "3 mentions, 1 copy"."""
    mentions = f"{card.mentions:,} mention{'' if card.mentions == 1 else 's'}"
    if not card.copies:
        return mentions
    return f"{mentions}, {card.copies:,} cop{'y' if card.copies == 1 else 'ies'}"


def language(card: Card) -> str:
    """Name the post's language and say whether the team reads it."""
    read = "read by the team" if card.team_reads_language else "nobody in the team reads it"
    return f"{name(card.language_name or card.language)} ({read})"


def author(card: Card) -> str:
    """Name the author with handle and followers."""
    who = card.author
    parts = [name(who.name) or "(no name)"]
    handle = name((who.handle or "").lstrip("@"))
    if handle:
        parts.append(f"@{handle}")
    if who.verified:
        parts.append("(verified)")
    if who.followers is not None:
        parts.append(f"· {who.followers:,} follower{'' if who.followers == 1 else 's'}")
    return " ".join(parts)


def influence(card: Card) -> str:
    """Say how far the author's voice carries, and why."""
    because = "; ".join(reason for part in card.author.because if (reason := name(part, 160)))
    return f"Influence {card.author.influence:.2f}" + (f": {because}" if because else "")


def because(card: Card) -> str:
    """Name the words of the post that raised its scores: "Because of: refund, nobody"; empty where none is known."""
    words = [shown for word in card.words[:_MOST_WORDS] if (shown := name(word, 30))]
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
