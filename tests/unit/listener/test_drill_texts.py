"""The posts of drills: marked, different from each other, and complaints to the model in every language."""

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from classifiers.copies import JACCARD, similarity
from listener.drill_texts import MARK, TEXTS, drill_posts, language_of
from listener.drilling import seconds_words

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "uk", "zh",
             "zh-Hant")  # fmt: skip


@pytest.mark.parametrize("topic", TEXTS)
def test_every_language_served_has_texts(topic: str) -> None:
    assert sorted(TEXTS[topic]) == sorted(LANGUAGES)


@pytest.mark.parametrize("topic", TEXTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_post_is_marked_and_no_two_are_the_same(topic: str, language: str) -> None:
    posts = drill_posts(topic, language, "Acme", 7)
    assert len(set(posts)) == 7
    assert all(post.startswith(f"{MARK} Acme: ") for post in posts)
    assert max(map(len, posts)) <= 280


def test_further_posts_repeat_the_first() -> None:
    posts = drill_posts("outage", "en", "Acme", 13)
    assert len(set(posts)) == 12
    assert posts[12] == posts[0]


def test_most_posts_are_no_copies_of_each_other() -> None:
    for language in LANGUAGES:
        posts = drill_posts("outage", language, "Acme", 12)
        alike = [pair for pair in combinations(posts, 2) if similarity(*pair) >= JACCARD]
        assert len(alike) <= 2, (language, alike)


@pytest.mark.parametrize(
    ("languages", "found"),
    [(["fr"], "fr"), (["nl-BE", "fr"], "nl"), (["zh-Hant-TW"], "zh-Hant"), (["pt-BR"], "pt"), (["sv", "de"], "de"),
     (["sv"], "en")],
)  # fmt: skip
def test_posts_are_in_the_countrys_first_language_that_is_known(languages: list[str], found: str) -> None:
    assert language_of(languages, "outage") == found


def test_the_model_takes_each_drills_first_post_for_a_complaint(classifier: "MentionClassifier") -> None:
    pairs = [(topic, language) for topic in TEXTS for language in LANGUAGES]
    texts = [drill_posts(topic, language, "Acme", 1)[0] for topic, language in pairs]
    tags = [language for _, language in pairs]
    found = classifier.classify(texts, network_languages=tags, country_languages=[[tag] for tag in tags])
    assert [pair for pair, one in zip(pairs, found, strict=True) if one.complaint < 0.6] == []


@pytest.mark.parametrize(("seconds", "words"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (37.4, "37 s"), (245, "4 min 05 s")])
def test_spans_read_well(seconds: float, words: str) -> None:
    assert seconds_words(seconds) == words
