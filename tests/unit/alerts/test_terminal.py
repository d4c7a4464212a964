import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from alerts.card import Card, Due, Note, Progress
from alerts.receivers.base import Delivery
from alerts.receivers.terminal import SPEC, TerminalOptions, TerminalReceiver
from listener.errors import PermanentDeliveryError
from listener.model import AlertState, Handoff
from tests.cards import GUIDANCE, HOSTILE, card, filled_with
from tests.messages import BEGAN_AT, incident, note, summary


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(shown: Card, screen: io.StringIO | None = None) -> str:
    screen = screen or io.StringIO()
    TerminalReceiver(screen).send("n-1", shown)
    return screen.getvalue()


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")


def test_a_receiver_made_from_config_prints_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    receiver = SPEC.create("screen", TerminalOptions(type="terminal"))
    assert receiver.send("n-1", card()) == Delivery("terminal", "n-1")
    assert "Severity 3: urgent, answer now · A-12" in capsys.readouterr().out


def test_an_update_is_one_line_on_what_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    receiver = TerminalReceiver()
    receiver.update("n-2", card(), Delivery("terminal", "n-1"))
    receiver.update("n-3", card(state=AlertState.RESOLVED, mentions=1, copies=0), Delivery("terminal", "n-1"))
    assert capsys.readouterr().out.splitlines() == [
        "A-12 now open, nobody has taken it yet · severity 3 · 3 mentions, 1 copy",
        "A-12 now resolved · 1 mention",
    ]


def test_an_update_names_what_changed_since_it_was_last_told(capsys: pytest.CaptureFixture[str]) -> None:
    receiver = TerminalReceiver()
    first = receiver.send("n-1", card())
    capsys.readouterr()
    receiver.update("n-2", card(state=AlertState.CLAIMED, progress=Progress(owner="Ana\x1b[2J Pérez")), first)
    receiver.update("n-3", card(state=AlertState.CLAIMED, progress=Progress(owner="Ana Pérez"), mentions=9), first)
    receiver.update("n-4", card(severity=2, fate="deleted", text="", mentions=9), first)
    assert capsys.readouterr().out.splitlines() == [
        "A-12 now claimed by Ana Pérez · 3 mentions, 1 copy",
        "A-12 now 9 mentions, 1 copy",
        "A-12 now open, nobody has taken it yet · severity 2 · the post was withdrawn · 9 mentions, 1 copy",
    ]


def test_an_update_of_an_incident_or_a_summary_is_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    receiver = TerminalReceiver()
    receiver.send("n-1", incident())
    receiver.send("n-2", summary())
    capsys.readouterr()
    ended = incident(ended_at=BEGAN_AT + timedelta(hours=6), mentions=512)
    receiver.update("n-3", ended, Delivery("terminal", "n-1"))
    receiver.update("n-4", summary(entries=summary().entries[:1]), Delivery("terminal", "n-2"))
    assert capsys.readouterr().out.splitlines() == [
        "I-3 now over since Sat 14 Mar 2026, 16:00 · 512 mentions",
        "Overnight in Spain now 1 alert: A-1",
    ]


def test_the_owner_and_what_is_due_stand_above_the_post() -> None:
    due = (Due("first answer", BEGAN_AT, missed=True), Due("resolution", BEGAN_AT + timedelta(hours=4)))
    progress = Progress(owner="Ana Pérez", since=BEGAN_AT, due=due, escalated_to="head office")
    lines = [" ".join(line.split()) for line in printed(card(state=AlertState.CLAIMED, progress=progress)).splitlines()]
    start = lines.index("Stands State: claimed")
    assert lines[start + 1 : start + 5] == [
        "Owner: Ana Pérez since Sat 14 Mar 2026, 10:00",
        "Missed: first answer, Sat 14 Mar 2026, 10:00",
        "Due: resolution, Sat 14 Mar 2026, 14:00",
        "Escalated to: head office",
    ]
    assert start < next(number for number, line in enumerate(lines) if "Mi hervidor" in line)


def test_a_deleted_post_shows_no_text_and_an_edited_one_is_marked() -> None:
    deleted = printed(card(fate="deleted"))
    assert "This post was withdrawn by its author, or on request, and its text with it." in deleted
    assert "Mi hervidor" not in deleted
    edited = printed(card(fate="edited"))
    assert "Mi hervidor" in edited
    assert "The author edited this post; this is its text now." in edited


def test_an_incident_shows_its_curve_in_characters() -> None:
    screen = io.StringIO()
    TerminalReceiver(screen).send("n-1", incident())
    assert "▁▁▁▁▁▁▃▅█▆" in screen.getvalue()
    assert "at most 96 where 2.5 would be usual" in screen.getvalue()


def test_a_note_is_a_few_lines_that_name_its_alert() -> None:
    screen = io.StringIO()
    TerminalReceiver(screen).send("n-1", note(url="https://x.com/m/status/9"))
    assert [line.rstrip() for line in screen.getvalue().splitlines()] == [
        "! A further mention · A-12",
        "  Severity is 3 now.",
        "  ¿Hola? ¿Alguien?",
        "  Open post: https://x.com/m/status/9",
    ]


def test_a_summary_is_a_list() -> None:
    screen = io.StringIO()
    TerminalReceiver(screen).send("n-1", summary())
    assert [line.rstrip() for line in screen.getvalue().splitlines()] == [
        "! Overnight in Spain",
        "  2 alerts came while the team was away.",
        "  ●●● A-1 · Marta Ruiz · Spain · delivery",
        "  ●○○ A-2 · \u2068علي · Spain · refund\u2069",
    ]


@pytest.mark.parametrize("columns", [40, 80, 100, 250])
def test_incidents_notes_and_summaries_fit_the_screen(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for message in (incident(words=("字" * 30,) * 15), note(quote="字" * 300), summary(text="字" * 300)):
        screen = io.StringIO()
        TerminalReceiver(screen).send("n-1", message)
        assert max(map(cell_len, screen.getvalue().splitlines())) <= min(columns, 110)


@pytest.mark.parametrize("columns", [40, 80, 100, 250])
def test_the_card_fits_the_screen(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = printed(card(text="字" * 300 + " word" * 60)).splitlines()
    assert max(map(cell_len, lines)) <= min(columns, 110)


def squeezed(shown: Card) -> list[str]:
    return [" ".join(line.split()) for line in printed(shown).splitlines()]


def test_the_card_says_all_that_the_playbook_says() -> None:
    lines = squeezed(card())
    order = [
        "Tell The carrier desk where the parcel cannot be found.", "Do Late delivery · answer within 4 h",
        "1. Answer within the hour.", GUIDANCE.drafts[0].text, "Private message", GUIDANCE.private_text,
        "Never say • that it is the carrier's fault", "Promise • That a person reads and answers.",
        "Ask only • the order number – to find the parcel", "Close Ask whether it has arrived.",
        "Private Send the private link in your reply.",
    ]  # fmt: skip
    places = [lines.index(line) for line in order]
    assert places == sorted(places)


def test_whether_the_brand_may_write_first_stands_below_the_steps() -> None:
    lines = squeezed(card(guidance=replace(GUIDANCE, handoff=Handoff("Send the link.", None, "We may write first."))))
    assert lines[lines.index("Private Send the link.") + 1] == "We may write first."


def test_what_is_best_left_unanswered_is_said_under_the_playbooks_title() -> None:
    lines = squeezed(card(guidance=replace(GUIDANCE, best_unanswered=True)))
    assert lines[lines.index("Do Late delivery") + 1] == "As a rule nobody answers this: an answer makes it larger."
    assert not [line for line in squeezed(card()) if "nobody answers" in line]


def test_once_it_has_moved_the_thread_is_told_first() -> None:
    lines = squeezed(card(progress=Progress(private_at=BEGAN_AT)))
    assert lines[lines.index("Tell the thread that it goes on in private") + 1] == GUIDANCE.moved[0]
    assert lines.index(GUIDANCE.moved[0]) < lines.index(GUIDANCE.drafts[0].text)
    assert GUIDANCE.moved[0] not in squeezed(card())


def test_a_card_of_a_bare_playbook_has_no_empty_labels() -> None:
    bare = replace(GUIDANCE, tell=("The team.",), promise=(), ask=(), close=" ", private_text="", never=())
    labels = {line.split(" ")[0] for line in printed(card(guidance=bare)).splitlines()}
    assert not labels & {"Tell", "Promise", "Ask", "Close", "Never"}


def test_words_that_raised_it_are_named_under_why() -> None:
    lines = [line.strip() for line in printed(card(words=("nadie", "a\x1b[2Jb", "y" * 99))).splitlines()]
    assert f"Because of: nadie, ab, {'y' * 29}…" in lines
    assert not [line for line in printed(card(words=())).splitlines() if "Because of" in line]


def test_colour_appears_on_a_terminal_alone() -> None:
    assert "\x1b[" not in printed(card())
    assert "\x1b[" in printed(card(), Tty())


def test_severity_is_told_without_colour() -> None:
    marks = [printed(card(severity=level)).split(" ", 1)[0] for level in (1, 2, 3)]
    assert marks == ["●○○", "●●○", "●●●"]


def test_on_a_terminal_a_draft_is_one_line_to_copy() -> None:
    draft = replace(GUIDANCE.drafts[0], text="palabra " * 30 + "fin")
    shown = card(guidance=replace(GUIDANCE, drafts=(draft,)))
    assert draft.text in printed(shown, Tty()).splitlines()


def test_a_long_address_is_clickable_on_a_terminal_and_whole_elsewhere() -> None:
    url = "https://x.com/intent/post?text=" + "a" * 400
    on_screen = printed(card(url=url), Tty())
    assert f";{url}\x1b\\" in on_screen
    assert on_screen.count("a" * 400) == 1
    assert url in printed(card(url=url)).replace("\n", "").replace(" ", "")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_on_a_terminal_only_the_cards_own_sequences_are_sent(text: str) -> None:
    calm = {sequence for sequence in _sequences(printed(card(), Tty())) if not sequence.startswith("]8;")}
    wild = _sequences(printed(filled_with(text), Tty()))
    assert {sequence for sequence in wild if not sequence.startswith("]8;")} <= calm
    links = [sequence for sequence in wild if sequence.startswith("]8;") and sequence != "]8;;\x1b"]
    assert all("evil.example" not in link and (";http://" in link or ";https://" in link) for link in links)


def _sequences(text: str) -> set[str]:
    """Return every escape sequence in `text`: colours up to their final letter, links up to their end."""
    found = set()
    for piece in text.split("\x1b")[1:]:
        if piece.startswith("["):
            found.add(piece[: next(at for at, letter in enumerate(piece[1:], 1) if letter.isalpha()) + 1])
        elif piece.startswith("]8;"):
            found.add(piece + "\x1b")
        elif not piece.startswith("\\"):
            found.add(piece)
    return found


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gb18030", "cp1252"])
def test_a_terminal_of_another_encoding_gets_what_it_can_show(encoding: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    TerminalReceiver(stream).send("n-1", card(text="Привет 云帆 😰"))
    assert "Severity 3" in raw.getvalue().decode(encoding)


def test_a_terminal_that_is_gone_ends_the_receiver(tmp_path: Path) -> None:
    full = open("/dev/full", "w", encoding="utf-8", buffering=1)  # noqa: SIM115
    try:
        with pytest.raises(PermanentDeliveryError) as caught:
            TerminalReceiver(full).send("n-9", Note("a", "b"))
        assert caught.value.receiver_gone
    finally:
        with pytest.raises(OSError, match="No space"):
            full.close()
