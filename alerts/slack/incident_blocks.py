"""The card of a burst in Slack's Block Kit: how big, how fast, who speaks, about what, and what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ContextBlock,
    DividerBlock,
    ImageBlock,
    SectionBlock,
)
from slack_sdk.models.blocks.basic_components import SlackFile

from alerts import wording
from alerts.card import IncidentCard, Voice
from alerts.curve import sparkline
from alerts.escaping import escape_mrkdwn, shorten, web_url
from alerts.slack.actions import action_blocks, progress_facts
from alerts.slack.blocks import bullets, never_say, playbook, quoted, symbol, whole
from alerts.slack.elements import (
    MAX_TEXT,
    Fact,
    date,
    facts,
    first_fitting,
    fitting,
    header,
    labelled,
    link_button,
    paragraph,
    plain,
    section,
)
from alerts.slack.ids import ActionName, value
from listener.config.pages import MAX_PAGE
from listener.model import Guidance


@dataclass(frozen=True, slots=True)
class IncidentRoom:
    """How much of each part that varies is shown."""

    steps: int
    voices: int
    text: int
    url: int = 1_000


# The playbook's later steps go first: they stand in the playbook. The first post and the largest voice stay.
_ROOMS = (
    IncidentRoom(steps=12, voices=5, text=600),
    IncidentRoom(steps=6, voices=5, text=600),
    IncidentRoom(steps=6, voices=3, text=400),
    IncidentRoom(steps=3, voices=3, text=300),
    IncidentRoom(steps=0, voices=2, text=300, url=300),
    IncidentRoom(steps=0, voices=1, text=200, url=0),
)


def render_incident(card: IncidentCard, picture: str | None = None) -> list[dict[str, Any]]:
    """Return an incident's card as Block Kit blocks, trimmed until Slack takes it.

    Args:
        card: the incident.
        picture: Slack's ID of the uploaded curve; without one the curve is drawn in characters.

    Raises:
        slack_sdk.errors.SlackObjectFormationError: a block breaks one of Slack's rules all the same.
    """
    return first_fitting(_blocks(card, picture, room) for room in _ROOMS)


def incident_text(card: IncidentCard) -> str:
    """Return one line for notifications and screen readers, as escaped mrkdwn."""
    return escape_mrkdwn(shorten(f"{wording.incident_title(card)} · {wording.incident_size(card)}", 600))


def plain_incident(card: IncidentCard) -> str:
    """Return the card as escaped text without blocks, for when Slack refuses them."""
    parts = [
        f"{wording.incident_title(card)}\n{wording.incident_size(card)}\n{wording.incident_span(card)}",
        "\n".join(wording.progress_lines(card.progress, card.timezone)),
        sparkline(card.curve),
        "\n".join(f"{label}: {says}" for label, says in _findings(card)),
        *(f"{wording.voice(one, card.timezone)}\n{_words_of(one, 300)}" for one in _voices(card)[:3]),
        f"Open playbook: {page}" if (page := web_url(card.guidance.url if card.guidance else None)) else "",
        _footer(card),
    ]
    return escape_mrkdwn("\n\n".join(part for part in fitting(parts, MAX_TEXT) if part))


def curve_words(card: IncidentCard) -> str:
    """Say what the curve shows, for those who cannot see it."""
    peak = max(card.curve, key=lambda point: point.count, default=None)
    if peak is None:
        return "No curve yet."
    at = wording.local_time(peak.at, card.timezone)
    over = f" It was over {wording.local_time(card.ended_at, card.timezone)}." if card.ended_at else " It still lasts."
    return (
        f"Negative mentions over time: at most {peak.count:,.0f} at {at}, where {peak.expected:,.1f} would be usual. "
        f"The burst began {wording.local_time(card.opened_at, card.timezone)}.{over}"
    )


def _blocks(card: IncidentCard, picture: str | None, room: IncidentRoom) -> Iterator[Block]:
    yield header(f"{symbol(card)} {wording.incident_title(card)}")
    yield from facts([*_span(card), *progress_facts(card)])
    yield section(wording.incident_size(card), 600)
    yield _curve(card, picture)
    if card.interactive:
        yield from action_blocks(card)
    yield from facts(_findings(card, bold=True))
    if because := bullets(card.because):
        yield from labelled("Why", "\n".join(because), 1_400)
    for label, one in _named_voices(card, room.voices):
        yield from _voice(label, one, card, room)
    if card.guidance:
        yield from _guidance(card.guidance, room)
        yield from _links(card.guidance, room, value(card.alert_id))
    yield DividerBlock()
    yield ContextBlock(elements=[plain(_footer(card), 400)])


def _span(card: IncidentCard) -> list[Fact]:
    began = date(card.opened_at, card.timezone)
    if card.ended_at:
        return [(f"*Began* {began}", f"over {wording.local_time(card.ended_at, card.timezone)}")]
    return [(f"*Began* {began}", f"still lasts, as of {wording.local_time(card.updated_at, card.timezone)}")]


def _curve(card: IncidentCard, picture: str | None) -> Block:
    words = curve_words(card)
    if picture:
        return ImageBlock(slack_file=SlackFile(id=picture), alt_text=words, title=plain("Negative mentions", 100))
    line = sparkline(card.curve)
    return section(f"{line}\n{words}" if line else words, 600)


def _findings(card: IncidentCard, *, bold: bool = False) -> list[Fact]:
    found = [
        ("What people complain of", wording.counted(card.complaints)),
        ("Words that rose", ", ".join(wording.names(card.words[:10], 30))),
        ("Languages", wording.counted(card.languages)),
    ]
    return [(f"*{label}*" if bold else label, says) for label, says in found if says]


def _voices(card: IncidentCard) -> list[Voice]:
    return [*([card.first] if card.first else []), *card.influential]


def _named_voices(card: IncidentCard, most: int) -> list[tuple[str, Voice]]:
    first = [("The first post", card.first)] if card.first else []
    heard = [one for one in card.influential if one != card.first][:most]
    others = [(f"Influential voice {number}", one) for number, one in enumerate(heard, 1)]
    return [*first, *others]


def _voice(label: str, one: Voice, card: IncidentCard, room: IncidentRoom) -> Iterator[Block]:
    elements = [*labelled(label, "", 1, wording.voice(one, card.timezone))]
    yield from elements
    text = section(_words_of(one, room.text))
    address = link_button("Open post", ActionName.OPEN_POST, one.url, value=value(card.alert_id), most=room.url)
    yield SectionBlock(text=text.text, accessory=address) if address else text


def _words_of(one: Voice, limit: int) -> str:
    return quoted(one.text, limit) if one.text else wording.DELETED


def _guidance(guidance: Guidance, room: IncidentRoom) -> Iterator[Block]:
    yield from playbook(guidance, room.steps)
    if room.steps:
        yield from never_say(guidance)
    for draft in guidance.drafts[:1]:
        yield from labelled("Suggested statement", whole(draft.text), 1_200, wording.draft_label(draft))
        gloss = paragraph(draft.gloss, 600)
        if gloss and room.steps:
            yield from labelled("What it says", gloss, 800, wording.name(draft.gloss_language, 40))


def _links(guidance: Guidance, room: IncidentRoom, about: str) -> Iterator[Block]:
    handoff = guidance.handoff
    if steps := paragraph(handoff.steps, 700):
        yield from labelled("Move to a private channel", steps, 800)
    made = (
        link_button("Open playbook", ActionName.OPEN_PLAYBOOK, guidance.url, value=about, most=2 * MAX_PAGE),
        link_button("Private channel", ActionName.OPEN_PRIVATE, handoff.url, value=about, most=room.url),
    )
    if buttons := [one for one in made if one]:
        yield ActionsBlock(elements=[*buttons])


def _footer(card: IncidentCard) -> str:
    return f"{wording.name(card.reference, 30)} · team {wording.name(card.team, 60)} · {wording.incident_span(card)}"
