"""Hostile text made safe to show, and cut by whole characters. Knows no alert and no receiver's layout."""

import unicodedata
from collections.abc import Callable
from urllib.parse import urlsplit

import regex

_MAX_INPUT = 20_000
_ELLIPSIS = "…"

_LINE_ENDS = regex.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_TERMINAL_SEQUENCES = regex.compile(
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # operating system commands
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor moves
    r"|\x1b[ -/]*[0-~]"
)
_CONTROLS = regex.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_DIRECTION_CONTROLS = regex.compile(r"[\u202a-\u202e\u2066-\u206f]")
_OPEN_OVERRIDES = regex.compile(r"[\u202a-\u202e\u2066\u2067\u206a-\u206f]")
_INVISIBLE = regex.compile(r"[\u00ad\u180e\u200b\u2060-\u2064\ufeff\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff]")
# Tag characters spell hidden words; only flags such as Scotland's use them in earnest.
_HIDDEN_TAGS = regex.compile(r"(?<!\U0001f3f4[\U000e0020-\U000e007f]{0,8})[\U000e0000-\U000e007f]+")
_LONE_SURROGATES = regex.compile(r"[\ud800-\udfff]")
_STACKED_MARKS = regex.compile(r"(\p{M}{8})\p{M}+")
_BLANK_LINES = regex.compile(r"[^\S\n]*\n(?:[^\S\n]*\n){2,}")
_NOT_IN_URLS = regex.compile(r"[\s\\<>\"|\p{C}]")

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"


def clean(text: str) -> str:
    """Return `text` without controls, terminal sequences, direction overrides, hidden or stacked characters."""
    text = text[:_MAX_INPUT]
    if text.isascii() and text.isprintable():  # most names and words: nothing of what follows is in them
        return text.strip()
    text = _LINE_ENDS.sub("\n", text).replace("\t", " ")
    for unwanted in (_TERMINAL_SEQUENCES, _CONTROLS, _DIRECTION_CONTROLS, _INVISIBLE, _HIDDEN_TAGS):
        text = unwanted.sub("", text)
    text = _STACKED_MARKS.sub(r"\1", text)
    text = _LONE_SURROGATES.sub("\ufffd", text)
    return _BLANK_LINES.sub("\n\n", text).strip()


def clean_page(text: str) -> str:
    """Return a whole page of ours without what `clean` takes out of texts, but with its spaces and its isolates."""
    text = _LINE_ENDS.sub("\n", text).replace("\t", " ")
    for unwanted in (_TERMINAL_SEQUENCES, _CONTROLS, _OPEN_OVERRIDES, _INVISIBLE, _HIDDEN_TAGS):
        text = unwanted.sub("", text)
    return _STACKED_MARKS.sub(r"\1", text).encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    """Return `text` cleaned, on one line."""
    return " ".join(clean(text).split())


def isolate(text: str) -> str:
    """Return cleaned `text` so that right-to-left words in it cannot reorder what stands around it."""
    if not any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in text):
        return text
    return "\n".join(f"{FIRST_STRONG_ISOLATE}{line}{POP_ISOLATE}" if line else line for line in text.split("\n"))


def shorten(text: str, limit: int, measure: Callable[[str], int] = len) -> str:
    """Return `text`, cut between characters as people see them and ended with "…" where it exceeds `limit`."""
    if measure(text) <= limit:
        return text
    room = limit - measure(_ELLIPSIS)
    end = 0
    for cluster in regex.finditer(r"\X", text):
        room -= measure(cluster[0])
        if room < 0:
            break
        end = cluster.end()
    return text[:end].rstrip() + _ELLIPSIS


def shorten_lines(text: str, most: int) -> str:
    """Return at most the first `most` lines of `text`, ended with "…" where lines were left out."""
    lines = text.split("\n")
    return text if len(lines) <= most else "\n".join(lines[:most]).rstrip() + f"\n{_ELLIPSIS}"


def escape_mrkdwn(text: str) -> str:
    """Return `text` with the three characters escaped that Slack reads as control characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_length(text: str) -> int:
    """Return the most that `text` can count against a Slack limit: UTF-16 units of the escaped text."""
    escapes = 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))
    return len(text) + sum(letter > "\uffff" for letter in text) + escapes


def web_url(url: str | None) -> str | None:
    """Return `url` where it is an http(s) address that shows its true host, or None."""
    if not url or _NOT_IN_URLS.search(url):
        return None
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        return None
    is_plain = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    return url if is_plain and port_is_valid else None
