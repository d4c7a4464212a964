import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from listener.clock import FixedClock
from listener.config import Secret
from listener.errors import MissingSecretError, QuotaExhaustedError, RefusedSourceError, RetryableSourceError
from listener.model import Page, Watch
from sources.base import Source
from sources.x import SPEC, XOptions, XWatchOptions
from tests.servers.base import LocalServer, Reply, Request
from tests.servers.x import XServer, snowflake

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TOKEN = "unit-test-token-0123"
SEARCH_ONLY = XWatchOptions(mentions=False)
MENTIONS_ONLY = XWatchOptions(search=False)


class World:
    """A local X, a clock that it shares with the source, and the source."""

    def __init__(self, server: XServer, tmp_path: Path) -> None:
        self.server = server
        self.clock = FixedClock(NOW)
        (tmp_path / "token").write_text(TOKEN)
        self.secret = Secret("file", str(tmp_path / "token"))
        self.sources: list[Source] = []
        self.source = self.make()
        self.user_id = server.add_user("yunfan")

    def make(self, **options: Any) -> Source:
        values = {"base_url": self.server.base_url, "timeout_s": 5.0, "max_results": 10, **options}
        self.source = SPEC.create(XOptions(bearer_token=self.secret, **values), self.clock)
        self.sources.append(self.source)
        return self.source

    def later(self, **delta: float) -> None:
        self.clock.advance(timedelta(**delta).total_seconds())
        self.server.now = self.clock.now()

    def post(self, text: str = "yunfan kettle", *, minutes_ago: float = 5, **fields: Any) -> str:
        return self.server.add_post(text, at=self.clock.now() - timedelta(minutes=minutes_ago), **fields)

    def poll(self, watch: Watch, cursor: str | None = None) -> tuple[list[Page], str | None]:
        pages = []
        for _ in range(60):
            pages.append(self.source.fetch(watch, cursor))
            cursor = pages[-1].cursor
            if not pages[-1].more:
                return pages, cursor
        raise AssertionError("the poll does not end")

    def asked(self, path_end: str) -> list[dict[str, str]]:
        return [request.query for request in self.server.requests if request.path.endswith(path_end)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with XServer(NOW, token=TOKEN) as server:
        made = World(server, tmp_path)
        yield made
        for source in made.sources:
            source.close()


def watch(options: XWatchOptions = SEARCH_ONLY, **changes: Any) -> Watch:
    made = Watch(
        id="x/GB/yunfan",
        source="x",
        brand="yunfan",
        country="GB",
        languages=("en",),
        terms=("yunfan",),
        account="yunfan",
        options=options,
    )
    return replace(made, **changes)


def ids(pages: list[Page]) -> list[str]:
    return [mention.external_id for page in pages for mention in page.mentions]


def reasons(pages: list[Page]) -> list[str]:
    return [item.reason for page in pages for item in page.skipped]


def test_the_first_sweep_goes_back_as_far_as_configured(world: World) -> None:
    world.make(look_back="2h")
    recent = world.post(minutes_ago=90)
    world.post(minutes_ago=150)
    pages, _ = world.poll(watch())
    assert ids(pages) == [recent]
    assert world.asked("/recent")[0]["start_time"] == "2026-11-21T10:00:00Z"


def test_a_sweep_keeps_its_lower_bound_on_every_page_and_moves_it_at_the_end(world: World) -> None:
    first = world.post()
    _, cursor = world.poll(watch())
    world.later(hours=1)
    added = [world.post(f"yunfan {n}") for n in range(25)]
    before = len(world.server.requests)
    pages, cursor = world.poll(watch(), cursor)
    assert sorted(ids(pages)) == sorted(added)
    queries = world.asked("/recent")[before:]
    assert [query["since_id"] for query in queries] == [first] * 3
    assert all("start_time" not in query for query in queries)
    world.later(minutes=2)
    assert ids(world.poll(watch(), cursor)[0]) == []
    assert world.asked("/recent")[-1]["since_id"] == max(added, key=int)


def test_a_sweep_cut_between_pages_goes_on_and_loses_nothing(world: World) -> None:
    added = [world.post(f"yunfan {n}") for n in range(25)]
    first = world.source.fetch(watch(), None)
    assert first.more
    late = world.post("yunfan while the sweep is under way", minutes_ago=1)
    world.make()
    pages, cursor = world.poll(watch(), first.cursor)
    assert sorted([*ids([first]), *ids(pages)]) == sorted(added)
    world.later(minutes=2)
    assert ids(world.poll(watch(), cursor)[0]) == [late]


def test_a_failed_page_leaves_the_sweep_to_be_repeated(world: World) -> None:
    added = [world.post(f"yunfan {n}") for n in range(15)]
    first = world.source.fetch(watch(), None)
    world.server.script(Reply(503, {"title": "Service Unavailable"}))
    with pytest.raises(RetryableSourceError):
        world.source.fetch(watch(), first.cursor)
    pages, _ = world.poll(watch(), first.cursor)
    assert sorted(ids([first, *pages])) == sorted(added)


def test_a_poll_stops_at_its_page_limit_and_the_next_goes_on(world: World) -> None:
    world.make(max_pages=2)
    added = [world.post(f"yunfan {n}") for n in range(35)]
    pages, cursor = world.poll(watch())
    assert len(pages) == 2
    more, _ = world.poll(watch(), cursor)
    assert sorted(ids(pages + more)) == sorted(added)


def test_a_quiet_brand_is_not_read_from_the_look_back_again(world: World) -> None:
    _, cursor = world.poll(watch())
    world.later(hours=2)
    world.poll(watch(), cursor)
    assert world.asked("/recent")[-1]["start_time"] == "2026-11-21T11:59:30Z"


def test_a_since_id_too_old_falls_back_to_the_window_and_leaves_a_gap(world: World) -> None:
    world.post()
    _, cursor = world.poll(watch())
    world.later(days=9)
    added = world.post("yunfan again", minutes_ago=60)
    pages, cursor = world.poll(watch(), cursor)
    assert ids(pages) == [added]
    (gap,) = [gap for page in pages for gap in page.gaps]
    assert gap.start_at == NOW - timedelta(seconds=30)
    assert gap.end_at == world.clock.now() - timedelta(days=7) + timedelta(minutes=5)
    world.later(minutes=2)
    assert [gap for page in world.poll(watch(), cursor)[0] for gap in page.gaps] == []


def test_an_old_since_id_of_a_brand_that_was_polled_all_along_is_no_gap(world: World) -> None:
    world.post()
    _, cursor = world.poll(watch())
    world.later(days=5)
    _, cursor = world.poll(watch(), cursor)
    world.later(days=4)
    added = world.post()
    pages, _ = world.poll(watch(), cursor)
    assert ids(pages) == [added]
    assert [gap for page in pages for gap in page.gaps] == []
    assert world.asked("/recent")[-1]["start_time"] == "2026-11-26T11:59:30Z"


def test_a_page_token_that_x_forgot_is_replaced_by_the_oldest_post_taken(world: World) -> None:
    added = [world.post(f"yunfan {n}") for n in range(25)]
    first = world.source.fetch(watch(), None)
    world.server._tokens.clear()
    pages, _ = world.poll(watch(), first.cursor)
    assert sorted(ids([first, *pages])) == sorted(added)
    assert [gap for page in pages for gap in page.gaps] == []


def test_a_sweep_left_open_for_weeks_ends_where_the_window_does(world: World) -> None:
    for n in range(25):
        world.post(f"yunfan {n}")
    first = world.source.fetch(watch(), None)
    world.later(days=20)
    pages, cursor = world.poll(watch(), first.cursor)
    assert ids(pages) == []
    added = world.post()
    world.later(minutes=5)
    assert ids(world.poll(watch(), cursor)[0]) == [added]


def test_a_page_that_leads_to_itself_does_not_loop(world: World) -> None:
    added = [world.post(f"yunfan {n}") for n in range(3)]
    meta = {"result_count": 0, "next_token": "again"}
    world.server.script(Reply(200, {"meta": meta}), Reply(200, {"meta": meta}))
    pages, cursor = world.poll(watch())
    assert len(pages) == 2
    assert sorted(ids(world.poll(watch(), cursor)[0])) == sorted(added)


def test_a_full_page_that_leads_to_itself_is_gone_on_below(world: World) -> None:
    added = [world.post(f"yunfan {n}") for n in range(25)]
    first = world.source.fetch(watch(), None)
    assert first.cursor is not None
    token = json.loads(first.cursor)["sweeps"]["search"]["next_token"]
    posts = [
        {"id": mention.external_id, "text": mention.text, "created_at": mention.published_at.isoformat()}
        for mention in first.mentions
    ]
    world.server.script(Reply(200, {"data": posts, "meta": {"next_token": token}}))
    pages, _ = world.poll(watch(), first.cursor)
    assert set(ids([first, *pages])) == set(added)


def test_another_refused_parameter_is_refused_with_what_x_said(world: World) -> None:
    bad = watch(XWatchOptions(mentions=False, query="yunfan min_faves:3"))
    with pytest.raises(RefusedSourceError, match="invalid operator 'min_faves:3'"):
        world.source.fetch(bad, None)


def test_only_the_watchs_languages_are_asked_for(world: World) -> None:
    wanted = [world.post("yunfan c'est nul", lang="fr"), world.post("yunfan rusak", lang="in")]
    world.post("yunfan is bad")
    pages, _ = world.poll(watch(languages=("fr", "id")))
    assert sorted(ids(pages)) == sorted(wanted)


def test_exclusions_hold_whether_or_not_they_fit_into_the_query(world: World) -> None:
    excludes = tuple(f"unwanted phrase {n}" for n in range(30))
    kept = world.post("yunfan kettle")
    world.post("yunfan unwanted phrase 1")
    world.post("yunfan Unwanted Phrase 29")
    pages, _ = world.poll(watch(exclude=excludes))
    assert ids(pages) == [kept]
    assert reasons(pages) == ["holds an excluded term"]


def test_many_terms_are_swept_as_several_queries_in_one_poll(world: World) -> None:
    terms = tuple(f"yunfan model {n:03}" for n in range(70))
    added = [world.post(f"my yunfan model {n:03} broke") for n in (0, 35, 69)]
    pages, _ = world.poll(watch(terms=terms))
    assert sorted(ids(pages)) == sorted(added)
    assert len({query["query"] for query in world.asked("/recent")}) > 1


def test_mentions_of_the_account_come_from_its_timeline(world: World) -> None:
    mine = world.post("@yunfan hello?", lang="und")
    pages, cursor = world.poll(watch(MENTIONS_ONLY))
    assert ids(pages) == [mine]
    world.later(minutes=5)
    added = [world.post(f"@yunfan {n}", minutes_ago=2) for n in range(23)]
    pages, _ = world.poll(watch(MENTIONS_ONLY), cursor)
    assert sorted(ids(pages)) == sorted(added)
    assert len(world.asked("/by/username/yunfan")) == 1
    assert world.asked("/mentions")[-1]["pagination_token"]


def test_the_timeline_is_narrowed_to_the_watchs_languages(world: World) -> None:
    mine = [world.post("@yunfan broken"), world.post("@yunfan 🔥", lang="und")]
    other = world.post("@yunfan kaputt", lang="de")
    pages, _ = world.poll(watch(MENTIONS_ONLY))
    assert sorted(ids(pages)) == sorted(mine)
    assert reasons(pages) == ["in another country's language"]
    pages, _ = world.poll(watch(XWatchOptions(search=False, any_language=True)))
    assert sorted(ids(pages)) == sorted([*mine, other])


def test_a_poll_sweeps_search_and_then_mentions(world: World) -> None:
    both = world.post("@yunfan hello")
    search_only, mention_only = world.post("yunfan"), world.post("@yunfan ?!", lang="und")
    pages, _ = world.poll(watch(XWatchOptions()))
    assert [page.more for page in pages] == [True, False]
    assert sorted(ids(pages[:1])) == sorted([both, search_only])
    assert sorted(ids(pages[1:])) == sorted([both, mention_only])


def test_refused_mentions_are_told_and_search_goes_on(world: World) -> None:
    world.server.mentions_refused = True
    found = world.post()
    pages, cursor = world.poll(watch(XWatchOptions()))
    assert ids(pages) == [found]
    assert [reason for reason in reasons(pages) if "403" in reason]
    world.later(hours=1)
    pages, cursor = world.poll(watch(XWatchOptions()), cursor)
    assert reasons(pages) == []
    assert len(world.asked("/mentions")) == 1
    world.server.mentions_refused = False
    world.later(hours=6)
    late = world.post("@yunfan ?", lang="und", minutes_ago=400)
    pages, _ = world.poll(watch(XWatchOptions()), cursor)
    assert ids(pages) == [late]
    assert len(world.asked("/by/username/yunfan")) == 1


def test_mentions_refused_without_search_stop_the_source(world: World) -> None:
    world.server.mentions_refused = True
    with pytest.raises(RefusedSourceError, match="403"):
        world.source.fetch(watch(MENTIONS_ONLY), None)


def test_a_limited_timeline_waits_for_its_reset_while_search_goes_on(world: World) -> None:
    first = world.source.fetch(watch(XWatchOptions()), None)
    world.server.rate_limited(NOW + timedelta(minutes=9))
    second = world.source.fetch(watch(XWatchOptions()), first.cursor)
    assert [item.broken for item in second.skipped] == [True]
    world.later(minutes=5)
    _, cursor = world.poll(watch(XWatchOptions()), second.cursor)
    assert world.asked("/mentions") == []
    world.later(minutes=5)
    world.poll(watch(XWatchOptions()), cursor)
    assert len(world.asked("/mentions")) == 1


@pytest.mark.parametrize(("account", "reason"), [("nobody_here", "no account"), ("not a handle", "no handle")])
def test_an_account_that_is_not_there_is_told(world: World, account: str, reason: str) -> None:
    found = world.post()
    pages, _ = world.poll(watch(XWatchOptions(), account=account))
    assert ids(pages) == [found]
    assert reason in "".join(reasons(pages))


def test_the_end_of_the_timeline_is_a_gap(world: World) -> None:
    world.make(max_results=100)
    world.post("@yunfan first")
    _, cursor = world.poll(watch(MENTIONS_ONLY))
    world.later(hours=2)
    added = [world.post(f"@yunfan {n}", minutes_ago=100 - n / 100) for n in range(850)]
    pages, _ = world.poll(watch(MENTIONS_ONLY), cursor)
    assert len(ids(pages)) == 800
    (gap,) = [gap for page in pages for gap in page.gaps]
    assert gap.start_at == NOW - timedelta(seconds=30)
    assert snowflake(gap.end_at, 0)[:12] == added[50][:12]


def test_the_newer_field_naming_is_used_where_the_older_is_refused(world: World) -> None:
    world.server.namings = {"post"}
    found = world.post(public_metrics={"retweet_count": 4})
    world.server.places["p1"] = {"id": "p1", "full_name": "Leeds", "country_code": "GB", "country": "UK", "name": "x"}
    replied = world.post(geo={"place_id": "p1"}, referenced_tweets=[{"type": "replied_to", "id": "77"}])
    pages, cursor = world.poll(watch())
    mentions = {mention.external_id: mention for page in pages for mention in page.mentions}
    assert mentions[found].engagement.reposts == 4
    assert mentions[found].author.handle == "ann_s"
    assert (mentions[replied].reply_to_id, mentions[replied].country) == ("77", "GB")
    world.poll(watch(), cursor)
    assert [name for query in world.asked("/recent") for name in query if name.endswith("t.fields")] == [
        "tweet.fields",
        "post.fields",
        "post.fields",
    ]


def test_the_older_naming_brings_everything_too(world: World) -> None:
    world.server.namings = {"tweet"}
    world.server.add_user("ann_s", followers=80_000, description="reporter", verified=True, location="Leeds")
    whole = "yunfan " + "long " * 100
    world.post("yunfan long...", note_tweet={"text": whole}, referenced_tweets=[{"type": "replied_to", "id": "77"}])
    ((mention,),) = [page.mentions for page in world.poll(watch())[0]]
    assert mention.text == whole.strip()
    assert mention.reply_to_id == "77"
    assert (mention.author.followers, mention.author.bio, mention.author.verified) == (80_000, "reporter", True)


def test_partial_errors_beside_data_lose_nothing(world: World) -> None:
    world.server.errors = [{"title": "Not Found Error", "detail": "Could not find tweet with id: [1]."}]
    found = world.post()
    pages, _ = world.poll(watch())
    assert ids(pages) == [found]
    assert [item.broken for page in pages for item in page.skipped] == [False]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, b"<html>maintenance"), RetryableSourceError),
        (Reply(200, ["not", "an", "object"]), RetryableSourceError),
        (Reply(200, {"data": []}, cut=True), RetryableSourceError),
        (Reply(500, ["not", "an", "object"]), RetryableSourceError),
        (Reply(429, {}, {"x-rate-limit-reset": "soon"}), RetryableSourceError),
        (Reply(403, {"detail": "not enrolled"}), RefusedSourceError),
        (Reply(402, {"title": "CreditsDepleted"}), QuotaExhaustedError),
    ],
)
def test_a_bad_answer_is_one_of_our_errors(world: World, reply: Reply, kind: type[Exception]) -> None:
    world.server.script(reply)
    with pytest.raises(kind):
        world.source.fetch(watch(), None)


def test_a_rate_limit_says_when_to_come_back(world: World) -> None:
    world.server.requests_per_window = 1
    _, cursor = world.poll(watch())
    with pytest.raises(RetryableSourceError) as raised:
        world.source.fetch(watch(), cursor)
    assert raised.value.retry_after_s == 901.0


def test_the_monthly_cap_pauses_until_the_next_month_after_one_request(world: World) -> None:
    world.server.usage_capped()
    with pytest.raises(QuotaExhaustedError) as raised:
        world.source.fetch(watch(), None)
    assert raised.value.resets_at == datetime(2026, 12, 1, tzinfo=UTC)
    assert len(world.server.requests) == 1


def test_a_watch_keeps_its_own_monthly_limit(world: World) -> None:
    limited = watch(XWatchOptions(mentions=False, monthly_posts=3))
    for n in range(4):
        world.post(f"yunfan {n}")
    _, cursor = world.poll(limited)
    with pytest.raises(QuotaExhaustedError) as raised:
        world.source.fetch(limited, cursor)
    assert raised.value.resets_at == datetime(2026, 12, 1, tzinfo=UTC)
    world.later(days=10, minutes=5)
    found = world.post()
    assert ids(world.poll(limited, cursor)[0]) == [found]


def test_an_unreachable_host_is_retryable(world: World) -> None:
    world.make(base_url="http://127.0.0.1:9")
    with pytest.raises(RetryableSourceError, match="could not be reached"):
        world.source.fetch(watch(), None)


def test_a_slow_answer_times_out(world: World) -> None:
    world.make(timeout_s=1)
    world.server.script(Reply(200, {}, hang_s=60))
    with pytest.raises(RetryableSourceError, match="ReadTimeout"):
        world.source.fetch(watch(), None)


def test_a_wrong_token_is_refused_and_never_shown(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.server.token = "another"
    with caplog.at_level(logging.DEBUG), pytest.raises(RefusedSourceError) as raised:
        world.source.fetch(watch(), None)
    assert TOKEN not in str(raised.value)
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(world.source)


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "naïve"])
def test_a_token_that_cannot_be_sent_is_told_without_repeating_it(world: World, token: str) -> None:
    Path(world.secret.name).write_text(token)
    with pytest.raises(MissingSecretError) as raised:
        world.make()
    assert token not in str(raised.value)


@pytest.mark.parametrize("cursor", ["", "{", "[]", '{"sweeps": 3}', '{"sweeps": {"search": {"seen": "x"}}}', "null"])
def test_a_cursor_that_cannot_be_read_starts_afresh_and_says_so(world: World, cursor: str) -> None:
    found = world.post()
    pages, _ = world.poll(watch(), cursor)
    assert ids(pages) == [found]
    assert "cursor cannot be read" in reasons(pages)[0]


def test_the_cursor_is_json_that_survives_a_round_trip(world: World) -> None:
    for n in range(12):
        world.post(f"yunfan {n}")
    page = world.source.fetch(watch(XWatchOptions()), None)
    assert page.cursor is not None
    sweep = json.loads(page.cursor)["sweeps"]["search"]
    assert set(sweep) == {"began_at", "start_at", "newest_id", "oldest_id", "next_token", "seen"}


def test_a_watch_with_nothing_to_ask_for_says_so(world: World) -> None:
    page = world.source.fetch(watch(terms=("?!",), account=None), None)
    assert page.mentions == ()
    assert not page.more
    assert [item.reason.split(":")[0] for item in page.skipped] == [
        "X cannot search for this term",
        "nothing to ask X for",
    ]
    assert world.server.requests == []


def test_the_own_account_is_not_read_at_all_by_search(world: World) -> None:
    world.post("yunfan wishes you a good day", username="yunfan")
    pages, _ = world.poll(watch())
    assert (ids(pages), reasons(pages)) == ([], [])


def test_own_replies_in_the_timeline_are_left_out(world: World) -> None:
    world.post("@yunfan and friends", username="yunfan")
    pages, _ = world.poll(watch(MENTIONS_ONLY))
    assert (ids(pages), reasons(pages)) == ([], ["the brand's own post"])


@pytest.mark.parametrize(
    "options",
    [{"search": False, "mentions": False}, {"query": "x" * 513}, {"query": ""}, {"monthly_posts": 0}, {"quary": "x"}],
)
def test_watch_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        XWatchOptions(**options)


def test_closing_twice_is_fine(world: World) -> None:
    world.source.close()
    world.source.close()


def test_importing_the_source_loads_no_tweepy() -> None:
    import subprocess
    import sys

    code = "import sys, sources.x; sys.exit('tweepy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Elsewhere(LocalServer):
    def handle(self, request: Request) -> Reply:
        return Reply(body={"meta": {}})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(world: World, status: int) -> None:
    with Elsewhere() as other:
        world.server.script(Reply(status, b"", {"Location": f"{other.base_url}/x"}))
        with pytest.raises(RetryableSourceError, match=str(status)):
            world.source.fetch(watch(), None)
        assert other.requests == []


@pytest.mark.parametrize("odd", ["9" * 5000, "9" * 26, "\u0663\u0664", "-5", "", 10**30])
def test_an_id_that_none_can_be_is_skipped_and_the_page_goes_on(world: World, odd: Any) -> None:
    good = world.post()
    post = {"text": "yunfan", "created_at": "2026-11-21T11:00:00Z"}
    data = [{"id": odd, **post}, {"id": good, **post}]
    world.server.script(Reply(body={"data": data, "meta": {"result_count": 2}}))
    pages, cursor = world.poll(watch())
    assert ids(pages) == [good]
    assert [item.broken for page in pages for item in page.skipped] == [True]
    assert json.loads(cursor or "")["sweeps"]["search"]["since_id"] == good


def test_a_cursor_with_an_impossible_id_is_started_anew(world: World) -> None:
    good = world.post()
    cursor = json.dumps({"sweeps": {"search": {"since_id": "9" * 5000}}, "turn": "search"})
    pages, _ = world.poll(watch(), cursor)
    assert ids(pages) == [good]
    assert "cursor cannot be read" in reasons(pages)[0]
