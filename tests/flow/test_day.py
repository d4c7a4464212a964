"""A scripted day: three countries in three time zones, 2,000 mentions, a bad buzz, two people, failures and a crash.

What must come of it stands in `day_script`. The tests read the store's record and the channels, as a person would.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

import pytest
from sqlalchemy import select

from alerts.card import IncidentCard, load_message
from listener.model import AlertState
from listener.store import AlertRow, schema
from listener.store.alerts import AlertEvent
from listener.store.engine import reading
from tests.databases import new_database
from tests.flow.day_place import Place, place
from tests.flow.day_reading import card_of, cards_in, is_card_or_summary, notes_of, stands_since, thread_of
from tests.flow.day_script import (
    BURST_AUTHORS,
    BURST_BEGAN,
    BURST_ENDED,
    CASES,
    COPIES,
    DELETED,
    HEAD,
    MENTIONS,
    MIDNIGHT,
    NEW_YORK,
    PARIS,
    SLACK_UP,
    TOKEN_MENDED,
    TOKEN_REVOKED,
    TOKYO,
    Case,
    Line,
    moment,
    posts,
)
from tests.servers.slack import SlackMessage

CHANNELS = (PARIS, TOKYO, NEW_YORK, HEAD)
LABELS = [case.label for case in CASES]
BURST_CASES = [case for case in CASES if case.topic == "outage"]


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The day after it has gone by."""
    folder = tmp_path_factory.mktemp("day")
    store = f"sqlite:///{folder}/listener.db"
    if request.param == "postgresql":
        store = new_database(request.getfixturevalue("postgres_url"), kept=True)
    with place(folder, store) as here:
        here.run()
        yield here


def rows(here: Place, query: Any) -> list[Mapping[Any, Any]]:
    with reading(here.app.store.incidents._engine) as connection:
        return list(connection.execute(query).mappings())


def alert(here: Place, label: str) -> AlertRow:
    found = here.app.store.alerts.alert(here.ids[label])
    assert found is not None
    return found


def story(here: Place, case: Case) -> list[Line]:
    """The lines of a case with whoever won the race in their place."""
    return [replace(line, actor=here.winner) if line.actor == "Winner" else line for line in case.lines]


# Mentions


def test_every_mention_is_decided_on_exactly_once_and_as_the_script_says(day: Place) -> None:
    expected = {post.label: (post.country, post.outcome) for post in posts()}
    assert len(expected) == MENTIONS
    mentions, matches = schema.mentions, schema.matches
    found = rows(
        day,
        select(mentions.c.external_id, matches.c.country, matches.c.outcome, matches.c.triaged_at)
        .join(matches, matches.c.mention_id == mentions.c.id)
        .where(mentions.c.published_at >= MIDNIGHT),
    )
    assert len(found) == MENTIONS
    assert {row["external_id"]: (row["country"], row["outcome"]) for row in found} == expected
    assert all(row["triaged_at"] is not None for row in found)


def test_each_alert_holds_the_posts_that_the_script_gives_it(day: Place) -> None:
    held, matches, mentions = schema.alert_mentions, schema.matches, schema.mentions
    found = rows(
        day,
        select(held.c.alert_id, mentions.c.external_id)
        .join(matches, matches.c.id == held.c.match_id)
        .join(mentions, mentions.c.id == matches.c.mention_id),
    )
    by_alert: dict[int, set[str]] = {}
    for row in found:
        by_alert.setdefault(row["alert_id"], set()).add(row["external_id"])
    expected = {day.ids[label]: {label} for label in LABELS}
    expected[day.ids["fr-author"]] |= {"fr-author-again"}
    expected[day.ids["burst-copied"]] |= {f"copy-{number}" for number in range(COPIES)}
    assert by_alert == expected
    assert (alert(day, "burst-copied").mentions, alert(day, "burst-copied").copies) == (1 + COPIES, COPIES)


# How alerts end


def test_there_are_the_alerts_of_the_script_and_no_others(day: Place) -> None:
    found = day.app.store.alerts.since(MIDNIGHT)
    assert {one.id for one in found} == {day.ids[label] for label in [*LABELS, "incident"]}
    assert len(found) == len(LABELS) + 1


@pytest.mark.parametrize("case", CASES, ids=LABELS)
def test_the_alert_ends_in_the_state_that_it_should_have(day: Place, case: Case) -> None:
    found = alert(day, case.label)
    state, owner, resolution = case.ends.split()
    owner = day.winner if owner == "Winner" else owner
    assert (found.state.value, found.owner or "-", found.resolution or "-") == (state, owner, resolution)
    assert found.country == case.country
    assert found.severity == case.severity_in_the_end
    closing = [line for line in story(day, case) if line.verb in ("resolved", "dismissed")]
    is_closed = state in ("resolved", "dismissed")
    assert (found.closed_by, found.closed_at) == (
        (closing[-1].actor, closing[-1].recorded_at) if is_closed else (None, None)
    )
    assert (found.replied_at, found.private_at) == (_answered(case, "public"), _answered(case, "private"))


def _answered(case: Case, where: str) -> datetime | None:
    """When the author was first answered there."""
    times = [
        line.recorded_at
        for line in case.lines
        if (line.verb == "replied" and line.arg in (where, "both")) or (line.verb == "resolved" and line.arg == where)
    ]
    return min(times, default=None)


# The record


@pytest.mark.parametrize("case", CASES, ids=LABELS)
def test_the_record_says_who_did_what_when(day: Place, case: Case) -> None:
    lines = story(day, case)
    if case.label == "burst-copied":
        lines = [line for line in lines if line.verb != "joined"]
    history = day.app.store.alerts.history(day.ids[case.label])
    if case.label == "burst-copied":
        assert sum(event.kind == "joined" for event in history) == COPIES
        history = [event for event in history if event.kind != "joined"]
    expected = [(line.recorded_at, line.actor, line.verb.replace("_", " "), line.arg) for line in lines]
    assert [(event.at, event.actor, event.kind, _arg(event)) for event in history] == expected


def _arg(event: AlertEvent) -> str:
    """What the record says besides, in the script's words."""
    data = event.data
    if event.kind == "replied":
        return "both" if data["public"] and data["private"] else "public" if data["public"] else "private"
    if event.kind == "snoozed":
        lasts = datetime.fromisoformat(data["until"]) - event.at
        return "1h" if lasts == timedelta(hours=1) else "opening" if event.at + lasts == moment("+08:00") else "?"
    if event.kind == "severity":
        return f"{data['from']} {data['to']}"
    return str(
        {"resolved": data.get("how"), "dismissed": data.get("was"), "escalated": data.get("to")}.get(event.kind, "")
    )


def test_what_the_script_had_people_do_is_in_the_record_and_nothing_else_of_them(day: Place) -> None:
    done = {
        (day.ids[label], line.recorded_at, line.actor, line.verb.replace("_", " "))
        for label, lines in day.log.items()
        for line in lines
    }
    found = {
        (row["alert_id"], row["at"], row["actor"], row["kind"])
        for row in rows(day, select(schema.alert_events).where(schema.alert_events.c.actor != "listener"))
    }
    assert found == done


def test_the_record_says_from_where_people_acted(day: Place) -> None:
    events = rows(day, select(schema.alert_events).where(schema.alert_events.c.actor != "listener"))
    origins = Counter(row["data"]["origin"] for row in events)
    assert origins == {"slack": len(events) - 2, "cli": 2}
    addresses = {(row["actor"], row["data"]["address"]) for row in events if row["data"]["origin"] == "slack"}
    assert addresses == {("Olga", "slack:U1"), ("Paul", "slack:U2")}


def test_of_two_who_claim_at_once_one_wins_and_the_other_is_told_who(day: Place) -> None:
    assert {day.winner, day.loser} == {"Olga", "Paul"}
    said = [message.shown for message in day.person(day.loser).ephemerals]
    reference = f"A-{day.ids['fr-quiet-2']}"
    assert [f"{day.winner} has {reference}" in words for words in said if reference in words] == [True]
    assert not any("has A-" in message.shown for message in day.person(day.winner).ephemerals)


def test_what_was_no_complaint_is_learned_from(day: Place) -> None:
    found = rows(day, select(schema.corrections).order_by(schema.corrections.c.id))
    assert [(row["external_id"], row["complaint"], row["actor"]) for row in found] == [
        ("fr-quiet-3", False, "Paul"),
        ("us-quiet-2", False, "Paul"),
        ("fr-night-3", False, "Olga"),
    ]


def test_the_silence_has_author_reason_and_end(day: Place) -> None:
    (silence,) = day.app.store.silences.latest()
    assert (silence.author, silence.reason) == ("Olga", "courier strike")
    assert (silence.starts_at, silence.ends_at) == (moment("09:10"), moment("10:10"))


# Channels


@pytest.mark.parametrize("case", CASES, ids=LABELS)
def test_the_card_stands_where_it_should_once_and_since_when_it_should(day: Place, case: Case) -> None:
    found = [
        (name, stands_since(message).replace(microsecond=0))
        for name in CHANNELS
        for alert_id, message in cards_in(day.slack.channel(name))
        if alert_id == day.ids[case.label]
    ]
    assert [name for name, _ in found] == [*case.shown]
    for name, at in found:
        due = moment(case.shown[name])
        late = moment(SLACK_UP) if moment("10:30") <= due < moment(SLACK_UP) else due
        assert due <= at <= late


@pytest.mark.parametrize("case", CASES, ids=LABELS)
def test_the_card_shows_how_the_alert_ended(day: Place, case: Case) -> None:
    state, owner, _ = case.ends.split()
    for name in case.shown:
        card = one_card(day, name, case.label)
        is_closed = state in ("resolved", "dismissed")
        assert (set(card.actions) & {"reopen", "claim", "release"}) == (
            {"reopen"} if is_closed else {"release"} if owner != "-" else {"claim"}
        )
        if case.label != DELETED:
            assert _words_of(case) in card.shown
        if owner != "-" and not is_closed:
            assert owner in card.shown


def _words_of(case: Case) -> str:
    (text,) = [post.text for post in posts() if post.label == (case.shows or case.label)]
    return text


def one_card(here: Place, channel: str, label: str) -> SlackMessage:
    (card,) = [message for of, message in cards_in(here.slack.channel(channel)) if of == here.ids[label]]
    return card


_NOTES: Mapping[str, str] = {
    "woke": "Outside all hours: on call",
    "reminded": "First answer due by ",
    "repeated": "Still open: nobody has taken it",
    "joined": "A further post, by Author-Fr-Author",
    "severity": "Severity rises from {first} to {last}",
    "awake": "Snooze is over",
    "withdrawn": "The author deleted the post",
    "claimed": "Claimed by {actor}",
    "released": "Given back by {actor}",
    "taken_over": "Taken over by {actor} from ",
    "reopened": "Opened again by {actor}",
    "snoozed": "Snoozed by {actor} until ",
    "replied": "Answered in {arg} by {actor}",
    "resolved": "Resolved by {actor}: ",
    "dismissed": "Not a complaint, says {actor}: ",
}


_COPIES = re.compile(r"Another copy|\d+ more posts? joined")


def _note_of(line: Line) -> str:
    if line.verb == "escalated":
        return f"Escalated by {line.actor}: {line.arg} told" if line.is_done_by_people else f": {line.arg} told"
    arg = {"both": "public and in private"}.get(line.arg, line.arg)
    return _NOTES[line.verb].format(actor=line.actor, arg=arg, first=line.arg[:1], last=line.arg[-1:])


@pytest.mark.parametrize("case", [case for case in CASES if case.shown], ids=lambda case: case.label)
def test_the_thread_tells_the_story_in_order_and_each_thing_once(day: Place, case: Case) -> None:
    first = next(iter(case.shown))
    for name in case.shown:
        since = MIDNIGHT if name == first else moment(case.shown[name])
        told = [line for line in story(day, case) if line.verb not in ("opened", "shown") and line.recorded_at >= since]
        expected = [_note_of(line) for line in told]
        found = [
            (at, _matching(expected, note))
            for at, note in notes_of(day.slack.channel(name), day.ids[case.label])
            if not _COPIES.match(note)
        ]
        assert Counter(words for _, words in found) == Counter(expected)
        # Of what is sent at one moment the urgent goes first, whatever happened first.
        done = 0
        for _, together in groupby(found, key=lambda note: note[0]):
            words = [words for _, words in together]
            assert Counter(words) == Counter(expected[done : done + len(words)])
            done += len(words)


def _matching(expected: list[str], note: str) -> str:
    return next((words for words in sorted(expected, key=len, reverse=True) if words in note), note)


def test_notes_stand_in_the_thread_of_their_card(day: Place) -> None:
    for case in CASES:
        for name in case.shown:
            channel = day.slack.channel(name)
            thread = thread_of(channel, one_card(day, name, case.label))
            about = f"A-{day.ids[case.label]} · "
            notes = [one for one in channel.everything if not is_card_or_summary(one) and about in one.shown]
            assert notes
            assert all(note in thread for note in notes)


def test_who_is_told_is_mentioned_and_nobody_else(day: Place) -> None:
    mentioned = {
        (name, markup)
        for name in CHANNELS
        for message in day.slack.channel(name).everything
        for markup in message.live_markup
        if markup.startswith(("@", "!"))
    }
    assert mentioned == {
        (PARIS, "@U1"), (PARIS, "@U2"), (PARIS, "!subteam^S1"), (PARIS, "@U4"), (PARIS, "@U5"),
        (TOKYO, "@U4"), (TOKYO, "@U2"), (TOKYO, "@U9"), (NEW_YORK, "@U5"), (HEAD, "@U9"),
    }  # fmt: skip


def test_nothing_is_visible_twice(day: Place) -> None:
    keys: Counter[str] = Counter()
    for name in CHANNELS:
        shown = Counter(
            message.shown for message in day.slack.channel(name).everything if "more post" not in message.shown
        )
        assert [words for words, count in shown.items() if count > 1] == []
        for message in day.slack.channel(name).everything:
            assert message.metadata is not None
            keys[message.metadata["event_payload"]["notification_id"]] += 1
    assert set(keys.values()) == {1}


@pytest.mark.parametrize(
    ("channel", "at", "title", "named"),
    [
        (PARIS, "07:00", "3 alerts came in outside hours", ["fr-quiet-1", "fr-quiet-2", "fr-quiet-3"]),
        (PARIS, "+08:00", "5 alerts came in outside hours", [f"fr-night-{number}" for number in range(1, 6)]),
    ],
)
def test_the_morning_begins_with_a_summary_and_then_its_cards(
    day: Place, channel: str, at: str, title: str, named: list[str]
) -> None:
    messages = [one for one in day.slack.channel(channel).messages if _minute(one) == moment(at)]
    assert title in messages[0].shown
    assert set(re.findall(r"A-(\d+)", messages[0].shown)) == {str(day.ids[label]) for label in named}
    assert [card_of(one) for one in messages[1:]] == [day.ids[label] for label in named]


def test_tokyos_morning_begins_with_what_waited_for_it_and_for_new_york(day: Place) -> None:
    messages = [one for one in day.slack.channel(TOKYO).messages if _minute(one) == moment("+00:00")]
    labels = ["jp-quiet-1", "jp-quiet-2", "us-quiet-1", "us-quiet-2"]
    kinds = [card_of(one) for one in messages]
    cards = [kind for kind in kinds if kind is not None]
    assert cards == [day.ids[label] for label in labels]
    summaries = messages[: len(messages) - len(cards)]  # before all cards
    named = [int(found) for one in summaries for found in re.findall(r"A-(\d+)", one.shown)]
    assert named == [day.ids[label] for label in labels]


def test_beyond_the_budget_alerts_are_folded_and_named_once(day: Place) -> None:
    (summary,) = [one for one in day.slack.channel(NEW_YORK).messages if "further alert" in one.shown]
    assert _minute(summary) == moment("14:20")
    folded = {f"A-{day.ids[f'us-fold-{number}']}" for number in (4, 5, 6)}
    assert set(re.findall(r"A-\d+", summary.shown)) == folded


def test_channels_read_in_the_order_of_time(day: Place) -> None:
    for name in CHANNELS:
        for messages in (day.slack.channel(name).messages, *(one.replies for one in day.slack.channel(name).messages)):
            times = [float(one.ts) for one in messages]
            assert times == sorted(times)


def test_a_deleted_posts_words_are_nowhere(day: Place) -> None:
    words = _words_of(next(case for case in CASES if case.label == DELETED)).split()[-4:]
    for name in CHANNELS:
        assert not [one for one in day.slack.channel(name).everything if " ".join(words) in one.shown]
    assert "deleted" in one_card(day, PARIS, DELETED).shown


def _minute(message: SlackMessage) -> datetime:
    return stands_since(message).replace(second=0, microsecond=0)


# Delivery


def test_every_notification_is_sent_or_accounted_for(day: Place) -> None:
    table = schema.notifications
    found = rows(day, select(table).order_by(table.c.id))
    states = Counter(row["state"] for row in found)
    assert set(states) <= {"sent", "superseded"}
    visible = {
        message.metadata["event_payload"]["notification_id"]
        for name in CHANNELS
        for message in day.slack.channel(name).everything
        if message.metadata
    }
    assert {row["key"] for row in found if row["state"] == "sent" and row["kind"] != "update"} == visible
    # What was not sent: looks that a newer one has overtaken, and what ended before its card was shown.
    unsent = {
        (row["kind"], row["alert_id"]) for row in found if row["state"] == "superseded" and row["kind"] != "update"
    }
    assert unsent == {("alert", day.ids["fr-quiet-ended"]), ("note", day.ids["fr-quiet-ended"])}


def test_slack_failed_and_took_some_messages_all_the_same(day: Place) -> None:
    table = schema.notifications
    tried = rows(day, select(table).where(table.c.state == "sent", table.c.attempts > 1))
    assert len(tried) >= 5
    assert {"alert", "note"} <= {row["kind"] for row in tried}
    assert day.crashed


def test_nothing_was_shown_while_the_token_was_revoked_and_presses_counted(day: Place) -> None:
    began, ended = moment(TOKEN_REVOKED), moment(TOKEN_MENDED)
    for name in CHANNELS:
        assert not [one for one in day.slack.channel(name).everything if began <= stands_since(one) < ended]
    assert alert(day, "us-afternoon").claimed_at == moment("18:10")


def test_the_card_that_slack_had_taken_before_the_crash_is_not_posted_again(day: Place) -> None:
    card = one_card(day, PARIS, "fr-crash")
    assert _minute(card) == moment("15:40")
    (row,) = rows(
        day,
        select(schema.notifications).where(
            schema.notifications.c.alert_id == day.ids["fr-crash"], schema.notifications.c.kind == "alert"
        ),
    )
    assert row["attempts"] == 2
    assert row["sent_at"] > moment("15:40")


# The burst


def incident_card(here: Place) -> IncidentCard:
    card = load_message(here.app.store.incidents.facts(here.ids["incident"]) or "")
    assert isinstance(card, IncidentCard)
    return card


def test_one_incident_is_found_in_time_and_is_over_after_the_burst(day: Place) -> None:
    (incident,) = day.app.store.incidents.since(MIDNIGHT)
    assert (incident.country, incident.topic) == ("FR", "outage")
    opened = alert(day, "incident").opened_at
    assert BURST_BEGAN < opened <= BURST_BEGAN + timedelta(hours=2)
    assert abs(incident.began_at - BURST_BEGAN) <= timedelta(minutes=20)
    assert incident.ended_at is not None
    assert BURST_ENDED <= incident.ended_at <= BURST_ENDED + timedelta(hours=3)


def test_the_incident_counts_people_and_copies_apart(day: Place) -> None:
    card = incident_card(day)
    assert card.authors == BURST_AUTHORS + len(BURST_CASES)
    assert card.mentions == BURST_AUTHORS + len(BURST_CASES) + COPIES
    assert card.copies_share == pytest.approx(COPIES / card.mentions, abs=0.005)
    assert card.ended_at is not None


def test_the_incident_ends_as_olga_left_it_and_the_record_says_so(day: Place) -> None:
    found = alert(day, "incident")
    assert (found.state, found.owner, found.resolution) == (AlertState.RESOLVED, "Olga", "solved")
    assert (found.claimed_at, found.replied_at, found.closed_at) == (moment("12:30"), moment("12:35"), moment("15:55"))
    history = day.app.store.alerts.history(found.id)
    people = [(event.at, event.kind) for event in history if event.actor == "Olga"]
    assert people == [(moment("12:30"), "claimed"), (moment("12:35"), "replied"), (moment("15:55"), "resolved")]
    daemon = [event.kind for event in history if event.actor == "listener"]
    assert daemon[0] == "opened"
    assert daemon.count("over") == 1
    assert set(daemon) <= {"opened", "holds", "severity", "reminded", "over"}


def test_an_incident_can_be_noted_as_answered_where_people_see_it(day: Place) -> None:
    assert day.incident_actions & {"reply", "replied", "answered"}


def test_the_bursts_alerts_belong_to_the_incident_and_no_others_do(day: Place) -> None:
    inside = {one.id for one in day.app.store.alerts.since(MIDNIGHT) if one.incident_id == day.ids["incident"]}
    assert inside == {day.ids[case.label] for case in BURST_CASES}


def test_the_incident_has_one_card_with_its_curve_and_the_bursts_later_cards_in_its_thread(day: Place) -> None:
    channel = day.slack.channel(PARIS)
    (root,) = [one for one in channel.messages if card_of(one) == day.ids["incident"]]
    assert root.images
    assert "over" in root.shown
    opened = alert(day, "incident").opened_at
    for case in BURST_CASES:
        card = one_card(day, PARIS, case.label)
        belongs = alert(day, case.label).opened_at > opened
        assert (card in root.replies) is belongs, case.label
    assert sum("The burst is over" in reply.shown for reply in root.replies) == 1


def test_copies_are_told_in_the_thread_a_few_quoted_and_the_rest_counted(day: Place) -> None:
    told = [*notes_of(day.slack.channel(PARIS), day.ids["burst-copied"])]
    notes = [note for _, note in told]
    quoted = sum("Another copy" in note for note in notes)
    counted = sum(int(found[1]) for note in notes if (found := re.match(r"(\d+) more posts? joined", note)))
    assert quoted + counted == COPIES
    times = sorted({at for at, note in told if _COPIES.match(note)})
    assert len(times) >= 3
    assert all(later - one >= timedelta(minutes=10) for one, later in pairwise(times))
