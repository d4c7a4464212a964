from dataclasses import replace
from datetime import UTC, datetime

from alerts.grouping import held_fingerprints, wanted_fingerprints
from listener.model import Author, Mention

FIRST = Mention("x", "1", "lost", datetime(2026, 11, 20, tzinfo=UTC), Author("x", "42"), conversation_id="1")


def joins(later: Mention, first: Mention = FIRST, *, brand: str = "skybird", copy_root: int | None = None) -> bool:
    held = held_fingerprints(first, "skybird", 7)
    return bool(set(held) & set(wanted_fingerprints(later, brand, copy_root)))


def test_the_same_author_joins() -> None:
    assert joins(replace(FIRST, external_id="2", conversation_id="2"))


def test_another_brand_does_not() -> None:
    assert not joins(replace(FIRST, external_id="2"), brand="yunfan")


def test_an_answer_in_the_conversation_the_post_started_joins() -> None:
    assert joins(replace(FIRST, external_id="2", author=Author("x", "43"), reply_to_id="9"))


def test_two_strangers_under_the_brands_own_post_stay_apart() -> None:
    first = replace(FIRST, external_id="2", conversation_id="brand-post")
    other = replace(FIRST, external_id="3", conversation_id="brand-post", author=Author("x", "43"))
    assert not joins(other, first)


def test_a_direct_answer_joins_wherever_it_stands() -> None:
    first = replace(FIRST, external_id="2", conversation_id="brand-post")
    other = replace(FIRST, external_id="3", conversation_id="brand-post", author=Author("x", "43"), reply_to_id="2")
    assert joins(other, first)


def test_a_copy_joins_and_a_namesake_on_another_network_does_not() -> None:
    stranger = replace(FIRST, network="vk", external_id="2", author=Author("vk", "42"), conversation_id=None)
    assert joins(stranger, copy_root=7)
    assert not joins(stranger, copy_root=8)
