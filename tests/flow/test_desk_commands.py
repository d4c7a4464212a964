"""Alerts and silences from the terminal: the same desk as Slack, on a store with alerts, and as real commands."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import JSON, update

from alerts.card import Card, load_message
from alerts.receivers.terminal import TerminalReceiver
from alerts.silences import MatcherError
from classifiers.copies import text_hash
from listener import alert_command, silence_command
from listener.alert_command import Filters, Request
from listener.app import App, OpenDesk, open_desk
from listener.clock import FixedClock
from listener.config import Config, load_config
from listener.desk import Actor, DeskError
from listener.model import Author, Guidance, Mention, Page, Watch
from listener.pipeline.tally import Tally
from listener.plugins import Plugins, plugin_options
from listener.silence_command import Wish
from listener.store import AlertRow, Arrival, Store, schema
from playbooks.library import PlaybookLibrary
from tests.commands import ROOT, listener_here
from tests.databases import migrated_database, migrated_sqlite
from tests.flow.made import MadeClassifier

CONFIG = """
version: 1
brands:
  acme: {{name: Acme, terms: [acme]}}
teams:
  paris: {{name: Paris hub, languages: [fr], people: [{{name: Olga Petit, slack: U1}}, {{name: Paul}}]}}
  london: {{name: London hub, languages: [en]}}
sources:
  file: {{}}
receivers:
  desk: {{type: terminal}}
fallback_receiver: desk
route: {{receiver: desk, group_wait: 0s, group_interval: 0s}}
defaults: {{languages: [en], timezone: UTC, hours: {{mon-sun: "00:00-23:59"}}, team: london}}
countries:
  FR: {{languages: [fr], timezone: Europe/Paris, team: paris}}
  GB: {{timezone: Europe/London}}
store: {{url: "{url}"}}
"""
HOSTILE = "acme severity-3 topic-outage \x1b]0;owned\x07\x1b[2J\u202eevil\r\nA-99 resolved"
OLGA, PAUL = Actor("Olga Petit", "slack:U1"), Actor("Paul")


@dataclass
class Office:
    """A store with three alerts and a desk on it."""

    config: Config
    app: App
    clock: FixedClock
    desk: OpenDesk

    def post(self, number: int, text: str, country: str, network: str = "x") -> None:
        mention = Mention(network, str(number), text, self.clock.now(), Author(network, f"a{number}", f"Ann {number}"))
        self.app.store.collecting.save_page(
            Watch(f"file/{country}", "file", "acme", country, ("en",), ()),
            Page((mention,), None),
            [Arrival(mention, country, text_hash(text))],
            now=self.clock.now(),
            next_poll_at=self.clock.now(),
            max_age_s=None,
        )

    def work(self) -> None:
        self.app.work(Tally(), lambda: False)
        self.app.tend()
        self.app.sender.drain("desk", Tally(), lambda seconds: True)

    def act(self, name: str, action: str, detail: str = "", who: Actor = PAUL, **more: object) -> str:
        request = Request(action, detail, **more)  # type: ignore[arg-type]
        return alert_command.act(self.desk, alert_command.alert_of(self.desk, name), request, who).text

    def record(self, name: str = "A-1") -> str:
        return "\n".join(alert_command.history(self.desk, alert_command.alert_of(self.desk, name)))


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    on_file = request.param == "sqlite"
    url = migrated_sqlite(tmp_path) if on_file else migrated_database(request.getfixturevalue("postgres_url"))
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(url=url), encoding="utf-8")
    config, clock = load_config(path, plugin_options()), FixedClock(datetime.now(UTC))
    plugins = Plugins(receivers={"desk": TerminalReceiver()})
    app = App(config, plugins, MadeClassifier(), PlaybookLibrary.load(), Store(url), clock)
    with open_desk(config, clock) as desk:
        made = Office(config, app, clock, desk)
        made.post(1, HOSTILE, "FR")
        made.post(2, "acme severity-2 topic-billing double charge", "GB")
        made.post(3, "acme severity-2 topic-outage again", "GB", network="vk")
        made.work()
        yield made
    app.close()


def test_the_list_tells_who_has_what_and_what_is_due(office: Office) -> None:
    office.act("A-2", "claim", who=OLGA)
    rows = alert_command.listed(office.desk, Filters())
    text = "\n".join(alert_command.listing(office.desk, rows))
    assert [row.id for row in rows] == [1, 2, 3]
    assert "A-1 · severity 3 · open, nobody · FR · acme · outage · Paris hub" in text
    assert "A-2 · severity 2 · claimed, Olga Petit since" in text
    assert "first answer due" in text
    assert "double charge" in text


def test_hostile_text_reaches_the_terminal_harmless(office: Office) -> None:
    text = "\n".join(alert_command.listing(office.desk, alert_command.listed(office.desk, Filters())))
    office.act("A-1", "claim", who=Actor("\x1b[31mEve\u202e\nA-2 resolved"))
    shown = text + office.record()
    assert not any(forbidden in shown for forbidden in ("\x1b", "\x07", "\u202e", "\r"))
    assert not any(line.startswith(("A-99", "A-2 resolved")) for line in shown.split("\n"))


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(countries=("GB",)), [2]),
        (Filters(teams=("paris",)), [1]),
        (Filters(owner="olga petit"), [2]),
        (Filters(owner="slack:U1"), [2]),
        (Filters(owner="nobody"), [1]),
        (Filters(everything=True), [3, 2, 1]),
        (Filters(limit=1), [1]),
    ],
)
def test_the_list_is_filtered(office: Office, filters: Filters, found: list[int]) -> None:
    office.act("2", "claim", who=OLGA)
    office.act("a3", "resolve", "no-reply")
    assert [row.id for row in alert_command.listed(office.desk, filters)] == found


def test_the_list_is_json_too(office: Office) -> None:
    (first, *_) = json.loads(alert_command.listing_json(office.desk, alert_command.listed(office.desk, Filters())))
    assert (first["reference"], first["country"], first["state"], first["owner"]) == ("A-1", "FR", "open", None)


def test_everything_that_slack_can_do_is_done_and_stands_in_the_record(office: Office) -> None:
    assert office.act("A-1", "claim", who=OLGA) == "A-1: Claimed by Olga Petit."
    assert "Olga Petit has A-1 since" in office.act("A-1", "claim")
    assert office.act("A-1", "take-over") == "A-1: Taken over by Paul from Olga Petit."
    assert office.act("A-1", "snooze", "1h").startswith("A-1: Snoozed by Paul until")
    assert office.act("A-1", "wake") == "A-1 is awake again."
    assert office.act("A-1", "replied", public=True, private=True) == "A-1: Answered in public and in private by Paul."
    assert office.act("A-1", "release") == "A-1: Given back by Paul."
    assert "told of A-1" in office.act("A-1", "escalate")
    assert office.act("A-1", "show") == "The card of A-1 stands in the channel already."
    assert office.act("A-1", "resolve", "solved").startswith("A-1: Resolved by Paul")
    assert office.act("A-1", "reopen", who=OLGA) == "A-1: Opened again by Olga Petit."
    assert office.act("A-1", "not-a-complaint", "other-brand", topic="other").startswith("A-1: Not a complaint")
    office.work()
    lines = office.record().split("\n")
    expected = ["opened with severity 3 by the rules", "Olga Petit (cli): claimed it", "Paul (cli): took it over",
                "Paul (cli): snoozed it until", "Paul (cli): the snooze is over", "answered in public and in private",
                "gave it back", "escalated to", "resolved: solved",
                "Olga Petit (cli): opened it again", "not a complaint: about something else of that name"]  # fmt: skip
    at = 0
    for words in expected:
        at = next(index for index, line in enumerate(lines) if index >= at and words in line) + 1
    assert any(line.startswith("  card to desk: sent") and line.endswith("1 attempt") for line in lines)
    assert office.desk.store.corrections.count() == 1


def test_a_person_takes_an_alert_for_another_case(office: Office) -> None:
    assert office.act("A-2", "playbook", "safety") == (
        "A-2: Paul takes it for another case: Danger to health or safety."
    )
    assert "A-2 has that playbook already." in office.act("A-2", "playbook", "safety")
    row = office.app.store.alerts.alert(2)
    assert row is not None
    assert (row.playbook, row.playbook_by) == ("safety", "Paul")
    office.work()
    shown = load_message(office.app.store.alerts.looks([2])[2])
    assert isinstance(shown, Card)
    assert shown.guidance is not None
    assert shown.guidance.playbook == "safety"
    assert "took it for another case: safety" in office.record("A-2")


def stored(office: Office, number: int) -> AlertRow:
    row = office.app.store.alerts.alert(number)
    assert row is not None
    return row


def shown_of(office: Office, number: int) -> Guidance:
    """Return what the card of an alert advises."""
    office.work()
    card = load_message(office.app.store.alerts.looks([number])[number])
    assert isinstance(card, Card)
    assert card.guidance is not None
    return card.guidance


@pytest.mark.parametrize("how", ["solved", "private"])
def test_the_case_that_somebody_chose_rests_while_it_is_settled_and_is_back_when_it_is_opened_again(
    office: Office, how: str
) -> None:
    assert office.act("A-2", "playbook", "safety").startswith("A-2: Paul takes it")
    office.act("A-2", "resolve", how)
    assert shown_of(office, 2).playbook == "solved-public"
    assert (stored(office, 2).playbook, stored(office, 2).playbook_by) == ("safety", "Paul")
    office.act("A-2", "reopen")
    assert shown_of(office, 2).playbook == "safety"
    assert office.act("A-2", "playbook", "safety") == "A-2 has that playbook already."
    assert office.act("A-2", "playbook", "billing").startswith("A-2: Paul takes it")
    assert shown_of(office, 2).playbook == "billing"


@pytest.mark.parametrize(
    ("action", "detail", "words"),
    [
        ("not-a-complaint", "joke", "A-2 was closed by Paul: "),
        ("resolve", "public", "A-2 was closed by Paul: "),
        ("resolve", "solved", "A-2 was closed by Paul: "),
        ("resolve", "no-reply", "A-2 was closed by Paul: "),
    ],
)
def test_a_closed_alert_is_not_taken_for_another_case(office: Office, action: str, detail: str, words: str) -> None:
    office.act("A-2", action, detail)
    before = stored(office, 2)
    assert office.act("A-2", "playbook", "safety").startswith(words)
    assert stored(office, 2) == before
    assert "took it for another case" not in office.record("A-2")


def test_a_case_is_compared_with_what_the_card_shows(office: Office) -> None:
    assert stored(office, 3).playbook == "outage"
    with office.app.store.alerts.transaction() as transaction:  # others write of the same meanwhile
        row = transaction.change(3, office.clock.now(), incident_id=1)
        office.desk.announcer.changed(transaction, row, office.clock.now())
    assert shown_of(office, 3).playbook == "mass-outage"
    assert office.act("A-3", "playbook", "mass-outage") == "A-3 has that playbook already."
    assert stored(office, 3).playbook_by is None
    assert office.act("A-3", "playbook", "outage").startswith("A-3: Paul takes it for another case: ")
    assert shown_of(office, 3).playbook == "outage"
    (event,) = [one for one in office.app.store.alerts.history(3) if one.kind == "playbook"]
    assert (event.data["playbook"], event.data["before"]) == ("outage", "mass-outage")


def test_the_drafts_of_another_case_are_stored_as_those_that_were_offered_first(office: Office) -> None:
    assert {name.split("/")[0] for name in stored(office, 2).variants} == {"billing"}
    office.act("A-2", "playbook", "safety")
    first = [draft.variant for draft in shown_of(office, 2).drafts]
    assert list(stored(office, 2).variants) == first
    assert {name.split("/")[0] for name in first} == {"safety"}


@pytest.mark.parametrize("variants", [JSON.NULL, {"a": 1}, "billing/en/a", [None, 7, {}]], ids=repr)
def test_variants_that_are_none_hide_no_card(office: Office, variants: object) -> None:
    with office.app.store.alerts._engine.begin() as connection:
        connection.execute(update(schema.alerts).where(schema.alerts.c.id == 2).values(variants=variants))
    assert list(stored(office, 2).variants) == []
    office.act("A-2", "claim")
    assert len(shown_of(office, 2).drafts) == 3
    assert office.act("A-2", "playbook", "safety").startswith("A-2: Paul takes it")
    assert len(stored(office, 2).variants) == 3


def test_of_two_who_choose_different_cases_at_once_one_wins_and_the_other_is_told(office: Office) -> None:
    together, answers = threading.Barrier(2), {}

    def choose(actor: Actor, playbook: str) -> None:
        together.wait()
        answers[actor.name] = office.desk.desk.choose_playbook(2, actor, playbook, seen="billing")

    chosen = {OLGA: "safety", PAUL: "fraud"}
    threads = [threading.Thread(target=choose, args=pair) for pair in chosen.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = stored(office, 2).playbook_by
    loser = next(actor for actor in chosen if actor.name != winner)
    title = shown_of(office, 2).title
    assert answers[winner].done
    assert (answers[loser.name].done, answers[loser.name].text) == (
        False,
        f"{winner} took A-2 for another case meanwhile: {title}.",
    )
    assert [one.kind for one in office.app.store.alerts.history(2)].count("playbook") == 1
    again = office.desk.desk.choose_playbook(2, loser, chosen[loser], seen=str(stored(office, 2).playbook))
    assert again.done


@pytest.mark.parametrize("name", ["", "poems", "crisis", "safety' --", "x" * 500])
def test_a_case_that_cannot_be_is_refused_with_those_that_can(office: Office, name: str) -> None:
    with pytest.raises(DeskError, match=r"there is no such playbook; there are: .*safety"):
        office.act("A-2", "playbook", name)


def test_the_record_is_json_with_every_message(office: Office) -> None:
    office.act("A-2", "claim", who=OLGA)
    office.work()
    found = json.loads(alert_command.history_json(office.desk, alert_command.alert_of(office.desk, "A-2")))
    assert [(event["kind"], event["actor"]) for event in found["events"]] == [
        ("opened", "listener"),
        ("claimed", "Olga Petit"),
    ]
    assert {message["state"] for message in found["messages"]} == {"sent"}
    assert {message["kind"] for message in found["messages"]} == {"alert", "note", "update"}


def test_an_event_of_a_kind_that_is_not_known_is_shown_as_it_stands(office: Office) -> None:
    with office.app.store.alerts.transaction() as transaction:
        transaction.record(2, "beamed", {"to": "orbit"}, office.clock.now(), "Scotty")
        transaction.record(2, "snoozed", {"until": "never"}, office.clock.now(), "Scotty")
    assert 'Scotty: beamed {"to": "orbit"}' in office.record("A-2")
    assert 'Scotty: snoozed {"until": "never"}' in office.record("A-2")


@pytest.mark.parametrize(
    ("name", "action", "detail", "problem"),
    [
        ("A-x", "claim", "", "'A-x' names no alert"),
        ("A-77", "claim", "", "there is no alert A-77"),
        ("I-1", "claim", "", "there is no alert I-1"),
        ("A-1", "explode", "", "cannot be done; what can: claim, release"),
        ("A-1", "claim", "now", "claim takes nothing more"),
        ("A-1", "snooze", "", "say for how long"),
        ("A-1", "snooze", "soon", "'soon' is no span; write 30m, 2h or 7d"),
        ("A-1", "snooze", "60d", "at most 14 days"),
        ("A-1", "resolve", "", "say how: public, private, solved, no-reply"),
        ("A-1", "not-a-complaint", "meh", "say how: question, praise, other-brand"),
        ("A-1", "replied", "", "say where it was answered"),
    ],
)
def test_what_cannot_be_understood_is_told_with_what_to_write(
    office: Office, name: str, action: str, detail: str, problem: str
) -> None:
    with pytest.raises(DeskError) as refused:
        office.act(name, action, detail)
    assert problem in str(refused.value)
    assert len(office.desk.store.alerts.history(1)) == 1


def test_a_person_of_the_configuration_is_the_same_here_and_in_slack(office: Office) -> None:
    assert alert_command.actor(office.config, " olga petit ") == OLGA
    assert alert_command.actor(office.config, "Paul") == PAUL
    assert alert_command.actor(office.config, "root") == Actor("root")


# Silences


def add(office: Office, *matchers: str, lasting: str = "2h", reason: str = "known outage", **more: str) -> list[str]:
    return silence_command.add(office.desk, Wish(matchers, lasting, reason, **more), OLGA)


def test_a_silence_holds_back_what_it_matches_and_lets_it_go_at_its_end(office: Office) -> None:
    said = add(office, "country=GB", "topic=~outage|quality")
    assert said[0].startswith("Silence 1 of country=GB, topic=~outage|quality until")
    assert said[1] == "1 of 3 open alerts match it. End it: listener silence end 1"
    office.post(4, "The shop page has shown nothing since noon, acme! severity-2 topic-outage", "GB")
    office.post(5, "Who checks your invoices, acme? Third wrong one. severity-2 topic-billing", "GB")
    office.work()
    assert "held back (silence:1) until" in office.record("A-4")
    assert "card to desk: sent" in office.record("A-5")
    listed = "\n".join(silence_command.listed(office.desk))
    assert "by Olga Petit: known outage" in listed
    assert "holds back 1 alert now" in listed
    assert silence_command.end(office.desk, 1, PAUL) == "Silence 1 is ended."
    office.work()
    assert "card to desk: sent" in office.record("A-4")
    assert silence_command.listed(office.desk) == ["No silence is in force."]
    assert "ended by Paul" in "\n".join(silence_command.listed(office.desk, everything=True))
    with pytest.raises(DeskError, match="silence 1 was over at"):
        silence_command.end(office.desk, 1, PAUL)


def test_a_silence_can_begin_later_in_somebodys_own_zone(office: Office) -> None:
    begins = (office.clock.now() + timedelta(days=3)).strftime("%Y-%m-%d 09:00")
    (said, _) = add(office, "country=FR", begins=begins, timezone="Asia/Tokyo")
    assert f"from {begins[:10]} 00:00 until {begins[:10]} 02:00 UTC" in said
    assert office.desk.store.silences.active(office.clock.now()) == []
    assert "from" in silence_command.listed(office.desk)[1]


def test_a_preview_names_what_would_be_muted_and_mutes_nothing(office: Office) -> None:
    lines = silence_command.preview(office.desk, ["network=vk"])
    assert lines[0] == "1 of 3 open alerts match network=vk"
    assert lines[1].startswith("  A-3 severity 2, open: GB acme outage")
    assert office.desk.store.silences.latest() == []


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        (Wish(["country=GB"], "2h", "  "), "say why"),
        (Wish(["country GB"], "2h", "x"), "is no matcher"),
        (Wish(["planet=Mars"], "2h", "x"), "there is no label 'planet'"),
        (Wish(["topic=biling"], "2h", "x"), "there is no topic 'biling'; did you mean billing?"),
        (Wish(["topic!=biling", "country=GB"], "2h", "x"), "there is no topic 'biling'"),
        (Wish(["country=gb"], "2h", "x"), "there is no country 'gb'; did you mean GB?"),
        (Wish(["country=ZZ"], "2h", "x"), "there is no country 'ZZ'; known: FR, GB"),
        (Wish(["brand=Acne"], "2h", "x"), "there is no brand 'Acne'; did you mean acme?"),
        (Wish(["severity=4"], "2h", "x"), "there is no severity '4'; known: 1, 2, 3"),
        (Wish(["topic=~("], "2h", "x"), "is no regular expression"),
        (Wish(["country!=GB"], "2h", "x"), "hold for every alert"),
        (Wish([], "2h", "x"), "at least one matcher"),
        (Wish(["country=GB"], "2 fortnights", "x"), "is no span"),
        (Wish(["country=GB"], "100d", "x"), "at most 90 days"),
        (Wish(["country=GB"], "2h", "x", "2020-01-01 09:00"), "it is past"),
        (Wish(["country=GB"], "2h", "x", "tomorrow"), "is no moment; write it as 2026-12-01 09:00"),
        (Wish(["country=GB"], "2h", "x", "2030-03-31 02:30", "Europe/Paris"), "the clocks of Europe/Paris skip 02:30"),
        (Wish(["country=GB"], "2h", "x", "2030-01-01 09:00", "Mars/Olympus"), "is no time zone"),
        (Wish(["country=GB"], "1h", "x", "0001-01-01T00:00+14:00"), "is no moment; write it as 2026-12-01 09:00"),
        (Wish(["country=GB"], "1h", "x", "0001-01-01 00:00", "Asia/Tokyo"), "is no moment; write it as"),
        (Wish(["country=GB"], "7d", "x", "9999-12-31 23:00"), "is no moment; write it as 2026-12-01 09:00"),
    ],
)
def test_a_silence_that_cannot_be_is_refused_with_what_to_write(office: Office, wish: Wish, problem: str) -> None:
    with pytest.raises((DeskError, MatcherError)) as refused:
        silence_command.add(office.desk, wish, OLGA)
    assert problem in str(refused.value)
    assert office.desk.store.silences.latest() == []


def test_a_silence_that_would_end_when_calendars_do_is_refused(office: Office) -> None:
    last = datetime(9999, 12, 31, 23, tzinfo=UTC)
    with pytest.raises(DeskError, match="before the year 9999"):
        office.desk.desk.silence(["country=GB"], OLGA, lasting=timedelta(hours=2), reason="x", starts_at=last)


# As commands


@pytest.fixture
def command(tmp_path: Path, office: Office):  # type: ignore[no-untyped-def]
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "listener.cli", *arguments, "--config", str(tmp_path / "config.yaml")],
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "110"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
def test_the_commands_work_beside_whatever_else_has_the_database_open(  # type: ignore[no-untyped-def]
    command, tmp_path: Path
) -> None:
    own = "--config", str(tmp_path / "config.yaml")
    listed = command("alerts", "--country", "FR")
    assert (listed.returncode, listed.stdout.count("A-1 ·")) == (0, 1), listed.stderr
    claimed = command("alert", "A-1", "claim", "--by", "Olga Petit")
    assert (claimed.returncode, claimed.stdout) == (0, "A-1: Claimed by Olga Petit.\n"), claimed.stderr
    second = listener_here("alert", "A-1", "claim", "--by", "Paul", *own)
    assert second.returncode == 1
    assert "Olga Petit has A-1 since" in second.stdout
    record = listener_here("history", "A-1", *own)
    assert "Olga Petit (cli): claimed it" in record.stdout
    added = command("silence", "add", "country=GB", "--for", "2h", "--reason", "moving house", "--by", "Paul")
    assert added.returncode == 0, added.stderr
    assert "moving house" in listener_here("silence", "list", *own).stdout
    refused = listener_here("silence", "add", "country=GB", "--for", "2h", *own)
    assert (refused.returncode, refused.stderr) == (
        1,
        "error: say why: those who wonder about the silence will read it\n",
    )
    assert listener_here("silence", "end", "1", *own).returncode == 0
    nowhere = listener_here("alert", "A-77", "claim", *own)
    assert (nowhere.returncode, nowhere.stderr[:35]) == (1, "error: there is no alert A-77; `lis")
    unknown = listener_here("alerts", "--country", "XX", *own, COLUMNS="110")
    assert unknown.returncode == 2
    assert "XX is not configured" in unknown.stderr
    drill = listener_here("drill", "--country", "FR", *own)
    assert drill.returncode == 1
    assert "a drill needs a channel of its own" in drill.stderr
