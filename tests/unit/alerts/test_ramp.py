"""Which alerts of a country that is being launched are in earnest."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.ramp import in_earnest, place
from listener.config.models import Country, Ramp

MONDAY_10 = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
"""10:00 in Zurich."""


def country(mode: str = "pilot", **ramp: Any) -> Country:
    return Country(
        languages=["de"],
        timezone="Europe/Zurich",
        hours={"mon-fri": "09:00-18:00"},
        team="hub",
        mode=mode,
        ramp=Ramp.model_validate(ramp),
    )


def chosen(settings: Country, count: int = 2000, at: datetime = MONDAY_10, severity: int = 2) -> set[int]:
    return {key for key in range(count) if in_earnest("CH", settings, f"x/{key}", severity, at)}


@pytest.mark.parametrize(("mode", "wanted"), [("live", True), ("off", False), ("pilot", False)])
def test_without_a_ramp_the_mode_decides(mode: str, wanted: bool) -> None:
    assert in_earnest("CH", country(mode), "x/1", 3, MONDAY_10) is wanted


def test_the_share_holds_over_many_alerts() -> None:
    assert 0.22 < len(chosen(country(share=0.25))) / 2000 < 0.28


def test_a_greater_share_takes_none_away() -> None:
    shares = [chosen(country(share=share)) for share in (0.0, 0.1, 0.25, 0.5, 1.0)]
    assert all(less <= more for less, more in pairwise(shares))
    assert (len(shares[0]), len(shares[-1])) == (0, 2000)


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        (MONDAY_10, True),
        (datetime(2026, 11, 16, 12, 0, tzinfo=UTC), False),  # 13:00
        (datetime(2026, 11, 21, 9, 0, tzinfo=UTC), False),  # a Saturday
        (datetime(2026, 12, 25, 9, 0, tzinfo=UTC), False),  # Christmas, a Friday
    ],
)
def test_only_in_its_hours(at: datetime, wanted: bool) -> None:
    settings = country(share=1.0, hours={"mon-fri": "09:00-12:00"})
    assert in_earnest("CH", settings, "x/1", 1, at) is wanted


def test_only_of_its_severities() -> None:
    settings = country(share=1.0, severities=[3])
    assert [in_earnest("CH", settings, "x/1", severity, MONDAY_10) for severity in (1, 2, 3)] == [False, False, True]


@given(st.text())
def test_every_key_has_one_place(key: str) -> None:
    assert 0.0 <= place(key) == place(key) < 1.0
