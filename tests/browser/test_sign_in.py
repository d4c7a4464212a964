"""Signing in at an identity provider in a real browser: its rules for cookies and redirects between sites apply."""

import re
import socket
from collections.abc import Callable

import pytest

from tests.browser.conftest import Desk
from tests.servers.identity import identity_provider

# Of the provider's library, not of ours.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:authlib", "ignore:get_jwt_config:DeprecationWarning"
)
SECTION = """url: "http://{listen}", openid: {{issuer: "{issuer}", client_id: console,
  client_secret: "${{env:CONSOLE_ROOM_SECRET}}",
  grants: {{heads: {{role: admin}}}}}}"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(("groups", "heading"), [(["heads"], "People"), (["canteen"], "No access")])
def test_at_the_organisation_and_back_to_the_page_that_was_wanted(
    open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch, groups: list[str], heading: str
) -> None:
    monkeypatch.setenv("CONSOLE_ROOM_SECRET", "it is one")
    with identity_provider() as identity:
        identity.person("u-1", name="Ana García", preferred_username="ana", groups=groups)
        listen = f"127.0.0.1:{free_port()}"
        desk = open_desk(console=SECTION.format(listen=listen, issuer=identity.issuer), listen=listen)
        somebody = desk.visitor()
        somebody.complaints.statuses |= {403, 404}  # the provider has no icon
        # The provider's own look comes from a server that no test asks.
        somebody.context.route(re.compile("^https://"), lambda route: route.fulfill(body="", content_type="text/css"))
        page = somebody.open("/people")
        page.get_by_role("link", name="Sign in with your organisation's account").click()
        page.wait_for_url(f"{identity.issuer}/**")
        page.fill("input[name=sub]", "u-1")
        page.locator("input[name=sub]").press("Enter")
        page.wait_for_url(f"{desk.url}/**")
        assert page.locator("h1").inner_text() == heading
        assert page.get_by_text("Ana García").count() >= 1
        page.goto("about:blank")
