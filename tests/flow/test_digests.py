"""Digests of a real store: each reader's week once, whatever the clocks, restarts and other daemons do meanwhile."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.card import DigestFile, DigestMessage
from listener.clock import FixedClock
from listener.digest import sending
from listener.digest.json_file import load
from listener.digest.making import Maker
from listener.digest.model import Digest
from listener.digest.sending import DigestStep
from listener.digest.weeks import Week
from listener.errors import DigestError
from listener.model import Sentiment
from listener.pipeline.announce import Announcer
from listener.pipeline.cards import CardBuilder
from listener.pipeline.escalate import Escalator
from listener.pipeline.incidents import IncidentStep
from listener.pipeline.tally import Tally
from listener.pipeline.triage import TriageStep
from listener.pipeline.workplaces import Workplaces
from listener.store import Store
from playbooks.library import PlaybookLibrary
from tests.databases import new_database
from tests.digest_room import BOARD, FORGOTTEN, MONDAY, WEEK, Room, open_room, read_config

TUESDAY = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
HOUR, DAY, A_WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
SECOND = timedelta(seconds=1)
Open = Callable[..., Room]


@pytest.fixture
def open_one(tmp_path: Path) -> Iterator[Open]:
    opened: list[Room] = []

    def made(digests: str = BOARD, url: str = "") -> Room:
        opened.append(open_room(tmp_path, digests, url))
        return opened[-1]

    yield made
    for one in opened:
        one.store.close()


@pytest.fixture
def room(open_one: Open) -> Room:
    """One reader in Paris, who sees France, and one post of that week."""
    opened = open_one()
    opened.post("acme kettle broke", TUESDAY, complaint=0.9)
    return opened


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def digests(room: Room, receiver: str | None = None) -> list[DigestMessage]:
    return [one for one in room.messages(receiver) if isinstance(one, DigestMessage)]


def kept(room: Room, reader: str = "board", week: Week = WEEK) -> Digest:
    made = room.store.digests.made(reader, str(week))
    assert made is not None
    return load(made[1])


# When


def test_a_digest_is_made_at_the_readers_time_on_monday_and_once(room: Room) -> None:
    assert room.run_at(MONDAY - SECOND) == 0
    assert room.run_at(MONDAY) == 1
    for later in (timedelta(), HOUR, DAY, 6 * DAY):
        assert room.run_at(MONDAY + later) == 0
    assert [one.week for one in digests(room)] == ["2026-W46"]
    assert kept(room).spoken.mentions.value == 1
    assert kept(room).complete


def test_a_reader_in_tokyo_waits_until_the_week_is_over_on_the_west_coast(open_one: Open) -> None:
    reader = "  far: {receivers: [log], timezone: Asia/Tokyo, countries: [JP, US]}\n  near: {receivers: [log], timezone: Asia/Tokyo, countries: [JP]}"  # noqa: E501
    room = open_one(reader)
    room.post("acme", TUESDAY, country="US")
    room.post("acme, the last minute", at("2026-11-15T23:59-08:00"), country="US")
    assert room.run_at(at("2026-11-16T08:00+09:00")) == 1
    assert (room.weeks("near"), room.weeks("far")) == (["2026-W46"], [])
    assert room.run_at(at("2026-11-16T16:59+09:00")) == 0
    assert room.run_at(at("2026-11-16T17:00+09:00")) == 1
    assert kept(room, "far").spoken.mentions.value == 2


@pytest.mark.parametrize(
    ("zone", "time", "week"),
    [
        ("Europe/Paris", "02:30", "2026-W13"), ("Europe/Paris", "02:30", "2026-W43"),
        # Clocks that change on Monday itself skip this time, or show it twice.
        ("Europe/Istanbul", "03:30", "2014-W13"), ("Antarctica/Vostok", "01:30", "2023-W50"),
    ],
)  # fmt: skip
def test_a_change_of_clocks_neither_loses_nor_repeats_a_digest(open_one: Open, zone: str, time: str, week: str) -> None:
    room = open_one(f'  board: {{receivers: [log], timezone: {zone}, at: "{time}", countries: [FR]}}')
    wanted = Week.parse(week)
    start, end = wanted.span(zone)
    room.post("acme", start + DAY)
    made = [room.run_at(end - DAY + number * HOUR / 2) for number in range(2 * 48)]
    assert sum(made) == 1
    assert room.weeks() == [week]


def test_a_daemon_that_was_down_on_monday_sends_on_tuesday_and_once(room: Room) -> None:
    assert room.run_at(MONDAY + DAY + 3 * HOUR) == 1
    assert room.run_at(MONDAY + 2 * DAY) == 0
    assert [one.week for one in digests(room)] == ["2026-W46"]


def test_a_daemon_that_was_down_for_two_weeks_sends_the_last_one_alone(room: Room) -> None:
    room.run_at(MONDAY)
    room.post("acme, much later", MONDAY + 2 * A_WEEK + DAY)
    assert room.run_at(MONDAY + 3 * A_WEEK + HOUR) == 1
    assert room.run_at(MONDAY + 3 * A_WEEK + 2 * HOUR) == 0
    assert room.weeks() == ["2026-W46", "2026-W49"]


def test_a_clock_that_went_back_sends_nothing_again(room: Room) -> None:
    room.run_at(MONDAY)
    room.run_at(MONDAY + A_WEEK)
    for back in (HOUR, DAY, 6 * DAY, A_WEEK):
        assert room.run_at(MONDAY + A_WEEK - back) == 0
    assert len(digests(room)) == 2
    assert room.run_at(MONDAY + A_WEEK + HOUR) == 0


def test_there_is_no_digest_of_weeks_before_the_first_collection(open_one: Open) -> None:
    room = open_one()
    assert room.run_at(MONDAY) == 0
    room.post("acme, an old post", TUESDAY, collected_at=MONDAY)
    assert room.run_at(MONDAY + HOUR) == 0
    assert room.run_at(MONDAY + A_WEEK) == 1
    assert room.weeks() == ["2026-W47"]


def test_posts_that_wait_for_the_classifier_hold_a_digest_for_three_hours_at_most(room: Room) -> None:
    room.post("acme, unread", TUESDAY, is_read=False)
    assert room.run_at(MONDAY) == 0
    assert room.run_at(MONDAY + 3 * HOUR - SECOND) == 0
    assert room.run_at(MONDAY + 3 * HOUR) == 1
    assert kept(room).spoken.mentions.value == 1


def test_watches_that_are_behind_hold_a_digest_for_a_quarter_of_an_hour(room: Room) -> None:
    room.clock.advance(DAY.total_seconds())
    step = room.step()
    room.polled(MONDAY - 3 * DAY)
    assert step.run() == 0
    room.clock.advance(15 * 60 - 1)
    assert step.run() == 0
    room.polled(MONDAY + DAY)
    assert step.run() == 1


def test_a_watch_that_stays_away_holds_no_digest_for_longer(room: Room) -> None:
    step = room.step()
    room.polled(MONDAY - 3 * DAY)
    assert step.run() == 0
    room.clock.advance(15 * 60)
    assert step.run() == 1


def test_a_digest_goes_as_soon_as_all_of_its_week_is_read(room: Room) -> None:
    room.post("acme, unread", TUESDAY, is_read=False)
    room.post("acme, this week's", MONDAY - HOUR, is_read=False)
    assert room.run_at(MONDAY) == 0
    room.read(MONDAY + HOUR, complaint=0.9)
    room.post("acme, of this week", MONDAY + HOUR, is_read=False)
    assert room.run_at(MONDAY + HOUR) == 1
    assert kept(room).spoken.mentions.value == 2


def test_late_posts_stand_in_the_next_weeks_errata(room: Room) -> None:
    room.run_at(MONDAY)
    room.post("acme, found late", TUESDAY, collected_at=MONDAY + HOUR)
    room.post("acme, read late", TUESDAY, classified_at=MONDAY + HOUR)
    room.post("acme, of the other week", MONDAY + DAY)
    room.post("acme elsewhere, found late", TUESDAY, country="JP", collected_at=MONDAY + HOUR)
    room.run_at(MONDAY + A_WEEK)
    errata = kept(room, week=Week.parse("2026-W47")).errata
    assert (errata.week, errata.said, errata.late, errata.now) == ("2026-W46", 1, 2, 3)
    (first, second) = digests(room)
    assert first.summary != second.summary


# Two daemons, restarts


def test_two_daemons_at_once_send_one_digest(tmp_path: Path, postgres_url: str) -> None:
    url = new_database(postgres_url)
    readers = f"{BOARD}\n  france: {{receivers: [log, hook], timezone: Europe/Paris, countries: [FR]}}"
    rooms = [open_room(tmp_path, readers, url) for _ in range(2)]
    for number in range(6):
        rooms[0].post(f"acme kettle broke {number}", TUESDAY, complaint=0.9)
    ready = threading.Barrier(2)
    made: list[int] = []

    class Slow(Maker):
        def make(self, *arguments: Any, **more: Any) -> Digest:
            digest = super().make(*arguments, **more)
            ready.wait(30)  # neither is written before both are made
            return digest

    def run(room: Room) -> None:
        made.append(room.step(lambda maker: Slow(room.config, room.store)).run())

    threads = [threading.Thread(target=run, args=(room,)) for room in rooms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(made) == 2
    assert (rooms[0].weeks("board"), rooms[0].weeks("france")) == (["2026-W46"], ["2026-W46"])
    assert (len(digests(rooms[0], "log")), len(digests(rooms[0], "hook"))) == (2, 1)
    for room in rooms:
        room.store.close()


def test_a_restart_between_making_and_sending_keeps_the_digest(room: Room, open_one: Open) -> None:
    room.run_at(MONDAY)
    room.store.close()
    again = open_one()
    assert again.run_at(MONDAY + HOUR) == 0
    (message,) = digests(again, "log")
    assert message.week == "2026-W46"
    item = again.store.outbox.claim("log", again.clock.now(), timedelta(minutes=1))
    assert item is not None
    assert item.kind == "digest"


def test_a_daemon_that_dies_while_it_writes_leaves_nothing_and_makes_it_anew(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    class DeadError(BaseException):
        """The process ends."""

    step = room.step()
    with monkeypatch.context() as patched:
        patched.setattr(DigestStep, "_parts", lambda *_: (_ for _ in ()).throw(DeadError))
        with pytest.raises(DeadError):
            step.run()
    assert room.weeks() == []
    assert room.messages() == []
    assert room.run_at(MONDAY) == 1


# What goes wrong


def test_a_pdf_that_cannot_be_made_does_not_lose_the_digest(open_one: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    room = open_one("  board: {receivers: [desk, mail, log], timezone: Europe/Paris, countries: [FR]}")
    room.post("acme kettle broke", TUESDAY)

    def refuse(document: object) -> bytes:
        raise DigestError("no fonts")

    monkeypatch.setattr(sending, "pdf", refuse)
    assert room.run_at(MONDAY) == 1
    assert [one.pdf for one in digests(room)] == ["", "", ""]
    assert not any(isinstance(one, DigestFile) for one in room.messages())
    assert all(one.summary for one in digests(room))


def test_a_machine_without_room_for_the_pdf_does_not_lose_the_digest(
    open_one: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = open_one("  board: {receivers: [mail], timezone: Europe/Paris, countries: [FR]}")
    room.post("acme kettle broke", TUESDAY)

    def refuse(document: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sending, "pdf", refuse)
    assert room.run_at(MONDAY) == 1
    assert [bool(one.html) for one in digests(room)] == [True]


def test_one_readers_fault_does_not_keep_the_others_digests_back(open_one: Open) -> None:
    room = open_one(f"  first: {{receivers: [log], countries: [JP]}}\n{BOARD}")
    room.post("acme kettle broke", TUESDAY)

    class Faulty(Maker):
        def make(self, week: Week, scope: Any, *arguments: Any, **more: Any) -> Digest:
            if scope.reader == "first":
                raise RuntimeError("nobody foresaw this")
            return super().make(week, scope, *arguments, **more)

    room.clock.advance(5 * 3600)
    assert room.step(lambda maker: Faulty(room.config, room.store)).run() == 1
    assert (room.weeks("first"), room.weeks("board")) == ([], ["2026-W46"])


def test_a_receiver_that_is_off_hands_its_digest_to_the_fallback_once(open_one: Open) -> None:
    room = open_one("  board: {receivers: [desk, log], timezone: Europe/Paris, countries: [FR]}")
    room.post("acme kettle broke", TUESDAY)
    room.is_off.add("desk")
    assert room.run_at(MONDAY) == 1
    assert (len(digests(room, "log")), len(digests(room, "desk"))) == (1, 0)


# The configuration changes


def changed(room: Room, digests: str = BOARD, **replaced: str) -> Room:
    """Return the room after a restart with another configuration."""
    room.config = read_config(room.folder, digests, str(room.config.store.url), **replaced)
    return room


def test_a_renamed_reader_gets_the_week_under_the_new_name_and_no_errata_of_the_old(room: Room) -> None:
    room.run_at(MONDAY)
    changed(room, BOARD.replace("board", "direction"))
    assert room.run_at(MONDAY + HOUR) == 1
    room.run_at(MONDAY + A_WEEK)
    assert room.weeks("direction") == ["2026-W46", "2026-W47"]
    assert kept(room, "direction", Week.parse("2026-W47")).errata.said == 1


def test_what_waits_for_a_reader_who_is_gone_is_still_taken_out_of_in_their_language(open_one: Open) -> None:
    room = open_one("  board: {receivers: [mail], language: fr, timezone: Europe/Paris, countries: [FR]}")
    gone = loud(room, "acme zanzibarkettle exploded")
    room.run_at(MONDAY)
    (before,) = digests(room)
    assert "zanzibarkettle" in before.html
    changed(room, BOARD.replace("board", "direction"))
    room.delete(gone)
    room.step().run()
    after = digests(room)[0]
    assert "zanzibarkettle" not in after.html
    assert (after.language, after.words) == (before.language, before.words)


def test_a_country_that_left_the_configuration_leaves_digests_and_crashes_none(open_one: Open) -> None:
    both = "  board: {receivers: [log], timezone: Europe/Paris}"
    room = open_one(both)
    for country in ("FR", "JP", "US"):
        mention = room.post(f"acme broke in {country}", TUESDAY, country=country, complaint=0.9)
        room.alert(TUESDAY, mention=mention, country=country, team="tokyo" if country == "JP" else "hub",
                   events=[("claimed", TUESDAY + HOUR, "Haruka")])  # fmt: skip
    room.burst(TUESDAY, country="JP", word="burst")
    room.gap(TUESDAY, TUESDAY + HOUR, "away", country="JP")
    changed(
        room, both,
        **{"  JP: {languages: [ja], timezone: Asia/Tokyo, team: tokyo}\n": "",
           "  tokyo: {name: Tokyo, timezone: Asia/Tokyo, languages: [ja, en]}\n": ""},
    )  # fmt: skip
    assert room.run_at(MONDAY + DAY) == 1
    told = kept(room)
    assert told.scope.countries == ("FR", "US")
    assert (told.spoken.mentions.value, told.desk.alerts.value, told.incidents) == (2, 2, ())


def test_a_brand_that_left_the_configuration_leaves_digests(room: Room) -> None:
    room.post("bolt broke", TUESDAY, brands=("bolt",), complaint=0.9)
    room.alert(TUESDAY, brand="bolt")
    changed(room, **{"  bolt: {name: Bolt, terms: [bolt]}\n": ""})
    assert room.run_at(MONDAY) == 1
    assert (kept(room).spoken.mentions.value, kept(room).desk.alerts.value) == (1, 0)


def test_a_reader_whose_countries_are_all_off_gets_nothing_and_holds_nobody_up(open_one: Open) -> None:
    room = open_one("  every: {receivers: [log]}\n" + BOARD)
    room.post("acme kettle broke", TUESDAY)
    off = {"FR": "FR: {mode: off, ", "JP": "JP: {mode: off, ", "US": "US: {mode: off, "}
    changed(room, "  every: {receivers: [log]}\n" + BOARD, **{f"{code}: {{": new for code, new in off.items()})
    assert room.run_at(MONDAY + DAY) == 1
    assert (room.weeks("every"), room.weeks("board")) == ([], ["2026-W46"])


# Competitors


@pytest.mark.parametrize(("brand", "raises"), [("rival", False), ("acme", True)])
def test_a_competitors_posts_raise_no_alert_and_no_incident_and_count_in_the_share_of_voice(
    room: Room, brand: str, raises: bool
) -> None:
    room.post(f"{brand} long ago", TUESDAY - 20 * DAY, brands=(brand,))
    for number in range(80):
        room.post(
            f"{brand} is down, customer {number} was burnt", TUESDAY + number * timedelta(seconds=20),
            brands=(brand,), author=f"a{number}", complaint=0.97, urgent=0.9, tone=Sentiment.NEGATIVE, topic="outage",
        )  # fmt: skip
    room.clock = FixedClock(TUESDAY)
    library = PlaybookLibrary.load()
    announcer = Announcer(
        room.config, CardBuilder(room.config, library), room.store, Workplaces(room.config), lambda name: name
    )
    escalator = Escalator(room.config, announcer, room.store, room.clock)
    bursts = IncidentStep(room.config, announcer, escalator, library, room.store, room.clock)
    for _ in range(9):
        room.clock.advance(600)
        TriageStep(room.config, announcer, escalator, room.store, room.clock).run(500, Tally())
        bursts.run()
    alerts = room.store.alerts.alerts(500)
    assert bool([one for one in alerts if one.brand == brand and one.kind == "post"]) == raises
    assert bool([one for one in alerts if one.brand == brand and one.kind == "incident"]) == raises
    room.run_at(MONDAY)
    told = kept(room)
    voice = {one.brand: (one.share.part, one.share.of) for one in told.share_of_voice}
    assert voice[brand][0] == 80 + raises
    assert {of for _, of in voice.values()} == {81}
    assert told.spoken.mentions.value == (81 if raises else 1)
    assert bool(told.incidents) == raises


# Posts that are deleted


def loud(room: Room, text: str, **more: Any) -> int:
    """Let somebody whom many follow complain, so that the digest quotes it."""
    return room.post(
        text, TUESDAY, author="loud", complaint=0.9, tone=Sentiment.NEGATIVE, influence=0.8,
        profile={"followers": 90_000}, **more,
    )  # fmt: skip


EVERY_FORM = "  board: {receivers: [desk, mail, log, hook], timezone: Europe/Paris, countries: [FR]}"


@pytest.fixture(params=["sqlite", "postgresql"])
def quoting(request: pytest.FixtureRequest, open_one: Open) -> Room:
    """A digest that quotes one post, made and not sent yet, on both databases."""
    url = new_database(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else ""
    opened = open_one(EVERY_FORM, url)
    opened.post("acme is lovely", TUESDAY, tone=Sentiment.POSITIVE, influence=0.5, profile={"followers": 20_000})
    loud(opened, "acme zanzibarkettle exploded")
    opened.run_at(MONDAY)
    assert "zanzibarkettle" in everything(opened)
    return opened


def everything(room: Room) -> str:
    """Return all words of what is kept and of what waits or was sent, those of PDFs too."""
    parts = []
    for message in room.messages(None, "pending", "sending", "sent", "moved", "dead"):
        parts.append(repr(message))
        if isinstance(message, DigestMessage) and message.pdf:
            parts.append(pdf_text(message.pdf))
        if isinstance(message, DigestFile):
            parts.append(pdf_text(message.content))
    for reader in room.config.digests:
        for week in room.store.digests.made_weeks(reader):
            made = room.store.digests.made(reader, week)
            assert made is not None
            parts.append(made[1])
    return "\n".join(parts)


def pdf_text(content: str) -> str:
    import base64
    from io import BytesIO

    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(base64.b64decode(content))).pages)


def post_named(room: Room, author: str) -> int:
    return room.number("post-2") if author == "loud" else room.number("post-1")


def test_a_post_deleted_before_its_digest_is_sent_is_in_none_of_the_messages(quoting: Room) -> None:
    quoting.delete(post_named(quoting, "loud"))
    quoting.step().run()
    words = everything(quoting)
    assert "zanzibarkettle" not in words
    assert "post-2" not in words
    assert "status/2" not in words
    assert "lovely" in words
    assert len(digests(quoting)) == 4
    assert quoting.store.digests.stale() == []
    assert kept(quoting).spoken.mentions.value == 2, "it is counted and not quoted"
    for receiver in ("desk", "mail", "log", "hook"):
        assert quoting.store.outbox.claim(receiver, MONDAY + HOUR, HOUR) is not None, "it goes now"


def test_no_sender_takes_a_digest_between_the_deletion_and_its_renewal(quoting: Room) -> None:
    quoting.delete(post_named(quoting, "loud"))
    for receiver in ("desk", "mail", "log", "hook"):
        assert quoting.store.outbox.claim(receiver, MONDAY + HOUR, HOUR) is None
    quoting.step().run()
    assert quoting.store.outbox.claim("mail", MONDAY + HOUR, HOUR) is not None


def test_a_post_deleted_while_its_digest_is_made_is_in_none_of_the_messages(room: Room) -> None:
    gone = loud(room, "acme zanzibarkettle exploded")

    class Slow(Maker):
        def make(self, *arguments: Any, **more: Any) -> Digest:
            digest = super().make(*arguments, **more)
            assert "zanzibarkettle" in repr(digest)
            room.delete(gone)
            return digest

    assert room.step(lambda maker: Slow(room.config, room.store)).run() == 0
    assert room.run_at(MONDAY) == 1
    assert "zanzibarkettle" not in everything(room)


def test_a_post_deleted_after_its_digest_was_sent_is_gone_from_what_is_kept(quoting: Room) -> None:
    for receiver in ("desk", "mail", "log", "hook"):
        while (item := quoting.store.outbox.claim(receiver, MONDAY, HOUR)) is not None:
            quoting.store.outbox.sent(item, ("C1", str(item.id), ""), MONDAY, kept=FORGOTTEN)
    quoting.delete(post_named(quoting, "loud"))
    quoting.step().run()
    made = quoting.store.digests.made("board", str(WEEK))
    assert made is not None
    assert "zanzibarkettle" not in made[1]
    assert "lovely" in made[1]
    assert load(made[1]).spoken.mentions.value == 2


def test_a_pdf_that_waits_under_a_digest_that_was_posted_is_written_anew_too(quoting: Room) -> None:
    item = quoting.store.outbox.claim("desk", MONDAY, HOUR)
    assert item is not None
    quoting.store.outbox.sent(item, ("C1", "1.0", ""), MONDAY, kept=FORGOTTEN)
    quoting.delete(post_named(quoting, "loud"))
    assert quoting.store.outbox.claim("desk", MONDAY, HOUR) is None
    quoting.step().run()
    file = quoting.store.outbox.claim("desk", MONDAY + HOUR, HOUR)
    assert file is not None
    assert file.kind == "note"
    shown = [pdf_text(one.content) for one in quoting.messages("desk") if isinstance(one, DigestFile)]
    assert len(shown) == 1
    assert "zanzibarkettle" not in shown[0]


def test_a_pdf_that_cannot_be_made_anew_is_not_sent(quoting: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    quoting.delete(post_named(quoting, "loud"))

    def refuse(document: object) -> bytes:
        raise DigestError("no fonts")

    monkeypatch.setattr(sending, "pdf", refuse)
    quoting.step().run()
    assert "zanzibarkettle" not in everything(quoting)
    assert len(digests(quoting)) == 4
    assert not any(isinstance(one, DigestFile) for one in quoting.messages())


def test_two_posts_deleted_one_after_the_other_are_both_gone(quoting: Room) -> None:
    quoting.delete(post_named(quoting, "loud"))
    quoting.step().run()
    quoting.delete(post_named(quoting, "anna"))
    quoting.step().run()
    words = everything(quoting)
    assert "zanzibarkettle" not in words
    assert "lovely" not in words


def test_a_digest_that_moved_is_written_anew_where_it_waits(quoting: Room) -> None:
    quoting.store.outbox.disable("mail", "is off", "log", FORGOTTEN, MONDAY)
    quoting.delete(post_named(quoting, "loud"))
    while (item := quoting.store.outbox.claim("log", MONDAY + HOUR, HOUR)) is not None:
        assert item.kind == "message", "digests are held back"
        quoting.store.outbox.sent(item, ("", "", ""), MONDAY)
    quoting.step().run()
    assert "zanzibarkettle" not in everything(quoting)
    assert quoting.store.outbox.claim("log", MONDAY + HOUR, HOUR) is not None


def test_the_store_of_another_daemon_is_no_other_digest(room: Room) -> None:
    """Two steps on one SQLite file, one after the other: what the first made the second knows."""
    assert room.step().run() == 1
    other = Store(str(room.config.store.url))
    step = DigestStep(room.config, other, FixedClock(MONDAY), Maker(room.config, other), lambda name: name)
    assert step.run() == 0
    other.close()
