"""The incident's curve as a picture and in characters."""

import io
from datetime import timedelta

import pytest
from PIL import Image

from alerts.card import CurvePoint
from alerts.curve import curve_png, sparkline
from tests.cards import HOSTILE
from tests.messages import BEGAN_AT, curve, incident, incident_filled_with

BURST_RED, CALM_GREY, WHITE = (168, 40, 28), (195, 203, 209), (255, 255, 255)


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def count(image: Image.Image, colour: tuple[int, int, int]) -> int:
    return sum(pixel == colour for pixel in image.getdata())


def columns(image: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int]:
    """Return the first and the last column that has this colour."""
    found = [x for x in range(image.width) for y in range(0, image.height, 2) if image.getpixel((x, y)) == colour]
    return min(found), max(found)


def test_the_picture_has_the_size_asked_for_and_is_small() -> None:
    png = curve_png(incident(), width=800, height=300)
    assert opened(png).size == (800, 300)
    assert len(png) < 200_000


@pytest.mark.filterwarnings("ignore:Image.Image.getdata:DeprecationWarning")
def test_the_burst_stands_out_from_what_was_before_it_also_in_grey() -> None:
    image = opened(curve_png(incident(curve=curve())))
    assert count(image, BURST_RED) > 5 * 400
    assert columns(image, CALM_GREY)[0] < columns(image, BURST_RED)[0]
    grey = [Image.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0)) for colour in (BURST_RED, CALM_GREY)]
    assert abs(grey[0] - grey[1]) > 100  # type: ignore[operator]


def test_when_a_burst_is_over_what_follows_is_calm_again() -> None:
    over = opened(curve_png(incident(curve=curve(), ended_at=BEGAN_AT + timedelta(hours=6))))
    lasting = opened(curve_png(incident(curve=curve())))
    assert columns(over, BURST_RED)[1] < columns(lasting, BURST_RED)[1]
    assert columns(over, CALM_GREY)[1] > columns(over, BURST_RED)[1]


def test_the_same_card_gives_the_same_picture_and_another_curve_another() -> None:
    assert curve_png(incident()) == curve_png(incident())
    assert curve_png(incident()) != curve_png(incident(curve=curve(top=80.0)))
    assert curve_png(incident()) != curve_png(incident(timezone="Asia/Tokyo"))


@pytest.mark.parametrize("text", [HOSTILE[2], HOSTILE[11], "字" * 500, "$\\frac{1}{0}$"])
def test_nothing_that_others_wrote_stands_in_the_picture(text: str) -> None:
    usual = curve_png(incident(timezone="UTC"))
    assert curve_png(incident_filled_with(text)) == usual


@pytest.mark.parametrize(
    "points",
    [
        (),
        curve()[:1],
        (CurvePoint(BEGAN_AT, 0, 0),) * 3,
        tuple(CurvePoint(BEGAN_AT + timedelta(minutes=number), number % 7, 0.01) for number in range(5_000)),
        (CurvePoint(BEGAN_AT, 1e9, 1e9), CurvePoint(BEGAN_AT + timedelta(days=900), 0, 0)),
    ],
    ids=["none", "one", "at the same moment", "thousands", "years and millions"],
)
def test_odd_curves_are_drawn(points: tuple[CurvePoint, ...]) -> None:
    assert len(curve_png(incident(curve=points))) < 200_000
    assert len(sparkline(points)) <= 60


def test_a_day_on_which_the_clock_changes_is_drawn() -> None:
    start = BEGAN_AT + timedelta(days=15)
    points = tuple(CurvePoint(start + timedelta(hours=hour - 20), hour % 5, 2.0) for hour in range(40))
    assert opened(curve_png(incident(curve=points, opened_at=start)))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((), ""), ((0, 0), "▁▁"), ((0, 4, 8), "▁▅█"), ((3,), "█"), ((-2, 8), "▁█")],
)
def test_a_sparkline_has_a_character_for_each_interval(counts: tuple[float, ...], expected: str) -> None:
    points = [CurvePoint(BEGAN_AT + timedelta(hours=hour), count, 1.0) for hour, count in enumerate(counts)]
    assert sparkline(points) == expected


def test_a_long_sparkline_shows_the_latest() -> None:
    assert sparkline(curve(), most=12) == sparkline(curve()[-12:])
