from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.console.tokens import derived, is_same, new_token, safe_path, stored

HERE = "http://127.0.0.1:8321/sign-in"
ANY_TEXT = st.text(max_size=60)
PATHS = st.text(st.sampled_from("/\\:@?#.%abc12 \t\n\rjs\0é"), max_size=20)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/ /x",
        "javascript:alert(1)", "", "evil", "/a\r\nSet-Cookie: x=1", "http:/evil", "/" * 2, "///x", "/" + "a" * 2001,
    ],
)  # fmt: skip
def test_another_place_is_never_gone_to(url: str) -> None:
    assert safe_path(url) == "/"


@pytest.mark.parametrize("url", ["/", "/alerts?state=open&text=%E4%BA%91", "/alerts/12#post", "/a/../b", "/a?u=//x"])
def test_a_path_of_ours_is_gone_to_as_it_is(url: str) -> None:
    assert safe_path(url) == url


@given(st.one_of(ANY_TEXT, PATHS, PATHS.map(lambda text: f"/{text}")))
def test_a_browser_stays_on_this_server_whatever_it_is_told(url: str) -> None:
    target = urlsplit(urljoin(HERE, safe_path(url)))
    assert (target.scheme, target.netloc) == ("http", "127.0.0.1:8321")
    assert not set("\r\n\t\\") & set(safe_path(url))


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_what_is_derived_differs_by_secret_and_by_purpose(one: str, other: str, purpose: str) -> None:
    clean = [text.encode("utf-8", "replace") for text in (one, other)]
    assert is_same(derived(one, purpose), derived(other, purpose)) == (clean[0] == clean[1])
    assert derived(one, f"{purpose}.") != derived(one, purpose)


def test_what_is_stored_is_not_what_the_browser_holds() -> None:
    token = new_token()
    assert len(token) >= 43
    assert token not in stored(token)
    assert len(stored(token)) == 64
    assert new_token() != token
