"""A real identity provider on this machine, with what it was asked written down."""

import base64
import hashlib
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import requests

with warnings.catch_warnings():  # the provider's library uses a module of authlib that will move
    warnings.simplefilter("ignore")
    import oidc_provider_mock
    from oidc_provider_mock._server import _threaded_server


@dataclass
class Identity:
    """An OpenID Connect provider, and the people it knows."""

    issuer: str = ""
    challenges: dict[str, str] = field(default_factory=dict)
    """PKCE challenges by state, as browsers brought them."""
    verifiers: list[str] = field(default_factory=list)
    """PKCE verifiers, as codes were redeemed."""

    def person(self, subject: str, **claims: Any) -> None:
        """Let the provider know somebody, or something else of them."""
        requests.put(f"{self.issuer}/users/{subject}", json=claims, timeout=10).raise_for_status()

    def sign_in(self, url: str, subject: str) -> str:
        """Sign somebody in at the page that the console sent the browser to; return where it is sent then."""
        answer = requests.post(url, data={"sub": subject}, allow_redirects=False, timeout=10)
        assert answer.status_code in (302, 303), answer.text
        return answer.headers["location"]

    def deny(self, url: str) -> str:
        """Press "deny" there; return where the browser is sent then."""
        answer = requests.post(url, data={"action": "deny"}, allow_redirects=False, timeout=10)
        return answer.headers["location"]

    @property
    def proved(self) -> bool:
        """Whether every verifier fits a challenge that a browser brought: what the provider itself does not check."""
        found = [base64.urlsafe_b64encode(hashlib.sha256(one.encode()).digest()).rstrip(b"=").decode()
                 for one in self.verifiers]  # fmt: skip
        return bool(found) and set(found) <= set(self.challenges.values())


@contextmanager
def identity_provider() -> Iterator[Identity]:
    """Run a provider until the context ends."""
    identity = Identity()
    app = oidc_provider_mock.app(require_nonce=True)
    answering = app.wsgi_app

    def listening(environ: dict[str, Any], start_response: Any) -> Any:
        query = parse_qs(environ.get("QUERY_STRING", ""))
        if "code_challenge" in query and query.get("code_challenge_method") == ["S256"]:
            identity.challenges[query["state"][0]] = query["code_challenge"][0]
        if environ["PATH_INFO"] == "/oauth2/token":
            _hear(identity, environ)
        return answering(environ, start_response)

    app.wsgi_app = listening  # type: ignore[method-assign]
    with _threaded_server(app) as server:
        identity.issuer = f"http://localhost:{server.server_port}"
        yield identity


def _hear(identity: Identity, environ: dict[str, Any]) -> None:
    from io import BytesIO

    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    found: Mapping[str, list[str]] = parse_qs(body.decode())
    identity.verifiers += found.get("code_verifier", [])


def path_of(location: str) -> str:
    """Return the path and query that a browser is sent to."""
    return re.sub(r"^https?://[^/]+", "", location)
