"""The queries for X's recent search, made from a watch's terms, languages and exclusions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from listener.model import Watch
from sources.x.languages import x_codes

QUERY_CHARS = 512
"""Longest query of recent search for self-serve access (docs, read 2026-08-22)."""
_EXCLUDE_CHARS = 200
_HANDLE = re.compile(r"@?([A-Za-z0-9_]{1,15})")
_BARE_WORD = re.compile(r"[^\W_][\w]*")
_UNSPACED_SCRIPT = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """What to ask of recent search: several queries where one would be too long."""

    queries: tuple[str, ...]
    late_excludes: tuple[str, ...] = ()
    """Exclusions that found no room in the query; they are applied to the posts that come back."""
    unusable: tuple[str, ...] = ()
    """Terms that X cannot search for: nothing but punctuation, or longer than a query."""


def plan_queries(watch: Watch, *, own_query: str | None = None, any_language: bool = False) -> QueryPlan:
    """Return the queries of a watch, none over `QUERY_CHARS` characters; terms are spread over as many as needed."""
    if own_query is not None:
        return QueryPlan((own_query,))
    kept, late = _excludes_that_fit(watch.exclude)
    handle = account_handle(watch.account)
    tail = _tail(kept, () if any_language else x_codes(watch.languages), handle)
    operands = [(term, operand(term)) for term in (*watch.terms, *([f"@{handle}"] if handle else []))]
    room = QUERY_CHARS - len(tail) - len("()")
    usable = dict.fromkeys(text for _, text in operands if text and len(text) <= room)
    unusable = tuple(term for term, text in operands if not text or len(text) > room)
    queries = tuple(_any_of(group) + tail for group in _groups(list(usable), room))
    return QueryPlan(queries, late, unusable)


def account_handle(account: str | None) -> str | None:
    """Return the bare handle of an account, or None where it cannot be one on X."""
    match = _HANDLE.fullmatch((account or "").strip())
    return match[1] if match else None


def operand(term: str) -> str:
    """Write one term so that X reads it as words: bare, as @handle or #hashtag, or as a quoted phrase.

    Whatever could be read as an operator is quoted. X has no escape for a quote, so quotes become spaces.
    Empty where no letter, digit or symbol is left to search for.
    """
    words = " ".join(re.sub(r'[\x00-\x1f\x7f"“”„«»\\]', " ", term).split())
    if not re.search(r"[^\W_]|[^\x00-\x7f]", words):
        return ""
    if re.fullmatch(r"@[A-Za-z0-9_]{1,15}|#\w+|\$[A-Za-z]{1,6}", words):
        return words
    bare = _BARE_WORD.fullmatch(words) and words.upper() not in ("OR", "AND") and not _UNSPACED_SCRIPT.search(words)
    return words if bare else f'"{words}"'


def _excludes_that_fit(excludes: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    kept: list[str] = []
    late: list[str] = []
    for exclude in excludes:
        text = operand(exclude)
        if text and sum(len(other) + 2 for other in (*kept, text)) <= _EXCLUDE_CHARS:
            kept.append(text)
        else:
            late.append(exclude)
    return kept, tuple(late)


def _tail(excludes: Sequence[str], codes: Sequence[str], handle: str | None) -> str:
    parts = [f"-{exclude}" for exclude in excludes]
    if codes:
        parts.append(_any_of([f"lang:{code}" for code in codes]))
    if handle:
        parts.append(f"-from:{handle}")
    return "".join(f" {part}" for part in [*parts, "-is:retweet"])


def _any_of(operands: Sequence[str]) -> str:
    return operands[0] if len(operands) == 1 else f"({' OR '.join(operands)})"


def _groups(operands: list[str], room: int) -> list[list[str]]:
    groups: list[list[str]] = []
    for text in operands:
        if groups and len(" OR ".join([*groups[-1], text])) <= room:
            groups[-1].append(text)
        else:
            groups.append([text])
    return groups
