"""`listener bursts`: a CSV in, the same points with scores out, whatever the CSV holds."""

import csv
import io
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from classifiers.bursts import THRESHOLD, BurstDetector
from listener.bursting import MAX_LINE_BYTES, MAX_WAITING, score_lines, written
from listener.classifying import OutputError
from listener.errors import ListenerError

ROOT = Path(__file__).parents[3]
START = datetime(2026, 1, 5, tzinfo=UTC)


def series() -> list[tuple[str, str]]:
    """Return five days of counts every five minutes, with a burst on the last."""
    counts = np.random.default_rng(6).poisson(20, 5 * 288)
    counts[1300:1330] += 60
    return [(f"{START + timedelta(minutes=5 * row):%Y-%m-%d %H:%M:%S}", str(n)) for row, n in enumerate(counts)]


SERIES = series()
CSV = "".join(f"{timestamp},{value}\n" for timestamp, value in [("timestamp", "value"), *SERIES]).encode()


def scored(content: bytes, *, above: bool = False) -> list[list[str]]:
    sink = io.BytesIO()
    score_lines(io.BytesIO(content), sink, above=above)
    return list(csv.reader(io.StringIO(sink.getvalue().decode())))


def command(*arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "listener.cli", "bursts", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii", "TERM": "dumb"},
        input=given,
        capture_output=True,
        timeout=240,
        check=False,
    )


def test_every_point_comes_back_as_given_with_the_detectors_score() -> None:
    detector = BurstDetector(300)
    header, *rows = scored(CSV)
    assert header == ["timestamp", "value", "score"]
    assert [(timestamp, value) for timestamp, value, _ in rows] == SERIES
    for timestamp, value, score in rows:
        found = detector.update(datetime.fromisoformat(timestamp), float(value)).score
        assert float(score) == pytest.approx(found, abs=1.1e-6)


def test_above_leaves_the_points_that_tell_of_a_burst() -> None:
    _, *rows = scored(CSV, above=True)
    assert rows == [row for row in scored(CSV)[1:] if float(row[2]) >= THRESHOLD]
    assert rows[0][0].startswith("2026-01-09 12:")
    assert len(rows) == 1


def test_columns_are_found_by_name_and_what_else_stands_there_is_passed_over() -> None:
    content = '\ufeffvalue, Timestamp ,note\r\n3,2026-01-05T00:00:00Z,"a, b"\r\n\r\n4,2026-01-05T01:00:00+00:00,\r\n'
    assert scored(content.encode()) == [
        ["timestamp", "value", "score"],
        ["2026-01-05T00:00:00Z", "3", "0.000000"],
        ["2026-01-05T01:00:00+00:00", "4", scored(content.encode())[2][2]],
    ]


def test_the_interval_is_that_of_the_first_two_different_moments() -> None:
    doubled = b"timestamp,value\n" + (f"{SERIES[0][0]},{SERIES[0][1]}\n" * 3).encode() + CSV.split(b"\n", 2)[2]
    assert len(scored(doubled)) == len(SERIES) + 3
    assert scored(doubled, above=True)[1][0] == scored(CSV, above=True)[1][0]


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_points_at_one_moment_alone_score_nothing(rows: int) -> None:
    content = "timestamp,value\n" + "2026-01-05 00:00:00,7\n" * rows
    assert scored(content.encode())[1:] == [["2026-01-05 00:00:00", "7", "0.000000"]] * rows


def test_a_score_never_reaches_the_threshold_by_rounding() -> None:
    assert written(0.49999999) == "0.499999"
    assert written(0.5) == "0.500000"
    assert written(1.0) == "1.000000"


GOOD = b"timestamp,value\n2026-01-05 00:00:00,1\n2026-01-05 00:05:00,2\n"


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"2026-01-05 00:10:00,-1\n", "line 4: value '-1' is no count: write a number from 0 up"),
        (b"2026-01-05 00:10:00,nan\n", "line 4: value 'nan' is no count"),
        (b"2026-01-05 00:10:00,inf\n", "line 4: value 'inf' is no count"),
        (b"2026-01-05 00:10:00,1_0\n", "line 4: value '1_0' is no count"),
        (b"2026-01-05 00:10:00,\n", "line 4: value '' is no count"),
        (b"2026-01-05 00:10:00,many\n", "line 4: value 'many' is no count"),
        (b"2026-01-05 00:10:00\n", "line 4: it has 1 fields; the header promises timestamp and value"),
        (b"yesterday,1\n", "line 4: timestamp 'yesterday' is no moment: write it as 2026-01-31T18:05:00Z"),
        (b"0001-01-01T00:00:00+14:00,1\n", "line 4: timestamp '0001-01-01T00:00:00+14:00' is no moment"),
        (b"\x1b[31mred,1\n", r"line 4: timestamp '\x1b[31mred' is no moment"),
        (b'"2026-01-05 00:10:00,1\n', "line 4: not CSV: unexpected end of data"),
        (b"2026-01-05 00:10:00,\xff\n", "line 4: not UTF-8 at byte 21; save the file as UTF-8"),
        (b"\n" + b"9" * (MAX_LINE_BYTES + 1), "line 5: it is longer than 64 KB; is this a CSV?"),
    ],
)
def test_a_bad_line_is_named_and_the_points_before_it_are_written(bad: bytes, said: str) -> None:
    sink = io.BytesIO()
    with pytest.raises(ListenerError, match=re.escape(said)):
        score_lines(io.BytesIO(GOOD + bad), sink)
    assert sink.getvalue().count(b"\n") == 3


def test_a_bad_line_at_the_start_takes_no_point_with_it() -> None:
    sink = io.BytesIO()
    with pytest.raises(ListenerError, match="line 3: value"):
        score_lines(io.BytesIO(b"timestamp,value\n2026-01-05,1\n2026-01-06,x\n"), sink)
    assert sink.getvalue() == b"timestamp,value,score\n2026-01-05,1,0.000000\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "nothing to read: the first line must be the header timestamp,value"),
        (b"\n\n", "nothing to read"),
        (b"2026-01-05 00:00:00,1\n", "line 1: the header names no timestamp and no value"),
        (b"timestamp,count\n", "line 1: the header names no value"),
    ],
)
def test_a_header_that_is_missing_is_told(content: bytes, said: str) -> None:
    with pytest.raises(ListenerError, match=said):
        scored(content)


def test_points_that_never_move_in_time_do_not_fill_the_memory() -> None:
    with pytest.raises(ListenerError, match="at one moment; write one line per interval"):
        scored(b"timestamp,value\n" + b"2026-01-05 00:00:00,1\n" * (MAX_WAITING + 1))


def test_output_that_fails_is_told() -> None:
    class Full(io.BytesIO):
        def write(self, *_: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="cannot write: No space left on device"):
        score_lines(io.BytesIO(CSV), Full())


def test_the_command_scores_a_file(tmp_path: Path) -> None:
    (tmp_path / "brand.csv").write_bytes(CSV)
    done = command(str(tmp_path / "brand.csv"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(csv.reader(io.StringIO(done.stdout.decode()))) == scored(CSV)


def test_the_command_reads_standard_input() -> None:
    done = command("-", "--above", given=CSV)
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(csv.reader(io.StringIO(done.stdout.decode()))) == scored(CSV, above=True)


def test_the_command_answers_each_line_as_it_comes() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "listener.cli", "bursts"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(GOOD)
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(3)][2].startswith(b"2026-01-05 00:05:00,2,")
        process.stdin.close()
        assert process.wait(240) == 0


def test_the_command_ends_with_1_at_a_bad_line_and_a_missing_file(tmp_path: Path) -> None:
    done = command(given=GOOD + b"2026-01-05 00:10:00,-1\n")
    assert (done.returncode, done.stdout.count(b"\n")) == (1, 3)
    assert done.stderr == b"error: line 4: value '-1' is no count: write a number from 0 up\n"
    gone = command(str(tmp_path / "gone.csv"))
    assert gone.returncode == 1
    assert b"cannot read" in gone.stderr
    assert b"gone.csv" in gone.stderr


def test_the_command_is_quiet_when_its_reader_leaves(tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_bytes(CSV + CSV.split(b"\n", 1)[1] * 20)
    done = subprocess.run(
        f"{sys.executable} -m listener.cli bursts {tmp_path}/long.csv | head -n 1",
        shell=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert done.stdout == b"timestamp,value,score\n"
    assert done.stderr == b""


def test_help_and_documents_name_the_threshold() -> None:
    shown = b" ".join(command("--help").stdout.split())
    assert f"{THRESHOLD} or more is a burst".encode() in shown
    documented = (ROOT / "docs" / "bursts.md").read_text("utf-8")
    assert f"**{THRESHOLD}**" in documented
