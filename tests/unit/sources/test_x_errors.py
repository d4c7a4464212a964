import inspect
from datetime import UTC, datetime

import pytest
import requests
import tweepy

from listener.errors import QuotaExhaustedError, RefusedSourceError, RetryableSourceError, SourceError
from sources.x.errors import RejectedParameterError, translate

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
EXPECTED = {
    tweepy.BadRequest: (400, RejectedParameterError),
    tweepy.Unauthorized: (401, RefusedSourceError),
    tweepy.Forbidden: (403, RefusedSourceError),
    tweepy.NotFound: (404, RefusedSourceError),
    tweepy.TooManyRequests: (429, QuotaExhaustedError),
    tweepy.TwitterServerError: (503, RetryableSourceError),
    tweepy.HTTPException: (302, RetryableSourceError),
}


def response(status: int, body: bytes = b"{}") -> requests.Response:
    made = requests.Response()
    made.status_code, made.reason, made._content = status, "Reason", body
    return made


def all_below(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in all_below(child))]


def test_every_error_class_of_tweepy_is_mapped() -> None:
    in_errors = {kind for _, kind in inspect.getmembers(tweepy.errors, inspect.isclass)}
    http_errors = set(all_below(tweepy.HTTPException))
    assert http_errors == set(EXPECTED), "tweepy has an HTTP error that nobody has thought about"
    assert in_errors - http_errors == {tweepy.TweepyException}
    for kind, (status, ours) in EXPECTED.items():
        assert type(translate(kind(response(status, b'{"title": "Said by X"}')), NOW)) is ours
    assert type(translate(tweepy.TweepyException("odd"), NOW)) is RetryableSourceError


def test_every_error_class_of_requests_is_retryable() -> None:
    kinds = [kind for kind in all_below(requests.RequestException) if kind.__module__.startswith("requests")]
    assert requests.exceptions.ReadTimeout in kinds
    assert requests.exceptions.ChunkedEncodingError in kinds
    for kind in kinds:
        error = kind("no", "{}", 0) if issubclass(kind, requests.JSONDecodeError) else kind("secret-token in a URL")
        ours = translate(error, NOW)
        assert type(ours) is RetryableSourceError
        assert kind.__name__ in str(ours)
        assert "secret-token" not in str(ours)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(402, QuotaExhaustedError), (408, RetryableSourceError), (410, RefusedSourceError), (500, RetryableSourceError)],
)
def test_further_statuses_are_sorted_by_what_the_caller_can_do(status: int, kind: type[SourceError]) -> None:
    assert type(translate(tweepy.HTTPException(response(status)), NOW)) is kind


def test_a_rate_limit_with_a_reset_says_how_long_to_wait() -> None:
    error = translate(tweepy.TooManyRequests(response(429), reset_time=int(NOW.timestamp()) + 90), NOW)
    assert isinstance(error, RetryableSourceError)
    assert error.retry_after_s == 91.0


@pytest.mark.parametrize(("reset", "wait_s"), [(-5000, 1.0), (10**9, 86400.0), (10**400, 86400.0)])
def test_an_absurd_reset_is_bounded(reset: int, wait_s: float) -> None:
    error = translate(tweepy.TooManyRequests(response(429), reset_time=int(NOW.timestamp()) + reset), NOW)
    assert isinstance(error, RetryableSourceError)
    assert error.retry_after_s == wait_s


@pytest.mark.parametrize(
    ("body", "resets_at"),
    [
        (b'{"title": "UsageCapExceeded", "period": "Monthly"}', datetime(2026, 12, 1, tzinfo=UTC)),
        (b'{"title": "UsageCapExceeded", "period": "Daily"}', datetime(2026, 11, 22, tzinfo=UTC)),
        (b"{}", None),
    ],
)
def test_a_cap_pauses_until_its_period_ends(body: bytes, resets_at: datetime | None) -> None:
    error = translate(tweepy.TooManyRequests(response(429, body)), NOW)
    assert isinstance(error, QuotaExhaustedError)
    assert error.resets_at == resets_at


def test_a_cap_is_a_cap_even_beside_a_reset_header() -> None:
    body = b'{"type": "https://api.x.com/2/problems/usage-capped", "period": "Monthly"}'
    error = translate(tweepy.TooManyRequests(response(429, body), reset_time=int(NOW.timestamp()) + 90), NOW)
    assert isinstance(error, QuotaExhaustedError)


def test_the_message_names_what_x_said_on_one_short_line_without_the_token() -> None:
    body = b'{"errors": [{"message": "bad\\nquery, sent with Bearer s3cret", "parameters": {"query": ["x"]}}]}'
    error = translate(tweepy.BadRequest(response(400, body)), NOW, "s3cret")
    assert str(error) == "X answered 400: bad query, sent with Bearer ***"
    assert isinstance(error, RejectedParameterError)
    assert error.parameters == {"query"}


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100000, b'["a"]', b'{"errors": [1, null]}', b"\xff\xfe"])
def test_any_body_of_an_error_is_survived(body: bytes) -> None:
    error = tweepy.TwitterServerError(response(502), response_json={})
    error.response = response(502, body)
    assert type(translate(error, NOW)) is RetryableSourceError


@pytest.mark.parametrize("kind", [tweepy.Unauthorized, tweepy.Forbidden])
@pytest.mark.parametrize(
    "body", [b"", b"<html>Access denied</html>", b"{}", b'{"message": "Forbidden"}', b'{"errors": []}']
)
def test_a_refusal_by_a_proxy_on_the_way_is_no_refusal_by_x(kind: type[tweepy.HTTPException], body: bytes) -> None:
    status = EXPECTED[kind][0]
    error = kind(response(status), response_json={})
    error.response = response(status, body)
    ours = translate(error, NOW)
    assert type(ours) is RetryableSourceError
    assert "proxy" in str(ours)
