"""The scorer of labelled series agrees with values worked out by hand; the simulation makes what it says."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.abreast import Recorded, Said, run_abreast
from benchmarks.burst_simulation import (
    A_DAY,
    AFTERMATH,
    AN_HOUR,
    LEAST_EXTRA,
    LEAST_RATIO,
    START,
    Burst,
    Outcome,
    Series,
    judge,
    rate_interval,
    run,
    share_interval,
    simulate,
    usual_counts,
)
from benchmarks.bursts import country_lines, left_one_out, main, read_folder
from benchmarks.country_simulation import (
    COMPLAINED_OF,
    NAMES,
    CountryBurst,
    CountryCounts,
    CountryOutcome,
    Incident,
    incidents,
    judge_country,
    run_countries,
    simulate_country,
)
from benchmarks.nab import SeriesScore, normalised, scaled_sigmoid, score_series, trial_rows
from classifiers.bursts import IncidentDetector
from listener.model import TOPICS
from listener.pipeline.bursts import ALL, evidence_for
from listener.store.incidents import INTERVAL

WINDOWS = [(400, 499), (700, 799)]
"""Of a series of 1000 rows, whose trial is 150 rows."""


@pytest.mark.parametrize(
    ("position", "value"), [(-1, 0.986614), (-0.5, 0.848284), (0, 0.0), (0.5, -0.848284), (3, -0.999999), (3.1, -1)]
)
def test_the_sigmoid_is_that_of_the_paper(position: float, value: float) -> None:
    assert scaled_sigmoid(position) == pytest.approx(value, abs=1e-6)


def test_the_trial_is_15_percent_and_750_rows_at_most() -> None:
    assert [trial_rows(rows) for rows in (10, 1000, 5000, 15902)] == [1, 150, 750, 750]


@pytest.mark.parametrize(
    ("detections", "points"),
    [
        ([], -2),  # both windows missed
        ([400, 700], 2),  # both found at once
        ([400, 401, 450, 499, 700], 2),  # only the earliest in a window counts
        ([450, 700], 1 + 0.859793),  # halfway: 0.848284 / 0.986614
        ([499, 700], 1 + 0.025337),  # at the last of 100 rows: 2 / (1 + e^-0.05) - 1 = 0.024998, / 0.986614
        ([400], 0),  # one found, one missed
        ([300, 400, 700], 2 - 0.11),  # a false alarm before any window
        ([400, 549, 700], 2 - 0.11 * 0.851806),  # 50 rows after a window: 2 / (1 + e^(5 * 50 / 99)) - 1
        ([400, 700, 999], 2 - 0.11 * 0.999918),  # 200 rows after
        ([149, 400, 700], 2),  # in the trial
        ([150, 400, 700], 2 - 0.11),  # right after it
    ],
)
def test_detections_score_as_by_hand(detections: list[int], points: float) -> None:
    assert score_series(1000, WINDOWS, detections).points == pytest.approx(points, abs=1e-5)


def test_windows_found_and_missed_and_false_alarms_are_counted() -> None:
    score = score_series(1000, WINDOWS, [10, 200, 300, 410, 420, 900])
    assert (score.windows, score.found, score.missed, score.false_alarms) == (2, 1, 1, 3)


def test_silence_is_0_and_perfection_100() -> None:
    assert normalised([score_series(1000, WINDOWS, []), score_series(500, [(200, 250)], [])]) == 0
    assert normalised([score_series(1000, WINDOWS, [400, 700]), score_series(500, [(200, 250)], [200])]) == 100


def test_a_series_counts_by_its_windows() -> None:
    assert normalised([SeriesScore(3, 3, 3, 0), SeriesScore(-1, 1, 0, 0)]) == 75


def test_nothing_labelled_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="no window is labelled"):
        normalised([])


def test_a_threshold_is_chosen_without_the_series_it_is_used_on() -> None:
    good, bad = SeriesScore(1, 1, 1, 0), SeriesScore(-1, 1, 0, 0)
    assert left_one_out({1.0: [good, bad, bad, bad], 2.0: [bad, good, good, good]}) == [bad, good, good, good]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one labelled series: twenty days of counts and a burst on the eleventh."""
    random = np.random.default_rng(2)
    counts = random.poisson(20, 20 * 288)
    counts[10 * 288 + 100 : 10 * 288 + 130] += 60
    start = np.datetime64("2026-01-05T00:00:00")
    rows = [f"{str(start + np.timedelta64(300 * row, 's')).replace('T', ' ')},{n}" for row, n in enumerate(counts)]
    (tmp_path / "brand.csv").write_text("\n".join(["timestamp,value", *rows]) + "\n", "utf-8")
    windows = {"brand.csv": [["2026-01-15 06:00:00", "2026-01-15 18:00:00"]]}
    (tmp_path / "windows.json").write_text(json.dumps(windows), "utf-8")
    return tmp_path


def test_windows_become_rows(folder: Path) -> None:
    (series,) = read_folder(folder)
    assert (series.interval_s, len(series.counts)) == (300, 20 * 288)
    assert series.windows == [(10 * 288 + 72, 10 * 288 + 216)]


def test_a_folder_is_reported_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--data", str(folder)])
    lines = capsys.readouterr().out.splitlines()
    name, score, found, missed, _, a_point_us = lines[1].split()
    assert (name, found, missed) == ("brand.csv", "1", "0")
    assert float(score) > 80
    assert float(a_point_us) < 1000
    assert "says nothing: 0.0" in lines


def test_without_a_folder_the_report_says_what_to_name() -> None:
    with pytest.raises(SystemExit, match="--data FOLDER"):
        main([])


def test_simulated_counts_are_the_same_for_the_same_seed() -> None:
    one, other = (simulate(np.random.default_rng(3), 5, days=30) for _ in range(2))
    assert (one.counts == other.counts).all()
    assert one.bursts == other.bursts


@pytest.mark.parametrize("rate", [0.2, 200])
def test_the_usual_rate_is_the_one_asked_for(rate: float) -> None:
    usual = usual_counts(np.random.default_rng(3), rate, 60)
    assert usual[: 7 * A_DAY].mean() * AN_HOUR == pytest.approx(rate)
    by_day = usual.reshape(-1, A_DAY).sum(axis=1)
    assert by_day[:14].max() > 1.05 * by_day[:14].min()


@pytest.mark.parametrize("rate", [0.2, 5, 100])
def test_bursts_are_as_large_as_promised(rate: float) -> None:
    bursts = 0
    for seed in range(10):
        with_bursts = simulate(np.random.default_rng(seed), rate, a_month=4)
        for burst in with_bursts.bursts:
            first_hour = slice(burst.start, burst.start + AN_HOUR)
            extra = max(LEAST_EXTRA, (LEAST_RATIO - 1) * with_bursts.usual[first_hour].sum())
            assert with_bursts.counts[first_hour].sum() >= extra
            assert burst.start >= 14 * A_DAY
            bursts += 1
    assert bursts > 50


def test_alarms_are_judged_by_when_they_come() -> None:
    counts = np.zeros(30 * A_DAY, dtype=np.int64)
    series = Series(counts, counts.astype(float), [Burst(row, row + 30, "lasting", 2.0) for row in (2500, 3000, 3500)])
    outcome = Outcome()
    began = [100, 2400, 2503, 2520, 3013, 3500 + 30 + AFTERMATH, 4000]
    judge(series, began, [2410, 2510, 2536, 3040, 3600, 4001], outcome, from_day=14)
    assert (outcome.bursts, outcome.found, outcome.delays_min) == (3, 1, [40])  # found, too late, far too late
    assert outcome.false_alarms == 2  # before the first and long after the last; the trial is not judged
    assert outcome.reopened == 1
    assert outcome.over_after_h == [1.0]
    assert outcome.months == pytest.approx(16 / 30)


def test_intervals_are_those_of_the_tables() -> None:
    assert share_interval(95, 100) == pytest.approx((0.888, 0.978), abs=1e-3)  # Wilson
    assert rate_interval(0, 10) == pytest.approx((0, 0.369), abs=0.01)  # exact: 3.689 events
    assert rate_interval(10, 1) == pytest.approx((4.795, 18.39), abs=0.02)  # exact, Poisson


def test_the_detector_reaches_its_aims_on_a_small_run() -> None:
    for rate in (0.2, 20):
        outcome = run(rate, series=4, seed=8)
        assert outcome.found >= 0.9 * outcome.bursts > 0
        assert outcome.false_alarms <= outcome.months


def lively_country(rate: float) -> CountryCounts:
    return simulate_country(np.random.default_rng(5), rate, days=24, a_month=6, quiet_days=3)


def told(counts: np.ndarray) -> Said:
    return run_abreast(counts, np.array([evidence_for(name) for name in NAMES]), START, 6)


@pytest.mark.parametrize("rate", [0.2, 20])
def test_detectors_abreast_say_what_each_says_alone(rate: float) -> None:
    counts = lively_country(rate).counts
    said = told(counts)
    for column in (0, *np.argsort(counts.sum(axis=0))[-3:-1].tolist(), 5):
        detector = IncidentDetector(600, minimum_count=6, evidence=evidence_for(NAMES[column]))
        points = [
            detector.update(START + row * INTERVAL, count) for row, count in enumerate(counts[:, column].tolist())
        ]
        assert [point.ongoing for point in points] == said.ongoing[:, column].tolist()
        assert [point.score for point in points] == pytest.approx(said.scores[:, column].tolist(), abs=1e-6)
        assert [point.expected for point in points] == pytest.approx(said.expected[:, column].tolist(), rel=1e-5)
    assert said.ongoing[:, 0].any()


def test_a_part_of_an_interval_is_told_as_the_detector_tells_it() -> None:
    counts = lively_country(20).counts
    said = told(counts)
    recorded, detector = Recorded(said, 0, START), IncidentDetector(600)
    told_so = []
    for row, count in enumerate(counts[:, 0].tolist()):
        at = START + row * INTERVAL
        enough = int(said.sure_from[row, 0])
        for part in {max(0, enough - 1), enough, count // 2} if row % 7 == 1 else ():
            told_so.append(recorded.update(at, part).ongoing)
            assert told_so[-1] == detector.copy().update(at, part).ongoing
        detector.update(at, count)
    assert 0.2 < np.mean(told_so) < 0.8


def test_a_country_is_made_as_promised() -> None:
    of_topics, read_elsewhere, shares = 0, [], []
    for seed in range(6):
        made = simulate_country(np.random.default_rng(seed), 5, days=60, a_month=4)
        assert made.counts.shape == (60 * A_DAY, len(TOPICS))  # praise is nothing to complain of; all together are
        assert (made.counts[:, 0] == made.counts[:, 1:].sum(axis=1)).all()
        assert made.usual[: 7 * A_DAY].sum(axis=1).mean() * AN_HOUR == pytest.approx(5)
        shares.append(made.usual.sum(axis=0).max() / made.usual.sum())
        for burst in made.bursts:
            hour = slice(burst.start, burst.start + AN_HOUR)
            speaking = slice(1, None) if burst.topic == ALL else slice(NAMES.index(burst.topic), None)
            own = made.counts[hour, speaking] if burst.topic == ALL else made.counts[hour, speaking.start]
            usual = made.usual[hour] if burst.topic == ALL else made.usual[hour, speaking.start - 1]
            assert own.sum() >= max(LEAST_EXTRA, (LEAST_RATIO - 1) * usual.sum())
            if burst.topic != ALL:
                of_topics += 1
                extra = made.counts[burst.start : burst.last + 1, 1:].sum(axis=0) - made.usual[
                    burst.start : burst.last + 1
                ].sum(axis=0)
                read_elsewhere.append(1 - extra[speaking.start - 1] / extra.sum())
    assert (
        0.7 < of_topics / sum(len(simulate_country(np.random.default_rng(s), 5, 60, 4).bursts) for s in range(6)) < 0.9
    )
    assert np.median(read_elsewhere) == pytest.approx(0.1, abs=0.05)
    assert np.mean(shares) > 0.25  # twelve even ones would have 0.08


def calm_with(*bursts: tuple[int, str, int, int], other: float = 1 / 12) -> CountryCounts:
    """Return three weeks of a country at 6 an hour with bursts: (row, topic, intervals, so many more in each)."""
    rng = np.random.default_rng(1)
    usual = [other if topic == "other" else 1 / 12 for topic in COMPLAINED_OF]
    counts = rng.poisson(usual, (21 * A_DAY, len(COMPLAINED_OF)))
    for row, topic, length, more in bursts:
        counts[row : row + length, COMPLAINED_OF.index(topic)] += more
    return CountryCounts(np.column_stack([counts.sum(axis=1), counts]), counts.astype(float))


def made_of(country: CountryCounts) -> list[Incident]:
    return list(incidents(np.random.default_rng(1), country.counts, told(country.counts)))


def test_a_calm_country_has_no_incident_and_a_burst_is_one_of_its_topic() -> None:
    assert made_of(calm_with()) == []
    (one,) = made_of(calm_with((2500, "outage", 12, 8), (2500, "account", 12, 1)))
    assert one.topic == "outage"
    assert 0 < one.at_min - 25_000 <= 20  # within the second interval: it is looked at every minute


def test_what_many_topics_bring_at_once_is_one_incident_without_topic() -> None:
    many = [(2500, topic, 18, 3) for topic in ("outage", "staff", "price", "safety", "quality", "delivery")]
    assert [one.topic for one in made_of(calm_with(*many))] == [ALL]


def test_topics_that_are_sure_before_all_together_are_do_not_make_an_incident_each() -> None:
    many = [(2500, topic, 18, 3) for topic in ("outage", "staff", "price", "safety", "quality", "delivery")]
    (one,) = made_of(calm_with(*many, other=6.0))
    assert 10 < one.at_min - 25_000 <= 30  # it has waited for all together


def test_a_second_trouble_hours_later_and_one_days_later_are_incidents_too() -> None:
    found = made_of(calm_with((2500, "outage", 40, 4), (2518, "safety", 22, 9), (2800, "outage", 12, 6)))
    assert [one.topic for one in found] == ["outage", "safety", "outage"]
    assert found[2].at_min - 28_000 < 40


def test_incidents_are_judged_by_their_moment_and_topic() -> None:
    made = calm_with()
    made.bursts = [CountryBurst(row, row + 20, topic) for row, topic in ((2100, "price"), (2400, ALL), (2700, "staff"))]
    found = [
        Incident("price", 100),  # while it learned
        Incident("price", 20_900),  # before anything
        Incident("staff", 21_030),  # in time, not by its name
        Incident("price", 21_200),
        Incident(ALL, 24_120),  # at the last moment
        Incident("staff", 27_121),  # too late
        Incident(ALL, 29_900),
    ]
    outcome = CountryOutcome()
    judge_country(made, found, outcome, from_day=14)
    assert (outcome.bursts, outcome.found, outcome.of_one_topic, outcome.of_one_topic_found) == (3, 2, 2, 1)
    assert (outcome.right_topic, outcome.split, outcome.delays_min) == (1, 1, [30, 120])
    assert (outcome.false_incidents, outcome.false_of_topics) == (2, 1)
    assert outcome.months == pytest.approx(7 / 30)


def test_the_daemons_rules_reach_their_aims_in_a_few_countries() -> None:
    outcome = run_countries(20, 8, seed=4, days=74)
    assert outcome.found >= 0.85 * outcome.bursts > 15
    assert outcome.right_topic >= 0.8 * outcome.found
    assert outcome.split <= 0.1 * outcome.found
    assert outcome.false_incidents <= 1.5 * outcome.months


def test_countries_are_reported_on() -> None:
    lines = list(country_lines(2, 3, rates=[100], days=44))
    rate, together = lines[2].split(), lines[3].split()
    assert (rate[0], together[0]) == ("100", "all")
    assert rate[1:] == together[1:]
    alone = [run_countries(100, 1, 3, part, days=44) for part in (0, 1)]  # as two processes did
    assert int(rate[1]) == sum(one.bursts for one in alone) > 0
    assert float(rate[2]) == pytest.approx(sum(one.found for one in alone) / int(rate[1]), abs=1e-3)


def test_the_simulation_is_reported_on(capsys: pytest.CaptureFixture[str]) -> None:
    main(["simulate", "--series", "1"])
    out = capsys.readouterr().out
    assert out.count("all: ") == 2
    assert "false alarms a month" in out
