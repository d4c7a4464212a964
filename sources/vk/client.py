"""The border to vk_api: one call, and its errors in the daemon's own terms."""

from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from requests import exceptions as http
from urllib3.exceptions import HTTPError as TransportError

from listener.clock import Clock
from listener.errors import (
    QuotaExhaustedError,
    RefusedSourceError,
    RefusedWatchError,
    RetryableSourceError,
    SourceError,
)
from sources.base import Meter, RebasingAdapter
from sources.fields import bounded_wait_s
from sources.vk.options import VkOptions

API_VERSION = "5.199"
HOSTS = ("https://api.vk.ru", "https://oauth.vk.ru")

# Codes as in VK's published schema of errors for 5.199, read 2026-11-22.
_RETRY_AFTER_S: dict[int, float | None] = {
    1: None,
    6: 1.0,
    9: 3600.0,
    10: None,
    13: None,
    32: 60.0,
    36: None,
    43: 600.0,
}
_CLOSED = frozenset({15, 18, 19, 30, 100, 104, 125, 140, 203, 204, 210, 211, 212})
_CAPTCHA = frozenset({14, 3300})
_DAILY_QUOTA = 29
_ADVICE = {
    2: "the app behind the token is disabled: enable it in its settings",
    5: "the access token is wrong, expired or revoked: issue a new one",
    7: "the token lacks a right: issue one with the rights wall, groups and offline",
    14: "VK asks for a captcha: open VK as the token's account, pass the check, then start the source again",
    15: "access denied",
    17: "VK wants the account validated: sign in to VK as the token's account in a browser, confirm, then start again",
    18: "the account was deleted or banned",
    24: "VK wants a confirmation: sign in to VK as the token's account in a browser",
    27: "a community token may not do this: use a user or service token",
    28: "a service token may not do this: use a user token",
    30: "the profile is private",
    37: "the token's account is banned",
    42: "VK does not allow this machine's address: add it in the app's settings",
    100: "a parameter is missing or invalid",
    212: "comments are closed",
    3300: "VK asks for a captcha: open VK as the token's account, pass the check, then start the source again",
}
_OPERATOR_FAULTS = (
    http.InvalidURL,
    http.InvalidSchema,
    http.MissingSchema,
    http.InvalidProxyURL,
    http.InvalidHeader,
    http.URLRequired,
)


class PartRefusedError(RefusedWatchError):
    """VK refuses one wall, post or topic: the others may still be read."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class VkClient:
    """Calls VK's API with one token; never retries by itself."""

    def __init__(self, options: VkOptions, clock: Clock) -> None:
        import vk_api
        from jconfig.memory import MemoryConfig  # type: ignore[import-untyped]

        self.meter = Meter()
        self._clock = clock
        self._token = options.token.get()
        self._session = requests.Session()
        # A redirect could carry the token to another host.
        self._session.max_redirects = 0
        adapter = RebasingAdapter(options.base_url, options.timeout_s)
        for host in HOSTS:
            self._session.mount(host, adapter)
        # The default config would read and write vk_config.v2.json in the working directory.
        self._api = vk_api.VkApi(token=self._token, api_version=API_VERSION, session=self._session, config=MemoryConfig)
        self._api.RPS_DELAY = 1.0 / options.calls_per_second
        # vk_api 11.10.1 repeats error 6 without bound and fails on the captcha of VK ID; without its
        # handlers every error reaches us as an ApiError.
        self._api.error_handlers.clear()
        self._foreign_errors = _foreign_errors()

    def call(self, method: str, **params: Any) -> Any:
        """Return the `response` of one method.

        Raises:
            RetryableSourceError, QuotaExhaustedError, RefusedSourceError, PartRefusedError: see `translate`.
        """
        self.meter.count(requests=1)
        try:
            answer = self._api.method(method, {name: value for name, value in params.items() if value is not None})
        except self._foreign_errors as error:
            raise translate(error, method, self._clock.now(), self._token) from _scrubbed(error, self._token)
        items = answer.get("items") if isinstance(answer, dict) else answer
        self.meter.count(items=len(items) if isinstance(items, list) else 0)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def _foreign_errors() -> tuple[type[Exception], ...]:
    """Return what a call can raise; KeyError, TypeError, ValueError and RecursionError mean: no answer of VK."""
    from vk_api import exceptions as vk

    return (
        vk.VkApiError,
        vk.VkAudioException,
        vk.VkAudioUrlDecodeError,
        vk.VkRequestsPoolException,
        http.RequestException,
        TransportError,
        OSError,
        KeyError,
        TypeError,
        ValueError,
        RecursionError,
    )


def translate(error: Exception, method: str, now: datetime, token: str = "") -> SourceError:
    """Return the daemon's error for a foreign one; `token` is kept out of the message."""
    from vk_api import exceptions as vk

    if isinstance(error, vk.ApiError):
        return _api_error(error.error, method, now, token)
    if isinstance(error, vk.Captcha) or (isinstance(error, KeyError) and "captcha" in str(error)):
        return _api_error({"error_code": 14}, method, now, token)
    if isinstance(error, vk.ApiHttpError):
        status, after = error.response.status_code, error.response.headers.get("Retry-After", "")
        return RetryableSourceError(f"VK {method}: HTTP {status}", bounded_wait_s(after))
    if isinstance(error, vk.VkApiError | vk.VkAudioException | vk.VkAudioUrlDecodeError | vk.VkRequestsPoolException):
        return RefusedSourceError(f"VK {method}: {type(error).__name__}; check the token")
    if isinstance(error, _OPERATOR_FAULTS):
        return RefusedSourceError(f"VK {method}: {type(error).__name__}; check base_url and the proxy settings")
    if isinstance(error, http.RequestException | TransportError) and not isinstance(error, ValueError):
        return RetryableSourceError(f"VK {method}: the network could not be reached ({type(error).__name__})")
    if isinstance(error, OSError) and not isinstance(error, ValueError):  # such as a certificate file that is not there
        return RetryableSourceError(f"VK {method}: {error}")
    return RetryableSourceError(f"VK {method}: the answer is not in VK's format")


def _api_error(raw: Any, method: str, now: datetime, token: str) -> SourceError:
    code = raw.get("error_code")
    message = _message(code, raw.get("error_msg"), method, token)
    if not isinstance(code, int) or isinstance(code, bool):
        return RetryableSourceError(f"VK {method}: the answer is not in VK's format")
    if code in _RETRY_AFTER_S:
        return RetryableSourceError(message, _RETRY_AFTER_S[code])
    if code == _DAILY_QUOTA:
        return QuotaExhaustedError(message, _next_day(now))
    if code in _CLOSED:
        return PartRefusedError(message, code)
    return RefusedSourceError(message)


def _clean(said: object, token: str) -> str:
    """Return VK's words without addresses: those of codes 14 and 17 open the account to whoever has them."""
    text = str(said or "").replace(token, "***") if token else str(said or "")
    return " ".join(word for word in text.split() if "//" not in word)[:200]


def _message(code: object, said: object, method: str, token: str) -> str:
    words = _clean(said, token)
    advice = _ADVICE.get(code, "") if isinstance(code, int) else ""
    parts = "; ".join(filter(None, (advice, words and f"VK says: {words}")))
    return f"VK {method}: error {code}: {parts}"


def _next_day(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _scrubbed(error: Exception, token: str) -> Exception:
    """Take the token and sign-in addresses out of an error that stays attached as the cause."""
    for name in ("values", "kwargs"):
        if getattr(error, name, None):
            setattr(error, name, {})
    raw = getattr(error, "error", None)
    if isinstance(raw, dict):
        for name in ("redirect_uri", "captcha_img", "captcha_sid", "request_params"):
            raw.pop(name, None)
        raw["error_msg"] = _clean(raw.get("error_msg"), token)
    for holder in (error, getattr(error, "response", None)):
        for name in ("url", "redirect_uri", "vk", "request"):
            if getattr(holder, name, None) is not None:
                setattr(holder, name, None)
    return error
