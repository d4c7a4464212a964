"""What Slack tells of is neither lost nor done twice: files that wait, a database that is away, Slack that fails."""

import json
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from listener.config import Secret
from listener.errors import PermanentDeliveryError, RetryableDeliveryError
from listener.slack import inbox as inbox_module
from listener.slack.http import HttpListener, Signatures, slack_web
from listener.slack.inbox import MOST_WAITING, NOTHING, ClosingError, Handlers, Payload, Reaction, SlackInbox
from listener.slack.presser import presser_of
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
    starting.join(120)
    assert not starting.is_alive()
    assert box.wait_idle(120)
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
    assert box.wait_idle(120)
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
        assert box.wait_idle(120)
    assert len(files(folder)) == 1
    box.catch_up()
    assert box.wait_idle(120)
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
    assert box.wait_idle(120)
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
    assert box.wait_idle(120)
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
    assert box.wait_idle(120)
    assert files(folder) == []
    box.close()
    with pytest.raises(ClosingError):
        box.take("interactive", press("late"))
    assert files(folder) == []


def test_files_that_nobody_finishes_are_removed_at_the_start(folder: Path, open_inbox: Open) -> None:
    folder.mkdir()
    old, young = folder / "old.part", folder / "young.part"
    old.touch()
    young.touch()
    os.utime(old, (time.time() - 90_000,) * 2)
    assert open_inbox(NotedPresses()).catch_up() == 0
    assert files(folder, ".part") == [young]


def test_a_full_disk_leaves_no_half_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    assert Spool(folder).keep("interactive", press(1)) is None
    assert list(folder.iterdir()) == []


def test_a_folder_that_stood_open_is_closed_to_others(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    Spool(folder).keep("interactive", press(1))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_press_that_is_too_long_to_be_kept_is_in_the_log(folder: Path) -> None:
    with structlog.testing.capture_logs() as logged:
        assert Spool(folder).keep("interactive", press(1) | {"text": "x" * 200_000}) is None
    assert ["too long" in entry["event"] for entry in logged] == [True]


def broken_off() -> Exception:
    return DBAPIError("SELECT", {}, Exception("gone"), connection_invalidated=True)


@pytest.mark.parametrize(
    "fault",
    [AWAY, InterfaceError("x", {}, Exception("closed")), PoolTimeoutError("all in use"), broken_off()],
    ids=lambda fault: type(fault).__name__,
)
def test_what_passes_is_tried_again(open_inbox: Open, fault: Exception) -> None:
    handlers, faults = NotedPresses(), [fault]
    handlers.fault = lambda number: faults.pop() if faults else None
    box = open_inbox(handlers)
    box.take("interactive", press(1))
    assert box.wait_idle(120)
    assert (handlers.done, handlers.said) == ([1], [])


def test_what_stays_wrong_is_told_at_once(open_inbox: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "_PATIENCE_S", 1.0)
    handlers, tries = NotedPresses(), []

    def fault(number: object) -> Exception | None:
        tries.append(number)
        return DataError("INSERT", {}, Exception("NUL")) if number == 1 else None

    handlers.fault = fault
    box = open_inbox(handlers)
    box.take("interactive", press(1))
    box.take("interactive", press(2))
    assert box.wait_idle(120)
    assert tries == [1, 2]
    assert [number for number, _ in handlers.said] == [1]
    assert "Something went wrong" in handlers.said[0][1]


def test_the_first_presser_is_the_first_when_the_database_is_back(open_inbox: Open) -> None:
    handlers, away, failed = NotedPresses(), threading.Event(), threading.Semaphore(0)
    away.set()

    def fault(number: object) -> Exception | None:
        if away.is_set():
            failed.release()
            return AWAY
        return None

    handlers.fault = fault
    box = open_inbox(handlers)
    box.take("interactive", press("first"))
    for _ in range(3):  # by now its pauses are long
        assert failed.acquire(timeout=120)
    for number in range(6):
        box.take("interactive", press(number))
    away.clear()
    assert box.wait_idle(120)
    assert handlers.done == ["first", *range(6)]


def test_many_who_press_while_the_database_is_away_are_all_told_in_time(
    open_inbox: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "_PATIENCE_S", 0.5)
    handlers = NotedPresses()
    handlers.fault = lambda number: AWAY
    box = open_inbox(handlers)
    began = time.monotonic()
    for number in range(30):
        box.take("interactive", press(number))
    assert box.wait_idle(120)
    took_s = time.monotonic() - began
    assert sorted(number for number, _ in handlers.said) == list(range(30))  # type: ignore[type-var]
    assert all("database is away" in words for _, words in handlers.said)
    assert took_s < 30 * 0.5  # nobody waits for the patience that others have cost


class TellingPresses(NotedPresses):
    """Handlers whose work is told of in Slack, which fails as it is told to."""

    def __init__(self, faults: list[Exception]) -> None:
        super().__init__()
        self.faults = faults
        self.heard: list[object] = []

    def interactive(self, payload: Payload) -> Reaction:
        number = payload["actions"][0]["n"]

        def tell() -> None:
            if self.faults:
                raise self.faults.pop(0)
            self.heard.append(number)

        def work() -> Callable[[], None]:
            self.done.append(number)
            return tell

        return Reaction(work=work)


def test_the_loser_is_told_though_slack_fails_first_and_nothing_is_done_twice(
    folder: Path, open_inbox: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "_FIRST_TELLING_PAUSE_S", 0.01)
    handlers = TellingPresses([RetryableDeliveryError("HTTP 503"), AWAY, RetryableDeliveryError("429", 0.3)])
    box = open_inbox(handlers)
    began = time.monotonic()
    box.take("interactive", press(1))
    assert box.wait_idle(120)
    assert (handlers.done, handlers.heard) == ([1], [1])
    assert time.monotonic() - began >= 0.3  # as long as Slack asked for
    assert files(folder) == []


@pytest.mark.parametrize(
    "fault", [PermanentDeliveryError("is_archived"), RetryableDeliveryError("429", 3_600)], ids=["refused", "too late"]
)
def test_what_slack_will_not_take_is_given_up(folder: Path, open_inbox: Open, fault: Exception) -> None:
    handlers = TellingPresses([fault])
    box = open_inbox(handlers)
    box.take("interactive", press(1))
    assert box.wait_idle(120)
    assert (handlers.done, handlers.heard, files(folder)) == ([1], [], [])


def test_keys_of_presses_are_clean_bounded_and_differ() -> None:
    def key(**action: str) -> str:
        return presser_of({"user": {"id": "U1"}, "actions": [action]}).key

    same = "x" * 500
    keys = [
        key(action_id="claim", action_ts="1.1"),
        key(action_id="claim", action_ts="1.1\0"),
        key(action_id="claim", action_ts="\ud800"),
        key(action_id="claim", action_ts=same + "1"),
        key(action_id="claim", action_ts=same + "2"),
    ]
    assert keys[0] == "slack:U1:claim:1.1"
    assert len(set(keys)) == 5
    assert all(len(one) <= 150 and one.isascii() and one.isprintable() for one in keys)
    assert presser_of({"user": {"id": "U1\0", "name": "Olga\ud800"}}).user_id == "U1"


@contextmanager
def slow_web(inbox: SlackInbox, folder: Path) -> Iterator[int]:
    """Serve with a time limit that ends within the test."""
    secret = folder.with_name("signing")
    secret.write_text("made up for this test")
    app = slack_web(Signatures(Secret("file", str(secret))), inbox, time_limit_s=2.0)
    listener = HttpListener("127.0.0.1:0", app, time_limit_s=2.0)
    listener.start()
    try:
        while listener.port is None:
            threading.Event().wait(0.01)
        yield listener.port
    finally:
        listener.close()


def answer_to(port: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(sent)
        with connection.makefile("rb") as answer, suppress(ConnectionResetError):
            return answer.read()
    return b""


HEAD = b"POST /slack/events HTTP/1.1\r\nHost: x\r\n"


def test_connections_that_say_nothing_or_too_little_are_ended(folder: Path, open_inbox: Open) -> None:
    with slow_web(open_inbox(NotedPresses()), folder) as port:
        assert answer_to(port, b"") == b""
        assert answer_to(port, HEAD + b"X-Slow: ") == b""
        assert answer_to(port, HEAD + b"Content-Length: 10\r\n\r\na").startswith(b"HTTP/1.1 408 ")
        assert answer_to(port, HEAD + b"X-Long: " + b"x" * 40_000).startswith(b"HTTP/1.1 400 ")
        assert answer_to(port, HEAD + b"Content-Length: 1\r\n\r\na").startswith(b"HTTP/1.1 401 ")


def test_silent_connections_keep_nobody_out_for_long(folder: Path, open_inbox: Open) -> None:
    with slow_web(open_inbox(NotedPresses()), folder) as port, ExitStack() as crowd:
        for _ in range(110):
            crowd.enter_context(socket.create_connection(("127.0.0.1", port), timeout=120))
        assert answer_to(port, b"") == b""  # as long as it takes to end those that came before
        assert answer_to(port, HEAD + b"Content-Length: 1\r\n\r\na").startswith(b"HTTP/1.1 401 ")
