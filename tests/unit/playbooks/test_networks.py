import time

import pytest

from playbooks.networks import count_graphemes, count_utf16, count_weighted, length_rule, network_key


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("hello", 5),
        ("Привет", 6),
        ("مرحبا", 5),
        ("नमस्ते", 6),
        ("你好", 4),
        ("こんにちは", 10),
        ("안녕", 4),
        ("e\u0301", 1),  # NFC makes it one
        ("’–—“”\u00a0", 6),
        ("…€\u202f", 6),
        ("😀", 2),
        ("👩‍❤️‍👨", 2),
        ("🇫🇷", 2),
        ("1️⃣", 2),
        ("👍🏽", 2),
        ("https://example.com/a/very/long/path/that/goes/on/and/on", 23),
        ("see https://a.io now", 4 + 23 + 4),
        ("example.com", 23),
        ("see example.com.", 4 + 23 + 1),
        ("my-shop.example-site.com/a", 26),
        ("", 0),
    ],
)
def test_x_counts_by_weight(text: str, length: int) -> None:
    assert count_weighted(text) == length


def test_a_long_word_that_looks_like_a_domain_counts_its_whole_length() -> None:
    assert count_weighted("a" * 50 + ".b" + "c" * 50) == 102


def test_other_networks_count_as_a_reader_or_a_form_does() -> None:
    assert count_graphemes("👩‍❤️‍👨e\u0301नि") == 3
    assert count_utf16("a😀") == 3


@pytest.mark.parametrize(
    ("network", "limit"), [("x", 280), ("bluesky", 300), ("App Store", 5970), ("google_play", 350), ("forum", 1000)]
)
def test_each_network_has_its_limit_and_an_unknown_one_a_cautious_limit(network: str, limit: int) -> None:
    assert length_rule(network).limit == limit


def test_a_limit_is_reached_by_weight() -> None:
    assert length_rule("x").fits("你" * 140)
    assert not length_rule("x").fits("你" * 140 + "a")


def test_networks_are_known_by_several_spellings() -> None:
    assert network_key("App_Store") == network_key("appstore") == "appstore"
    assert network_key("Twitter") == "x"


@pytest.mark.parametrize("piece", ["a.-", "a-", "a.", "a.a-.", "-", "@a.", "a.b/ "])
def test_counting_takes_no_longer_per_character_for_a_long_text(piece: str) -> None:
    def steps(times: int) -> float:
        text = piece * times
        runs = []
        for _ in range(3):
            started = time.process_time()
            count_weighted(text)
            runs.append(time.process_time() - started)
        return min(runs)

    assert steps(40_000) < 20 * max(steps(5_000), 0.002)
