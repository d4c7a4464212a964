"""The one border where tweepy's and requests' errors become ours. No message repeats the token."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from listener.errors import (
    QuotaExhaustedError,
    RefusedSourceError,
    RefusedWatchError,
    RetryableSourceError,
    SourceError,
)
from sources.fields import bounded_wait_s

_DETAIL_CHARS = 300
_RETRYABLE_STATUSES = (408, 409, 425)


class RejectedParameterError(RefusedWatchError):
    """X answered 400 and named the parameters it does not accept."""

    def __init__(self, message: str, parameters: frozenset[str]) -> None:
        super().__init__(message)
        self.parameters = parameters


def translate(error: Exception, now: datetime, secret: str = "") -> SourceError:
    """Return our error for one that a call of tweepy raised; `secret` is kept out of its message."""
    response: Any = getattr(error, "response", None)
    if not isinstance(getattr(response, "status_code", None), int):
        return RetryableSourceError(f"X could not be reached or read ({type(error).__name__})")
    body = _body(response)
    said = _said(body) or str(getattr(response, "reason", "") or "")
    if secret:
        said = said.replace(secret, "***")
    return _by_status(error, response.status_code, body, said, now)


def _by_status(error: Exception, status: int, body: Mapping[str, Any], said: str, now: datetime) -> SourceError:
    message = f"X answered {status}: {said}".rstrip(": ")
    if status == 429:
        return _limited(error, body, message, now)
    if status == 402:  # pay-per-use credits are used up; someone has to buy more
        return QuotaExhaustedError(message)
    if status == 400:
        return RejectedParameterError(message, frozenset(_parameters(body)))
    if status in (401, 403) and not _is_of_x(body):
        return RetryableSourceError(f"{message}; not an answer of X: check the proxy and base_url")
    if 400 <= status < 500 and status not in _RETRYABLE_STATUSES:
        return RefusedSourceError(message)
    return RetryableSourceError(message)


def _limited(error: Exception, body: Mapping[str, Any], message: str, now: datetime) -> SourceError:
    reset = getattr(error, "reset_time", None)
    capped = body.get("title") == "UsageCapExceeded" or "usage-capped" in str(body.get("type"))
    if reset is None or capped:
        return QuotaExhaustedError(message, _cap_resets_at(body.get("period"), now))
    wait_s = bounded_wait_s(max(int(reset) - int(now.timestamp()) + 1, 1))
    return RetryableSourceError(message, retry_after_s=wait_s)


def _cap_resets_at(period: object, now: datetime) -> datetime | None:
    if period == "Monthly":
        return first_of_next_month(now)
    if period == "Daily":
        return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return None


def first_of_next_month(now: datetime) -> datetime:
    """Return the moment X counts a month from anew: its first midnight, UTC."""
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (month + timedelta(days=32)).replace(day=1)


def _body(response: Any) -> Mapping[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, Mapping) else {}


def _is_of_x(body: Mapping[str, Any]) -> bool:
    """Tell X's own words from those of a proxy on the way."""
    return bool(_said(body))


def _said(body: Mapping[str, Any]) -> str:
    words = [str(error.get("message") or error.get("detail") or "") for error in _errors(body)]
    text = "; ".join(filter(None, words)) or str(body.get("detail") or body.get("title") or "")
    return " ".join(text.split())[:_DETAIL_CHARS]


def _parameters(body: Mapping[str, Any]) -> Iterator[str]:
    for error in _errors(body):
        if isinstance(error.get("parameters"), Mapping):
            yield from map(str, error["parameters"])
        yield from re.findall(
            r"'(since_id|until_id|start_time|next_token|pagination_token)'", str(error.get("message"))
        )


def _errors(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    errors = body.get("errors")
    return [error for error in errors if isinstance(error, Mapping)] if isinstance(errors, list) else []
