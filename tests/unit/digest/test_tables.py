"""Figures as CSV and as a workbook, read back: every figure, as a number, and nothing that is a formula."""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import openpyxl
import pytest

from listener.digest.figure_rows import figure_rows
from listener.digest.model import BrandVoice, Digest, Load, Measure, Unseen
from listener.digest.phrases import Phrases
from listener.digest.tables import COLUMNS, figures_csv, harmless, scope_name, workbook
from listener.digest.words import Words
from tests.unit.digest.builders import empty_digest, first_week_digest, full_digest

FORMULAS = ('=HYPERLINK("http://evil.example")', "+1+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1", "%0A", "|calc")


def rows(digest: Digest) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(figures_csv(digest).removeprefix("\ufeff"), newline="")))


def figure(found: list[dict[str, str]], section: str, key: str, name: str) -> dict[str, str]:
    wanted = [row for row in found if (row["section"], row["key"], row["figure"]) == (section, key, name)]
    assert len(wanted) == 1
    return wanted[0]


def measures(value: object) -> Iterator[Measure]:
    """Yield every measure that a digest holds, wherever it stands."""
    if isinstance(value, Measure):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from measures(item)
    elif hasattr(value, "__dataclass_fields__"):
        for field in fields(value):  # type: ignore[arg-type]
            yield from measures(getattr(value, field.name))


def hostile_digest() -> Digest:
    digest = full_digest()
    text = '=cmd|"/c calc"!A1'
    return replace(
        digest,
        scope=replace(digest.scope, reader="@reader"),
        spoken=replace(digest.spoken, by_product=(replace(digest.spoken.by_product[0], key=text),)),
        share_of_voice=(BrandVoice("=b", "=brand", True, Measure(0.5, "share"), Measure(-3.0, "points")),),
        desk=replace(digest.desk, load=tuple(Load(text, 1, 2, 3) for text in FORMULAS)),
        coverage=replace(
            digest.coverage,
            unseen=(Unseen("=watch", "x", "FR", "yunfan", 60.0, "=1+1\0\x1b[31m" + "y" * 40_000, None),),
        ),
    )


@pytest.mark.parametrize("digest", [full_digest(), empty_digest(), first_week_digest()])
def test_every_measure_of_a_digest_is_a_row(digest: Digest) -> None:
    found = [row.measure for row in figure_rows(digest)]
    for measure in measures(digest):
        assert measure in found


@pytest.mark.parametrize("digest", [full_digest(), empty_digest(), first_week_digest()])
def test_no_two_rows_are_the_same_figure(digest: Digest) -> None:
    keys = [(row["section"], row["key"], row["figure"]) for row in rows(digest)]
    assert len(keys) == len(set(keys))


def test_csv_gives_each_figure_with_what_it_is_compared_to() -> None:
    digest = full_digest()
    found = rows(digest)
    share = figure(found, "spoken", "", "complaint_share")
    wanted = digest.spoken.complaint_share
    assert (share["week"], share["scope"], share["unit"]) == ("2026-W46", "board", "share")
    assert float(share["value"]) == wanted.value
    assert [int(share[name]) for name in ("part", "of")] == [wanted.part, wanted.of]
    assert [float(share[name]) for name in ("last", "mean")] == [wanted.last, wanted.mean]
    assert share["verdict"] == "up"
    first = digest.causes.irritants[0]
    assert int(figure(found, "cause", str(first.id), "mentions")["value"]) == first.mentions
    assert figure(found, "hour", "4T09", "complaints")["value"] == str(digest.spoken.hours[3][9])


def test_a_figure_that_is_not_there_is_empty_and_says_why() -> None:
    lacking = [row for row in rows(full_digest()) if row["value"] == ""]
    assert {row["lack"] for row in lacking} == {"few", "not_reached", "nothing"}


def test_csv_is_read_as_utf_8_by_spreadsheets() -> None:
    text = figures_csv(full_digest())
    assert text.encode().startswith(b"\xef\xbb\xbfweek,scope,")
    assert text.splitlines()[0].removeprefix("\ufeff").split(",") == list(COLUMNS)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_begins_like_a_formula(text: str) -> None:
    assert harmless(text).startswith("'")
    assert harmless(f"a{text}").startswith("a")


def test_csv_of_hostile_names_has_no_formula_and_keeps_its_columns() -> None:
    found = rows(hostile_digest())
    for row in found:
        assert set(row) == set(COLUMNS)
        for name in ("week", "scope", "section", "key", "figure"):
            assert not row[name].startswith(("=", "+", "-", "@", "\t"))
    assert figure(found, "share_of_voice", "'=b", "net_sentiment")["value"] == "-3"


def test_scope_of_a_digest_made_by_hand_is_its_team_and_countries() -> None:
    scope = replace(full_digest().scope, reader="", team="tokyo", countries=("FR", "JP"))
    assert scope_name(scope) == "tokyo FR JP"


def read(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


def table(sheet: Any) -> list[dict[str, Any]]:
    head, *body = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in body]


def test_workbook_has_a_sheet_for_each_part() -> None:
    assert read(workbook(full_digest())).sheetnames == [
        "Figure", "By country", "By network", "By language", "By product", "By topic", "By brand", "Share of voice",
        "Irritant", "How well did we answer", "Load", "Whose voice carried", "Incidents", "Coverage what was not seen",
        "data",
    ]  # fmt: skip


def test_workbook_holds_numbers_with_formats() -> None:
    digest = full_digest()
    book = read(workbook(digest))
    france = table(book["By country"])[0]
    assert france["Country"] == "France"
    assert france["Mentions"] == digest.spoken.by_country[0].mentions.value
    assert france["Share of complaints"] == pytest.approx(digest.spoken.by_country[0].complaint_share.value)
    assert book["By country"]["H2"].number_format == "0.0%"
    answer = next(row for row in table(book["Figure"]) if str(row["Figure"]).startswith("Time to first answer: Median"))
    assert answer["This week"] == timedelta(seconds=digest.desk.answer.median.value or 0)
    first = table(book["Irritant"])[0]
    assert first["Complaints"] == digest.causes.irritants[0].mentions
    assert first["2026-W46"] == dict(digest.causes.irritants[0].history)["2026-W46"]
    assert isinstance(first["First seen"], datetime)


def test_workbook_and_csv_say_the_same() -> None:
    digest = full_digest()
    from_book = [(row["section"], str(row["key"] or ""), row["figure"], row["value"]) for row in
                 table(read(workbook(digest))["data"])]  # fmt: skip
    from_csv = [(row["section"], row["key"], row["figure"], float(row["value"]) if row["value"] else None)
                for row in rows(digest)]  # fmt: skip
    assert [row[:3] for row in from_book] == [row[:3] for row in from_csv]
    for mine, theirs in zip(from_book, from_csv, strict=True):
        assert mine[3] == (None if theirs[3] is None else pytest.approx(theirs[3]))


def test_head_and_first_column_stay_in_sight() -> None:
    for sheet in read(workbook(full_digest())):
        assert sheet.freeze_panes == "B2"
        assert sheet.print_title_rows == "$1:$1"


def test_workbook_of_hostile_names_has_no_formula_and_no_link() -> None:
    content = workbook(hostile_digest())
    texts = [cell.value for sheet in read(content) for row in sheet for cell in row if isinstance(cell.value, str)]
    assert not [cell for sheet in read(content) for row in sheet for cell in row if cell.data_type == "f"]
    assert "=brand" in texts
    assert max(map(len, texts)) <= 2_000
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        for name in parts.namelist():
            assert b"<f>" not in parts.read(name)
            assert b"evil.example" not in parts.read(name) or name == "xl/sharedStrings.xml"


@pytest.mark.parametrize("digest", [empty_digest(), first_week_digest()])
def test_workbook_of_little_is_a_workbook(digest: Digest) -> None:
    assert len(read(workbook(digest)).sheetnames) == 15


def test_workbook_speaks_the_readers_language() -> None:
    digest = full_digest()
    french = Phrases(Words.of("fr"), digest, lambda key, language: key)
    sheet = read(workbook(digest, french)).worksheets[1]
    assert table(sheet)[2][sheet["A1"].value] == "Japon"


def test_same_digest_gives_the_same_workbook() -> None:
    assert workbook(full_digest()) == workbook(full_digest())
