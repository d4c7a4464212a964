"""Trying the credentials that are there, with the smallest request each network and receiver knows. Stores nothing."""

import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from alerts.escaping import one_line, shorten
from alerts.receivers.email import EmailOptions
from alerts.receivers.slack import SlackOptions
from alerts.slack.client import answer_of, make_client
from alerts.slack.failures import code_of
from listener.clock import Clock
from listener.config import Config, Secret, SlackApp
from listener.errors import (
    DeliveryError,
    ListenerError,
    MissingSecretError,
    RetryableDeliveryError,
    RetryableSourceError,
)
from listener.model import Watch
from listener.source_trial import asked_of, unreached
from sources.base import SourceSpec, SupportsTrial
from sources.registry import source_specs

if TYPE_CHECKING:
    from slack_sdk.web import SlackResponse

TIMEOUT_S = 15.0
_SAID_CHARS = 300

State = Literal["works", "off", "refused", "unreachable"]
MARKS: dict[State, str] = {"works": "works", "off": "off", "refused": "REFUSED", "unreachable": "not reached"}


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one credential."""

    name: str
    state: State
    said: str

    def line(self) -> str:
        """Return it as a line for people."""
        return (
            f"  {self.name}: {MARKS[self.state]}{f', {one_line(shorten(self.said, _SAID_CHARS))}' if self.said else ''}"
        )


def try_credentials(config: Config, clock: Clock) -> Iterator[Tried]:
    """Try what needs a secret, one after the other; what has none of its own is left out."""
    yield from _sources(config, clock)
    for name, options in config.receivers.items():
        if isinstance(options, SlackOptions):
            yield _outcome(f"receiver {name}", partial(_slack, options.token, options.base_url), _slack_host(options))
        elif isinstance(options, EmailOptions):
            yield _outcome(f"receiver {name}", partial(_mail, options), options.host)
    if config.slack is not None:
        yield _outcome("Slack's buttons", partial(_app, config.slack), _slack_host(config.slack))


def _sources(config: Config, clock: Clock) -> Iterator[Tried]:
    specs = source_specs()
    for name, options in config.sources.items():
        watch = next((one for one in config.watches if one.source == name), None)
        if watch is None or not any(isinstance(value, Secret) for value in dict(options).values()):
            continue

        asked = asked_of(name, options.base_url)
        yield _outcome(f"source {name}", partial(_try_source, specs[name], options, watch, clock), asked)


def _try_source(spec: SourceSpec, options: object, watch: Watch, clock: Clock) -> str:
    source = spec.create(options, clock)
    try:
        if not isinstance(source, SupportsTrial):
            return "not tried: `listener run --once` reads it"
        return source.try_out(watch, None).said
    finally:
        source.close()


def _slack_host(options: SlackOptions | SlackApp) -> str:
    return asked_of("slack", options.base_url) if options.base_url else "slack.com"


def _outcome(name: str, attempt: Callable[[], str], asked: str) -> Tried:
    try:
        return Tried(name, "works", attempt())
    except MissingSecretError as error:
        return Tried(name, "off", error.hint)
    except (RetryableSourceError, RetryableDeliveryError) as error:
        return Tried(name, "unreachable", unreached(error, asked) or str(error))
    except ListenerError as error:
        return Tried(name, "refused", str(error))


def _slack(token: Secret, base_url: str | None) -> str:
    answer = _slack_says(make_client(token, base_url, TIMEOUT_S).auth_test)
    return f"as {answer.get('user')} in the workspace {answer.get('team')}"


def _slack_says(method: Callable[[], "SlackResponse"]) -> Mapping[str, Any]:
    """Return what Slack answers.

    Raises:
        DeliveryError: it refuses the token, said of tokens rather than of messages; or it is not reached.
    """
    try:
        return answer_of(method)
    except RetryableDeliveryError:
        raise
    except DeliveryError as error:
        code = code_of(error.__cause__)
        if code is None:
            raise
        raise DeliveryError(f"Slack refuses the token ({code}); {_SLACK_HINTS.get(code, _ANEW)}") from error


_ANEW = "take it anew from the app's pages: docs/slack.md"
_SLACK_HINTS = {
    "missing_scope": "give the app its scopes: `listener slack-manifest` has them, then install it anew",
    "not_allowed_token_type": "the bot's token begins with xoxb-, the app-level one with xapp-",
}


def _app(app: SlackApp) -> str:
    """Ask for a connection and use none: the token may open them."""
    if app.mode == "http":
        assert app.signing_secret is not None  # noqa: S101  (checked when the configuration is read)
        app.signing_secret.get()
        return f"the signing secret is there; Slack calls {app.listen}"
    assert app.app_token is not None  # noqa: S101
    client = make_client(app.app_token, app.base_url, TIMEOUT_S)
    _slack_says(partial(client.apps_connections_open, app_token=app.app_token.get()))
    return "the app-level token may open connections"


def _mail(options: EmailOptions) -> str:
    """Greet the mail server and log in; no mail is sent."""
    user = options.username.get() if options.username else ""
    password = options.password.get() if options.password else ""
    try:
        with _connection(options) as server:
            if options.security == "starttls":
                server.starttls(context=ssl.create_default_context(cafile=options.ca_file))
            if user:
                server.login(user, password)
            else:
                server.ehlo_or_helo_if_needed()
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryError(f"the mail server refuses user name and password ({error.smtp_code})") from error
    except smtplib.SMTPException as error:
        raise DeliveryError(f"the mail server does not go along: {_words(error)}") from error
    except (OSError, ValueError) as error:
        raise RetryableDeliveryError(f"{options.host} does not answer: {_words(error)}") from error
    return f"{options.host} takes {'the login' if user else 'the connection'}; no mail was sent"


def _connection(options: EmailOptions) -> smtplib.SMTP:
    if options.security == "tls":
        context = ssl.create_default_context(cafile=options.ca_file)
        return smtplib.SMTP_SSL(options.host, options.port or 465, timeout=TIMEOUT_S, context=context)
    return smtplib.SMTP(options.host, options.port or (25 if options.security == "plain" else 587), timeout=TIMEOUT_S)


def _words(error: Exception) -> str:
    """Return an error's own words; a certificate's say enough, others may hold what was sent."""
    if isinstance(error, ssl.SSLError):
        return f"its certificate or encryption is not accepted ({error.reason or 'TLS'})"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"status {error.smtp_code}"
    return getattr(error, "strerror", None) or type(error).__name__
