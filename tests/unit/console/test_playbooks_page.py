"""The playbooks' pages: coverage by locale, previews for a sample and for a given post, findings."""

from html import unescape

import pytest

from listener.config.editing import Edit
from playbooks.library import PlaybookLibrary
from tests.console_room import ConsoleRoom
from tests.desk_room import HOSTILE, DeskRoom

HTMX = {"hx-request": "true"}


def test_every_playbook_and_locale_is_listed_with_what_is_missing(room: ConsoleRoom) -> None:
    page = unescape(room.client().get("/playbooks").text)
    books = PlaybookLibrary.load()
    for name in books.names:
        assert f'href="/playbooks/{name}"' in page
        assert books.contents.playbooks[name].title in page
    for tag in books.locales:
        assert f'<bdi lang="{tag}">{books.contents.phrases[tag].register}</bdi>' in page
    assert "Missing for your countries" in page
    assert "Swedish" not in page
    room.office.keeper.change([Edit(("countries", "FR", "languages"), ["fr", "sv"])], "tests")
    assert "Swedish" in room.client().get("/playbooks").text
    assert "Swedish" not in room.client("viewer", ["JP"]).get("/playbooks").text


def test_a_country_answers_in_its_own_language_on_the_network_that_is_chosen(room: ConsoleRoom) -> None:
    client = room.client()
    on_x = unescape(client.get("/playbooks/late-delivery", params={"country": "FR", "network": "x"}).text)
    assert "late-delivery/fr/" in on_x
    assert "of 280 characters" in on_x
    assert 'form of address: <bdi lang="fr">vous</bdi>' in on_x
    on_vk = client.get("/playbooks/late-delivery", params={"country": "FR", "network": "vk"}).text
    assert "of 280 characters" not in on_vk


@pytest.mark.parametrize(("locale", "direction"), [("ar", "rtl"), ("zh-Hant", "ltr"), ("ja", "ltr"), ("de-CH", "ltr")])
def test_any_locale_can_be_looked_at_wherever_it_is_used(room: ConsoleRoom, locale: str, direction: str) -> None:
    page = room.client().get("/playbooks/outage", params={"country": "US", "locale": locale}).text
    assert f'<p lang="{locale}" dir="{direction}">' in page
    assert f"outage/{locale}/" in page


def test_a_given_post_is_answered_by_its_own_words_and_author(room: ConsoleRoom) -> None:
    desk = DeskRoom(room)
    alert = desk.complain("Acme: my Kettle never arrived!", name="Zoé Martin", language="fr")
    page = unescape(room.client().get("/playbooks/late-delivery", params={"post": f"A-{alert.id}"}).text)
    assert "Acme: my Kettle never arrived!" in page
    assert "Zoé" in page.split("</blockquote>")[1]
    hostile = desk.complain(HOSTILE, author="evil", name="<script>x</script>")
    page = room.client().get("/playbooks/late-delivery", params={"post": f"A-{hostile.id}", "locale": "de"}).text
    assert "<img src" not in page
    assert "<script>x" not in page
    assert "late-delivery/de/" in page


def test_a_post_of_another_country_or_none_is_not_shown(room: ConsoleRoom) -> None:
    alert = DeskRoom(room).complain("Acme lost my parcel in Tokyo", country="JP")
    for named in (f"A-{alert.id}", "A-4711", "x:1", "nonsense", "<b>"):
        page = room.client("viewer", ["FR"]).get("/playbooks/late-delivery", params={"post": named})
        assert page.status_code == 200
        assert "Tokyo" not in page.text
        assert 'class="notice bad"' in page.text
        assert "<b>" not in page.text
        assert "For a sample post" in page.text


def test_what_does_not_exist_falls_back_or_is_not_found(room: ConsoleRoom) -> None:
    client = room.client()
    assert client.get("/playbooks/no-such-thing").status_code == 404
    odd = {"country": "XX", "network": "../x", "locale": "klingon", "brand": "nobody"}
    assert client.get("/playbooks/thanks", params=odd).status_code == 200
    assert room.client("viewer", ["DE"]).get("/playbooks/thanks").status_code == 404


def test_findings_of_the_texts_that_countries_are_offered_are_listed(room: ConsoleRoom) -> None:
    """The shipped texts are without fault; a brand that never says "colis" finds where they do."""
    client = room.client()
    part = client.get("/playbooks/findings", headers=HTMX)
    assert "<html" not in part.text
    assert "Nothing: every text in" in part.text
    (room.folder / "brand.yaml").write_text("acme: {signature: Acme, never: {fr: [colis]}}\n", encoding="utf-8")
    room.office.keeper.change([Edit(("voice",), "brand.yaml")], "tests")
    found = client.get("/playbooks/findings").text
    assert "<html" in found
    assert "<code>late-delivery/fr.yaml:" in found
    assert "colis" in client.get("/playbooks/late-delivery").text.split("What should be better")[1]
