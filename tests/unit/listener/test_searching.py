"""What texts are searched by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.searching import (
    GAP,
    MOST_CHARACTERS,
    MOST_TERMS,
    MOST_TOKENS,
    Query,
    Term,
    found_in,
    indexed,
    parse_query,
)

SCRIPTS = st.text(
    st.sampled_from("ab1 éñßёйЖшπ快递员电話かナ配무료การ่ส้ကြာល្អالشرِكةبֹניתद्वि👍🏽❤️@#.-_'\"*|=\\‍\u00a0\u0640\n,!€")
    | st.characters()
)


def body(text: str) -> list[str]:
    tokens = indexed(text)
    return tokens[: tokens.index(GAP)] if GAP in tokens else tokens


def holds(text: str, asked: str) -> bool:
    """Look a query up in one text as an index does."""
    query, tokens = parse_query(asked), indexed(text)
    if query.is_hopeless:
        return False
    return all(_stands(term, tokens) for term in query.wanted) and not any(
        _stands(term, tokens) for term in query.unwanted
    )


def _stands(term: Term, tokens: list[str]) -> bool:
    def same(token: str, wanted: str, is_last: bool) -> bool:
        return token.startswith(wanted) if is_last and term.is_prefix else token == wanted

    if len(term.tokens) == 1:
        return any(same(token, one, True) for token in tokens for one in (*term.tokens, *term.forms))
    last = len(term.tokens) - 1
    return any(
        all(same(tokens[start + place], one, place == last) for place, one in enumerate(term.tokens))
        for start in range(len(tokens) - last)
    )


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("L'été à la plage", "ete"),
        ("l'ete a la plage", "été"),
        ("Straße gesperrt", "STRASSE"),
        ("ЁЛКА привезли", "елка"),
        ("ждём ответа", "ждем"),
        ("Ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("the oﬃce", "office"),
        ("İstanbul", "istanbul"),
        ("快递员很慢，投诉", "快递员"),
        ("快递员很慢，投诉", "员"),
        ("快递员很慢，投诉", "诉"),
        ("快递员很慢，投诉", "很慢"),
        ("無人接聽電話", "接听电话"),
        ("无人接听电话", "電話"),
        ("配達が遅いアマゾン", "アマゾン"),
        ("配達が遅いｱﾏｿﾞﾝ", "アマゾン"),
        ("무료배송 이 안 와요", "배송"),
        ("무료 배송이 안 와요", "무료배송"),
        ("การจัดส่งล่าช้ามาก", "จัดส่ง"),
        ("ການຈັດສົ່ງຊ້າ", "ຈັດສົ່ງ"),
        ("ការដឹកជញ្ជូនយឺត", "ដឹកជញ្ជូន"),
        ("ပို့ဆောင်မှုနောက်ကျ", "နောက်ကျ"),
        ("वितरण में देरी हुई", "देरी"),
        ("أُرِيدُ الشَّرِكَةَ", "شركة"),
        ("شركه سيئة", "الشركة"),
        ("وللشركة رأي", "شركة"),
        ("والشركة لا ترد", "الشركة"),
        ("بشركة كبيرة", "شركة"),
        ("شـــركة", "شركة"),
        ("إلى أين", "الى اين"),
        ("הבנק לא עונה", "בנק"),
        ("שָׁלוֹם", "שלום"),
        ("طلب رقم ١٢٣", "123"),
        ("order 48213 is late", "48213"),
        ("call 0800-123", "0800-123"),
        ("ask @Acme_Support.", "@acme_support"),
        ("ask @Acme_Support.", "acme support"),
        ("stop #BoycottAcme now", "#boycottacme"),
        ("stop #BoycottAcme now", "boycott"),
        ("#快递太慢# 投诉", "快递太慢"),
        ("see https://www.Shop.example:443/a?b=c", "shop.example"),
        ("www.shop.example is down", "shop"),
        ("so good 👍🏽", "👍"),
        ("I ❤️ it", "❤"),
        ("don't call", "don't"),
        ("don’t call", '"don t call"'),
        ("parcel delivered", "deliv*"),
        ("parcel delivered", '"parcel deliv"*'),
        ("my parcel is late", '"parcel is late"'),
        ("my parcel is late", "late -early"),
        ("acme快递很慢", "acme快递"),
        ("快acme", '"快 acme"'),
        ("зʼявився знову", "з'явився"),
    ],
)  # fmt: skip
def test_what_is_found_however_it_is_written(text: str, asked: str) -> None:
    assert holds(text, asked)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("мой заказ", "мои"),
        ("快递很慢", "快慢"),
        ("快递很慢", "递快"),
        ("my parcel is late", '"late parcel"'),
        ("my parcel is late", "parcel -late"),
        ("my parcel is late", "par"),
        ("ask acme", "@acme"),
        ("see https://t.co/abcd", "t.co"),
        ("see https://shop.example/wrong", "wrong"),
        ("بنك جديد", "نك"),
        ("anything", "€"),
        ("delivered", "d*"),
    ],
)
def test_what_is_not_found(text: str, asked: str) -> None:
    assert not holds(text, asked)


def test_an_author_is_found_by_name_and_handle() -> None:
    tokens = indexed("late", "Жанна Петро́ва", "Jeanne_P")
    assert {"жанна", "петрова", "jeanne", "@jeanne_p"} <= set(tokens)


def test_no_phrase_reaches_from_a_text_into_its_author() -> None:
    assert indexed("so late", "Ann") == ["so", "late", GAP, "ann"]


def test_the_last_word_may_go_on_while_somebody_types() -> None:
    assert parse_query("parcel del", typing=True).wanted == (Term(("parcel",)), Term(("del",), is_prefix=True))
    assert parse_query("parcel del ", typing=True).wanted == (Term(("parcel",)), Term(("del",)))
    assert parse_query('"parcel del"', typing=True).wanted == (Term(("parcel", "del")),)


@pytest.mark.parametrize("asked", ["", "  ", "\t\n", "*", "***", '"', '""', "-", "--", "#", "@", '"" ""', "\0"])
def test_nothing_said_asks_for_nothing(asked: str) -> None:
    assert parse_query(asked) == Query()
    assert parse_query(asked).is_empty


@pytest.mark.parametrize("asked", ["€", "!!!", "()", "|", "\\", "'", "،", "。"])
def test_what_no_index_holds_finds_nothing(asked: str) -> None:
    assert parse_query(asked).is_hopeless


@pytest.mark.parametrize(
    "asked",
    [
        'NEAR("a" b, 3)',
        "tokens:x",
        "a AND OR NOT b",
        "a' OR 1=1 --",
        "^a",
        "{a}",
        "a & !b <-> c:*",
        '"' * 999,
        "(" * 999,
    ],
)
def test_operators_of_databases_are_words_or_nothing(asked: str) -> None:
    for term in (*parse_query(asked).wanted, *parse_query(asked).unwanted):
        assert all(token == indexed(token)[0] for token in term.tokens)


@given(SCRIPTS)
def test_words_have_no_blanks_and_no_signs_of_query_languages(text: str) -> None:
    for token in indexed(text, text, text):
        assert token
        assert len(token) <= MOST_CHARACTERS
        assert token == GAP or not set(token) & set(" \t\n\0\"'*|=\\():&!<>")


@given(SCRIPTS)
def test_any_text_is_a_query(text: str) -> None:
    query = parse_query(text)
    assert len(query.wanted) + len(query.unwanted) <= MOST_TERMS
    assert all(term.tokens for term in (*query.wanted, *query.unwanted))


@given(st.lists(st.sampled_from("快递员很慢投诉电話かナ配無料무료배송การ"), min_size=1, max_size=30), st.data())
def test_any_part_of_a_sentence_without_spaces_is_found(sentence: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(sentence) - 1))
    end = data.draw(st.integers(start + 1, len(sentence)))
    assert holds("".join(sentence), "".join(sentence[start:end]))


@given(
    st.lists(
        st.sampled_from(["parcel", "été", "ёлка", "快递员", "الشركة", "배송", "@ann", "#x1", "42", "👍"]), min_size=1
    )
)
def test_a_post_is_found_by_each_of_its_words(said: list[str]) -> None:
    assert holds(" ".join(said), " ".join(said[:MOST_TERMS]))


@given(SCRIPTS)
def test_writing_a_text_in_capitals_changes_nothing(text: str) -> None:
    plain = "".join(character for character in text if character.upper().casefold() == character.casefold())
    assert body(plain.upper()) == body(plain)


def test_a_very_long_text_is_indexed_by_its_beginning() -> None:
    assert len(indexed("word " * 50_000)) == MOST_TOKENS
    assert indexed("w" * 1000) == ["w" * MOST_CHARACTERS]


def test_a_very_long_query_ends_at_once() -> None:
    assert len(parse_query("-a* " * 10_000).unwanted) == 1
    assert len(parse_query(" ".join(f"w{number}" for number in range(10_000))).wanted) == MOST_TERMS
    assert parse_query("*" * 10_000).is_empty


@pytest.mark.parametrize(
    ("text", "asked", "marked"),
    [
        ("My parcel, the PARCEL!", "parcel", ["parcel", "PARCEL"]),
        ("parcels and parcel", "parcel", ["parcel"]),
        ("parcels and parcel", "parc*", ["parcels", "parcel"]),
        ("so, my -- parcel is late", '"my parcel"', ["my -- parcel"]),
        ("L\u0027e\u0301te\u0301 dernier", "été", ["e\u0301te\u0301"]),
        ("Straße", "strasse", ["Straße"]),
        ("投诉快递员很慢", "快递员", ["快递员"]),
        ("投訴 快遞 員很慢", "快递员", ["快遞 員"]),
        ("快递员", "员", ["员"]),
        ("快acme慢", "acme", ["acme"]),
        ("قالت والشَّرِكَة أمس", "شركة", ["والشَّرِكَة"]),
        ("وشركة", "شركة", ["وشركة"]),
        ("ask @Acme_x now", "@acme_x", ["@Acme_x"]),
        ("การจัดส่งล่าช้า", "จัดส่ง", ["จัดส่ง"]),
        ("late late", "late -parcel", ["late", "late"]),
        ("nothing", "€", []),
    ],
)
def test_what_was_found_can_be_marked(text: str, asked: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in found_in(text, parse_query(asked))] == marked


@given(SCRIPTS, SCRIPTS)
def test_marks_lie_in_the_text_one_after_the_other(text: str, asked: str) -> None:
    spans = found_in(text, parse_query(asked))
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= start < end <= len(text) for start, end in spans)
