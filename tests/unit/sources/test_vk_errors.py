"""The border to vk_api: every error of the library, of requests and of VK itself in the daemon's terms."""

import inspect
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from requests import exceptions as http
from vk_api import exceptions as vk

from listener.clock import FixedClock
from listener.config import Secret
from listener.errors import (
    ListenerError,
    MissingSecretError,
    QuotaExhaustedError,
    RefusedSourceError,
    RetryableSourceError,
    SourceError,
)
from sources.vk import VkOptions
from sources.vk.client import PartRefusedError, VkClient, _foreign_errors, translate
from tests.servers.base import Reply, port_without_server
from tests.servers.vk import TOKEN, VkServer

AT = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[VkServer]:
    with VkServer() as running:
        running.add_group(777, "Yunfan", "yunfan_ru")
        yield running


@pytest.fixture
def client(server: VkServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[VkClient]:
    made = make_client(server.base_url, monkeypatch)
    yield made
    made.close()


def make_client(base_url: str, monkeypatch: pytest.MonkeyPatch, timeout_s: float = 5.0) -> VkClient:
    monkeypatch.setenv("VK_TOKEN_FOR_TESTS", TOKEN)
    options = VkOptions(
        token=Secret("env", "VK_TOKEN_FOR_TESTS"), base_url=base_url, calls_per_second=1000, timeout_s=timeout_s
    )
    return VkClient(options, FixedClock(AT))


def search(client: VkClient) -> Any:
    return client.call("newsfeed.search", q="yunfan")


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (1, RetryableSourceError, "error 1"),
        (5, RefusedSourceError, "issue a new one"),
        (6, RetryableSourceError, "Too many requests"),
        (9, RetryableSourceError, "Flood control"),
        (10, RetryableSourceError, "Internal server error"),
        (14, RefusedSourceError, "pass the check"),
        (15, RefusedSourceError, "access denied"),
        (17, RefusedSourceError, "validated"),
        (18, RefusedSourceError, "deleted or banned"),
        (27, RefusedSourceError, "user or service token"),
        (28, RefusedSourceError, "user token"),
        (29, QuotaExhaustedError, "Rate limit reached"),
        (100, RefusedSourceError, "q is undefined"),
        (9999, RefusedSourceError, "error 9999"),
    ],
)
def test_each_code_says_what_the_caller_must_do(
    server: VkServer, client: VkClient, code: int, kind: type[SourceError], says: str
) -> None:
    server.fail(code)
    with pytest.raises(kind, match=says):
        search(client)
    assert len(server.requests) == 1, "the client must not repeat a call by itself"


@pytest.mark.parametrize(("code", "after_s"), [(6, 1.0), (9, 3600.0), (10, None)])
def test_passing_errors_say_how_long_to_wait(
    server: VkServer, client: VkClient, code: int, after_s: float | None
) -> None:
    server.fail(code)
    with pytest.raises(RetryableSourceError) as caught:
        search(client)
    assert caught.value.retry_after_s == after_s


def test_daily_quota_resets_at_the_next_day(server: VkServer, client: VkClient) -> None:
    server.fail(29)
    with pytest.raises(QuotaExhaustedError) as caught:
        search(client)
    assert caught.value.resets_at == datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize("code", [15, 18, 30, 100, 212])
def test_codes_of_one_closed_part_are_told_apart(server: VkServer, client: VkClient, code: int) -> None:
    server.fail(code)
    with pytest.raises(PartRefusedError):
        client.call("wall.getComments", owner_id=-777, post_id=1)


@pytest.mark.parametrize(("code", "shape"), [(5, None), (14, None), (14, "vkid"), (17, None), (29, None)])
def test_no_secret_in_the_message_or_its_causes(
    server: VkServer, client: VkClient, code: int, shape: str | None
) -> None:
    server.fail(code, shape=shape, message=f"see https://id.vk.ru/x?session_token=SESSION-SECRET for {TOKEN}")
    with pytest.raises(SourceError) as caught:
        search(client)
    assert_no_secret(caught.value)


def assert_no_secret(error: BaseException) -> None:
    seen: BaseException | None = error
    while seen is not None:
        for text in (str(seen), repr(seen), repr(vars(seen))):
            assert TOKEN not in text
            assert "SESSION-SECRET" not in text
        assert getattr(seen, "request", None) is None
        assert getattr(getattr(seen, "response", None), "request", None) is None
        seen = seen.__cause__


def test_the_new_captcha_without_sid_needs_a_person(server: VkServer, client: VkClient) -> None:
    server.fail(14, shape="vkid")
    with pytest.raises(RefusedSourceError, match="captcha") as caught:
        search(client)
    assert "SESSION-SECRET" not in str(caught.value)
    assert isinstance(caught.value.__cause__, vk.ApiError)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, b"oops"),
        Reply(502, b"<html>bad gateway</html>"),
        Reply(200, b"<html>maintenance</html>"),
        Reply(200, b""),
        Reply(200, b"[]"),
        Reply(200, b"null"),
        Reply(200, b'"text"'),
        Reply(200, b"{}"),
        Reply(200, b'{"error": null}'),
        Reply(200, b'{"error": "text"}'),
        Reply(200, b'{"error": {"error_code": "five"}}'),
        Reply(200, b'{"error": {"error_code": []}}'),
        Reply(200, b'{"error": {}}'),
        Reply(200, b"[" * 100_000),
        Reply(200, {"response": {"items": []}}, cut=True),
        Reply(200, b"\xff\xfe\x00{"),
    ],
)
def test_answers_that_are_none_of_vk_are_tried_again_later(server: VkServer, client: VkClient, reply: Reply) -> None:
    server.script(reply)
    with pytest.raises(RetryableSourceError) as caught:
        search(client)
    assert_no_secret(caught.value)
    assert search(client)["items"] == []


def test_retry_after_of_a_proxy_is_kept(server: VkServer, client: VkClient) -> None:
    server.script(Reply(503, b"", {"Retry-After": "17"}))
    with pytest.raises(RetryableSourceError, match="HTTP 503") as caught:
        search(client)
    assert caught.value.retry_after_s == 17.0


@pytest.mark.parametrize(
    ("given", "after_s"),
    [("9" * 17, 86400.0), ("9" * 400, 86400.0), ("1.5", 1.5), ("-1", None), ("nan", None), ("soon", None)],
)
def test_an_absurd_retry_after_is_bounded(
    server: VkServer, client: VkClient, given: str, after_s: float | None
) -> None:
    server.script(Reply(503, b"", {"Retry-After": given}))
    with pytest.raises(RetryableSourceError) as caught:
        search(client)
    assert caught.value.retry_after_s == after_s


def test_a_redirect_to_another_host_is_not_followed(server: VkServer, client: VkClient) -> None:
    with VkServer() as other:
        for status in (301, 302, 303, 307, 308):
            server.script(Reply(status, b"", {"Location": f"{other.base_url}/vk"}))
            with pytest.raises(RetryableSourceError, match="TooManyRedirects"):
                search(client)
        assert other.requests == []


def test_a_redirect_never_carries_the_token_on(server: VkServer, client: VkClient) -> None:
    server.script(Reply(307, b"", {"Location": f"{server.base_url}/elsewhere"}))
    with pytest.raises(RetryableSourceError, match="TooManyRedirects"):
        search(client)
    assert [request.path for request in server.requests] == ["/method/newsfeed.search"]


def test_a_server_that_hangs_is_given_up(server: VkServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.script(Reply(hang_s=60))
    with pytest.raises(RetryableSourceError, match="ReadTimeout"):
        search(make_client(server.base_url, monkeypatch, timeout_s=1))


def test_a_port_where_nobody_listens_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with port_without_server() as port, pytest.raises(RetryableSourceError, match="ConnectionError") as caught:
        search(make_client(f"http://127.0.0.1:{port}", monkeypatch))
    assert_no_secret(caught.value)


def test_a_certificate_file_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    missing = tmp_path / "no-such-ca.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(missing))
    made = make_client("https://127.0.0.1:9", monkeypatch)
    with pytest.raises(RetryableSourceError, match="no-such-ca"):
        search(made)


def test_a_long_message_never_shows_a_part_of_the_token(server: VkServer, client: VkClient) -> None:
    server.fail(10, message="x" * 190 + TOKEN)
    with pytest.raises(RetryableSourceError) as caught:
        search(client)
    assert TOKEN[:8] not in str(caught.value)


def test_a_wrong_token_is_refused(server: VkServer, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_client(server.base_url, monkeypatch)
    client._api.token = {"access_token": "another"}
    with pytest.raises(RefusedSourceError, match="error 5"):
        search(client)


def test_a_token_that_is_not_set_is_missed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VK_TOKEN_FOR_TESTS", raising=False)
    with pytest.raises(MissingSecretError, match="VK_TOKEN_FOR_TESTS"):
        VkClient(VkOptions(token=Secret("env", "VK_TOKEN_FOR_TESTS")), FixedClock(AT))


def test_the_client_leaves_no_file_behind(server: VkServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    search(make_client(server.base_url, monkeypatch))
    assert list(tmp_path.iterdir()) == []


def library_errors(module: Any) -> list[type[Exception]]:
    found = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, Exception)]
    return [kind for kind in found if not issubclass(kind, Warning)]


@pytest.mark.parametrize("kind", [*library_errors(vk), *library_errors(http)], ids=lambda kind: kind.__name__)
def test_every_error_of_the_libraries_is_caught_and_mapped(kind: type[Exception]) -> None:
    assert issubclass(kind, _foreign_errors()), "not caught at the border"
    mapped = translate(sample_of(kind), "newsfeed.search", AT, TOKEN)
    assert isinstance(mapped, SourceError)
    assert kind.__name__ in str(mapped) or "error" in str(mapped) or "answer" in str(mapped) or "HTTP" in str(mapped)


def sample_of(kind: type[Exception]) -> Exception:
    """Make an error of a library, whatever its constructor wants."""
    response = requests.Response()
    response.status_code = 503
    special: dict[type[Exception], tuple[Any, ...]] = {
        vk.ApiError: (None, "m", {}, False, {"error_code": 10, "error_msg": "x"}),
        vk.ApiHttpError: (None, "m", {}, False, response),
        vk.Captcha: (None, "1", search),
        vk.VkRequestsPoolException: ({},),
        http.JSONDecodeError: ("x", "", 0),
        json.JSONDecodeError: ("x", "", 0),
    }
    return kind(*special.get(kind, ()))


@pytest.mark.parametrize("kind", [http.ConnectionError, http.ReadTimeout, http.SSLError, http.ProxyError])
def test_transport_errors_pass(kind: type[Exception]) -> None:
    assert isinstance(translate(kind(), "m", AT), RetryableSourceError)


@pytest.mark.parametrize("kind", [http.InvalidURL, http.MissingSchema, http.InvalidSchema])
def test_a_wrong_base_url_is_told_to_operators(kind: type[Exception]) -> None:
    mapped: ListenerError = translate(kind(), "m", AT)
    assert isinstance(mapped, RefusedSourceError)
    assert "base_url" in str(mapped)
