"""The alert card in Slack's Block Kit, within its limits whatever the card holds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, ContextBlock, DividerBlock, SectionBlock

from alerts import wording
from alerts.card import Card, IncidentCard
from alerts.escaping import clean, escape_mrkdwn, isolate, shorten, shorten_lines, slack_length, web_url
from alerts.slack.actions import action_blocks, opens_replies, progress_facts
from alerts.slack.elements import (
    MAX_SECTION,
    MAX_TEXT,
    facts,
    first_fitting,
    fitting,
    header,
    labelled,
    link_button,
    mrkdwn,
    paragraph,
    plain,
    section,
)
from alerts.slack.ids import ActionName, value
from listener.model import AlertState, Draft, Guidance, Handoff

_MAX_LINES = 40
_MAX_BULLETS = 6
_SYMBOLS = {3: "\N{POLICE CARS REVOLVING LIGHT}", 2: "\N{WARNING SIGN}\ufe0f", 1: "\N{INFORMATION SOURCE}\ufe0f"}
_CLOSED = "\N{WHITE HEAVY CHECK MARK}"
_QUIET = "\N{SPEAKER WITH CANCELLATION STROKE}"
_TELL = "\N{CHEERING MEGAPHONE}"
_FATES = {"stands": "", "edited": wording.EDITED, "deleted": ""}


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
    return first_fitting(_blocks(card, room) for room in _ROOMS)


def fallback_text(card: Card) -> str:
    """Return one line for notifications and screen readers, as escaped mrkdwn."""
    line = f"{_title(card)} · {wording.author(card)}: {wording.name(wording.post(card), 200)}"
    return escape_mrkdwn(line)


def plain_message(card: Card) -> str:
    """Return the card as escaped text without blocks, for when Slack refuses them."""
    parts = [
        _title(card),
        f"{wording.author(card)}\n{shorten(wording.influence(card), 400)}",
        "\n".join(wording.progress_lines(card.progress, card.timezone)),
        _quoted(card, 900),
        "\n".join(_at_a_glance(card.guidance)) if card.guidance else "",
        *(f"{label}: {url}" for label, _, url in _links(card) if web_url(url)),
        *(f"Suggested reply ({wording.draft_label(draft)}):\n{clean(draft.text)}" for draft in _drafts(card)[:2]),
        _footer(card),
    ]
    return escape_mrkdwn("\n\n".join(fitting(filter(None, parts), MAX_TEXT)))


def _at_a_glance(guidance: Guidance) -> Iterator[str]:
    """Yield what a playbook says before its steps, a line each."""
    yield f"Playbook: {wording.playbook_title(guidance)}"
    if guidance.best_unanswered:
        yield f"{wording.UNANSWERED}: {wording.WHY_UNANSWERED}."
    if others := wording.told(guidance):
        yield f"Tell: {others}"


def _blocks(card: Card, room: Room) -> Iterator[Block]:
    yield header(f"{symbol(card)} {_title(card)}")
    yield from facts(progress_facts(card))
    yield section(_summary(card), 1_100)
    yield from labelled("The post", _quoted(card, room.text), MAX_SECTION, _FATES[card.fate])
    if card.interactive:
        yield from action_blocks(card)
    yield from labelled("Why it was raised", _why(card), 1_600)
    if card.guidance:
        yield from _guidance(card, card.guidance, room)
    yield from _buttons(card, room)
    yield DividerBlock()
    yield ContextBlock(elements=[plain(_footer(card), 400)])


def _title(card: Card) -> str:
    state = f" · {card.state}" if card.state is not AlertState.OPEN else ""
    return f"{wording.mark(card)}{wording.severity(card)} · {wording.where(card)} · {wording.network(card)}{state}"


def symbol(card: Card | IncidentCard) -> str:
    """Return the emoji that says how severe an alert is, or that it is closed."""
    return _CLOSED if wording.is_closed(card) else _SYMBOLS.get(card.severity, _SYMBOLS[1])


def _summary(card: Card) -> str:
    about = f"{wording.language(card)} · {wording.name(card.topic)} · {wording.place(card)} · {wording.counts(card)}"
    return f"{wording.author(card)}\n{shorten(wording.influence(card), 400)}\n{about}"


def _quoted(card: Card, limit: int) -> str:
    return wording.DELETED if card.fate == "deleted" else quoted(card.text, limit)


def quoted(text: str, limit: int) -> str:
    """Return what somebody wrote between quotation marks, cut at `limit`."""
    shown = shorten_lines(shorten(clean(text), limit, slack_length), _MAX_LINES)
    return f"“{isolate(shown)}”" if shown else "(no text)"


def bullets(texts: Iterable[str]) -> list[str]:
    """Return the first six of others' short texts that say something, each as a line of a list."""
    return [f"• {words}" for words in wording.names(texts, 200)[:_MAX_BULLETS]]


def _why(card: Card) -> str:
    because = [line] if (line := wording.because(card)) else []
    return "\n".join([*bullets(card.reasons), *because, shorten(wording.priority(card), 400)])


def _guidance(card: Card, guidance: Guidance, room: Room) -> Iterator[Block]:
    yield from playbook(guidance, room.steps)
    if (moved := wording.moved(card)) and room.drafts:
        yield from labelled("Tell the thread that it goes on in private", whole(moved[0]), MAX_SECTION)
    else:
        yield from _draft_blocks(card, guidance.drafts, room.drafts)
    yield from never_say(guidance)
    handoff = _handoff(guidance.handoff)
    if handoff:
        yield from labelled("Move to a private channel", handoff, 1_200)


def playbook(guidance: Guidance, most: int) -> Iterator[Block]:
    """Yield a playbook's title, whom to tell, and its first `most` steps."""
    yield ContextBlock(elements=[mrkdwn("*Playbook*"), plain(wording.playbook_title(guidance), 300)])
    if guidance.best_unanswered:
        yield SectionBlock(text=mrkdwn(f"{_QUIET} *{wording.UNANSWERED}:* {wording.WHY_UNANSWERED}."))
    told = f"{_TELL} Tell: {others}" if (others := wording.told(guidance)) else ""
    if text := "\n".join(filter(None, (told, _steps(guidance, most)))):
        yield section(text, 2_600)


def never_say(guidance: Guidance) -> Iterator[Block]:
    """Yield what a playbook forbids to say."""
    if never := bullets(guidance.never):
        yield from labelled("Never say", "\n".join(never), 1_300)


def _handoff(handoff: Handoff) -> str:
    """Return the steps with the address to copy; a button's address can only be opened."""
    steps = paragraph(handoff.steps, 700)
    url = web_url(handoff.url)
    return "\n".join([*([steps] if steps else []), *([url] if url and slack_length(url) <= 300 else [])])


def _steps(guidance: Guidance, most: int) -> str:
    shown = [f"{number}. {wording.name(step, 300)}" for number, step in enumerate(guidance.steps[:most], 1)]
    left_out = len(guidance.steps) - len(shown)
    if left_out:
        shown.append(f"({left_out} {'more ' if shown else ''}step{'' if left_out == 1 else 's'} in the playbook)")
    return "\n".join(shown)


def _draft_blocks(card: Card, drafts: tuple[Draft, ...], most: int) -> Iterator[Block]:
    # Behind the button stand all of them, each beside its translation.
    shown = drafts[: min(most, 1) if card.interactive else most]
    for number, draft in enumerate(shown, 1):
        yield from labelled(f"Suggested reply {number}", whole(draft.text), MAX_SECTION, wording.draft_label(draft))
    where = f"behind {opens_replies(card)}" if card.interactive else "left out: the card is full."
    left_out = len(drafts) - len(shown)
    if left_out and (opens_replies(card) or not card.interactive):
        words = wording.plural(left_out, "more suggested reply", "more suggested replies")
        yield ContextBlock(elements=[plain(f"{words} {'is' if left_out == 1 else 'are'} {where}", 200)])


def whole(text: str) -> str:
    """Return a draft whole, or words in its place: one that was cut would be sent as if it were whole."""
    text = clean(text)
    return (text or "(empty)") if slack_length(text) <= MAX_SECTION else "(too long to show here)"


def _drafts(card: Card) -> tuple[Draft, ...]:
    return card.guidance.drafts if card.guidance else ()


def _links(card: Card) -> list[tuple[str, ActionName, str | None]]:
    guidance = card.guidance
    reply = f"Reply on {wording.network(card)}" if card.interactive else "Reply"
    return [
        ("Open post", ActionName.OPEN_POST, card.url),
        (reply, ActionName.OPEN_REPLY, guidance.reply_url if guidance else None),
        ("Private channel", ActionName.OPEN_PRIVATE, guidance.handoff.url if guidance else None),
        ("Author", ActionName.OPEN_AUTHOR, card.author.url),
        ("Open playbook", ActionName.OPEN_PLAYBOOK, guidance.url if guidance else None),
    ]


def _buttons(card: Card, room: Room) -> Iterator[Block]:
    buttons: list[ButtonElement] = []
    left_out: list[str] = []
    for label, action, url in _links(card):
        style = "primary" if action is ActionName.OPEN_REPLY and not card.interactive else None
        if made := link_button(label, action, url, value=value(card.alert_id), style=style, most=room.url):
            buttons.append(made)
        elif url:
            left_out.append(
                f"{label}: {'the link is too long for a button' if web_url(url) else 'no usable web address'}"
            )
    if buttons:
        yield ActionsBlock(elements=[*buttons])
    if left_out:
        yield ContextBlock(elements=[plain(" · ".join(left_out), 400)])


def _footer(card: Card) -> str:
    return f"{wording.name(card.reference, 30)} · team {wording.name(card.team, 60)} · {wording.times(card)}"
