"""A digest's figures for those who calculate: CSV with one figure a row, and a workbook with a sheet per part.

What others wrote is never a formula: not in the workbook, and not where a spreadsheet opens the CSV.
"""

import csv
import io
import re

from alerts.escaping import one_line, shorten
from listener.digest.figure_rows import FigureRow, figure_rows
from listener.digest.model import Digest, Scope
from listener.digest.phrases import Phrases
from listener.digest.sheets import Book
from listener.digest.words import Words

COLUMNS = (
    "week", "scope", "section", "key", "figure", "unit", "value", "part", "of", "last", "mean", "verdict", "lack",
)  # fmt: skip
_BYTE_ORDER_MARK = "\ufeff"
_BECOMES_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠|%]")
_LONGEST = 500


def figures_csv(digest: Digest) -> str:
    """Return every figure as CSV; the byte order mark tells spreadsheets that it is UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    scope = scope_name(digest.scope)
    for row in figure_rows(digest):
        writer.writerow((harmless(digest.week), harmless(scope), *_fields(row)))
    return _BYTE_ORDER_MARK + out.getvalue()


def scope_name(scope: Scope) -> str:
    """Name whose figures they are: the reader, or the team and countries of a digest made by hand."""
    return scope.reader or " ".join(filter(None, (scope.team, *scope.countries)))


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    text = shorten(one_line(text), _LONGEST)
    return f"'{text}" if _BECOMES_FORMULA.match(text) else text


def written(value: float | None) -> str:
    """Return a number as every program reads it; nothing where there is none."""
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else repr(float(value))


def workbook(digest: Digest, phrases: Phrases | None = None) -> bytes:
    """Return the digest as an XLSX workbook, its heads in the reader's words; English where none are given."""
    from classifiers.cause_names import cause_name

    return Book(digest, phrases or Phrases(Words.of("en"), digest, cause_name)).written()


def _fields(row: FigureRow) -> tuple[str, ...]:
    found = row.measure
    numbers = tuple(written(number) for number in (found.value, found.part, found.of, found.last, found.mean))
    return harmless(row.section), harmless(row.key), row.figure, found.unit, *numbers, found.verdict, found.lack
