"""What a message says, part by part and in words, for receivers that lay it out themselves. No markup; texts are clean.

Right-to-left words stand in isolates; every part says how it wants to look, and the receiver decides how that is done.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from alerts import wording
from alerts.card import Card, DigestFile, DigestMessage, Entry, IncidentCard, Message, Note, Summary, Voice
from alerts.curve import sparkline
from alerts.escaping import clean, isolate, one_line, shorten, shorten_lines, web_url
from alerts.standing import COUNTS, facts, standing
from listener.model import Draft, Guidance, Handoff

Look = Literal["text", "quiet", "list", "steps", "quote", "draft", "alarm", "link", "curve"]
Tone = Literal["urgent", "important", "attention", "closed", "note"]

MAX_TEXT = 3_000
MOVED = "Tell the thread that it goes on in private"
_MAX_LINES = 40
_MAX_URL = 4_000
_MOST_DRAFTS, _MOST_STEPS, _MOST_RULES = 12, 15, 10
_MOST_VOICES, _MOST_ENTRIES = 5, 60
_MOST_SENTENCES, _MOST_TILES, _MAX_SENTENCE = 10, 20, 1_000
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_TONES: dict[int, Tone] = {3: "urgent", 2: "important", 1: "attention"}
_NOTE_TONES: dict[str, Tone] = {"escalation": "urgent", "reminder": "important"}


@dataclass(frozen=True, slots=True)
class Part:
    """One labelled part of a message."""

    label: str
    lines: tuple[str, ...] = ()
    look: Look = "text"
    detail: str = ""
    """Said beside the label."""
    url: str | None = None
    """Checked: an http(s) address that shows its true host."""
    language: str = ""
    """BCP 47 tag of the lines where it is known."""


@dataclass(frozen=True, slots=True)
class Outline:
    """One message: the title a reader sees first, where it belongs, its parts, and what is small print."""

    title: str
    tone: Tone
    where: str = ""
    parts: tuple[Part, ...] = ()
    footer: str = ""


def outline(message: Message) -> Outline:
    """Return what `message` says."""
    if isinstance(message, Card):
        return _card(message)
    if isinstance(message, IncidentCard):
        return _incident(message)
    if isinstance(message, Note):
        return _note(message)
    if isinstance(message, DigestMessage):
        return _digest(message)
    if isinstance(message, DigestFile):
        return Outline(subject(message), "note", parts=(Part("", (wording.name(message.file_name, 150),)),))
    return _summary(message)


def follow_up(message: Message, news: Mapping[str, str]) -> Outline:
    """Return a short message on what is new, for where the first one cannot be edited.

    Args:
        message: as it stands now.
        news: what readers have not been told, as `alerts.standing.Told` gives it.
    """
    whole = outline(message)
    told = Part("What is new", tuple(words[:1].upper() + words[1:] for words in news.values()), "list")
    if not isinstance(message, Card | IncidentCard):
        return Outline(whole.title, whole.tone, whole.where, (told, *whole.parts), whole.footer)
    counts = (f"{facts(message)[COUNTS]} so far",)
    parts = [told, Part("How it stands", (*standing(message), *counts))]
    if isinstance(message, Card) and "post" in news:
        parts.append(post_part(message))
    parts += _links(("Open post", message.url if isinstance(message, Card) else None))
    return Outline(
        f"{_reference(message)}: {news.get('state') or next(iter(news.values()), 'as before')}",
        whole.tone,
        whole.where,
        _filled(parts),
        whole.footer,
    )


def subject(message: Message) -> str:
    """Return one line that names the message in a list of others."""
    if isinstance(message, Card):
        topic, author = wording.name(message.topic, 30), wording.name(message.author.name, 40)
        about = f"{wording.where(message)} · {topic} · {author}"
        return f"{wording.mark(message)}[{_reference(message)}] Severity {message.severity} · {about}"
    if isinstance(message, IncidentCard):
        about = f"Bad buzz · Severity {message.severity} · {_incident_place(message)}"
        return f"{wording.mark(message)}[{_reference(message)}] {about}"
    reference = f"[{wording.name(message.reference, 30)}] " if isinstance(message, Note) and message.reference else ""
    return reference + (wording.name(message.title, 150) or "(no title)")


def curve_words(card: IncidentCard) -> str:
    """Say in words what an incident's curve shows."""
    if not card.curve:
        return ""
    start, end = (wording.local_time(point.at, card.timezone) for point in (card.curve[0], card.curve[-1]))
    top = max(card.curve, key=lambda point: point.count)
    return f"From {start} to {end}: at most {top.count:,.0f} where {top.expected:,.1f} would be usual"


def _card(card: Card) -> Outline:
    parts = [
        Part("How it stands", standing(card)),
        Part("Who", (wording.author(card), shorten(wording.influence(card), 400))),
        post_part(card),
        Part("About", (f"{wording.language(card)} · {wording.name(card.topic)} · {wording.counts(card)}",)),
        Part("Why it was raised", _reasons(card), "list"),
        Part("", (shorten(wording.priority(card), 400),), "quiet"),
        *(_sendable(MOVED, text, card.guidance) for text in wording.moved(card)[:1] if card.guidance),
        *(_guidance(card.guidance) if card.guidance else ()),
        *_links(*_answer_links(card.guidance), ("Open post", card.url), ("Open author", card.author.url)),
    ]
    where = f"{wording.mark(card)}{wording.name(card.brand)} · {wording.place(card)} · {wording.network(card)}"
    footer = f"Team {wording.name(card.team)} · {wording.times(card)}"
    return Outline(f"{wording.severity(card)} · {_reference(card)}", _tone(card), where, _filled(parts), footer)


def post_part(card: Card) -> Part:
    """Return the post itself, or that it is withdrawn."""
    if card.fate == "deleted":
        return Part("The post", (wording.DELETED,), detail="deleted since")
    detail = "edited since; this is its new text" if card.fate == "edited" else ""
    return _quote("The post", card.text, detail, language=card.language)


def _quote(label: str, text: str, detail: str = "", *, language: str = "", url: str | None = None) -> Part:
    shown = _shown(text) or "(no text)"
    return Part(label, tuple(shown.split("\n")), "quote", detail, _checked(url), _tag(language))


def _shown(text: str) -> str:
    return isolate(shorten_lines(shorten(clean(text), MAX_TEXT), _MAX_LINES))


def _reasons(card: Card) -> tuple[str, ...]:
    return (*wording.names(card.reasons[:8], 200), *([line] if (line := wording.because(card)) else []))


def _guidance(guidance: Guidance) -> Iterator[Part]:
    steps = tuple(wording.names(guidance.steps[:_MOST_STEPS], 300))
    if guidance.best_unanswered:
        yield Part("", (f"{wording.UNANSWERED}: {wording.WHY_UNANSWERED}.",), "alarm")
    yield Part("Tell", (others,) if (others := wording.told(guidance)) else ())
    yield Part("Playbook", steps, "steps", wording.playbook_title(guidance))
    yield from _links(("Open playbook", guidance.url))
    for number, draft in enumerate(guidance.drafts[:_MOST_DRAFTS], 1):
        yield _draft(number, draft)
    left_out = len(guidance.drafts) - _MOST_DRAFTS
    if left_out > 0:
        yield Part("", (f"({left_out} more suggested replies are in the playbook)",), "quiet")
    never = tuple(wording.names(guidance.never[:_MOST_RULES], 200))
    yield Part("Never say", never, "alarm")
    yield Part("Move to a private channel", handoff_lines(guidance.handoff))
    if guidance.private_text.strip():
        yield _sendable("Private message", guidance.private_text, guidance)
    for label, lines in (("May be promised", guidance.promise), ("Ask for in private, nothing else", guidance.ask)):
        yield Part(label, tuple(wording.names(lines[:_MOST_RULES], 200)), "list")
    yield Part("To close it", tuple(wording.names([guidance.close], 300)))


def handoff_lines(handoff: Handoff) -> tuple[str, ...]:
    """Return how the team moves to a private channel, and after it whether it may write first."""
    steps, first = shorten(clean(handoff.steps), 700), wording.name(handoff.first, 300)
    return (*(isolate(steps).split("\n") if steps else ()), *([first] if first else []))


def _draft(number: int, draft: Draft) -> Part:
    label = shorten(wording.draft_label(draft), 250)
    return Part(f"Suggested reply {number}", _whole(draft.text), "draft", label, language=_tag(draft.locale))


def _sendable(label: str, text: str, guidance: Guidance) -> Part:
    """Return a text that stands beside the drafts, in their language."""
    locale = guidance.drafts[0].locale if guidance.drafts else ""
    return Part(label, _whole(text), "draft", language=_tag(locale))


def _tag(language: str) -> str:
    return language if _LANGUAGE.fullmatch(language) else ""


def _whole(text: str) -> tuple[str, ...]:
    """Return the lines of a text that people send, or words in its place: one that was cut would be sent as whole."""
    shown = clean(text)
    return ("(too long to show here)",) if len(shown) > MAX_TEXT else tuple((shown or "(empty)").split("\n"))


def _incident(card: IncidentCard) -> Outline:
    parts = [
        Part("How it stands", (_span(card), *standing(card))),
        Part("How big it is", tuple(wording.incident_size(card).split(" · ")), "list"),
        Part("Curve", (sparkline(card.curve), curve_words(card)) if card.curve else (), "curve"),
        Part("Why it is one", tuple(wording.names(card.because[:8], 200)), "list"),
        *([_voice("First post", card.first, card)] if card.first else ()),
        *(_voice("Heard most", voice, card) for voice in card.influential[:_MOST_VOICES]),
        Part("What people complain of", tuple(wording.counted((one,)) for one in card.complaints[:8]), "list"),
        Part("Words that rose", (", ".join(wording.name(word, 30) for word in card.words[:15]),)),
        Part("Languages", (wording.counted(card.languages),)),
        *(_guidance(card.guidance) if card.guidance else ()),
        *_links(*_answer_links(card.guidance)),
    ]
    title = f"Bad buzz · {wording.severity(card)} · {_reference(card)}"
    where = wording.mark(card) + _incident_place(card)
    return Outline(title, _tone(card), where, _filled(parts), f"Team {wording.name(card.team)}")


def _span(card: IncidentCard) -> str:
    span = wording.incident_span(card)
    return span[:1].upper() + span[1:] if card.ended_at else f"Going on {span}"


def _incident_place(card: IncidentCard) -> str:
    return " · ".join(wording.names((card.brand, card.country_name or card.country, card.topic)))


def _voice(label: str, voice: Voice, card: IncidentCard) -> Part:
    detail = wording.voice(voice, card.timezone)
    if not voice.text:
        return Part(label, (wording.DELETED,), detail=detail, url=_checked(voice.url))
    return _quote(label, shorten(clean(voice.text), 500), detail, url=voice.url)


def _note(note: Note) -> Outline:
    text = _shown(note.text)
    reference = wording.name(note.reference, 30)
    parts = [
        Part("", tuple(text.split("\n")) if text else ()),
        *([_quote("", note.quote)] if note.quote.strip() else ()),
        *_links(("Open post", note.url)),
    ]
    title = wording.name(note.title, 200) or "(no title)"
    told = reference and reference not in title
    return Outline(
        f"{title} · {reference}" if told else title, _NOTE_TONES.get(note.tone, "note"), parts=_filled(parts)
    )


def _summary(summary: Summary) -> Outline:
    text = _shown(summary.text)
    left_out = len(summary.entries) - _MOST_ENTRIES
    parts = [
        Part("", tuple(text.split("\n")) if text else ()),
        Part("", tuple(entry_line(entry) for entry in summary.entries[:_MOST_ENTRIES])),
        Part("", (f"(and {left_out:,} more)",) if left_out > 0 else (), "quiet"),
    ]
    return Outline(wording.name(summary.title, 200) or "(no title)", "note", parts=_filled(parts))


def _digest(digest: DigestMessage) -> Outline:
    figures = (wording.names((tile.label, tile.value, tile.change), 200) for tile in digest.tiles[:_MOST_TILES])
    sentences = tuple(_shown(shorten(clean(line), _MAX_SENTENCE)) for line in digest.summary[:_MOST_SENTENCES])
    parts = [
        Part("", (wording.name(digest.subtitle, 300),)),
        *(Part("", tuple(sentence.split("\n"))) for sentence in sentences),
        Part("", tuple(_figure(found) for found in figures if found), "list"),
        *_links((wording.name(digest.words.open, 75) or "Open the digest", digest.url)),
        Part(wording.name(digest.words.whole, 75), (wording.name(digest.command, 300),)),
    ]
    return Outline(subject(digest), "note", parts=_filled(parts))


def _figure(words: Sequence[str]) -> str:
    """Return a figure in one line: "Mentions: 1,204 (▲ 12 % on the four weeks before)"."""
    label, *rest = words
    if not rest:
        return label
    value, *change = rest
    return f"{label}: {value}" + (f" ({change[0]})" if change else "")


def entry_line(entry: Entry) -> str:
    """Return one line of a summary."""
    return f"{wording.dots(entry.severity)} {wording.name(entry.reference, 30)} · {wording.name(entry.line, 200)}"


def _links(*links: tuple[str, str | None]) -> Iterator[Part]:
    for label, url in links:
        if url:
            checked = _checked(url)
            yield Part(label, (checked or "(no usable web address)",), "link", url=checked)


def _answer_links(guidance: Guidance | None) -> tuple[tuple[str, str | None], ...]:
    if guidance is None:
        return ()
    return ("Reply", guidance.reply_url), ("Private channel", guidance.handoff.url)


def _checked(url: str | None) -> str | None:
    return web_url(url) if url and len(url) <= _MAX_URL else None


def _filled(parts: Sequence[Part]) -> tuple[Part, ...]:
    return tuple(part for part in parts if part.detail or any(line.strip() for line in part.lines))


def _tone(card: Card | IncidentCard) -> Tone:
    return "closed" if wording.is_closed(card) else _TONES.get(card.severity, "attention")


def _reference(card: Card | IncidentCard) -> str:
    return one_line(wording.name(card.reference, 30)) or f"alert {card.alert_id}"
