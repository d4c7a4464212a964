from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.influence import score_influence
from listener.model import Author, Engagement

ANN = Author("x", "1", followers=1000)
count = st.integers(0, 10**9)


@given(count, count, count, count, count, st.booleans(), st.booleans())
def test_influence_stays_in_range_and_rises_with_every_count(
    followers: int, views: int, shares: int, likes: int, more: int, verified: bool, sponsored: bool
) -> None:
    author = Author("x", "1", followers=followers, verified=verified)
    seen = Engagement(views=views, reposts=shares, likes=likes)
    base = score_influence(author, seen, sponsored=sponsored).score
    assert 0 <= base <= 1
    assert score_influence(replace(author, followers=followers + more), seen, sponsored=sponsored).score >= base
    for name, value in (("views", views), ("reposts", shares), ("likes", likes)):
        assert score_influence(author, replace(seen, **{name: value + more}), sponsored=sponsored).score >= base
    assert score_influence(replace(author, verified=True), seen, sponsored=sponsored).score >= base
    assert score_influence(author, seen, sponsored=True).score >= base


@pytest.mark.parametrize(
    "bio",
    [
        "Political correspondent, views mine",
        "Grand reporter. Journaliste à la radio",
        "Redakteurin bei einer Zeitung",
        "Periodista. Madre de dos.",
        "Jornalista e corredor",
        "giornalista, gatti",
        "Verslaggever in Gent",
        "dziennikarka śledcza",
        "Gazeteci",
        "Wartawan, pencinta kopi",
        "журналист, Москва",
        "Журналістка",
        "صحفي من القاهرة",
        "वरिष्ठ पत्रकार",
        "某报记者，欢迎爆料",
        "資深記者",
        "フリージャーナリスト",
        "경제부 기자",
    ],
)
def test_the_press_is_recognised_in_every_language_served(bio: str) -> None:
    found = score_influence(replace(ANN, bio=bio), Engagement())
    assert "press" in [part.name for part in found.parts]
    assert found.score > score_influence(ANN, Engagement()).score + 0.3


@pytest.mark.parametrize(
    "bio", ["I do not report to anyone", "impressed by everything", "Kettle fan", "redacted", "ministry of sound"]
)
def test_words_that_only_look_like_it_do_not_count(bio: str) -> None:
    assert score_influence(replace(ANN, bio=bio), Engagement()) == score_influence(ANN, Engagement())


def test_a_sponsored_post_seen_by_80_000_carries_from_a_small_account() -> None:
    found = score_influence(Author("x", "1", followers=50), Engagement(views=80_000), sponsored=True)
    assert found.score > 0.6
    assert found.parts[0].because == "seen 80,000 times"


def test_nothing_known_is_no_influence() -> None:
    assert score_influence(Author("wechat", "1"), Engagement()).score == 0.0


def test_the_score_can_be_recomputed_from_its_parts() -> None:
    found = score_influence(replace(ANN, bio="journalist"), Engagement(views=500, likes=3))
    left = 1.0
    for part in found.parts:
        left *= 1 - part.weight * part.value
    assert found.score == pytest.approx(1 - left)
