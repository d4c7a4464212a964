"""Rules over columns decide as the rules over one mention do, to the last digit."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from alerts.priority import score_priority
from alerts.rules import decide
from listener.config import Thresholds
from listener.config.models import Weights
from listener.model import Classification, Influence, Sentiment, Urgency
from listener.tuning.columns import COMPETITOR, NOT_CONFIGURED, NOT_HEARD, OLD, OUTCOMES, QUIET, RAISED
from listener.tuning.deciding import decide_rows, rule_bits, rule_names
from listener.tuning.joining import run_rules
from tests.unit.tuning.made import TOPICS, changed, columns, config

unit = some.one_of(some.floats(0, 1), some.sampled_from([0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 1.0]))
posts = some.fixed_dictionaries(
    {
        "complaint": unit,
        "levels": some.tuples(unit, unit, unit, unit),
        "influence": unit,
        "velocity": unit,
        "topic": some.sampled_from(TOPICS),
        "sentiment": some.sampled_from(list(Sentiment)),
    }
)
NAMES = ("complaint", "urgent", "priority", "influence", "praise", "severity_2", "severity_3", "severity_3_urgent")
thresholds = some.fixed_dictionaries(dict.fromkeys(NAMES, unit))
weights = some.floats(0, 0.5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(posts, min_size=1, max_size=8), thresholds, weights, weights)
def test_every_row_is_decided_as_one_mention_is(
    tmp_path: Path, made: list[dict[str, Any]], limits: dict[str, float], for_influence: float, for_velocity: float
) -> None:
    asked = Thresholds(**limits)
    own = Weights(influence=for_influence, velocity=for_velocity)
    read = [_classification(one) for one in made]
    rows = [
        {
            "complaint": one["complaint"], "high": found.urgency_probabilities[3], "urgency": found.urgency_score,
            "influence": one["influence"], "velocity": one["velocity"], "topic": one["topic"],
            "positive": one["sentiment"] is Sentiment.POSITIVE,
        }
        for one, found in zip(made, read, strict=True)
    ]  # fmt: skip
    found = decide_rows(columns(rows), changed(config(tmp_path), thresholds=asked, weights=own))
    for row, (one, classification) in enumerate(zip(made, read, strict=True)):
        priority = score_priority(
            classification.urgency_score, one["influence"], one["velocity"],
            influence_weight=for_influence, velocity_weight=for_velocity,
        )  # fmt: skip
        wanted = decide(classification, Influence(one["influence"], 0, 0, ()), priority, asked)
        assert found.priority[row] == priority.score
        assert rule_names(int(found.rules[row])) == wanted.rules
        assert found.severity[row] == wanted.severity
        assert rule_bits(wanted.rules) == found.rules[row]


def _classification(one: dict[str, Any]) -> Classification:
    total = sum(one["levels"]) or 1.0
    none, low, medium, high = (level / total for level in one["levels"])
    return Classification(
        "fr", one["complaint"], Urgency.LOW, (none, low, medium, high), one["sentiment"], (0.3, 0.4, 0.3),
        one["topic"], 0.9, {}, "made",
    )  # fmt: skip


def test_what_nobody_listens_to_is_not_decided_on(tmp_path: Path) -> None:
    rows = [{"high": 0.9}, {"high": 0.9, "country": "XX"}, {"high": 0.9, "brand": "rival"}]
    found = run_rules(columns(rows), config(tmp_path))
    assert [OUTCOMES[one] for one in found.outcome] == ["raised", "not configured", "competitor"]
    assert found.severity.tolist() == [3, 0, 0]


def test_a_country_that_is_off_hears_nothing(tmp_path: Path) -> None:
    found = run_rules(columns([{"high": 0.9}, {"high": 0.9, "country": "BE"}]), config(tmp_path, mode="off"))
    assert found.outcome.tolist() == [NOT_CONFIGURED, RAISED]


def test_what_a_watch_that_is_gone_brought_is_not_heard(tmp_path: Path) -> None:
    found = run_rules(columns([{"high": 0.9}]), config(tmp_path), unheard={"made"})
    assert found.outcome.tolist() == [NOT_HEARD]
    assert found.raised == []


@pytest.mark.parametrize(("age_s", "outcome"), [(3600.0, RAISED), (3600.000001, OLD)])
def test_a_post_older_than_the_limit_raises_nothing(tmp_path: Path, age_s: float, outcome: int) -> None:
    found = run_rules(columns([{"high": 0.9, "age_s": age_s, "max_age_s": 3600.0}]), config(tmp_path))
    assert found.outcome.tolist() == [outcome]


def test_columns_without_rows_decide_nothing(tmp_path: Path) -> None:
    found = run_rules(columns([]), config(tmp_path))
    assert len(found.outcome) == 0
    assert found.raised == []


def test_unscored_mentions_are_scored_once_and_only_where_they_count(tmp_path: Path) -> None:
    asked: list[list[int]] = []

    def scorer(match_ids: Any) -> dict[int, tuple[float, float]]:
        asked.append(list(match_ids))
        return dict.fromkeys(match_ids, (0.9, 0.1))

    made = columns([{}, {}, {"brand": "rival"}], scorer=scorer)
    made.outcome[:] = [QUIET, NOT_CONFIGURED, COMPETITOR]
    for _ in range(2):
        found = run_rules(made, config(tmp_path))
        assert found.outcome.tolist() == [QUIET, RAISED, COMPETITOR]
    assert asked == [[2]]
