"""The index of words in the store: the same answers on both databases, and nothing in it that is gone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text as sql

from listener.model import Author, Classification, Mention, Page, Sentiment, Urgency, Watch, Withdrawn
from listener.searching import indexed, parse_query
from listener.store import Arrival, Store
from listener.store.browsing import AlertFilter, MentionFilter, Tally
from listener.store.classifying import Classified
from listener.store.engine import open_engine
from listener.store.search import first_place, fts_match, place_of, tsquery, tsvector
from listener.store.triage import NewAlert
from tests.databases import migrated_sqlite

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FOUND = Classification(
    "en", 0.9, Urgency.LOW, (0.1, 0.6, 0.2, 0.1), Sentiment.NEGATIVE, (0.8, 0.1, 0.1), "delivery", 0.7, {}, "m1"
)
TEXTS = (
    "my parcel is late again #BoycottAcme",
    "L'été dernier déjà, le colis était en retard",
    "Опять ёлка без доставки",
    "快递员很慢，投诉没有用",
    "無人接聽電話，我要退款",
    "配達が遅いアマゾン",
    "무료배송이 안 와요",
    "أريد إلغاء الشَّرِكَة فورا",
    "และการจัดส่งล่าช้ามาก",
    "ask @acme_support at www.shop.example 👍🏽",
    "it's late 'quoted' \"double\" \\back:slash & pipe|s",
    "",
)


def mention(number: int, text: str, **changes: object) -> Mention:
    author = Author("x", f"author-{number}", name=f"Renée {number}", handle=f"renee_{number}")
    return replace(Mention("x", str(number), text, NOW - timedelta(minutes=number), author), **changes)


def save(store: Store, *mentions: Mention, withdrawn: tuple[Withdrawn, ...] = (), brand: str = "acme") -> None:
    watch = Watch(f"x/FR/{brand}", "x", brand, "FR", ("fr",), (brand,))
    arrivals = [Arrival(item, "FR", item.external_id) for item in mentions]
    page = Page(mentions, "c", withdrawn=withdrawn)
    store.collecting.save_page(watch, page, arrivals, now=NOW, next_poll_at=NOW, max_age_s=None)


def found(store: Store, asked: str, **wanted: object) -> list[int]:
    rows = store.browsing.mentions(MentionFilter(text=asked, **wanted), sees=None).rows
    return [row.match_id for row in rows]


def classify(store: Store) -> None:
    waiting = store.classifying.waiting(100)
    store.classifying.save([Classified(item.mention_id, FOUND, None, (), item.text) for item in waiting], NOW)


def raise_alert(store: Store, match_id: int) -> int:
    new = NewAlert(
        match_id=match_id, brand="acme", country="FR", team="desk", severity=2, priority=0.5, topic="delivery",
        playbook=None, pilot=False, rules=[], posted_at=NOW, now_with="desk", respond_by=None, resolve_by=None,
    )  # fmt: skip
    with store.triage.transaction() as transaction:
        return transaction.open_alert(new, [], NOW).id


@pytest.fixture
def filled(store: Store) -> Store:
    """Each of TEXTS, numbered from 1."""
    save(store, *(mention(number, text) for number, text in enumerate(TEXTS, start=1)))
    return store


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("late", [1, 11]),
        ("LATE parcel", [1]),
        ("late -parcel", [11]),
        ("-late -renee", []),
        ("-late", [2, 3, 4, 5, 6, 7, 8, 9, 10, 12]),
        ("été deja", [2]),
        ('"le colis"', [2]),
        ('"colis le"', []),
        ("елка", [3]),
        ("достав*", [3]),
        ("достав", []),
        ("快递员", [4]),
        ("员", [4]),
        ("用", [4]),
        ("慢投", []),
        ("电话", [5]),
        ("我要退款", [5]),
        ("アマゾン", [6]),
        ("ア", [6]),
        ("배송", [7]),
        ("شركة", [8]),
        ("الغاء الشركة", [8]),
        ("จัดส่ง", [9]),
        ("@acme_support", [10]),
        ("@renee_3", [3]),
        ("Renee 3", [3]),
        ("#boycottacme", [1]),
        ("shop.example", [10]),
        ("👍", [10]),
        ("it's", [11]),
        ("€", []),
        ("pipe|s", [11]),
    ],
)
def test_a_query_finds_the_same_on_both_databases(filled: Store, asked: str, expected: list[int]) -> None:
    assert found(filled, asked) == expected


HOSTILE = (
    'NEAR("a" "b", 5)', "tokens : late", "late AND", "NOT", "(late", "late) OR (1", "^late", "{tokens} : a", "a + b",
    "late'; DROP TABLE mentions; --", "a & b | !c", "late:*", "late <-> parcel", "\\", "'", "''", '"late', 'late"x"',
    "\0", "la\0te", "\ud800", "*", "late**", "-*", "- - -", '-"', "x" * 10_000, '"a ' * 3_000, "-a " * 3_000, "%", "_",
    ":name", "?1", "\\'late", "|", "=alert", "rank:5", "\u202elate", "快* 递*", "@" * 99, "#" * 99, "a*" * 500,
)  # fmt: skip


@pytest.mark.parametrize("asked", HOSTILE, ids=range(len(HOSTILE)))
def test_no_query_is_an_error(filled: Store, asked: str) -> None:
    for typing in (False, True):
        wanted = MentionFilter(text=asked, typing=typing)
        filled.browsing.mentions(wanted, sees=None)
        filled.browsing.facets(wanted, sees=["FR"])
        filled.browsing.alerts(AlertFilter(text=asked, typing=typing), sees=None)
    assert found(filled, "parcel") == [1]


@settings(max_examples=150)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=8), st.text(max_size=12), st.data())
def test_fts_and_tsvector_agree_on_any_text(
    postgres_url: str, texts: list[str], asked: str, data: st.DataObject
) -> None:
    if data.draw(st.booleans()):
        one = data.draw(st.sampled_from(texts))
        start = data.draw(st.integers(0, len(one)))
        asked = one[start : start + data.draw(st.integers(1, 9))]
    query = parse_query(asked)
    if not query.wanted:
        return
    tokens = [indexed(text) for text in texts]
    assert on_sqlite(tokens, fts_match(query)) == on_postgresql(postgres_url, tokens, tsquery(query))


def on_sqlite(texts: list[list[str]], match: str) -> list[int]:
    engine = open_engine("sqlite://")
    try:
        with engine.begin() as connection:
            connection.execute(
                sql("CREATE VIRTUAL TABLE w USING fts5(tokens, columnsize=0, tokenize=\"ascii tokenchars '@#_.-|='\")")
            )
            rows = [{"id": number, "tokens": " ".join(tokens)} for number, tokens in enumerate(texts)]
            connection.execute(sql("INSERT INTO w (rowid, tokens) VALUES (:id, :tokens)"), rows)
            query = sql("SELECT rowid FROM w WHERE w MATCH :match ORDER BY rowid")
            return list(connection.scalars(query, {"match": match}))
    finally:
        engine.dispose()


def on_postgresql(url: str, texts: list[list[str]], query: str) -> list[int]:
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            same = sql("SELECT CAST(:tokens AS tsvector) @@ CAST(:query AS tsquery)")
            rows = [{"tokens": tsvector(tokens), "query": query} for tokens in texts]
            return [number for number, row in enumerate(rows) if connection.scalar(same, row)]
    finally:
        engine.dispose()


def test_an_edited_post_is_found_by_its_new_words_alone(filled: Store) -> None:
    save(filled, mention(1, "the lorry has come, thanks"))
    assert found(filled, "parcel") == []
    assert found(filled, "lorry") == [1]


def test_a_withdrawn_posts_words_leave_the_index(filled: Store) -> None:
    filled.withdrawals.withdraw([Withdrawn("x", "1")], NOW)
    assert found(filled, "parcel") == []
    assert found(filled, "@renee_1") == []
    assert "parcel" not in everything_kept(filled)


def everything_kept(store: Store) -> str:
    with store.search._engine.connect() as connection:
        return " ".join(connection.scalars(sql("SELECT CAST(tokens AS TEXT) FROM search_words")))


def test_a_post_that_its_source_says_is_gone_is_not_found(filled: Store) -> None:
    save(filled, withdrawn=(Withdrawn("x", "4"),))
    assert found(filled, "快递员") == []


def test_a_post_that_is_deleted_stays_unfound_whatever_a_page_still_shows(filled: Store) -> None:
    filled.withdrawals.withdraw([Withdrawn("x", "1")], NOW)
    save(filled, mention(1, TEXTS[0]))
    filled.search.rebuild()
    assert found(filled, "parcel") == []


def test_a_post_of_two_brands_is_found_for_each(filled: Store) -> None:
    save(filled, mention(1, TEXTS[0]), brand="bolt")
    assert len(found(filled, "parcel")) == 2
    assert len(found(filled, "parcel", brands=["bolt"])) == 1


def test_a_page_that_fails_leaves_nothing_in_the_index(filled: Store) -> None:
    naive = replace(mention(50, "whole lorry"), published_at=datetime(2026, 1, 1))
    with pytest.raises(Exception, match="naive"):
        save(filled, mention(49, "whole lorry"), naive)
    assert found(filled, "lorry") == []


def test_what_is_learned_of_a_post_is_filtered_by_at_once(filled: Store) -> None:
    assert found(filled, "late", topics=["delivery"]) == []
    classify(filled)
    assert found(filled, "late", topics=["delivery"]) == [1, 11]
    raise_alert(filled, 11)
    assert found(filled, "late", severities=[2]) == [11]


def test_an_edit_takes_back_what_was_learned(filled: Store) -> None:
    classify(filled)
    save(filled, mention(1, "the lorry has come, thanks"))
    row = filled.browsing.mention(1, sees=None)
    assert row is not None
    assert row.topic is None
    assert found(filled, "lorry", topics=["delivery"]) == []
    assert filled.browsing.facets(MentionFilter(text="lorry"), sees=None).values["topic"][0].value is None


def test_alerts_are_found_by_any_of_their_posts(filled: Store) -> None:
    classify(filled)
    alert_id = raise_alert(filled, 1)
    with filled.triage.transaction() as transaction:
        alert = transaction.alert(alert_id)
        assert alert is not None
        transaction.join_alert(
            alert, 4, copy=False, severity=2, priority=0.1, posted_at=NOW, fingerprints=[], now=NOW
        )  # fmt: skip
    for asked, expected in (("parcel", [alert_id]), ("快递员", [alert_id]), ("late -parcel", []), ("colis", [])):
        rows = filled.browsing.alerts(AlertFilter(text=asked), sees=None).rows
        assert [item.alert.id for item in rows] == expected


def test_a_common_word_is_found_page_by_page_in_order(store: Store) -> None:
    save(store, *(mention(number, f"common word {number % 7}") for number in range(1, 60)))
    numbers: list[int] = []
    before: str | None = None
    while True:
        page = store.browsing.mentions(MentionFilter(text="common"), sees=["FR"], limit=13, before=before)
        numbers += [row.match_id for row in page.rows]
        if (before := page.next) is None:
            break
    assert numbers == list(range(1, 60))
    assert store.browsing.facets(MentionFilter(text="common 3"), sees=None).total == Tally(9)


def test_more_than_a_few_are_found_the_other_way_with_the_same_result(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {asked: found(filled, asked) for asked in ("late", "renee", "renee -late", "快递员", "достав*")}
    monkeypatch.setattr("listener.store.browsing._FEW", 0)
    assert {asked: found(filled, asked) for asked in few} == few


def test_an_index_that_was_lost_is_built_again(filled: Store) -> None:
    classify(filled)
    raise_alert(filled, 1)
    filled.withdrawals.withdraw([Withdrawn("x", "2")], NOW)
    before = everything_kept(filled)
    with filled.search._engine.begin() as connection:
        connection.execute(sql("DELETE FROM listing"))
    assert everything_kept(filled) == ""
    assert found(filled, "") == []
    assert filled.search.rebuild() == len(TEXTS)
    assert everything_kept(filled) == before
    assert found(filled, "parcel", severities=[2], topics=["delivery"], outcomes=["waiting"]) == [1]
    assert [row.match_id for row in filled.browsing.mentions(MentionFilter(), sees=None).rows] == list(range(1, 13))


def test_an_index_without_some_words_catches_up_in_batches(filled: Store) -> None:
    with filled.search._engine.begin() as connection:
        connection.execute(sql("DELETE FROM search_words"))
    after: int | None = 0
    steps = 0
    while after is not None:
        after = filled.search.catch_up(after, limit=5)
        steps += 1
    assert steps == 3
    assert found(filled, "parcel") == [1]


def test_places_are_in_the_order_of_publication() -> None:
    moments = [datetime(1, 1, 1, tzinfo=UTC), NOW, NOW + timedelta(seconds=1), datetime(9999, 12, 31, tzinfo=UTC)]
    places = [place_of(moment, number) for moment in moments for number in (1, 2)]
    assert places == sorted(places)
    assert places[0] >= 0
    assert places[-1] < 2**63
    assert first_place(NOW) <= place_of(NOW, 1) < first_place(NOW + timedelta(seconds=1))


def test_a_file_that_is_damaged_only_in_its_index_is_not_read_further(tmp_path: Path) -> None:
    store = Store(migrated_sqlite(tmp_path))
    save(store, mention(1, TEXTS[0]))
    with store.search._engine.begin() as connection:
        connection.execute(sql("INSERT INTO search_words (search_words) VALUES ('rebuild')"))
        connection.execute(sql("INSERT INTO search_words (search_words) VALUES ('integrity-check')"))
    assert found(store, "parcel") == [1]
    store.close()
