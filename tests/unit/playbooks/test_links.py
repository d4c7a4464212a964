from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.links import MAX_URL_CHARACTERS, LinkRequest, handoff, reply_url, safe_url, with_text

HOSTILE = [
    "1/../../evil",
    "1&text=evil",
    "1#x",
    "1@evil.example",
    "//evil.example",
    "evil.example/x",
    "1\n2",
    "%2e%2e",
    "1?x",
    "١٢٣",
    " 1",
]


def test_x_opens_a_message_to_the_author_with_the_first_words_filled_in() -> None:
    url = handoff(LinkRequest("x", author_id="123", private_text="Bonjour, « déjà » & #1?")).url
    assert url is not None
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "x.com", "/messages/compose")
    assert parse_qs(parts.query) == {"recipient_id": ["123"], "text": ["Bonjour, « déjà » & #1?"]}


def test_x_answers_the_post_with_the_draft_filled_in() -> None:
    url = reply_url(LinkRequest("x", post_id="99"), "Désolés ! 100 % & #vrai")
    assert url is not None
    assert urlsplit(url).path == "/intent/tweet"
    assert parse_qs(urlsplit(url).query) == {"in_reply_to": ["99"], "text": ["Désolés ! 100 % & #vrai"]}


def test_vk_leads_to_the_community_and_to_the_comment() -> None:
    links = {"owner_id": "-12", "group_id": "12", "post_id": "34", "comment_id": "56", "user_id": "7"}
    request = LinkRequest("vk", links, brand_account="yunfan_ru")
    assert handoff(request).url == "https://vk.me/yunfan_ru"
    assert reply_url(request, "x") == "https://vk.com/wall-12_34?reply=56"


def test_vk_leads_to_the_author_where_no_community_is_known() -> None:
    assert handoff(LinkRequest("vk", author_id="7")).url == "https://vk.com/write7"


def test_wechat_has_steps_in_words_and_no_link() -> None:
    found = handoff(LinkRequest("wechat", brand_account="云帆客服"))
    assert found.url is None
    assert "云帆客服" in found.steps


@pytest.mark.parametrize(
    ("request_", "url"),
    [
        (LinkRequest("facebook", brand_account="skybird.air"), "https://m.me/skybird.air"),
        (LinkRequest("instagram", brand_account="@skybirdair"), "https://ig.me/m/skybirdair"),
        (LinkRequest("telegram", handle="@anna_w", private_text="Hi"), "https://t.me/anna_w?text=Hi"),
        (LinkRequest("whatsapp", {"phone": "4915112345678"}, private_text="Hi"), "https://wa.me/4915112345678?text=Hi"),
        (LinkRequest("line", brand_account="@yunfan"), "https://line.me/R/oaMessage/%40yunfan/"),
        (
            LinkRequest("mastodon", {"instance": "social.example"}, handle="@anna@masto.example", private_text="Hi"),
            "https://social.example/share?text=%40anna%40masto.example%20Hi",
        ),
        (
            LinkRequest("reddit", handle="anna_w", private_text="Hi"),
            "https://www.reddit.com/message/compose/?to=anna_w&subject=&message=Hi",
        ),
        (LinkRequest("bluesky"), "https://bsky.app/messages"),
        (LinkRequest("youtube"), None),
        (LinkRequest("app_store"), None),
        (LinkRequest("some forum"), None),
    ],
)
def test_each_network_has_its_way_to_a_private_channel(request_: LinkRequest, url: str | None) -> None:
    found = handoff(request_)
    assert found.url == url
    assert found.steps


@pytest.mark.parametrize("network", ["facebook", "instagram", "line", "vk"])
def test_without_an_account_the_steps_promise_no_link(network: str) -> None:
    found = handoff(LinkRequest(network))
    assert found.url is None
    assert "link" not in found.steps
    assert "publish the reply" in found.steps.lower()
    assert "arrives" in found.steps


def test_on_line_the_customer_sends_the_address_of_the_post_and_not_our_own_words() -> None:
    request = LinkRequest("line", brand_account="@yunfan", post_url="https://a.example/1?x=é", private_text="Hi")
    assert handoff(request).url == "https://line.me/R/oaMessage/%40yunfan/?https%3A%2F%2Fa.example%2F1%3Fx%3D%C3%A9"
    assert handoff(replace(request, post_url="javascript:1")).url == "https://line.me/R/oaMessage/%40yunfan/"


@pytest.mark.parametrize("network", ["forum", "threads", "linkedin", ""])
def test_on_a_network_that_nobody_knows_the_steps_say_how_to_find_a_way(network: str) -> None:
    assert "names the brand's contact" in handoff(LinkRequest(network, contact="care@acme.example")).steps
    found = handoff(LinkRequest(network)).steps
    assert "Open the author's profile" in found
    assert "contact" not in found


def test_other_replies_open_the_post_itself() -> None:
    did = "did:plc:" + "a" * 24
    assert (
        reply_url(LinkRequest("bluesky", {"post_id": "3kabc"}, did), "x")
        == f"https://bsky.app/profile/{did}/post/3kabc"
    )
    assert reply_url(LinkRequest("forum", post_url="https://forum.example/t/1"), "x") == "https://forum.example/t/1"
    assert reply_url(LinkRequest("x", post_url="https://x.com/a/status/1"), "x") == "https://x.com/a/status/1"
    youtube = LinkRequest("youtube", {"video_id": "abcdefghijk", "comment_id": "Ugx_1.2"})
    assert reply_url(youtube, "x") == "https://www.youtube.com/watch?v=abcdefghijk&lc=Ugx_1.2"


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "network",
    ["x", "vk", "facebook", "instagram", "telegram", "whatsapp", "line", "reddit", "mastodon", "bluesky", "youtube"],
)
def test_a_hostile_identifier_never_reaches_a_link(network: str, value: str) -> None:
    names = ("user_id", "post_id", "owner_id", "comment_id", "phone", "instance", "address", "video_id")
    request = LinkRequest(network, dict.fromkeys(names, value), value, value, value, None, value, "Hi")
    for url in (handoff(request).url, reply_url(request, "Hi")):
        assert url in (None, "https://bsky.app/messages")


def test_a_number_longer_than_any_identifier_is_refused() -> None:
    request = LinkRequest("x", author_id="9" * 21, post_id="9" * 21)
    assert handoff(request).url is None
    assert reply_url(request, "Hi") is None


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["x", "vk", "facebook", "telegram", "line", "reddit", "mastodon"]), st.text(max_size=40))
def test_no_value_moves_a_link_to_another_host(network: str, value: str) -> None:
    names = ("user_id", "post_id", "owner_id", "comment_id")
    request = LinkRequest(network, dict.fromkeys(names, value), value, value, value, None, value, value)
    hosts = {"x.com", "vk.me", "vk.com", "m.me", "t.me", "line.me", "www.reddit.com"}
    for url in (handoff(request).url, reply_url(request, value)):
        assert url is None or urlsplit(url).hostname in hosts


@pytest.mark.parametrize("text", ["я" * 2000, "你" * 2000, "👩‍❤️‍👨" * 500, "a" * 9000])
def test_a_text_is_cut_between_characters_so_that_the_link_fits(text: str) -> None:
    url = with_text("https://x.com/messages/compose?recipient_id=1&text=", text)
    assert MAX_URL_CHARACTERS - 60 <= len(url) <= MAX_URL_CHARACTERS
    kept = parse_qs(urlsplit(url).query)["text"][0]
    assert text.startswith(kept)
    assert not kept.endswith("\u200d")


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "ftp://a.example/",
        "https://",
        "https://good.example@evil.example/",
        "https://a.example/ b",
        "https://a.example/\n",
        "https://a.example/<script>",
        "https://[::1",
        "https://a.example:99999/",
        "https://a.example/" + "x" * 3000,
    ],
)
def test_an_unsafe_post_address_is_not_offered(url: str | None) -> None:
    assert safe_url(url) is None
    assert reply_url(LinkRequest("forum", post_url=url), "x") is None
