"""Posts that are deleted or edited on the network, until their old words are nowhere any more."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, select

from alerts.card import IncidentCard, Voice, dump_message, load_message
from listener.desk import Actor
from listener.model import AlertState, Watch
from listener.pipeline.tally import Tally
from listener.store.schema import metadata
from listener.store.triage import NewAlert
from tests.commands import listener_here
from tests.databases import migrated_database
from tests.flow.world import CHAT_FR, URGENT_FR, URGENT_RU, World, world
from tests.servers.base import Reply
from tests.servers.slack import SlackMessage

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

FURTHER = "@yunfan toujours aucune réponse, la bouilloire fume encore, c'est une honte"
FIRE_WORDS = "bouilloire vient de prendre feu"
NURSE = "Claire Marchand-Delorme"


@pytest.fixture(params=["sqlite", "postgresql"])
def here(request: pytest.FixtureRequest, tmp_path: Path, classifier: "MentionClassifier") -> Iterator[World]:
    store = migrated_database(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else ""
    with world(tmp_path, classifier, store=store) as made:
        sources = made.config.sources
        sources["x"] = sources["x"].model_copy(update={"look_again": 6 * 3600.0})
        yield made


def look(here: World, **later: float) -> None:
    """Let time pass, and the daemon look again, classify, tell and send."""
    here.later(**(later or {"hours": 7}))
    for name in here.app.withdraw.sources():
        here.app.withdraw.look(name)
    tell(here)


def tell(here: World) -> None:
    here.app.work(Tally(), lambda: False)
    here.app.withdraw.run()
    here.send()


def messages(here: World) -> list[SlackMessage]:
    return here.slack.channel("C1").everything


def readable(here: World) -> str:
    """All that a person can read in the channel now, threads included."""
    return "\n".join(f"{message.shown}\n{message.text}\n{message.blocks}" for message in messages(here))


def rows(here: World) -> str:
    """All that the database holds."""
    engine = create_engine(here.app.store._engine.url)
    with engine.connect() as connection:
        found = "\n".join(
            repr(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(select(table))
        )
    engine.dispose()
    return found


def cap_the_month(here: World, posts: int) -> Watch:
    """Give the watch on X a cap, and start anew with it."""
    (watch,) = [one for one in here.config.watches if one.source == "x"]
    capped = replace(watch, options=watch.options.model_copy(update={"monthly_posts": posts}))
    others = tuple(one for one in here.config.watches if one is not watch)
    here.config = here.config.model_copy(update={"watches": (capped, *others)})
    here.start()
    return capped


def card(here: World) -> str:
    return here.slack.channel("C1").messages[0].shown


def history(here: World, alert_id: int = 1) -> list[str]:
    return [event.kind for event in here.app.store.alerts.history(alert_id)]


def test_a_deleted_post_is_marked_and_its_words_are_nowhere(here: World) -> None:
    post = here.post(URGENT_FR, username="claire_m")
    here.pass_once()
    assert FIRE_WORDS in readable(here)
    assert FIRE_WORDS in rows(here)
    here.x.delete_post(post)
    look(here)
    assert FIRE_WORDS not in readable(here)
    assert FIRE_WORDS not in rows(here)
    assert "prendre feu" not in rows(here)
    assert "This post was withdrawn by its author, or on request, and its text with it." in card(here)
    assert "claire_m" in card(here)
    assert any("The author deleted the post" in line for line in here.slack.channel("C1").messages[0].thread)
    assert "withdrawn" in history(here)
    alert = here.app.store.alerts.alert(1)
    assert alert is not None
    assert alert.is_live


def test_a_note_that_quoted_a_deleted_post_is_edited_in_place(here: World) -> None:
    here.post(URGENT_FR, username="claire_m", minutes_ago=9)
    here.pass_once()
    here.later(minutes=5)
    further = here.post(FURTHER, username="claire_m")
    here.pass_once()
    (quoted,) = [message for message in messages(here) if "fume encore" in message.shown]
    here.x.delete_post(further)
    look(here)
    assert "fume encore" not in readable(here)
    assert "fume encore" not in rows(here)
    assert "its text was withdrawn" in quoted.shown
    assert FIRE_WORDS in card(here)
    assert "1 deleted since" in card(here)


def test_the_card_of_a_deleted_post_shows_the_strongest_that_stands(here: World) -> None:
    first = here.post(URGENT_FR, username="claire_m", minutes_ago=9)
    here.pass_once()
    here.later(minutes=5)
    here.post(FURTHER, username="claire_m")
    here.pass_once()
    assert FIRE_WORDS in card(here)
    here.x.delete_post(first)
    look(here)
    assert FIRE_WORDS not in readable(here) + rows(here)
    assert "fume encore" in card(here)
    assert "1 deleted since" in card(here)


def test_a_post_of_a_protected_account_is_withdrawn_too(here: World) -> None:
    here.post(URGENT_FR, username="claire_m")
    here.pass_once()
    here.x.protect("claire_m")
    look(here)
    assert FIRE_WORDS not in readable(here) + rows(here)


def test_a_card_not_sent_yet_goes_out_without_the_words(here: World) -> None:
    post = here.post(URGENT_FR, username="claire_m")
    here.slack.script(*[Reply(503, {}) for _ in range(2)])
    here.pass_once()
    here.x.delete_post(post)
    look(here)
    here.later(minutes=10)
    here.send()
    assert FIRE_WORDS not in readable(here) + rows(here)
    assert "withdrawn by its author" in card(here)


@pytest.mark.parametrize(
    "answer",
    [
        Reply(404, {"title": "Not Found", "type": "about:blank", "status": 404, "detail": "Not Found"}),
        Reply(401, {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}),
        Reply(200, {}),
        Reply(200, {"data": []}),
        Reply(200, {"errors": [{"title": "Service Unavailable", "type": "about:blank"}]}),
        Reply(500, {}),
        Reply(200, b"<html>"),
    ],
    ids=["404", "401", "empty", "no-posts", "other-error", "500", "no-json"],
)
def test_an_answer_that_fails_says_nothing_of_a_post(here: World, answer: Reply) -> None:
    here.post(URGENT_FR, username="claire_m")
    here.pass_once()
    here.x.script(answer)
    look(here)
    assert FIRE_WORDS in card(here)
    asked = [request for request in here.x.requests if request.path == "/2/tweets"]
    look(here, minutes=1)
    assert [request for request in here.x.requests if request.path == "/2/tweets"] == asked
    look(here, minutes=30)
    assert FIRE_WORDS in card(here)
    assert len([request for request in here.x.requests if request.path == "/2/tweets"]) == len(asked) + 1


def test_an_edited_post_is_read_again_and_its_old_words_are_nowhere(here: World) -> None:
    post = here.post(URGENT_FR, username="claire_m")
    here.pass_once()
    before = here.app.store.alerts.alert(1)
    assert before is not None
    here.x.edit_post(post, "@yunfan merci, tout est réglé avec votre équipe", at=here.clock.now())
    look(here)
    assert FIRE_WORDS not in readable(here) + rows(here)
    assert "tout est réglé" in card(here)
    assert "The author edited this post; this is its text now." in card(here)
    (note,) = [line for line in here.slack.channel("C1").messages[0].thread if "The author edited the post" in line]
    assert f"severity is {before.severity}" in note
    after = here.app.store.alerts.alert(1)
    assert after is not None
    assert after.severity == before.severity
    assert "edited" in history(here)
    assert here.app.store.counts()["mentions"] == 1


def test_an_edit_can_raise_the_severity(here: World) -> None:
    post = here.post("@yunfan ma commande a deux jours de retard, que se passe-t-il ?", username="claire_m")
    here.pass_once()
    before = here.app.store.alerts.alert(1)
    assert before is not None
    assert before.severity < 3
    here.x.edit_post(post, URGENT_FR, at=here.clock.now())
    look(here)
    after = here.app.store.alerts.alert(1)
    assert after is not None
    assert after.severity > before.severity
    thread = "\n".join(here.slack.channel("C1").messages[0].thread)
    assert f"Severity rises from {before.severity} to {after.severity}" in readable(here) + thread
    assert "severity" in history(here)


def test_an_edit_that_a_page_brings_needs_no_second_look(here: World) -> None:
    here.vk.add_user(501, "Анна", "Смирнова", country={"id": 1, "title": "Россия"})
    post = here.vk.add_post(501, URGENT_RU, from_id=501, date=here.vk.now - 300)
    here.pass_once()
    assert "загорелся" in card(here)
    here.later(minutes=5)
    here.vk.edit_post(post, "Чайник Юньфань сломался, поддержка третий час не отвечает, ребёнок плачет!")
    here.pass_once()
    tell(here)
    assert "загорелся" not in readable(here) + rows(here)
    assert "сломался" in card(here)


def test_a_deleted_post_on_vk_is_withdrawn_though_its_wall_is_empty_now(here: World) -> None:
    here.vk.add_user(501, "Анна", "Смирнова", country={"id": 1, "title": "Россия"})
    post = here.vk.add_post(501, URGENT_RU, from_id=501, date=here.vk.now - 300)
    here.pass_once()
    here.vk.delete_post(post)
    look(here, hours=2)
    assert "загорелся" not in readable(here) + rows(here)
    assert "withdrawn by its author" in card(here)


def test_an_edit_on_vk_is_seen_at_the_second_look(here: World) -> None:
    here.vk.add_user(501, "Анна", "Смирнова", country={"id": 1, "title": "Россия"})
    post = here.vk.add_post(501, URGENT_RU, from_id=501, date=here.vk.now - 300)
    here.pass_once()
    here.later(minutes=90)
    here.vk.edit_post(post, "Магазин вернул деньги, вопрос закрыт, всем спасибо")
    look(here, minutes=5)
    assert "загорелся" not in readable(here) + rows(here)
    assert "вернул деньги" in card(here)
    here.later(minutes=5)
    here.pass_once()
    look(here, hours=2)
    assert history(here).count("edited") == 1


def test_a_quiet_post_that_is_edited_into_a_complaint_raises_an_alert(here: World) -> None:
    here.vk.add_user(501, "Анна", "Смирнова", country={"id": 1, "title": "Россия"})
    post = here.vk.add_post(501, "Юньфань открыла магазин на проспекте", from_id=501, date=here.vk.now - 300)
    here.pass_once()
    assert here.shown() == []
    here.later(minutes=5)
    here.vk.edit_post(post, URGENT_RU)
    here.pass_once()
    tell(here)
    assert "загорелся" in card(here)


def test_a_post_that_people_ask_to_forget_is_withdrawn_and_stays_so(here: World) -> None:
    post = here.post(URGENT_FR, username="claire_m")
    here.pass_once()
    said = here.app.withdraw.forget("x", post, "anna@hub")
    here.send()
    assert "withdrawn" in said
    assert FIRE_WORDS not in readable(here) + rows(here)
    assert "Withdrawn on request, says anna@hub" in readable(here)
    (event,) = [event for event in here.app.store.alerts.history(1) if event.kind == "withdrawn"]
    assert event.actor == "anna@hub"
    here.start()
    here.later(minutes=5)
    watch = here.app.collector.watches()[0]
    page = here.app.plugins.sources["x"].fetch(watch, None)
    assert [mention.text for mention in page.mentions] == [URGENT_FR]
    here.app.collector._keep(watch, page, Tally(), at_once=False)
    tell(here)
    assert FIRE_WORDS not in readable(here) + rows(here)


def test_a_card_of_a_country_that_left_the_configuration_loses_the_words_too(here: World) -> None:
    post = here.post(URGENT_FR, username="claire_m")
    here.pass_once()
    left = {code: country for code, country in here.config.countries.items() if code != "FR"}
    here.config = here.config.model_copy(update={"countries": left})
    here.start()
    here.app.withdraw.forget("x", post, "ann")
    here.send()
    assert FIRE_WORDS not in readable(here) + rows(here)
    assert "withdrawn by its author" in card(here)


def test_the_card_of_a_burst_that_quoted_a_post_loses_the_words_too(here: World) -> None:
    post = here.post(URGENT_FR, username="claire_m")
    here.pass_once()
    alert_id = open_burst(here, quoting=1)
    here.send()
    assert readable(here).count(FIRE_WORDS) > 2
    here.x.delete_post(post)
    look(here)
    assert FIRE_WORDS not in readable(here) + rows(here)
    burst = load_message(here.app.store.incidents.facts(alert_id) or "")
    assert isinstance(burst, IncidentCard)
    assert burst.first is not None
    assert (burst.first.text, burst.first.name) == ("", "claire_m")


def open_burst(here: World, *, quoting: int) -> int:
    """Open an incident whose card quotes the post of a match as the first and the most influential."""
    now, item = here.clock.now(), here.app.store.triage.item(quoting)
    assert item is not None
    said = item.mention
    voice = Voice("claire_m", None, 100, 0.1, said.text, "French", said.published_at, said.url)
    with here.app.store.triage.transaction() as transaction:
        alert_id = transaction.open_alert(
            NewAlert(
                match_id=None, brand="yunfan", country="FR", team="hub", severity=2, priority=0.5, topic="safety",
                playbook=None, pilot=False, rules=[], posted_at=now, now_with="hub", respond_by=None, resolve_by=None,
                kind="incident",
            ),
            [],
            now,
        ).id  # fmt: skip
        burst = IncidentCard(
            alert_id=alert_id, reference=f"I-{alert_id}", severity=2, state=AlertState.OPEN, brand="Yunfan",
            country="FR", country_name="France", topic="safety", team="Hub", pilot=False, timezone="Europe/Paris",
            opened_at=now, updated_at=now, ended_at=None, mentions=9, authors=9, expected=1.0, fastest_per_hour=9.0,
            copies_share=0.0, reach=900, because=("9 instead of 1",), curve=(), first=voice, influential=(voice,),
            words=(), complaints=(), languages=(), guidance=None,
        )  # fmt: skip
        transaction._connection.execute(
            metadata.tables["incidents"].insert().values(
                alert_id=alert_id, brand="yunfan", country="FR", topic="safety", began_at=now, counted_until=now,
                facts=dump_message(burst),
            )
        )  # fmt: skip
        transaction.post(alert_id, "slack", dump_message(burst), now)
    return alert_id


def forget(here: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "listener.cli", "forget", *arguments, "--config", str(here.config.path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_forgets_beside_a_daemon_that_runs(here: World) -> None:
    post = here.post(URGENT_FR, username="claire_m")
    here.pass_once()
    done = forget(here, f"x:{post}", "--by", "request 17")
    assert (done.returncode, done.stderr) == (0, "")
    (said,) = done.stdout.splitlines()  # and no line of a log
    assert "is withdrawn, as request 17 asked" in said
    assert FIRE_WORDS not in rows(here)
    ahead = datetime.now(UTC) - here.clock.now()  # the command goes by the true clock
    here.later(seconds=max(0.0, ahead.total_seconds()) + 60)
    here.send()
    assert FIRE_WORDS not in readable(here)
    own = "--config", str(here.config.path)
    assert "was withdrawn before" in listener_here("forget", f"x:{post}", *own).stdout
    unknown = listener_here("forget", "x:999", *own)
    assert (unknown.returncode, "there is no x:999 among the stored posts" in unknown.stderr) == (1, True)
    assert "names no post; write it as x:1790000000" in listener_here("forget", "A-1", *own).stderr


def test_the_summary_of_the_morning_loses_the_words_too(here: World) -> None:
    """Alerts that two cards were held for are named in one message, each with its words."""
    here.config.receivers["slack"] = here.config.receivers["slack"].model_copy(update={"budget": 1})
    for name, text in (
        ("anne_a", "@yunfan la bouilloire ne chauffe plus, remboursez-moi, personne ne répond depuis lundi"),
        ("bea_b", "@yunfan colis jamais arrivé, trois semaines de retard, je saisis mon avocat demain"),
        ("cleo_c", "@yunfan vous avez débité ma carte deux fois, 480 euros, rendez-moi mon argent tout de suite"),
    ):
        here.post(text, username=name)
    here.pass_once()
    here.later(minutes=15)
    here.app.tend()
    here.send()
    named = [message for message in here.slack.channel("C1").messages if "further alert" in message.shown]
    assert named
    (deleted,) = [p for p in here.x.posts if p["author_id"] == here.x.add_user("cleo_c")]
    assert "débité ma carte" in readable(here)
    here.x.delete_post(deleted["id"])
    look(here)
    assert "débité ma carte" not in readable(here) + rows(here)


def test_a_closed_alert_is_looked_at_for_a_week_more(here: World) -> None:
    post = here.post(URGENT_FR, username="claire_m")
    here.pass_once()
    here.app.desk.resolve(1, Actor("Ann"), "solved")
    look(here, days=6)
    assert FIRE_WORDS in card(here)
    here.x.delete_post(post)
    look(here, hours=7)
    assert FIRE_WORDS not in readable(here) + rows(here)


def test_nobody_looks_again_at_what_was_closed_long_ago(here: World) -> None:
    here.post(URGENT_FR, username="claire_m")
    here.post(CHAT_FR, username="jean_p")
    here.pass_once()
    here.app.desk.resolve(1, Actor("Ann"), "solved")
    look(here, days=8)
    assert [request for request in here.x.requests if request.path == "/2/tweets"] == []


def test_a_month_of_posts_bounds_second_looks_too(here: World) -> None:
    watch = cap_the_month(here, posts=3)
    here.post(URGENT_FR, username="claire_m")
    here.pass_once()
    for _ in range(4):
        look(here)
    asked = [request for request in here.x.requests if request.path == "/2/tweets"]
    assert len(asked) == 1
    assert here.app.withdraw._paused[watch.id] > here.clock.now() + timedelta(days=1)
