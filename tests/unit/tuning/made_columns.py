"""Columns made of scores that a test gives, with nothing stored: every post is by somebody else unless said."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from listener.config import Config, load_config
from listener.plugins import plugin_options
from listener.store.decisions import AlertFact
from listener.tuning.columns import QUIET, RAISED, Columns, Raised, moment_us

BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
CONFIG = """
version: 1
brands: {acme: {name: Acme, terms: [acme]}}
teams: {desk: {name: Desk, languages: [en]}}
sources: {file: {}}
receivers: {screen: {type: terminal}}
fallback_receiver: screen
route: {receiver: screen}
defaults:
  languages: [en]
  timezone: UTC
  hours: {mon-fri: "09:00-18:00"}
  team: desk
  thresholds: {max_age: null}
countries:
  FR:
    timezone: Europe/Paris
  BE: {}
"""


def config(folder: Any) -> Config:
    """Return a configuration with two countries and the built-in thresholds."""
    path = folder / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return load_config(path, plugin_options())


def columns(
    complaint: Sequence[float],
    high: Sequence[float],
    urgency: Sequence[float],
    influence: Sequence[float],
    *,
    days: float = 10.0,
    authors: Sequence[int] | None = None,
    praise: Sequence[bool] | None = None,
    countries: Sequence[int] | None = None,
    said: Sequence[bool | None] | None = None,
) -> Columns:
    """Return a row per post, evenly spread over the days; what `said` names raised an alert that people judged."""
    size = len(complaint)
    rows = np.arange(size)
    own = rows + 1
    at = moment_us(BEGIN) + (rows * (days * 86_400_000_000 / max(1, size))).astype(np.int64)
    author = np.array(authors if authors is not None else rows) + 1
    nothing = np.full(size, -1)
    keys = np.stack([own * 4, nothing, nothing, author * 4 + 3], axis=1)
    verdicts = list(said or [None] * size)
    alert = np.array([row + 1 if verdicts[row] is not None else 0 for row in range(size)], np.int64)
    raised = tuple(_raised(row, int(at[row]), bool(verdicts[row])) for row in np.flatnonzero(alert).tolist())
    return Columns(
        since=BEGIN,
        until=BEGIN + timedelta(days=days),
        country_only=None,
        brands=("acme",),
        countries=("FR", "BE"),
        networks=("x",),
        languages=("en",),
        topics=("delivery", "praise"),
        watches=("file/FR/acme",),
        match_id=own,
        mention_id=own,
        author_id=author,
        brand=np.zeros(size, np.int64),
        country=np.array(countries if countries is not None else [0] * size, np.int64),
        network=np.zeros(size, np.int64),
        language=np.zeros(size, np.int64),
        topic=np.array(praise if praise is not None else [False] * size, np.int64),
        watch=np.zeros(size, np.int64),
        decided_us=at,
        posted_us=at,
        collected_us=at,
        max_age_s=np.full(size, np.nan),
        complaint=np.array(complaint, np.float64),
        high=np.array(high, np.float64),
        urgency=np.array(urgency, np.float64),
        priority=np.zeros(size),
        influence=np.array(influence, np.float64),
        velocity=np.zeros(size),
        positive=np.array(praise if praise is not None else [False] * size, np.bool_),
        edited=np.zeros(size, np.bool_),
        outcome=np.where(alert > 0, RAISED, QUIET),
        alert_id=alert,
        wanted=keys,
        held=keys,
        is_copy=np.zeros(size, np.bool_),
        external_ids=[f"p{row}" for row in range(size)],
        raised=raised,
    )


def _raised(row: int, at_us: int, useful: bool) -> Raised:
    at = datetime.fromtimestamp(at_us / 1e6, UTC)
    fact = AlertFact(
        id=row + 1,
        kind="post",
        brand="acme",
        country="FR",
        team="desk",
        severity=1,
        priority=0.4,
        topic="delivery",
        pilot=False,
        rules=("open-problem",),
        opened_at=at,
        first_posted_at=at,
        owner=None,
        claimed_at=None,
        snoozed_until=None,
        replied_at=None,
        private_at=None,
        state="resolved" if useful else "dismissed",
        resolution="solved" if useful else "not_complaint",
        closed_by="Olga",
        closed_at=at + timedelta(hours=1),
        match_id=row + 1,
    )
    return Raised(fact, 1, (), ())
