"""`listener digest` as people type it: every format, what it refuses, and where it writes."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from listener.cli import app
from listener.clock import FixedClock
from listener.digest.json_file import load
from listener.digest.weeks import Week, last_finished
from listener.errors import ListenerError
from listener.model import Sentiment
from tests.digest_room import Room, open_room

NOW = datetime.now(UTC)
WEEK = last_finished(NOW, "Europe/Paris")
READERS = """\
  board: {receivers: [log], timezone: Europe/Paris, countries: [FR], language: fr}
  hub:
    {receivers: [log], timezone: Europe/Paris, at: "23:00", countries: [FR, JP], brands: [acme], team: hub,
     personal_data: shown}
"""
PHONE = "+33 6 12 34 56 78"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    opened = open_room(tmp_path_factory.mktemp("room"), READERS)
    at = WEEK.span("Europe/Paris")[0] + timedelta(days=2)
    for country in ("FR", "JP"):
        for number in range(6):
            opened.post(
                f"acme {country} kettle broke, call {PHONE} ‮<b>{number}</b>\x1b[2J", at, country=country,
                author=f"loud{country}", complaint=0.9, tone=Sentiment.NEGATIVE, influence=0.7,
                profile={"followers": 50_000, "name": f"Loud {country}"},
            )  # fmt: skip
    opened.post("bolt is fine", at, brands=("bolt",))
    opened.clock = FixedClock(WEEK.back(-1).span("Europe/Paris")[0] + timedelta(hours=9))
    opened.step().run()
    opened.post("acme came late", at, collected_at=NOW)
    yield opened
    opened.store.close()


def listener(room: Room, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["digest", "--config", str(room.folder / "config.yaml"), *arguments])


def written(room: Room, *arguments: str) -> str:
    result = listener(room, *arguments)
    assert result.exit_code == 0, result.exception
    return result.stdout


def refusal(room: Room, *arguments: str) -> str:
    result = listener(room, *arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, ListenerError)
    assert result.stdout == ""
    return str(result.exception)


def figures(room: Room, *arguments: str) -> dict[str, object]:
    return json.loads(written(room, "--format", "json", *arguments))  # type: ignore[no-any-return]


def mentions(room: Room, *arguments: str) -> object:
    return load(json.dumps(figures(room, *arguments))).spoken.mentions.value


# Formats


def test_the_last_finished_week_is_told_as_text(room: Room) -> None:
    text = written(room)
    assert WEEK.monday.strftime("%-d") in text
    assert "Acme" in text
    assert not {"\x1b", "\u202e"} & set(text), "nothing that acts on a terminal"
    assert PHONE not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "ru", "zh", "fr-CH", "zh-Hant"])
def test_text_comes_in_every_language(room: Room, language: str) -> None:
    assert len(written(room, "--language", language)) > 500


def test_html_is_one_file_without_scripts_or_anything_from_elsewhere(room: Room) -> None:
    text = written(room, "--format", "html")
    assert text.startswith("<!doctype html>") or text.startswith("<!DOCTYPE html>")
    assert "<script" not in text
    assert "data:image/png;base64," in text
    assert PHONE not in text


def test_markdown_begins_with_a_heading(room: Room) -> None:
    assert written(room, "--format", "md").startswith("# ")


def test_json_can_be_read_again_and_csv_has_a_figure_a_row(room: Room) -> None:
    told = load(written(room, "--format", "json"))
    assert (told.week, told.spoken.mentions.value) == (str(WEEK), 14)
    rows = list(csv.DictReader(io.StringIO(written(room, "--format", "csv"))))
    assert len(rows) > 50


@pytest.mark.parametrize(("format", "magic"), [("pdf", b"%PDF"), ("xlsx", b"PK"), ("html", b"<!"), ("json", b"{")])
def test_a_file_is_written_where_it_is_wanted_and_its_size_said_on_standard_error(
    room: Room, tmp_path: Path, format: str, magic: bytes
) -> None:
    path = tmp_path / f"made.{format}"
    result = listener(room, "--format", format, "--output", str(path))
    assert result.exit_code == 0, result.exception
    assert result.stdout == ""
    assert f"{path}: {path.stat().st_size:,} bytes" in result.stderr
    assert path.read_bytes().startswith(magic)


@pytest.mark.parametrize("format", ["pdf", "xlsx"])
def test_binary_files_go_into_the_folder_under_a_name_of_their_own(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = listener(room, "--format", format, "--reader", "board")
    assert result.exit_code == 0, result.exception
    (path,) = tmp_path.iterdir()
    assert path.name == f"digest-board-{WEEK}-fr.{format}"
    assert result.stdout == ""


def test_a_workbook_opens_and_names_nobody_private(room: Room, tmp_path: Path) -> None:
    listener(room, "--format", "xlsx", "--output", str(tmp_path / "made.xlsx"))
    with zipfile.ZipFile(tmp_path / "made.xlsx") as archive:
        assert archive.testzip() is None
        assert PHONE.encode() not in b"".join(archive.read(name) for name in archive.namelist())


def test_a_file_that_cannot_be_written_is_said(room: Room, tmp_path: Path) -> None:
    assert "cannot write" in refusal(room, "--output", str(tmp_path))
    assert "cannot write" in refusal(room, "--output", str(tmp_path / "none" / "made.html"))


# Whose


def test_countries_brands_and_teams_narrow_what_is_counted(room: Room) -> None:
    assert mentions(room) == 14
    assert mentions(room, "--country", "FR") == 8
    assert mentions(room, "--country", "FR", "--country", "JP") == 14
    assert mentions(room, "--brand", "bolt") == 1
    assert mentions(room, "--team", "hub") == 14, "a team narrows alerts, not mentions"


def test_a_reader_sees_their_countries_language_and_masking(room: Room) -> None:
    assert mentions(room, "--reader", "board") == 8
    assert mentions(room, "--reader", "hub") == 13
    assert mentions(room, "--reader", "hub", "--country", "JP") == 6
    assert PHONE not in written(room, "--reader", "board")
    assert PHONE in written(room, "--reader", "hub", "--format", "json")
    assert PHONE not in written(room, "--reader", "hub", "--format", "json", "--personal-data", "masked")
    assert PHONE in written(room, "--format", "json", "--personal-data", "shown")
    french = written(room, "--reader", "board")
    assert french == written(room, "--reader", "board", "--language", "fr")
    assert french != written(room, "--reader", "board", "--language", "en")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--reader", "board", "--country", "JP"), "board does not see country 'JP'; they see: FR"),
        (("--reader", "hub", "--brand", "bolt"), "hub does not see brand 'bolt'; they see: acme"),
        (("--reader", "hub", "--team", "tokyo"), "hub does not see team 'tokyo'; they see: hub"),
        (("--reader", "nobody"), "there is no reader 'nobody' under `digests` in the configuration; known: board, hub"),
        (("--country", "ZZ"), "there is no country 'ZZ'; known: FR, JP, US"),
        (("--country", ""), "there is no country ''"),
        (("--brand", "acne"), "there is no brand 'acne'; known: acme, bolt"),
        (("--brand", "rival"), "there is no brand 'rival'; known: acme, bolt"),
        (("--team", "paris"), "there is no team 'paris'; known: hub, tokyo"),
        (("--language", "it"), "cannot be written in 'it'"),
        (("--language", ""), "cannot be written in"),
        (("--week", "2026-46"), "write the year and the ISO week, such as 2026-W46"),
        (("--week", "2025-W53"), "is no week"),
        (("--week", ""), "is no week"),
        (("--as-sent",), "--as-sent needs --reader"),
        (("--as-sent", "--reader", "hub"), f"hub has no digest of {WEEK}; there are: none yet"),
        (("--as-sent", "--reader", "board", "--week", "2020-W01"), f"there are: {WEEK}"),
        (("--reader", ""), "there is no reader ''"),
        (("--team", ""), "there is no team ''"),
        (("--as-sent", "--reader", "board", "--country", "FR"), "leave out --country"),
        (("--as-sent", "--reader", "board", "--personal-data", "shown"), "leave out"),
    ],
)
def test_what_cannot_be_is_refused_with_what_there_is(room: Room, arguments: tuple[str, ...], said: str) -> None:
    assert said in refusal(room, *arguments)


def test_a_format_that_there_is_not_is_a_matter_of_usage(room: Room) -> None:
    result = listener(room, "--format", "docx")
    assert result.exit_code == 2
    assert "docx" in result.stderr


# When


def test_a_week_that_has_not_begun_is_refused_with_the_last_one(room: Room) -> None:
    said = refusal(room, "--week", str(Week.holding(NOW.date()).back(-2)), "--reader", "board")
    assert "has not begun" in said
    assert f"such as {WEEK}" in said


def test_the_week_that_runs_is_told_as_far_as_it_went(room: Room) -> None:
    told = load(written(room, "--format", "json", "--week", str(Week.holding(NOW.date()))))
    assert not told.complete


def test_a_week_without_a_word_is_told_with_noughts_in_every_text(room: Room) -> None:
    for format in ("text", "md", "html", "csv", "json"):
        assert len(written(room, "--week", "2019-W20", "--format", format)) > 200
    assert mentions(room, "--week", "2019-W20") == 0


def test_as_sent_shows_the_figures_of_then(room: Room) -> None:
    assert mentions(room, "--reader", "board") == 8
    assert mentions(room, "--reader", "board", "--as-sent") == 7
    sent = written(room, "--reader", "board", "--as-sent", "--language", "de")
    assert len(sent) > 500


def test_an_empty_store_has_a_digest_of_noughts(tmp_path: Path) -> None:
    empty = open_room(tmp_path, READERS)
    assert mentions(empty) == 0
    assert len(written(empty)) > 200
    empty.store.close()


# As a process


def process(room: Room, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "listener.cli", "digest", "--config", str(room.folder / "config.yaml"), *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **more}, capture_output=True, text=True, timeout=120, check=False
    )


def test_an_error_is_one_line_on_standard_error_and_status_one(room: Room) -> None:
    ended = process(room, "--country", "ZZ")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "error: there is no country 'ZZ'; known: FR, JP, US\n"


def test_a_terminal_that_knows_no_unicode_gets_the_text_all_the_same(room: Room) -> None:
    ended = process(room, "--reader", "board", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    assert len(ended.stdout) > 500


def test_whoever_reads_the_first_line_alone_gets_no_complaint(room: Room) -> None:
    command = f"{sys.executable} -m listener.cli digest --format html -c {room.folder / 'config.yaml'} | head -c 20"
    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.stdout.lower().startswith("<!doctype html>")
    assert ended.stderr == ""


def test_a_full_disk_is_said(room: Room) -> None:
    command = f"{sys.executable} -m listener.cli digest -c {room.folder / 'config.yaml'} > /dev/full"
    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: cannot write")
    assert "Traceback" not in ended.stderr
