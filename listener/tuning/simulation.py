"""A replay from beginning to end: reads what is stored, decides anew, compares, and says what it cannot know."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np

from listener.config import Config
from listener.sentences import counted, sentence
from listener.store import Store
from listener.tuning.columns import JOINED, OLD, QUIET, RAISED, Columns, read_columns
from listener.tuning.comparison import MOST_SHOWN, Comparison, compare
from listener.tuning.joining import Run, run_rules, stored_run
from listener.tuning.spans import covered_days

_MOST_NAMED = 5


def simulate(
    store: Store,
    then: Config | None,
    now: Config,
    since: datetime,
    until: datetime,
    country: str | None = None,
    *,
    countries: Sequence[str] | None = None,
    in_force: Config | None = None,
    texts: int = MOST_SHOWN,
    notes: Sequence[str] = (),
) -> Comparison:
    """Replay a span under new rules and return all that differs. Nothing is sent, nothing is stored.

    Args:
        store: where the span's mentions and decisions are.
        then: the rules to compare with, replayed as well; None for what was decided then.
        now: the new rules.
        since: the beginning.
        until: the end, exclusive.
        country: whose alerts are told; all unless given.
        countries: the same for several.
        in_force: the configuration that the span was listened to with, as far as known: what `now` changes of the
            sources and of bursts against it is said, as it cannot be replayed. `then` where that is given.
        texts: how many alerts that appear, and that vanish, are shown with their posts.
        notes: what is to be said beside.
    """
    # All countries, whichever are asked for: mentions of several can meet in one alert.
    columns = read_columns(store, since, until)
    wanted = [country] if country is not None else countries
    reference = then or in_force
    unheard = gone_watches(columns, reference, now)
    before = stored_run(columns) if then is None else run_rules(columns, then)
    after = run_rules(columns, now, unheard=unheard)
    said = (*notes, *to_keep_in_mind(store, columns, after, reference, now, wanted))
    codes: Sequence[str | None] = wanted or (None,)
    covered = max(covered_days((since, until), store.decisions.extent(code)) for code in codes)
    return compare(
        columns, before, after, store, now,
        then_config=then, texts=texts, countries=wanted, covered_days=covered, notes=said,
    )  # fmt: skip


def to_keep_in_mind(
    store: Store, columns: Columns, after: Run, reference: Config | None, now: Config, countries: Sequence[str] | None
) -> tuple[str, ...]:
    """Return what a replay of the columns by the rules of `now` cannot know, or assumes, as sentences.

    `reference` is what they are compared with; `countries` those that are asked for, None for all.
    """
    return (
        *_coverage(store, now, countries, columns.since, columns.until),
        *_about_watches(columns, reference, now, countries),
        *_about_scores(columns, after, countries),
        *_about_bursts(columns, reference, now, countries),
        *_about_time(store, countries, columns),
    )


def gone_watches(columns: Columns, reference: Config | None, now: Config) -> frozenset[str]:
    """Return the watches that brought something, that the reference has, and that are gone from the new rules."""
    if reference is None:
        return frozenset()
    had, has = {one.id for one in reference.watches}, {one.id for one in now.watches}
    return frozenset(name for name in columns.watches if name in had and name not in has)


def _coverage(
    store: Store, config: Config, countries: Sequence[str] | None, since: datetime, until: datetime
) -> Iterator[str]:
    watches = {one.id: one.country for one in config.watches}
    unseen: Counter[str] = Counter()
    reasons: dict[str, str] = {}
    for watch, start, end, reason in store.decisions.gaps(since, until):
        if watch in watches and (countries is None or watches[watch] in countries):
            unseen[watch] += int((min(end, until) - max(start, since)).total_seconds())
            reasons[watch] = reason
    for watch, seconds in unseen.most_common(_MOST_NAMED):
        yield sentence(
            "{watch} did not see {hours} h of the span ({reason}): the replay is too kind there",
            watch=watch,
            hours=f"{seconds / 3600:.1f}",
            reason=reasons[watch],
        )
    if len(unseen) > _MOST_NAMED:
        yield counted(
            "{count} more watch did not see all of the span",
            "{count} more watches did not see all of the span",
            len(unseen) - _MOST_NAMED,
        )


def _about_watches(
    columns: Columns, reference: Config | None, now: Config, countries: Sequence[str] | None
) -> Iterator[str]:
    rows, unheard = Counter(columns.watch.tolist()), gone_watches(columns, reference, now)
    for place, name in enumerate(columns.watches):
        if name in unheard:
            yield counted(
                "{watch} is gone: its {count} mention counts as not heard, though another watch might find it",
                "{watch} is gone: its {count} mentions count as not heard, though another watch might find them",
                rows[place],
                watch=name,
            )
    if reference is not None:
        had = {one.id for one in reference.watches}
        new = [one for one in now.watches if one.id not in had and (countries is None or one.country in countries)]
        for one in new[:_MOST_NAMED]:
            yield sentence("{watch} is new: what it would bring is not known", watch=one.id)
        yield from _about_terms(reference, now)
    asked = (code for code in countries or now.countries if code in now.countries)
    empty = [code for code in asked if now.countries[code].mode != "off" and code not in columns.countries]
    if empty:
        yield sentence(
            "{countries}: no mention was decided on in the span, so nothing can be replayed there",
            countries=", ".join(empty),
        )


def _about_terms(reference: Config, now: Config) -> Iterator[str]:
    for name, brand in now.brands.items():
        before = reference.brands.get(name)
        if before is not None and (set(before.terms), set(before.exclude)) != (set(brand.terms), set(brand.exclude)):
            yield sentence(
                "{brand} is looked for by other words: what they would bring, or no longer bring, is not known",
                brand=name,
            )


def _about_scores(columns: Columns, run: Run, countries: Sequence[str] | None) -> Iterator[str]:
    mine = np.array([countries is None or code in countries for code in columns.countries] or [True])[columns.country]
    anew = int((columns.unscored & np.isin(run.outcome, (QUIET, RAISED, JOINED, OLD)) & mine).sum())
    if anew:
        yield counted(
            "{count} mention was not scored then, because nobody listened: its influence and spread are those"
            " that are stored now",
            "{count} mentions were not scored then, because nobody listened: their influence and spread are those"
            " that are stored now",
            anew,
        )
    edited = int((columns.edited & mine).sum())
    if edited:
        yield counted(
            "{count} post was edited since: it is decided on as it reads now",
            "{count} posts were edited since: they are decided on as they read now",
            edited,
        )


def _about_bursts(
    columns: Columns, reference: Config | None, now: Config, countries: Sequence[str] | None
) -> Iterator[str]:
    changed, read = [], []
    for code, settings in now.countries.items():
        before = None if reference is None else reference.countries.get(code)
        if before is None or (countries is not None and code not in countries) or not settings.incidents.on:
            continue
        if before.incidents.least_authors != settings.incidents.least_authors or not before.incidents.on:
            changed.append(code)
        if before.thresholds.complaint != settings.thresholds.complaint:
            read.append(code)
    if changed:
        yield sentence(
            "{countries}: which bursts are found with another least_authors, or where incidents were off, is"
            " not replayed; those that were found are decided on anew",
            countries=_listed(changed),
        )
    if read:
        yield sentence(
            "{countries}: another complaint threshold changes what counts in a burst; that is not replayed",
            countries=_listed(read),
        )
    if reference is None and columns.incidents:
        yield sentence("bursts: those found then are decided on anew; whether others would be found is not replayed")


def _about_time(store: Store, countries: Sequence[str] | None, columns: Columns) -> Iterator[str]:
    waiting = store.decisions.undecided(columns.until, countries)
    if waiting:
        yield counted(
            "{count} mention still waits to be classified and decided on",
            "{count} mentions still wait to be classified and decided on",
            waiting,
        )
    if columns.until - columns.since < timedelta(days=7):
        yield sentence("less than a week was replayed: a week has every weekday once")


def _listed(names: Sequence[str]) -> str:
    shown, more = ", ".join(names[:_MOST_NAMED]), len(names) - _MOST_NAMED
    return counted("{names} and {count} more", "{names} and {count} more", more, names=shown) if more > 0 else shown
