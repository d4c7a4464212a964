"""How well bursts are found: `python -m benchmarks.bursts --data FOLDER`, `… simulate` and `… country`.

The first scores the volume detector on the CSVs of a folder, whose `windows.json` names what is to be found, as the
Numenta Anomaly Benchmark does. The second makes counts with known bursts and runs the detector of incidents on them.
The third does so for all topics of a brand in a country, and lets the daemon's rules make incidents of what is found.
"""

import argparse
import csv
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.burst_simulation import (
    DAYS,
    RATES_AN_HOUR,
    SIZES,
    Outcome,
    rate_interval,
    run,
    share_interval,
)
from benchmarks.country_simulation import COUNTRIES, CountryOutcome, run_rates
from benchmarks.nab import PUBLISHED, SeriesScore, Window, normalised, score_series
from classifiers.bursts import BurstDetector

SPREADS = (2.5, 2.75, 3.0, 3.25, 3.5, 3.75, 4.0, 4.25, 4.5, 5.0)
"""Tried where the threshold is set on the other series."""
RANDOM_DRAWS = 50


@dataclass(frozen=True, slots=True)
class Labelled:
    """A series and the rows of its windows."""

    name: str
    moments: list[datetime]
    counts: list[float]
    windows: list[Window]

    @property
    def interval_s(self) -> float:
        return (self.moments[1] - self.moments[0]).total_seconds()

    def score(self, detections: Sequence[int]) -> SeriesScore:
        return score_series(len(self.counts), self.windows, detections)


def main(arguments: list[str] | None = None) -> None:
    """Run what is asked for."""
    options = _parser().parse_args(arguments)
    if options.what == "simulate":
        lines = simulation_lines(options.series, options.seed)
    elif options.what == "country":
        lines = country_lines(options.countries, options.seed)
    elif options.data is None:
        raise SystemExit("name the folder with the CSVs and windows.json: --data FOLDER")
    else:
        lines = nab_lines(list(read_folder(options.data)))
    for line in lines:
        print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bursts", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["nab", "simulate", "country"], default="nab")
    parser.add_argument("--data", type=Path, help="folder with CSVs (timestamp,value) and windows.json")
    parser.add_argument("--series", type=int, default=60, help="simulated series at each rate, of 4 months each")
    parser.add_argument("--countries", type=int, default=COUNTRIES, help="simulated countries at each rate, likewise")
    parser.add_argument("--seed", type=int, default=2026)
    return parser


def read_folder(folder: Path) -> Iterator[Labelled]:
    """Yield the series that windows.json names."""
    for name, spans in sorted(json.loads((folder / "windows.json").read_text("utf-8")).items()):
        with (folder / name).open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        moments = [_moment(row["timestamp"]) for row in rows]
        windows = [_rows_within(moments, _moment(start), _moment(end)) for start, end in spans]
        yield Labelled(name, moments, [float(row["value"]) for row in rows], windows)


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _rows_within(moments: list[datetime], start: datetime, end: datetime) -> Window:
    rows = [row for row, at in enumerate(moments) if start <= at <= end]
    return rows[0], rows[-1]


def detect(series: Labelled, spreads: float = BurstDetector.SPREADS) -> list[int]:
    """Return the rows at which a burst is told."""
    detector = BurstDetector(series.interval_s, spreads=spreads)
    points = zip(series.moments, series.counts, strict=True)
    return [row for row, (at, count) in enumerate(points) if detector.update(at, count).above]


def nab_lines(together: list[Labelled]) -> Iterator[str]:
    """Yield the report on labelled series."""
    yield f"{'series':12} {'score':>6} {'found':>6} {'missed':>7} {'false alarms':>13} {'µs a point':>11}"
    scores = []
    for series in together:
        start = time.perf_counter()
        detections = detect(series)
        a_point_us = 1e6 * (time.perf_counter() - start) / len(series.counts)
        scores.append(series.score(detections))
        yield _line(series.name, [scores[-1]]) + f" {a_point_us:11.1f}"
    yield _line("all", scores)
    yield ""
    tried = {spreads: [series.score(detect(series, spreads)) for series in together] for spreads in SPREADS}
    if len(together) > 1:
        yield _line("threshold set on the other series", left_one_out(tried))
    rng = np.random.default_rng(1)
    by_chance = [normalised(series.score(_by_chance(series, rng)) for series in together) for _ in range(RANDOM_DRAWS)]
    yield f"says nothing: {normalised(series.score([]) for series in together):.1f}"
    yield f"by chance, every other day: {np.mean(by_chance):.1f} (95 % within {_spread(by_chance)})"
    yield f"by excess at the threshold: {', '.join(f'{s}: {normalised(found):.1f}' for s, found in tried.items())}"
    yield f"published, over ten such series: {', '.join(f'{name} {score}' for name, score in PUBLISHED.items())}"


def left_one_out(tried: Mapping[float, list[SeriesScore]]) -> list[SeriesScore]:
    """Return each series' score at the threshold that is best for all others."""
    chosen = []
    for out in range(len(next(iter(tried.values())))):
        best = max(tried, key=lambda spreads: normalised(tried[spreads][:out] + tried[spreads][out + 1 :]))
        chosen.append(tried[best][out])
    return chosen


def _line(name: str, scores: Sequence[SeriesScore]) -> str:
    found, missed = sum(score.found for score in scores), sum(score.missed for score in scores)
    false_alarms = sum(score.false_alarms for score in scores)
    return f"{name:12} {normalised(scores):6.1f} {found:6} {missed:7} {false_alarms:13}"


def _by_chance(series: Labelled, rng: np.random.Generator) -> list[int]:
    a_point = series.interval_s / (2 * 86400)
    return [int(row) for row in np.flatnonzero(rng.random(len(series.counts)) < a_point)]


def _spread(values: Sequence[float]) -> str:
    return f"{np.quantile(values, 0.025):.1f} to {np.quantile(values, 0.975):.1f}"


def simulation_lines(series: int, seed: int) -> Iterator[str]:
    """Yield the report on simulated counts."""
    for cold, about in ((False, "after two weeks"), (True, "in the first two weeks")):
        yield f"{about}: found within two hours; false alarms a month of 30 days; 95 % intervals"
        yield f"{'an hour':>8} {'bursts':>7} {'found':>20} {'median min':>11} {'false a month':>20} {'over, h':>8}"
        outcomes = {rate: run(rate, series, seed, cold=cold) for rate in RATES_AN_HOUR}
        yield from (_simulated(f"{rate:g}", outcome) for rate, outcome in outcomes.items())
        yield _together(list(outcomes.values()))
        yield ""
    yield "over, h: from a burst's last mention until it is said to be over, median"


def _simulated(name: str, outcome: Outcome) -> str:
    share = outcome.found / max(1, outcome.bursts)
    low, high = share_interval(outcome.found, outcome.bursts)
    false_low, false_high = rate_interval(outcome.false_alarms, outcome.months)
    a_month = outcome.false_alarms / outcome.months
    delay_min, over_h = (_median(values) for values in (outcome.delays_min, outcome.over_after_h))
    return (
        f"{name:>8} {outcome.bursts:7} {share:6.3f} ({low:.3f}–{high:.3f})"
        f" {delay_min:11.0f} {a_month:6.2f} ({false_low:.2f}–{false_high:.2f})"
        f" {over_h:8.1f}"
    )


def _median(values: Sequence[float]) -> float:
    return float(np.median(np.array(values))) if values else math.nan


def _together(outcomes: Sequence[Outcome]) -> str:
    found, bursts = (sum(getattr(outcome, name) for outcome in outcomes) for name in ("found", "bursts"))
    low, high = share_interval(found, bursts)
    parts = [f"all: {found / bursts:.3f} of {bursts} ({low:.3f}–{high:.3f})"]
    for size in SIZES:
        hits, tried = (sum(outcome.by_size[size][place] for outcome in outcomes) for place in (0, 1))
        parts.append(f"{size[0]:g} to {size[1]:g} times the least: {hits / max(1, tried):.3f} of {tried}")
    again = sum(outcome.reopened for outcome in outcomes)
    return "; ".join([*parts, f"said to be over too early: {again}"])


def country_lines(countries: int, seed: int, rates: Sequence[float] = RATES_AN_HOUR, days: int = DAYS) -> Iterator[str]:
    """Yield the report on simulated countries."""
    yield "incidents of a brand in a country: opened within two hours; false ones a month of 30 days; 95 % intervals"
    yield (
        f"{'an hour':>8} {'bursts':>7} {'found':>20} {'of one topic':>13} {'median min':>11}"
        f" {'false a month':>20} {'of topics':>10} {'right topic':>12} {'split':>6}"
    )
    outcomes = run_rates(rates, countries, seed, days)
    yield from (_country(f"{rate:g}", outcome) for rate, outcome in outcomes.items())
    together = CountryOutcome()
    for outcome in outcomes.values():
        together += outcome
    yield _country("all", together)
    yield "of one topic: share found of those; of topics: false incidents a month of one; split: made two or more"


def _country(name: str, outcome: CountryOutcome) -> str:
    low, high = share_interval(outcome.found, outcome.bursts)
    false_low, false_high = rate_interval(outcome.false_incidents, outcome.months)
    return (
        f"{name:>8} {outcome.bursts:7} {outcome.found / max(1, outcome.bursts):6.3f} ({low:.3f}–{high:.3f})"
        f" {outcome.of_one_topic_found / max(1, outcome.of_one_topic):13.3f} {_median(outcome.delays_min):11.0f}"
        f" {outcome.false_incidents / outcome.months:6.2f} ({false_low:.2f}–{false_high:.2f})"
        f" {outcome.false_of_topics / outcome.months:10.2f} {outcome.right_topic / max(1, outcome.found):12.3f}"
        f" {outcome.split / max(1, outcome.found):6.3f}"
    )


if __name__ == "__main__":
    main()
