"""The windows of the Slack app: pure functions from data to views, and from what was filled in back to data.

What comes back is checked as if anybody had written it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ContextBlock,
    InputBlock,
    Option,
    PlainTextInputElement,
    RadioButtonsElement,
    SectionBlock,
    StaticSelectElement,
)
from slack_sdk.models.blocks.basic_components import DispatchActionConfig
from slack_sdk.models.views import View

from alerts import wording
from alerts.escaping import clean, isolate, shorten, slack_length
from alerts.silences import MatcherError, parse_matchers
from alerts.slack.blocks import quoted
from alerts.slack.elements import labelled, link_button, mrkdwn, option, plain, section
from alerts.slack.ids import (
    RESOLUTION_WORDS,
    SENT_WORDS,
    SNOOZE_WORDS,
    WAS_WORDS,
    ActionName,
    FieldName,
    Resolution,
    SentAs,
    SnoozeFor,
    ViewName,
    WasInstead,
    parse_alert_id,
    value,
)
from listener.model import TOPICS

MAX_TYPED = 3_000
"""The most that Slack lets anybody type into a field."""
MAX_REVISION = 1_000_000
_MAX_METADATA = 3_000
_WARNING = "\N{WARNING SIGN}\ufe0f"
DURATIONS: Mapping[str, tuple[str, timedelta]] = {
    "1h": ("1 hour", timedelta(hours=1)),
    "4h": ("4 hours", timedelta(hours=4)),
    "8h": ("8 hours", timedelta(hours=8)),
    "1d": ("1 day", timedelta(days=1)),
    "3d": ("3 days", timedelta(days=3)),
    "7d": ("1 week", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
}
"""How long a silence made in Slack can last."""

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class FieldErrors:
    """What is wrong with a filled-in window, by block id: shown under the field."""

    errors: Mapping[str, str]

    def response(self) -> dict[str, Any]:
        """Return what Slack is answered, so that the window stays open and says it."""
        return {"response_action": "errors", "errors": dict(self.errors)}


@dataclass(frozen=True, slots=True)
class ReplyDraft:
    """One suggested reply in the window, with its meaning in a language that the team reads."""

    text: str
    label: str
    """Locale, variant and length in words."""
    locale: str = ""
    gloss: str = ""
    """The same reply in the team's language; empty where the team reads the draft's own."""
    gloss_language: str = ""


@dataclass(frozen=True, slots=True)
class ReplyForm:
    """All that the reply window shows. Author, post, drafts and text are hostile."""

    alert_id: int
    reference: str
    author: str
    post: str
    network: str
    """Its name as people write it."""
    drafts: tuple[ReplyDraft, ...]
    chosen: int
    """Index of the draft that is chosen."""
    text: str
    """What stands in the box now."""
    count: int
    """Its length by the network's own count."""
    limit: int | None
    warnings: tuple[str, ...] = ()
    reply_url: str | None = None
    """Where the reply is written, with the text filled in."""
    private_url: str | None = None
    steps: str = ""
    """How to move to a private channel, in words."""
    revision: int = 0
    """Raised to put another text into the box; the same one keeps what was typed."""


@dataclass(frozen=True, slots=True)
class ReplyState:
    """What the reply window holds while it is open."""

    alert_id: int
    chosen: int
    text: str
    revision: int


@dataclass(frozen=True, slots=True)
class ReplySubmission:
    """What a person says that they sent."""

    alert_id: int
    text: str
    sent: SentAs
    chosen: int


@dataclass(frozen=True, slots=True)
class NotComplaint:
    """What a post was instead of a complaint."""

    alert_id: int
    was: WasInstead
    topic: str = ""
    """One of TOPICS, or empty."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an alert ended."""

    alert_id: int
    resolution: Resolution


@dataclass(frozen=True, slots=True)
class PutOff:
    """How long an alert is put off."""

    alert_id: int
    length: SnoozeFor


@dataclass(frozen=True, slots=True)
class SilenceRequest:
    """A silence as somebody asks for it; its matchers can be read."""

    matchers: tuple[str, ...]
    lasting: timedelta
    reason: str


def loading_view(title: str = "One moment") -> dict[str, Any]:
    """Return the window that is opened at once and replaced when the data are there."""
    return _modal(ViewName.LOADING, title, [section("Fetching what is needed…")], close="Close")


def error_view(text: str, title: str = "That did not work") -> dict[str, Any]:
    """Return a window that says what went wrong and what to do."""
    return _modal(ViewName.ERROR, title, [section(clean(text) or "Something went wrong.")], close="Close")


def reply_view(form: ReplyForm) -> dict[str, Any]:
    """Return the window in which a reply is chosen, edited and taken to the network, where a person sends it."""
    blocks: list[Block] = [
        section(f"{wording.name(form.author, 120)} · {wording.name(form.network, 30)}", 300),
        *labelled("The post", quoted(form.post, 700), 900),
        *_draft_chooser(form),
        *_reply_box(form),
        *_ways_out(form),
        _choice_input(FieldName.SENT, "How did you answer?", SENT_WORDS),
    ]
    told = {"alert": form.alert_id, "revision": form.revision}
    title = f"Reply · {wording.name(form.reference, 14)}"
    return _modal(ViewName.REPLY, title, blocks, submit="I have sent it", close="Not yet", told=told)


def not_complaint_view(alert_id: int, reference: str, line: str = "") -> dict[str, Any]:
    """Return the window that asks what a post was, if no complaint; `line` says who wrote what."""
    topics = [option(topic, topic) for topic in TOPICS]
    blocks: list[Block] = [
        *_about(line),
        _choice_input(FieldName.WHAT, "What was it?", WAS_WORDS),
        InputBlock(
            block_id=FieldName.TOPIC,
            label=plain("Its topic, where you know it", 100),
            element=StaticSelectElement(action_id=FieldName.TOPIC, placeholder=plain("Topic", 100), options=topics),
            optional=True,
        ),
        ContextBlock(elements=[plain("The classifier learns from this for your team.", 100)]),
    ]
    title = f"No complaint · {wording.name(reference, 9)}"
    return _modal(ViewName.NOT_COMPLAINT, title, blocks, submit="Dismiss it", told={"alert": alert_id})


def resolve_view(alert_id: int, reference: str, line: str = "") -> dict[str, Any]:
    """Return the window that asks how an alert ended."""
    blocks = [*_about(line), _choice_input(FieldName.RESOLUTION, "How did it end?", RESOLUTION_WORDS)]
    title = f"Resolve · {wording.name(reference, 12)}"
    return _modal(ViewName.RESOLVE, title, blocks, submit="Resolve", told={"alert": alert_id})


def snooze_view(alert_id: int, reference: str, line: str = "") -> dict[str, Any]:
    """Return the window that asks how long an alert is put off."""
    blocks = [*_about(line), _choice_input(FieldName.LENGTH, "How long?", SNOOZE_WORDS, SnoozeFor.HOUR)]
    title = f"Snooze · {wording.name(reference, 12)}"
    return _modal(ViewName.SNOOZE, title, blocks, submit="Snooze", told={"alert": alert_id})


def silence_view(matchers: Sequence[str] = (), reason: str = "") -> dict[str, Any]:
    """Return the window in which a silence is written; what is given already stands in its fields."""
    hint = "One a line, all must hold: country=FR, topic!=praise, author=~acme.*"
    durations = [option(words, name) for name, (words, _) in DURATIONS.items()]
    length = StaticSelectElement(
        action_id=FieldName.DURATION, placeholder=plain("How long", 100), options=durations, initial_option=durations[0]
    )
    blocks: list[Block] = [
        _text_input(FieldName.MATCHERS, "Which alerts are muted?", "\n".join(matchers), hint=hint),
        InputBlock(block_id=FieldName.DURATION, label=plain("For how long?", 100), element=length),
        _text_input(FieldName.REASON, "Why?", reason, hint="Those who wonder about the silence will read it."),
    ]
    return _modal(ViewName.SILENCE, "Silence alerts", blocks, submit="Silence")


def reply_text_block(revision: int) -> str:
    """Return the block id of the reply's text: another one puts another text into the box."""
    return f"{FieldName.TEXT}_{revision}"


def parse_reply_state(view: object) -> ReplyState | None:
    """Return what the reply window holds, or None where it is not exactly ours."""
    told = _told(view, ViewName.REPLY)
    alert_id, revision = _alert_id(told), told.get("revision")
    if alert_id is None or type(revision) is not int or not 0 <= revision <= MAX_REVISION:
        return None
    text = _field(view, reply_text_block(revision), FieldName.TEXT).get("value")
    chosen = _chosen(_field(view, FieldName.VARIANT, FieldName.VARIANT))
    index = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) <= 2 else 0
    return ReplyState(alert_id, index, text if isinstance(text, str) else "", revision)


def parse_reply(view: object) -> ReplySubmission | FieldErrors | None:
    """Return what was sent, or what is wrong with the fields; None where the view is not exactly ours."""
    state = parse_reply_state(view)
    if state is None:
        return None
    sent = _enum(SentAs, _chosen(_field(view, FieldName.SENT, FieldName.SENT)))
    wrong = {} if clean(state.text) else {reply_text_block(state.revision): "Put the reply here that you sent."}
    wrong |= {} if sent else {FieldName.SENT.value: "Choose how you answered."}
    if wrong or sent is None:
        return FieldErrors(wrong)
    return ReplySubmission(state.alert_id, state.text[:MAX_TYPED], sent, state.chosen)


def parse_not_complaint(view: object) -> NotComplaint | FieldErrors | None:
    """Return what the post was, or what is wrong; None where the view is not exactly ours."""
    alert_id = _alert_id(_told(view, ViewName.NOT_COMPLAINT))
    was = _enum(WasInstead, _chosen(_field(view, FieldName.WHAT, FieldName.WHAT)))
    topic = _chosen(_field(view, FieldName.TOPIC, FieldName.TOPIC))
    if alert_id is None:
        return None
    if was is None:
        return FieldErrors({FieldName.WHAT.value: "Choose what it was."})
    return NotComplaint(alert_id, was, topic if topic in TOPICS else "")


def parse_resolve(view: object) -> Ending | FieldErrors | None:
    """Return how the alert ended, or what is wrong; None where the view is not exactly ours."""
    alert_id = _alert_id(_told(view, ViewName.RESOLVE))
    resolution = _enum(Resolution, _chosen(_field(view, FieldName.RESOLUTION, FieldName.RESOLUTION)))
    if alert_id is None:
        return None
    return Ending(alert_id, resolution) if resolution else FieldErrors({FieldName.RESOLUTION.value: "Choose one."})


def parse_snooze(view: object) -> PutOff | FieldErrors | None:
    """Return how long the alert is put off, or what is wrong; None where the view is not exactly ours."""
    alert_id = _alert_id(_told(view, ViewName.SNOOZE))
    length = _enum(SnoozeFor, _chosen(_field(view, FieldName.LENGTH, FieldName.LENGTH)))
    if alert_id is None:
        return None
    return PutOff(alert_id, length) if length else FieldErrors({FieldName.LENGTH.value: "Choose one."})


def parse_silence(view: object) -> SilenceRequest | FieldErrors | None:
    """Return the silence that is asked for, or what is wrong; None where the view is not exactly ours."""
    if not isinstance(view, Mapping) or view.get("callback_id") != ViewName.SILENCE:
        return None
    lines = [line for line in _typed(view, FieldName.MATCHERS).splitlines() if line.strip()]
    duration = DURATIONS.get(_chosen(_field(view, FieldName.DURATION, FieldName.DURATION)))
    reason = clean(_typed(view, FieldName.REASON))
    wrong: dict[str, str] = {}
    try:
        parse_matchers(lines)
    except MatcherError as error:
        wrong[FieldName.MATCHERS.value] = shorten(str(error), 200)
    wrong |= {} if duration else {FieldName.DURATION.value: "Choose how long."}
    wrong |= {} if reason else {FieldName.REASON.value: "Say why."}
    if wrong or duration is None:
        return FieldErrors(wrong)
    return SilenceRequest(tuple(line.strip() for line in lines), duration[1], reason)


def _draft_chooser(form: ReplyForm) -> list[Block]:
    if not form.drafts:
        return [ContextBlock(elements=[plain("There is no suggested reply for this alert.", 100)])]
    options = [option(f"{number}. {wording.name(draft.label, 70)}", str(number - 1), _beginning(draft))
               for number, draft in enumerate(form.drafts[:99], 1)]  # fmt: skip
    chosen = form.drafts[form.chosen] if 0 <= form.chosen < len(options) else form.drafts[0]
    menu = StaticSelectElement(
        action_id=FieldName.VARIANT,
        placeholder=plain("Another reply", 100),
        options=options,
        initial_option=options[form.chosen if 0 <= form.chosen < len(options) else 0],
    )
    blocks: list[Block] = [SectionBlock(block_id=FieldName.VARIANT, text=mrkdwn("*Suggested reply*"), accessory=menu)]
    if gloss := isolate(shorten(clean(chosen.gloss), 1_800, slack_length)):
        language = wording.name(chosen.gloss_language, 40)
        blocks += labelled("What it says", gloss, 2_000, f"in {language}" if language else "")
    return blocks


def _beginning(draft: ReplyDraft) -> str:
    return wording.name(draft.text, 70)


def _reply_box(form: ReplyForm) -> list[Block]:
    locale = form.drafts[form.chosen].locale if 0 <= form.chosen < len(form.drafts) else ""
    named = f" ({wording.name(locale, 20)})" if locale else ""
    # Slack counts UTF-16 units here; what does not fit was never going to be sent whole.
    text = shorten(clean(form.text), MAX_TYPED, _utf16_length)
    box = PlainTextInputElement(
        action_id=FieldName.TEXT,
        multiline=True,
        initial_value=text or None,
        max_length=MAX_TYPED,
        dispatch_action_config=DispatchActionConfig(trigger_actions_on=["on_character_entered"]),
    )
    field = InputBlock(
        block_id=reply_text_block(form.revision),
        label=plain(f"Your reply{named}", 100),
        element=box,
        dispatch_action=True,
    )
    return [field, ContextBlock(elements=[plain(count_line(form.count, form.limit), 100)]), *_warnings(form)]


def count_line(count: int, limit: int | None) -> str:
    """Say how long a reply is: "212 of 280"."""
    if limit is None:
        return f"{count:,} characters"
    over = f" {_WARNING} {count - limit:,} too many" if count > limit else ""
    return f"{count:,} of {limit:,}{over}"


def _warnings(form: ReplyForm) -> list[Block]:
    shown = [words for warning in form.warnings[:5] if (words := wording.name(warning, 250))]
    if _utf16_length(clean(form.text)) > MAX_TYPED:
        shown.append("This reply is longer than a field in Slack can hold: copy it from the card.")
    return [section(f"{_WARNING} {words}", 300) for words in shown]


def _ways_out(form: ReplyForm) -> list[Block]:
    about = value(form.alert_id)
    label = f"Open the reply on {wording.name(form.network, 30)}"
    links = [
        (label, ActionName.OPEN_REPLY, form.reply_url, "primary"),
        ("Open the private message", ActionName.OPEN_PRIVATE, form.private_url, None),
    ]
    made = [link_button(words, name, url, value=about, style=style) for words, name, url, style in links]
    buttons = [button for button in made if button]
    blocks: list[Block] = [ActionsBlock(elements=[*buttons])] if buttons else []
    if len(buttons) < sum(url is not None for _, _, url, _ in links):
        words = "The text is too long for a link: copy it and open the reply from the card."
        blocks.append(ContextBlock(elements=[plain(words, 200)]))
    if steps := isolate(shorten(clean(form.steps), 700, slack_length)):
        blocks += labelled("Move to a private channel", steps, 900)
    return blocks


def _about(line: str) -> list[Block]:
    shown = wording.name(line, 300)
    return [section(shown, 400)] if shown else []


def _choice_input(field: FieldName, label: str, words: Mapping[Any, str], initial: StrEnum | None = None) -> InputBlock:
    options: list[Option] = [option(text, str(name)) for name, text in words.items()]
    first = next((one for one in options if one.value == initial), None)
    choice = RadioButtonsElement(action_id=field, options=options, initial_option=first)
    return InputBlock(block_id=field, label=plain(label, 100), element=choice)


def _text_input(field: FieldName, label: str, text: str, *, hint: str) -> InputBlock:
    initial = shorten(clean(text), 2_000, _utf16_length) or None
    box = PlainTextInputElement(action_id=field, multiline=True, initial_value=initial, max_length=2_000)
    return InputBlock(block_id=field, label=plain(label, 100), element=box, hint=plain(hint, 200))


def _modal(
    name: ViewName, title: str, blocks: Sequence[Block], *, submit: str | None = None, close: str = "Cancel",
    told: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    view = View(
        type="modal",
        callback_id=name,
        title=plain(wording.name(title, 24), 24),
        submit=plain(submit, 24) if submit else None,
        close=plain(close, 24),
        blocks=blocks,
        private_metadata=json.dumps(told) if told else None,
    )
    return view.to_dict()


def _told(view: object, name: ViewName) -> Mapping[str, Any]:
    """Return our private metadata of a view, empty where it is not exactly ours."""
    if not isinstance(view, Mapping) or view.get("callback_id") != name:
        return {}
    text = view.get("private_metadata")
    if not isinstance(text, str) or len(text) > _MAX_METADATA:
        return {}
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _alert_id(told: Mapping[str, Any]) -> int | None:
    alert_id = told.get("alert")
    return parse_alert_id(str(alert_id)) if type(alert_id) is int else None


def _field(view: object, block_id: str, action_id: str) -> Mapping[str, Any]:
    """Return one element's entry in `state.values`, empty where there is none."""
    found: object = view
    for name in ("state", "values", block_id, action_id):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _chosen(entry: Mapping[str, Any]) -> str:
    chosen = entry.get("selected_option")
    name = chosen.get("value") if isinstance(chosen, Mapping) else None
    return name if isinstance(name, str) else ""


def _typed(view: object, field: FieldName) -> str:
    text = _field(view, field, field).get("value")
    return text if isinstance(text, str) else ""


def _enum(kind: type[_Choice], text: str) -> _Choice | None:
    try:
        return kind(text)
    except ValueError:
        return None


def _utf16_length(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)
