"""The console as a process of its own: from the first account to Ctrl-C, with nothing but the commands."""

import http.client
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from tests.console_room import CONFIG
from tests.databases import migrated_sqlite

PASSWORD = "grün lampe achtzig boot"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configured(folder: Path) -> tuple[Path, int]:
    port, path = free_port(), folder / "config.yaml"
    path.write_text(CONFIG % (f"127.0.0.1:{port}", "", migrated_sqlite(folder)), encoding="utf-8")
    return path, port


def listener(*arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "listener.cli", *arguments], input=said, capture_output=True, text=True, timeout=120
    )


@contextmanager
def console(config: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "listener.cli", "console", "--config", str(config)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_from_the_first_account_to_ctrl_c(tmp_path: Path) -> None:
    config, port = configured(tmp_path)
    refused = listener("console", "--config", str(config))
    assert refused.returncode == 1
    assert "listener people add NAME --role admin --everywhere" in refused.stderr
    added = listener("people", "add", "ana", "--role", "admin", "--everywhere", "--password-stdin", "--config",
                     str(config), said=f"{PASSWORD}\n")  # fmt: skip
    assert added.returncode == 0, added.stderr
    with console(config) as process:
        assert process.stderr is not None
        assert f"the console answers at http://127.0.0.1:{port}/" in process.stderr.readline()
        taken = listener("console", "--config", str(config))
        assert taken.returncode == 1
        assert f"the console cannot listen at 127.0.0.1:{port}" in taken.stderr
        assert sign_in(port) == (303, "/people")
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(20) == 0
        assert time.monotonic() - began < 10
        assert "stopped; nothing is lost" in process.stderr.read()


def sign_in(port: int) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/sign-in?next=/people")
    page = connection.getresponse()
    text, cookie = page.read().decode(), str(page.headers["set-cookie"]).partition(";")[0]
    csrf = re.search(r'name="csrf" value="(\w+)"', text)
    assert csrf
    form = urlencode({"csrf": csrf[1], "name": "ana", "password": PASSWORD, "next": "/people"})
    headers = {"cookie": cookie, "content-type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/sign-in", form, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers["location"]
