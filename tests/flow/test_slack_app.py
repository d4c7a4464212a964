"""A community manager's day in Slack: presses, windows, Home tab and commands, through the real slack-sdk."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import JSON, event, update
from sqlalchemy.exc import OperationalError

from listener.desk import Actor
from listener.model import AlertState
from listener.slack.http import HttpListener
from listener.slack.service import SlackService
from listener.store import schema
from listener.store.alerts import AlertEvent
from tests.databases import migrated_database
from tests.flow.world import URGENT_FR, World, world
from tests.servers.base import Reply
from tests.servers.slack import SIGNING_SECRET, Person, SlackMessage, View

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

TEAM = ", people: [{{name: Olga, slack: U1}}, {{name: Paul, slack: U2}}]"
SLACK = """
slack:
  spool: "{secrets}/spool"
  token: "${{file:{secrets}/slack}}"
  base_url: "{slack}"
"""
SOCKET = SLACK + '  app_token: "${{file:{secrets}/app}}"\n'
HTTP = SLACK + '  mode: http\n  signing_secret: "${{file:{secrets}/signing}}"\n  listen: "127.0.0.1:0"\n'


@contextmanager
def slack_world(
    tmp_path: Path, classifier: "MentionClassifier", extra: str, **more: str
) -> Iterator[tuple[World, SlackService]]:
    team = TEAM.replace("{{", "{").replace("}}", "}")
    with world(tmp_path, classifier, team=team, extra=extra, **more) as here:
        service = here.app.open_slack()
        assert service is not None
        service.start()
        try:
            if isinstance(service.listener, HttpListener):
                here.slack.wait_for(lambda: service.listener.port)
                here.slack.deliver_to(f"http://127.0.0.1:{service.listener.port}/slack/interactive", SIGNING_SECRET)
            else:
                here.slack.wait_for(lambda: service.listener.is_connected)
            yield here, service
        finally:
            ending = threading.Thread(target=service.close)
            ending.start()
            here.slack.wait_for(service.inbox.is_closing.is_set)
            while ending.is_alive():  # else the client waits out its reading time of three seconds
                here.slack.socket_mode.close_connections()
                ending.join(0.02)


@pytest.fixture
def day(tmp_path: Path, classifier: "MentionClassifier") -> Iterator[tuple[World, SlackService]]:
    with slack_world(tmp_path, classifier, SOCKET) as made:
        # What is asserted is that it comes before the work is done, not how fast machines are.
        made[0].slack.ack_s = 60.0
        yield made


def raise_alert(here: World, text: str = URGENT_FR, **post: object) -> SlackMessage:
    here.post(text, username="claire_m", **post)
    here.pass_once()
    return here.slack.channel("C1").messages[-1]


def settled(here: World, service: SlackService) -> None:
    """Let the app finish what it was told, and send what that caused."""
    assert service.inbox.wait_idle(120)
    here.send()


def olga(here: World) -> Person:
    return here.slack.person("U1", name="olga")


def paul(here: World) -> Person:
    return here.slack.person("U2", name="paul")


def opened(here: World, service: SlackService, person: Person) -> View:
    settled(here, service)
    assert person.view is not None
    return person.view


def alert(here: World, number: int = 1):  # type: ignore[no-untyped-def]
    found = here.app.store.alerts.alert(number)
    assert found is not None
    return found


def test_of_two_people_who_claim_at_once_one_wins_and_the_other_is_told(day: tuple[World, SlackService]) -> None:
    here, service = day
    card = raise_alert(here)
    people = [olga(here), paul(here)]
    together = threading.Barrier(2)

    def claim(person: Person) -> None:
        together.wait()
        person.press(card, "claim")

    threads = [threading.Thread(target=claim, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settled(here, service)
    winner = alert(here).owner
    loser = next(person for person in people if person.name != winner.lower())
    assert winner in ("Olga", "Paul")
    assert alert(here).state is AlertState.CLAIMED
    assert winner in card.shown
    assert [f"{winner} has A-1" in said.shown for said in loser.ephemerals] == [True]
    assert sum("Claimed by" in reply.shown for reply in card.replies) == 1


def test_a_reply_is_drafted_counted_and_recorded(day: tuple[World, SlackService]) -> None:
    here, service = day
    card = raise_alert(here)
    person = olga(here)
    person.press(card, "reply")
    view = opened(here, service, person)
    shown = view.shown
    assert "Bonjour" in shown
    assert "bouilloire vient de prendre feu" in shown
    assert " of 280" in shown
    block = text_block(view)
    person.type(view, block, "Bonjour Claire, envoyez-nous votre numéro de téléphone ici. " + "x" * 300)
    settled(here, service)
    assert "personal data in public" in view.shown
    assert "too many" in view.shown
    person.type(view, block, "Bonjour Claire, écrivez-nous en privé.")
    settled(here, service)
    assert "personal data" not in view.shown
    assert any("%C3%A9crivez-nous" in url for url in view.buttons.values())
    here.later(minutes=3)
    sent = person.fill_and_submit(view, {"reply_sent": "public"})
    assert sent.is_acked
    settled(here, service)
    assert alert(here).replied_at == here.clock.now()
    assert alert(here).owner == "Olga"
    assert any("Answered in public by Olga" in reply.shown for reply in card.replies)


def reply_window(here: World, service: SlackService, person: Person, card: SlackMessage) -> View:
    person.press(card, "reply")
    return opened(here, service, person)


def first_window(here: World, service: SlackService, person: Person) -> tuple[SlackMessage, View]:
    """Raise an alert and open its reply window."""
    card = raise_alert(here)
    return card, reply_window(here, service, person, card)


def taken_for_billing(here: World, service: SlackService, card: SlackMessage) -> View:
    """Have Olga take an alert for another case, and return her window."""
    view = reply_window(here, service, olga(here), card)
    olga(here).choose_in_view(view, "playbook", "billing")
    settled(here, service)
    return view


def replies(here: World) -> list[AlertEvent]:
    """Return what the first alert's record says of replies."""
    return [one for one in here.app.store.alerts.history(1) if one.kind == "replied"]


def text_block(view: View) -> str:
    (block,) = [block for block in view.inputs if block.startswith("reply_text")]
    return block


def text_in(view: View) -> str:
    return str(view.state[text_block(view), "reply_text"]["value"])


def menu(view: View, name: str) -> tuple[list[str], str]:
    """Return what a menu of the window offers, by value, and what is chosen in it."""
    (found,) = [one for block in view.given["blocks"] if (one := block.get("accessory", {})).get("action_id") == name]
    return [option["value"] for option in found["options"]], found["initial_option"]["value"]


def test_what_one_person_sent_the_next_is_offered_last(day: tuple[World, SlackService]) -> None:
    here, service = day
    first = olga(here)
    card, view = first_window(here, service, first)
    before, (names, chosen) = text_in(view), menu(view, "reply_variant")
    assert chosen == names[0]
    first.choose_in_view(view, "reply_variant", names[1])
    settled(here, service)
    assert menu(view, "reply_variant") == (names, names[1])
    assert text_in(view) not in ("", before)
    first.choose_in_view(view, "reply_variant", names[0])
    settled(here, service)
    assert text_in(view) == before
    delivery = first.fill_and_submit(view, {"reply_sent": "public"}).delivery
    settled(here, service)
    assert here.slack.replay(delivery).is_acked
    settled(here, service)
    assert [one.data["variant"] for one in replies(here)] == [names[0]]
    window = reply_window(here, service, paul(here), card)
    assert "answered in public" in window.shown
    assert menu(window, "reply_variant") == ([*names[1:], names[0]], names[1])
    assert text_in(window) not in ("", before)
    assert text_in(window) in card.shown


def test_once_it_has_moved_the_window_first_offers_what_shows_the_thread_so(
    day: tuple[World, SlackService],
) -> None:
    here, service = day
    first = olga(here)
    card, view = first_window(here, service, first)
    assert "The private message" in view.shown
    names, _ = menu(view, "reply_variant")
    assert not any(name.startswith("moved/") for name in names)
    first.fill_and_submit(view, {"reply_sent": "private"})
    settled(here, service)
    assert alert(here).private_at is not None
    window = reply_window(here, service, paul(here), card)
    offered, chosen = menu(window, "reply_variant")
    assert chosen == offered[0] == "moved/fr/1"
    assert "now that it has moved" in window.shown
    assert text_in(window) in card.shown
    assert set(names) < set(offered)
    paul(here).fill_and_submit(window, {"reply_sent": "public"})
    settled(here, service)
    assert alert(here).replied_at is not None
    assert [one.data.get("variant") for one in replies(here)] == [names[0], None]


def test_another_case_changes_the_card_the_record_and_the_drafts_once(day: tuple[World, SlackService]) -> None:
    here, service = day
    person = olga(here)
    card, view = first_window(here, service, person)
    assert menu(view, "playbook")[1] == "safety"
    assert "Danger to health or safety" in card.shown
    before = text_in(view)
    delivery = person.choose_in_view(view, "playbook", "billing")
    assert delivery is not None
    settled(here, service)
    assert (alert(here).playbook, alert(here).playbook_by) == ("billing", "Olga")
    assert "Charge or refund · answer within 4 h" in card.shown
    assert "Danger to health or safety" not in card.shown
    assert menu(view, "playbook")[1] == "billing"
    assert {name.split("/")[0] for name in menu(view, "reply_variant")[0]} == {"billing"}
    assert text_in(view) not in ("", before)
    assert text_in(view) in card.shown
    assert here.slack.replay(delivery).is_acked
    settled(here, service)
    assert [one.kind for one in here.app.store.alerts.history(1)].count("playbook") == 1
    told = [reply.shown for reply in card.replies if "takes it for another case" in reply.shown]
    assert ["Olga takes it for another case: Charge or refund" in words for words in told] == [True]
    assert list(person.ephemerals) == []
    person.fill_and_submit(view, {"reply_sent": "public"})
    settled(here, service)
    (sent,) = replies(here)
    assert sent.data["variant"].startswith("billing/fr/")


@contextmanager
def on_each_database(
    database: str, tmp_path: Path, classifier: "MentionClassifier", request: pytest.FixtureRequest
) -> Iterator[tuple[World, SlackService]]:
    store = "" if database == "sqlite" else migrated_database(request.getfixturevalue("postgres_url"))
    with slack_world(tmp_path, classifier, SOCKET, store=store) as made:
        made[0].slack.ack_s = 60.0
        yield made


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_of_two_who_choose_different_cases_one_wins_and_the_other_sees_what_stands(
    tmp_path: Path, classifier: "MentionClassifier", database: str, request: pytest.FixtureRequest
) -> None:
    with on_each_database(database, tmp_path, classifier, request) as (here, service):
        card = raise_alert(here)
        first, second = olga(here), paul(here)
        views = [reply_window(here, service, person, card) for person in (first, second)]
        wanted = {"Olga": "billing", "Paul": "quality"}
        together = threading.Barrier(2)

        def choose(person: Person, view: View) -> None:
            together.wait()
            person.choose_in_view(view, "playbook", wanted[person.name.title()])

        threads = [threading.Thread(target=choose, args=pair) for pair in zip((first, second), views, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        settled(here, service)
        winner = str(alert(here).playbook_by)
        loser, view = (second, views[1]) if winner == "Olga" else (first, views[0])
        assert alert(here).playbook == wanted[winner]
        assert [f"{winner} took A-1 for another case meanwhile: " in said.shown for said in loser.dm.messages] == [True]
        assert menu(view, "playbook")[1] == wanted[winner]
        (picked,) = [entry["selected_option"] for (_, name), entry in view.state.items() if name == "playbook"]
        assert picked["value"] == wanted[winner]
        assert {name.split("/")[0] for name in menu(view, "reply_variant")[0]} == {wanted[winner]}
        assert text_in(view) in card.shown
        assert "meanwhile" not in view.shown
        mine = wanted[loser.name.title()]
        loser.choose_in_view(view, "playbook", mine)  # now they know of the other, and mean it
        settled(here, service)
        assert (alert(here).playbook, alert(here).playbook_by) == (mine, loser.name.title())
        assert [one.kind for one in here.app.store.alerts.history(1)].count("playbook") == 2


def test_whoever_writes_while_another_case_is_chosen_is_warned_and_loses_nothing(
    day: tuple[World, SlackService],
) -> None:
    here, service = day
    writer = paul(here)
    card, view = first_window(here, service, writer)
    name = menu(view, "reply_variant")[1]
    taken_for_billing(here, service, card)
    block = text_block(view)
    for text in ("Bonjour Claire, écrivez-nous.", "Bonjour Claire, écrivez-nous en privé."):
        writer.type(view, block, text)
        settled(here, service)
        warning = "Olga took A-1 for another case meanwhile: Charge or refund. This text is of the case before."
        assert warning in view.shown
        assert text_in(view) == text
        assert menu(view, "playbook")[1] == "billing"
    assert writer.fill_and_submit(view, {"reply_sent": "public"}).is_acked
    settled(here, service)
    (sent,) = replies(here)
    assert (sent.actor, sent.data["variant"]) == ("Paul", name)


def test_a_draft_of_the_new_case_that_never_stood_in_the_box_is_not_recorded(day: tuple[World, SlackService]) -> None:
    here, service = day
    writer = paul(here)
    card, view = first_window(here, service, writer)
    olgas = taken_for_billing(here, service, card)
    view.state["reply_variant_0", "reply_variant"]["selected_option"] = {"value": menu(olgas, "reply_variant")[1]}
    writer.fill_and_submit(view, {"reply_sent": "public"})
    settled(here, service)
    (sent,) = replies(here)
    assert "variant" not in sent.data


@pytest.mark.parametrize(
    ("action", "choice"), [("resolve", "1|no_reply"), ("resolve", "1|solved"), ("not_complaint", "joke")]
)
def test_a_closed_alert_offers_no_other_case_and_takes_none_from_an_old_window(
    day: tuple[World, SlackService], action: str, choice: str
) -> None:
    here, service = day
    writer = paul(here)
    card, view = first_window(here, service, writer)
    if action == "resolve":
        olga(here).choose(card, action, choice)
    else:
        olga(here).press(card, action)
        olga(here).fill_and_submit(opened(here, service, olga(here)), {"what_it_was": choice})
    settled(here, service)
    assert not alert(here).is_live
    writer.choose_in_view(view, "playbook", "billing")
    settled(here, service)
    assert ["A-1 was closed by Olga: " in said.shown for said in writer.dm.messages] == [True]
    assert alert(here).playbook_by is None
    assert "The case" not in view.shown
    assert writer.fill_and_submit(view, {"reply_sent": "public"}).is_acked
    settled(here, service)
    assert alert(here).replied_at is not None


def test_a_window_that_told_the_thread_records_what_was_sent_though_it_was_opened_again(
    day: tuple[World, SlackService],
) -> None:
    here, service = day
    card = raise_alert(here)
    person = olga(here)
    person.choose(card, "resolve", "1|solved")
    settled(here, service)
    view = reply_window(here, service, person, card)
    name = menu(view, "reply_variant")[1]
    assert name.startswith("solved-public/")
    paul(here).press(card, "reopen")
    settled(here, service)
    block = text_block(view)
    person.type(view, block, text_in(view) + " Merci.")
    settled(here, service)
    assert "A-1 counts as another case by now: Danger to health or safety. This text is of" in view.shown
    assert person.fill_and_submit(view, {"reply_sent": "public"}).is_acked
    settled(here, service)
    (sent,) = replies(here)
    assert sent.data["variant"] == name
    assert alert(here).replied_at is not None


@pytest.mark.parametrize("name", ["thanks/fr/a", "safety/de/a", "crisis/fr/a", "safety/fr/zz", "moved/fr/1", "x" * 999])
def test_a_draft_that_was_never_offered_is_not_recorded_as_sent(day: tuple[World, SlackService], name: str) -> None:
    here, service = day
    person = olga(here)
    _, view = first_window(here, service, person)
    view.state["reply_variant_0", "reply_variant"]["selected_option"] = {"value": name}
    for told in ({}, {"playbook": name.split("/")[0]}, {"playbook": ["safety"]}):
        view.given["private_metadata"] = json.dumps({"alert": 1, "revision": 0, **told})
        person.fill(view, {"reply_sent": "public"})
        payload = {
            "type": "view_submission",
            "user": {"id": "U1"},
            "trigger_id": f"t{len(told)}",
            "view": view.public(),
        }
        service.inbox.take("interactive", payload)
        settled(here, service)
    (sent,) = replies(here)
    assert "variant" not in sent.data


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_window_opens_though_nothing_is_known_of_what_was_offered(
    tmp_path: Path, classifier: "MentionClassifier", database: str, request: pytest.FixtureRequest
) -> None:
    with on_each_database(database, tmp_path, classifier, request) as (here, service):
        card = raise_alert(here)
        with here.app.store.alerts._engine.begin() as connection:
            connection.execute(update(schema.alerts).values(variants=JSON.NULL))
        person = olga(here)
        view = reply_window(here, service, person, card)
        names, chosen = menu(view, "reply_variant")
        assert (len(names), chosen) == (3, names[0])
        person.fill_and_submit(view, {"reply_sent": "public"})
        settled(here, service)
        (sent,) = replies(here)
        assert sent.data["variant"] == chosen


HOSTILE_NAMES = ("../../etc/passwd", "crisis", "", "x" * 5_000, "<!channel>\x00\ud800", None, ["safety"])


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_a_playbook_that_is_none_is_refused_with_words(day: tuple[World, SlackService], name: object) -> None:
    here, service = day
    person = olga(here)
    _, view = first_window(here, service, person)
    shown = view.shown
    delivery = person.choose_in_view(view, "playbook", "safety")  # what is chosen already
    assert delivery is not None
    settled(here, service)
    assert ["has that playbook already" in said.shown for said in person.dm.messages] == [True]
    forged = json.loads(json.dumps(delivery.payload))
    forged["actions"][0]["action_ts"] = "1.1"
    forged["view"]["state"]["values"]["playbook_0"]["playbook"]["selected_option"] = {"value": name}
    service.inbox.take("interactive", forged)
    settled(here, service)
    assert alert(here).playbook_by is None
    assert view.shown == shown
    assert "there is no such playbook; there are: account" in person.dm.messages[-1].shown
    assert not person.dm.messages[-1].live_markup


VOICE = """\
yunfan:
  signature: Yunfan Care
  never: {en: [cheap], fr: ["pas de notre ressort"]}
  tone: {emoji: false, exclamation_marks: 1, notes: ["Short and calm."]}
  promises: [That a person reads and answers.]
"""


def test_the_window_warns_of_words_and_tone_while_somebody_types(
    tmp_path: Path, classifier: "MentionClassifier"
) -> None:
    (tmp_path / "brand.yaml").write_text(VOICE, encoding="utf-8")
    with slack_world(tmp_path, classifier, "voice: brand.yaml\n" + SOCKET) as (here, service):
        person = olga(here)
        _, view = first_window(here, service, person)
        assert "\N{WARNING SIGN}" not in view.shown
        assert "Tone: Short and calm." in view.shown
        assert "May be promised: That a person reads and answers · " in view.shown
        assert "Never say: " in view.shown
        block = text_block(view)
        for text, warning in (
            ("Ce n’est pas de notre ressort.", "It says 'pas de notre ressort', which Yunfan Care never does"),
            ("C'est cheap.", "It says 'cheap', which Yunfan Care never does"),
            ("Nous garantissons que ça ira.", "It promises ('Nous garantissons') what nobody has confirmed yet"),
            ("C’est votre erreur.", "It blames or makes light of it ('votre erreur')"),
            ("Bonjour \N{GRINNING FACE}", "It holds an emoji; the tone of Yunfan Care has none"),
            ("Appelez le 01 23 45 67 89.", "This holds what looks like a phone or account number"),
            ("Ref. FR76 3000-6000 0112.", "This holds what looks like a phone or account number"),
            ("Écrivez à claire.d@mail.example.", "This holds an e-mail address that is not the brand's own"),
            ("Bonjour ! Merci !", "It has 2 exclamation marks; the tone of Yunfan Care has 1 at most"),
        ):
            person.type(view, block, text)
            settled(here, service)
            assert f"\N{WARNING SIGN}\ufe0f {warning}" in view.shown
            assert view.shown.count("\N{WARNING SIGN}") == 1
        everything = (
            "C’est votre erreur, pas de notre ressort !! Nous garantissons tout \N{GRINNING FACE} numéro de téléphone"
        )
        person.type(view, block, everything + "x" * 300)
        settled(here, service)
        assert view.shown.count("\N{WARNING SIGN}") == 8  # the count's own, and one for each fault
        person.type(view, block, "Bonjour Claire, écrivez-nous en privé.")
        settled(here, service)
        assert "\N{WARNING SIGN}" not in view.shown


@pytest.mark.parametrize("how", ["solved", "private"])
def test_what_was_settled_in_private_is_told_in_the_thread_from_its_closed_card(
    day: tuple[World, SlackService], how: str
) -> None:
    here, service = day
    card = raise_alert(here)
    person = olga(here)
    person.choose(card, "resolve", f"1|{how}")
    settled(here, service)
    assert set(card.actions) >= {"reply", "reopen"}
    assert "Tell the thread…" in card.shown
    view = reply_window(here, service, person, card)
    offered, chosen = menu(view, "reply_variant")
    assert chosen == offered[0]
    assert {name.split("/")[0] for name in offered} == {"solved-public"}
    assert person.fill_and_submit(view, {"reply_sent": "public"}).is_acked
    settled(here, service)
    assert alert(here).replied_at is not None
    assert alert(here).state is AlertState.RESOLVED


def test_snoozing_escalating_resolving_and_reopening(day: tuple[World, SlackService]) -> None:
    here, service = day
    card = raise_alert(here)
    person = olga(here)
    person.choose(card, "snooze", "1|15m")
    settled(here, service)
    assert alert(here).state is AlertState.SNOOZED
    assert "Snoozed" in card.shown
    here.later(minutes=16)
    here.app.tend()
    here.send()
    assert alert(here).state is AlertState.OPEN
    assert any("Snooze is over" in reply.shown for reply in card.replies)
    person.press(card, "escalate")
    settled(here, service)
    assert alert(here).escalated_to is not None
    mentioned = {markup for reply in card.replies for markup in reply.live_markup}
    assert {"@U1", "@U2"} <= mentioned
    person.choose(card, "resolve", "1|solved")
    settled(here, service)
    assert alert(here).state is AlertState.RESOLVED
    assert "Resolved" in card.shown
    assert set(card.actions) >= {"reopen"}
    person.press(card, "reopen")
    settled(here, service)
    assert alert(here).state is AlertState.OPEN


def test_what_is_no_complaint_is_said_and_learned_from(day: tuple[World, SlackService]) -> None:
    here, service = day
    card = raise_alert(here)
    person = olga(here)
    person.press(card, "not_complaint")
    view = opened(here, service, person)
    assert person.fill_and_submit(view, {"what_it_was": "joke"}).is_acked
    settled(here, service)
    assert alert(here).state is AlertState.DISMISSED
    (said,) = here.app.store.corrections.history(
        "x", here.app.store.triage.item(alert(here).match_id).mention.external_id
    )
    assert (said.complaint, said.actor, said.origin) == (False, "Olga", "slack")


def test_a_press_is_acknowledged_in_time_while_the_database_is_away(day: tuple[World, SlackService]) -> None:
    here, service = day
    card = raise_alert(here)
    engine = here.app.store.alerts._engine
    away = threading.Event()
    away.set()

    def refuse(*ignored: object) -> None:
        if away.is_set():
            raise OperationalError("BEGIN", {}, Exception("the database is away"))

    event.listen(engine, "begin", refuse)
    try:
        delivery = olga(here).press(card, "claim")
        assert delivery.in_time
        away.clear()
        settled(here, service)
    finally:
        event.remove(engine, "begin", refuse)
    assert alert(here).owner == "Olga"


def test_a_press_that_was_acknowledged_before_a_crash_is_carried_out_after_it(
    day: tuple[World, SlackService],
) -> None:
    here, service = day
    card = raise_alert(here)
    service.inbox._workers.shutdown()  # nothing more is carried out, as after a crash
    service.inbox._submit = lambda *ignored: None  # type: ignore[method-assign]
    assert olga(here).press(card, "claim").in_time
    assert alert(here).owner is None
    again = here.app.open_slack()
    assert again is not None
    assert again.inbox.catch_up() == 1
    assert again.inbox.wait_idle(120)
    assert alert(here).owner == "Olga"
    assert again.inbox.catch_up() == 0
    again.inbox.close()


def test_a_press_that_is_delivered_twice_counts_once(day: tuple[World, SlackService]) -> None:
    here, service = day
    card = raise_alert(here)
    delivery = olga(here).press(card, "claim")
    settled(here, service)
    assert here.slack.replay(delivery).is_acked
    settled(here, service)
    kinds = [one.kind for one in here.app.store.alerts.history(1)]
    assert kinds.count("claimed") == 1


def test_whoever_pressed_is_not_told_that_a_press_came_twice(day: tuple[World, SlackService]) -> None:
    here, service = day
    card = raise_alert(here)
    person, service.inbox._spool = olga(here), None
    for delivery in (person.press(card, "claim"), person.command("/listener", "silence topic=outage 2h known", "C1")):
        settled(here, service)
        assert here.slack.replay(delivery).is_acked
        settled(here, service)
    assert ["Silence 1 of" in said.shown for said in person.ephemerals] == [True]
    assert alert(here).owner == "Olga"


def test_a_silence_from_the_window_that_is_delivered_twice_is_made_and_told_once(
    day: tuple[World, SlackService],
) -> None:
    here, service = day
    person, service.inbox._spool = olga(here), None
    person.command("/listener", "silence", "C1")
    values = {"matchers": "country=FR", "duration": "1h", "reason": "known"}
    delivery = person.fill_and_submit(opened(here, service, person), values).delivery
    settled(here, service)
    told = [said.shown for said in person.dm.messages]
    assert here.slack.replay(delivery).is_acked
    settled(here, service)
    assert [said.shown for said in person.dm.messages] == told
    assert ["Silence 1 of" in words for words in told] == [True]


def test_a_press_that_was_carried_out_just_before_a_crash_is_not_spoken_of_after_it(
    day: tuple[World, SlackService], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, service = day
    card = raise_alert(here)
    person = olga(here)
    with monkeypatch.context() as patch:
        patch.setattr(service.inbox._spool, "done", lambda path: None)
        person.press(card, "claim")
        settled(here, service)
    again = here.app.open_slack()
    assert again is not None
    assert again.inbox.catch_up() == 1
    assert again.inbox.wait_idle(120)
    again.inbox.close()
    assert list(person.ephemerals) == []


@pytest.mark.parametrize("after", [{}, {"Retry-After": "1"}], ids=["away", "too much"])
def test_the_loser_is_told_though_slack_fails_once(day: tuple[World, SlackService], after: dict[str, str]) -> None:
    here, service = day
    card = raise_alert(here)
    olga(here).press(card, "claim")
    assert service.inbox.wait_idle(120)  # the card is not edited yet: the other still sees the button
    refused = {"ok": False, "error": "ratelimited"}
    here.slack.script_for("chat.postEphemeral", Reply(429 if after else 503, refused if after else b"away", after))
    loser = paul(here)
    loser.press(card, "claim")
    settled(here, service)
    assert ["Olga has A-1" in said.shown for said in loser.ephemerals] == [True]
    assert [one.kind for one in here.app.store.alerts.history(1)].count("claimed") == 1


def test_the_home_tab_lists_mine_and_my_teams(day: tuple[World, SlackService]) -> None:
    here, service = day
    card = raise_alert(here)
    person = olga(here)
    person.opens_home()
    settled(here, service)
    assert person.home is not None
    assert "bouilloire" in person.home.shown
    assert "You have no open alerts" in person.home.shown
    person.press_in_view(person.home, "claim")
    settled(here, service)
    assert "You have no open alerts" not in person.home.shown
    assert "Olga" in card.shown


def home_of(here: World, service: SlackService, person: Person) -> str:
    person.opens_home()
    settled(here, service)
    assert person.home is not None
    return person.home.shown


def test_the_home_tab_writes_nothing_and_shows_what_the_cards_show(day: tuple[World, SlackService]) -> None:
    here, service = day
    raise_alert(here)
    begun: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        begun.append(statement)

    person, engine = olga(here), here.app.store.alerts._engine
    event.listen(engine, "before_cursor_execute", note)
    person.opens_home()
    assert service.inbox.wait_idle(120)
    event.remove(engine, "before_cursor_execute", note)
    assert "BEGIN" in begun
    assert "BEGIN IMMEDIATE" not in begun
    assert person.home is not None
    assert "Yunfan · France · " in person.home.shown
    assert "bouilloire vient de prendre feu" in person.home.shown


@pytest.mark.parametrize("payload", ["payload", "'{}'"], ids=["given up", "damaged"])
def test_the_home_tab_lists_alerts_whose_cards_cannot_be_read(day: tuple[World, SlackService], payload: str) -> None:
    here, service = day
    raise_alert(here)
    state = "dead" if payload == "payload" else "sent"
    with here.app.store.alerts._engine.begin() as connection:
        connection.exec_driver_sql(f"update notifications set payload = {payload}, state = '{state}'")
    shown = home_of(here, service, olga(here))
    assert "bouilloire vient de prendre feu" in shown
    assert "first answer" in shown


def test_the_home_tab_tells_what_is_due_though_old_edits_of_the_card_are_forgotten(
    day: tuple[World, SlackService],
) -> None:
    here, service = day
    raise_alert(here)
    person = olga(here)
    assert "first answer" in home_of(here, service, person)
    assert here.app.desk.replied(1, Actor("Olga", "slack:U1", "slack"), public=True, private=False).done
    here.send()
    assert here.app.store.outbox.prune(here.clock.now() + timedelta(seconds=1)) > 0
    shown = home_of(here, service, person)
    assert "first answer" not in shown
    assert "resolution" in shown


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_an_alert_looks_as_its_newest_edit_or_as_the_card_that_waits(
    tmp_path: Path, classifier: "MentionClassifier", database: str, request: pytest.FixtureRequest
) -> None:
    store = "" if database == "sqlite" else migrated_database(request.getfixturevalue("postgres_url"))
    with slack_world(tmp_path, classifier, SOCKET, store=store) as (here, service):
        card = raise_alert(here)
        alerts = here.app.store.alerts
        assert '"owner":""' in alerts.looks([1])[1]
        for person in (olga(here), paul(here)):
            person.press(card, "claim" if person.name == "olga" else "take_over")
            assert service.inbox.wait_idle(120)
            assert f'"owner":"{person.name.title()}"' in alerts.looks([1, 2])[1]
            here.send()
        now = here.clock.now()
        with alerts.transaction() as transaction:
            transaction.post(1, "backup", "of old", now)
            transaction.show(1, "newest", now)
        assert alerts.looks([1, 2]) == {1: "newest"}
        with alerts.transaction() as transaction:
            transaction.leave(1, [], "no receiver is left")
            assert transaction.bring_back(1, "slack", "shown again", now)
        assert alerts.looks([1]) == {1: "shown again"}
        assert alerts.looks([]) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status", "open: 1 alert, 1 of severity 3"),
        ("who", "Hub"),
        ("digest", "Last seven days: 1 alert (FR 1)"),
        ("", "/listener status"),
        ("silence list", "No silence"),
        ("silence country=FR 2h known outage", "Silence 1 of country=FR"),
        ("silence country=FR", "write matchers, a span and a reason"),
        ("silence colour=red 2h why", "there is no label 'colour'"),
        ("silence topic=biling 2h why", "there is no topic 'biling'; did you mean billing?"),
        ("silence end 7", "Silence 7 is not in force"),
    ],
)
def test_the_command_answers_whoever_wrote_it(day: tuple[World, SlackService], text: str, expected: str) -> None:
    here, service = day
    raise_alert(here)
    person = olga(here)
    assert person.command("/listener", text, "C1").in_time
    settled(here, service)
    assert expected in "\n".join(said.shown for said in person.ephemerals)


def test_a_silence_from_the_window_holds_cards_back_until_it_ends(day: tuple[World, SlackService]) -> None:
    here, service = day
    person = olga(here)
    person.command("/listener", "silence", "C1")
    view = opened(here, service, person)
    values = {"matchers": "country=FR\ntopic!=praise", "duration": "1h", "reason": "known"}
    assert person.fill_and_submit(view, values).is_acked
    settled(here, service)
    here.post(URGENT_FR, username="claire_m")
    here.pass_once()
    assert here.shown() == []
    here.later(minutes=61)
    here.app.tend()
    here.send()
    assert len(here.shown()) == 1


def test_signed_requests_do_the_same_and_unsigned_ones_nothing(tmp_path: Path, classifier: "MentionClassifier") -> None:
    with slack_world(tmp_path, classifier, HTTP) as (here, service):
        card = raise_alert(here)
        person = olga(here)
        for how in ("bad_signature", "no_signature", "old_timestamp", "other_body"):
            with here.slack.tampered(how):
                assert person.press(card, "claim").status == 401
        settled(here, service)
        assert alert(here).owner is None
        good = person.press(card, "claim")
        assert good.status == 200
        settled(here, service)
        assert alert(here).owner == "Olga"
        assert here.slack.replay(good).status == 401


def test_whoever_loses_an_alert_is_told(day: tuple[World, SlackService]) -> None:
    here, service = day
    card = raise_alert(here)
    olga(here).press(card, "claim")
    settled(here, service)
    paul(here).press(card, "take_over")
    settled(here, service)
    assert alert(here).owner == "Paul"
    (note,) = [reply for reply in card.replies if "Taken over by Paul" in reply.shown]
    assert "@U1" in note.live_markup
