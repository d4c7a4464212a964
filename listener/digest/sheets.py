"""The workbook's sheets: real numbers under heads in the reader's words, nothing that is a formula."""

import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len

from alerts.escaping import one_line, shorten
from listener.digest.figure_rows import DESK_FIGURES, DESK_ROW_FIGURES, ROW_FIGURES, STEPS, TIMES, figure_rows
from listener.digest.model import Digest, Measure, Post, Row
from listener.digest.phrases import SIGNS, Phrases

_DAY_S = 86_400
_FORMATS = {
    "count": "#,##0.##",
    "people": "#,##0",
    "share": "0.0%",
    "points": "+0.0;-0.0;0.0",
    "seconds": "[h]:mm",
    "moment": "yyyy-mm-dd hh:mm",
    "whole": "#,##0",
    "text": "@",
    "plain": "General",
}
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\：？]")
_LONGEST_NAME = 31
_LONGEST_TEXT = 2_000
_WIDEST = 60


@dataclass(frozen=True, slots=True)
class Value:
    """What stands in one cell: a number of a unit, a moment, or a text."""

    content: float | datetime | str | None
    look: str = "text"


Line = Sequence[Value]


def measured(measure: Measure, value: float | None) -> Value:
    """Return a number in the unit of its measure; durations as spreadsheets keep them, in days."""
    if value is None:
        return Value(None)
    return Value(value / _DAY_S if measure.unit == "seconds" else value, measure.unit)


class Book:
    """One workbook while it is written."""

    def __init__(self, digest: Digest, phrases: Phrases) -> None:
        import xlsxwriter

        self._digest = digest
        self._phrases = phrases
        self._say = phrases.words.say
        self._out = io.BytesIO()
        never = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._book = xlsxwriter.Workbook(self._out, {"in_memory": True, "nan_inf_to_errors": True, **never})
        self._names: set[str] = set()
        self._formats = {name: self._format(pattern) for name, pattern in _FORMATS.items()}
        self._head = self._book.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom", "font_color": "#3a444f"}
        )

    def written(self) -> bytes:
        """Return the whole workbook."""
        made_at = self._digest.as_of.astimezone(UTC).replace(tzinfo=None)
        self._book.set_properties({"title": f"{self._phrases.brands()} {self._digest.week}", "created": made_at})
        self._key_figures()
        for name, naming in self._groups().items():
            rows: tuple[Row, ...] = getattr(self._digest.spoken, f"by_{name}")
            self._rows(self._say(f"By {name}"), self._say(name.capitalize()), rows, naming)
        self._voice_share()
        self._causes()
        self._desk()
        self._load()
        self._posts()
        self._incidents()
        self._coverage()
        self._tidy()
        self._book.close()
        return self._out.getvalue()

    # --- sheets ----------------------------------------------------------------------------------------------------

    def _key_figures(self) -> None:
        spoken, desk = self._digest.spoken, self._digest.desk
        named = [(name, getattr(spoken, name)) for name in ROW_FIGURES]
        named += [(name, getattr(desk, name)) for name in DESK_FIGURES]
        lines = [self._figure(self._phrases.label(name), measure, name) for name, measure in named]
        for step in STEPS:
            times = getattr(desk, step)
            for name in TIMES:
                label = f"{self._phrases.label(step)}: {self._time_label(name)}"
                lines.append(self._figure(label, getattr(times, name), step))
        heads = ("Figure", "This week", "Last week", "Four-week mean", "Change")
        self._sheet(self._say("Figure"), [*map(self._say, heads), "n", "N", self._say("What the figures mean")], lines)

    def _figure(self, label: str, measure: Measure, name: str) -> Line:
        shown = measured(measure, measure.value)
        if measure.value is None:
            shown = Value(self._phrases.value(measure))
        change = Value(f"{SIGNS[measure.verdict]} {self._phrases.verdict(measure)}".strip())
        parts = (Value(measure.part, "whole"), Value(measure.of, "whole"))
        before = (measured(measure, measure.last), measured(measure, measure.mean))
        return Value(label), shown, *before, change, *parts, Value(self._phrases.definition(name))

    def _time_label(self, name: str) -> str:
        which = self._phrases.label(name.removesuffix("_working"))
        return f"{which}, {self._phrases.label('working_time')}" if name.endswith("_working") else which

    def _groups(self) -> dict[str, Callable[[str], str]]:
        phrases = self._phrases
        return {
            "country": phrases.words.country,
            "network": phrases.network,
            "language": phrases.words.language_name,
            "product": phrases.name,
            "topic": phrases.topic,
            "brand": phrases.brand,
        }

    def _rows(self, title: str, head: str, rows: Iterable[Row], naming: Callable[[str], str]) -> None:
        mean = self._say("Four-week mean")
        heads = [head, "", *map(self._phrases.label, ROW_FIGURES)]
        heads += [f"{self._phrases.label(name)}: {mean}" for name in ("mentions", "complaints")]
        lines = []
        for row in rows:
            values = [self._shown(getattr(row, name)) for name in ROW_FIGURES]
            means = [measured(one, one.mean) for one in (row.mentions, row.complaints)]
            lines.append([Value(naming(row.key)), Value(row.key), *values, *means])
        self._sheet(title, heads, lines)

    def _voice_share(self) -> None:
        heads = [self._say("Brand"), "", self._phrases.label("share_of_voice"), self._say("Last week"),
                 self._say("Four-week mean"), self._phrases.label("net_sentiment")]  # fmt: skip
        lines = [
            [
                Value(self._phrases.name(voice.name)),
                Value(self._say("competitor") if voice.competitor else ""),
                self._shown(voice.share),
                measured(voice.share, voice.share.last),
                measured(voice.share, voice.share.mean),
                self._shown(voice.net_sentiment),
            ]
            for voice in self._digest.share_of_voice
        ]
        self._sheet(self._phrases.label("share_of_voice"), heads, lines)

    def _causes(self) -> None:
        label, say = self._phrases.label, self._say
        weeks = sorted({week for one in self._digest.causes.irritants for week, _ in one.history})
        heads = ["#", say("Irritant"), say("Brand"), say("Topic"), say("Product"), say("Trend"), label("complaints"),
                 say("Last week"), say("Four-week mean"), label("complaint_share"), label("authors"), label("urgent"),
                 say("First seen"), say("Countries"), say("Language"), label("alerts"), *weeks]  # fmt: skip
        lines = []
        for one in self._digest.causes.irritants:
            history = dict(one.history)
            lines.append([
                Value(one.id, "plain"), Value(self._phrases.irritant(one)), Value(self._phrases.brand(one.brand)),
                Value(self._phrases.topic(one.topic)), Value(self._phrases.name(one.product)),
                Value(self._phrases.trend(one)), Value(one.mentions, "whole"), Value(one.last, "whole"),
                Value(one.mean, "count"), Value(one.share, "share"), Value(one.authors, "whole"),
                Value(one.urgent, "whole"), Value(one.first_seen_at, "moment"), Value(_counted(one.countries)),
                Value(_counted(one.languages)), Value(", ".join(one.alerts)),
                *(Value(history.get(week), "whole") for week in weeks),
            ])  # fmt: skip
        self._sheet(say("Irritant"), heads, lines)

    def _desk(self) -> None:
        heads = ["", "", *map(self._phrases.label, ("alerts", "response_rate", "in_target", "answer"))]
        named = [
            (self._phrases.words.country(row.key), self._say("Country"), row) for row in self._digest.desk.by_country
        ]
        named += [(self._phrases.team(row.key), self._say("Team"), row) for row in self._digest.desk.by_team]
        lines: list[Line] = [
            [Value(name), Value(kind), Value(row.alerts, "whole"),
             *(self._shown(getattr(row, figure)) for figure in DESK_ROW_FIGURES[1:])]
            for name, kind, row in named
        ]  # fmt: skip
        lines += [
            [Value(self._phrases.ending(one.key)), Value(self._say("Outcome")), Value(one.alerts, "whole")]
            for one in self._digest.desk.outcomes
        ]
        self._sheet(self._say("How well did we answer?"), heads, lines)

    def _load(self) -> None:
        heads = [self._say(text) for text in ("Person", "Claimed", "Answered", "Closed")]
        lines = [
            [Value(one.person), *(Value(number, "whole") for number in (one.claimed, one.answered, one.closed))]
            for one in self._digest.desk.load
        ]
        self._sheet(self._say("Load"), heads, lines)

    def _posts(self) -> None:
        voices = self._digest.voices
        kinds = {"Journalists": voices.journalists, "Critics": voices.critics, "Friends of the brand": voices.friends,
                 "Posts that travelled": voices.travelled, "Supporters to thank": voices.supporters}  # fmt: skip
        lines = [self._post(self._say(kind), post) for kind, posts in kinds.items() for post in posts]
        for one in self._digest.causes.irritants:
            lines += [self._post(self._phrases.irritant(one), post) for post in one.posts]
        heads = ["", self._say("Person"), self._say("Network"), self._say("Country"), self._say("Language"), "UTC",
                 "Text", "URL", "Followers", "Views", "Reposts", "Copies", self._phrases.label("alerts")]  # fmt: skip
        self._sheet(self._say("Whose voice carried?"), heads, lines)

    def _post(self, kind: str, post: Post) -> Line:
        words = self._phrases.words
        return [
            Value(kind), Value(post.who), Value(self._phrases.network(post.network)),
            Value(words.country(post.country)),
            Value(words.language_name(post.language)), Value(post.published_at, "moment"), Value(post.text),
            Value(post.url or ""), Value(post.followers, "whole"), Value(post.views, "whole"),
            Value(post.reposts, "whole"), Value(post.copies, "whole"), Value(post.alert),
        ]  # fmt: skip

    def _incidents(self) -> None:
        label, say = self._phrases.label, self._say
        heads = ["#", say("Brand"), say("Country"), say("Topic"), "Severity", "Began (UTC)", "Noticed (UTC)",
                 "Over (UTC)", label("mentions"), "Expected", "Peak", label("authors"), label("claim"), label("answer"),
                 label("resolution"), say("Outcome")]  # fmt: skip
        lines = []
        for one in self._digest.incidents:
            moments = (one.began_at, one.opened_at, one.ended_at)
            after = (one.claimed_after_s, one.answered_after_s, one.closed_after_s)
            lines.append([
                Value(one.reference), Value(self._phrases.brand(one.brand)),
                Value(self._phrases.words.country(one.country)),
                Value(self._phrases.topic(one.topic)), Value(one.severity, "whole"),
                *(Value(moment, "moment") for moment in moments), Value(one.mentions, "whole"),
                Value(one.expected, "count"), Value(one.peak, "count"), Value(one.authors, "whole"),
                *(Value(None if value is None else value / _DAY_S, "seconds") for value in after),
                Value(self._phrases.ending(one.outcome)),
            ])  # fmt: skip
        self._sheet(say("Incidents"), heads, lines)

    def _coverage(self) -> None:
        say = self._say
        heads = [say("Watch"), "Source", say("Country"), say("Brand"), say("Not seen for"), say("Probably missed"),
                 say("Reason, as the source gave it")]  # fmt: skip
        lines = [
            [
                Value(one.watch), Value(one.source), Value(self._phrases.words.country(one.country)),
                Value(self._phrases.brand(one.brand)), Value(one.seconds / _DAY_S, "seconds"),
                Value(one.missed, "count"), Value(one.reason),
            ]
            for one in self._digest.coverage.unseen
        ]  # fmt: skip
        self._sheet(say("Coverage: what was not seen"), heads, lines)

    def _tidy(self) -> None:
        """Write every figure as the CSV has it: durations in seconds, names as the model gives them."""
        heads = ["section", "key", "figure", "unit", "value", "part", "of", "last", "mean", "verdict", "lack"]
        lines = []
        for row in figure_rows(self._digest):
            found = row.measure
            numbers = [Value(one, "plain") for one in (found.value, found.part, found.of, found.last, found.mean)]
            texts = [Value(text) for text in (row.section, row.key, row.figure, found.unit)]
            lines.append([*texts, *numbers, Value(found.verdict), Value(found.lack)])
        self._sheet("data", heads, lines)

    # --- cells -----------------------------------------------------------------------------------------------------

    def _shown(self, measure: Measure) -> Value:
        return Value(self._phrases.value(measure)) if measure.value is None else measured(measure, measure.value)

    def _sheet(self, title: str, heads: Sequence[str], lines: Sequence[Line]) -> None:
        sheet = self._book.add_worksheet(self._name(title))
        for column, head in enumerate(heads):
            sheet.write_string(0, column, _text(head), self._head)
            sheet.set_column(column, column, _width(head, [line[column] for line in lines if column < len(line)]))
        for number, line in enumerate(lines, 1):
            for column, value in enumerate(line):
                self._write(sheet, number, column, value)
        sheet.freeze_panes(1, 1)
        if lines:
            sheet.autofilter(0, 0, len(lines), len(heads) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)

    def _write(self, sheet: Any, row: int, column: int, value: Value) -> None:
        match value.content:
            case None | "":
                return
            case str():
                sheet.write_string(row, column, _text(value.content), self._formats["text"])
            case datetime():
                moment = value.content.astimezone(UTC).replace(tzinfo=None)
                sheet.write_datetime(row, column, moment, self._formats["moment"])
            case _:
                sheet.write_number(row, column, value.content, self._formats[value.look])

    def _format(self, pattern: str) -> Any:
        return self._book.add_format({"num_format": pattern, "valign": "top", "quote_prefix": pattern == "@"})

    def _name(self, title: str) -> str:
        """Return a sheet's name as spreadsheets allow it, not taken by another."""
        wanted = shorten(" ".join(_NOT_IN_NAMES.sub(" ", title).split()).strip("'") or "-", _LONGEST_NAME)
        name, number = wanted, 2
        while name.casefold() in self._names:
            name, number = f"{wanted[: _LONGEST_NAME - 4]} {number}", number + 1
        self._names.add(name.casefold())
        return name


def _text(text: str) -> str:
    return shorten(one_line(text), _LONGEST_TEXT)


def _counted(pairs: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{key} {count}" for key, count in pairs)


def _width(head: str, values: Sequence[Value]) -> float:
    """Return a column's width in characters, as wide as its longest text within bounds."""
    texts = [
        len(str(value.content)) if not isinstance(value.content, str) else cell_len(value.content[:200])
        for value in values
        if value.content is not None and not isinstance(value.content, float | datetime)
    ]
    moment = 17 if any(isinstance(value.content, datetime) for value in values) else 0
    return min(max([*texts, moment, min(cell_len(head), 14), 8]) + 2, _WIDEST)
