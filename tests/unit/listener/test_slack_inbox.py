"""What Slack tells of is neither lost nor done twice: files that wait, a database that is away, Slack that fails."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from listener.slack.inbox import MOST_WAITING, NOTHING, ClosingError, Handlers, Payload, Reaction, SlackInbox
from listener.slack.service import SlackService
from listener.slack.spool import Spool

AWAY = OperationalError("BEGIN", {}, Exception("away"))


class NotedPresses:
    """Handlers that note each press by its number, in the order in which they are carried out."""

    def __init__(self) -> None:
        self.done: list[object] = []
        self.said: list[tuple[object, str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.fault: Callable[[object], Exception | None] = lambda number: None

    def interactive(self, payload: Payload) -> Reaction:
        number = payload["actions"][0]["n"]

        def work() -> None:
            self.gate.wait(20)
            fault = self.fault(number)
            if fault is not None:
                raise fault
            self.done.append(number)

        return Reaction(work=work, excuse=lambda words: self.said.append((number, words)))

    def command(self, payload: Payload) -> Reaction:
        return NOTHING

    event = command


def press(number: object) -> dict[str, Any]:
    return {"type": "block_actions", "user": {"id": "U1"}, "actions": [{"n": number}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


Open = Callable[..., SlackInbox]


@pytest.fixture
def open_inbox(folder: Path) -> Iterator[Open]:
    with ExitStack() as opened:

        def make(handlers: Handlers) -> SlackInbox:
            box = SlackInbox(handlers, None, Spool(folder))
            opened.callback(box.close)
            return box

        yield make


def files(folder: Path, suffix: str = ".json") -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix == suffix]


def a_folder(path: Path) -> None:
    path.mkdir()


def a_dangling_link(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def too_deep(path: Path) -> None:
    path.write_text("[" * 50_000)


def too_long(path: Path) -> None:
    path.write_text(json.dumps({"kind": "interactive", "payload": {"text": "x" * 200_000}}))


def cut_short(path: Path) -> None:
    path.write_text('{"kind": "interactive", "payl')


def something_else(path: Path) -> None:
    path.write_text('{"kind": ["interactive"], "payload": [[1, 2]]}')


def unforeseen(path: Path) -> None:
    path.write_text('{"kind": "interactive", "payload": {}}')  # the handler raises


DAMAGED = [too_deep, too_long, cut_short, something_else, unforeseen]


@pytest.mark.parametrize("damage", [a_folder, a_dangling_link, a_pipe, *DAMAGED])
def test_what_does_not_belong_into_the_spool_hides_no_press(
    folder: Path, open_inbox: Open, damage: Callable[[Path], None]
) -> None:
    spool, handlers = Spool(folder), NotedPresses()
    for number in range(3):
        spool.keep("interactive", press(number))
    damage(folder / "0.json")
    box = open_inbox(handlers)
    starting = threading.Thread(target=box.catch_up, daemon=True)
    starting.start()
    starting.join(10)
    assert not starting.is_alive()
    assert box.wait_idle(10)
    assert handlers.done == [0, 1, 2]
    assert [path.name for path in files(folder, ".bad")] == (["0.bad"] if damage in DAMAGED else [])


def test_a_damaged_file_that_cannot_be_moved_stops_nothing(
    folder: Path, open_inbox: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers = NotedPresses()
    Spool(folder).keep("interactive", press(1))
    cut_short(folder / "0.json")

    def refuse(*ignored: object, **named: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(Path, "rename", refuse)
    box = open_inbox(handlers)
    box.catch_up()
    assert box.wait_idle(10)
    assert handlers.done == [1]


def test_a_file_that_the_disk_does_not_give_just_now_stays_for_the_next_start(
    folder: Path, open_inbox: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers = NotedPresses()
    Spool(folder).keep("interactive", press(1))
    box = open_inbox(handlers)
    with monkeypatch.context() as patch:
        opening = os.open

        def fail(path: Any, *more: Any, **named: Any) -> int:
            if str(path).endswith(".json"):
                raise OSError(5, "Input/output error")
            return opening(path, *more, **named)

        patch.setattr(os, "open", fail)
        patch.setattr(Path, "read_text", lambda path, **named: fail(path))
        box.catch_up()
        assert box.wait_idle(10)
    assert len(files(folder)) == 1
    box.catch_up()
    assert box.wait_idle(10)
    assert handlers.done == [1]


def test_more_left_over_presses_than_may_wait_are_all_carried_out_in_order(folder: Path, open_inbox: Open) -> None:
    handlers, spool = NotedPresses(), Spool(folder)
    for number in range(MOST_WAITING + 50):
        spool.keep("interactive", press(number))
    handlers.gate.clear()
    box = open_inbox(handlers)
    box.catch_up()
    box.take("interactive", press("new"))
    handlers.gate.set()
    assert box.wait_idle(30)
    assert handlers.done == [*range(MOST_WAITING + 50), "new"]
    assert files(folder) == []


def test_the_service_starts_to_hear_whatever_happens_to_the_spool(folder: Path) -> None:
    class Broken(SlackInbox):
        def catch_up(self) -> int:
            raise RuntimeError("unforeseen")

    class Ear:
        is_started = False

        def start(self) -> None:
            self.is_started = True

        def close(self) -> None:
            return

    ear = Ear()
    service = SlackService(ear, Broken(NotedPresses()))  # type: ignore[arg-type]
    service.start()
    service.close()
    assert ear.is_started


def test_a_press_that_cannot_be_written_down_is_carried_out_all_the_same(folder: Path, open_inbox: Open) -> None:
    handlers, payload = NotedPresses(), press(1)
    deep: list[object] = []
    for _ in range(50_000):
        deep = [deep]
    payload["actions"][0]["x"] = deep
    box = open_inbox(handlers)
    box.take("interactive", payload)
    assert box.wait_idle(10)
    assert handlers.done == [1]


def test_a_press_that_is_refused_is_not_carried_out_later(folder: Path, open_inbox: Open) -> None:
    handlers = NotedPresses()
    handlers.gate.clear()
    box = open_inbox(handlers)
    refused = 0
    for number in range(MOST_WAITING + 5):
        try:
            box.take("interactive", press(number))
        except ClosingError:
            refused += 1
    assert refused == 5
    assert len(files(folder)) == MOST_WAITING
    handlers.gate.set()
    assert box.wait_idle(30)
    assert files(folder) == []
    box.close()
    with pytest.raises(ClosingError):
        box.take("interactive", press("late"))
    assert files(folder) == []
