"""What watches use of their networks: counted by the real clients, kept with the page, on both databases."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.clock import FixedClock
from listener.config import Config, Secret, load_config
from listener.errors import QuotaExhaustedError, RefusedSourceError
from listener.model import Gap, Page, Skipped, Usage, Watch
from listener.pipeline.collect import Collector
from listener.pipeline.tally import Tally
from listener.plugins import plugin_options
from listener.store import Store
from listener.store.usage import DayUsage, day_of
from sources.base import Budget, PostRef
from sources.file import FileOptions, FileSource, FileWatchOptions
from sources.registry import source_specs
from sources.vk import VkOptions, VkWatchOptions
from sources.vk import create as create_vk
from sources.wechat.source import WeChatOptions, WeChatSource, WeChatWatchOptions
from sources.x import XOptions, XWatchOptions
from sources.x.source import XSource
from tests.servers.base import Reply
from tests.servers.vk import NOW as VK_NOW
from tests.servers.vk import TOKEN, VkServer
from tests.servers.x import XServer
from tests.unit.listener.test_store import WATCH, mention, save

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CONFIG = """
brands: {{yunfan: {{name: Yunfan, terms: [yunfan]}}}}
teams: {{hub: {{name: Hub, languages: [en]}}}}
sources: {{x: {{bearer_token: "${{env:X_TOKEN_FOR_TESTS}}", base_url: "{base_url}"}}}}
receivers: {{screen: {{type: terminal}}}}
route: {{receiver: screen}}
fallback_receiver: screen
defaults: {{timezone: UTC}}
countries:
  GB:
    languages: [en]
    timezone: Europe/London
    hours: {{mon-fri: "09:00-18:00"}}
    team: hub
    sources: {{x: {{mentions: false}}}}
"""
X_WATCH = Watch("x/GB/yunfan", "x", "yunfan", "GB", ("en",), ("yunfan",), options=XWatchOptions(mentions=False))


@pytest.fixture
def server() -> Iterator[XServer]:
    with XServer(NOW) as running:
        yield running


@pytest.fixture
def options(server: XServer, tmp_path: Path) -> XOptions:
    (tmp_path / "token").write_text("test-token")
    return XOptions(bearer_token=Secret("file", str(tmp_path / "token")), base_url=server.base_url)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def x(options: XOptions, clock: FixedClock) -> Iterator[XSource]:
    made = XSource(options, clock)
    yield made
    made.close()


@pytest.fixture
def config(tmp_path: Path, server: XServer, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("X_TOKEN_FOR_TESTS", "test-token")
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(base_url=server.base_url))
    return load_config(path, plugin_options())


def collector(store: Store, source: XSource, config: Config, clock: FixedClock) -> Collector:
    return Collector(config, {"x": source}, store, clock, lambda title, text: None)


def poll(made: Collector) -> Tally:
    tally = Tally()
    made.poll(made.watches()[0], tally, threading.Event().is_set, even_if_early=True)
    return tally


# The store


def test_a_page_is_stored_with_what_it_took(store: Store) -> None:
    page = Page(
        (mention(1), mention(2)), "c1", skipped=(Skipped("broken", "x:3"), Skipped("left out", "x:4", broken=False))
    )
    arrivals = save_arrivals(page)
    for usage in (Usage(1, 4, 0.02), Usage(2, 1, 0.005)):
        store.collecting.save_page(WATCH, page, arrivals, now=NOW, next_poll_at=NOW, max_age_s=None, usage=usage)
    (day,) = store.usage.days(NOW)
    assert (day.watch_id, day.day, day.requests, day.items) == (WATCH.id, "2026-11-21", 3, 5)
    assert day.cost == pytest.approx(0.025)
    assert (day.mentions, day.skipped) == (2, 4)  # the second time they were known


def save_arrivals(page: Page) -> list[Any]:
    from classifiers.copies import text_hash
    from listener.store import Arrival

    return [Arrival(item, "FR", text_hash(item.text)) for item in page.mentions]


def test_a_failed_poll_counts_as_well(store: Store) -> None:
    gap = Gap(NOW - DAY, NOW, "cap")
    store.collecting.save_failure(WATCH.id, "429", now=NOW, next_poll_at=NOW, gap=gap, usage=Usage(requests=3))
    assert [(day.requests, day.items, day.cost) for day in store.usage.days(NOW)] == [(3, 0, 0.0)]


def test_polls_that_ask_nobody_anything_leave_no_rows(store: Store) -> None:
    save(store)
    store.collecting.save_failure(WATCH.id, "no folder", now=NOW, next_poll_at=NOW, usage=Usage())
    assert store.usage.days(NOW - DAY) == []


def test_sums_begin_and_end_with_days_in_utc(store: Store) -> None:
    tokyo_morning = datetime.fromisoformat("2026-11-22T08:30:00+09:00")
    assert day_of(tokyo_morning) == "2026-11-21"
    for at, requests in ((NOW - 2 * DAY, 1), (NOW - DAY, 10), (tokyo_morning, 100), (NOW + DAY, 1000)):
        store.usage.add("w1", Usage(requests, 0, 0.5), at)
    store.usage.add("w2", Usage(7), NOW)
    assert store.usage.sums(NOW - DAY, NOW + DAY) == {
        "w1": DayUsage("w1", "2026-11-21", 110, 0, 1.0, 0, 0),
        "w2": DayUsage("w2", "2026-11-21", 7, 0, 0.0, 0, 0),
    }
    assert [day.requests for day in store.usage.days(NOW - DAY, watch_ids=["w1"])] == [1000, 100, 10]


def test_a_watch_remembers_its_newest_mention_and_when_it_came(store: Store) -> None:
    save(store, mention(30))
    state = store.collecting.state(WATCH.id)
    assert (state.newest_at, state.newest_taken_at) == (mention(30).published_at, datetime(2026, 11, 20, 9, tzinfo=UTC))
    save(store, mention(40))  # older: a sweep goes back in time
    assert store.collecting.state(WATCH.id).newest_at == mention(30).published_at
    save(store, mention(50, published_at=datetime(2031, 1, 1, tzinfo=UTC)))  # a file that claims the future
    assert store.collecting.state(WATCH.id).newest_at == datetime(2026, 11, 20, 9, tzinfo=UTC)


# X


def test_x_is_counted_by_request_and_by_post(
    store: Store, server: XServer, x: XSource, config: Config, clock: FixedClock
) -> None:
    for minutes in range(3):
        server.add_post("yunfan kettle leaks", at=NOW - timedelta(minutes=minutes + 2))
    made = collector(store, x, config, clock)
    assert poll(made).new.total() == 3
    clock.advance(300)
    server.now = clock.now()
    poll(made)
    (day,) = store.usage.days(NOW)
    assert (day.requests, day.items, day.mentions) == (2, 3, 3)
    assert day.cost == pytest.approx(0.015)


def test_refused_requests_are_counted_though_they_cost_nothing(
    store: Store, server: XServer, x: XSource, config: Config, clock: FixedClock
) -> None:
    server.usage_capped()
    poll(collector(store, x, config, clock))
    (day,) = store.usage.days(NOW)
    assert (day.requests, day.items, day.cost) == (1, 0, 0.0)
    assert "Usage cap exceeded" in (store.collecting.state(day.watch_id).problem or "")


def test_the_same_post_costs_once_a_day(server: XServer, x: XSource, clock: FixedClock) -> None:
    found = server.add_post("yunfan kettle leaks", at=NOW - timedelta(minutes=2))
    x.fetch(X_WATCH, None)
    assert x.meter.take() == Usage(1, 1, 0.005)
    x.look(X_WATCH, None, [PostRef("x", found, {"post_id": found})])
    assert x.meter.take() == Usage(1, 1, 0.0)
    clock.advance(86_400)
    server.now = clock.now()
    x.look(X_WATCH, None, [PostRef("x", found, {"post_id": found})])
    assert x.meter.take() == Usage(1, 1, 0.005)


def test_looking_up_an_account_has_a_price_of_its_own(server: XServer, x: XSource) -> None:
    server.add_user("yunfan_gb")
    watch = Watch("x/GB/y", "x", "y", "GB", ("en",), ("y",), account="yunfan_gb", options=XWatchOptions(search=False))
    x.fetch(watch, None)
    assert x.meter.take() == Usage(2, 1, 0.010)


def test_prices_are_the_configurations(server: XServer, options: XOptions, clock: FixedClock) -> None:
    server.add_post("yunfan kettle leaks", at=NOW - timedelta(minutes=2))
    source = XSource(options.model_copy(update={"price_per_post": 0.25}), clock)
    source.fetch(X_WATCH, None)
    assert source.meter.take().cost == 0.25
    source.close()


def test_a_trial_of_x_reads_no_post_and_moves_no_cursor(server: XServer, x: XSource) -> None:
    server.add_post("yunfan kettle leaks", at=NOW - timedelta(minutes=30))
    assert "takes the token and 1 query" in x.try_out(X_WATCH, None).said
    assert x.meter.take() == Usage(requests=1)
    assert [request.path for request in server.requests] == ["/2/tweets/search/recent"]


def test_a_trial_of_x_says_what_x_refuses(server: XServer, options: XOptions, clock: FixedClock) -> None:
    server.token = "another"
    source = XSource(options, clock)
    with pytest.raises(RefusedSourceError, match="401"):
        source.try_out(X_WATCH, None)
    source.close()


def test_a_trial_of_a_watch_that_has_read_its_month_asks_nothing(server: XServer, x: XSource) -> None:
    watch = Watch("x/GB/y", "x", "y", "GB", ("en",), ("y",), options=XWatchOptions(mentions=False, monthly_posts=5))
    cursor = '{"sweeps": {}, "month": "2026-11", "posts": 5}'
    with pytest.raises(QuotaExhaustedError, match="read its 5 posts"):
        x.try_out(watch, cursor)
    assert server.requests == []


def test_how_much_of_a_month_is_used_stands_in_the_cursor() -> None:
    budget = source_specs()["x"].budget
    assert budget is not None
    watch = Watch("x/GB/y", "x", "y", "GB", ("en",), ("y",), options=XWatchOptions(monthly_posts=500))
    december = datetime(2026, 12, 1, tzinfo=UTC)
    assert budget(watch, '{"month": "2026-11", "posts": 123}', NOW) == Budget(123, 500, december)
    assert budget(watch, '{"month": "2026-10", "posts": 123}', NOW) == Budget(0, 500, december)
    assert budget(watch, "no cursor", NOW) == Budget(0, 500, december)
    assert budget(X_WATCH, None, NOW) is None


# VK and files


@pytest.fixture
def vk_server() -> Iterator[VkServer]:
    with VkServer() as running:
        running.add_user(501, "Анна", "С.", screen_name="anna_s")
        running.add_group(777, "Yunfan", "yunfan_ru", members_count=5400)
        yield running


def test_vk_counts_calls_and_costs_nothing(vk_server: VkServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VK_TOKEN_FOR_TESTS", TOKEN)
    options = VkOptions(token=Secret("env", "VK_TOKEN_FOR_TESTS"), base_url=vk_server.base_url, calls_per_second=1000)
    source = create_vk(options, FixedClock(datetime.fromtimestamp(VK_NOW, UTC)))
    searching, reading, idle = (
        Watch("vk/RU/y", "vk", "y", "RU", ("ru",), terms, account=account, options=VkWatchOptions(search=bool(terms)))
        for terms, account in ((("Yunfan",), None), ((), "yunfan_ru"), ((), None))
    )
    source.fetch(searching, None)
    used = source.meter.take()
    assert used.requests >= 1
    assert used.cost == 0.0
    assert "for Yunfan" in source.try_out(searching, None).said
    assert "wall of yunfan_ru" in source.try_out(reading, None).said
    with pytest.raises(RefusedSourceError, match="nothing to ask VK for"):
        source.try_out(idle, None)
    vk_server.script(Reply(200, {"error": {"error_code": 5, "error_msg": f"revoked {TOKEN}", "request_params": []}}))
    with pytest.raises(RefusedSourceError, match="issue a new one") as refused:
        source.try_out(searching, None)
    assert TOKEN not in str(refused.value)
    source.close()


def file_watch(path: Path) -> Watch:
    return Watch("file/FR/y", "file", "y", "FR", ("fr",), ("y",), options=FileWatchOptions(path=str(path)))


def test_a_trial_of_files_names_how_many_there_are_and_the_newest(tmp_path: Path) -> None:
    source = FileSource(FileOptions(), FixedClock(NOW))
    empty = source.try_out(file_watch(tmp_path), None)
    assert not empty.heard
    assert "holds no file" in empty.said
    (tmp_path / "a.csv").write_text("text\nhello\n")
    (tmp_path / "b\u202e.csv").write_text("text\nhello\n")
    (tmp_path / ".hidden").write_text("x")
    said = source.try_out(file_watch(tmp_path), None).said
    assert "2 files that can be read" in said
    assert "\u202e" not in said
    with pytest.raises(Exception, match="create it or correct the path"):
        source.try_out(file_watch(tmp_path / "nowhere"), None)


def test_a_trial_of_wechat_refuses_databases_and_counts_the_rest(tmp_path: Path) -> None:
    (tmp_path / "chat.csv").write_text("a,b\n")
    (tmp_path / "MicroMsg.db").write_bytes(b"SQLite format 3\x00")
    watch = Watch("wechat/CN/y", "wechat", "y", "CN", ("zh",), ("y",), options=WeChatWatchOptions(folder=str(tmp_path)))
    said = WeChatSource(WeChatOptions(), FixedClock(NOW)).try_out(watch, None).said
    assert "1 file that can be read" in said
    assert "1 not, such as MicroMsg.db: databases are never opened" in said
