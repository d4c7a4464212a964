"""Sign-in by an identity provider: OpenID Connect's authorisation code flow with PKCE, state and nonce.

Nothing is kept between the way out and the way back: state, nonce and verifier derive from the secret in the browser's
cookie. What the provider says is believed only when it is signed by the provider, for this client, for this visit.
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from listener.config.loopback import is_loopback
from listener.config.models import ROLES, Grant, OpenIdConnect
from listener.console.tokens import derived, is_same, new_token, safe_path
from listener.console.words import marked
from listener.errors import ListenerError

log = structlog.get_logger("listener.console")

_TIMEOUT_S = 10.0
_LARGEST = 1_000_000
_METADATA_KEPT_S = 3600.0
_KEYS_AGAIN_S = 30.0
"""So often at most keys are fetched again for a token whose key is unknown."""
_SKEW_S = 120
"""How far the provider's clock may be from ours."""
_WITHIN_S = 900.0
"""How long somebody may take at the provider."""
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signed with a key that the provider alone has: no shared secrets, and never unsigned."""


class OpenIdError(ListenerError):
    """The provider cannot be reached, or what it says cannot be believed. The message is marked for translation."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in, as the provider says."""

    subject: str
    """Known by for good: the issuer and its name for the person."""
    name: str
    full_name: str
    groups: tuple[str, ...]
    language: str = ""
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class _Provider:
    """What a provider says of itself."""

    metadata: Mapping[str, Any]
    read_at: float

    def endpoint(self, name: str) -> str:
        """Return one of its addresses.

        Raises:
            OpenIdError: it gives none, or one over which secrets must not travel.
        """
        url = self.metadata.get(name)
        if not isinstance(url, str) or not _is_safe(url):
            log.error("identity provider: address missing or without https", name=name)
            raise OpenIdError(_NOT_UNDERSTOOD)
        return url


_NOT_REACHED = marked("The identity provider does not answer. Try again in a while.")
_NOT_UNDERSTOOD = marked(
    "The identity provider's answer is not understood. The console's log says more; tell an admin."
)
_REFUSED = marked("The identity provider did not sign you in.")
_OUT_OF_DATE = marked("This sign-in took too long, or was begun in another window. Sign in again.")


class OpenId:
    """Sends browsers to the provider, and reads what they bring back."""

    def __init__(self, settings: OpenIdConnect, callback: str, seconds: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self._callback = callback
        self._seconds = seconds
        self._lock = threading.Lock()
        self._provider: _Provider | None = None
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    def way_out(self, visit: str, wanted: str) -> str:
        """Return the provider's page to send a browser to. `visit` is the secret that this browser holds.

        Raises:
            OpenIdError: the provider cannot be reached or understood.
        """
        provider = self._known()
        written = json.dumps([new_token(), self._seconds(), safe_path(wanted)])
        payload = base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")
        with self._session(provider) as session:
            url, _ = session.create_authorization_url(
                provider.endpoint("authorization_endpoint"),
                state=f"{payload}.{derived(visit, f'openid state {payload}')}",
                nonce=derived(visit, f"openid nonce {payload}"),
                code_verifier=derived(visit, f"openid verifier {payload}"),
            )
        return str(url)

    def way_back(self, visit: str, query: Mapping[str, str]) -> tuple[Person, str]:
        """Return who came back from the provider, and which page they wanted.

        Raises:
            OpenIdError: it is not the answer to what this browser was sent for, or cannot be believed.
        """
        payload, wanted = self._state(visit, query.get("state", ""))
        provider = self._known()
        self._check_issuer(provider, query.get("iss"))
        if "code" not in query:
            log.warning("identity provider refused a sign-in", error=query.get("error", "")[:100])
            raise OpenIdError(_REFUSED)
        token = self._token(provider, query["code"], derived(visit, f"openid verifier {payload}"))
        claims = self.claims(str(token.get("id_token", "")), derived(visit, f"openid nonce {payload}"))
        return self._person(provider, claims, str(token.get("access_token", ""))), wanted

    # --- what the browser brings ---------------------------------------------------------------------------------

    def _state(self, visit: str, state: str) -> tuple[str, str]:
        payload, _, mac = state.partition(".")
        if not visit or not payload or not is_same(mac, derived(visit, f"openid state {payload}")):
            raise OpenIdError(_OUT_OF_DATE)
        _, begun, wanted = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if not 0 <= self._seconds() - begun <= _WITHIN_S:
            raise OpenIdError(_OUT_OF_DATE)
        return payload, safe_path(wanted)

    def _check_issuer(self, provider: _Provider, said: str | None) -> None:
        """Refuse an answer that another provider sent here (RFC 9207)."""
        must = provider.metadata.get("authorization_response_iss_parameter_supported") is True
        if (said is None and must) or (said is not None and said != provider.metadata["issuer"]):
            log.error("identity provider: the answer names another issuer")
            raise OpenIdError(_NOT_UNDERSTOOD)

    # --- what the provider says ----------------------------------------------------------------------------------

    def claims(self, id_token: str, nonce: str) -> Mapping[str, Any]:
        """Return what an ID token says, once signature, issuer, audience, times and nonce are checked.

        Raises:
            OpenIdError: any of them is wrong.
        """
        try:
            claims = self._decoded(id_token)
            registry = jwt.JWTClaimsRegistry(
                now=int(self._seconds()),
                leeway=_SKEW_S,
                iss={"essential": True, "value": self._known().metadata["issuer"]},
                sub={"essential": True},
                aud={"essential": True, "value": self.settings.client_id},
                exp={"essential": True},
                iat={"essential": True},
            )
            registry.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            log.error("identity provider: its token is refused", reason=f"{type(error).__name__}: {error}"[:300])
            raise OpenIdError(_NOT_UNDERSTOOD) from error
        self._check_party(claims, nonce)
        return claims

    def _check_party(self, claims: Mapping[str, Any], nonce: str) -> None:
        audience = claims["aud"]
        is_shared = isinstance(audience, list) and len(audience) > 1
        party = claims.get("azp", None if is_shared else self.settings.client_id)
        subject = claims["sub"]
        if not is_same(str(claims.get("nonce", "")), nonce) or party != self.settings.client_id:
            log.error("identity provider: its token is for another visit or client")
            raise OpenIdError(_NOT_UNDERSTOOD)
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            log.error("identity provider: its token names nobody")
            raise OpenIdError(_NOT_UNDERSTOOD)

    def _decoded(self, id_token: str) -> dict[str, Any]:
        offered = self._known().metadata.get("id_token_signing_alg_values_supported", ["RS256"])
        algorithms = [name for name in _ALGORITHMS if name in offered] or ["RS256"]
        try:
            return jwt.decode(id_token, self._key_set(), algorithms=algorithms).claims
        except (JoseError, ValueError):
            if not self._may_read_keys_again():
                raise
            return jwt.decode(id_token, self._key_set(again=True), algorithms=algorithms).claims

    def _person(self, provider: _Provider, claims: Mapping[str, Any], access_token: str) -> Person:
        groups = _groups(claims, self.settings.groups_claim)
        known = dict(claims)
        if (groups is None or "name" not in known) and access_token and "userinfo_endpoint" in provider.metadata:
            more = self._userinfo(provider, access_token)
            if more.get("sub") == claims["sub"]:
                known = {**more, **known}
                groups = groups if groups is not None else _groups(more, self.settings.groups_claim)
        name = _first(known, "preferred_username", "email", "sub")
        return Person(
            f"{provider.metadata['issuer']} {claims['sub']}",
            name,
            _first(known, "name", "preferred_username", "email", "sub"),
            groups or (),
            _first(known, "locale"),
            _first(known, "zoneinfo"),
        )

    # --- talking to the provider ---------------------------------------------------------------------------------

    def _known(self) -> _Provider:
        with self._lock:
            provider = self._provider
        if provider is not None and self._seconds() - provider.read_at < _METADATA_KEPT_S:
            return provider
        issuer = self.settings.issuer.rstrip("/")
        metadata = _read_json("GET", f"{issuer}/.well-known/openid-configuration")
        if str(metadata.get("issuer", "")).rstrip("/") != issuer:
            log.error("identity provider: it calls itself something else", issuer=str(metadata.get("issuer"))[:200])
            raise OpenIdError(_NOT_UNDERSTOOD)
        found = _Provider(metadata, self._seconds())
        with self._lock:
            self._provider = found
        return found

    def _key_set(self, *, again: bool = False) -> KeySet:
        with self._lock:
            keys = self._keys
        if keys is not None and not again and self._seconds() - self._keys_at < _METADATA_KEPT_S:
            return keys
        read = _read_json("GET", self._known().endpoint("jwks_uri"))
        found = KeySet.import_key_set(read)  # type: ignore[arg-type]
        with self._lock:
            self._keys, self._keys_at = found, self._seconds()
        return found

    def _may_read_keys_again(self) -> bool:
        return self._seconds() - self._keys_at > _KEYS_AGAIN_S

    def _token(self, provider: _Provider, code: str, verifier: str) -> Mapping[str, Any]:
        with self._session(provider) as session:
            try:
                token: Mapping[str, Any] = session.fetch_token(
                    provider.endpoint("token_endpoint"), code=code[:4000], code_verifier=verifier, timeout=_TIMEOUT_S,
                    allow_redirects=False,
                )  # fmt: skip
            except requests.RequestException as error:
                log.error("identity provider: no token", reason=type(error).__name__)
                raise OpenIdError(_NOT_REACHED) from error
            except (AuthlibBaseError, ValueError) as error:
                log.error(
                    "identity provider: no token", reason=str(getattr(error, "error", type(error).__name__))[:100]
                )
                raise OpenIdError(_REFUSED) from error
        return token

    def _userinfo(self, provider: _Provider, access_token: str) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {access_token}"}
        return _read_json("GET", provider.endpoint("userinfo_endpoint"), headers)

    def _session(self, provider: _Provider) -> OAuth2Session:
        offered = provider.metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
        return OAuth2Session(
            self.settings.client_id,
            self.settings.client_secret.get(),
            token_endpoint_auth_method=method,
            scope=" ".join(self.settings.scopes),
            redirect_uri=self._callback,
            code_challenge_method="S256",
        )


def granted(groups: Sequence[str], grants: Mapping[str, Grant]) -> Grant | None:
    """Return what somebody may do who is in these groups: the highest role, in all countries that grant it.

    None where no group of theirs is named; `*` stands for everybody.
    """
    mine = [grant for name, grant in grants.items() if name == "*" or name in groups]
    if not mine:
        return None
    role = max((grant.role for grant in mine), key=ROLES.index)
    highest = [grant for grant in mine if grant.role == role]
    if any(grant.countries is None for grant in highest):
        return Grant(role=role, countries=None)
    return Grant(role=role, countries=sorted({country for grant in highest for country in grant.countries or ()}))


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def _read_json(method: str, url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """Return a JSON object from the provider.

    Raises:
        OpenIdError: it does not answer, or not with that.
    """
    if not _is_safe(url):
        log.error("identity provider: an address without https is not used")
        raise OpenIdError(_NOT_UNDERSTOOD)
    try:
        with requests.request(
            method, url, headers=dict(headers or {}), timeout=_TIMEOUT_S, allow_redirects=False, stream=True
        ) as answer:
            body = answer.raw.read(_LARGEST + 1, decode_content=True)
            status = answer.status_code
    except (requests.RequestException, OSError) as error:
        log.error("identity provider does not answer", reason=type(error).__name__)
        raise OpenIdError(_NOT_REACHED) from error
    try:
        read = json.loads(body) if status == 200 and len(body) <= _LARGEST else None
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        log.error("identity provider: not a JSON object", status=status)
        raise OpenIdError(_NOT_UNDERSTOOD if status < 500 else _NOT_REACHED)
    return read


def _groups(claims: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """Return a person's groups; a name with dots may lead into objects, as `realm_access.roles` does."""
    found: Any = claims.get(name)
    if found is None and "." in name:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    if found is None:
        return None
    return tuple(str(group) for group in found) if isinstance(found, list) else (str(found),)


def _first(claims: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = claims.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()[:200]
    return ""
