import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.testclient import TestClient

from listener.config.models import Grant, OpenIdConnect
from listener.config.types import Secret
from listener.console.openid import OpenId, OpenIdError, granted
from listener.store.accounts import By
from tests.console_room import ConsoleRoom
from tests.databases import migrated_sqlite
from tests.servers.identity import Identity, identity_provider, path_of

SECTION = """url: "http://127.0.0.1:8321", openid: {{issuer: "{issuer}", client_id: console,
  client_secret: "${{env:CONSOLE_ROOM_SECRET}}",
  grants: {{desk-fr: {{role: community-manager, countries: [FR]}}, heads: {{role: admin}},
    desk-jp: {{role: community-manager, countries: [JP]}}}}}}"""
# Of the provider's library, not of ours.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:authlib", "ignore:get_jwt_config:DeprecationWarning"
)


@pytest.fixture(scope="module")
def identity() -> Iterator[Identity]:
    with identity_provider() as provider:
        yield provider


@pytest.fixture
def room(tmp_path: Path, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsoleRoom]:
    monkeypatch.setenv("CONSOLE_ROOM_SECRET", "it is one")
    made = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path), SECTION.format(issuer=identity.issuer))
    yield made
    made.close()


def out(browser: TestClient, wanted: str = "/account") -> str:
    """Go to the sign-in page and press the button; return the provider's page."""
    assert f"/sign-in/provider?next={wanted}" in browser.get(f"/sign-in?next={wanted}").text
    answer = browser.get(f"/sign-in/provider?next={wanted}")
    assert answer.status_code == 303
    return str(answer.headers["location"])


def sign_in(browser: TestClient, identity: Identity, subject: str, **claims: Any) -> Any:
    identity.person(subject, **claims)
    return browser.get(path_of(identity.sign_in(out(browser), subject)))


def test_the_first_sign_in_makes_an_account_with_what_the_groups_grant(room: ConsoleRoom, identity: Identity) -> None:
    browser = room.browser()
    answer = sign_in(
        browser, identity, "1", groups=["desk-fr", "desk-jp", "other"], name="Ana García", preferred_username="Ana.G",
        locale="fr-FR", zoneinfo="Europe/Paris",
    )  # fmt: skip
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    account = room.store.accounts.named("ana.g")
    assert account is not None
    assert (account.full_name, account.role, account.countries) == ("Ana García", "community-manager", ("FR", "JP"))
    assert (account.language, account.timezone, account.password) == ("fr", "Europe/Paris", None)
    page = browser.get("/account")
    assert "Ana García" in page.text
    assert '<html lang="fr"' in page.text
    assert identity.proved


def test_whose_provider_names_no_language_has_that_of_the_browser(room: ConsoleRoom, identity: Identity) -> None:
    browser = room.browser()
    sign_in(browser, identity, "1", groups=["heads"], name="Ana", preferred_username="ana")
    assert '<html lang="ru"' in browser.get("/account", headers={"accept-language": "ru"}).text


def test_every_sign_in_brings_what_the_groups_grant_now(room: ConsoleRoom, identity: Identity) -> None:
    first, second = room.browser(), room.browser()
    sign_in(first, identity, "2", groups=["desk-fr"], name="Ben")
    sign_in(second, identity, "2", groups="heads", name="Ben B.")
    account = room.store.accounts.named("2")
    assert account is not None
    assert (account.full_name, account.role, account.countries) == ("Ben B.", "admin", None)
    assert first.get("/").status_code == 303
    assert second.get("/people").status_code == 200


def test_whoever_no_group_grants_anything_is_told_whom_to_ask(room: ConsoleRoom, identity: Identity) -> None:
    answer = sign_in(room.browser(), identity, "3", groups=["canteen"], name="Cem <b>")
    assert answer.status_code == 403
    assert "Ask an admin of this console" in answer.text
    assert "Cem &lt;b&gt;" in answer.text
    assert room.store.accounts.all() == []


def test_whoever_loses_the_grant_is_signed_out(room: ConsoleRoom, identity: Identity) -> None:
    browser = room.browser()
    sign_in(browser, identity, "4", groups=["desk-fr"], name="Dora")
    assert sign_in(room.browser(), identity, "4", groups=[], name="Dora").status_code == 403
    assert browser.get("/").status_code == 303


def test_whoever_is_disabled_here_stays_out(room: ConsoleRoom, identity: Identity) -> None:
    sign_in(room.browser(), identity, "5", groups=["heads"], name="Emi")
    account = room.store.accounts.named("5")
    assert account is not None
    room.store.accounts.change(account.id, By("t", "cli"), room.clock.now(), disabled_at=room.clock.now())
    assert sign_in(room.browser(), identity, "5", groups=["heads"], name="Emi").status_code == 403


def test_nobody_gets_anothers_account_by_calling_themselves_so(room: ConsoleRoom, identity: Identity) -> None:
    room.person("ana", "grün lampe achtzig boot", "admin")
    sign_in(room.browser(), identity, "6", groups=["desk-fr"], name="Ana", preferred_username="ana")
    names = {account.name: account.role for account in room.store.accounts.all()}
    assert names == {"ana": "admin", "ana-2": "community-manager"}


def test_groups_may_stand_in_the_userinfo_alone(identity: Identity) -> None:
    settings = OpenIdConnect(
        issuer=identity.issuer, client_id="c", client_secret=Secret("env", "HOME"), scopes=["openid"],
        groups_claim="realm_access.roles", grants={"*": Grant(role="viewer")},
    )  # fmt: skip
    identity.person("7", realm_access={"roles": ["desk-fr"]}, name="Fia")
    openid = OpenId(settings, "http://127.0.0.1:8321/sign-in/callback")
    back = identity.sign_in(openid.way_out("visit", "/"), "7")
    person, _ = openid.way_back("visit", {key: values[0] for key, values in parse_qs(urlsplit(back).query).items()})
    assert person.groups == ("desk-fr",)


# --- what cannot be believed ---------------------------------------------------------------------------------------


def test_an_answer_for_another_browser_is_refused(room: ConsoleRoom, identity: Identity) -> None:
    identity.person("1", groups=["heads"])
    back = path_of(identity.sign_in(out(room.browser()), "1"))
    victim = room.browser()
    victim.get("/sign-in")
    for browser in (victim, room.browser()):
        answer = browser.get(back)
        assert answer.status_code == 403
        assert browser.get("/").status_code == 303


def test_an_answer_is_good_once(room: ConsoleRoom, identity: Identity) -> None:
    identity.person("1", groups=["heads"])
    browser = room.browser()
    visit = {"cookie": "listener-visit=the-same-browser"}
    way = browser.get("/sign-in/provider", headers=visit).headers["location"]
    back = path_of(identity.sign_in(way, "1"))
    assert browser.get(back, headers=visit).status_code == 303
    assert browser.get(back, headers=visit).status_code == 403


def test_a_refusal_at_the_provider_is_told(room: ConsoleRoom, identity: Identity) -> None:
    browser = room.browser()
    way = out(browser)
    back = path_of(identity.deny(way))  # this provider leaves out the state, which others give back
    answer = browser.get(f"{back}&{urlencode({'state': parse_qs(urlsplit(way).query)['state'][0]})}")
    assert answer.status_code == 403
    assert "The identity provider did not sign you in." in answer.text


def test_whoever_takes_too_long_starts_again(identity: Identity) -> None:
    now = [time.time()]
    openid = OpenId(settings_of(identity), "http://127.0.0.1:8321/sign-in/callback", lambda: now[0])
    state = parse_qs(urlsplit(openid.way_out("visit", "/")).query)["state"][0]
    now[0] += 901
    with pytest.raises(OpenIdError, match="took too long"):
        openid.way_back("visit", {"state": state, "code": "x"})


@pytest.mark.parametrize("tampered", ["", ".", "e30.x", "W10.", "a.b.c"])
def test_a_tampered_state_is_refused(identity: Identity, tampered: str) -> None:
    with pytest.raises(OpenIdError):
        OpenId(settings_of(identity), "http://x/cb").way_back("visit", {"state": tampered, "code": "x"})


def test_another_issuers_answer_is_refused(room: ConsoleRoom, identity: Identity) -> None:
    identity.person("1", groups=["heads"])
    browser = room.browser()
    back = path_of(identity.sign_in(out(browser), "1"))
    assert browser.get(f"{back}&{urlencode({'iss': 'https://evil.example'})}").status_code == 403


def test_a_provider_that_is_away_is_told_and_passwords_still_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_ROOM_SECRET", "it is one")
    room = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path), SECTION.format(issuer="http://127.0.0.1:9"))
    room.person("ana", "grün lampe achtzig boot")
    answer = room.browser().get("/sign-in/provider")
    assert answer.status_code == 502
    assert "The identity provider does not answer." in answer.text
    assert 'name="password"' in answer.text
    room.close()


KEY = RSAKey.generate_key(2048, {"kid": "k"})
ISSUER = "https://idp.example"
NOW = 1_790_000_000


def settings_of(identity: Identity) -> OpenIdConnect:
    return OpenIdConnect(
        issuer=identity.issuer, client_id="console", client_secret=Secret("env", "HOME"),
        grants={"*": Grant(role="viewer")},
    )  # fmt: skip


class Offline(OpenId):
    """A client that knows its provider's keys and words already."""

    def __init__(self, **metadata: Any) -> None:
        from listener.console.openid import _Provider

        settings = OpenIdConnect(
            issuer=ISSUER, client_id="console", client_secret=Secret("env", "HOME"), grants={"*": Grant(role="viewer")}
        )
        super().__init__(settings, "https://x.example/sign-in/callback", lambda: NOW)
        self._provider = _Provider({"issuer": ISSUER, **metadata}, NOW)
        self._keys, self._keys_at = KeySet([KEY]), NOW


def id_token(key: Any = KEY, algorithm: str = "RS256", **claims: Any) -> str:
    said = {"iss": ISSUER, "sub": "1", "aud": "console", "exp": NOW + 300, "iat": NOW, "nonce": "n", **claims}
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode({"alg": algorithm, "kid": "k"}, said, key, algorithms=[algorithm])


def unsigned() -> str:
    parts = ({"alg": "none"}, {"iss": ISSUER, "sub": "1", "aud": "console", "exp": NOW + 9, "iat": NOW, "nonce": "n"})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def signed_with_what_is_public() -> str:
    """Return a token whose HMAC has the provider's public key as its secret: a trick that fooled some libraries."""
    text = ".".join(("eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ", id_token().split(".")[1]))
    made = hmac.new(KEY.as_pem(private=False), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"


def test_a_good_token_is_believed() -> None:
    assert Offline().claims(id_token(), "n")["sub"] == "1"
    assert Offline().claims(id_token(exp=NOW - 60, iat=NOW + 60), "n")["sub"] == "1", "clocks differ by a minute"
    assert Offline().claims(id_token(aud=["console", "api"], azp="console"), "n")["sub"] == "1"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"}, {"iss": None}, {"aud": "other"}, {"aud": None}, {"aud": ["console", "api"]},
        {"azp": "other"}, {"exp": NOW - 300}, {"exp": None}, {"exp": "soon"}, {"iat": NOW + 3600}, {"iat": None},
        {"nonce": "other"}, {"nonce": None}, {"sub": None}, {"sub": ""}, {"sub": 5}, {"sub": "x" * 256},
    ],
)  # fmt: skip
def test_a_token_for_anybody_else_or_another_time_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(OpenIdError):
        Offline().claims(id_token(**claims), "n")


def test_a_token_that_the_provider_did_not_sign_is_refused() -> None:
    other = RSAKey.generate_key(2048, {"kid": "k"})
    tokens = [
        id_token(other), unsigned(), id_token()[:-8] + "AAAAAAAA", "", "a.b.c", "é",
        signed_with_what_is_public(),
    ]  # fmt: skip
    for token in tokens:
        with pytest.raises(OpenIdError):
            Offline(id_token_signing_alg_values_supported=["RS256", "HS256", "none"]).claims(token, "n")


def test_endpoints_without_https_are_not_used() -> None:
    openid = Offline(authorization_endpoint="http://idp.example/authorize")
    with pytest.raises(OpenIdError):
        openid.way_out("visit", "/")


GRANTS = {
    "a": Grant(role="viewer"), "b": Grant(role="admin", countries=["FR"]), "c": Grant(role="admin", countries=["JP"]),
    "d": Grant(role="admin"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("groups", "role", "countries"),
    [
        (["a"], "viewer", None), (["a", "b"], "admin", ["FR"]), (["c", "b"], "admin", ["FR", "JP"]),
        (["b", "d"], "admin", None),
    ],
)  # fmt: skip
def test_of_several_groups_the_one_that_may_most_counts(
    groups: list[str], role: str, countries: list[str] | None
) -> None:
    assert granted(groups, GRANTS) == Grant(role=role, countries=countries)


def test_no_group_grants_nothing_and_a_star_everybody() -> None:
    assert granted(["z"], GRANTS) is None
    assert granted([], {"*": Grant(role="viewer")}) == Grant(role="viewer")
