import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from listener.config import Config
from tests.databases import new_database
from tests.quarter.independent import Figures, Witness
from tests.quarter.simulation import Known, quarter_config, write_quarter

AUTHORED = Path(__file__).parents[2] / "examples" / "authored.jsonl"
OWN = ("yunfan", "skybird")
CHANGE_OF_CLOCKS = "2026-W43"
LOOKED_AT = ("2026-W34", "2026-W39", CHANGE_OF_CLOCKS, "2026-W45", "2026-W46")
"""The first, the one without a word about one brand, the one with an hour more, one with an outage, the last."""


@dataclass(frozen=True, slots=True)
class Written:
    """A quarter in a store, what was put into it, and who calculates it a second time."""

    url: str
    config: Config
    known: Known
    witness: Witness
    calculated: dict[tuple[str, tuple[str, ...]], Figures] = field(default_factory=dict)

    def figures(self, week: str, countries: tuple[str, ...] = ()) -> Figures:
        key = (week, countries or tuple(self.config.countries))
        if key not in self.calculated:
            self.calculated[key] = self.witness.figures(*key, OWN)
        return self.calculated[key]

    def put_in(self, name: str, week: str, country: str = "", brand: str = "") -> int:
        counts: Counter[tuple[str, str, str]] = getattr(self.known, name)
        return sum(
            number
            for (its_week, its_country, its_brand), number in counts.items()
            if its_week == week and its_country in (country or its_country) and its_brand in (brand or OWN)
        )


def texts() -> list[dict[str, Any]]:
    return [json.loads(line) for line in AUTHORED.read_text("utf-8").splitlines()]


def written(url: str, scale: float = 1.0) -> Written:
    config = quarter_config()
    known = write_quarter(url, texts(), seed=7, scale=scale)
    return Written(url, config, known, Witness(url, config, known.now))


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return written(f"sqlite:///{tmp_path_factory.mktemp('quarter')}/listener.db")


def test_pandas_counts_what_was_put_in(quarter: Written) -> None:
    for week in LOOKED_AT:
        found = quarter.figures(week)
        for country in quarter.config.countries:
            name = f"spoken.by_country[{country}]"
            for what in ("mentions", "complaints"):
                assert found.get(f"{name}.{what}.value", 0) == quarter.put_in(what, week, country), (
                    week,
                    country,
                    what,
                )
        for brand in OWN:
            name = f"spoken.by_brand[{brand}].mentions.value"
            assert found.get(name, 0) == quarter.put_in("mentions", week, brand=brand)


def test_pandas_counts_the_alerts_that_people_had(quarter: Written) -> None:
    for week in LOOKED_AT:
        found = quarter.figures(week)
        for country in quarter.config.countries:
            name = f"desk.by_country[{country}].alerts"
            assert found.get(name, 0) == quarter.put_in("alerts", week, country), (week, country)
        dismissed = sum(value for name, value in found.items() if name.startswith("desk.outcomes[was:"))
        assert dismissed == quarter.put_in("dismissed", week)
        assert found["desk.response_rate.part"] <= quarter.put_in("answered", week)


def test_the_share_of_voice_knows_the_competitor_and_a_silent_week_is_a_zero(quarter: Written) -> None:
    week, brand = quarter.known.silent
    found = quarter.figures(week)
    every = sum(number for key, number in quarter.known.mentions.items() if key[0] == week)
    assert found[f"share_of_voice[{brand}].share.part"] == 0
    assert found["share_of_voice[northwind].share.of"] == every
    assert found[f"spoken.by_brand[{brand}].mentions.value"] == 0
    following = quarter.known.weeks[quarter.known.weeks.index(week) + 1]
    assert quarter.figures(following)[f"spoken.by_brand[{brand}].mentions.last"] == 0


def test_the_outage_is_counted_once_and_its_cost_is_guessed_well(quarter: Written) -> None:
    watch, week, seconds = quarter.known.outage
    found = quarter.figures(week)
    assert seconds == 31 * 3600
    assert found[f"coverage.unseen[{watch}].seconds"] == seconds
    guess, truth = found[f"coverage.unseen[{watch}].missed"], quarter.known.missed
    assert truth > 0
    assert abs(guess - truth) <= 3 * truth**0.5 + 2


def test_the_bursts_are_found_where_they_were_put(quarter: Written) -> None:
    for alert_id, (week, country, _, posts) in quarter.known.incidents.items():
        found = quarter.figures(week, (country,))
        assert found[f"incidents[I-{alert_id}].mentions"] == posts
        assert found["spoken.complaints.value"] > found["spoken.complaints.mean"]


def test_the_new_cause_is_new_in_week_nine_in_two_languages(quarter: Written) -> None:
    seen = {(week, country) for week, country, _, cause in quarter.known.causes if cause == "lid-opens"}
    assert min(week for week, _ in seen) == quarter.known.weeks[8]
    assert {"FR", "RU"} <= {country for _, country in seen}


def test_postgresql_and_sqlite_hold_the_same_quarter(tmp_path: Path, postgres_url: str) -> None:
    urls = (new_database(postgres_url), f"sqlite:///{tmp_path}/listener.db")
    one, other = (written(url, scale=0.3) for url in urls)
    assert one.known.mentions == other.known.mentions
    assert one.figures(CHANGE_OF_CLOCKS) == other.figures(CHANGE_OF_CLOCKS)
