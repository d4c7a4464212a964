"""The alert card in Slack's Block Kit, within its limits whatever the card holds.

What others wrote stands only in plain_text objects, which Slack does not parse; mrkdwn carries our own labels.
Limits from docs.slack.dev (read 2026-11): 50 blocks, 3,000 characters a section, 150 a header, 75 a button text,
3,000 a button URL; and about 13,200 in all, observed (bolt-js issue 2509), not documented.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from alerts import wording
from alerts.card import Card, Note
from alerts.escaping import clean, escape_mrkdwn, isolate, one_line, shorten, shorten_lines, slack_length, web_url
from listener.model import AlertState, Draft, Guidance, Handoff

MAX_TOTAL = 12_500
MAX_SECTION = 2_900
MAX_TEXT = 3_500
_MAX_LINES = 40
_SYMBOLS = {3: "\N{POLICE CARS REVOLVING LIGHT}", 2: "\N{WARNING SIGN}\ufe0f", 1: "\N{INFORMATION SOURCE}\ufe0f"}
_CLOSED = "\N{WHITE HEAVY CHECK MARK}"


@dataclass(frozen=True, slots=True)
class Room:
    """How much of each part that varies is shown."""

    steps: int
    drafts: int
    text: int
    url: int = 3_000


# What a person can do without goes first: steps (they are in the playbook), then later drafts, then text.
_ROOMS = (
    Room(steps=12, drafts=6, text=2_600),
    Room(steps=4, drafts=6, text=2_600),
    Room(steps=0, drafts=6, text=2_600),
    Room(steps=0, drafts=3, text=2_600),
    Room(steps=0, drafts=2, text=2_600),
    Room(steps=0, drafts=2, text=1_000),
    Room(steps=0, drafts=1, text=1_000),
    Room(steps=0, drafts=1, text=1_000, url=600),
    Room(steps=0, drafts=0, text=1_000, url=600),
)


def render_blocks(card: Card) -> list[dict[str, Any]]:
    """Return the card as Block Kit blocks, trimmed until Slack takes it.

    Raises:
        slack_sdk.errors.SlackObjectFormationError: a block breaks one of Slack's rules all the same.
    """
    for room in _ROOMS:
        blocks = [block.to_dict() for block in _blocks(card, room)]
        if sum(slack_length(text) for text in block_texts(blocks)) <= MAX_TOTAL:
            break
    return blocks


def block_texts(node: Any) -> Iterator[str]:
    """Yield every text and URL in a tree of blocks."""
    if isinstance(node, dict):
        yield from (node[key] for key in ("text", "url") if isinstance(node.get(key), str))
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from block_texts(child)


def fallback_text(card: Card) -> str:
    """Return one line for notifications and screen readers, as escaped mrkdwn."""
    line = f"{_title(card)} · {wording.author(card)}: {wording.name(card.text, 200) or '(no text)'}"
    return escape_mrkdwn(line)


def plain_message(card: Card) -> str:
    """Return the card as escaped text without blocks, for when Slack refuses them."""
    parts = [
        _title(card),
        f"{wording.author(card)}\n{shorten(wording.influence(card), 400)}",
        _quoted(card.text, 900),
        *(f"{label}: {url}" for label, _, url in _links(card) if web_url(url)),
        *(f"Suggested reply ({wording.draft_label(draft)}):\n{clean(draft.text)}" for draft in _drafts(card)[:2]),
        _footer(card),
    ]
    return escape_mrkdwn("\n\n".join(_fitting(parts, MAX_TEXT)))


def _fitting(parts: list[str], room: int) -> Iterator[str]:
    """Yield the parts that fit, each whole: half a draft or half an address would mislead."""
    for part in parts:
        size = slack_length(part) + 2
        if size <= room:
            room -= size
            yield part


def note_text(note: Note) -> str:
    """Return a note as escaped text."""
    title, text = one_line(note.title), clean(note.text)
    return escape_mrkdwn(shorten(f"{title}\n{text}", MAX_TEXT, slack_length))


def _blocks(card: Card, room: Room) -> Iterator[Block]:
    yield HeaderBlock(text=_plain(f"{_symbol(card)} {_title(card)}", 145, emoji=True))
    yield _section(_summary(card), 1_100)
    yield from _labelled("The post", _quoted(card.text, room.text), MAX_SECTION)
    yield from _labelled("Why it was raised", _why(card), 1_600)
    if card.guidance:
        yield from _guidance(card.guidance, room)
    yield from _buttons(card, room)
    yield DividerBlock()
    yield ContextBlock(elements=[_plain(_footer(card), 400)])


def _title(card: Card) -> str:
    state = f" · {card.state}" if card.state is not AlertState.OPEN else ""
    pilot = "PILOT · " if card.pilot else ""
    where = f"{wording.name(card.brand, 40)} · {wording.name(card.country_name or card.country, 30)}"
    return f"{pilot}{wording.severity(card)} · {where} · {wording.network(card)}{state}"


def _symbol(card: Card) -> str:
    return _CLOSED if wording.is_closed(card) else _SYMBOLS.get(card.severity, _SYMBOLS[1])


def _summary(card: Card) -> str:
    about = f"{wording.language(card)} · {wording.name(card.topic)} · {wording.place(card)} · {wording.counts(card)}"
    return f"{wording.author(card)}\n{shorten(wording.influence(card), 400)}\n{about}"


def _quoted(text: str, limit: int) -> str:
    shown = shorten_lines(shorten(clean(text), limit, slack_length), _MAX_LINES)
    return f"“{isolate(shown)}”" if shown else "(no text)"


def _why(card: Card) -> str:
    reasons = [f"• {words}" for reason in card.reasons if (words := wording.name(reason, 200))]
    because = [line] if (line := wording.because(card)) else []
    return "\n".join([*reasons[:6], *because, shorten(wording.priority(card), 400)])


def _guidance(guidance: Guidance, room: Room) -> Iterator[Block]:
    yield from _labelled("Playbook", _steps(guidance, room.steps), 2_400, wording.name(guidance.title, 120))
    yield from _draft_blocks(guidance.drafts, room.drafts)
    never = [f"• {words}" for rule in guidance.never if (words := wording.name(rule, 200))]
    if never:
        yield from _labelled("Never say", "\n".join(never[:6]), 1_300)
    handoff = _handoff(guidance.handoff)
    if handoff:
        yield from _labelled("Move to a private channel", handoff, 1_200)


def _handoff(handoff: Handoff) -> str:
    """Return the steps with the address to copy; a button's address can only be opened."""
    steps = isolate(shorten(clean(handoff.steps), 700, slack_length))
    url = web_url(handoff.url)
    return "\n".join([*([steps] if steps else []), *([url] if url and slack_length(url) <= 300 else [])])


def _steps(guidance: Guidance, most: int) -> str:
    shown = [f"{number}. {wording.name(step, 300)}" for number, step in enumerate(guidance.steps[:most], 1)]
    left_out = len(guidance.steps) - len(shown)
    if left_out:
        shown.append(f"({left_out} {'more ' if shown else ''}step{'' if left_out == 1 else 's'} in the playbook)")
    return "\n".join(shown)


def _draft_blocks(drafts: tuple[Draft, ...], most: int) -> Iterator[Block]:
    for number, draft in enumerate(drafts[:most], 1):
        text = clean(draft.text)
        # A draft that was cut would be sent as if it were whole.
        fits = slack_length(text) <= MAX_SECTION
        shown = text or "(empty)" if fits else "(too long to show here)"
        yield from _labelled(f"Suggested reply {number}", shown, MAX_SECTION, wording.draft_label(draft))
    left_out = len(drafts) - most
    if left_out > 0:
        words = "1 more suggested reply is" if left_out == 1 else f"{left_out} more suggested replies are"
        yield ContextBlock(elements=[_plain(f"{words} left out: the card is full.", 200)])


def _drafts(card: Card) -> tuple[Draft, ...]:
    return card.guidance.drafts if card.guidance else ()


def _links(card: Card) -> list[tuple[str, str, str | None]]:
    guidance = card.guidance
    return [
        ("Open post", "open_post", card.url),
        ("Reply", "reply", guidance.reply_url if guidance else None),
        ("Private channel", "private_channel", guidance.handoff.url if guidance else None),
        ("Author", "open_author", card.author.url),
    ]


def _buttons(card: Card, room: Room) -> Iterator[Block]:
    buttons: list[ButtonElement] = []
    left_out: list[str] = []
    for label, action, url in _links(card):
        checked = web_url(url)
        if checked and slack_length(checked) <= room.url:
            style = "primary" if action == "reply" else None
            buttons.append(ButtonElement(text=_plain(label, 75), action_id=action, url=checked, style=style))
        elif url:
            left_out.append(f"{label}: {'the link is too long for a button' if checked else 'no usable web address'}")
    if buttons:
        yield ActionsBlock(elements=[*buttons])
    if left_out:
        yield ContextBlock(elements=[_plain(" · ".join(left_out), 400)])


def _footer(card: Card) -> str:
    return f"{wording.name(card.reference, 30)} · team {wording.name(card.team, 60)} · {wording.times(card)}"


def _labelled(label: str, text: str, limit: int, *details: str) -> Iterator[Block]:
    elements: list[Any] = [MarkdownTextObject(text=f"*{label}*", verbatim=True)]
    elements += [_plain(detail, 300) for detail in details if detail]
    yield ContextBlock(elements=elements)
    if text:
        yield _section(text, limit)


def _section(text: str, limit: int) -> SectionBlock:
    return SectionBlock(text=_plain(text, limit))


def _plain(text: str, limit: int, *, emoji: bool = False) -> PlainTextObject:
    return PlainTextObject(text=shorten(text, limit, slack_length), emoji=emoji)
