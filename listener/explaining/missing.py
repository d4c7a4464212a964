"""Why a post that is not stored may not have been: no watch for it, its terms, a span not seen, an item left out."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from listener.config import Config
from listener.explaining.finding import terms_in
from listener.explaining.model import Explanation, Fact, Step
from listener.explaining.references import Named
from listener.model import Watch
from listener.plugins import missing_secrets
from listener.sentences import Listing, Sentence, counted, moment, sentence
from listener.store import Store
from listener.store.trails import Unseen

_ZONE = "UTC"
_MOST_WATCHES = 12


def explain_missing(
    store: Store, config: Config, named: Named, *, text: str = "", at: datetime | None = None
) -> Explanation:
    """Return what could be why a post is not stored; `text` is what it says, `at` when it was published."""
    at = at or named.published_at
    network = named.network
    watches = [one for one in config.watches if network in ("", one.source)]
    watches = watches or [one for one in config.watches if one.source == "file"]  # exports hold posts of any network
    facts = [Fact("network", network or sentence("not known from the address"), hostile=True)]
    facts += [Fact("id", named.external_id, hostile=True)] if named.external_id else []
    facts += [Fact("published", moment(at, _ZONE), at=at)] if at else []
    steps = [
        Step("post", "stopped", sentence("it is not stored: no watch brought it"), tuple(facts), "Post"),
        _watches_step(store, config, network, watches),
        *_text_steps(watches, text),
        *_gap_steps(store, config, watches, at),
        *_left_steps(store, watches, named.external_id),
    ]
    title = sentence("No such post is stored. What could be why stands below.")
    return Explanation(named.text, title, tuple(steps), "unknown", _ZONE, _countries(watches))


def _countries(watches: Sequence[Watch]) -> tuple[str, ...]:
    return tuple(sorted({watch.country for watch in watches}))


def _watches_step(store: Store, config: Config, network: str, watches: Sequence[Watch]) -> Step:
    if not watches:
        summary = sentence("no watch listens there")
        known = ", ".join(sorted({watch.source for watch in config.watches})) or sentence("none")
        return Step("watches", "stopped", summary, (Fact("watches listen on", known),), "Watches")
    states, off = store.collecting.states(), missing_secrets(config)
    facts = []
    failing = 0
    for watch in watches[:_MOST_WATCHES]:
        state = states.get(watch.id)
        hint = off.get(f"source {watch.source}")
        if hint:
            facts.append(Fact(watch.id, sentence("off"), hint, holds=False, basis="today"))
        elif state is None or state.succeeded_at is None:
            facts.append(Fact(watch.id, sentence("never polled with success"), state.problem or "" if state else "",
                              hostile=True, holds=False, basis="recorded"))  # fmt: skip
        else:
            heard, problem = sentence("heard last {at}", at=state.succeeded_at), state.problem or ""
            facts.append(Fact(watch.id, heard, problem, hostile=bool(problem), holds=not problem, basis="recorded"))
        failing += facts[-1].holds is False
    if len(watches) > _MOST_WATCHES:
        more = len(watches) - _MOST_WATCHES
        facts.append(Fact("", sentence("and {more} more; `listener status` has all", more=more)))
    summary = counted("{count} watch listens there", "{count} watches listen there", len(watches))
    if network and watches[0].source != network:
        summary = counted(
            "no watch listens there, {count} reads files", "no watch listens there, {count} read files", len(watches)
        )
    if failing:
        summary = sentence("{watches}; {failing} could not be read last", watches=summary, failing=failing)
    return Step("watches", "stopped" if failing else "info", summary, tuple(facts), "Watches")


def _text_steps(watches: Sequence[Watch], text: str) -> Iterator[Step]:
    if not text:
        yield Step("terms", "info", sentence("give its text (--text) to see which terms stand in it"), (), "Terms")
        return
    facts, found = [], 0
    for watch in watches:
        terms, excluded = terms_in(text, watch.terms), terms_in(text, watch.exclude)
        if not terms:
            continue
        found += not excluded
        kept_out = sentence("but it also has {terms}, which keeps it out", terms=", ".join(excluded))
        facts.append(Fact(watch.id, ", ".join(terms), kept_out if excluded else "", holds=not excluded, basis="today"))
    if not facts:
        known = ", ".join(dict.fromkeys(term for watch in watches for term in watch.terms))
        facts.append(Fact("terms of the watches there", known or sentence("none"), basis="today"))
        yield Step("terms", "stopped", sentence("no watch's terms stand in it"), tuple(facts), "Terms")
        return
    if found:
        summary = counted("terms of {count} watch stand in it", "terms of {count} watches stand in it", found)
    else:
        summary = sentence("terms stand in it, and words that keep it out")
    yield Step("terms", "info" if found else "stopped", summary, tuple(facts[:_MOST_WATCHES]), "Terms")


def _gap_steps(store: Store, config: Config, watches: Sequence[Watch], at: datetime | None) -> Iterator[Step]:
    rows = store.trails.unseen([watch.id for watch in watches], at)
    deaf = [*_deaf(store, config, watches, at)]
    facts = (*deaf[:_MOST_WATCHES], *map(_gap, rows))
    if facts and at is not None:
        yield Step("gaps", "stopped", sentence("not everything was seen at that time"), facts, "Not seen")
    elif facts:
        yield Step("gaps", "info", sentence("not everything was seen; the latest first"), facts, "Not seen")
    elif at is not None:
        yield Step("gaps", "info", sentence("no gap is noted for that time"), (), "Not seen")
    else:
        yield Step("gaps", "info", sentence("no gap is noted"), (), "Not seen")


def _deaf(store: Store, config: Config, watches: Sequence[Watch], at: datetime | None) -> Iterator[Fact]:
    """Tell of watches that were never heard, or not since: no gap is noted of what was not polled."""
    states, off = store.collecting.states(), missing_secrets(config)
    for watch in watches:
        state, lack = states.get(watch.id), off.get(f"source {watch.source}", "")
        heard = state.succeeded_at if state else None
        if heard is None:
            said = sentence("it was never heard, and has seen nothing")
            yield Fact(watch.id, said, lack, holds=False, basis="recorded")
        elif at > heard if at else lack:
            said = sentence("it has seen nothing since {at}", at=heard)
            yield Fact(watch.id, said, lack, holds=False, basis="recorded")


def _gap(row: Unseen) -> Fact:
    span = sentence("{since} to {until}", since=row.start_at, until=row.end_at)
    return Fact(row.watch_id, span, row.reason, hostile=True, holds=False, basis="recorded")


def _left_steps(store: Store, watches: Sequence[Watch], external_id: str) -> Iterator[Step]:
    rows = store.trails.left([watch.id for watch in watches])
    if not rows:
        return
    named = [row for row in rows if external_id and external_id in row.last_where]
    facts = [
        Fact(row.watch_id, Listing.of((str(row.count), Sentence.of(row.reason, {})), " × "),
             sentence("the last {at}: {where}", at=row.last_at, where=row.last_where),
             hostile=True, basis="recorded")
        for row in [*named, *(row for row in rows if row not in named)][:_MOST_WATCHES]
    ]  # fmt: skip
    if named:
        summary = sentence("an item of this name was left out")
        yield Step("skipped", "stopped", summary, tuple(facts), "Left out")
    else:
        summary = sentence("items were left out; of each kind the last is named")
        yield Step("skipped", "info", summary, tuple(facts), "Left out")
