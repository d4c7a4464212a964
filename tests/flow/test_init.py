"""`listener init` as somebody meets it who never saw the program: real processes, a real terminal, local servers."""

import errno
import os
import pty
import select
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from listener.clock import SystemClock
from listener.config import Config, load_config
from listener.config.document import read_yaml
from listener.config.json_schema import json_schema
from listener.drilling import plan
from listener.plugins import plugin_options
from listener.store import Store
from tests.databases import migrated_sqlite
from tests.servers.base import Reply, port_without_server
from tests.servers.slack.server import SlackServer
from tests.servers.smtp import SmtpServer
from tests.servers.vk import TOKEN as VK_TOKEN
from tests.servers.vk import VkServer
from tests.servers.x import XServer

NO_SECRETS = dict.fromkeys(
    ("X_BEARER_TOKEN", "VK_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SMTP_USERNAME", "SMTP_PASSWORD"), ""
)
LISTENER = [sys.executable, "-m", "listener.cli"]
FILES = ["config.yaml", "brand.yaml", ".env.example"]


def listener(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LISTENER, *arguments],
        cwd=cwd,
        env={**os.environ, **NO_SECRETS, "COLUMNS": "110", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def init(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return listener("init", *arguments, cwd=folder, **environment)


def written(folder: Path) -> Config:
    return load_config(folder / "config.yaml", plugin_options())


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Terminal:
    """`listener init` at a real pseudo-terminal: waits for a question, types an answer."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.said = ""
        self._seen = 0
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:  # pragma: no cover - the child becomes the program
            os.chdir(folder)
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # whatever runs in the background was started deaf to Ctrl-C
            os.environ.update({**NO_SECRETS, "COLUMNS": "110", "TERM": "dumb", "INPUTRC": "/dev/null"})
            os.execv(sys.executable, [*LISTENER, "init", *arguments])

    def expect(self, words: str, timeout_s: float = 60.0) -> None:
        """Read on until `words` were said, after what was expected before."""
        ends = time.monotonic() + timeout_s
        while (found := self.said.find(words, self._seen)) < 0:
            assert time.monotonic() < ends, f"waited for {words!r} after:\n{self.said}"
            assert self._read() or words in self.said[self._seen :], f"ended before {words!r}:\n{self.said}"
        self._seen = found + len(words)

    def answer(self, question: str, text: str) -> None:
        self.expect(question)
        self.expect("> ")
        self.type(text + "\n")

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def press(self, key: str, until: str) -> None:
        """Press `key`, and again after a while, as a person does.

        Python notices a signal that comes between readline's prompt and its waiting only with the next key.
        """
        for _ in range(6):
            self.type(key)
            ends = time.monotonic() + 10
            while until not in self.said[self._seen :] and time.monotonic() < ends and self._read():
                pass
            if until in self.said[self._seen :]:
                break
        self.expect(until)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], 1.0)
        if not ready:
            return True
        try:
            chunk = os.read(self._terminal, 65536)
        except OSError as error:  # what Linux says when the other side is closed
            if error.errno != errno.EIO:
                raise
            return False
        self.said += chunk.decode(errors="replace").replace("\r", "")
        return bool(chunk)

    def end(self) -> int:
        while self._read():
            pass
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


def test_two_answers_are_enough_and_the_check_passes(tmp_path: Path) -> None:
    done = init(tmp_path, "desk", "--brand", "Yunfan", "--country", "France", "--no-test")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "desk"
    assert sorted(snapshot(folder)) == sorted([*FILES, ".gitignore", "posts/practice.jsonl"])
    config = written(folder)
    assert list(config.countries) == ["FR"]
    assert (config.countries["FR"].languages, config.countries["FR"].timezone) == (["fr"], "Europe/Paris")
    assert config.brands["yunfan"].terms == ["Yunfan"]
    steps = done.stderr.partition("next:")[2].split("\n\n")[0].strip().splitlines()
    assert [step.strip().split("    #")[0] for step in steps] == [
        "cd desk",
        "cp .env.example .env",
        "listener check",
        "listener run --once",
        "listener people add ann --role admin --everywhere",
        "listener console",
    ]
    check = listener("check", cwd=folder)
    assert check.returncode == 0, check.stdout + check.stderr
    assert "all is well" in check.stdout


def test_the_practice_posts_raise_an_alert_in_each_country(tmp_path: Path, model_cache: Path, checkpoint: Path) -> None:
    done = init(tmp_path, "--brand", "Yunfan", "--country", "FR", "--country", "JP", "--country", "BR", "--no-test")
    assert done.returncode == 0, done.stderr
    path = tmp_path / "config.yaml"
    path.write_text(
        f'{path.read_text("utf-8")}model: {{cache: "{model_cache}", threads: 1, backend: onnx-float32}}\n',
        encoding="utf-8",
    )
    once = listener("run", "--once", cwd=tmp_path)
    assert once.returncode == 0, once.stderr
    for country in ("FR", "JP", "BR"):
        (line,) = (one for one in once.stdout.splitlines() if one.startswith(f"  {country}: "))
        assert "0 alerts raised" not in line, line


def test_every_answer_can_be_given_as_an_option(tmp_path: Path) -> None:
    done = init(
        tmp_path, "--brand", "Yunfan", "--brand", "Skybird = Air", "--terms", "Yunfan=yunfan、云帆", "--terms",
        "Skybird = Air=skybird", "--account", "Yunfan=x:@yunfan", "--account", "Yunfan=vk:https://vk.com/yunfan_ru",
        "--competitor", "Rival", "--country", "Belgique", "--country", "Россия", "--country", "us",
        "--language", "BE=nl-be, fr", "--timezone", "US=America/Chicago", "--source", "x", "--source", "vk",
        "--team-each", "--team", "BE=Équipe Benelux", "--hours", "mon-fri 08:00-20:00; sat 10:00-16:00",
        "--slack-channel", "C0123ABCD", "--no-buttons", "--no-practice", "--no-test",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    config = written(tmp_path)
    assert {name: brand.name for name, brand in config.brands.items()} == {
        "yunfan": "Yunfan",
        "skybird-air": "Skybird = Air",
        "rival": "Rival",
    }
    assert config.brands["yunfan"].terms == ["yunfan", "云帆"]
    assert config.brands["yunfan"].accounts == {"x": "yunfan", "vk": "yunfan_ru"}
    assert config.brands["rival"].competitor
    assert config.countries["BE"].languages == ["nl-BE", "fr"]
    assert config.countries["US"].timezone == "America/Chicago"
    assert config.countries["RU"].timezone == "Europe/Moscow"
    assert config.teams["team-be"].name == "Équipe Benelux"
    assert str(config.countries["BE"].hours).endswith("sat 10:00-16:00")
    assert config.route.receiver == "slack"
    assert config.slack is None
    assert {(watch.source, watch.country) for watch in config.watches} == {
        ("x", "BE"),
        ("x", "US"),
        ("x", "RU"),
        ("vk", "RU"),
    }


HOSTILE = [
    "NO", "on", "null", "~", "1e3", "0x10", "12", "- a", "a: b", "a #b", "'quoted'", '"q"', "{x}", "[y]", "*a", "&b",
    "!t", "%d", "@at", "`b`", "|", ">", "? k", "back\\slash", "${env:HOME}", "{{ x }}", "🙂👍🏽", "云帆",
    "شركة الطيران", "חברה", "ブランド", "Ünïcödé", "a,b", "O’Neill & Søn", "x" * 200,
]  # fmt: skip


def test_hostile_names_stay_what_they_are(tmp_path: Path) -> None:
    arguments = [part for name in HOSTILE for part in ("--brand", name)]
    arguments += [part for name in HOSTILE for part in ("--terms", f"{name}={name.replace(',', ' ')}")]
    done = init(tmp_path, *arguments, "--team", "NO: 'x' # {y}", "--country", "NO", "--no-test")
    assert done.returncode == 0, done.stderr
    config = written(tmp_path)
    assert [brand.name for brand in config.brands.values()] == HOSTILE
    assert [brand.terms for brand in config.brands.values()] == [
        [name.strip("\"'“”") if name.startswith(("'", '"')) else name.replace(",", " ")] for name in HOSTILE
    ]
    assert [team.name for team in config.teams.values()] == ["NO: 'x' # {y}"]
    assert list(config.countries) == ["NO"]
    # A reader of YAML 1.1, to which NO is false, reads the same.
    text = (tmp_path / "config.yaml").read_text(encoding="utf-8")
    old = yaml.safe_load(text)
    assert [brand["name"] for brand in old["brands"].values()] == HOSTILE
    assert list(old["countries"]) == ["NO"]
    assert all(isinstance(key, str) for key in old["brands"])


@pytest.mark.parametrize(
    "given",
    [
        ("--tell", "terminal"),
        ("--slack-channel", "C0123ABCD", "--tell", "terminal"),
        ("--mail-host", "localhost:25", "--mail-from", "a@brand.example", "--mail-to", "b@brand.example"),
    ],
)
def test_a_drill_has_somewhere_to_go_at_once(tmp_path: Path, given: tuple[str, ...]) -> None:
    done = init(tmp_path, "--brand", "Yunfan", "--country", "FR", "--no-test", *given)
    assert done.returncode == 0, done.stderr
    with closing(Store(migrated_sqlite(tmp_path))) as store:
        assert plan(written(tmp_path), store, SystemClock().now(), country="FR").receiver == "trial"


def test_what_it_writes_fits_the_schema_that_editors_are_given(tmp_path: Path) -> None:
    validator = Draft202012Validator(json_schema(plugin_options()))
    kinds = (
        ("--tell", "terminal"),
        ("--slack-channel", "C0123ABCD", "--tell", "slack", "--tell", "terminal"),
        (
            "--mail-host",
            "smtp.example.com:465",
            "--mail-from",
            "Alerts <a@brand.example>",
            "--mail-to",
            "b@brand.example",
        ),
        (
            "--source",
            "x",
            "--source",
            "vk",
            "--source",
            "wechat",
            "--source",
            "file",
            "--country",
            "CN",
            "--country",
            "RU",
        ),
    )
    for number, kind in enumerate(kinds):
        folder = tmp_path / str(number)
        done = init(tmp_path, str(number), "--brand", "云帆", "--country", "FR", "--no-test", *kind)
        assert done.returncode == 0, done.stderr
        data = read_yaml(folder / "config.yaml").data
        assert [one.message for one in validator.iter_errors(data)] == []
        written(folder)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --country and --brand"),
        (("--brand", "Yunfan"), "give --country;"),
        (("--country", "FR", "--brand", "Y", "--slack-channel", "general"), "--slack-channel: write the channel's ID"),
        (("--country", "Mordor", "--brand", "Y"), "--country: 'Mordor' is no country"),
        (("--country", "Germny", "--brand", "Y"), "did you mean Germany (DE)"),
        (("--country", "FR", "--brand", "Y", "--language", "DE=de"), "--language: DE is not among the countries FR"),
        (("--country", "FR", "--brand", "Y", "--language", "klingon"), "BCP 47"),
        (("--country", "FR", "--brand", "Y", "--timezone", "Paris"), "Europe/Paris"),
        (("--country", "FR", "--brand", "Y", "--hours", "office hours"), "--hours: "),
        (("--country", "FR", "--brand", "Y", "--source", "myspace"), "'myspace' is not among x, vk, wechat, file"),
        (("--country", "FR", "--brand", "Y", "--account", "facebook:y"), "networks: x, vk, wechat"),
        (("--country", "FR", "--brand", "Y", "--account", "x:not a handle"), "is no account on x"),
        (("--country", "FR", "--brand", "Y", "--brand", "Z", "--terms", "y"), "say of which brand"),
        (("--country", "FR", "--brand", "evil\u202ename"), "direction of writing"),
        (("--country", "FR", "--brand", "a\x1b[31mb"), "invisible character"),
        (("--country", "JP", "--brand", "Y", "--language", "jp"), "no language has the code jp; did you mean ja?"),
        (("--country", "JP", "--brand", "Y", "--language", "xx"), "no language has the code xx; write one of ISO 639"),
        (("--country", "FR", "--brand", "Y", "--tell", "pigeon"), "'pigeon' is not among terminal, slack, email"),
        (("--country", "FR", "--brand", "Y", "--tell", "slack"), "give --slack-channel"),
        (("--country", "FR", "--brand", "Y", "--mail-host", "smtp.example.com"), "give --mail-from and --mail-to"),
        (("--country", "FR", "--brand", "Y", "--base-url", "x=nowhere"), "--base-url: "),
    ],
)  # fmt: skip
def test_bad_options_say_what_to_write_and_leave_nothing_behind(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = init(tmp_path, *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_kept_unless_forced_and_then_a_copy_is(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine: true\n", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("*.pyc\nvar/\n", encoding="utf-8")
    before = snapshot(tmp_path)
    refused = init(tmp_path, "--brand", "Y", "--country", "FR", "--no-test")
    assert (refused.returncode, "write --force" in refused.stderr) == (1, True)
    assert snapshot(tmp_path) == before
    for _ in range(2):
        forced = init(tmp_path, "--brand", "Y", "--country", "FR", "--no-test", "--force")
        assert forced.returncode == 0, forced.stderr
    after = snapshot(tmp_path)
    copies = [name for name in after if name.startswith("config.yaml.") and name.endswith(".bak")]
    assert len(copies) == 2
    assert b"mine: true\n" in [after[name] for name in copies]
    assert after[".gitignore"] == before[".gitignore"]
    assert "add to .gitignore" in forced.stderr
    assert ".env posts/ exports/" in forced.stderr


def test_a_folder_that_cannot_be_written_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    done = init(tmp_path, "taken", "--brand", "Y", "--country", "FR", "--no-test")
    assert (done.returncode, "is a file; name a folder" in done.stderr) == (1, True)
    (tmp_path / "posts").write_text("in the way", encoding="utf-8")
    before = snapshot(tmp_path)
    done = init(tmp_path, "--brand", "Y", "--country", "FR", "--no-test")
    assert (done.returncode, "nothing was changed" in done.stderr) == (1, True)
    assert snapshot(tmp_path) == before


def test_no_secret_is_written_anywhere(tmp_path: Path) -> None:
    secret = "xoxb-do-not-write-me"
    with port_without_server() as port:
        done = init(
            tmp_path, "--brand", "Y", "--country", "FR", "--slack-channel", "C0123ABCD",
            "--base-url", f"slack=http://127.0.0.1:{port}", SLACK_BOT_TOKEN=secret, SLACK_APP_TOKEN=f"xapp{secret}",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "receiver slack: not reached, no answer from 127.0.0.1: is this machine online" in done.stderr
    assert secret not in done.stdout + done.stderr
    assert not [name for name, content in snapshot(tmp_path).items() if secret.encode() in content]
    example = (tmp_path / ".env.example").read_text(encoding="utf-8")
    assert "SLACK_BOT_TOKEN=\n" in example
    assert ".env" in (tmp_path / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_questions_are_asked_again_taken_back_and_answered_with_enter(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "--no-test")
    terminal.answer("In which countries", "Germny")
    terminal.answer("did you mean Germany (DE)", "Deutschland")
    terminal.answer("Germany: which languages", "<")
    terminal.answer("In which countries", "Schweiz, 日本")
    terminal.answer("Switzerland: which languages", "de, fr")
    terminal.answer("Japan: which languages", "")
    terminal.answer("Where shall we listen?", "")
    terminal.answer("Which brand", "")
    terminal.answer("Which brand" if "must" not in terminal.said else "> ", '云雀 "Skybird"')
    terminal.answer("words and phrases", "云雀, skybird, スカイバード")
    terminal.answer("its own account on X", "@skybirdair")
    terminal.answer("Another brand of yours?", "")
    terminal.answer("Brands to compare with", "")
    terminal.answer("a team of its own?", "perhaps")
    terminal.answer("answer yes or no", "no")
    terminal.answer("How is the team called", "")
    terminal.answer("When do they work?", "mon-fri 09:00-18:00")
    terminal.answer("How shall people be told?", "slack")
    terminal.answer("Which Slack channel?", "<")
    terminal.answer("How shall people be told?", "")
    terminal.answer("practice posts", "no")
    terminal.expect("listener check")
    assert terminal.end() == 0
    config = written(tmp_path)
    assert list(config.countries) == ["CH", "JP"]
    assert config.countries["CH"].languages == ["de", "fr"]
    (brand,) = config.brands.values()
    assert (brand.name, brand.terms) == ('云雀 "Skybird"', ["云雀", "skybird", "スカイバード"])
    assert brand.accounts == {"x": "skybirdair"}
    assert list(config.receivers) == ["terminal", "trial"]


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["ctrl-c", "ctrl-d"])
def test_leaving_in_the_middle_leaves_nothing(tmp_path: Path, key: str) -> None:
    terminal = Terminal(tmp_path)
    terminal.answer("In which countries", "FR")
    terminal.expect("France: which languages")
    terminal.expect("[fr] > ")
    terminal.press(key, until="nothing was written")
    assert terminal.end() == 130
    assert list(tmp_path.iterdir()) == []


def tried(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    lines = done.stderr.partition("credentials:\n")[2].partition("\n\n")[0].splitlines()
    return dict(line.strip().split(": ", 1) for line in lines)


def test_credentials_that_work_are_said_to_work(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with SlackServer() as slack, XServer(now) as x, VkServer() as vk, SmtpServer(tmp_path / "mail") as smtp:
        done = init(
            tmp_path, "--brand", "Yunfan", "--country", "RU", "--source", "x", "--source", "vk",
            "--slack-channel", "C0123ABCD", "--mail-host", f"127.0.0.1:{smtp.port}", "--mail-from", "a@brand.example",
            "--mail-to", "b@brand.example", "--base-url", f"slack={slack.api_url}", "--base-url", f"x={x.base_url}",
            "--base-url", f"vk={vk.base_url}", X_BEARER_TOKEN=x.token, VK_TOKEN=VK_TOKEN,
            SLACK_BOT_TOKEN=slack.token, SLACK_APP_TOKEN=slack.app_token,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = tried(done)
    assert found.keys() == {"source x", "source vk", "receiver slack", "receiver mail", "Slack's buttons"}
    assert {name: words.split(",")[0] for name, words in found.items()} == dict.fromkeys(found, "works")
    assert smtp.mails == []
    assert len(x.requests) == 1


def test_credentials_that_are_refused_are_said_to_be_and_those_not_set_are_off(tmp_path: Path) -> None:
    with SlackServer() as slack, XServer(datetime.now(UTC)) as x:
        slack.script(Reply(body={"ok": False, "error": "invalid_auth"}))
        x.script(Reply(401, {"title": "Unauthorized", "status": 401, "detail": "Unauthorized"}))
        done = init(
            tmp_path, "--brand", "Yunfan", "--country", "GB", "--source", "x", "--slack-channel", "C0123ABCD",
            "--base-url", f"slack={slack.api_url}", "--base-url", f"x={x.base_url}",
            X_BEARER_TOKEN="x-token", SLACK_BOT_TOKEN="xoxb-1",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = tried(done)
    assert found["source x"].startswith("REFUSED")
    assert found["receiver slack"].startswith("REFUSED, Slack refuses the token (invalid_auth)")
    assert found["Slack's buttons"] == "off, set the environment variable SLACK_APP_TOKEN"


def test_nothing_is_asked_of_anyone_with_no_test(tmp_path: Path) -> None:
    with XServer(datetime.now(UTC)) as x:
        done = init(
            tmp_path, "--brand", "Y", "--country", "GB", "--base-url", f"x={x.base_url}", "--no-test",
            X_BEARER_TOKEN="x-token",
        )  # fmt: skip
        assert x.requests == []
    assert done.returncode == 0
    assert "credentials were not tried (--no-test)" in done.stderr
