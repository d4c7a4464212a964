"""Puts an explanation together: finds what is asked about, and tells its steps in order.

Reads the store and nothing else: no model is loaded, nothing is written, and a daemon may be at work beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from listener.config import Config
from listener.explaining.bursts import burst_steps
from listener.explaining.case import Case, zone_of
from listener.explaining.delivery import hold_step, later_step, messages_step, note_step
from listener.explaining.finding import country_step, post_step, watch_step
from listener.explaining.grouping import grouping_step
from listener.explaining.missing import explain_missing
from listener.explaining.model import Explanation, State, Step
from listener.explaining.reading import classification_step, copy_step, corrections_step, language_step
from listener.explaining.references import Named, find, name_of
from listener.explaining.routing import route_step
from listener.explaining.then import in_force
from listener.explaining.told import Told
from listener.explaining.weighing import (
    age_step,
    influence_step,
    priority_step,
    quiet_words,
    rules_step,
    severity_step,
    velocity_step,
)
from listener.pipeline.cards import reference
from listener.sentences import Sentence, sentence
from listener.store import AlertRow, Store
from listener.store.trails import Match, Post

_FURTHEST = (
    "raised",
    "joined",
    "undecided",
    "unclassified",
    "old",
    "quiet",
    "withdrawn",
    "failed",
    "competitor",
    "not-configured",
)
"""Of several brands' endings the one that is the post's."""


def explain(
    store: Store, config: Config, asked: str, *, now: datetime, text: str = "", at: datetime | None = None
) -> Explanation:
    """Return why something became an alert, or did not.

    Args:
        store: where it is recorded.
        config: in force now; what was in force then is read from the store, where it was kept.
        asked: an alert (A-12, 12), an incident (I-12), a post (x:1790000000, or its address), a match (m-123).
        now: the moment.
        text: what a post says that is not stored.
        at: when it was published.

    Raises:
        UnknownReferenceError: it names nothing, or an alert or match that there is not.
    """
    named = find(store, config, asked)
    if named.alert is not None:
        return _of_alert(store, config, named.alert, now)
    if named.post is None:
        return explain_missing(store, config, named, text=text, at=at)
    return _of_post(store, config, named, named.post, now)


# Alerts


def _of_alert(store: Store, config: Config, alert: AlertRow, now: datetime) -> Explanation:
    if alert.kind == "incident":
        return _of_incident(store, config, alert, now)
    first = next((one for one in store.trails.members(alert.id, 1)), None)
    match = None if first is None else store.trails.match(first.match_id)
    post = None if match is None else store.trails.post(match.mention_id)
    zone = zone_of(config, alert.country)
    if match is None or post is None:
        told = Told(store, config, in_force(store, config, alert.opened_at), alert, None, now)
        return _explanation(alert, _alert_title(told), told_steps(told), zone)
    case = _case(store, config, post, match, now)
    told = _told(case, alert)
    steps = [*_case_steps(case), *told_steps(told)]
    return _explanation(alert, _alert_title(told), steps, zone)


def _explanation(alert: AlertRow, title: str, steps: Sequence[Step], zone: str) -> Explanation:
    name = reference(alert)
    ending = "incident" if alert.kind == "incident" else "raised"
    return Explanation(name, title, tuple(steps), ending, zone, (alert.country,), name)


def _alert_title(told: Told) -> Sentence:
    alert, sent = told.opened, [one for one in told.cards if one.state == "sent" and one.sent_at is not None]
    severity, opened = alert.severity, alert.opened_at
    if not sent:
        return told.say(
            "an alert of severity {severity}, raised {opened}; nobody was told of it yet",
            severity=severity,
            opened=opened,
        )
    first = min(sent, key=lambda one: one.sent_at or one.created_at)
    return told.say(
        "an alert of severity {severity}, raised {opened} and told to {receiver} {sent}",
        severity=severity, opened=opened, receiver=first.receiver, sent=first.sent_at or first.created_at,
    )  # fmt: skip


def told_steps(told: Told) -> list[Step]:
    """Return what is told of an alert from its route on."""
    return _there([route_step(told), hold_step(told), messages_step(told), later_step(told)])


def _of_incident(store: Store, config: Config, alert: AlertRow, now: datetime) -> Explanation:
    told = Told(store, config, in_force(store, config, alert.opened_at), alert, None, now)
    title = told.say(
        "an incident of severity {severity}, found {opened}", severity=alert.severity, opened=alert.opened_at
    )
    return _explanation(alert, title, [*burst_steps(told), *told_steps(told)], told.zone)


# Posts


def _of_post(store: Store, config: Config, named: Named, post: Post, now: datetime) -> Explanation:
    found = store.trails.matches(post.id)
    wanted = [one for one in found if named.match is None or one.id == named.match.id]
    cases = [_case(store, config, post, match, now) for match in wanted]
    cases = [replace(case, brand=case.match.brand) for case in cases] if len(cases) > 1 else cases
    zone = cases[0].zone if cases else "UTC"
    steps = [step for case in cases for step in _steps_of_post(case)]
    ending = min((ending_of(case) for case in cases), key=_FURTHEST.index, default="unknown")
    main = next((case for case in cases if ending_of(case) == ending), None)
    title = sentence("no brand has it") if main is None else ending_words(main)
    alert = "" if main is None or main.alert is None else reference(main.alert)
    countries = tuple(sorted({case.match.country for case in cases}))
    return Explanation(name_of(post), title, tuple(_once(steps)), ending, zone, countries, alert)


def _case(store: Store, config: Config, post: Post, match: Match, now: datetime) -> Case:
    place = store.trails.place(match.id)
    return Case(
        store=store,
        config=config,
        then=in_force(store, config, match.triaged_at),
        post=post,
        match=match,
        matches=store.trails.matches(post.id),
        item=store.triage.item(match.id),
        place=place,
        alert=None if place is None else store.alerts.alert(place.alert_id),
        now=now,
    )


def _told(case: Case, alert: AlertRow) -> Told:
    raised_it = alert.opened_at == case.match.triaged_at
    then = case.then if raised_it else in_force(case.store, case.config, alert.opened_at)
    return Told(case.store, case.config, then, alert, case.item, case.now, case.brand)


_STEPS: Sequence[Callable[[Case], Step | None]] = (
    post_step,
    watch_step,
    country_step,
    language_step,
    copy_step,
    classification_step,
    corrections_step,
    influence_step,
    velocity_step,
    priority_step,
    rules_step,
    grouping_step,
    age_step,
    severity_step,
)


def _case_steps(case: Case) -> list[Step]:
    """Return the steps up to the decision; of a post that was never weighed only those that were taken."""
    ending = ending_of(case)
    if ending in ("unclassified", "withdrawn", "failed", "competitor", "not-configured"):
        steps = _there([step(case) for step in _STEPS[:7]])
    elif ending == "undecided":
        steps = _there([step(case) for step in (*_STEPS[:11], age_step)])
    else:
        steps = _there([step(case) for step in _STEPS])
    return steps


def _steps_of_post(case: Case) -> list[Step]:
    steps = [*_case_steps(case), _end_step(case)]
    if case.alert is None or case.place is None:
        return steps
    told = _told(case, case.alert)
    if case.place.role == "first":
        return [*steps, *told_steps(told)]
    return [*steps, note_step(told, case.match.id, case.place.joined_at)]


def _end_step(case: Case) -> Step:
    """Say in one step how it ended, so that none ends without a word."""
    ending = ending_of(case)
    state: State = "ok" if ending in ("raised", "joined") else "held" if ending.startswith("un") else "stopped"
    facts = (case.when("decided", case.match.triaged_at),) if case.match.triaged_at is not None else ()
    return Step("decision", state, ending_words(case), facts, "Decision", case.brand)


def ending_of(case: Case) -> str:
    """Return where a post's way ended for one brand, as `Explanation.ending` has it."""
    outcome = case.match.outcome
    if case.match.triaged_at is not None and outcome is not None:
        return outcome.replace(" ", "-") if outcome.replace(" ", "-") in _FURTHEST else "quiet"
    return "undecided" if case.post.is_classified and case.item is not None else "unclassified"


def ending_words(case: Case) -> Sentence:
    """Say how a post's way ended for one brand."""
    ending, alert = ending_of(case), "" if case.alert is None else reference(case.alert)
    if ending == "raised":
        return case.say("it raised {alert}", alert=alert)
    if ending == "joined":
        return case.say("it joined {alert}", alert=alert)
    if ending == "quiet":
        return quiet_words(case)
    if ending == "old":
        return case.say("it would have raised an alert, and was too old when it was collected")
    if ending == "not-configured":
        return case.say("its country or brand was not configured, or was off, when it was decided on")
    if ending == "competitor":
        return case.say("its brand is a competitor: it is counted, and never alerted of")
    if ending == "failed":
        return case.say("it was set aside: deciding on it failed, and the log of that time says how")
    if ending == "withdrawn":
        return case.say("it was withdrawn before anything was decided on it")
    if ending == "undecided":
        return case.say("it is classified, and waits to be decided on")
    return case.say("it waits to be classified")


def _there(steps: Sequence[Step | None]) -> list[Step]:
    return [step for step in steps if step is not None]


_SHARED = ("post", "language", "copy", "classification", "corrections")


def _once(steps: Sequence[Step]) -> list[Step]:
    """Return steps with those that are the same for all brands once, before the others of that brand."""
    shared = [step for index, step in enumerate(steps) if step.name in _SHARED and _is_first(steps, index)]
    if len({step.brand for step in steps if step.name not in _SHARED}) < 2:
        return list(steps)
    return [*(replace(step, brand="") for step in shared), *(step for step in steps if step.name not in _SHARED)]


def _is_first(steps: Sequence[Step], index: int) -> bool:
    return all(step.name != steps[index].name for step in steps[:index])
