"""What people look through: the same on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from listener.model import Author, Classification, Mention, Page, Sentiment, Urgency, Watch, Withdrawn
from listener.store import Arrival, Store
from listener.store.browsing import AlertFilter, IncidentFilter, MentionFilter, Tally
from listener.store.classifying import Classified
from listener.store.incidents import IncidentRow
from listener.store.triage import NewAlert

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ANSWER = Classification(
    "en", 0.9, Urgency.LOW, (0.1, 0.6, 0.2, 0.1), Sentiment.NEGATIVE, (0.8, 0.1, 0.1), "delivery", 0.7, {}, "m1"
)


def mention(number: int, text: str = "my parcel is late", **changes: object) -> Mention:
    author = Author("x", f"author-{number}", name=f"Ann {number}", handle=f"ann_{number}", followers=number)
    return replace(Mention("x", str(number), text, NOW - timedelta(minutes=number), author), **changes)


def save(store: Store, *mentions: Mention, country: str = "FR", brand: str = "acme") -> None:
    watch = Watch(f"x/{country}/{brand}", "x", brand, country, ("fr",), (brand,))
    arrivals = [Arrival(item, country, item.external_id) for item in mentions]
    store.collecting.save_page(watch, Page(mentions, "c"), arrivals, now=NOW, next_poll_at=NOW, max_age_s=None)


def classify(store: Store, found: Classification = ANSWER) -> None:
    waiting = store.classifying.waiting(100)
    store.classifying.save([Classified(item.mention_id, found, None, (), item.text) for item in waiting], NOW)


def decide(store: Store, match_id: int, outcome: str) -> None:
    with store.triage.transaction() as transaction:
        transaction.decided(match_id, outcome, priority=0.5, influence=0.1, velocity=0.0, now=NOW)


def raise_alert(store: Store, match_id: int | None, country: str = "FR", severity: int = 2, **changes: object) -> int:
    new = NewAlert(
        match_id=match_id, brand="acme", country=country, team="desk", severity=severity, priority=0.5,
        topic="delivery", playbook=None, pilot=False, rules=[], posted_at=NOW, now_with="desk",
        respond_by=NOW + timedelta(hours=1), resolve_by=None,
    )  # fmt: skip
    with store.triage.transaction() as transaction:
        if match_id is not None:
            transaction.decided(match_id, "raised", priority=0.5, influence=0.1, velocity=0.0, now=NOW)
        return transaction.open_alert(replace(new, **changes), [], NOW).id


def shown(store: Store, sees: list[str] | None = None, **wanted: object) -> list[int]:
    """Return the posts of a list by their numbers, gone through in pages of two."""
    found: list[int] = []
    before: str | None = None
    while True:
        page = store.browsing.mentions(MentionFilter(**wanted), sees=sees, limit=2, before=before)
        found += [row.match_id for row in page.rows]
        before = page.next
        if before is None:
            return found


def tallies(store: Store, facet: str, sees: list[str] | None = None, **wanted: object) -> dict[object, int]:
    facets = store.browsing.facets(MentionFilter(**wanted), sees=sees)
    return {one.value: one.tally.count for one in facets.values[facet]}


@pytest.fixture
def filled(store: Store) -> Store:
    """Posts 1 to 3 of France and 4 to 5 of Germany are classified; 6 waits."""
    save(store, mention(1), mention(2, "the invoice is wrong"), mention(3, "great"))
    save(store, mention(4), mention(5, "nobody answers"), country="DE")
    classify(store)
    save(store, mention(6, "where are you"), country="DE", brand="bolt")
    decide(store, 2, "quiet")
    raise_alert(store, 1, severity=3)
    raise_alert(store, 4, country="DE")
    return store


def test_posts_are_shown_the_latest_first_page_by_page(filled: Store) -> None:
    assert shown(filled) == [1, 2, 3, 4, 5, 6]


def test_posts_of_one_moment_are_shown_once_each(store: Store) -> None:
    save(store, *(mention(number, published_at=NOW) for number in range(1, 6)))
    assert shown(store) == [5, 4, 3, 2, 1]


def test_nobody_sees_another_countrys_posts(filled: Store) -> None:
    assert shown(filled, ["FR"]) == [1, 2, 3]
    assert shown(filled, ["FR"], countries=["DE"]) == []
    assert shown(filled, []) == []
    assert filled.browsing.mention(4, sees=["FR"]) is None
    assert tallies(filled, "country", ["FR"]) == {"FR": 3}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"countries": ["DE"]}, [4, 5, 6]),
        ({"brands": ["bolt"]}, [6]),
        ({"networks": ["vk"]}, []),
        ({"languages": ["en"]}, [1, 2, 3, 4, 5]),
        ({"topics": ["delivery"], "countries": ["FR"]}, [1, 2, 3]),
        ({"sentiments": ["positive"]}, []),
        ({"urgencies": [1]}, [1, 2, 3, 4, 5]),
        ({"outcomes": ["waiting"]}, [3, 5, 6]),
        ({"outcomes": ["quiet", "raised"]}, [1, 2, 4]),
        ({"severities": [3]}, [1]),
        ({"alert_id": 2}, [4]),
        ({"author_id": 5}, [5]),
        ({"since": NOW - timedelta(minutes=3)}, [1, 2, 3]),
        ({"until": NOW - timedelta(minutes=3)}, [4, 5, 6]),
        ({"text": "invoice"}, [2]),
        ({"text": "parcel late", "countries": ["DE"]}, [4]),
        ({"text": "nothing like it"}, []),
    ],
)
def test_filters_narrow_a_list_together(filled: Store, wanted: dict[str, object], expected: list[int]) -> None:
    assert shown(filled, **wanted) == expected


def test_a_row_says_all_that_a_list_shows(filled: Store) -> None:
    row = filled.browsing.mentions(MentionFilter(), sees=None).rows[0]
    assert (row.author_name, row.author_handle, row.author_followers) == ("Ann 1", "ann_1", 1)
    assert (row.text, row.language, row.complaint, row.topic) == ("my parcel is late", "en", 0.9, "delivery")
    assert (row.outcome, row.alert_id, row.alert_state, row.severity) == ("raised", 1, "open", 3)
    assert (row.published_at, row.collected_at) == (NOW - timedelta(minutes=1), NOW)


def test_a_post_that_waits_has_no_classification(filled: Store) -> None:
    row = filled.browsing.mention(6, sees=None)
    assert row is not None
    assert (row.language, row.complaint, row.outcome, row.alert_id) == (None, None, None, None)


def test_a_list_shows_the_beginning_of_a_long_post_and_a_page_all_of_it(store: Store) -> None:
    save(store, mention(1, "w" * 1000))
    row = store.browsing.mentions(MentionFilter(), sees=None).rows[0]
    whole = store.browsing.mention(1, sees=None)
    assert whole is not None
    assert (len(row.text), row.cut) == (400, True)
    assert (len(whole.text), whole.cut) == (1000, False)


def test_a_deleted_post_shows_no_text_and_is_not_found_by_it(filled: Store) -> None:
    filled.withdrawals.withdraw([Withdrawn("x", "2")], NOW)
    row = filled.browsing.mention(2, sees=None)
    assert row is not None
    assert (row.text, row.fate, row.is_deleted) == ("", "deleted", True)
    assert shown(filled, text="invoice") == []
    assert shown(filled, outcomes=["quiet"]) == [2]


def test_drills_are_left_out_unless_asked_for(store: Store) -> None:
    author = Author("drill", "1")
    save(store, mention(1), mention(2, network="drill", author=author))
    assert shown(store) == [1]
    assert shown(store, drills=True) == [1, 2]


def test_facets_count_what_a_list_holds(filled: Store) -> None:
    assert tallies(filled, "country") == {"FR": 3, "DE": 3}
    assert tallies(filled, "topic") == {"delivery": 5, None: 1}
    assert tallies(filled, "outcome") == {"waiting": 3, "raised": 2, "quiet": 1}
    assert tallies(filled, "severity") == {None: 4, 3: 1, 2: 1}
    assert tallies(filled, "brand", text="parcel") == {"acme": 2}


def test_a_facet_that_is_filtered_by_counts_as_if_it_were_not(filled: Store) -> None:
    assert tallies(filled, "country", countries=["FR"]) == {"FR": 3, "DE": 3}
    assert tallies(filled, "brand", countries=["FR"]) == {"acme": 3}
    assert filled.browsing.facets(MentionFilter(countries=["FR"]), sees=None).total == Tally(3)


def test_beyond_the_latest_so_many_posts_a_count_says_that_there_are_more(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listener.store.browsing.MOST_COUNTED", 4)
    facets = filled.browsing.facets(MentionFilter(), sees=None)
    assert facets.total == Tally(4, exact=False)
    assert [(one.value, one.tally) for one in facets.values["country"]] == [
        ("FR", Tally(3, exact=False)),
        ("DE", Tally(1, exact=False)),
    ]
    assert filled.browsing.facets(MentionFilter(countries=["FR"]), sees=None).total == Tally(3)


@pytest.mark.parametrize(
    "before",
    ["", "x", "1", "1.2.3", "-", "9" * 40, "1.٣", "²", "-5.-5", "\0", *map(str, (2**63 - 1, 2**63, -(2**63) - 1)),
     f"{2**31}.1", f"1.{2**63}"],
)  # fmt: skip
def test_a_start_that_no_page_has_is_no_error(filled: Store, before: str) -> None:
    filled.browsing.mentions(MentionFilter(), sees=None, before=before)
    filled.browsing.alerts(AlertFilter(), sees=None, before=before)
    filled.browsing.alerts(AlertFilter(latest_first=False), sees=None, before=before)
    filled.browsing.incidents(IncidentFilter(), sees=None, before=before)


def alerts(store: Store, sees: list[str] | None = None, **wanted: object) -> list[int]:
    found: list[int] = []
    before: str | None = None
    while True:
        page = store.browsing.alerts(AlertFilter(**wanted), sees=sees, limit=1, before=before)
        found += [item.alert.id for item in page.rows]
        before = page.next
        if before is None:
            return found


def change(store: Store, alert_id: int, **values: object) -> None:
    with store.alerts.transaction() as transaction:
        transaction.change(alert_id, NOW, **values)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [2, 1]),
        ({"latest_first": False}, [1, 2]),
        ({"countries": ["FR"]}, [1]),
        ({"severities": [2]}, [2]),
        ({"teams": ["desk"]}, [2, 1]),
        ({"teams": ["night"]}, []),
        ({"states": ["claimed"]}, [2]),
        ({"unowned": True}, [1]),
        ({"owner": "Bea"}, []),
        ({"owner": "Bea", "owner_address": "slack:U1"}, [2]),
        ({"live": True, "topics": ["delivery"], "kinds": ["post"]}, [2, 1]),
        ({"overdue_at": NOW + timedelta(hours=2)}, [1]),
        ({"since": NOW + timedelta(seconds=1)}, []),
        ({"text": "#2"}, [2]),
        ({"text": "#99999999999999999999"}, []),
        ({"text": "A-2"}, [2]),
        ({"text": " a-2 "}, [2]),
        ({"text": "I-2"}, []),
        ({"text": "parcel"}, [2, 1]),
        ({"text": "invoice"}, []),
    ],
)
def test_filters_narrow_alerts_together(filled: Store, wanted: dict[str, object], expected: list[int]) -> None:
    change(filled, 2, state="claimed", owner="Bea", owner_address="slack:U1", claimed_at=NOW)
    assert alerts(filled, **wanted) == expected


def test_nobody_sees_another_countrys_alerts(filled: Store) -> None:
    assert alerts(filled, ["DE"]) == [2]
    assert filled.browsing.alert(1, sees=["DE"]) is None
    assert alerts(filled, ["DE"], text="#1") == []


def test_an_alert_comes_with_the_post_on_its_card(filled: Store) -> None:
    item = filled.browsing.alert(1, sees=None)
    assert item is not None
    assert (item.author_name, item.text, item.language, item.network) == ("Ann 1", "my parcel is late", "en", "x")


def open_incident(store: Store, country: str = "FR") -> int:
    alert_id = raise_alert(store, None, country=country, severity=4, kind="incident")
    with store.incidents.transaction() as transaction:
        row = IncidentRow(alert_id, "acme", country, "delivery", False, NOW, NOW, None)
        transaction.add_incident(row, '{"kind":"incident"}')
    return alert_id


def test_incidents_come_with_their_card(filled: Store) -> None:
    first, second = open_incident(filled), open_incident(filled, "DE")
    with filled.incidents.transaction() as transaction:
        transaction.update_incident(first, ended_at=NOW)
    page = filled.browsing.incidents(IncidentFilter(), sees=None, limit=1)
    assert [item.alert.id for item in page.rows] == [second]
    rest = filled.browsing.incidents(IncidentFilter(), sees=None, limit=1, before=page.next)
    assert [(item.incident.alert_id, item.facts, rest.next) for item in rest.rows] == [
        (first, '{"kind":"incident"}', None)
    ]
    lasting = filled.browsing.incidents(IncidentFilter(lasting=True), sees=None)
    assert [item.alert.id for item in lasting.rows] == [second]
    assert filled.browsing.incidents(IncidentFilter(), sees=["ES"]).rows == []
    assert filled.browsing.incident(first, sees=["DE"]) is None


def test_the_first_page_counts_what_is_to_be_done(filled: Store) -> None:
    open_incident(filled)
    change(filled, 2, state="claimed", owner="Bea", owner_address="slack:U1", claimed_at=NOW)
    counts = filled.browsing.counts(sees=None, now=NOW + timedelta(hours=2), owner="Bea", owner_address="slack:U1")
    assert counts.live == {4: 1, 3: 1, 2: 1}
    assert (counts.unowned, counts.mine, counts.overdue, counts.snoozed) == (2, 1, 2, 0)
    assert (counts.incidents, counts.raised_today, counts.mentions_today) == (1, 3, Tally(6))


def test_the_first_page_counts_only_what_its_reader_may_see(filled: Store) -> None:
    counts = filled.browsing.counts(sees=["DE"], now=NOW)
    assert (counts.live, counts.mine, counts.mentions_today) == ({2: 1}, 0, Tally(3))
    assert filled.browsing.counts(sees=[], now=NOW).live == {}
