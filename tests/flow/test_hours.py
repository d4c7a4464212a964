"""Alerts as time passes: quiet hours, the morning summary, cover by another hub, budgets, reminders, escalation."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from listener.app import App
from listener.clock import FixedClock
from listener.config import load_config
from listener.model import AlertState
from listener.pipeline.tally import Tally
from listener.plugins import open_plugins, plugin_options
from listener.store import Store, TriageItem
from playbooks.library import PlaybookLibrary
from tests.databases import migrated_database, migrated_sqlite
from tests.flow.made import MadeClassifier, write_posts
from tests.servers.slack import TOKEN, SlackMessage, SlackServer

if TYPE_CHECKING:
    pass

CONFIG = """
version: 1
brands: {{acme: {{name: Acme, terms: [acme]}}}}
teams:
  paris:
    name: Paris
    timezone: Europe/Paris
    languages: [fr, en]
    people: [{{name: Olga, slack: U1, on_call: true}}, {{name: Paul, slack: U2}}]
    group: S1
    receiver: paris
    next: lyon
    cover: {cover}
  lyon: {{name: Lyon, timezone: Europe/Paris, languages: [fr], people: [{{name: Lea, slack: U3}}], receiver: lyon}}
  tokyo:
    name: Tokyo
    timezone: Asia/Tokyo
    languages: [en, ja]
    hours: {{mon-fri: "09:00-18:00"}}
    people: [{{name: Aiko, slack: U4}}]
    receiver: tokyo
  head:
    name: Head office
    timezone: Europe/Paris
    languages: [en]
    people: [{{name: Hugo, slack: U9}}]
    receiver: head
sources: {{file: {{every: 1s}}}}
receivers:
  paris: {{type: slack, token: "${{file:{token}}}", channel: C1, base_url: "{slack}", min_interval_s: 0 {budget}}}
  lyon: {{type: slack, token: "${{file:{token}}}", channel: C2, base_url: "{slack}", min_interval_s: 0}}
  tokyo: {{type: slack, token: "${{file:{token}}}", channel: C3, base_url: "{slack}", min_interval_s: 0}}
  head: {{type: slack, token: "${{file:{token}}}", channel: C4, base_url: "{slack}", min_interval_s: 0}}
fallback_receiver: head
head_office: head
route: {{receiver: paris, group_wait: {group_wait}, group_interval: 5m, repeat_interval: 4h}}
defaults:
  languages: [en]
  timezone: UTC
  hours: {{mon-fri: "09:00-18:00"}}
  team: paris
countries:
  FR:
    timezone: Europe/Paris
    targets:
      severity_3: {{respond: 15m, resolve: 4h, around_the_clock: true}}
      severity_2: {{respond: 1h, resolve: 9h}}
    sources: {{file: {{path: "{folder}/posts.jsonl"}}}}
store: {{url: "{store}"}}
"""
MONDAY_10 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # 10:00 in Paris
SATURDAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)


class Place:
    """A daemon with made classifications, a Slack workspace and a clock that is set by hand."""

    def __init__(self, folder: Path, slack: SlackServer, now: datetime, store: str, **values: str) -> None:
        self.folder, self.slack = folder, slack
        self.clock = FixedClock(now)
        slack.now = lambda: self.clock.now().timestamp()
        (folder / "slack").write_text(TOKEN)
        settings = {"cover": "[]", "budget": "", "group_wait": "0s", **values}
        path = folder / "config.yaml"
        places = {"token": folder / "slack", "folder": folder, "slack": slack.api_url, "store": store}
        path.write_text(CONFIG.format(**places, **settings), encoding="utf-8")
        config = load_config(path, plugin_options())
        self.app = App(
            config,
            open_plugins(config, self.clock),
            MadeClassifier(),
            PlaybookLibrary.load(),
            Store(config.store.address),
            self.clock,
        )
        self._posts: list[dict[str, object]] = []

    def post(self, severity: int, author: str = "", text: str = "") -> None:
        """Let somebody post what the made classifier reads as of this severity."""
        number = len(self._posts)
        self._posts.append(
            {
                "id": f"p{number}",
                "network": "x",
                "author_id": author or f"a{number}",
                "author_name": author or f"Author {number}",
                "text": f"acme severity-{severity} case {number} {text}",
                "published_at": self.clock.now().isoformat(),
            }
        )
        write_posts(self.folder / "posts.jsonl", self._posts)

    def work(self) -> None:
        """One round of everything."""
        tally = Tally()
        for watch in self.app.collector.watches():
            self.app.collector.poll(watch, tally, lambda: False, even_if_early=True)
        self.app.work(tally, lambda: False)
        self.app.tend()
        for receiver in self.app.plugins.receivers:
            self.app.sender.drain(receiver, tally, lambda seconds: True)

    def later(self, **span: float) -> None:
        self.until(self.clock.now() + timedelta(**span))

    def until(self, moment: datetime, step: timedelta = timedelta(minutes=5)) -> None:
        """Let time pass, the daemon looking every few minutes."""
        while self.clock.now() < moment:
            self.clock.advance(min(step, moment - self.clock.now()).total_seconds())
            self.app.tend()
            for receiver in self.app.plugins.receivers:
                self.app.sender.drain(receiver, Tally(), lambda seconds: True)

    def messages(self, channel: str = "C1") -> list[SlackMessage]:
        return self.slack.channel(channel).messages

    def thread(self, channel: str = "C1", number: int = 0) -> list[str]:
        return [reply.shown for reply in self.messages(channel)[number].replies]


@contextmanager
def place(folder: Path, now: datetime, store: str = "", **values: str) -> Iterator[Place]:
    with SlackServer(channels=("C1", "C2", "C3", "C4")) as slack:
        made = Place(folder, slack, now, store or migrated_sqlite(folder), **values)
        try:
            yield made
        finally:
            made.app.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    return migrated_database(request.getfixturevalue("postgres_url"))


def test_outside_hours_only_severity_3_is_sent_and_wakes_who_is_on_call(tmp_path: Path, store_url: str) -> None:
    with place(tmp_path, SATURDAY, store_url) as here:
        here.post(2)
        here.post(3)
        here.work()
        (card,) = here.messages()
        assert "Severity 3" in card.shown
        assert any("on call" in note for note in here.thread())
        mentioned = {markup for reply in card.replies for markup in reply.live_markup}
        assert "@U1" in mentioned
        assert "@U2" not in mentioned


def test_a_quiet_period_ends_with_a_morning_summary_and_the_cards(tmp_path: Path, store_url: str) -> None:
    with place(tmp_path, SATURDAY, store_url) as here:
        for _ in range(3):
            here.post(2)
        here.work()
        assert here.messages() == []
        here.until(datetime(2026, 11, 23, 7, 55, tzinfo=UTC), HALF_HOUR)
        assert here.messages() == []
        here.until(datetime(2026, 11, 23, 8, 5, tzinfo=UTC))  # 09:05 in Paris
        summary, *cards = here.messages()
        assert "3 alerts came in outside hours" in summary.shown
        assert [f"A-{number}" in summary.shown for number in (1, 2, 3)] == [True] * 3
        assert len(cards) == 3


def test_what_ended_meanwhile_is_not_shown_in_the_morning(tmp_path: Path) -> None:
    from listener.desk import Actor

    with place(tmp_path, SATURDAY) as here:
        for _ in range(3):
            here.post(2)
        here.work()
        here.app.desk.resolve(1, Actor("Olga"), "no_reply")
        here.until(datetime(2026, 11, 23, 8, 5, tzinfo=UTC), HALF_HOUR)
        summary, *cards = here.messages()
        assert "2 alerts came in" in summary.shown
        assert "1 more ended meanwhile" in summary.shown
        assert len(cards) == 2


def test_the_hub_whose_day_has_begun_takes_over(tmp_path: Path, store_url: str) -> None:
    midnight = datetime(2026, 11, 24, 0, 30, tzinfo=UTC)  # 01:30 in Paris, 09:30 in Tokyo
    with place(tmp_path, midnight, store_url, cover="[tokyo]") as here:
        here.post(2)
        here.work()
        assert here.messages("C1") == []
        (card,) = here.messages("C3")
        assert "Tokyo" in card.shown


def test_what_waited_goes_to_the_hub_that_opens_first(tmp_path: Path) -> None:
    with place(tmp_path, datetime(2026, 11, 22, 22, 0, tzinfo=UTC), cover="[tokyo]") as here:  # Sunday night
        here.post(2)
        here.work()
        assert here.messages("C1") == here.messages("C3") == []
        here.until(datetime(2026, 11, 23, 0, 10, tzinfo=UTC))  # Monday 09:10 in Tokyo
        assert len(here.messages("C3")) == 1
        assert here.messages("C1") == []


def test_reminder_then_group_then_next_team_then_head_office(tmp_path: Path, store_url: str) -> None:
    with place(tmp_path, MONDAY_10, store_url) as here:
        here.post(2)
        here.work()
        here.later(minutes=35)
        assert any("First answer due by" in note for note in here.thread())
        here.later(minutes=30)
        assert any("the group of Paris told" in note for note in here.thread())
        here.later(minutes=20)
        assert any("Lyon told" in note for note in here.thread())
        assert len(here.messages("C2")) == 1
        here.later(minutes=60)
        assert len(here.messages("C4")) == 1
        (alert,) = here.app.store.alerts.alerts()
        assert alert.now_with == "head"


def test_an_answer_stops_the_first_ladder_and_a_resolution_all(tmp_path: Path) -> None:
    from listener.desk import Actor

    with place(tmp_path, MONDAY_10) as here:
        here.post(2)
        here.work()
        here.app.desk.replied(1, Actor("Olga", "slack:U1", "slack"), public=True, private=False)
        here.later(hours=3)
        assert not any("told" in note for note in here.thread())
        here.app.desk.resolve(1, Actor("Olga", "slack:U1", "slack"), "solved")
        here.until(here.clock.now() + timedelta(days=2), HALF_HOUR)
        assert not any("due" in note or "told" in note for note in here.thread())


def test_targets_are_counted_in_working_time(tmp_path: Path) -> None:
    with place(tmp_path, datetime(2026, 11, 20, 16, 30, tzinfo=UTC)) as here:  # Friday 17:30 in Paris
        here.post(2)
        here.work()
        (alert,) = here.app.store.alerts.alerts()
        assert alert.respond_by == datetime(2026, 11, 23, 8, 30, tzinfo=UTC)  # Monday 09:30
        here.until(datetime(2026, 11, 23, 8, 0, tzinfo=UTC), HALF_HOUR)
        assert not any("told" in note for note in here.thread())


def test_a_snooze_until_the_next_opening_over_the_night_the_clocks_go_back(tmp_path: Path) -> None:
    from listener.desk import Actor

    with place(tmp_path, datetime(2026, 10, 23, 15, 0, tzinfo=UTC)) as here:  # Friday 17:00 in Paris, summer time
        here.post(2)
        here.work()
        here.app.desk.snooze(1, Actor("Olga", "slack:U1", "slack"), None)
        (alert,) = here.app.store.alerts.alerts()
        assert alert.snoozed_until == datetime(2026, 10, 26, 8, 0, tzinfo=UTC)  # Monday 09:00, winter time
        here.until(datetime(2026, 10, 26, 8, 5, tzinfo=UTC), timedelta(hours=1))
        (alert,) = here.app.store.alerts.alerts()
        assert alert.state is AlertState.OPEN


def test_beyond_the_budget_cards_are_folded_into_a_summary_that_names_them(tmp_path: Path, store_url: str) -> None:
    with place(tmp_path, MONDAY_10, store_url, budget=", budget: 2") as here:
        for _ in range(5):
            here.post(2)
        here.post(3)
        here.work()
        assert len(here.messages()) == 3
        here.later(minutes=12)
        summary = here.messages()[-1]
        assert len(here.messages()) == 4
        assert "3 further alerts" in summary.shown
        named = [number for number in range(1, 7) if f"A-{number}" in summary.shown]
        shown = [number for number in range(1, 7) if any(f"A-{number}" in m.shown for m in here.messages()[:3])]
        assert sorted(named + shown) == [1, 2, 3, 4, 5, 6]


def test_a_folded_alert_shows_its_card_when_something_of_it_is_due(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10, budget=", budget: 1") as here:
        here.post(2)
        here.post(2)
        here.work()
        here.later(minutes=15)
        assert len(here.messages()) == 2  # one card, one summary
        here.later(minutes=20)
        assert len(here.messages()) == 2  # a reminder is no reason to go beyond the budget
        here.later(minutes=30)
        assert len(here.messages()) == 3


def test_the_group_wait_collects_further_posts_before_the_first_card(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10, group_wait="1m") as here:
        here.post(2, author="claire")
        here.work()
        assert here.messages() == []
        here.clock.advance(30)
        here.post(2, author="claire")
        here.work()
        here.clock.advance(31)
        here.work()
        (card,) = here.messages()
        assert "2 mentions" in card.shown


def test_further_posts_come_in_the_thread_no_sooner_than_the_group_interval(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10) as here:
        here.post(2, author="claire")
        here.work()
        for _ in range(6):
            here.clock.advance(20)
            here.post(2, author="claire")
            here.work()
        assert here.thread() == []
        here.later(minutes=6)
        notes = here.thread()
        assert sum("A further post" in note for note in notes) == 3
        assert any("3 more posts joined" in note for note in notes)
        assert "7 mentions" in here.messages()[0].shown
        for _ in range(2):  # the interval holds for the second time as for the first
            here.post(2, author="claire")
            here.work()
            here.clock.advance(20)
        assert len(here.thread()) == len(notes)
        here.later(minutes=6)
        assert len(here.thread()) == len(notes) + 2


def test_a_press_that_waits_to_be_told_is_not_taken_for_a_further_post(tmp_path: Path) -> None:
    from listener.desk import Actor

    with place(tmp_path, MONDAY_10) as here:
        here.post(2, author="claire")
        here.work()
        here.clock.advance(400)
        here.app.desk.claim(1, Actor("Olga", "slack:U1", "slack"))
        for _ in range(5):
            here.post(2, author="claire")
        here.work()
        here.later(minutes=6)
        assert sum("Claimed by Olga" in note for note in here.thread()) == 1
        assert sum("A further post" in note for note in here.thread()) == 3
        assert any("2 more posts joined" in note for note in here.thread())


def test_severity_that_rises_is_said_at_once_and_never_falls(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10) as here:
        here.post(2, author="claire")
        here.work()
        here.post(3, author="claire")
        here.work()
        (card,) = here.messages()
        assert "Severity 3" in card.shown
        assert any("Severity rises from 2 to 3" in note for note in here.thread())
        here.post(2, author="claire")
        here.work()
        assert "Severity 3" in card.shown


def test_an_alert_that_nobody_takes_is_told_again(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10) as here:
        here.post(1)
        here.work()
        here.later(hours=4, minutes=6)
        assert any("Still open" in note for note in here.thread())


def test_a_daemon_that_was_down_says_what_is_overdue_once(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10) as here:
        here.post(2)
        here.work()
        here.clock.advance(3 * 3600)
        here.work()
        assert sum("told" in note for note in here.thread()) == 1


def test_a_silence_that_is_ended_early_lets_reminders_and_escalation_go_on(tmp_path: Path) -> None:
    from listener.desk import Actor

    with place(tmp_path, MONDAY_10) as here:
        here.post(2)
        here.work()
        olga = Actor("Olga", "slack:U1", "slack")
        silence, _ = here.app.desk.silence(["country=FR"], olga, lasting=timedelta(days=30), reason="too wide")
        here.later(minutes=40)  # the reminder falls due while it is muted
        assert here.thread() == []
        here.app.desk.end_silence(silence, olga)
        here.later(minutes=30)
        assert any("told" in note for note in here.thread())


def _sql(here: Place, statement: str) -> None:
    from sqlalchemy import create_engine, text

    engine = create_engine(f"sqlite:///{here.folder}/listener.db")
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def started_anew(here: Place) -> App:
    """Return a daemon on the same store with the configuration as its file has it now."""
    config = load_config(here.folder / "config.yaml", plugin_options())
    plugins, library = open_plugins(config, here.clock), PlaybookLibrary.load()
    return App(config, plugins, MadeClassifier(), library, Store(config.store.address), here.clock)


def reconfigure(here: Place, *changes: tuple[str, str]) -> None:
    """Change the configuration and start the daemon anew."""
    path = here.folder / "config.yaml"
    text = path.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")
    here.app.close()
    here.app = started_anew(here)
    here.app.hand_over_orphans()


RENAMED_TEAM = (("\n  paris:\n    name", "\n  seine:\n    name"), ("team: paris", "team: seine"))


def test_a_severest_mention_joins_an_alert_whose_team_was_renamed(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10) as here:
        here.post(2, author="claire")
        here.work()
        reconfigure(here, *RENAMED_TEAM)
        here.clock.advance(10 * 3600)  # in the evening, when somebody has to be woken
        here.post(3, author="claire")
        here.work()
        (alert,) = here.app.store.alerts.alerts()
        assert (alert.severity, alert.mentions) == (3, 2)
        here.later(minutes=30)
        assert any("Severity rises from 2 to 3" in note for note in here.thread())
        assert any("on call" in note for note in here.thread())


def test_an_alert_whose_team_was_renamed_is_with_the_team_of_its_country(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10) as here:
        here.post(2)
        here.work()
        reconfigure(here, *RENAMED_TEAM)
        here.work()
        assert [alert.id for alert in here.app.store.alerts.live(teams=["seine"])] == [1]
        here.later(minutes=90)
        assert any("the group of Paris told" in note for note in here.thread())


@pytest.mark.parametrize("kind", ["snoozed", "drill", "reopened"])
def test_a_renamed_team_loses_no_alert_of_any_kind(tmp_path: Path, kind: str) -> None:
    from listener.desk import Actor

    with place(tmp_path, MONDAY_10) as here:
        here.post(2)
        here.work()
        olga = Actor("Olga", "slack:U1", "slack")
        if kind == "snoozed":
            assert here.app.desk.snooze(1, olga, timedelta(hours=1)).done
        elif kind == "drill":
            _sql(here, "update alerts set drill = 1")
        else:
            assert here.app.desk.resolve(1, olga, "solved").done
        reconfigure(here, *RENAMED_TEAM)
        if kind == "reopened":
            assert here.app.desk.reopen(1, olga).done
        assert [alert.id for alert in here.app.store.alerts.live(teams=["seine"])] == [1]
        here.later(hours=3)
        assert any("the group of Paris told" in note for note in here.thread()) == (kind != "drill")


def test_an_alert_that_cannot_be_looked_at_keeps_no_other_from_escalating(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10) as here:
        here.post(2)
        here.post(2)
        here.work()
        _sql(here, "update alerts set rungs = '7', look_at = '2020-01-01 00:00:00.000000' where id = 1")
        here.later(hours=2)
        assert any("told" in note for note in here.thread(number=1))


def test_a_damaged_incident_keeps_no_other_alert_from_escalating(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10) as here:
        here.post(2)
        here.post(2)
        here.work()
        _sql(
            here,
            "insert into incidents (alert_id, brand, country, topic, drill, facts, began_at, counted_until)"
            " values (1, 'acme', 'FR', 'delivery', 0, '{', '2026-11-23 09:00:00.000000', '2026-11-23 09:00:00.000000')",
        )
        _sql(
            here,
            "update alerts set kind = 'incident', match_id = null, look_at = '2020-01-01 00:00:00.000000' where id = 1",
        )
        here.later(hours=2)
        assert any("told" in note for note in here.thread(number=1))


def test_a_damaged_note_that_waits_keeps_no_mention_from_joining(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10) as here:
        here.post(2, author="claire")
        here.work()
        here.post(2, author="claire")
        here.work()
        _sql(here, "update notifications set payload = '{' where kind = 'note'")
        here.post(3, author="claire")
        here.work()
        (alert,) = here.app.store.alerts.alerts()
        assert (alert.severity, alert.mentions) == (3, 3)


def test_a_country_that_was_removed_by_mistake_and_put_back_escalates_again(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10) as here:
        here.post(2)
        here.work()
        reconfigure(here, ("\n  FR:\n", "\n  BE:\n"))
        here.later(minutes=40)
        reconfigure(here, ("\n  BE:\n", "\n  FR:\n"))
        here.later(hours=3)
        assert any("told" in note for note in here.thread())


OLGA = "Olga"


def stored(here: Place, statement: str) -> list[tuple[object, ...]]:
    """Run one statement on the store as an admin or a fault would."""
    from sqlalchemy import text

    with here.app.store.alerts._engine.begin() as connection:
        result = connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


PARIS_RENAMED = (("\n  paris:\n    name", "\n  centre:\n    name"), ("team: paris", "team: centre"))
MONDAY_0910 = datetime(2026, 11, 23, 8, 10, tzinfo=UTC)


def test_a_team_that_was_renamed_over_the_weekend_gets_its_morning(tmp_path: Path) -> None:
    with place(tmp_path, SATURDAY) as here:
        for _ in range(2):
            here.post(1)
        here.work()
        reconfigure(here, *PARIS_RENAMED)
        here.post(1)
        here.work()
        assert {alert.now_with for alert in here.app.store.alerts.alerts()} == {"centre"}
        here.until(MONDAY_0910, HALF_HOUR)
        summary, *cards = here.messages()
        assert "3 alerts came in outside hours" in summary.shown
        assert len(cards) == 3


def test_a_team_that_leaves_while_the_daemon_runs_holds_nobody_back(tmp_path: Path) -> None:
    with place(tmp_path, SATURDAY) as here:
        for _ in range(2):
            here.post(1)
        here.work()
        stored(here, "update alerts set now_with = 'gone' where id = 1")
        here.until(MONDAY_0910, HALF_HOUR)
        assert len(here.messages()) == 3


@pytest.mark.parametrize("budget", ["", ", budget: 1"])
def test_a_damaged_card_holds_no_other_back_and_ends_dead(tmp_path: Path, budget: str) -> None:
    with place(tmp_path, MONDAY_10 if budget else SATURDAY, budget=budget) as here:
        for _ in range(4):
            here.post(1)
        here.work()
        stored(here, "update notifications set payload = '{' where held is not null and alert_id = 3")
        here.until(here.clock.now() + timedelta(minutes=20) if budget else MONDAY_0910, timedelta(minutes=10))
        summary = next(
            message.shown for message in here.messages() if "further" in message.shown or "came in" in message.shown
        )
        assert "A-4" in summary
        assert "A-3" not in summary
        assert stored(here, "select state from notifications where alert_id = 3 and kind = 'alert' and state = 'dead'")


def test_a_fault_of_one_receiver_holds_back_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with place(tmp_path, SATURDAY) as here:
        for _ in range(2):
            here.post(1)
        here.work()
        stored(here, "update notifications set receiver = 'lyon' where alert_id = 2")
        let_go = here.app.hold._sum_up

        def faulty(transaction: object, receiver: str, *more: object) -> None:
            if receiver == "lyon":
                raise KeyError(receiver)
            let_go(transaction, receiver, *more)  # type: ignore[arg-type]

        monkeypatch.setattr(here.app.hold, "_sum_up", faulty)
        here.until(MONDAY_0910, HALF_HOUR)
        assert len(here.messages("C1")) == 1
        monkeypatch.undo()
        here.later(minutes=5)
        assert len(here.messages("C2")) == 1


@pytest.mark.parametrize("budget", ["", ", budget: 1"])
def test_two_daemons_on_one_postgresql_make_one_summary(tmp_path: Path, postgres_url: str, budget: str) -> None:
    from threading import Barrier, Thread

    now = MONDAY_10 if budget else SATURDAY
    with place(tmp_path, now, migrated_database(postgres_url), budget=budget) as here:
        for _ in range(30):
            here.post(1)
        here.work()
        here.clock.advance(700 if budget else (MONDAY_0910 - now).total_seconds())
        other, together = started_anew(here), Barrier(2)

        def let_go(app: App) -> None:
            together.wait(120)
            app.hold.run()

        threads = [Thread(target=let_go, args=(app,)) for app in (here.app, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in threads)
        other.close()
        assert stored(here, "select count(*) from notifications where kind = 'message'") == [(1,)]


def test_what_is_held_back_of_an_alert_that_ended_waits_no_more_and_comes_if_it_is_reopened(tmp_path: Path) -> None:
    from listener.desk import Actor

    with place(tmp_path, MONDAY_10, budget=", budget: 1") as here:
        for _ in range(3):
            here.post(2)
        here.work()
        here.app.desk.resolve(3, Actor(OLGA), "solved")  # beyond the budget, not folded yet
        here.work()
        assert stored(here, "select state from notifications where alert_id = 3") == [("superseded",)] * 2
        here.later(minutes=15)
        here.app.desk.resolve(2, Actor(OLGA), "solved")  # folded
        here.app.tend()
        pending = "select kind, alert_id from notifications where state = 'pending'"
        assert stored(here, pending) == []
        here.app.desk.reopen(2, Actor(OLGA))
        here.work()
        assert "A-2" in here.messages()[-1].shown


def test_a_team_that_never_closes_has_no_next_opening_to_snooze_to(tmp_path: Path) -> None:
    from listener.desk import Actor

    with place(tmp_path, MONDAY_10) as here:
        reconfigure(here, ('hours: {mon-fri: "09:00-18:00"}\n  team', 'hours: {mon-sun: "00:00-23:59"}\n  team'))
        here.post(2)
        here.work()
        answer = here.app.desk.snooze(1, Actor("Olga", "slack:U1", "slack"), None)
        assert not answer.done
        assert "does not close within a day; choose a span" in answer.text
        assert here.app.store.alerts.alerts()[0].state is AlertState.OPEN


def test_an_opening_that_is_weeks_away_is_nothing_to_snooze_to(tmp_path: Path) -> None:
    from listener.desk import Actor

    with place(tmp_path, MONDAY_10) as here:
        days = ", ".join(f"{(MONDAY_10 + timedelta(days=day)).date()}" for day in range(1, 30))
        zone = "    timezone: Europe/Paris\n"
        reconfigure(here, (f"{zone}    targets", f"{zone}    holidays: {{add: [{days}]}}\n    targets"))
        here.post(2)
        here.work()
        answer = here.app.desk.snooze(1, Actor("Olga", "slack:U1", "slack"), None)
        assert not answer.done
        assert "later than a snooze may last" in answer.text


def test_two_who_escalate_at_once_tell_one_team(tmp_path: Path, store_url: str) -> None:
    from listener.desk import Actor

    olga, paul = Actor("Olga", "slack:U1", "slack"), Actor("Paul", "slack:U2", "slack")
    with place(tmp_path, MONDAY_10, store_url) as here:
        here.post(2)
        here.work()
        first = here.app.desk.escalate(1, olga, "k1")
        assert first.done
        here.clock.advance(20)
        second = here.app.desk.escalate(1, paul, "k2")
        assert not second.done
        assert "Olga escalated it just now: the group of Paris was told" in second.text
        here.clock.advance(60)
        assert "Lyon told" in here.app.desk.escalate(1, paul, "k3").text


def test_pressing_on_never_tells_the_same_people_twice(tmp_path: Path) -> None:
    from listener.desk import Actor

    olga, told = Actor("Olga", "slack:U1", "slack"), []
    with place(tmp_path, MONDAY_10) as here:
        here.post(2)
        here.work()
        for number in range(8):
            here.clock.advance(90)
            answer = here.app.desk.escalate(1, olga, f"k{number}")
            told += [answer.text] if answer.done else []
        assert len(told) == len(set(told)) >= 3
        assert not answer.done
        assert "nobody further" in answer.text
        here.app.desk.resolve(1, olga, "solved")
        here.app.desk.reopen(1, olga)
        here.clock.advance(90)
        assert here.app.desk.escalate(1, olga, "again").done


def test_asking_for_a_card_that_stands_says_so_and_sends_nothing(tmp_path: Path) -> None:
    from listener.desk import Actor

    olga = Actor("Olga", "slack:U1", "slack")
    with place(tmp_path, MONDAY_10, budget=", budget: 1") as here:
        here.post(2)
        here.post(2)
        here.work()
        stands = here.app.desk.show(1, olga)
        assert (stands.done, stands.text) == (False, "The card of A-1 stands in the channel already.")
        folded = here.app.desk.show(2, olga)
        assert (folded.done, folded.text) == (True, "The card of A-2 is on its way.")
        assert "waits to be sent" in here.app.desk.show(2, olga).text
        here.work()
        assert len(here.messages()) == 2
        assert [event.kind for event in here.app.store.alerts.history(2)] == ["opened", "shown"]


def test_the_card_of_a_brand_that_was_removed_still_says_who_has_it(tmp_path: Path) -> None:
    from listener.desk import Actor

    with place(tmp_path, MONDAY_10) as here:
        here.post(2)
        here.work()
        reconfigure(here, ("brands: {acme: {name: Acme, terms: [acme]", "brands: {other: {name: Other, terms: [other]"))
        assert here.app.desk.claim(1, Actor("Olga", "slack:U1", "slack")).done
        here.later(minutes=5)
        (card,) = here.messages()
        assert "@U1" in card.live_markup or "Olga" in card.shown
        assert "acme severity-2" in card.shown


def test_an_alert_of_a_country_that_was_removed_can_be_brought_to_an_end(tmp_path: Path, store_url: str) -> None:
    from listener.desk import Actor

    olga = Actor("Olga", "slack:U1", "slack")
    with place(tmp_path, MONDAY_10, store_url) as here:
        for _ in range(2):
            here.post(2)
        here.work()
        reconfigure(here, ("\n  FR:\n", "\n  BE:\n"))
        desk = here.app.desk
        assert desk.claim(1, olga).done
        assert "UTC" in desk.claim(1, Actor("Paul", "slack:U2", "slack")).text
        assert "not configured any more" in desk.snooze(1, olga, timedelta(hours=1)).text
        here.later(hours=2)
        assert desk.release(1, olga).done
        assert desk.resolve(1, olga, "no_reply").done
        assert desk.not_a_complaint(2, olga, "joke").done
        here.later(minutes=5)
        assert here.app.store.alerts.count_live() == 0
        assert all("Olga" in card.shown for card in here.messages())


def test_the_home_tab_counts_all_however_many_there_are(tmp_path: Path) -> None:
    from alerts.slack.client import SlackDesk
    from listener.pipeline.announce import Announcer
    from listener.pipeline.cards import CardBuilder
    from listener.pipeline.workplaces import Workplaces
    from listener.slack.home import HomeDesk

    with place(tmp_path, MONDAY_10) as here:
        here.post(2)
        here.post(2)
        here.work()
        columns = (
            "brand, country, team, now_with, kind, severity, priority, topic, pilot, drill, rules, rungs, variants,"
            " mentions, copies, opened_at, updated_at, first_posted_at, last_posted_at"
        )
        for number, state, owner in ((230, "open", "null"), (210, "claimed", "'slack:U0LGA'")):
            many = f"with recursive many(n) as (select 1 union all select n + 1 from many where n < {number})"
            same = f"select '{state}', {owner}, {columns} from alerts, many where id = 2"
            _sql(here, f"insert into alerts (state, owner_address, {columns}) {many} {same}")
        app = here.app
        cards = CardBuilder(app.config, PlaybookLibrary.load())
        announcer = Announcer(app.config, cards, app.store, Workplaces(app.config), app.effective_receiver)
        here.slack.person("U0LGA", name="olga")
        token = here.app.config.receivers["paris"].token
        slack = SlackDesk(token, base_url=here.slack.api_url)
        HomeDesk(app.config, slack, announcer, cards, app.store, here.clock).publish("U0LGA")
        home = here.slack.views.home("U0LGA")
        assert home is not None
        left_out = [int(line.split()[1]) for line in home.shown.split("\n") if line.startswith("and ")]
        shown = home.shown.count("A-")
        assert len(left_out) == 2
        assert shown + sum(left_out) == 210 + 232


def test_two_daemons_on_one_database_raise_one_alert_for_one_author(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    import threading

    with place(tmp_path, MONDAY_10, migrated_database(request.getfixturevalue("postgres_url"))) as here:
        config = load_config(here.folder / "config.yaml", plugin_options())
        plugins = open_plugins(config, here.clock)
        other = App(config, plugins, MadeClassifier(), PlaybookLibrary.load(), Store(config.store.address), here.clock)
        for author in range(12):
            here.post(2, author=f"claire{author}")
            here.post(2, author=f"claire{author}")
        for watch in here.app.collector.watches():
            here.app.collector.poll(watch, Tally(), lambda: False, even_if_early=True)
        here.app.classify.run(100, Tally())
        gate = threading.Barrier(2)

        waiting = here.app.store.triage.waiting(100)

        def decide(app: App, items: list[TriageItem]) -> None:
            for item in items:  # both decide on the next author's mentions at the same moment
                gate.wait(120)
                app.triage.decide(item)

        thread = threading.Thread(target=decide, args=(other, waiting[1::2]))
        thread.start()
        decide(here.app, waiting[0::2])
        thread.join(120)
        assert not thread.is_alive()
        other.close()
        alerts = here.app.store.alerts.alerts()
        assert [alert.mentions for alert in alerts] == [2] * 12


PARIS_REMOVED = (
    ("\n  paris: {type", "\n  spare: {type"),
    ("channel: C1", "channel: C5"),
    ("receiver: paris", "receiver: lyon"),
    ("next: lyon", "next: null"),
)


def test_an_alert_of_a_receiver_that_was_removed_gets_one_card_elsewhere_and_its_reminders(
    tmp_path: Path, store_url: str
) -> None:
    from listener.desk import Actor

    with place(tmp_path, MONDAY_10, store_url) as here:
        here.post(2, author="claire")
        here.work()
        for _ in range(2):
            here.app.desk.claim(1, Actor(OLGA))
            here.app.desk.release(1, Actor(OLGA))
        reconfigure(here, *PARIS_REMOVED)
        here.work()
        (card,) = here.messages("C2")
        assert "A-1" in card.shown
        assert here.messages("C4") == card.replies == []
        here.later(minutes=66)
        assert any("First answer due by" in line for line in here.thread("C2"))
        assert any("told" in line for line in here.thread("C2"))
        assert stored(here, "select count(*) from notifications where state in ('pending', 'dead')") == [(0,)]
        here.app.hand_over_orphans()  # a further start finds nothing to do
        here.work()
        assert len(here.messages("C2")) == 1


def test_a_reminder_that_waited_for_a_receiver_that_was_removed_goes_along(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10) as here:
        here.post(2)
        here.work()
        here.clock.advance(35 * 60)
        here.app.tend()  # the reminder is written, and not sent yet
        reconfigure(here, *PARIS_REMOVED)
        here.work()
        assert len(here.messages("C2")) == 1
        assert [("due by" in line) for line in here.thread("C2")] == [True]


def test_a_clock_that_was_ahead_leaves_no_budget_spent_and_folds_no_later(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10, budget=", budget: 2") as here:
        here.clock.advance(7 * 86400)
        for _ in range(3):
            here.post(2)
        here.work()
        assert len(here.messages()) == 2
        here.clock.advance(-7 * 86400)
        here.app.clock_went_back()
        here.post(2)
        here.work()
        shown = [message.shown for message in here.messages()]
        assert any("A-4" in text for text in shown)
        assert any("1 further alert" in text and "A-3" in text for text in shown)


def test_what_a_clock_that_was_ahead_put_off_goes_when_it_went_back(tmp_path: Path, store_url: str) -> None:
    with place(tmp_path, MONDAY_10, store_url, group_wait="1m") as here:
        here.clock.advance(5 * 86400)
        here.post(3)  # waits for its group
        here.post(1)  # waits for Monday: it is Saturday by this clock
        here.work()
        here.clock.advance(-5 * 86400)
        here.app.clock_went_back()
        here.work()
        assert len(here.messages()) == 2


def test_a_card_held_by_a_clock_that_went_back_on_a_day_off_waits_for_the_right_morning(tmp_path: Path) -> None:
    with place(tmp_path, SATURDAY) as here:
        here.clock.advance(7 * 86400)
        here.post(1)
        here.work()
        here.clock.advance(-7 * 86400)
        here.app.clock_went_back()
        here.work()
        assert here.messages() == []
        here.until(MONDAY_0910, timedelta(hours=2))
        assert len(here.messages()) == 1


def test_a_clock_that_was_ahead_keeps_no_thread_quiet(tmp_path: Path) -> None:
    with place(tmp_path, MONDAY_10) as here:
        here.post(1, author="claire")
        here.work()
        here.clock.advance(10 * 86400)
        here.post(1, author="claire")
        here.work()
        here.clock.advance(-10 * 86400)
        here.app.clock_went_back()
        before = len(here.thread())
        here.post(1, author="claire")
        here.work()
        here.later(minutes=11)
        assert sum("A further post" in line for line in here.thread()[before:]) >= 1
