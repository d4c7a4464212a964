"""What `listener init` asks: how each answer is read, and what all of them make together.

Answers are hostile or mistyped until read: whatever is refused here says what to write instead.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from listener.config.loading import describe
from listener.config.models import BaseUrl, Language, Line, TimeZone
from listener.config.types import Hours
from listener.errors import ListenerError
from listener.starting.places import country_code

SOURCES: Mapping[str, str] = {
    "x": "X (costs per post that is read)",
    "vk": "VK",
    "wechat": "WeChat and WeCom, from exported files",
    "file": "files of your own: JSON Lines, CSV",
}
NETWORKS = ("x", "vk", "wechat")
"""Sources on which a brand has an account."""
TELLS: Mapping[str, str] = {
    "terminal": "cards in the terminal where it runs",
    "slack": "a Slack channel",
    "email": "mails",
}
SIGNATURE_CHARS = 40
_SEPARATORS = re.compile(r"[,;，、；\n]")
_HANDLES = {
    "x": (re.compile(r"[A-Za-z0-9_]{1,15}"), "up to 15 letters, digits and _"),
    "vk": (re.compile(r"[A-Za-z0-9_.]{1,60}"), "as in vk.com/NAME, or club and its number"),
}
_CHANNEL = re.compile(r"[CG][A-Z0-9]{6,}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?")


class AnswerError(ListenerError):
    """An answer cannot be used; the message says what to write."""


@dataclass(frozen=True, slots=True)
class BrandAnswer:
    """A brand, or one to compare with."""

    name: str
    terms: tuple[str, ...]
    accounts: Mapping[str, str]
    competitor: bool = False


@dataclass(frozen=True, slots=True)
class CountryAnswer:
    """A country, and what is written there when."""

    code: str
    languages: tuple[str, ...]
    timezone: str


@dataclass(frozen=True, slots=True)
class Mail:
    """How mails are sent."""

    host: str
    port: int | None
    sender: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """All that a first configuration needs."""

    brands: tuple[BrandAnswer, ...]
    countries: tuple[CountryAnswer, ...]
    sources: tuple[str, ...]
    teams: Mapping[str, str]
    """Names of teams by country; one for all under an empty key."""
    hours: Mapping[str, str]
    tells: tuple[str, ...]
    slack_channel: str = ""
    has_buttons: bool = False
    mail: Mail | None = None
    has_practice: bool = False
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Other addresses of x, vk and slack: a proxy, a test server."""


def read_line(text: str) -> str:
    """Return a name without blanks around it.

    Raises:
        AnswerError: it is empty, too long, or holds what nobody sees.
    """
    if not text.strip():
        raise AnswerError("this needs an answer: write a name or a word")
    return str(_checked(Line, unicodedata.normalize("NFC", text.strip())))


def read_list(text: str) -> tuple[str, ...]:
    """Return the parts of a list with commas (also those of Chinese), each once."""
    parts = (part.strip().strip("\"'“”") for part in _SEPARATORS.split(text))
    return tuple(dict.fromkeys(read_line(part) for part in parts if part.strip()))


def read_countries(text: str) -> tuple[str, ...]:
    """Return countries' codes, from codes or names."""
    return _some(tuple(dict.fromkeys(country_code(part) for part in read_list(text))), "a country, such as FR")


def read_languages(text: str) -> tuple[str, ...]:
    """Return language tags, in the form in which the configuration has them."""
    return _some(
        tuple(_checked(Language, _cased(part)) for part in _SEPARATORS.sub(" ", text).split()), "a language, such as fr"
    )


def read_timezone(text: str) -> str:
    """Return a time zone's IANA name."""
    return str(_checked(TimeZone, text.strip()))


def read_hours(text: str) -> dict[str, str]:
    """Return working hours from words such as `mon-fri 09:00-18:00, sat 10:00-16:00`."""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip().lower() for part in _SEPARATORS.split(text))):
        days, _, spans = part.partition(" ")
        found[days.rstrip(":")] = " ".join(spans.replace("–", "-").split())
    if not found or not all(found.values()):
        raise AnswerError("write days and times, such as: mon-fri 09:00-18:00, sat 10:00-16:00")
    _checked(Hours, found)
    return found


def one_of(known: Mapping[str, str] | Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """Return a reader of lists whose parts must be among `known`."""

    def read(text: str) -> tuple[str, ...]:
        parts = tuple(dict.fromkeys(part.lower() for part in _SEPARATORS.sub(" ", text).split()))
        for part in parts:
            if part not in known:
                raise AnswerError(f"'{part[:40]}' is not among {', '.join(known)}")
        return _some(parts, f"one of {', '.join(known)}")

    return read


def read_account(network: str) -> Callable[[str], str]:
    """Return a reader of a brand's account on a network; an empty answer is none."""

    def read(text: str) -> str:
        handle = text.strip().removeprefix("@")
        handle = re.sub(r"^(https?://)?(www\.|m\.)?(x|twitter|vk)\.(com|ru)/", "", handle).rstrip("/")
        if not handle:
            return ""
        form, words = _HANDLES.get(network, (None, ""))
        if form is not None and not form.fullmatch(handle):
            raise AnswerError(f"'{handle[:40]}' is no account on {network}: {words}")
        return read_line(handle)

    return read


def read_channel(text: str) -> str:
    """Return a Slack channel's id, also from its link."""
    bare = text.strip().rstrip("/").rsplit("/", 1)[-1]
    if not _CHANNEL.fullmatch(bare):
        raise AnswerError(
            "write the channel's ID, such as C0123ABCD: in Slack, the channel's name, About, at the bottom"
        )
    return bare


def read_mail_host(text: str) -> tuple[str, int | None]:
    """Return a mail server's name and port; no port where none is named."""
    bare = text.strip()
    if not _HOST.fullmatch(bare):
        raise AnswerError("write the mail server's name, such as smtp.example.com or smtp.example.com:587")
    host, _, port = bare.partition(":")
    if port and not 0 < int(port) < 65536:
        raise AnswerError(f"{port} is no port")
    return host, int(port) if port else None


def read_mailbox(text: str) -> str:
    """Return a mail address, or a name with one."""
    from alerts.receivers.email import EmailOptions

    bare = read_line(text)
    sample = {"type": "email", "host": "h.example", "sender": bare, "to": ["a@h.example"]}
    try:
        EmailOptions.model_validate(sample)
    except ValidationError as error:
        raise AnswerError(describe(error.errors(include_url=False)[0], EmailOptions)) from None
    return bare


def read_mailboxes(text: str) -> tuple[str, ...]:
    """Return mail addresses from a list."""
    return _some(tuple(read_mailbox(part) for part in read_list(text)), "an address, such as care@brand.example")


def read_yes(text: str) -> bool:
    """Return whether an answer means yes."""
    word = text.strip().casefold()
    if word in ("y", "yes", "true", "1", "oui", "ja", "sí", "si", "да", "是", "好"):
        return True
    if word in ("n", "no", "false", "0", "non", "nein", "нет", "否", "不"):
        return False
    raise AnswerError("answer yes or no")


def _some(found: tuple[Any, ...], example: str) -> tuple[Any, ...]:
    if not found:
        raise AnswerError(f"write at least {example}")
    return found


def _cased(tag: str) -> str:
    """Return a language tag as BCP 47 writes it: zh-hant is zh-Hant, nl-be is nl-BE."""
    first, *rest = tag.replace("_", "-").split("-")
    return "-".join((first.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)))


def _checked(model: Any, value: object) -> Any:
    try:
        return TypeAdapter(model).validate_python(value)
    except ValidationError as error:
        raise AnswerError(describe(error.errors(include_url=False)[0], model)) from None


def splits(text: str) -> bool:
    """Say whether a name holds what separates the parts of a list."""
    return _SEPARATORS.search(text) is not None


def read_base_url(text: str) -> str:
    """Return another address of a network."""
    return str(_checked(BaseUrl, text.strip()))
