from datetime import timedelta

import pytest

from alerts.card import Due, Progress
from alerts.standing import COUNTS, Told, facts, standing, state_words
from listener.model import AlertState
from tests.cards import card
from tests.messages import BEGAN_AT, incident, note, summary

OWNED = Progress(owner="Ana Pérez", since=BEGAN_AT)


@pytest.mark.parametrize(
    ("state", "progress", "words"),
    [
        (AlertState.OPEN, Progress(), "open, nobody has taken it yet"),
        (AlertState.CLAIMED, OWNED, "claimed by Ana Pérez"),
        (AlertState.CLAIMED, Progress(), "claimed"),
        (
            AlertState.SNOOZED,
            Progress(owner="Ana Pérez", snoozed_until=BEGAN_AT),
            "snoozed by Ana Pérez until Sat 14 Mar 2026, 10:00",
        ),
        (AlertState.SNOOZED, Progress(), "snoozed"),
        (AlertState.RESOLVED, Progress(resolution="solved", closed_by="Ana"), "resolved: solved, by Ana"),
        (AlertState.RESOLVED, Progress(), "resolved"),
        (AlertState.DISMISSED, Progress(closed_by="Ana"), "dismissed: by Ana"),
    ],
)
def test_the_state_is_said_with_whoever_brought_it_about(state: AlertState, progress: Progress, words: str) -> None:
    assert state_words(card(state=state, progress=progress)) == words


def test_names_that_people_chose_are_cleaned() -> None:
    assert (
        state_words(card(state=AlertState.CLAIMED, progress=Progress(owner="A\x1b[2J\nna\u202e"))) == "claimed by A na"
    )


def test_an_alert_of_an_incident_names_it() -> None:
    assert standing(card(incident="I-3"))[-1] == "Part of incident I-3"
    assert standing(card()) == ("State: open", "Owner: nobody yet")


def test_only_what_is_new_is_news_and_each_thing_once() -> None:
    told = Told()
    told.remember("n-1", card())
    assert told.news("n-1", card()) == {}
    assert set(told.news("n-1", card(mentions=9))) == {COUNTS}
    claimed = card(state=AlertState.CLAIMED, progress=OWNED, mentions=9)
    assert told.news("n-1", claimed) == {"state": "claimed by Ana Pérez", COUNTS: "9 mentions, 1 copy"}
    told.remember("n-1", claimed)
    assert told.news("n-1", claimed) == {}
    assert told.news("n-1", card(mentions=9)) == {"state": "open, nobody has taken it yet"}


def test_nothing_remembered_makes_everything_news() -> None:
    assert set(Told().news("n-1", card())) == {"state", "severity", COUNTS}


def test_a_target_that_moves_is_no_news_of_its_own() -> None:
    told = Told()
    told.remember("n-1", card())
    assert told.news("n-1", card(progress=Progress(due=(Due("first answer", BEGAN_AT, missed=True),)))) == {}


def test_a_closed_alert_is_not_told_to_be_escalated() -> None:
    progress = Progress(escalated_to="head office")
    assert facts(card(progress=progress))["escalation"] == "escalated to head office"
    assert facts(card(state=AlertState.RESOLVED, progress=progress))["escalation"] == ""


def test_the_course_of_an_incident_is_news() -> None:
    told = Told()
    told.remember("n-1", incident())
    assert set(told.news("n-1", incident(mentions=400, fastest_per_hour=120))) == {COUNTS}
    over = told.news("n-1", incident(ended_at=BEGAN_AT + timedelta(hours=6)))
    assert over == {"course": "over since Sat 14 Mar 2026, 16:00"}


def test_notes_and_summaries_are_news_when_they_say_something_else() -> None:
    told = Told()
    told.remember("n-1", note())
    told.remember("n-2", summary())
    assert told.news("n-1", note()) == {}
    assert told.news("n-1", note(text="Now 2.")) == {"text": "Now 2."}
    assert told.news("n-2", summary(entries=())) == {"entries": "no alerts"}


def test_what_was_told_is_not_remembered_without_end() -> None:
    told = Told()
    for number in range(5_001):
        told.remember(f"n-{number}", card())
    assert told.news("n-1", card()) == {}
    assert told.news("n-0", card()) != {}
