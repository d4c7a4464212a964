"""Whether a country in mode pilot is ready: what its alerts, its people and its settings say, each with a figure."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.routing import receivers_in_earnest
from listener.config import Config
from listener.plugins import missing_secrets
from listener.sentences import Listing, counted, sentence
from listener.sentences import Share as Percentage
from listener.shares import Share
from listener.store import AlertRow, Store
from listener.tuning.verdicts import verdict
from playbooks.loading import LIBRARY_FOLDER
from playbooks.locales import locale_chain

LEAST_DAYS = 7
"""A week has every weekday once."""
LEAST_VERDICTS = 20
"""Fewer say little: of 20 with 16 right, the true share is somewhere between 58 and 92 %."""
LEAST_PRECISION = 0.7
LEAST_TAKEN = 0.9
LEAST_IN_TARGET = 0.8
MOST_UNSEEN = 0.02
NEXT_SHARES = (0.1, 0.25, 0.5, 1.0)
"""The steps of a ramp."""
_VERSIONS_A_TIME = 20
_NEEDS_NO_ANSWER = ("no_reply", "not_complaint", "withdrawn")


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing a launch waits for."""

    name: str
    met: bool | None
    """None where too little is known to say."""
    said: str
    """The figure, in words."""
    advice: str = ""
    """What to do where it is not met."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What speaks for and against putting a pilot country live."""

    country: str
    since: datetime
    until: datetime
    share: float
    """Of its alerts, how many go to the real receivers already."""
    criteria: tuple[Criterion, ...]

    @property
    def is_ready(self) -> bool:
        """Whether everything is met."""
        return all(one.met for one in self.criteria)

    @property
    def next_step(self) -> str:
        """What to change in the configuration next, in its own words."""
        if not self.is_ready:
            return ""
        following = next((share for share in NEXT_SHARES if share > self.share), None)
        return "mode: live" if following is None else f"ramp: {{share: {following:g}}}"


def readiness(config: Config, store: Store, country: str, since: datetime, now: datetime) -> Readiness:
    """Judge a pilot country by the alerts raised since a moment; drills and incidents count for nothing here.

    Neither do alerts of the time before it was a pilot, as far as the kept configurations tell.
    """
    begun = max(since, _pilot_since(store, country, since) or since)
    rows = [row for row in store.alerts.since(begun) if row.country == country and not row.drill]
    alerts = [row for row in rows if row.kind == "post"]
    steps: Sequence[Callable[[], Criterion]] = (
        lambda: _days(alerts, now),
        lambda: _precision(alerts),
        lambda: _taken(alerts),
        lambda: _in_target(alerts, now),
        lambda: _coverage(config, store, country, since, now),
        lambda: _deliveries(store, alerts),
        lambda: _receivers(config, store, country),
        lambda: _languages(config, country),
    )
    return Readiness(country, since, now, config.countries[country].ramp.share, tuple(step() for step in steps))


def _pilot_since(store: Store, country: str, earliest: datetime) -> datetime | None:
    """Return since when the kept configurations have the country in mode pilot; None where they do not tell."""
    begun, before = None, None
    while found := store.configurations.versions(_VERSIONS_A_TIME, before):
        for version in found:
            settings = json.loads(version.effective).get("countries", {}).get(country, {})
            if settings.get("mode") != "pilot":
                return begun
            begun, before = version.at, version.id
            if begun <= earliest:
                return begun
    return None


def _days(alerts: Sequence[AlertRow], now: datetime) -> Criterion:
    if not alerts:
        advice = sentence("let it run; `listener status` says whether it hears")
        return Criterion("time", None, sentence("no alert was raised"), advice)
    days = (now - alerts[0].opened_at) / timedelta(days=1)
    raised = counted("{count} alert", "{count} alerts", len(alerts))
    if days < 1:
        said = sentence("{alerts} in less than a day: too short for a rate", alerts=raised)
    else:
        said = sentence(
            "{alerts} in {days}, {rate} a day",
            alerts=raised,
            days=counted("{count} day", "{count} days", round(days)),
            rate=f"{len(alerts) / days:.1f}",
        )
    advice = counted("wait until it has run for {count} day", "wait until it has run for {count} days", LEAST_DAYS)
    return Criterion("time", days >= LEAST_DAYS, said, advice)


def _precision(alerts: Sequence[AlertRow]) -> Criterion:
    """Whether alerts were right, as `listener simulate` counts it."""
    verdicts = [found for row in alerts if (found := verdict(row.resolution, _is_answered(row)))]
    share = Share(verdicts.count("useful"), len(verdicts))
    if share.value is None or share.whole < LEAST_VERDICTS:
        said = counted(
            "{count} alert has a verdict; {needed} are needed",
            "{count} alerts have a verdict; {needed} are needed",
            share.whole,
            needed=LEAST_VERDICTS,
        )
        return Criterion("precision", None, said, sentence("resolve alerts, or say that they are no complaint"))
    low, high = map(Percentage, share.interval)
    said = sentence(
        "{part} of {whole} were right, {share} (between {low} and {high})",
        part=share.part,
        whole=share.whole,
        share=Percentage(share.value),
        low=low,
        high=high,
    )
    advice = sentence("raise its thresholds: `listener tune --country` proposes some")
    return Criterion("precision", share.value >= LEAST_PRECISION, said, advice)


def _taken(alerts: Sequence[AlertRow]) -> Criterion:
    touched = [row for row in alerts if row.claimed_at or row.replied_at or row.private_at or row.closed_by]
    share = Share(len(touched), len(alerts))
    if share.value is None:
        return Criterion("people", None, sentence("nothing was raised that anybody could take"))
    said = sentence(
        "people took {part} of {whole} alerts, {share}",
        part=share.part,
        whole=share.whole,
        share=Percentage(share.value),
    )
    advice = sentence("agree who looks at the trial channel, and when")
    return Criterion("people", share.value >= LEAST_TAKEN, said, advice)


def _in_target(alerts: Sequence[AlertRow], now: datetime) -> Criterion:
    due = [
        row
        for row in alerts
        if row.respond_by is not None and row.respond_by <= now and row.resolution not in _NEEDS_NO_ANSWER
    ]
    answered = sum(map(_is_answered, due))
    met = sum(_is_answered(row) and _answered_at(row) <= row.respond_by for row in due if row.respond_by)
    share = Share(met, len(due))
    if share.value is None:
        return Criterion("answers", None, sentence("no alert was due for an answer"))
    said = sentence(
        "{part} of {whole} were answered in time, {share}; {answered} were answered at all",
        part=share.part,
        whole=share.whole,
        share=Percentage(share.value),
        answered=answered,
    )
    advice = sentence("note answers with Replied, give the team hours and cover, or change `targets`")
    return Criterion("answers", share.value >= LEAST_IN_TARGET, said, advice)


def _is_answered(row: AlertRow) -> bool:
    return row.replied_at is not None or row.private_at is not None


def _answered_at(row: AlertRow) -> datetime:
    return min(at for at in (row.replied_at, row.private_at) if at is not None)


def _coverage(config: Config, store: Store, country: str, since: datetime, now: datetime) -> Criterion:
    watches = {watch.id for watch in config.watches if watch.country == country}
    states = store.collecting.states()
    silent = sorted(name for name in watches if name not in states or states[name].succeeded_at is None)
    if silent:
        said = sentence(
            "{part} of {whole} watches never heard anything: {watches}",
            part=len(silent),
            whole=len(watches),
            watches=", ".join(silent[:3]),
        )
        return Criterion("coverage", False, said, sentence("`listener status` says why"))
    unseen = timedelta()
    for watch, gap in store.collecting.gaps():
        if watch in watches:
            unseen += max(timedelta(), min(gap.end_at, now) - max(gap.start_at, since))
    share = unseen / ((now - since) * max(1, len(watches)))
    said = counted(
        "{count} watch, {share} of the time not seen",
        "{count} watches, {share} of the time not seen",
        len(watches),
        share=f"{share:.1%}",
    )
    advice = sentence("`listener status` names what was not seen, and why")
    return Criterion("coverage", share <= MOST_UNSEEN, said, advice)


def _deliveries(store: Store, alerts: Sequence[AlertRow]) -> Criterion:
    ours = {row.id for row in alerts}
    dead = [row for row in store.outbox.rows(("dead",), with_payload=False) if row["alert_id"] in ours]
    failed = counted("{count} message could not be delivered", "{count} messages could not be delivered", len(dead))
    said = failed if dead else sentence("every message was delivered")
    return Criterion("delivery", not dead, said, sentence("`listener outbox` says why, and tries again"))


def _receivers(config: Config, store: Store, country: str) -> Criterion:
    """Whether every receiver that its alerts will go to is on."""
    off = {*missing_secrets(config), *(f"receiver {name}" for name in store.outbox.disabled())}
    names = receivers_in_earnest(config, country)
    missing = [name for name in names if f"receiver {name}" in off]
    said = [sentence("its alerts will go to {receivers}", receivers=", ".join(names))]
    said += [sentence("off: {receivers}", receivers=", ".join(missing))] if missing else []
    return Criterion("receivers", not missing, Listing.of(said, "; "), sentence("`listener check` says what to set"))


def _languages(config: Config, country: str) -> Criterion:
    """Whether there are reply drafts in the languages that its customers write."""
    settings = config.countries[country]
    known = {path.stem for path in LIBRARY_FOLDER.glob("_phrases/*.yaml")}
    without = [
        language
        for language in settings.languages
        if not known.intersection(locale_chain(language, country, settings.playbook.locales))
    ]
    unread = [one for one in settings.languages if one.split("-")[0] not in _read_by(config, settings.team)]
    said = [
        sentence("no drafts in {languages}", languages=", ".join(without))
        if without
        else sentence("drafts in {languages}", languages=", ".join(settings.languages))
    ]
    said += [sentence("the team does not read {languages}", languages=", ".join(unread))] if unread else []
    advice = sentence("name locales that customers accept under `playbook.locales`")
    return Criterion("languages", not without, Listing.of(said, "; "), advice)


def _read_by(config: Config, team: str) -> set[str]:
    return {language.split("-")[0] for language in config.teams[team].languages}


def lines(found: Readiness) -> list[str]:
    """Return a report as lines for a terminal."""
    marks = {True: "yes", False: "NO", None: "?"}
    head = (
        f"{found.country}: {'ready' if found.is_ready else 'not ready'};"
        f" {found.share:.0%} of its alerts go to the real receivers"
    )
    rows = [f"  {marks[one.met]:<4}{one.name:<11}{one.said}" for one in found.criteria]
    for row, one in zip(list(rows), found.criteria, strict=True):
        if not one.met and one.advice:
            rows.insert(rows.index(row) + 1, f"      {'':<9}{one.advice}")
    step = [f"  next: countries.{found.country}: {found.next_step}"] if found.next_step else []
    return [head, *rows, *step]
