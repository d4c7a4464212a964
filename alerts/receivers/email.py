"""E-mail over SMTP: each alert is one mail and its thread the mails that answer it. What was sent is never edited.

A mail cannot be changed, so `update` sends a short answer in the thread, and only where a reader would act otherwise:
another state or owner, another severity, an escalation, a post that was edited or withdrawn. Further mentions alone
change nothing for a reader; they arrive as notes where the daemon finds them worth one. What was last told is
remembered while the process runs; after a restart the first update of an alert is mailed whatever it says.

SMTP cannot be searched: after a lost answer the mail is sent again under the same Message-ID, which clients fold.
"""

import hashlib
import logging
import re
import smtplib
import socket
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, getaddresses, parseaddr
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from alerts.card import Card, DigestFile, DigestMessage, IncidentCard, Message
from alerts.digest_mail import fill_digest, fill_file, lighter
from alerts.escaping import one_line, shorten
from alerts.html_mail import CURVE_ID, html_page
from alerts.outline import Outline, follow_up, outline, subject
from alerts.plain_text import outline_text
from alerts.receivers.base import Delivery, ReceiverSpec
from alerts.standing import COUNTS, Told, is_told_by_update
from listener.config import ReceiverOptions, Secret
from listener.config.loopback import is_loopback
from listener.errors import DeliveryError, MissingSecretError, PermanentDeliveryError, RetryableDeliveryError

log = logging.getLogger(__name__)

Phase = Literal["connect", "greet", "tls", "login", "sender", "recipients", "content"]
_PORTS = {"starttls": 587, "tls": 465, "plain": 25}
_MOST_DEFERRALS = 8
"""How often a recipient that is put off is tried again once the others have the mail; about a quarter of an hour."""
_MOST_REMEMBERED = 1_000
_LONGEST_S = 60.0
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,253}[A-Za-z0-9])?|::1")


def _address(value: str) -> str:
    found = getaddresses([value])
    name, spec = found[0] if len(found) == 1 else ("", "")
    if not _ADDRESS.fullmatch(spec) or not value.isprintable():
        raise PydanticCustomError(
            "address", "write an address such as alerts@brand.example or Alerts <alerts@brand.example>, in ASCII"
        )
    return f"{name} <{spec}>" if name else spec


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise PydanticCustomError("host", "write the mail server's name alone, such as smtp.example.com")
    return value


MailAddress = Annotated[str, AfterValidator(_address)]


class EmailOptions(ReceiverOptions):
    """A mail server, and who writes to whom."""

    type: Literal["email"]
    host: Annotated[str, AfterValidator(_host)]
    """The mail server's name."""
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """By `security` where absent: 587, 465, 25."""
    security: Literal["starttls", "tls", "plain"] = "starttls"
    """`starttls` refuses to go on without it; `tls` from the first byte; `plain` for this machine or a trusted
    network."""
    username: Secret | None = None
    """For a server with a login; goes with `password`."""
    password: Secret | None = None
    """Goes with `username`."""
    sender: MailAddress
    """`alerts@brand.example` or `Name <alerts@brand.example>`."""
    to: Annotated[list[MailAddress], Field(min_length=1, max_length=100)]
    """One to a hundred addresses; everybody sees everybody's."""
    ca_file: str | None = None
    """Certificates to trust in place of the system's, for a server with a certificate of one's own."""
    min_interval_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    """Seconds between two mails."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 20.0
    """Seconds to wait for an answer; a minute for all of a mail."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise PydanticCustomError("login", "username and password go together: give both or neither")
        if self.security == "plain" and self.password and not is_loopback(self.host):
            raise PydanticCustomError("login", "security: plain would send the password in clear; use starttls or tls")
        if self.ca_file and not Path(self.ca_file).is_file():
            raise PydanticCustomError("ca_file", "ca_file names no file")
        if self.base_url is not None:
            raise PydanticCustomError("base_url", "a mail server is named with host and port, not base_url")
        return self


class EmailReceiver:
    """One list of recipients. Every mail has a connection of its own."""

    def __init__(
        self, name: str, options: EmailOptions, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        _credentials(options)
        self.min_interval_s = options.min_interval_s
        self._name = name
        self._options = options
        self._now = now
        self._told = Told()
        self._pending: OrderedDict[str, dict[str, int]] = OrderedDict()

    def send(self, notification_id: str, message: Message, thread: Delivery | None = None) -> Delivery:
        """Mail the message; in a thread it answers the thread's first mail.

        A line of an alert's history is not mailed: what it says comes with the mail that tells of the change.
        """
        message_id = self._message_id(notification_id, message)
        own = one_line(subject(message))
        if is_told_by_update(message):
            return Delivery(own, message_id, thread.message_id if thread else "")
        answered = f"Re: {_thread_subject(thread, own)}" if thread else own
        remark = self._deliver(message_id, answered, message, thread)
        self._told.remember(message_id, message)
        return Delivery(answered, message_id, thread.message_id if thread else "", remark)

    def _deliver(self, message_id: str, subject: str, message: Message, thread: Delivery | None) -> str:
        """Mail the message; return what had to be left out of it, as a digest can be too large for a server."""
        problem = ""
        for form, remark in lighter(message):
            mail = self._mail(message_id, subject, thread)
            _fill(mail, form, outline(form))
            try:
                self._hand_over(mail, message_id)
            except PermanentDeliveryError as error:
                if error.receiver_gone or not isinstance(message, DigestMessage):
                    raise
                refusal, problem = error, f" ({error})"
                continue
            return f"{remark}{problem}" if remark else ""
        raise refusal

    def update(self, notification_id: str, message: Message, delivery: Delivery) -> Delivery:
        """Answer the mail at `delivery` with what is new, where a reader must know it; `delivery` stays."""
        news = self._told.news(delivery.message_id, message)
        if set(news) - {COUNTS}:
            message_id = self._message_id(notification_id, message)
            mail = self._mail(message_id, f"Re: {_thread_subject(delivery, one_line(subject(message)))}", delivery)
            _fill(mail, message, follow_up(message, news), with_picture=False)
            self._hand_over(mail, message_id)
            self._told.remember(delivery.message_id, message)
        return delivery

    def find(self, notification_id: str, not_before: float, thread: Delivery | None = None) -> Delivery | None:
        """Return None: SMTP cannot be searched."""
        return None

    def close(self) -> None:
        """Release nothing: no connection outlives its mail."""

    def _message_id(self, notification_id: str, message: Message) -> str:
        """Return the same id for every attempt, and another where a new database starts its numbers again."""
        about = _about(message)
        seed = "\0".join([self._name, self._options.sender, notification_id, about])
        return f"<{hashlib.sha256(seed.encode('utf-8', 'replace')).hexdigest()[:40]}@{_domain(self._options.sender)}>"

    def _mail(self, message_id: str, subject: str, thread: Delivery | None) -> EmailMessage:
        mail = EmailMessage(policy=SMTP_POLICY.clone(max_line_length=76))
        mail["Subject"] = shorten(one_line(subject), 180)
        mail["From"] = _header_address(self._options.sender)
        mail["To"] = [_header_address(address) for address in self._options.to]
        mail["Date"] = format_datetime(self._now())
        mail["Message-ID"] = message_id
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail["List-Id"] = f"<{_label(self._name)}.alerts.{_domain(self._options.sender)}>"
        if thread and _is_message_id(thread.message_id):
            above = [one for one in (thread.thread_id, thread.message_id) if _is_message_id(one)]
            mail["In-Reply-To"] = thread.message_id
            mail["References"] = " ".join(above)
        return mail

    def _hand_over(self, mail: EmailMessage, message_id: str) -> None:
        pending = self._pending.get(message_id) or dict.fromkeys(self._options.to, 0)
        put_off = self._sort(self._exchange(mail, pending), pending)
        if not put_off:
            self._pending.pop(message_id, None)
            return
        self._pending[message_id] = put_off
        while len(self._pending) > _MOST_REMEMBERED:
            self._pending.popitem(last=False)
        raise RetryableDeliveryError(f"the mail server puts off {len(put_off)} of {len(self._options.to)} recipients")

    def _exchange(self, mail: EmailMessage, pending: Mapping[str, int]) -> dict[str, int]:
        """Hand the mail to the server; return the recipients refused, with the codes."""
        exchange = _Exchange(self._options)
        others_have_it = len(pending) < len(set(self._options.to))
        try:
            return exchange.deliver(mail, list(pending))
        except smtplib.SMTPRecipientsRefused as error:
            if others_have_it:
                return {address: code for address, (code, _) in error.recipients.items()}
            raise translate(error, exchange.phase) from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise translate(error, exchange.phase) from error

    def _sort(self, refused: Mapping[str, int], pending: Mapping[str, int]) -> dict[str, int]:
        """Return the recipients to try again; say who is left out for good."""
        put_off: dict[str, int] = {}
        for address, code in refused.items():
            if 400 <= code < 500 and pending[address] < _MOST_DEFERRALS:
                put_off[address] = pending[address] + 1
            else:
                log.warning(
                    "receiver %s: the mail server refuses %s (%d); the others have it", self._name, address, code
                )
        return put_off


class _Exchange:
    """One conversation with the mail server; `phase` says how far it came. It ends in time for the outbox's lease."""

    def __init__(self, options: EmailOptions) -> None:
        self.phase: Phase = "connect"
        self._options = options
        self._end_s = time.monotonic() + _LONGEST_S

    def deliver(self, mail: EmailMessage, recipients: list[str]) -> dict[str, int]:
        """Hand over one mail; return the recipients refused, with the codes."""
        content = mail.as_bytes()
        client = self._connected()
        try:
            self._log_in(client)
            refused = self._envelope(client, recipients)
            self._step(client, "content")
            code, words = client.data(content)
            if code != 250:
                raise smtplib.SMTPDataError(code, words)
            return refused
        finally:
            _leave(client)

    def _connected(self) -> smtplib.SMTP:
        options = self._options
        port, timeout_s = options.port or _PORTS[options.security], options.timeout_s
        if options.security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(options.host, port, timeout=timeout_s, context=self._tls())
        else:
            client = smtplib.SMTP(options.host, port, timeout=timeout_s)
        try:
            self._step(client, "greet")
            client.ehlo_or_helo_if_needed()
            if options.security == "starttls":
                self._step(client, "tls")
                client.starttls(context=self._tls())
                client.ehlo_or_helo_if_needed()
        except BaseException:
            _leave(client)
            raise
        return client

    def _step(self, client: smtplib.SMTP, phase: Phase) -> None:
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out")
        self.phase = phase
        if client.sock is not None:
            client.sock.settimeout(min(self._options.timeout_s, left_s))

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._options.ca_file)

    def _log_in(self, client: smtplib.SMTP) -> None:
        credentials = _credentials(self._options)
        if credentials:
            self._step(client, "login")
            client.login(*credentials)

    def _envelope(self, client: smtplib.SMTP, recipients: list[str]) -> dict[str, int]:
        self._step(client, "sender")
        sender = parseaddr(self._options.sender)[1]
        code, words = client.mail(sender)
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, words, sender)
        answers: dict[str, tuple[int, bytes]] = {}
        for address in recipients:
            self._step(client, "recipients")
            answers[address] = client.rcpt(parseaddr(address)[1])
        refused = {address: answer for address, answer in answers.items() if answer[0] not in (250, 251)}
        if len(refused) == len(recipients):
            raise smtplib.SMTPRecipientsRefused(refused)
        return {address: code for address, (code, _) in refused.items()}


def _leave(client: smtplib.SMTP) -> None:
    # The mail is in or refused by now: how the server takes the farewell changes nothing.
    with suppress(smtplib.SMTPException, OSError):
        client.quit()
    client.close()


def translate(error: Exception, phase: Phase) -> DeliveryError:
    """Return what an error of smtplib, or of the network below it, means to the outbox."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _all_refused([code for code, _ in error.recipients.values()])
    if isinstance(error, smtplib.SMTPResponseException):
        return _refusal(error.smtp_code, phase)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        what = "STARTTLS (security)" if phase == "tls" else "what this mail needs" if phase != "login" else "a login"
        return PermanentDeliveryError(f"the mail server does not offer {what}", receiver_gone=True)
    if isinstance(error, ssl.SSLCertVerificationError):
        return RetryableDeliveryError(
            "the mail server's certificate cannot be verified; name the right host, or ca_file for a certificate "
            "of your own"
        )
    if isinstance(error, smtplib.SMTPException | OSError):
        return _cut(error, phase)
    return PermanentDeliveryError(f"the mail cannot be written ({type(error).__name__})")


def _refusal(code: int, phase: Phase) -> DeliveryError:
    if not 500 <= code <= 599:
        # An answer below 500 after the content says that the mail was not taken (RFC 5321, 4.2.1), unless it is none.
        ambiguous = phase == "content" and not 400 <= code <= 499
        return RetryableDeliveryError(f"the mail server is not ready ({phase}: {code})", ambiguous=ambiguous)
    if phase == "content":
        return PermanentDeliveryError(f"the mail server refuses this mail ({code})")
    reasons: Mapping[Phase, str] = {"login": "username or password", "sender": "the sender"}
    what = reasons.get(phase, f"to talk to this machine at {phase}")
    return PermanentDeliveryError(f"the mail server refuses {what} ({code})", receiver_gone=True)


def _all_refused(codes: list[int]) -> DeliveryError:
    shown = ", ".join(str(code) for code in sorted(set(codes)))
    if any(not 500 <= code <= 599 for code in codes):
        return RetryableDeliveryError(f"the mail server puts the recipients off ({shown})")
    return PermanentDeliveryError(f"the mail server refuses every recipient ({shown})", receiver_gone=True)


def _cut(error: Exception, phase: Phase) -> RetryableDeliveryError:
    words = "cannot be reached" if phase == "connect" else "did not answer" if _is_timeout(error) else "hung up"
    ambiguous = phase == "content"
    return RetryableDeliveryError(f"the mail server {words} ({phase}: {type(error).__name__})", ambiguous=ambiguous)


def _is_timeout(error: Exception) -> bool:
    return isinstance(error, TimeoutError | socket.timeout) or "timed out" in str(error)


def _about(message: Message) -> str:
    """Return what stays the same of a message, however often it is made."""
    if isinstance(message, Card | IncidentCard):
        return message.opened_at.isoformat()
    if isinstance(message, DigestMessage):
        return f"digest {message.week}"
    return message.file_name if isinstance(message, DigestFile) else repr(message)


def _fill(mail: EmailMessage, message: Message, shown: Outline, *, with_picture: bool = True) -> None:
    if isinstance(message, DigestMessage) and with_picture:
        return fill_digest(mail, message, outline_text(shown), html_page(shown))
    png = _curve(message) if with_picture and isinstance(message, IncidentCard) else None
    mail["Importance"], mail["X-Priority"] = ("high", "1") if shown.tone == "urgent" else ("normal", "3")
    mail.set_content(outline_text(shown), charset="utf-8")
    picture = f"{CURVE_ID}.{mail['Message-ID'].strip('<>')}" if png else None
    mail.add_alternative(html_page(shown, picture=picture), subtype="html", charset="utf-8")
    if png:
        html = mail.get_payload()[1]  # type: ignore[index]
        html.add_related(  # type: ignore[union-attr]
            png, "image", "png", cid=f"<{picture}>", filename="curve.png", disposition="inline"
        )
    if isinstance(message, DigestFile):
        fill_file(mail, message)
    return None


def _curve(card: IncidentCard) -> bytes | None:
    """Return the curve as a PNG, or None where this installation cannot draw one."""
    try:
        from alerts.curve import curve_png
    except ImportError:
        return None
    return curve_png(card) if card.curve else None


def _credentials(options: EmailOptions) -> tuple[str, str] | None:
    if options.username is None or options.password is None:
        return None
    for secret in (options.username, options.password):
        # smtplib repeats what it cannot encode in its error, and this is the password.
        if not secret.get().isascii() or not secret.get().isprintable():
            raise MissingSecretError(f"{secret!r} holds characters that SMTP cannot carry; set it in plain ASCII")
    return options.username.get(), options.password.get()


def _thread_subject(thread: Delivery, own: str) -> str:
    """Return the subject of the thread's first mail, which `send` gave as the place where it stands."""
    return one_line(thread.channel).removeprefix("Re: ") or own


def _is_message_id(text: str) -> bool:
    return re.fullmatch(r"<[\w.+-]+@[\w.-]+>", text, re.ASCII) is not None


def _header_address(text: str) -> Address:
    name, spec = parseaddr(text)
    return Address(display_name=name, addr_spec=spec)


def _domain(address: str) -> str:
    return parseaddr(address)[1].rpartition("@")[2].lower()


def _label(name: str) -> str:
    """Return a receiver's name as a label of a List-Id."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "receiver"


def create(name: str, options: EmailOptions) -> EmailReceiver:
    """Return a receiver for one list of recipients.

    Raises:
        MissingSecretError: username or password is not set or cannot be sent.
    """
    return EmailReceiver(name, options)


SPEC = ReceiverSpec("email", EmailOptions, create, digest_form="mail")
