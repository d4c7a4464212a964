import unicodedata
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifiers.explanation import LONGEST_WORD, MOST_WORDS, Marked, Word, needs_reasons, reasons_of, words_of
from classifiers.heads import N_LOGITS, Heads, load_heads
from classifiers.mentions import MentionClassifier
from classifiers.text import mask, trace
from listener.model import Classification, Reason, Sentiment, Urgency
from tests.unit.classifiers.test_mentions import HOSTILE, MILD, PRAISE, URGENT


def words(text: str, *cuts: int) -> list[str]:
    """Return the words of a text whose tokens end at `cuts`."""
    bounds = [0, *cuts, len(text)]
    return [text[word.start : word.end] for word in words_of(text, list(pairwise(bounds)))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'm waiting 3 hours, don't care!", ["I'm", "waiting", "3", "hours", "don't", "care"]),
        ("l’aéroport aidez-moi", ["l’aéroport", "aidez-moi"]),
        ("Ma\u0308rz cafe\u0301", ["Ma\u0308rz", "cafe\u0301"]),
        ("Чайник сломался — верните 1,5 тыс.", ["Чайник", "сломался", "верните", "1,5", "тыс"]),
        ("الطلب وصل مكسورًا!", ["الطلب", "وصل", "مكسورًا"]),
        ("मेरा पैसा कट गया।", ["मेरा", "पैसा", "कट", "गया"]),
        ("क्\u200dया है", ["क्\u200dया", "है"]),
        ("환불 요청한 지 한 달", ["환불", "요청한", "지", "한", "달"]),
        ("ケトル", ["ケトル"]),
        ("ｹﾄﾙ", ["ｹﾄﾙ"]),
        ("#SkybirdAir 7:30", ["SkybirdAir", "7:30"]),
        ("😡😡 👨‍👩‍👧 🇫🇷 👍🏽", ["😡", "😡", "👨‍👩‍👧", "🇫🇷", "👍🏽"]),
        ("@user http late", ["late"]),
        ("user https", ["user", "https"]),
        ("?! … —", []),
        ("", []),
    ],
)
def test_words_are_found_where_spaces_part_them(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "cuts", "expected"),
    [
        ("客服没人接", (2, 4), ["客服", "没人", "接"]),
        ("火が出て怖い", (2, 4), ["火が", "出て", "怖い"]),
        ("กาต้มน้ำ", (2,), ["กา", "ต้มน้ำ"]),
        ("กาต้มน้ำ", (2, 3), ["กา", "ต้มน้ำ"]),  # the second cut would part a letter from its tone
        ("が", (1,), ["が"]),
        ("新しいケトル、最高", (3, 6, 7), ["新しい", "ケトル", "最高"]),
        ("买了iPhone很差", (2, 5, 8, 9), ["买了", "iPhone", "很", "差"]),
    ],
)
def test_scripts_without_spaces_are_parted_at_tokens_but_within_no_character(
    text: str, cuts: tuple[int, ...], expected: list[str]
) -> None:
    assert words(text, *cuts) == expected


def reasons(text: str, *marks: tuple[int, int, bool, float]) -> list[tuple[str, float]]:
    marked = [Marked(Word(start, end, piece), share) for start, end, piece, share in marks]
    return [(reason.word, round(reason.weight, 6)) for reason in reasons_of(trace(text), marked)]


def test_pieces_that_touch_become_one_word() -> None:
    assert reasons("客服没人接", (0, 2, True, 0.1), (2, 4, True, 0.2), (4, 5, True, 0.3)) == [("客服没人接", 0.6)]
    assert reasons("客服没人接", (0, 2, True, 0.1), (4, 5, True, 0.3)) == [("接", 0.3), ("客服", 0.1)]


def test_words_that_touch_stay_apart() -> None:
    assert reasons("😡😢", (0, 1, False, 0.1), (1, 2, False, 0.2)) == [("😢", 0.2), ("😡", 0.1)]


def test_a_word_that_repeats_is_named_once_as_first_written() -> None:
    assert reasons("Late, late and LATE", (0, 4, False, 0.1), (6, 10, False, 0.2), (15, 19, False, 0.1)) == [
        ("Late", 0.4)
    ]


def test_a_very_long_word_is_cut_between_characters_people_see() -> None:
    text = "👨‍👩‍👧" * 100
    ((word, _),) = reasons("a" * 500, (0, 500, False, 1.0))
    assert word == "a" * LONGEST_WORD
    ((family, _),) = reasons(text, (0, len(text), False, 1.0))
    assert text.startswith(family)


@pytest.mark.parametrize(
    ("post", "masked", "original"),
    [
        ("lo\u200bst", "lost", "lo\u200bst"),
        ("@bob &quot;cafe\u0301&quot; https://t.co/x", "café", "cafe\u0301"),
        ("  caf&eacute;", "café", "caf&eacute;"),
        ("\u1100\u1161\u11a8", "\uac01", "\u1100\u1161\u11a8"),
        ("@bob\u2005lost https://a.example/lost lost", "lost", "lost"),
        ("bad\ud800ly", "badly", "bad\ud800ly"),
    ],
)
def test_a_word_is_found_as_its_writer_wrote_it(post: str, masked: str, original: str) -> None:
    traced = trace(post)
    at = traced.text.index(masked)
    assert traced.original(at, at + len(masked)) == original


PIECES = (
    "@bob", "@user", "http", "https://t.co/x", "[id1|Ann]", "@客服 ", "\u2005", "&amp;", "&eacute;", "&#8238;", "&#x0;",
    "&amp;lt;", "&", "e\u0301", "\u0301", "\u1100\u1161", "\u11a8", "ﬁ", "ﷺ", "\u212b", "\u0958", "\x00", "\u202e",
    "\u200d", "\ud800", "  ", "\n", "\u3000", "云帆", "नमस्ते", "مرحبا", "안녕", "ケトル", "กาต้ม", "😡", "👨‍👩‍👧", "late",
    "x" * 300, "…", ";", "#",
)  # fmt: skip
POSTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=15).map("".join),
    st.text(alphabet=st.characters(exclude_categories=()), max_size=40),
    st.just("&amp;" * 9000),
)


@given(POSTS)
def test_tracing_gives_what_masking_gives_and_every_character_an_origin(post: str) -> None:
    traced = trace(post)
    assert traced.text == mask(post)
    assert len(traced.starts) == len(traced.ends) == len(traced.text)
    assert all(0 <= start < end <= len(post) for start, end in zip(traced.starts, traced.ends, strict=True))
    assert list(traced.starts) == sorted(traced.starts)


@given(POSTS)
def test_a_character_that_was_kept_has_itself_as_origin(post: str) -> None:
    traced = trace(post)
    for at, character in enumerate(traced.text):
        origin = traced.original(at, at + 1)
        assert character in unicodedata.normalize("NFC", origin) or origin != character


@given(POSTS, st.lists(st.integers(0, 200), max_size=20))
def test_words_stand_apart_in_order_and_hold_more_than_marks(post: str, cuts: list[int]) -> None:
    text = mask(post)
    bounds = sorted({0, len(text), *(cut for cut in cuts if cut <= len(text))})
    found = words_of(text, list(pairwise(bounds)))
    assert all(0 <= word.start < word.end <= len(text) for word in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@pytest.fixture(scope="module")
def heads() -> Heads:
    return load_heads()


def test_the_slope_is_what_a_small_step_shows(heads: Heads) -> None:
    chance = np.random.default_rng(1)
    features = (heads.members[0].mean + chance.normal(0, 0.01, heads.n_features)).astype(np.float32)
    direction = chance.normal(size=N_LOGITS).astype(np.float32)
    step = chance.normal(0, 1e-5, heads.n_features).astype(np.float32)
    logits = heads.logits(np.stack([features - step, features + step])) @ direction
    assert logits[1] - logits[0] == pytest.approx(2 * step @ heads.slope(features, direction), rel=0.05)


def explained(classifier: MentionClassifier, texts: Sequence[str]) -> list[Classification]:
    return classifier.classify(texts, reasons=True)


def test_reasons_change_nothing_else(classifier: MentionClassifier) -> None:
    texts = [*URGENT.values(), *MILD.values(), *PRAISE.values(), *HOSTILE]
    for plain, more in zip(classifier.classify(texts), explained(classifier, texts), strict=True):
        assert plain.reasons == ()
        assert more.language == plain.language
        assert more.complaint == pytest.approx(plain.complaint, abs=1e-3)
        assert more.urgency_probabilities == pytest.approx(plain.urgency_probabilities, abs=1e-3)


@pytest.mark.parametrize("language", URGENT)
def test_what_may_need_an_answer_is_explained_by_words_that_raised_it(
    classifier: MentionClassifier, language: str
) -> None:
    (found,) = explained(classifier, [URGENT[language]])
    assert needs_reasons(found)
    assert 1 <= len(found.reasons) <= MOST_WORDS
    assert all(0 < reason.weight <= 1 for reason in found.reasons)


def test_praise_is_explained_by_words_that_speak_against_a_complaint(classifier: MentionClassifier) -> None:
    found = explained(classifier, list(PRAISE.values()))
    assert sum(any(reason.weight < 0 for reason in one.reasons) for one in found) >= 8


def test_reasons_stand_strongest_first(classifier: MentionClassifier) -> None:
    for found in explained(classifier, [*URGENT.values(), *PRAISE.values()]):
        sizes = [abs(reason.weight) for reason in found.reasons]
        assert sizes == sorted(sizes, reverse=True)


def test_leaving_the_words_out_lowers_the_score(classifier: MentionClassifier) -> None:
    texts = [*URGENT.values(), *MILD.values()]
    found = explained(classifier, texts)
    without = []
    for text, one in zip(texts, found, strict=True):
        for reason in one.reasons:
            text = text.replace(reason.word, "")
        without.append(text)
    after = classifier.classify(without)
    lowered = [
        old.complaint + old.urgency_score > new.complaint + new.urgency_score
        for old, new in zip(found, after, strict=True)
    ]
    assert sum(lowered) >= 18


def test_explaining_afterwards_gives_the_same_words(classifier: MentionClassifier) -> None:
    texts = [*URGENT.values(), *HOSTILE]
    found = explained(classifier, texts)
    afterwards = classifier.explain(texts, classifier.classify(texts))
    same = [
        [reason.word for reason in one.reasons] == [reason.word for reason in other]
        for one, other in zip(found, afterwards, strict=True)
    ]
    assert all(same)


def test_explaining_needs_one_classification_for_each_text(classifier: MentionClassifier) -> None:
    with pytest.raises(ValueError, match="2 texts and 0 classifications"):
        classifier.explain(["a", "b"], [])
    assert classifier.explain([], []) == []


def test_posts_that_differ_in_handles_alone_have_their_own_words(classifier: MentionClassifier) -> None:
    one, other = explained(classifier, ["@bob CAFE\u0301 is broken", "@ann CAF\u00c9 is broken"])
    assert {reason.word for reason in one.reasons} <= {"CAFE\u0301", "is", "broken"}
    assert {reason.word for reason in other.reasons} <= {"CAF\u00c9", "is", "broken"}
    assert [reason.weight for reason in one.reasons] == [reason.weight for reason in other.reasons]


@pytest.mark.parametrize("text", ["", "   ", "?!…", "@bob https://t.co/x", "\u202e\u200b"])
def test_where_there_is_no_word_there_is_no_reason(classifier: MentionClassifier, text: str) -> None:
    assert explained(classifier, [text])[0].reasons == ()


def sound(post: str, found: Sequence[Reason]) -> bool:
    return all(
        reason.word and reason.word in post and np.isfinite(reason.weight) and -1 <= reason.weight <= 1
        for reason in found
    )


def test_reasons_of_hostile_texts_stand_in_them(classifier: MentionClassifier) -> None:
    for text, found in zip(HOSTILE, explained(classifier, HOSTILE), strict=True):
        assert sound(text, found.reasons)
        assert all(len(reason.word) <= 4 * LONGEST_WORD for reason in found.reasons)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(POSTS, max_size=4))
def test_no_post_makes_it_stop_and_every_word_stands_in_its_post(
    classifier: MentionClassifier, posts: list[str]
) -> None:
    for post, found in zip(posts, explained(classifier, posts), strict=True):
        assert sound(post, found.reasons)


@pytest.mark.parametrize(
    ("complaint", "urgency", "expected"),
    [(0.31, (1, 0, 0, 0), True), (0.1, (0.75, 0, 0, 0.25), True), (0.1, (0.9, 0.1, 0, 0), False)],
)
def test_posts_that_may_need_an_answer_are_those_that_complain_or_are_urgent(
    complaint: float, urgency: tuple[float, float, float, float], expected: bool
) -> None:
    found = Classification("en", complaint, Urgency.NONE, urgency, Sentiment.NEUTRAL, (0, 1, 0), "other", 1.0, {}, "m")
    assert needs_reasons(found) is expected
