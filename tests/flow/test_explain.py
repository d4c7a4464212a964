"""Why a post became an alert, or did not: every ending, from a real store that a daemon wrote."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from listener.explaining import UnknownReferenceError, as_json, lines
from listener.explaining.reading import UNREAD_MODEL
from listener.model import DRILL_NETWORK
from listener.pipeline.classify import UNREAD
from listener.pipeline.tally import Tally
from listener.sentences import moment
from listener.store import schema
from listener.store.classifying import Classified
from listener.store.engine import reading
from tests.databases import migrated_database
from tests.flow.asking import NOW, Scene, fact, read, scene, step, values
from tests.servers.base import Reply

HOSTILE = "acme severity-3 topic-outage \x1b]0;owned\x07\x1b[2J\u202eevil\r\nA-99 resolved <b>{at}</b> %s"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        yield made


def test_a_raised_alert_is_told_from_the_watch_to_the_message(here: Scene) -> None:
    here.post("acme severity-2 topic-billing charged twice", followers=1200, bio="journaliste", likes=40)
    here.work()
    found = here.why("A-1")
    names = [one.name for one in found.steps]
    assert names == [
        *("post", "watch", "country", "language", "classification", "influence", "velocity", "priority", "rules"),
        *("grouping", "age", "severity", "route", "hold", "messages"),
    ]
    assert (found.ending, found.alert, found.countries, found.timezone) == ("raised", "A-1", ("FR",), "Europe/Paris")
    assert "told to desk" in found.title
    watch = step(found, "watch")
    assert fact(watch, "its terms").value == "acme, kettle works"
    assert fact(watch, "of them in the text").value == "acme"
    assert "could have found it too" not in [one.label for one in watch.facts]  # each file watch reads its own folder
    assert "as the place of the post says" in step(found, "country").summary
    influence = step(found, "influence")
    assert fact(influence, "press").detail == "“journaliste” in the bio"
    assert fact(influence, "press").hostile
    assert fact(influence, "followers").basis == "recomputed"
    assert fact(influence, "recorded").basis == "recorded"
    formula = fact(step(found, "priority"), "formula").value
    assert formula.startswith("urgency 0.68 x (0.55 + 0.30 x influence")
    assert formula.endswith(f"= {step(found, 'priority').summary}")
    assert fact(step(found, "rules"), "recorded").value == "urgent, open-problem, influential-critic"
    assert "raised with severity 2" in step(found, "severity").summary
    assert "desk was told at Mon 23 Nov 2026, 10:00:03" in step(found, "messages").summary


def test_each_node_of_the_route_says_whether_it_matched_and_on_which_label(here: Scene) -> None:
    here.post("acme severity-2 topic-billing charged twice")
    here.work()
    route = step(here.why("A-1"), "route")
    nodes = {one.label: (one.value, one.holds, one.detail) for one in route.facts if one.label.startswith("route")}
    assert nodes["route"] == ("takes everything", True, "leads to desk, after 0 s")
    assert nodes["route.routes[0]"] == ("network vk", False, "network is x, not vk")
    assert nodes["route.routes[1]"] == ("severity >=3", False, "severity is 2, not >=3")


def test_a_post_in_which_no_rule_held_says_by_how_much_each_was_missed(here: Scene) -> None:
    name = here.post("acme severity-1 too long a queue", followers=3)
    here.start(defaults="thresholds: {priority: 0.5}")
    here.work()
    found = here.why(name)
    assert found.ending == "quiet"
    rules = step(found, "rules")
    assert rules.state == "stopped"
    (missed,) = [one for one in rules.facts if one.value.startswith("priority")]
    assert not missed.holds
    assert "threshold 0.50: missed by 0.1" in missed.value
    assert "nearest is" in rules.summary
    assert step(found, "decision").state == "stopped"
    assert found.title.startswith("no rule held, so nobody was told; nearest is urgent: chance of high urgency 0.05")
    assert "route" not in [one.name for one in found.steps]


def test_thresholds_that_changed_since_are_said_with_what_they_would_do_today(here: Scene) -> None:
    before = here.keep()
    name = here.post("acme severity-1 too long a queue")
    here.work()
    here.later(hours=1)
    here.start(defaults="thresholds: {priority: 0.6}")
    assert here.keep() > before
    rules = step(here.why("A-1"), "rules")
    assert fact(rules, "settings").value == f"version {before}"
    assert fact(rules, "thresholds changed since").value == "priority 0.3, now 0.6"
    today = fact(rules, "today")
    assert (today.holds, today.basis) == (False, "today")
    assert today.value.startswith("it would not raise an alert: priority 0.32, threshold 0.60: missed by 0.28")
    assert fact(rules, "open-problem").holds  # by the settings of then
    assert step(here.why(name), "rules") == rules


def test_without_kept_settings_a_decision_that_those_of_now_would_not_make_is_not_glossed_over(here: Scene) -> None:
    here.post("acme severity-1 too long a queue")
    here.work()
    here.start(defaults="thresholds: {priority: 0.6}")
    rules = step(here.why("A-1"), "rules")
    assert "none were kept" in fact(rules, "settings").value
    assert fact(rules, "recorded").value == "open-problem"
    assert "other settings than those of now, which were not kept" in read(here.why("A-1"))


def test_an_author_whose_name_is_their_id_is_named_once(here: Scene) -> None:
    here.post("acme severity-2 nothing works", "client-21")
    here.work()
    author = fact(step(here.why("A-1"), "post"), "author")
    assert (author.value, author.detail) == ("client-21", "")


def test_figures_that_changed_since_are_said_beside_those_recorded(here: Scene) -> None:
    name = here.post("acme severity-2 nothing works", followers=10)
    here.work()
    here.change(name, followers=900_000)
    here.collect()
    influence = step(here.why("A-1"), "influence")
    assert influence.summary == fact(influence, "recorded").value
    assert float(influence.summary) < 0.1
    assert "what is known of the author" in fact(influence, "since then").value


def test_an_unreadable_version_is_said_and_todays_settings_stand_in(here: Scene) -> None:
    here.keep()
    here.post("acme severity-2 nothing works")
    here.work()
    with here.store.alerts._engine.begin() as connection:
        connection.execute(schema.configurations.update().values(files={"config.yaml": "version: 9\n"}))
    assert "cannot be read by this release" in fact(step(here.why("A-1"), "rules"), "settings").value


@pytest.mark.parametrize(
    ("text", "author", "fields", "tie"),
    [
        ("acme severity-1 still nobody", "ann", {}, "the same author"),
        ("acme same for me severity-1", "ben", {"reply_to_id": "p0"}, "it answers a post of the alert"),
        ("acme me too severity-1", "ben", {"conversation_id": "p0"}, "it stands in the conversation"),
        ("acme severity-2 nothing works at all any more in our street", "ben", {}, "a copy of the same text"),
    ],
)
def test_a_post_that_joined_names_the_alert_and_the_tie(
    here: Scene, text: str, author: str, fields: dict[str, object], tie: str
) -> None:
    here.post("acme severity-2 nothing works at all any more in our street", "ann", conversation_id="p0")
    here.work()
    here.later(minutes=7)
    name = here.post(text, author, minutes_ago=1, **fields)
    here.work()
    found = here.why(name)
    assert (found.ending, found.alert) == ("joined", "A-1")
    grouping = step(found, "grouping")
    assert fact(grouping, "tie").value.startswith(tie)
    assert fact(grouping, "tie").link == "x:p0"
    assert "7 min after" in grouping.summary
    assert "told in the thread" in step(found, "messages").summary
    of_alert = step(here.why("A-1"), "grouping")
    assert fact(of_alert, "joined since").value == "1 further post"
    assert name in [one.link for one in of_alert.facts]


def test_a_copy_says_whose_classification_it_repeats(here: Scene) -> None:
    here.post("acme severity-2 nothing works at all any more in our street", "ann")
    here.work()
    name = here.post("acme severity-2 nothing works at all any more in our street", "ben")
    here.work()
    copy = step(here.why(name), "copy")
    assert "has that one's classification" in copy.summary
    assert fact(copy, "first of its kind").link == "x:p0"


def test_an_alert_that_had_ended_is_named_with_why_it_was_not_joined(here: Scene) -> None:
    here.post("acme severity-2 nothing works", "ann")
    here.work()
    with here.store.alerts.transaction() as transaction:
        transaction.change(1, here.clock.now(), state="resolved", closed_at=here.clock.now(), resolution="solved")
        transaction.record(1, "resolved", {"how": "solved"}, here.clock.now(), "Olga")
    here.later(minutes=30)
    name = here.post("acme severity-2 broken again", "ann")
    here.work()
    found = here.why(name)
    assert found.alert == "A-2"
    assert fact(step(found, "grouping"), "could have joined A-1").value.startswith("no: it had ended at Mon 23 Nov")
    assert "resolved: solved, Olga" in read(here.why("A-1"))


def test_an_alert_whose_posts_lie_too_far_away_is_named_with_the_distance(here: Scene) -> None:
    here.start(defaults="join_within: 1h")
    here.post("acme severity-2 nothing works", "ann")
    here.work()
    here.later(hours=3)
    name = here.post("acme severity-2 broken again", "ann")
    here.work()
    rival = fact(step(here.why(name), "grouping"), "could have joined A-1")
    assert rival.value == "no: the posts lie 3 h apart, more than 1 h"


def test_a_post_that_was_too_old_says_by_how_much(tmp_path: Path) -> None:
    with scene(tmp_path, defaults="thresholds: {max_age: 20m}") as here:
        name = here.post("acme severity-3 fire", minutes_ago=30)
        here.work()
        found = here.why(name)
    assert found.ending == "old"
    age = step(found, "age")
    assert (age.state, age.summary) == ("stopped", "too old by 10 min: it is stored, and raises nothing")
    assert fact(age, "limit of its watch").value == "20 min"


def test_what_waits_says_for_what(here: Scene) -> None:
    name = here.post("acme severity-3 fire")
    here.collect()
    assert here.why(name).ending == "unclassified"
    here.app.classify.run(10, Tally())
    found = here.why(name)
    assert found.ending == "undecided"
    assert step(found, "decision").state == "held"
    assert fact(step(found, "rules"), "urgent").holds


def test_a_competitors_post_and_one_of_a_country_that_left_end_there(here: Scene) -> None:
    rival = here.post("rival severity-3 is worse")
    here.work()
    name = here.post("acme severity-3 fire")
    here.collect()
    here.start(france=", mode: off")
    here.app.work(Tally(), lambda: False)
    assert here.why(rival).ending == "competitor"
    found = here.why(name)
    assert found.ending == "not-configured"
    assert "rules" not in [one.name for one in found.steps]


def test_a_post_on_which_deciding_failed_is_said_so(here: Scene) -> None:
    name = here.post("acme severity-3 fire")
    here.collect()
    here.app.classify.run(10, Tally())
    with here.store.triage.transaction() as transaction:
        transaction.decided(1, "failed", priority=0.0, influence=0.0, velocity=0.0, now=here.clock.now())
    found = here.why(name)
    assert found.ending == "failed"
    assert "log" in found.title


def test_a_post_that_the_model_could_not_read_is_said_so(here: Scene) -> None:
    name = here.post("acme")
    here.collect()
    here.store.classifying.save([Classified(1, UNREAD, None, ())], here.clock.now())
    here.work()
    assert UNREAD.model == UNREAD_MODEL
    assert "could not read this post" in fact(step(here.why(name), "classification"), "model").value


def test_corrections_are_told_with_who_made_them_and_what_the_model_said(here: Scene) -> None:
    name = here.post("acme severity-2 nothing works")
    here.work()
    target = here.store.corrections.target(1)
    assert target is not None
    here.store.corrections.add(
        target, actor="Olga\u202e", origin="slack", now=here.clock.now(), complaint=False, topic="praise"
    )
    said = fact(step(here.why(name), "corrections"), "said")
    assert said.value == "complaint False (the model: 0.90), topic praise (the model: delivery)"
    assert said.hostile
    assert "\u202e" not in read(here.why(name))


def test_a_deleted_posts_words_are_not_shown_and_what_became_of_it_is(here: Scene) -> None:
    name = here.post("acme severity-3 topic-safety the kettle burnt my SECRETWORD", place="SECRETWORD Lane")
    here.work()
    here.later(minutes=5)
    here.app.withdraw.forget("x", "p0", "anna@hub")
    for asked in ("A-1", name):
        text = read(here.why(asked))
        assert "SECRETWORD" not in text
        assert "SECRETWORD" not in as_json(here.why(asked))
        assert "withdrawn, and not shown" in text
        assert "on request, says anna@hub" in text
        assert "withdrawn on request" in text
    # Before anybody was told of it the words are still stored, and are not shown either.
    other = here.post("acme severity-3 OTHERWORD")
    here.collect()
    here.app.classify.run(10, Tally())
    here.change(other, deleted=True)
    here.collect()
    found = here.why(other)
    assert found.ending == "withdrawn"
    assert "OTHERWORD" not in as_json(found)


def test_an_edited_post_says_that_it_was_decided_on_as_it_read_before(here: Scene) -> None:
    name = here.post("acme severity-2 topic-billing charged twice")
    here.work()
    here.later(minutes=5)
    here.change(name, text="acme thank you, all is well")
    here.work()
    text = read(here.why("A-1"))
    assert "edited and read again after it was decided on" in text
    assert "decided on the post as it read before it was edited" in text
    assert "recorded: urgent, open-problem" in text


def test_two_brands_are_told_one_after_the_other_with_what_they_share_once(here: Scene) -> None:
    name = here.post("acme and zenith severity-2 topic-billing, both of them")
    here.work()
    found = here.why(name)
    assert [one.brand for one in found.steps if one.name == "decision"] == ["acme", "zenith"]
    assert [one.name for one in found.steps if not one.brand] == ["post", "language", "classification"]
    assert {step(found, "route", brand).state for brand in ("acme", "zenith")} == {"ok"}
    assert "For acme:" in lines(found)
    alone = here.why("m-2")
    assert {one.brand for one in alone.steps} == {""}
    assert alone.alert == "A-2"
    assert fact(step(alone, "watch"), "other brand").link == "m-1"
    assert fact(step(here.why("A-1"), "watch"), "other brand").link == "m-2"


# What held it, and what became of its messages


def test_a_silence_says_by_whom_why_and_until_when_while_it_holds_and_after(here: Scene) -> None:
    now = here.clock.now()
    here.store.silences.add(
        ["country=FR"],
        author="Olga",
        reason="strike is known",
        starts_at=now,
        ends_at=now + timedelta(hours=2),
        now=now,
    )
    here.later(minutes=1)
    here.post("acme severity-2 nothing works")
    here.work()
    hold = step(here.why("A-1"), "hold")
    assert (hold.state, fact(hold, "held now").value) == ("held", "silence 1")
    assert fact(hold, "silence").value == "1: country=FR"
    assert fact(hold, "silence").detail == "strike is known"
    assert "by Olga" in read(here.why("A-1"))
    assert "until Mon 23 Nov 2026, 12:00" in read(here.why("A-1"))
    assert step(here.why("A-1"), "messages").state == "held"
    here.later(hours=3)
    here.tend()
    found = here.why("A-1")
    assert step(found, "hold").state == "info"
    assert fact(step(found, "hold"), "silence").detail == "strike is known"
    assert fact(step(found, "hold"), "waited").value == "3 h"
    assert step(found, "messages").state == "ok"


def test_quiet_hours_hold_it_until_the_opening_and_severity_3_waits_for_nobody(tmp_path: Path) -> None:
    with scene(tmp_path, hours='{mon-fri: "12:00-18:00"}') as here:
        here.post("acme severity-2 nothing works")
        here.post("acme severity-3 fire")
        here.work()
        quiet, urgent = step(here.why("A-1"), "hold"), step(here.why("A-2"), "hold")
    assert fact(quiet, "held now").value == "nobody works"
    assert fact(quiet, "hours").value == "nobody worked until Mon 23 Nov 2026, 12:00:00"
    assert urgent.state == "ok"
    assert "waits for nobody" in fact(urgent, "hours").value


def test_a_budget_says_how_many_cards_there_were_and_that_it_was_folded(tmp_path: Path) -> None:
    with scene(tmp_path, budget=", budget: 2") as here:
        for what in ("the lamp is dark", "my parcel never came", "wrong bill again", "rude at the counter today"):
            here.post(f"acme severity-2 {what}")
            here.work()
        hold = step(here.why("A-4"), "hold")
        here.later(minutes=12)
        here.tend()
        folded = step(here.why("A-4"), "hold")
    assert fact(hold, "held now").value == "beyond the budget"
    assert fact(hold, "budget").value == "2 cards in the hour before, of 2"
    assert not fact(hold, "budget").holds
    assert fact(folded, "held now").value == "folded into a summary"


def test_failed_attempts_are_told_with_what_the_receiver_said(here: Scene) -> None:
    here.post("acme severity-2 nothing works")
    here.slack.script(Reply(503, b"upstream"))
    here.work()
    waiting = step(here.why("A-1"), "messages")
    assert (waiting.state, waiting.summary) == ("held", "not accepted yet, after 1 attempt")
    assert fact(waiting, "attempt").hostile
    assert fact(waiting, "attempt").value.endswith(": not accepted: Slack answers with HTTP status 503")
    assert fact(waiting, "attempt").detail == "it may have arrived all the same"
    here.slack.script(Reply(429, b"", {"Retry-After": "30"}))
    here.later(minutes=10)
    here.tend()
    here.later(minutes=10)
    here.tend()
    sent = step(here.why("A-1"), "messages")
    assert "3 attempts" in fact(sent, "card to desk").value
    tries = [one.value for one in sent.facts if one.label == "attempt"]
    assert [("503" in one, "Retry-After" in one or "429" in one or "limit" in one) for one in tries] == [
        (True, False), (False, True)
    ]  # fmt: skip


def test_a_receiver_in_place_of_another_is_told_with_the_reason(here: Scene) -> None:
    here.slack.channel("C1").is_archived = True
    here.post("acme severity-2 nothing works")
    here.work()
    found = here.why("A-1")
    messages = step(found, "messages")
    assert messages.state == "ok"
    assert fact(messages, "card to desk").value == "another receiver has it, 1 attempt"
    assert fact(messages, "moved to").value == "crisis"
    assert "archived" in fact(messages, "attempt").value
    here.post("acme severity-2 broken too")
    here.work()
    receiver = fact(step(here.why("A-2"), "route"), "receiver")
    assert (receiver.value, receiver.detail) == ("crisis", "in place of desk: off, disabled or left then")


def test_a_card_that_nobody_can_take_is_said_to_be_undelivered(here: Scene) -> None:
    here.post("acme severity-2 nothing works")
    here.work()
    with here.store.alerts._engine.begin() as connection:
        connection.execute(schema.notifications.update().values(state="dead", sent_at=None, problem="no\u202e room"))
    messages = step(here.why("A-1"), "messages")
    assert (messages.state, fact(messages, "card to desk").holds) == ("stopped", False)
    assert "`listener outbox` has it" in messages.summary
    assert "nobody was told" in here.why("A-1").title


def test_a_pilots_alert_says_that_it_goes_to_the_pilot_receiver_and_where_the_ramp_put_it(here: Scene) -> None:
    here.start(france=", mode: pilot, ramp: {share: 0.0001}")
    here.post("acme severity-2 nothing works")
    here.work()
    route = step(here.why("A-1"), "route")
    assert route.summary == "to pilots, and not by the routes"
    assert "it goes to pilots" in fact(route, "pilot").value
    assert fact(route, "ramp").value == "it stays a pilot's"
    assert "its place" in read(here.why("A-1"))


def test_a_pilots_alert_that_the_ramp_took_goes_by_the_routes_and_says_so(here: Scene) -> None:
    here.start(france=', mode: pilot, ramp: {share: 1.0, severities: [2], hours: {mon-sun: "00:00-23:59"}}')
    here.post("acme severity-2 nothing works")
    here.post("acme severity-3 it burns down there")
    here.work()
    taken, left = step(here.why("A-1"), "route"), step(here.why("A-2"), "route")
    assert taken.summary == "to desk"
    assert fact(taken, "ramp").holds
    assert "raised within its hours" in [one.value for one in taken.facts]
    assert left.summary == "to pilots, and not by the routes"
    assert [one.holds for one in left.facts if one.value == "severity 3, of 2"] == [False]


def test_an_alert_whose_card_shows_another_post_says_which(here: Scene) -> None:
    here.post("acme severity-2 nothing works", "ann")
    here.work()
    name = here.post("acme severity-3 now it burns", "ann", minutes_ago=1)
    here.work()
    assert fact(step(here.why("A-1"), "grouping"), "its card shows").link == name


def test_a_drill_goes_to_the_trial_receiver_and_says_so(here: Scene) -> None:
    here.post("acme severity-2 topic-outage drill", network=DRILL_NETWORK)
    here.work()
    route = step(here.why("A-1"), "route")
    assert fact(route, "drill").value == "goes to pilots alone"
    assert route.summary == "to pilots, and not by the routes"


def test_what_happened_afterwards_is_told_in_words(here: Scene) -> None:
    here.post("acme severity-2 nothing works", "ann")
    here.work()
    here.later(minutes=5)
    here.post("acme severity-3 now it burns", "ann", minutes_ago=1)
    here.work()
    here.later(hours=2)
    here.tend()
    later = step(here.why("A-1"), "later")
    told = [one.value for one in later.facts]
    assert any(one.endswith(": severity rises from 2 to 3") for one in told)
    assert any("reminded" in one or "missed" in one or "escalated" in one for one in told)
    severity = step(here.why("A-1"), "severity")
    assert severity.summary == "raised with severity 2"
    assert fact(severity, "it has risen since").value == "3"


def test_a_fact_has_a_moment_only_where_its_value_is_nothing_else(here: Scene) -> None:
    here.post("acme severity-2 nothing works", "ann")
    here.work()
    here.later(hours=5)
    here.tend()
    for found in (here.why("A-1"), here.why("x:p0"), here.why("x:2124418018309046274")):
        dated = [one for told in found.steps for one in told.facts if one.at is not None]
        assert dated
        assert all(one.value == moment(one.at, found.timezone) for one in dated if one.at is not None)


# What is not stored


def test_a_post_that_is_not_stored_says_which_watches_there_are_and_that_no_term_stands_in_it(here: Scene) -> None:
    here.work()
    found = here.why("x:1990000000000000000", text="something about cooking")
    assert found.ending == "unknown"
    assert step(found, "terms").state == "stopped"
    assert "acme" in fact(step(found, "terms"), "terms of the watches there").value
    assert fact(step(found, "post"), "published").at is not None  # X's ids tell the time
    assert step(found, "watches").summary.startswith(f"no watch listens there, {len(here.config.watches)} read files")
    named = step(here.why("x:1990000000000000000", text="the ACME kettle"), "terms")
    assert fact(named, "file/FR/acme").value == "acme"
    kept_out = step(here.why("x:1990000000000000000", text="the acme band plays"), "terms")
    assert (kept_out.state, fact(kept_out, "file/FR/acme").holds) == ("stopped", False)


def test_gaps_and_items_left_out_are_told_where_a_post_is_missing(here: Scene) -> None:
    here.post("", id="broken7")
    here.post("acme is fine")
    here.work()
    with here.store.alerts._engine.begin() as connection:
        gap = {
            "watch_id": "file/FR/acme",
            "start_at": NOW - timedelta(hours=2),
            "end_at": NOW,
            "reason": "quota used up",
        }
        connection.execute(schema.coverage_gaps.insert().values(gap))
    found = here.why("x:404", at=NOW - timedelta(hours=1))
    assert step(found, "gaps").state == "stopped"
    assert fact(step(found, "gaps"), "file/FR/acme").detail == "quota used up"
    heard = here.store.collecting.states()["file/FR/acme"].succeeded_at
    assert heard is not None
    assert step(here.why("x:404", at=heard), "gaps").state == "info"
    later = fact(step(here.why("x:404", at=NOW + timedelta(hours=1)), "gaps"), "file/FR/acme")
    assert later.value.startswith("it has seen nothing since Mon 23 Nov 2026")
    assert any("text" in one.value for one in step(found, "skipped").facts)


@pytest.mark.parametrize("asked", ["A-99", "I-1", "m-77", "nonsense", "x:", "https://[", ""])
def test_what_names_nothing_is_refused_with_what_to_write(here: Scene, asked: str) -> None:
    here.post("acme severity-2 nothing works")
    here.work()
    with pytest.raises(UnknownReferenceError):
        here.why(asked)


def test_a_post_is_found_by_its_address_whoever_it_is_written_after(here: Scene) -> None:
    name = here.post("acme severity-2 nothing works")
    file = here.post("acme severity-2 at the shop", network="appstore", url="https://apps.example/r/55?hl=en")
    here.work()
    for asked in (
        "https://x.com/somebody/status/p0",
        "http://www.twitter.com/other/status/p0?s=20",
        "1",
        "a-1",
        " A-1 ",
    ):
        assert here.why(asked).alert == "A-1"
    assert here.why("https://x.com/i/status/p0").reference == name
    assert here.why("https://apps.example/r/55?hl=en").reference == file
    assert here.why("https://apps.example/r/56").ending == "unknown"


# What others wrote


@pytest.mark.parametrize("asked", ["A-1", "x:p0", "x:404\x1b[2J\u202e"])
def test_hostile_texts_act_on_nothing(here: Scene, asked: str) -> None:
    here.post(HOSTILE, "\x1b[31mEve\u202e", bio="journaliste\x1b[2J", location="\u2066Paris\x07", place="\x1b]8;;x\x07")
    now = here.clock.now()
    here.store.silences.add(
        ["country=FR"], author="\u202eOlga\x1b[1m", reason="\x1b]0;t\x07why", starts_at=now,
        ends_at=now + timedelta(hours=1), now=now,
    )  # fmt: skip
    here.work()
    found = here.why(asked, text=HOSTILE)
    for text in ("\n".join(lines(found)), as_json(found)):
        assert not {"\x1b", "\x07", "\u202e", "\u2066", "\r", "\x9b"} & set(text)
    assert max(map(len, lines(found))) <= 80
    data = json.loads(as_json(found))
    assert data["steps"]
    if asked == "A-1":
        text = next(one for one in data["steps"][0]["facts"] if one["label"] == "text")
        assert text["hostile"]


def test_lines_fit_the_terminal_in_wide_scripts_too(here: Scene) -> None:
    from rich.cells import cell_len

    here.post("acme severity-2 " + "水壶爆炸了没有人接电话" * 12 + " " + "ا" * 300, "请" * 40)
    here.work()
    assert max(cell_len(line) for line in lines(here.why("A-1"))) <= 80


# How it reads


def test_nothing_is_written_and_a_writer_at_work_holds_nothing_up(here: Scene) -> None:
    here.post("acme severity-2 nothing works")
    here.work()
    with reading(here.store.alerts._engine) as connection:
        tables = list(schema.metadata.sorted_tables)
        before = {table.name: connection.execute(select(table)).all() for table in tables}
    with here.store.alerts.transaction() as transaction:  # another that writes at this moment
        transaction.record(1, "shown", {}, here.clock.now())
        assert here.why("A-1").ending == "raised"
        assert here.why("x:p0").ending == "raised"
    with reading(here.store.alerts._engine) as connection:
        after = {table.name: connection.execute(select(table)).all() for table in tables}
    before.pop("alert_events")
    after.pop("alert_events")
    assert before == after


def test_it_reads_the_same_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    told = []
    for folder, url in (("lite", ""), ("post", migrated_database(postgres_url))):
        (tmp_path / folder).mkdir()
        with scene(tmp_path / folder, store=url) as here:
            here.keep()
            here.post("acme severity-2 nothing works at all any more in our street", "ann", followers=9000)
            here.work()
            here.later(minutes=7)
            name = here.post("acme severity-2 nothing works at all any more in our street", "ben", minutes_ago=1)
            here.work()
            told.append([lines(here.why(asked)) for asked in ("A-1", name, "x:404")])
    assert told[0] == told[1]


def test_values_of_sentences_stand_beside_their_patterns(here: Scene) -> None:
    here.post("acme severity-2 nothing works")
    here.work()
    data = json.loads(as_json(here.why("A-1")))
    post = data["steps"][0]
    assert post["summary_pattern"] == "published {published}, collected {late} later"
    assert post["summary_values"] == {"published": "2026-11-23T08:55:00+00:00", "late": 303.0}
    assert values(step(here.why("A-1"), "rules"), "urgent") == ["holds"]
