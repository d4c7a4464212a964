"""Sweeps of recent search and of the brand account's mentions, one page per fetch."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from listener.clock import Clock
from listener.errors import QuotaExhaustedError, RefusedWatchError, RetryableSourceError, SourceError
from listener.model import Gap, Mention, Page, Skipped, Watch
from listener.sentences import counted
from sources.base import Looked, PostRef, Trial
from sources.x.client import XClient
from sources.x.errors import RejectedParameterError, first_of_next_month
from sources.x.languages import primary, x_codes
from sources.x.looking import MOST_POSTS, look_at
from sources.x.options import XOptions, XWatchOptions
from sources.x.parsing import parse_answer, parse_id, posts_of
from sources.x.query import QueryPlan, account_handle, plan_queries
from sources.x.sweep import SEARCH_WINDOW, State, Sweep, dump_state, load_state

MENTIONS = "mentions"
_REFUSED_PAUSE = timedelta(hours=6)
_FAULT_PAUSE_S = 60.0


@dataclass(slots=True)
class _Catch:
    """What one page brought."""

    mentions: list[Mention]
    skipped: list[Skipped]
    gaps: list[Gap]
    posts: int = 0


class XSource:
    """Recent search and mentions on X. The two are endpoints of one watch, each with its own sweep.

    Where search is on, the mentions timeline is an extra: a fault or refusal there is told as a skipped item,
    the timeline pauses (six hours after a refusal), and search goes on. A refused token stops both, as search asks
    first.
    """

    most_posts = MOST_POSTS

    def __init__(self, options: XOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._client = XClient(options, clock)
        self.meter = self._client.meter

    def close(self) -> None:
        """Release connections. May be called more than once."""
        self._client.close()

    def fetch(self, watch: Watch, cursor: str | None) -> Page:
        """Return the next page of the sweep under way, or the first of a new one."""
        asked = watch.options if isinstance(watch.options, XWatchOptions) else XWatchOptions()
        plan = _plan(watch, asked)
        endpoints = _endpoints(watch, asked, plan)
        if not endpoints:
            return Page((), cursor, skipped=tuple(_unusable(watch, plan)))
        state, notes = _state(cursor, watch, endpoints)
        self._check_budget(watch, asked, state)
        catch = self._catch(watch, asked, plan, endpoints, state)
        state.count(catch.posts, self._clock.now())
        more = _next_turn(state, endpoints, self._options.max_pages)
        if not more:
            notes.extend(_unusable(watch, plan))
        skipped = (*notes, *catch.skipped)
        return Page(tuple(catch.mentions), dump_state(state), more, skipped, tuple(catch.gaps))

    def look(self, watch: Watch, cursor: str | None, posts: Sequence[PostRef]) -> Looked:
        """Return what became of posts; what is read counts towards the watch's month."""
        asked = watch.options if isinstance(watch.options, XWatchOptions) else XWatchOptions()
        state, _ = _state(cursor, watch, _endpoints(watch, asked, _plan(watch, asked)))
        self._check_budget(watch, asked, state)
        if asked.monthly_posts is not None:
            posts = posts[: asked.monthly_posts - state.count(0, self._clock.now())]
        fates, read = look_at(self._client.posts, posts[: self.most_posts])
        state.count(read, self._clock.now())
        return Looked(tuple(fates), dump_state(state))

    def try_out(self, watch: Watch, cursor: str | None) -> Trial:
        """Search for the watch's own query within one second long past: X says all that it would, and reads nothing.

        The account of a watch that reads mentions alone is searched for by its name, as looking it up costs.
        """
        asked = watch.options if isinstance(watch.options, XWatchOptions) else XWatchOptions()
        handle, plan = account_handle(watch.account), _plan(watch, asked)
        queries = plan.queries or ((f"@{handle}",) if asked.mentions and handle else ())
        if not queries:
            raise RefusedWatchError("there is nothing to ask X for: no usable term and no account")
        now = self._clock.now()
        self._check_budget(watch, asked, _state(cursor, watch, _endpoints(watch, asked, plan))[0])
        start = now - timedelta(minutes=2)
        for query in queries:
            window = {"start_time": start, "end_time": start + timedelta(seconds=1), "max_results": 10}
            self._client.search(query, window)
        said = counted("X takes the token and {count} query", "X takes the token and {count} queries", len(queries))
        return Trial(said)

    def _check_budget(self, watch: Watch, asked: XWatchOptions, state: State) -> None:
        now = self._clock.now()
        if asked.monthly_posts is not None and state.count(0, now) >= asked.monthly_posts:
            message = f"watch {watch.id} has read its {asked.monthly_posts} posts of the month"
            raise QuotaExhaustedError(message, first_of_next_month(now))

    def _catch(
        self, watch: Watch, asked: XWatchOptions, plan: QueryPlan, endpoints: dict[str, str], state: State
    ) -> _Catch:
        sweep = state.sweeps[state.turn]
        if state.turn != MENTIONS:
            return self._search(watch, endpoints[state.turn], plan, sweep)
        if not asked.search:
            return self._mentions(watch, asked, sweep)
        now = self._clock.now()
        if sweep.pause_until is not None and now < sweep.pause_until:
            return _Catch([], [], [])
        sweep.pause_until = None
        kept = replace(sweep)
        try:
            return self._mentions(watch, asked, sweep)
        except SourceError as error:
            kept.account, kept.user_id = sweep.account, sweep.user_id  # each look-up costs
            kept.pause_until = _pause_until(error, now)
            state.sweeps[MENTIONS] = kept
            return _Catch([], [Skipped(f"mentions timeline: {error}", f"x:{watch.account}")], [])

    def _search(self, watch: Watch, query: str, plan: QueryPlan, sweep: Sweep) -> _Catch:
        catch = self._read(watch, sweep, SEARCH_WINDOW, lambda parameters: self._client.search(query, parameters))
        _leave_out(catch, "holds an excluded term", lambda mention: _holds(mention.text, plan.late_excludes))
        return catch

    def _mentions(self, watch: Watch, asked: XWatchOptions, sweep: Sweep) -> _Catch:
        handle = account_handle(watch.account)
        if handle is None:
            raise RefusedWatchError(f"'{watch.account}' is no handle on X")
        if sweep.account != handle or sweep.user_id is None:
            sweep.account, sweep.user_id = handle, self._client.user_id(handle)
        user_id = sweep.user_id
        catch = self._read(watch, sweep, None, lambda parameters: self._client.mentions(user_id, parameters))
        if not asked.any_language:
            # The timeline is one for all countries; search filters by language, so the same is done here.
            codes = x_codes(watch.languages)
            _leave_out(catch, "in another country's language", lambda mention: _is_foreign(mention, codes))
        return catch

    def _read(
        self,
        watch: Watch,
        sweep: Sweep,
        window: timedelta | None,
        ask: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> _Catch:
        gaps = sweep.begin(self._clock.now(), self._options.look_back, window)
        answer, lost = self._answer(sweep, ask)
        posts = posts_of(answer)
        found = (parse_id(post.get("id")) for post in posts if isinstance(post, dict))
        ids = [post_id for post_id in found if post_id is not None]
        gaps += lost + sweep.take(ids, _next_token(answer))
        mentions, skipped = parse_answer({"meta": {}, **answer}, brand_account=watch.account)
        return _Catch(mentions, skipped, gaps, len(posts))

    def _answer(
        self, sweep: Sweep, ask: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> tuple[dict[str, Any], list[Gap]]:
        """Ask for a page; where X rejects where the sweep stands, ask anew from where it can go on."""
        gaps: list[Gap] = []
        for _ in range(3):
            try:
                return ask(self._parameters(sweep)), gaps
            except RejectedParameterError as error:
                if error.parameters == {"until_id"} and sweep.until_id:
                    return {}, gaps  # the sweep has come down to where X's window ends
                gaps += _recover(sweep, error, self._clock.now())
        return ask(self._parameters(sweep)), gaps

    def _parameters(self, sweep: Sweep) -> dict[str, Any]:
        lower = {"since_id": sweep.since_id} if sweep.since_id else {"start_time": sweep.start_at}
        upper = {"until_id": sweep.until_id, "next_token": sweep.next_token}
        asked = {"max_results": self._options.max_results, **lower, **upper}
        return {name: value for name, value in asked.items() if value is not None}


def _recover(sweep: Sweep, error: RejectedParameterError, now: datetime) -> list[Gap]:
    """Move the sweep past what X rejected; return the gap that this leaves.

    Raises:
        RejectedParameterError: it is something that no other starting point would mend.
    """
    if error.parameters & {"since_id", "start_time"}:
        if sweep.next_token:
            sweep.go_on_below()
        return sweep.start_from_window(now, SEARCH_WINDOW)
    if error.parameters & {"next_token", "pagination_token"} and sweep.next_token:
        sweep.go_on_below()
        return []
    raise error


def _plan(watch: Watch, asked: XWatchOptions) -> QueryPlan:
    return (
        plan_queries(watch, own_query=asked.query, any_language=asked.any_language) if asked.search else QueryPlan(())
    )


def _endpoints(watch: Watch, asked: XWatchOptions, plan: QueryPlan) -> dict[str, str]:
    """Return the endpoints of a watch in their order, each with its query."""
    names = ["search", *(f"search-{number}" for number in range(2, len(plan.queries) + 1))]
    endpoints = dict(zip(names, plan.queries, strict=False))
    if asked.mentions and watch.account:
        endpoints[MENTIONS] = ""
    return endpoints


def _state(cursor: str | None, watch: Watch, endpoints: Iterable[str]) -> tuple[State, list[Skipped]]:
    try:
        return load_state(cursor, list(endpoints)), []
    except (ValueError, TypeError, KeyError, RecursionError):
        reason = "the stored cursor cannot be read; reading starts again from the look-back"
        return load_state(None, list(endpoints)), [Skipped(reason, f"x:{watch.id}")]


def _next_turn(state: State, endpoints: Iterable[str], max_pages: int) -> bool:
    """Move to the next endpoint when this one has no more pages for now; False where all had their turn."""
    state.pages += 1
    if state.sweeps[state.turn].unfinished and state.pages < max_pages and not state.sweeps[state.turn].pause_until:
        return True
    names = list(endpoints)
    following = names.index(state.turn) + 1
    state.turn, state.pages = names[following % len(names)], 0
    return following < len(names)


def _pause_until(error: SourceError, now: datetime) -> datetime:
    if isinstance(error, RetryableSourceError):
        return now + timedelta(seconds=error.retry_after_s or _FAULT_PAUSE_S)
    if isinstance(error, QuotaExhaustedError) and error.resets_at is not None:
        return error.resets_at
    return now + _REFUSED_PAUSE


def _next_token(answer: dict[str, Any]) -> str | None:
    meta = answer.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return token if isinstance(token, str) and token else None


def _unusable(watch: Watch, plan: QueryPlan) -> list[Skipped]:
    reason = "X cannot search for this term: only punctuation, or longer than a query"
    skipped = [Skipped(reason, f"x:{watch.id}", term[:200]) for term in plan.unusable]
    if not plan.queries and not watch.account:
        skipped.append(Skipped("nothing to ask X for: no usable term and no account", f"x:{watch.id}"))
    return skipped


def _leave_out(catch: _Catch, reason: str, unwanted: Callable[[Mention], bool]) -> None:
    left_out = {mention.external_id for mention in catch.mentions if unwanted(mention)}
    catch.mentions = [mention for mention in catch.mentions if mention.external_id not in left_out]
    catch.skipped += [Skipped(reason, f"x:{external_id}", broken=False) for external_id in sorted(left_out)]


def _holds(text: str, terms: Iterable[str]) -> bool:
    folded = text.casefold()
    return any(term.casefold() in folded for term in terms)


def _is_foreign(mention: Mention, codes: tuple[str, ...]) -> bool:
    """True where the post is in a language that the watch does not ask for; unknown languages are everyone's."""
    if mention.language is None or not codes:
        return False
    return not set(x_codes([mention.language]) or [primary(mention.language)]) & set(codes)
