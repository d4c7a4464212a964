"""The words that set a group of posts apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.telling import telling_words

OTHERS = [
    "The app is fine but the price went up again",
    "My order is not here and the price is high",
    "Why is the app so slow, my order is lost",
    "I like the shop but not the price",
    "the order the order the order",
]


def test_a_word_of_the_group_is_told_and_a_word_of_everybody_is_not() -> None:
    group = [
        "My kettle is leaking, and the price!",
        "The Kettle started leaking today",
        "kettle leaking onto the floor",
    ]
    found = telling_words(group, OTHERS, limit=3)
    assert set(found[:2]) == {"kettle", "leaking"}
    assert "the" not in found


def test_words_stand_as_they_are_mostly_written() -> None:
    assert telling_words(["Wasserkocher defekt", "Wasserkocher leckt", "wasserkocher"], [], limit=1) == (
        "Wasserkocher",
    )


@pytest.mark.parametrize(
    ("group", "others", "word"),
    [
        (["快递太慢", "快递三天没到", "等快递等了很久"], ["味道不错", "手机很好"], "快递"),
        (["返金されません", "返金はいつですか", "まだ返金がない"], ["部屋が狭い"], "返金"),
        (["배송이 늦어요", "배송이 안 와요", "배송이 어디"], ["맛이 없어요"], "배송이"),
        (["الشحنة متأخرة", "أين الشحنة", "الشحنة ضاعت"], ["الطعام بارد"], "الشحنة"),
        (["बैटरी खराब है", "बैटरी जल्दी खत्म", "नई बैटरी"], ["खाना ठंडा था"], "बैटरी"),
        (["Где мой чайник", "чайник сгорел", "чайник течёт"], ["нет связи"], "чайник"),
        (["รอพัสดุนานมาก", "พัสดุหาย", "พัสดุยังไม่มา"], ["อาหารอร่อย"], "พัสดุ"),
    ],
)
def test_every_script_has_words(group: list[str], others: list[str], word: str) -> None:
    assert word in telling_words(group, others, limit=3)


def test_of_strings_in_chinese_the_whole_is_told_and_no_part_of_it() -> None:
    found = telling_words(["退款退了半个月", "退了半个月没退款", "说好的退款呢半个月了"], ["手机很好"], limit=4)
    assert "半个月" in found
    assert not {"半个", "个月"} & set(found)


def test_handles_links_numbers_and_masks_are_no_words() -> None:
    post = "@helpdesk kettle https://shop.example/kettle-deal WH1000XM5 123456 [☎] me@example.org"
    assert telling_words([post, post + "!"], [], limit=9) == ("kettle",)


def test_a_number_in_chinese_swallows_no_words() -> None:
    assert "送到" in telling_words(["10点订12点才送到", "等了2小时送到", "下午3点送到"], ["味道不错"], limit=3)


def test_terms_of_the_brand_are_left_out() -> None:
    group = ["Yunfan kettle leaking", "yunfan Kettle leaking", "@Yunfan KETTLE leaking"]
    found = telling_words(group, [], limit=3, leave_out=["Yunfan", "@yunfan_help"])
    assert sorted(found) == ["kettle", "leaking"]
    assert "云帆" not in telling_words(["云帆水壶坏了", "云帆水壶漏水"], [], limit=5, leave_out=["云帆"])


def test_what_one_author_repeats_is_no_word_of_the_group() -> None:
    group = ["kettle zebra", "zebra zebra", "zebra again", "kettle too"]
    assert telling_words(group, [], limit=3, authors=["a", "a", "a", "b"]) == ("kettle",)


def test_two_forms_of_one_word_are_told_once() -> None:
    found = telling_words(["refund refunds", "refunds refund please", "refund, refunds"], [], limit=5)
    assert len([word for word in found if word.startswith("refund")]) == 1


def test_no_posts_and_no_words_give_nothing() -> None:
    assert telling_words([], [], limit=5) == ()
    assert telling_words(["", "!!!", "123"], ["the"], limit=5) == ()
    assert telling_words(["kettle", "kettle"], [], limit=0) == ()


@given(st.lists(st.text(max_size=60), max_size=6), st.lists(st.text(max_size=60), max_size=4))
def test_it_never_raises_and_what_it_tells_is_written_in_a_post(group: list[str], others: list[str]) -> None:
    found = telling_words(group, others, limit=4)
    assert len(found) <= 4
    assert len(set(found)) == len(found)
