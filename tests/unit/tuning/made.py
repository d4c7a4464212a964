"""Columns of posts that a test describes one by one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from listener.config import Config, load_config
from listener.plugins import plugin_options
from listener.tuning.columns import QUIET, Columns, moment_us

SINCE = datetime(2026, 11, 9, tzinfo=UTC)
"""A Monday."""
UNTIL = SINCE + timedelta(weeks=1)
_CONFIG = """
version: 1
brands: {acme: {name: Acme, terms: [acme]}, rival: {name: Rival, terms: [rival], competitor: true}}
sources: {file: {}}
teams:
  paris: {name: Paris, timezone: Europe/Paris, languages: [fr], receiver: desk}
receivers: {desk: {type: terminal, at_once: false, budget: 2}, loud: {type: terminal}}
fallback_receiver: loud
route: {receiver: desk, routes: [{match: {severity: 3}, receiver: loud}]}
defaults: {languages: [fr], timezone: Europe/Paris, hours: {mon-fri: "09:00-18:00"}, team: paris}
countries:
  FR: {sources: {file: [{path: none-fr.jsonl}]}}
  BE: {sources: {file: [{path: none-be.jsonl}]}}
"""
TOPICS = ("delivery", "praise")


def config(folder: Path, **changes: Any) -> Config:
    """Return a small configuration; `changes` are fields of FR."""
    path = folder / "config.yaml"
    path.write_text(_CONFIG, encoding="utf-8")
    return changed(load_config(path, plugin_options()), **changes)


def changed(config: Config, code: str = "FR", **changes: Any) -> Config:
    """Return a configuration with other settings of a country."""
    country = config.countries[code].model_copy(update=changes)
    return config.model_copy(update={"countries": {**config.countries, code: country}})


def columns(posts: Sequence[Mapping[str, Any]], **more: Any) -> Columns:
    """Return columns of posts; each says what differs from a quiet complaint by somebody else about nothing."""
    rows = [{**_USUAL, "author": 1000 + place, "at": place, **post} for place, post in enumerate(posts)]
    size = len(rows)

    def ints(name: str) -> Any:
        return np.array([one[name] for one in rows], np.int64)

    def floats(name: str) -> Any:
        return np.array([one[name] for one in rows], np.float64)

    own = np.arange(1, size + 1)
    decided = np.array([moment_us(SINCE + timedelta(minutes=float(one["at"]))) for one in rows], np.int64)
    age = np.array([int(one["age_s"] * 1e6) for one in rows], np.int64)
    none = np.full(size, -1)
    author = ints("author") * 8 + 3
    parent = np.array([one["answers"] * 8 + 1 if one["answers"] else -1 for one in rows], np.int64)
    places = {name: place for place, name in enumerate(("acme", "rival"))}
    countries = ("FR", "BE", "XX")
    values: dict[str, Any] = {
        "since": SINCE, "until": UNTIL, "country_only": None, "brands": ("acme", "rival"), "countries": countries,
        "networks": ("x", "vk"), "languages": ("fr",), "topics": TOPICS, "watches": ("made",),
        "match_id": own, "mention_id": own, "author_id": ints("author"),
        "brand": np.array([places[one["brand"]] for one in rows], np.int64),
        "country": np.array([countries.index(one["country"]) for one in rows], np.int64),
        "network": np.zeros(size, np.int64), "language": np.zeros(size, np.int64),
        "topic": np.array([TOPICS.index(one["topic"]) for one in rows], np.int64), "watch": np.zeros(size, np.int64),
        "decided_us": decided, "posted_us": decided - age, "collected_us": decided, "max_age_s": floats("max_age_s"),
        "complaint": floats("complaint"), "high": floats("high"), "urgency": floats("urgency"),
        "priority": np.zeros(size), "influence": floats("influence"), "velocity": floats("velocity"),
        "positive": np.array([one["positive"] for one in rows], np.bool_), "edited": np.zeros(size, np.bool_),
        "outcome": np.full(size, QUIET, np.int64), "alert_id": ints("alert_id"),
        "wanted": np.stack([none, parent, none, author], axis=1),
        "held": np.stack([none, own * 8 + 1, none, author], axis=1), "is_copy": np.zeros(size, np.bool_),
        "external_ids": [f"p{number}" for number in own],
    }  # fmt: skip
    return Columns(**{**values, **more})


_USUAL: Mapping[str, Any] = {
    "country": "FR", "brand": "acme", "complaint": 0.9, "high": 0.0, "urgency": 0.0, "influence": 0.0, "velocity": 0.0,
    "positive": False, "topic": "delivery", "age_s": 60.0, "max_age_s": float("nan"), "answers": 0, "alert_id": 0,
}  # fmt: skip
