"""Slack: posts, edits and looks up alert cards through the Web API, and says what each failure means."""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from alerts import wording
from alerts.card import Card, DigestFile, DigestMessage, IncidentCard, Message, Note, Summary
from alerts.digest_parts import decoded, safe_file_name
from alerts.receivers.base import Delivery, ReceiverSpec
from alerts.slack.client import UNPARSED, answer_of, make_client, object_of, objects_of, upload
from alerts.slack.failures import NO_READING_CODES, BlocksRefusedError, ThreadRefusedError, code_of, translate
from alerts.slack.pictures import Picture, Pictures
from listener.config import ReceiverOptions, Secret
from listener.errors import DeliveryError, MessageGoneError, PermanentDeliveryError, RetryableDeliveryError

if TYPE_CHECKING:
    from slack_sdk.web import SlackResponse

log = logging.getLogger(__name__)

EVENT_TYPE = "listener_alert"
CLOCK_SKEW_S = 120.0
"""How far this machine's clock may differ from Slack's when a message is looked for."""
_HISTORY_PAGE = 200
_PICTURE_WAITS_S = (0.5, 2.0)
_CHART_WAITS_S = (1.0, 3.0, 6.0)
"""Slack takes a picture into a message only some time after its upload."""
# Whatever a drawing library does, the card goes out.
_DRAWING_FAILS = (ImportError, ValueError, TypeError, ArithmeticError, LookupError, OSError, RuntimeError)
_NO_UNFURL: Mapping[str, Any] = {"unfurl_links": False, "unfurl_media": False}

Blocks = list[dict[str, Any]]


class _Form(NamedTuple):
    """One way to show a message, and what it leaves out."""

    blocks: Blocks
    remark: str = ""


def _channel_id(value: str) -> str:
    if not re.fullmatch(r"[CGD][A-Z0-9]+", value):
        raise PydanticCustomError(
            "channel", "write the channel's ID, such as C0123ABCD; it stands at the bottom of its details in Slack"
        )
    return value


class SlackOptions(ReceiverOptions):
    """One Slack channel."""

    type: Literal["slack"]
    token: Secret
    """The bot's token, `xoxb-…`."""
    channel: Annotated[str, AfterValidator(_channel_id)]
    """The channel's ID; by its name alone messages cannot be read back or edited."""
    min_interval_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    """Seconds between two messages."""
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 20.0
    """Seconds to wait for an answer."""


class SlackReceiver:
    """A Slack channel. Each call makes one attempt; the outbox retries."""

    def __init__(self, name: str, options: SlackOptions, sleep: Callable[[float], None] = time.sleep) -> None:
        self.min_interval_s = options.min_interval_s
        account = hashlib.sha256(f"{options.base_url} {options.token.get()}".encode()).hexdigest()
        self.account_key, self.channel_key = f"slack {account}", f"slack {options.base_url} {options.channel}"
        self._name = name
        self._channel = options.channel
        self._client = make_client(options.token, options.base_url, options.timeout_s)
        self._pictures = Pictures(self._client)
        self._sleep = sleep

    def send(self, notification_id: str, message: Message, thread: Delivery | None = None) -> Delivery:
        """Post the message, with `notification_id` in its metadata, in the thread of `thread` where one is given."""
        if isinstance(message, DigestFile):
            return self._share(notification_id, message, thread)
        return self._send(notification_id, message, thread)

    def _send(self, notification_id: str, message: Message, thread: Delivery | None) -> Delivery:
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"notification_id": notification_id}}
        channel = (thread.channel if thread else "") or self._channel
        where = {"channel": channel, "metadata": metadata, **UNPARSED, **_NO_UNFURL, **_with_mentions(message)}
        post = self._client.chat_postMessage
        root = _root(thread)
        if not root:
            return self._show(post, message, None, **where)
        try:
            return self._show(post, message, None, **where, thread_ts=root, **_broadcast(message))
        except (ThreadRefusedError, MessageGoneError) as error:
            log.warning("receiver %s: a message stands by itself instead of in its thread: %s", self._name, error)
            return self._show(post, message, None, **where)

    def update(self, notification_id: str, message: Message, delivery: Delivery) -> Delivery:
        """Edit the message at `delivery`; its metadata and its thread stay."""
        where = {"channel": delivery.channel or self._channel, "ts": delivery.message_id, "parse": "none"}
        shown = self._show(self._client.chat_update, message, [], **where)
        return Delivery(shown.channel, shown.message_id, delivery.thread_id)

    def find(self, notification_id: str, not_before: float, thread: Delivery | None = None) -> Delivery | None:
        """Look for `notification_id` in the thread, or in the channel's history."""
        oldest = f"{max(not_before - CLOCK_SKEW_S, 0.0):.6f}"
        return self._sought(lambda one: _notification_id(one) == notification_id, oldest, thread)

    def find_file(self, file: DigestFile, not_before: float, thread: Delivery | None = None) -> Delivery | None:
        """Look for a file of that name in the thread, or in the channel's history."""
        oldest = f"{max(not_before - CLOCK_SKEW_S, 0.0):.6f}"
        name = safe_file_name(file.file_name)
        return self._sought(
            lambda one: name in (each.get("name") for each in objects_of(one.get("files"))), oldest, thread
        )

    def _sought(self, is_it: "_Test", oldest: str, thread: Delivery | None) -> Delivery | None:
        try:
            return self._search(is_it, oldest, thread)
        except PermanentDeliveryError as error:
            if code_of(error.__cause__) not in NO_READING_CODES:
                raise
            # An alert shown twice is better than one that nobody sees.
            log.warning("receiver %s cannot read its channel back, so an alert may appear twice: %s", self._name, error)
            return None

    def close(self) -> None:
        """Release nothing: the client holds no connection between calls."""

    def _show(self, method: Callable[..., "SlackResponse"], message: Message, no_blocks: Any, **where: Any) -> Delivery:
        """Show the message as well as Slack takes it: with its picture, without, and at last as text alone."""
        text = _text(message)
        for form in self._forms(message):
            try:
                answer = answer_of(partial(method, blocks=form.blocks, text=text, **where))
                delivery = _delivery(answer.get("channel"), answer.get("ts"), where.get("thread_ts"))
                return replace(delivery, remark=form.remark)
            except BlocksRefusedError as error:
                log.warning("receiver %s: a message goes in simpler form: %s", self._name, error)
        answer = answer_of(partial(method, blocks=no_blocks, text=_plain(message), **where))
        return _delivery(answer.get("channel"), answer.get("ts"), where.get("thread_ts"))

    def _forms(self, message: Message) -> Iterator[_Form]:
        """Yield the message's blocks, and simpler ones each time that Slack refused the last."""
        try:
            if isinstance(message, IncidentCard):
                yield from map(_Form, self._incident_forms(message))
            elif isinstance(message, DigestMessage):
                yield from self._digest_forms(message)
            else:
                yield _Form(_blocks(message))
        except _malformed() as error:
            log.warning("receiver %s: a message goes as plain text: %s", self._name, translate(error))

    def _incident_forms(self, card: IncidentCard) -> Iterator[Blocks]:
        from alerts.slack.incident_blocks import render_incident

        picture = self._picture(card)
        if picture:
            yield render_incident(card, picture.file_id)
            for seconds in _PICTURE_WAITS_S if picture.refusals == 0 else ():
                self._sleep(seconds)
                yield render_incident(card, picture.file_id)
            self._pictures.refused(picture)
        yield render_incident(card)

    def _picture(self, card: IncidentCard) -> Picture | None:
        """Return the incident's curve at Slack, uploaded unless it has not changed; None where it cannot be."""
        from alerts.slack.incident_blocks import curve_words

        try:
            png = _draw(card)
            return self._pictures.uploaded(png, f"curve-{card.alert_id}.png", curve_words(card)) if png else None
        except (DeliveryError, *_DRAWING_FAILS) as error:
            log.warning("receiver %s: an incident goes without its curve: %s", self._name, error)
            return None

    def _digest_forms(self, digest: DigestMessage) -> Iterator[_Form]:
        from alerts.slack.digest_blocks import render_digest

        charts = self._pictures.charts(digest)
        lack = f"the digest went out without all its charts: {charts.problem}" if charts.problem else ""
        if charts.pictures:
            form = _Form(render_digest(digest, charts.ids, is_whole=not lack), lack)
            yield form
            for seconds in _CHART_WAITS_S:
                self._sleep(seconds)
                yield form
            for picture in charts.pictures.values():
                self._pictures.refused(picture)
            lack = "the digest went out without charts: Slack did not take them into a message"
        yield _Form(render_digest(digest, {}, is_whole=not lack), lack)

    def _share(self, notification_id: str, file: DigestFile, thread: Delivery | None) -> Delivery:
        """Put a file into a thread; where that is refused for good, say so there."""
        channel, root = (thread.channel if thread else "") or self._channel, _root(thread)
        try:
            return Delivery(channel, self._upload(file, channel, root), root)
        except (ThreadRefusedError, MessageGoneError) as error:
            if not root:
                raise
            log.warning("receiver %s: a file stands by itself instead of in its thread: %s", self._name, error)
            return self._share(notification_id, file, Delivery(channel))
        except PermanentDeliveryError as error:
            # Where it is the channel or the token that is gone, these words will say so.
            told = self._send(notification_id, file, thread)
            return replace(told, remark=f"{safe_file_name(file.file_name)} could not be shared: {error}")

    def _upload(self, file: DigestFile, channel: str, root: str) -> str:
        content, name = decoded(file.content), safe_file_name(file.file_name)
        if not content:
            raise PermanentDeliveryError("the file is empty or damaged")
        title = wording.name(file.title, 150)
        return upload(self._client, content, name, file.alt, title=title, channel_id=channel, thread_ts=root or None)

    def _search(self, is_it: "_Test", oldest: str, thread: Delivery | None) -> Delivery | None:
        root = _root(thread)
        channel = (thread.channel if thread else "") or self._channel
        if root:
            replies = self._client.conversations_replies
            with suppress(ThreadRefusedError, MessageGoneError):
                if found := self._look_through(replies, is_it, oldest, channel, ts=root):
                    return found
            # Where the thread refused it, it was sent by itself.
        return self._look_through(self._client.conversations_history, is_it, oldest, channel)

    def _look_through(
        self, method: Callable[..., "SlackResponse"], is_it: "_Test", oldest: str, channel: str, **where: str
    ) -> Delivery | None:
        asked = {"channel": channel, "oldest": oldest, "limit": _HISTORY_PAGE, "include_all_metadata": True, **where}
        cursor, seen = "", set[str]()
        while cursor not in seen:
            seen.add(cursor)
            page = answer_of(partial(method, **asked, cursor=cursor or None))
            for message in objects_of(page.get("messages")):
                if is_it(message):
                    return _delivery(channel, message.get("ts"), where.get("ts"))
            cursor = str(object_of(page.get("response_metadata")).get("next_cursor") or "")
            if not cursor:
                return None
        raise RetryableDeliveryError("Slack's history repeats a page", ambiguous=True)


_Test = Callable[[Mapping[str, Any]], bool]


def _draw(card: IncidentCard) -> bytes:
    """Return the incident's curve, empty where there is none."""
    if not card.curve:
        return b""
    from alerts.curve import curve_png

    return curve_png(card)


def _malformed() -> type[Exception]:
    from slack_sdk.errors import SlackObjectFormationError

    return SlackObjectFormationError


def _blocks(message: Card | Note | Summary | DigestFile) -> Blocks:
    from alerts.slack import blocks, digest_blocks, notes

    if isinstance(message, Card):
        return blocks.render_blocks(message)
    if isinstance(message, DigestFile):
        return digest_blocks.missing_file(message)
    return notes.render_note(message) if isinstance(message, Note) else notes.render_summary(message)


def _text(message: Message) -> str:
    """Return what notifications and screen readers say."""
    from alerts.slack import blocks, digest_blocks, incident_blocks, notes

    match message:
        case Card():
            return blocks.fallback_text(message)
        case IncidentCard():
            return incident_blocks.incident_text(message)
        case DigestMessage():
            return digest_blocks.digest_line(message)
        case DigestFile():
            return digest_blocks.missing_file_text(message)
        case Note():
            return notes.note_text(message)
        case Summary():
            return notes.summary_line(message)


def _plain(message: Message) -> str:
    """Return the message for when Slack refuses its blocks."""
    from alerts.slack import blocks, digest_blocks, incident_blocks, notes

    match message:
        case Card():
            return blocks.plain_message(message)
        case IncidentCard():
            return incident_blocks.plain_incident(message)
        case DigestMessage():
            return digest_blocks.plain_digest(message)
        case DigestFile():
            return digest_blocks.missing_file_text(message)
        case Note():
            return notes.note_text(message)
        case Summary():
            return notes.summary_text(message)


def _root(thread: Delivery | None) -> str:
    return (thread.thread_id or thread.message_id) if thread else ""


def _with_mentions(message: Message) -> Mapping[str, Any]:
    """Let the text alone bring our own mentions to life, should the blocks be refused; others' text is escaped."""
    return {"mrkdwn": True} if isinstance(message, Note) and message.people else {}


def _broadcast(message: Message) -> Mapping[str, Any]:
    return {"reply_broadcast": True} if isinstance(message, Note) and message.broadcast else {}


def _notification_id(message: Mapping[str, Any]) -> str | None:
    metadata = object_of(message.get("metadata"))
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    found = object_of(metadata.get("event_payload")).get("notification_id")
    return found if isinstance(found, str) else None


def _delivery(channel: object, ts: object, thread_ts: str | None) -> Delivery:
    if not isinstance(channel, str) or not isinstance(ts, str) or not channel or not ts:
        raise RetryableDeliveryError("Slack's answer does not say where the message stands", ambiguous=True)
    return Delivery(channel, ts, thread_ts or "")


def create(name: str, options: SlackOptions) -> SlackReceiver:
    """Return a receiver for one channel.

    Raises:
        MissingSecretError: the token is not set or cannot be one.
    """
    return SlackReceiver(name, options)


SPEC = ReceiverSpec("slack", SlackOptions, create, digest_form="thread")
