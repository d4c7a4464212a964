"""The whole path, from local networks to what a person reads in Slack, with the real clients and the real model."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from listener.model import Classification, Guidance, Page
from listener.store import TriageItem
from tests.databases import migrated_database
from tests.flow.world import CHAT_FR, URGENT_FR, URGENT_RU, World, world
from tests.servers.base import Reply
from tests.servers.slack import SlackServer

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier


@pytest.fixture
def here(tmp_path: Path, classifier: "MentionClassifier") -> Iterator[World]:
    with world(tmp_path, classifier) as made:
        yield made


def states(here: World) -> list[str]:
    return sorted(row["state"] for row in here.app.store.outbox.rows(("pending", "sending", "sent", "dead")))


def test_an_urgent_post_becomes_one_card_with_drafts_in_the_authors_language(here: World) -> None:
    here.post(URGENT_FR, username="claire_m")
    here.post(CHAT_FR, username="jean_p", minutes_ago=8)
    tally = here.pass_once()
    (card,) = here.shown()
    assert "bouilloire vient de prendre feu" in card
    assert "Bonjour" in card
    assert "— Yunfan" in card
    assert "urgency" in card
    assert (tally.new["FR"], tally.classified["FR"], tally.alerts["FR"], tally.notifications["FR"]) == (2, 2, 1, 1)
    buttons = here.slack.channel("C1").messages[0].buttons
    assert any(url.startswith("https://x.com/messages/compose?recipient_id=") for url in buttons.values())


def test_the_card_names_words_of_the_post_and_copies_have_their_originals(here: World) -> None:
    here.post(URGENT_FR, username="claire_m", minutes_ago=9)
    here.post(CHAT_FR, username="jean_p", minutes_ago=8)
    here.pass_once()
    here.later(minutes=5)
    here.post(f"RT @claire_m: {URGENT_FR}", username="paul_v")
    here.pass_once()
    store = here.app.store.classifying
    original, chat, copy = (store.classifications([number])[number].reasons for number in (1, 2, 3))
    assert original == copy != ()
    assert chat == ()
    (line,) = [line for line in here.shown()[0].splitlines() if line.startswith("Because of: ")]
    assert line == "Because of: " + ", ".join(reason.word for reason in original)
    assert all(reason.word in URGENT_FR for reason in original)


def test_the_whole_path_on_postgresql(tmp_path: Path, classifier: "MentionClassifier", postgres_url: str) -> None:
    with world(tmp_path, classifier, store=migrated_database(postgres_url)) as here:
        here.post(URGENT_FR, username="claire_m", minutes_ago=9)
        here.post(f"RT @claire_m: {URGENT_FR}", username="jean_p")
        tally = here.pass_once()
        assert (tally.new["FR"], tally.alerts["FR"], tally.joined["FR"]) == (2, 1, 1)
        here.start()
        here.later(minutes=5)
        here.post("@yunfan toujours aucune réponse, c'est une honte", username="claire_m")
        here.pass_once()
        (message,) = here.slack.channel("C1").messages
        assert message.edits


def test_a_second_pass_and_a_restart_repeat_nothing(here: World) -> None:
    here.post(URGENT_FR)
    here.pass_once()
    here.later(minutes=5)
    assert here.pass_once().new.total() == 0
    here.start()
    here.later(minutes=5)
    assert here.pass_once().alerts.total() == 0
    assert len(here.shown()) == 1


def test_vk_and_x_are_heard_side_by_side(here: World) -> None:
    here.vk.add_user(501, "Анна", "Смирнова", country={"id": 1, "title": "Россия"})
    here.vk.add_post(501, URGENT_RU, from_id=501, date=here.vk.now - 300)
    here.post(URGENT_FR)
    tally = here.pass_once()
    assert tally.alerts == {"FR": 1, "RU": 1}
    russian = next(card for card in here.shown() if "загорелся" in card)
    assert "Анна" in russian
    assert "Здравствуйте" in russian


def test_the_same_author_again_edits_the_card_in_place(here: World) -> None:
    first = here.post(URGENT_FR, username="claire_m")
    here.pass_once()
    here.later(minutes=5)
    here.post("@yunfan toujours aucune réponse, c'est une honte", username="claire_m", in_reply_to=None)
    tally = here.pass_once()
    assert (tally.alerts.total(), tally.joined["FR"]) == (0, 1)
    (message,) = here.slack.channel("C1").messages
    assert message.edits
    assert "2" in message.shown
    assert first


def test_copies_fold_into_one_alert_with_a_count_and_cost_one_inference(here: World) -> None:
    for number in range(4):
        here.post(URGENT_FR + f" https://example.invalid/{number}", username=f"user_{number}", minutes_ago=9 - number)
    tally = here.pass_once()
    assert (tally.classified["FR"], tally.alerts["FR"], tally.joined["FR"]) == (4, 1, 3)
    (alert,) = here.app.store.alerts.alerts()
    assert (alert.mentions, alert.copies) == (4, 3)


def test_a_post_older_than_the_limit_is_stored_and_raises_nothing(
    tmp_path: Path, classifier: "MentionClassifier"
) -> None:
    with world(tmp_path, classifier, defaults="thresholds: {max_age: 20m}") as here:
        here.post(URGENT_FR, minutes_ago=30)
        tally = here.pass_once()
    assert (tally.new["FR"], tally.old["FR"], tally.alerts["FR"]) == (1, 1, 0)


def test_retry_after_is_honoured_and_the_card_arrives_once(here: World) -> None:
    here.post(URGENT_FR)
    here.slack.script(Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "30"}))
    here.pass_once()
    assert here.shown() == []
    here.later(seconds=20)
    here.send()
    assert here.slack.calls("chat.postMessage") == 1
    here.later(seconds=11)
    here.send()
    assert len(here.shown()) == 1
    assert states(here) == ["sent"]


@pytest.mark.parametrize(
    "lost",
    [
        Reply(503, b"upstream", after_handling=True),
        Reply(200, {"ok": True, "cut": "x" * 4000}, cut=True, after_handling=True),
        Reply(200, b"not json", after_handling=True),
    ],
    ids=["5xx", "cut", "garbled"],
)
def test_an_answer_that_was_lost_after_posting_does_not_post_twice(here: World, lost: Reply) -> None:
    here.post(URGENT_FR)
    here.slack.script(lost)
    here.pass_once()
    here.later(minutes=10)
    here.send()
    assert len(here.shown()) == 1
    assert here.slack.calls("conversations.history") >= 1
    assert states(here) == ["sent"]


def test_a_failure_before_posting_posts_later(here: World) -> None:
    here.post(URGENT_FR)
    here.slack.script(Reply(503, b"upstream"))
    here.pass_once()
    here.later(minutes=10)
    here.send()
    assert len(here.shown()) == 1


def test_a_revoked_channel_disables_the_receiver_and_tells_operators_through_another(here: World) -> None:
    here.slack.channel("C1").is_archived = True
    here.post(URGENT_FR)
    here.pass_once()
    assert here.shown("C1") == []
    cards = here.shown("C2")
    assert sum("prendre feu" in card for card in cards) == 1
    assert any("slack" in card and "disabled" in card for card in cards)
    here.later(minutes=5)
    here.post(URGENT_FR.replace("fille", "mère"), username="other")
    here.pass_once()
    assert here.shown("C1") == []


def test_a_monthly_cap_notes_the_gap_tells_operators_and_leaves_the_others_running(here: World) -> None:
    here.x.usage_capped()
    here.vk.add_user(501, "Анна")
    here.vk.add_post(501, URGENT_RU, from_id=501, date=here.vk.now - 300)
    tally = here.pass_once()
    assert tally.alerts == {"RU": 1}
    (watch_id, gap), *_ = here.app.store.collecting.gaps()
    assert watch_id == "x/FR/yunfan"
    assert gap.end_at > here.clock.now()
    here.later(hours=1)
    here.pass_once()
    assert sum("quota used up" in card for card in here.shown()) == 1


def test_a_refused_token_stops_that_source_and_says_so_once(here: World) -> None:
    here.x.token = "another"
    here.pass_once()
    asked = len(here.x.requests)
    here.later(hours=2)
    here.pass_once()
    assert len(here.x.requests) == asked
    assert sum("x: stopped" in card for card in here.shown()) == 1
    assert "test-token" not in "".join(here.shown())


def test_a_query_that_x_refuses_stops_its_watch_alone_and_operators_are_told_once(here: World) -> None:
    bad = {"title": "Invalid Request", "errors": [{"parameters": {"query": ["x"]}, "message": "no such operator"}]}
    here.x.script(*[Reply(400, bad)] * 2)
    here.vk.add_user(501, "Анна")
    here.vk.add_post(501, URGENT_RU, from_id=501, date=here.vk.now - 300)
    assert here.pass_once().alerts == {"RU": 1}
    here.later(hours=2)
    here.pass_once()
    assert "x/FR/yunfan" in here.app.collector.refused
    assert "x" not in here.app.collector.refused
    assert sum("x/FR/yunfan: stopped" in card for card in here.shown()) == 1


def test_a_passing_fault_backs_off_and_recovers(here: World) -> None:
    here.post(URGENT_FR)
    here.x.script(*[Reply(503, {"title": "Service Unavailable", "status": 503})] * 4)
    here.pass_once()
    assert here.app.store.collecting.state("x/FR/yunfan").failures >= 1
    for _ in range(6):
        here.later(minutes=30)
        here.pass_once()
    assert len(here.shown()) == 1
    assert here.app.store.collecting.state("x/FR/yunfan").failures == 0


def test_hostile_posts_wake_nobody_and_break_nothing(here: World) -> None:
    here.post(
        f"{URGENT_FR} <!channel> <!here> <@U1> <https://evil.invalid|click> *bold* ```code```", username="mallory"
    )
    here.pass_once()
    (message,) = here.slack.channel("C1").messages
    assert message.live_markup == []
    assert "<!channel>" in message.shown


def test_a_post_that_the_classifier_fails_on_is_set_aside_and_stops_no_other(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    classify = here.app.classify._classifier.classify

    def faulty(texts: Sequence[str], **more: object) -> list[Classification]:
        if any("bomb" in text for text in texts):
            raise RuntimeError("a fault nobody foresaw")
        return classify(texts, **more)

    monkeypatch.setattr(here.app.classify._classifier, "classify", faulty)
    here.post("yunfan bomb", username="mallory", minutes_ago=9)
    here.post(URGENT_FR, username="claire_m")
    tally = here.pass_once()
    assert tally.classified["FR"] == 2
    assert tally.alerts["FR"] == 1
    found = here.app.store.classifying.classifications([1, 2])
    assert found[1].model == "unread"
    assert found[2].complaint > 0.5


def test_a_classifier_that_fails_on_everything_sets_nothing_aside(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(texts: Sequence[str], **more: object) -> list[Classification]:
        raise RuntimeError("no memory left")

    here.post(CHAT_FR, username="jean_p", minutes_ago=9)
    here.post(URGENT_FR, username="claire_m")
    with monkeypatch.context() as fault:
        fault.setattr(here.app.classify._classifier, "classify", broken)
        with pytest.raises(RuntimeError, match="no memory left"):
            here.pass_once()
    assert here.app.store.classifying.count_waiting() == 2
    assert here.pass_once().alerts["FR"] == 1


def test_every_reason_and_score_is_on_the_record(here: World) -> None:
    here.post(URGENT_FR)
    here.pass_once()
    (alert,) = here.app.store.alerts.alerts()
    item = here.app.store.triage.item(alert.match_id)
    assert item is not None
    assert alert.severity == 3
    assert alert.opened_at == here.clock.now()
    assert item.collected_at - item.mention.published_at == timedelta(minutes=5)


def test_the_limit_of_one_message_a_second_a_channel_is_kept(here: World) -> None:
    slack: SlackServer = here.slack
    slack.rate_limited = True
    here.app.plugins.receivers["slack"].min_interval_s = 1.0
    for number in range(6):
        here.post(
            URGENT_FR.replace("fille de 4 ans", f"voisine du {number}e étage, rue {number * 7}"), username=f"u{number}"
        )
    here.pass_once()
    for _ in range(8):
        here.later(seconds=1)
        here.send()
    messages = slack.channel("C1").messages
    sent = len(messages) + sum(len(message.replies) for message in messages)
    assert sent > 4
    assert slack.calls("chat.postMessage") == sent  # none was refused for coming too soon


def test_a_removed_country_stops_nobody_elses_alert(here: World) -> None:
    here.post(URGENT_FR, username="claire_m")
    here.pass_once()
    here.config = here.config.model_copy(
        update={"countries": {"RU": here.config.countries["RU"], "GB": here.config.countries["FR"]}}
    )
    here.config = here.config.model_copy(
        update={"watches": tuple(replace(w, country="GB") for w in here.config.watches if w.source == "x")}
    )
    here.start()
    here.later(minutes=5)
    here.post("@yunfan toujours personne, ma fille est encore aux urgences, brûlée !", username="claire_m")
    here.post(URGENT_FR.replace("fille de 4 ans", "grand-mère de 90 ans, seule chez elle,"), username="paul_d")
    tally = here.pass_once()
    assert tally.alerts["GB"] == 2


def test_what_waits_for_a_receiver_that_is_no_longer_there_goes_to_another(here: World) -> None:
    here.post(URGENT_FR)
    here.slack.script(Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "30"}))
    here.pass_once()
    receivers = {name: options for name, options in here.config.receivers.items() if name != "slack"}
    route = here.config.route.model_copy(update={"receiver": "backup"})
    here.config = here.config.model_copy(update={"receivers": receivers, "route": route})
    here.start().hand_over_orphans()
    here.later(minutes=1)
    here.send()
    assert sum("prendre feu" in card for card in here.shown("C2")) == 1


def test_an_alert_that_its_receiver_refuses_goes_to_another_with_a_word(here: World) -> None:
    here.post(URGENT_FR)
    here.slack.script(Reply(200, {"ok": False, "error": "nobody_knows_this_code"}))
    here.pass_once()
    here.send()
    cards = here.shown("C2")
    assert sum("prendre feu" in card for card in cards) == 1
    assert any("did not take a message" in card for card in cards)


def test_a_poll_planned_by_a_clock_that_was_wrong_is_not_waited_for(here: World) -> None:
    (watch,) = (watch for watch in here.config.watches if watch.source == "x")
    ahead = here.clock.now() + timedelta(days=400)
    here.app.store.collecting.save_page(watch, Page((), None), [], now=ahead, next_poll_at=ahead, max_age_s=None)
    here.post(URGENT_FR)
    assert here.pass_once().alerts["FR"] == 1


def test_a_mention_nobody_foresaw_keeps_nobody_behind_it_from_being_seen(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guidance = here.app.triage._announcer.guidance

    def faulty(item: TriageItem) -> Guidance:
        if "fille" in item.mention.text:
            raise RuntimeError("a fault nobody foresaw")
        return guidance(item)

    monkeypatch.setattr(here.app.triage._announcer, "guidance", faulty)
    here.post(URGENT_FR, username="claire_m", minutes_ago=9)
    here.post(URGENT_FR.replace("fille de 4 ans", "mère de 80 ans, qui vit seule,"), username="paul_d")
    here.pass_once()
    assert len(here.shown()) == 1
