import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listener.config import Config
from listener.digest.json_file import dump
from listener.digest.making import make_digest, make_scope, scope_of
from listener.digest.model import Digest
from listener.digest.weeks import Week
from listener.store import Store
from tests.databases import new_database
from tests.quarter.comparing import differences
from tests.quarter.independent import Figures, Witness
from tests.quarter.simulation import Known, quarter_config, write_quarter
from tests.quarter.vectors import embed

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
    known = write_quarter(url, texts(), seed=7, scale=scale, embed=embed)
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


SCOPES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("2026-W34", {}),
    ("2026-W37", {}),
    ("2026-W42", {"countries": ["CN"]}),
    (CHANGE_OF_CLOCKS, {"countries": ["FR", "BE"]}),
    (CHANGE_OF_CLOCKS, {"brands": ["skybird"]}),
    ("2026-W40", {"countries": ["JP"], "team": "tokyo"}),
    ("2026-W45", {}),
    ("2026-W46", {}),
)


@pytest.fixture(scope="module")
def store(quarter: Written) -> Iterator[Store]:
    store = Store(quarter.url)
    yield store
    store.close()


def digest_of(quarter: Written, store: Store, week: str, scope: dict[str, Any]) -> Digest:
    return make_digest(quarter.config, store, Week.parse(week), make_scope(quarter.config, **scope), quarter.known.now)


@pytest.mark.parametrize(("week", "scope"), SCOPES)
def test_every_figure_is_what_pandas_calculates(
    quarter: Written, store: Store, week: str, scope: dict[str, Any]
) -> None:
    digest = digest_of(quarter, store, week, scope)
    seen = digest.scope
    assert not differences(digest, quarter.witness.figures(week, seen.countries, seen.brands, seen.team))


def test_every_figure_is_what_pandas_calculates_on_postgresql_too(postgres_url: str) -> None:
    quarter = written(new_database(postgres_url), scale=0.3)
    store = Store(quarter.url)
    for week in (CHANGE_OF_CLOCKS, "2026-W46"):
        assert not differences(digest_of(quarter, store, week, {}), quarter.figures(week))
    store.close()


def test_a_digest_that_was_sent_is_corrected_by_what_came_late(quarter: Written, store: Store) -> None:
    reader, now = "board", datetime(2026, 11, 9, 8, 0, tzinfo=UTC)
    scope = scope_of(quarter.config, reader, quarter.config.digests[reader])
    before, week = Week.parse("2026-W45"), Week.parse("2026-W46")
    sent = make_digest(quarter.config, store, before, scope, quarter.known.now)
    with store.digests.recording(reader, str(before), dump(sent), now):
        pass
    errata = make_digest(quarter.config, store, week, scope, quarter.known.now).errata
    late = quarter.witness.late(str(before), scope.countries, scope.brands, now)
    assert late > 0
    assert (errata.said, errata.late) == (sent.spoken.mentions.value, late)


def test_voices_stand_in_one_list_and_nobody_quotes_what_was_deleted(quarter: Written, store: Store) -> None:
    quoted = 0
    for week in LOOKED_AT[-2:]:
        voices = digest_of(quarter, store, week, {}).voices
        lists = (voices.journalists, voices.critics, voices.friends, voices.travelled, voices.supporters)
        posts = [post for some in lists for post in some]
        assert len({post.mention_id for post in posts}) == len(posts)
        assert not {post.mention_id for post in posts} & quarter.witness.deleted()
        assert all(post.journalist for post in voices.journalists)
        assert not any(post.journalist for post in (*voices.critics, *voices.friends))
        assert all(post.sentiment == "positive" for post in (*voices.friends, *voices.supporters))
        quoted += len(posts)
    assert quoted > 10


def test_named_causes_are_found_and_followed_until_they_end(quarter: Written, store: Store) -> None:
    digests = {week: digest_of(quarter, store, week, {}) for week in ("2026-W38", "2026-W42", "2026-W46")}
    owners = quarter.witness.causes_of_irritants(quarter.known.cause_of)
    named = {cause: {number for number, name in owners.items() if name == cause} for cause in set(owners.values())}
    assert {cause: len(named[cause]) for cause in ("lid-opens", "login-fails", "luggage-left", "electric-shock")} == {
        "lid-opens": 1, "login-fails": 1, "luggage-left": 1, "electric-shock": 1,
    }  # fmt: skip
    told = {(week, owners.get(one.id)): one for week, digest in digests.items() for one in digest.causes.irritants}
    lid = told["2026-W42", "lid-opens"]
    assert lid.trend == "new"
    assert {"FR", "RU"} <= dict(lid.countries).keys()
    assert {"fr", "ru"} <= dict(lid.languages).keys()
    assert told["2026-W46", "luggage-left"].trend == "recurring"
    assert told["2026-W46", "electric-shock"].trend == "new"
    assert told["2026-W46", "login-fails"].mentions > told["2026-W42", "login-fails"].mentions
    put_in = quarter.known.causes["2026-W46", "FR", "yunfan", "electric-shock"]
    assert told["2026-W46", "electric-shock"].mentions == pytest.approx(put_in, rel=0.15)
