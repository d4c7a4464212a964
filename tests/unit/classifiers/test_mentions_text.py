import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.text import MAX_CHARACTERS, clean, mask, words_only


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@Yunfan_FR my kettle", "@user my kettle"),
        ("thanks @a.b-c, bye", "thanks @user, bye"),
        ("see https://t.co/AbC123 now", "see http now"),
        ("see www.example.com/a?b=c", "see http"),
        ("@a @b @c hello", "@user hello"),
        ("[id123|Иван Петров], где заказ?", "@user, где заказ?"),
        ("[club77|Юньфань] ау", "@user ау"),
        ("@云帆客服\u2005水壶漏水", "@user 水壶漏水"),
        ("请问@yunfan客服在吗", "请问@user客服在吗"),
        ("@云帆客服你们的水壶漏水了怎么办", "@云帆客服你们的水壶漏水了怎么办"),
        ("write to me@example.com", "write to me@example.com"),
        ("看这里https://t.cn/A6x，谢谢", "看这里http，谢谢"),
    ],
)
def test_handles_and_links_are_masked(text: str, expected: str) -> None:
    assert mask(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00b\x1bc", "abc"),
        ("a\n\n\tb   c ", "a b c"),
        ("fish &amp; chips", "fish & chips"),
        ("lone \ud83d half", "lone half"),
        ("&#65;&#x42;&#67 &lt&amp;lt; &#0; &#1114112;", "ABC <&lt; \ufffd \ufffd"),
        ("refund &#" + "9" * 4301 + "; now", "refund \ufffd now"),
        ("&#x" + "f" * 9000 + ";", "\ufffd"),
        ("e\u0301te\u0301", "été"),
        ("a\u202eb\u200bc", "abc"),
        ("क्\u200dष", "क्\u200dष"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ],
)
def test_text_is_cleaned(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_control_characters_in_front_do_not_push_the_text_out() -> None:
    assert mask("\x00" * 10_000 + "broken") == "broken"


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=300))
def test_masking_any_text_gives_bounded_well_formed_text(text: str) -> None:
    masked = mask(text)
    assert len(masked) <= MAX_CHARACTERS * 2
    masked.encode("utf-8")
    assert not any(ord(character) < 32 for character in masked)


@pytest.mark.parametrize("unit", ["@", "@a", "http://", "[id1|", "#", " @a:", "@\u4e91", "&amp;", "a@", "@a@b"])
def test_masking_takes_no_time_on_repetitive_text(unit: str) -> None:
    started = time.process_time()
    mask(unit * 100_000)
    words_only(unit * 100_000)
    assert time.process_time() - started < 2.0


def test_only_words_remain_for_telling_the_language() -> None:
    assert words_only("@a look #wow https://x.y 你好 #話題#嗎") == "look 你好 嗎"
