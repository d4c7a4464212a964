"""Notes and summaries in Slack: short messages beside the cards."""

from collections.abc import Iterator
from typing import Any

from slack_sdk.models.blocks import ActionsBlock, Block, ContextBlock

from alerts import wording
from alerts.card import Entry, Note, Summary
from alerts.escaping import clean, escape_mrkdwn, isolate, one_line, shorten, slack_length
from alerts.slack.blocks import quoted
from alerts.slack.elements import (
    MAX_OPTIONS,
    MAX_SECTION,
    MAX_TEXT,
    as_dicts,
    header,
    link_button,
    mentions,
    mrkdwn,
    option,
    paragraph,
    plain,
    section,
    select,
)
from alerts.slack.ids import ActionName, value

_SYMBOLS = {
    "history": "",
    "mention": "\N{SPEECH BALLOON} ",
    "reminder": "\N{ALARM CLOCK} ",
    "escalation": "\N{UPWARDS BLACK ARROW}\ufe0f ",
    "operator": "\N{HAMMER AND WRENCH}\ufe0f ",
}
_ENTRIES_ROOM = 10_500
_LINE = 180


def render_note(note: Note) -> list[dict[str, Any]]:
    """Return a note as Block Kit blocks."""
    return as_dicts(_note(note))


def note_text(note: Note) -> str:
    """Return a note as escaped text, with the real mentions of those it notifies."""
    quote = shorten(isolate(one_line(note.quote)), 600, slack_length)
    parts = [_note_title(note), isolate(clean(note.text)), f"“{quote}”" if quote else ""]
    text = shorten("\n".join(part for part in parts if part), MAX_TEXT - 400, slack_length)
    return f"{mentions(note.people)} {escape_mrkdwn(text)}".strip()


def _note(note: Note) -> Iterator[Block]:
    if people := mentions(note.people):
        yield ContextBlock(elements=[mrkdwn(people)])
    title, text = f"{_SYMBOLS[note.tone]}{_note_title(note)}", paragraph(note.text, 2_500)
    if note.tone == "history":
        yield ContextBlock(elements=[plain(title, 300), *([plain(text, 2_500)] if text else [])])
    else:
        yield section(f"{title}\n{text}" if text else title)
    if note.quote.strip():
        yield section(quoted(note.quote, 2_600), MAX_SECTION)
    if made := link_button("Open post", ActionName.OPEN_POST, note.url):
        yield ActionsBlock(elements=[made])


def _note_title(note: Note) -> str:
    title = wording.name(note.title, 250) or "Note"
    reference = wording.name(note.reference, 30)
    return f"{reference} · {title}" if reference and reference not in title else title


def render_summary(summary: Summary) -> list[dict[str, Any]]:
    """Return a summary as Block Kit blocks, its entries numbered, cut in words where it is too long."""
    return as_dicts(_summary(summary))


def summary_line(summary: Summary) -> str:
    """Return one line for notifications and screen readers, as escaped mrkdwn."""
    title = wording.name(summary.title, 200) or "Summary"
    return escape_mrkdwn(f"{title} · {wording.plural(len(summary.entries), 'alert', 'alerts')}")


def summary_text(summary: Summary) -> str:
    """Return a summary as escaped text without blocks, for when Slack refuses them."""
    lines, room = [summary_line(summary), escape_mrkdwn(shorten(clean(summary.text), 800, slack_length))], 2_300
    shown = 0
    for number, entry in enumerate(summary.entries, 1):
        line = escape_mrkdwn(entry_line(entry, number))
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
        shown = number
    return "\n".join(line for line in [*lines, _left_out(len(summary.entries) - shown)] if line)


def entry_line(entry: Entry, number: int | None = None) -> str:
    """Return one alert in a line: number, severity, reference, what it is about."""
    start = f"{number}. " if number else ""
    line = wording.name(entry.line, _LINE)
    return f"{start}{wording.dots(entry.severity)} {wording.name(entry.reference, 30)}" + (f" · {line}" if line else "")


def entry_option_text(entry: Entry) -> str:
    """Return one alert as a choice in a menu."""
    return f"{wording.name(entry.reference, 20)} {wording.dots(entry.severity)} {wording.name(entry.line, 40)}"


def fitting_entries(entries: tuple[Entry, ...], room: int, *, with_options: bool) -> int:
    """Return how many of the first entries fit into `room`, counting their choices in a menu too."""
    for number, entry in enumerate(entries, 1):
        room -= slack_length(entry_line(entry, number)) + 1
        if with_options and number <= MAX_OPTIONS:
            room -= slack_length(entry_option_text(entry))
        if room < 0:
            return number - 1
    return len(entries)


def _summary(summary: Summary) -> Iterator[Block]:
    yield header(wording.name(summary.title, 140) or "Summary")
    if text := paragraph(summary.text, 1_500):
        yield section(text, 1_500)
    shown = fitting_entries(summary.entries, _ENTRIES_ROOM, with_options=summary.interactive)
    lines = [entry_line(entry, number) for number, entry in enumerate(summary.entries[:shown], 1)]
    yield from _paragraphs(lines)
    if words := _left_out(len(summary.entries) - shown):
        yield ContextBlock(elements=[plain(words, 100)])
    if summary.interactive and shown:
        cards = [option(entry_option_text(one), value(one.alert_id)) for one in summary.entries[:shown][:MAX_OPTIONS]]
        yield ActionsBlock(elements=[select(ActionName.SHOW_CARD, "Show a card…", cards)])


def _paragraphs(lines: list[str]) -> Iterator[Block]:
    """Yield lines in as few sections as hold them whole."""
    paragraph: list[str] = []
    for line in lines:
        if paragraph and slack_length("\n".join([*paragraph, line])) > MAX_SECTION:
            yield section("\n".join(paragraph))
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield section("\n".join(paragraph))


def _left_out(count: int) -> str:
    return f"and {count:,} more" if count else ""
