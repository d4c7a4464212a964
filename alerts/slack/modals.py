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
from alerts.slack.blocks import quoted, whole
from alerts.slack.elements import MAX_SECTION, labelled, link_button, mrkdwn, option, plain, section
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
from listener.model import TOPICS, Guidance

MAX_TYPED = 3_000
"""The most that Slack lets anybody type into a field."""
MAX_REVISION = 1_000_000
MAX_KEY = 150
"""The most that an option's value holds in Slack."""
_MAX_METADATA = 3_000
_MOST_NOTES = 5
_MOST_WARNINGS = 12
_MOST_OPTIONS = 100
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
    key: str = ""
    """Name of the draft, by which it is known however they are ordered."""
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
    chosen: str
    """Key of the draft that is chosen; else the first is."""
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
    private_text: str = ""
    """The private message as it may be written."""
    playbook: str = ""
    """Id of the playbook in force."""
    playbooks: tuple[tuple[str, str], ...] = ()
    """Id and title of those that may be chosen instead."""
    notes: tuple[str, ...] = ()
    """What the playbook and the brand say to keep in mind, a line each."""
    private_notes: tuple[str, ...] = ()
    """What to keep in mind once it goes on in private, a line each."""
    revision: int = 0
    """Raised to put another text into the box; the same one keeps what was typed."""
    seen: str = ""
    """Id of the playbook that was in force when the text was put into the box."""
    guidance: Guidance | None = None
    """What the notes are of."""


@dataclass(frozen=True, slots=True)
class ReplyState:
    """What the reply window holds while it is open."""

    alert_id: int
    chosen: str
    """Key of a draft, as it came back: hostile."""
    text: str
    revision: int
    playbook: str = ""
    """Id of a playbook, as it came back: hostile."""
    seen: str = ""
    """Id of the playbook that was in force when the text was put into the box, as it came back: hostile."""


@dataclass(frozen=True, slots=True)
class ReplySubmission:
    """What a person says that they sent."""

    alert_id: int
    text: str
    sent: SentAs
    chosen: str
    """Key of a draft, as it came back: hostile."""
    seen: str = ""
    """Id of the playbook that was in force when the text was put into the box, as it came back: hostile."""


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
        *_playbook_chooser(form),
        *_draft_chooser(form),
        *_reply_box(form),
        *_ways_out(form),
        _choice_input(FieldName.SENT, "How did you answer?", SENT_WORDS),
    ]
    told: dict[str, int | str] = {"alert": form.alert_id, "revision": form.revision}
    if form.seen and _is_value(form.seen):
        told["playbook"] = form.seen
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


def variant_block(revision: int) -> str:
    """Return the block id of the menu of drafts: under the same one Slack keeps what was chosen among other drafts."""
    return f"{FieldName.VARIANT}_{revision}"


def playbook_block(revision: int) -> str:
    """Return the block id of the menu of playbooks: what was chosen and refused must not stay in it."""
    return f"{FieldName.PLAYBOOK}_{revision}"


def parse_reply_state(view: object) -> ReplyState | None:
    """Return what the reply window holds, or None where it is not exactly ours."""
    told = _told(view, ViewName.REPLY)
    alert_id, revision = _alert_id(told), told.get("revision")
    if alert_id is None or type(revision) is not int or not 0 <= revision <= MAX_REVISION:
        return None
    text = _field(view, reply_text_block(revision), FieldName.TEXT).get("value")
    chosen = _chosen(_field(view, variant_block(revision), FieldName.VARIANT))
    playbook = _chosen(_field(view, playbook_block(revision), FieldName.PLAYBOOK))
    typed = text[:MAX_TYPED] if isinstance(text, str) else ""
    before = told.get("playbook")
    seen = before[:MAX_KEY] if isinstance(before, str) else ""
    return ReplyState(alert_id, chosen[:MAX_KEY], typed, revision, playbook[:MAX_KEY], seen)


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
    return ReplySubmission(state.alert_id, state.text[:MAX_TYPED], sent, state.chosen, state.seen)


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


def _playbook_chooser(form: ReplyForm) -> list[Block]:
    """The case that the rules took it for, and the others that a person may know it to be."""
    # One whose name Slack does not take could not be chosen, and would keep the window from opening.
    titles = {name: title for name, title in form.playbooks if _is_value(name)}
    options = [option(wording.name(title, 70), name) for name, title in titles.items()][:_MOST_OPTIONS]
    blocks: list[Block] = []
    if options:
        menu = StaticSelectElement(
            action_id=FieldName.PLAYBOOK,
            placeholder=plain("Another case", 100),
            options=options,
            initial_option=next((one for one in options if one.value == form.playbook), None),
        )
        blocks.append(SectionBlock(block_id=playbook_block(form.revision), text=mrkdwn("*The case*"), accessory=menu))
    return [*blocks, *_noted(form.notes)]


def _noted(notes: Sequence[str]) -> list[Block]:
    return [ContextBlock(elements=[plain(words, 900)]) for words in wording.names(notes[:_MOST_NOTES], 800)]


def _is_value(key: str) -> bool:
    """Tell whether Slack takes a name as an option's value, and gives it back as it was."""
    return key.isprintable() and key == key.strip() != "" and slack_length(key) <= MAX_KEY


def draft_values(drafts: Sequence[ReplyDraft]) -> list[str]:
    """Return by what each draft comes back from the menu: its key, or its number where Slack does not take that."""
    values: list[str] = []
    for number, draft in enumerate(drafts[:_MOST_OPTIONS], 1):
        values.append(draft.key if _is_value(draft.key) and draft.key not in values else f"#{number}")
    return values


def chosen_draft(drafts: Sequence[ReplyDraft], value: str) -> ReplyDraft | None:
    """Return the draft that came back from the menu; the first where it is none of them."""
    values = draft_values(drafts)
    return drafts[values.index(value) if value in values else 0] if drafts else None


def _draft_chooser(form: ReplyForm) -> list[Block]:
    if not form.drafts:
        return [ContextBlock(elements=[plain("There is no suggested reply for this alert.", 100)])]
    values = draft_values(form.drafts)
    index = values.index(form.chosen) if form.chosen in values else 0
    chosen = form.drafts[index]
    options = [option(f"{number}. {wording.name(draft.label, 70)}", name, wording.name(draft.text, 70))
               for number, (name, draft) in enumerate(zip(values, form.drafts, strict=False), 1)]  # fmt: skip
    menu = StaticSelectElement(
        action_id=FieldName.VARIANT,
        placeholder=plain("Another reply", 100),
        options=options,
        initial_option=options[index],
    )
    where, title = variant_block(form.revision), mrkdwn("*Suggested reply*")
    blocks: list[Block] = [SectionBlock(block_id=where, text=title, accessory=menu)]
    if gloss := isolate(shorten(clean(chosen.gloss), 1_800, slack_length)):
        language = wording.name(chosen.gloss_language, 40)
        blocks += labelled("What it says", gloss, 2_000, f"in {language}" if language else "")
    return blocks


def _reply_box(form: ReplyForm) -> list[Block]:
    chosen = chosen_draft(form.drafts, form.chosen)
    locale = chosen.locale if chosen else ""
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
    shown = [words for warning in form.warnings[:_MOST_WARNINGS] if (words := wording.name(warning, 250))]
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
    if steps := isolate(shorten(clean(form.steps), 850, slack_length)):
        blocks += labelled("Move to a private channel", steps, 900)
    if form.private_text.strip():
        blocks += labelled("The private message", whole(form.private_text), MAX_SECTION)
    return [*blocks, *_noted(form.private_notes)]


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
