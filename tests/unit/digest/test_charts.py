"""The charts: nothing cut off, nothing over anything else, readable in grey, the same bytes for the same values."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import combinations, pairwise
from typing import Any

import pytest
from matplotlib.lines import Line2D
from matplotlib.text import Text
from PIL import Image

from listener.digest import charts, drawing
from listener.digest.document import Picture
from listener.digest.drawing import Sheet
from tests.unit.digest.noto import needs_noto

WORDS = {
    "en": "parcels arrive late refunds app crashes customer service unreachable the a of",
    "fr": "colis livrés en retard remboursement l’application s’arrête aujourd’hui de à où",
    "de": "Lieferverzögerungsbenachrichtigung Rückerstattung dauert Kundendienst in der Wochenendzustellung",
    "es": "paquetes que llegan tarde devolución aplicación del móvil atención al cliente ¿y?",
    "ru": "посылки приходят с опозданием перевозчик-неплательщик и невозвращение денег",
    "zh": "包裹迟到，客服不回复。 退款太慢 付款时应用闪退 尺码发错",
}
HOSTILE = [
    "تأخير التسليم 24 ساعة (SEUR)", "डिलीवरी में बहुत देरी हुई, ऑर्डर 42", "バッテリーがすぐ切れる", "배송이 너무 늦어요",
    "$\\frac{a}{b}$ $", "a\nb\tc\x00\x1bd", "\u202eevil\u202c \u2066open", "Z" + "\u0301" * 60, "x" * 5_000,
    "🙂🙂🙂", "", "ส่งของช้ามาก", "\ud800 lone",
]  # fmt: skip
Draw = Callable[[], Picture]


def number(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u00a0")


def percent(value: float) -> str:
    return f"{value * 100:.0f}\u00a0%"


def clock(moment: datetime) -> str:
    return f"{moment:%H:%M}"


def day(moment: datetime) -> str:
    return f"{moment:%d.%m.%Y}"


@pytest.fixture
def sheets(monkeypatch: pytest.MonkeyPatch) -> list[Sheet]:
    """Every sheet that a chart was drawn on, kept instead of made a PNG."""
    kept: list[Sheet] = []

    def keep(sheet: Sheet) -> Picture:
        kept.append(sheet)
        return Picture(b"", sheet.width, sheet.height)

    monkeypatch.setattr(Sheet, "picture", keep)
    return kept


class Invented:
    """Values and words drawn at random, the same for the same seed."""

    def __init__(self, language: str, seed: int) -> None:
        self.language, self._random = language, random.Random(f"{language}{seed}")

    def words(self, most: int = 12) -> str:
        if self._random.random() < 0.25:
            return self._random.choice(HOSTILE)
        pool = WORDS[self.language].split()
        return " ".join(self._random.choice(pool) for _ in range(self._random.randint(1, most)))

    def count(self) -> float | None:
        values = [0, 1, 7, self._random.randint(0, 99), self._random.randint(0, 1_000_000), 1_000_000, None]
        return self._random.choice(values)

    def share(self) -> float | None:
        return self._random.choice([0.0, 1.0, self._random.random(), self._random.random(), None])

    def some(self, most: int) -> range:
        return range(self._random.choice([1, most, self._random.randint(1, most)]))


def days_chart(one: Invented) -> Picture:
    bars = [
        charts.DayBar(
            one.words(1), one.count(), one.count(), one.count(), one.count(), one.words(9) if place % 3 else ""
        )
        for place in range(7)
    ]
    words = {"complaints": one.words(3), "mentions": one.words(3), "usual": one.words(6)}
    return charts.days(one.words(30), bars, number=number, note=one.words(40), language=one.language, **words)


def causes_chart(one: Invented) -> Picture:
    bars = [
        charts.CauseBar(
            one.words(),
            one.count(),
            one.count(),
            one.words(3),
            place % 2 == 0,
            tuple(one.count() for _ in one.some(14)),
        )
        for place in one.some(8)
    ]
    return charts.causes(
        one.words(30), bars, number=number, last=one.words(4), history=one.words(3), language=one.language
    )


def answers_chart(one: Invented) -> Picture:
    dots = [
        charts.AnswerDot(one.words(6), one.share(), one.share(), f"n = {number(one.count() or 0)}")
        for _ in one.some(12)
    ]
    return charts.answers(
        one.words(20), dots, share=percent, last=one.words(5), goal=one.share(), goal_said=one.words(5),
        language=one.language,
    )  # fmt: skip


def hours_chart(one: Invented) -> Picture:
    return charts.hours(
        one.words(20), [[one.count() for _ in range(24)] for _ in range(7)], number=number,
        day_names=[one.words(1) for _ in range(7)], hour=lambda hour: f"{hour} Uhr", unit=one.words(5),
        working=[[(8.5, 12), (13, 17.25)]] * 5 + [[], [(0, 24)]], working_said=one.words(6), language=one.language,
    )  # fmt: skip


def voice_chart(one: Invented) -> Picture:
    bars = [charts.VoiceBar(one.words(5), one.share(), one.share(), place == 0, one.words(3)) for place in one.some(9)]
    return charts.voice_share(one.words(20), bars, share=percent, last=one.words(4), language=one.language)


def incident_chart(one: Invented) -> Picture:
    begin = datetime(2026, 10, 24, 21, 15, tzinfo=UTC)
    step = timedelta(minutes=one._random.choice([15, 60, 1_440]))
    points = [charts.CurveBar(begin + place * step, one.count(), one.count()) for place in one.some(120)]
    moments = [(begin + step * one._random.random() * len(points), one.words(6)) for _ in range(3)]
    return charts.incident(
        one.words(20), points, number=number, usual=one.words(4), peak=one.words(2), clock=clock, day=day,
        timezone="Europe/Berlin", moments=moments, nothing=one.words(5), language=one.language,
    )  # fmt: skip


EVERY = (days_chart, causes_chart, answers_chart, hours_chart, voice_chart, incident_chart)


def boxes(sheet: Sheet) -> list[tuple[str, Any]]:
    """Return each text with the rectangle it takes, in pixels of the PNG."""
    renderer = sheet._canvas.get_renderer()
    texts = [
        text for text in sheet.figure.findobj(Text) if text.get_visible() and text.get_text().strip("\u200e\u200f ")
    ]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in texts]


def cut_off(sheet: Sheet) -> list[str]:
    right, top = sheet.width * 2 + 1, sheet.height * 2 + 1
    return [said for said, box in boxes(sheet) if box.x0 < -1 or box.y0 < -1 or box.x1 > right or box.y1 > top]


def overlapping(sheet: Sheet) -> list[tuple[str, str]]:
    """Return pairs of texts that lie on each other by more than two pixels both ways."""
    return [
        (one, other)
        for (one, a), (other, b) in combinations(boxes(sheet), 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 2 and min(a.y1, b.y1) - max(a.y0, b.y0) > 2
    ]


@needs_noto
@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("seed", range(3))
def test_no_word_is_cut_off_or_lies_on_another(language: str, seed: int, sheets: list[Sheet]) -> None:
    for chart in EVERY:
        chart(Invented(language, seed))
    assert [(cut_off(sheet), overlapping(sheet)) for sheet in sheets] == [([], [])] * len(EVERY)


def test_numbers_of_days_stand_clear_of_the_marks(sheets: list[Sheet]) -> None:
    for usual in range(0, 160, 3):
        bars = [charts.DayBar("Mon", 100, 100, usual, usual)]
        charts.days("Title", bars, number=number, complaints="Complaints", mentions="Mentions", usual="")
    for sheet in sheets:
        renderer = sheet._canvas.get_renderer()
        marks = [
            line.get_window_extent(renderer) for line in sheet.figure.findobj(Line2D) if line.get_color() == drawing.INK
        ]
        numbers = [box for said, box in boxes(sheet) if said == "100"]
        # A number's box reaches below its digits as far as a letter's tail would.
        clashes = [box for box in numbers for mark in marks if box.y0 + 7 < mark.y1 and mark.y0 < box.y1 - 4]
        assert len(marks) == 2
        assert len(numbers) == 2
        assert not clashes


def test_bars_are_as_long_as_their_values(sheets: list[Sheet]) -> None:
    from matplotlib.colors import to_hex
    from matplotlib.patches import Rectangle

    bars = [charts.CauseBar("small", 25), charts.CauseBar("great", 100), charts.CauseBar("none", 0)]
    charts.causes("Title", bars, number=number, last="last week")
    drawn = [one for one in sheets[0].figure.findobj(Rectangle) if to_hex(one.get_facecolor()) == drawing.STRONG]
    assert [bar.get_width() / drawn[0].get_width() for bar in drawn] == pytest.approx([1, 0.25])


def test_greatest_irritant_comes_first_and_eight_are_shown(sheets: list[Sheet]) -> None:
    bars = [charts.CauseBar(f"cause {value}", value) for value in (3, 9, 1, 7, 5, 8, 2, 6, 4)]
    charts.causes("Title", bars, number=number, last="last week")
    names = [said for said, _ in boxes(sheets[0]) if said.startswith("cause")]
    assert names == [f"cause {value}" for value in range(9, 1, -1)]


def test_country_with_too_little_data_shows_its_count_and_no_percentage(sheets: list[Sheet]) -> None:
    charts.answers("Title", [charts.AnswerDot("France", None, 0.5, "n = 3")], share=percent, last="last week")
    said = [text for text, _ in boxes(sheets[0])]
    assert "n = 3" in said
    assert "50\u00a0%" in said, "of the scale alone"
    assert said.count("50\u00a0%") == 1


def test_few_complaints_are_written_in_their_hours_and_many_only_at_the_peak(sheets: list[Sheet]) -> None:
    words: dict[str, Any] = {
        "number": number,
        "day_names": ["d"] * 7,
        "hour": lambda hour: f"at {hour}",
        "unit": "each",
    }
    few = [[3 if (weekday, hour) in {(0, 4), (6, 23)} else 0 for hour in range(24)] for weekday in range(7)]
    many = [[weekday + 1 + (60 if (weekday, hour) == (2, 5) else 0) for hour in range(24)] for weekday in range(7)]
    charts.hours("Few", few, **words)
    charts.hours("Many", many, **words)
    written = [[said for said, _ in boxes(sheet) if said.isdigit() and said != "0"] for sheet in sheets]
    assert written == [["3", "3"], ["63"]]


def test_working_hours_are_outlined_to_the_quarter(sheets: list[Sheet]) -> None:
    counts = [[0.0] * 24 for _ in range(7)]
    charts.hours(
        "Title", counts, number=number, day_names=["d"] * 7, hour=str, unit="each", working=[[(9, 17.5)], [(9, 12)]]
    )
    lines = [line for line in sheets[0].figure.findobj(Line2D) if line.get_color() == drawing.INK]
    left = charts._MARGIN + 32
    cell = (charts.WIDTH - 2 * charts._MARGIN - 32) / 24
    sides = sorted({round((line.get_xdata()[0] - left) / cell, 2) for line in lines if len(set(line.get_xdata())) == 1})
    assert sides == [9, 12, 17.5]


@pytest.mark.parametrize("chart", EVERY, ids=lambda chart: chart.__name__)
def test_same_values_give_the_same_bytes_in_every_thread(chart: Callable[[Invented], Picture]) -> None:
    once = chart(Invented("de", 1))
    with ThreadPoolExecutor(2) as pool:
        again = list(pool.map(lambda _: chart(Invented("de", 1)), range(2)))
    assert again == [once, once]
    image = Image.open(BytesIO(once.png))
    assert image.size == (once.width * 2, once.height * 2)
    assert image.info == {}, "no moment and no software stands in the file"


def test_zero_nothing_and_endless_values_are_drawn() -> None:
    words: dict[str, Any] = {"number": number, "complaints": "c", "mentions": "m", "usual": "u"}
    charts.days("None", [], **words)
    charts.days("Zero", [charts.DayBar("Mon", 0, 0, 0, 0)], **words)
    charts.days("Odd", [charts.DayBar("Mon", float("nan"), float("inf"), -1, None)], **words)
    charts.causes("None", [], number=number, last="l", nothing="nothing")
    charts.answers("None", [], share=percent, last="l")
    charts.voice_share("Odd", [charts.VoiceBar("One", float("nan"), float("inf"))], share=percent, last="l")
    charts.hours("None", [], number=number, day_names=[], hour=str, unit="each")
    charts.incident("None", [], number=number, usual="u", peak="p", clock=clock, day=day, timezone="Nowhere/None")


def test_dollar_signs_are_words_and_no_formulas(sheets: list[Sheet]) -> None:
    charts.causes("$x^2$ and $", [charts.CauseBar("$\\frac{1}{2}$", 1)], number=number, last="l")
    texts = [text for text in sheets[0].figure.findobj(Text) if "$" in text.get_text()]
    assert len(texts) == 2
    assert not any(text.get_parse_math() for text in texts)


@needs_noto
def test_lines_of_a_text_from_right_to_left_keep_its_direction_whatever_begins_them() -> None:
    sheet = Sheet(640, "en")
    lines = sheet.lines("تأخير SEUR SEUR SEUR SEUR SEUR 24", 60, most=6)
    assert len(lines) > 2
    assert all(line.startswith("\u200f") for line in lines)


def test_long_words_are_parted_with_hyphens_and_no_line_is_wider_than_its_column() -> None:
    sheet = Sheet(640, "de")
    lines = sheet.lines("Lieferverzögerungsbenachrichtigungen bleiben aus", 100, most=6)
    assert lines[0].endswith("-")
    assert sheet.width_of(lines, drawing.TEXT) <= 100
    assert "".join(line.removesuffix("-") for line in lines).replace(" ", "").startswith("Lieferverzögerungsbenach")


def test_no_line_ends_within_a_reference_or_between_a_number_and_its_unit() -> None:
    sheet = Sheet(640, "de")
    rows = sheet.lines("Vorfall I-962 mit 19\u00a0% und 47\u202f356", 60, most=9)
    assert any(row.startswith("I-962") for row in rows)
    assert any("19\u00a0%" in row for row in rows)
    assert sheet.lines("Vier-Wochen", 60, most=9) == ["Vier-", "Wochen"]


def test_text_that_is_too_long_ends_in_dots() -> None:
    sheet = Sheet(640, "en")
    lines = sheet.lines("word " * 500, 100, most=2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")


def luminance(colour: str, weights: tuple[tuple[float, ...], ...] | None = None) -> float:
    """Return WCAG's relative luminance, of the colour as deuteranopes see it where `weights` are given."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    if weights:
        linear = [max(0.0, sum(w * one for w, one in zip(row, linear, strict=True))) for row in weights]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# Machado, Oliveira and Fernandes (2009), deuteranomaly of severity 1.0.
DEUTERANOPIA = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))


@pytest.mark.parametrize("eyes", [None, DEUTERANOPIA], ids=["grey", "deuteranopia"])
def test_colours_stay_apart(eyes: tuple[tuple[float, ...], ...] | None) -> None:
    def contrast(one: str, other: str) -> float:
        light, dark = sorted((luminance(one, eyes), luminance(other, eyes)), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    assert contrast(drawing.STRONG, drawing.CALM) >= 3
    assert contrast(drawing.OURS, drawing.CALM) >= 3
    assert contrast(drawing.CALM, drawing.PAPER) >= 2.5
    assert (
        min(contrast(word, ground) for word in (drawing.INK, drawing.QUIET) for ground in ("#ffffff", drawing.FAINT))
        >= 4.5
    )
    assert all(contrast(one, darker) >= 1.2 for one, darker in pairwise(charts.RAMP[1:]))
    assert contrast(charts.RAMP[4], drawing.PAPER) >= 4.5
    assert contrast(charts.RAMP[3], drawing.INK) >= 4.5
