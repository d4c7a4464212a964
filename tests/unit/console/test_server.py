import http.client
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from listener.console import server as serving
from listener.console.server import ConsoleError, ConsoleServer, attend
from tests.console_room import ConsoleRoom
from tests.databases import migrated_sqlite


def room_of(folder: Path, console: str = "", listen: str = "127.0.0.1:0") -> ConsoleRoom:
    folder.mkdir(exist_ok=True)
    made = ConsoleRoom.open(folder, migrated_sqlite(folder), console, listen=listen)
    made.person("ana", "grün lampe achtzig boot", "admin")
    return made


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[ConsoleRoom, ConsoleServer]]:
    room = room_of(tmp_path)
    server = ConsoleServer(room.office)
    server.start()
    yield room, server
    server.close()
    room.close()


def fetch(port: int, path: str = "/health") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_it_answers_and_ends_within_seconds(tmp_path: Path) -> None:
    room, stop = room_of(tmp_path), threading.Event()
    server = ConsoleServer(room.office)
    server.start()
    assert fetch(server.port) == (200, b"ok\n")
    waiter = threading.Thread(target=attend, args=(server, room.office, stop))
    waiter.start()
    began = time.monotonic()
    stop.set()
    waiter.join(10)
    assert time.monotonic() - began < 8
    with pytest.raises(OSError):
        fetch(server.port)
    room.close()


def test_a_changed_configuration_comes_into_force_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_LOOK_EVERY_S", 0.01)
    room, stop = room_of(tmp_path), threading.Event()
    server = ConsoleServer(room.office)
    server.start()
    waiter = threading.Thread(target=attend, args=(server, room.office, stop))
    waiter.start()
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("name: Acme", "name: Acme Two"), encoding="utf-8")
    deadline = time.monotonic() + 20
    while room.office.config.brands["acme"].name != "Acme Two" and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    stop.set()
    waiter.join(10)
    assert room.office.config.brands["acme"].name == "Acme Two"
    room.close()


def test_a_port_that_is_taken_is_said(served: tuple[ConsoleRoom, ConsoleServer], tmp_path: Path) -> None:
    room = room_of(tmp_path / "other", listen=f"127.0.0.1:{served[1].port}")
    with pytest.raises(ConsoleError, match=r"cannot listen at 127\.0\.0\.1:\d+ .*console\.listen"):
        ConsoleServer(room.office)
    room.close()


def test_nobody_to_sign_in_is_said_with_the_command_that_adds_them(tmp_path: Path) -> None:
    room = ConsoleRoom.open(tmp_path, migrated_sqlite(tmp_path))
    with pytest.raises(ConsoleError, match=r"listener people add NAME --role admin --everywhere"):
        ConsoleServer(room.office)
    room.account("admin", subject="https://idp.example 1")
    with pytest.raises(ConsoleError):
        ConsoleServer(room.office)
    room.close()


@pytest.mark.parametrize(
    ("console", "listen", "said"),
    [
        ("", "0.0.0.0:0", "reaches beyond this machine"),
        ("", "[::]:0", "reaches beyond this machine"),
        ('url: "http://127.0.0.1:8321"', "0.0.0.0:0", "reaches beyond this machine"),
        ('url: "http://listener.brand.example"', "127.0.0.1:0", "passwords would travel in the clear"),
        ('url: "https://brand.example/listener"', "127.0.0.1:0", "a host name of its own"),
        ("", "999.1.1.1:80", "reaches beyond this machine"),
    ],
)
def test_what_would_be_unsafe_is_refused(tmp_path: Path, console: str, listen: str, said: str) -> None:
    room = room_of(tmp_path, console, listen)
    with pytest.raises(ConsoleError, match=said):
        ConsoleServer(room.office)
    room.close()


def test_behind_https_it_may_listen_everywhere(tmp_path: Path) -> None:
    room = room_of(tmp_path, 'url: "https://listener.brand.example"', "0.0.0.0:0")
    server = ConsoleServer(room.office)
    server.close()
    room.close()


def test_requests_that_dribble_in_are_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_HEADERS_WITHIN_S", 0.3)
    room = room_of(tmp_path)
    server = ConsoleServer(room.office)
    server.start()
    for begun in (
        b"",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGE",
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(begun)
            while connection.recv(4096):
                pass
    assert fetch(server.port)[0] == 200
    server.close()
    room.close()


def test_pages_are_answered_beside_one_that_takes_long(served: tuple[ConsoleRoom, ConsoleServer]) -> None:
    threads = [threading.Thread(target=fetch, args=(served[1].port, "/sign-in")) for _ in range(20)]
    for thread in threads:
        thread.start()
    assert fetch(served[1].port)[0] == 200
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
