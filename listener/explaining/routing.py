"""Where an alert goes: every node of the routing tree, matched or not and on which label, and what goes elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from alerts.ramp import in_earnest, place, ramp_key
from alerts.routing import matches
from listener.config import Config, Matchers, Route
from listener.explaining.model import Fact, State, Step
from listener.explaining.told import Told
from listener.pipeline.announce import labels_of, trial_receiver
from listener.pipeline.workplaces import Workplaces
from listener.sentences import Listing, sentence


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the tree as one alert met it."""

    path: str
    depth: int
    asks: str
    """Its matchers in words; empty where it takes everything."""
    is_reached: bool
    """False where a sibling before it had matched already, or its parent had not."""
    is_matched: bool
    misses: Sequence[str]
    """The labels that are not as it asks, in words."""
    receiver: str
    group_wait_s: float
    leads_here: bool
    """Whether the alert goes to its receiver."""
    proceeds: bool


def walk(root: Route, labels: Mapping[str, str]) -> list[Node]:
    """Return the nodes of a routing tree, parents first, as `alerts.routing` goes through them."""
    found: list[Node] = []
    _walk(root, "route", 0, labels, ("", 30.0), is_reached=True, found=found)
    return found


def _walk(
    route: Route, path: str, depth: int, labels: Mapping[str, str], parent: tuple[str, float], *, is_reached: bool,
    found: list[Node],
) -> bool:  # fmt: skip
    """Add a node and those below it; return whether the alert goes to any of them."""
    is_matched = depth == 0 or matches(route.match, labels)
    own = route.receiver or parent[0], parent[1] if route.group_wait is None else route.group_wait
    position = len(found)
    node = Node(path, depth, _asks(route.match), is_reached, is_matched, _misses(route.match, labels),
                own[0], own[1], False, route.proceed)  # fmt: skip
    found.append(node)
    is_open = is_reached and is_matched
    any_below = False
    for index, child in enumerate(route.routes):
        below = f"{path}.routes[{index}]"
        any_below |= _walk(child, below, depth + 1, labels, own, is_reached=is_open, found=found)
        if is_open and matches(child.match, labels) and not child.proceed:
            is_open = False
    leads_here = is_reached and is_matched and not any_below and bool(own[0])
    found[position] = replace(node, leads_here=leads_here)
    return any_below or leads_here


def _asks(matchers: Matchers) -> str:
    return Listing.of(Listing.of((label, _wanted(getattr(matchers, label))), " ") for label in _asked(matchers))


def _asked(matchers: Matchers) -> list[str]:
    return [label for label in type(matchers).model_fields if getattr(matchers, label) is not None]


def _wanted(wanted: object) -> str:
    if isinstance(wanted, list):
        return Listing.of(map(str, wanted), " / ") if wanted else sentence("none")
    return str(wanted)


def _misses(matchers: Matchers, labels: Mapping[str, str]) -> list[str]:
    lone = ((label, Matchers.model_construct(**{label: getattr(matchers, label)})) for label in _asked(matchers))
    return [
        sentence(
            "{label} is {value}, not {wanted}",
            label=label, value=labels.get(label) or sentence("not known"), wanted=_wanted(getattr(matchers, label)),
        )
        for label, one in lone
        if not matches(one, labels)
    ]  # fmt: skip


def route_step(told: Told) -> Step | None:
    """Tell the way through the routing tree and where the alert's first messages went."""
    config, alert = told.then.config, told.alert
    if alert.country not in config.countries:
        return Step("route", "info", told.say("its country is not configured"), (), "Route", told.brand)
    labels = labels_of(config, told.opened, told.item)
    nodes = walk(config.route, labels)
    targets = list(dict.fromkeys(node.receiver for node in nodes if node.leads_here))
    facts = [Fact("labels", _labels(labels), hostile=True, basis="recomputed"), *_node_facts(told, nodes)]
    instead = _instead(told, config)
    facts += [*instead, *_ramp(told, config)]
    posted = list(dict.fromkeys(one.receiver for one in told.first_cards()))
    facts += _differences(told, targets, posted, is_diverted=bool(instead))
    state: State = "ok" if posted else "stopped"
    if not posted:
        summary = told.say("no receiver has a message of it")
    elif instead:
        summary = told.say("to {receivers}, and not by the routes", receivers=", ".join(posted))
    else:
        summary = told.say("to {receivers}", receivers=", ".join(posted))
    return Step("route", state, summary, tuple(facts), "Route", told.brand)


def _labels(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{label}={value}" for label, value in labels.items() if value)


def _node_facts(told: Told, nodes: Sequence[Node]) -> Iterator[Fact]:
    for node in nodes:
        asks = node.asks or sentence("takes everything")
        wait = timedelta(seconds=node.group_wait_s)
        detail: str = told.say("leads to {receiver}, after {wait}", receiver=node.receiver, wait=wait)
        if not node.is_reached:
            holds, detail = None, told.say("not looked at: one before it had matched, or the one above it had not")
        elif not node.is_matched:
            holds, detail = False, Listing.of(node.misses, "; ")
        else:
            holds = True
            if not node.leads_here:
                detail = told.say("one below it leads further") if node.receiver else told.say("it names no receiver")
            if node.proceeds:
                detail = told.say("{detail}; those after it are looked at too", detail=detail)
        yield Fact(node.path, asks, detail, basis="recomputed", holds=holds, depth=node.depth)


def _instead(told: Told, config: Config) -> list[Fact]:
    """Tell what sends an alert elsewhere than its routes lead: a drill, or a country in mode pilot."""
    alert, country = told.alert, config.countries[told.alert.country]
    if alert.drill:
        text = sentence("goes nowhere: no trial receiver is configured")
        if name := trial_receiver(config, alert.country):
            text = sentence("goes to {receiver} alone", receiver=name)
        return [Fact("drill", text, basis="recorded")]
    if alert.pilot and country.pilot_receiver:
        text = told.say("its country is a pilot: it goes to {receiver}", receiver=country.pilot_receiver)
        return [Fact("pilot", text, basis="recorded")]
    if alert.pilot:
        return [Fact("pilot", sentence("its country was a pilot when it was raised"), basis="recorded")]
    return []


def _ramp(told: Told, config: Config) -> Iterator[Fact]:
    """Tell why an alert of a country in mode pilot is in earnest already, or is not."""
    code, country = told.alert.country, config.countries[told.alert.country]
    if country.mode != "pilot" or country.ramp.share <= 0 or told.item is None or told.alert.drill:
        return
    ramp, severity, key = country.ramp, told.opened.severity, ramp_key(told.item.mention)
    verdict = sentence("it stays a pilot's" if told.alert.pilot else "it goes where it would if the country were live")
    yield Fact("ramp", verdict, basis="recorded", holds=not told.alert.pilot)
    text = told.say("its place {place}, share {share}", place=place(key), share=ramp.share)
    yield Fact("", text, basis="recomputed", holds=place(key) < ramp.share, depth=1)
    text = told.say(
        "severity {severity}, of {severities}", severity=severity, severities=", ".join(map(str, ramp.severities))
    )
    yield Fact("", text, basis="recomputed", holds=severity in ramp.severities, depth=1)
    if ramp.hours is not None and place(key) < ramp.share and severity in ramp.severities:
        is_open = in_earnest(code, country, key, severity, told.alert.opened_at)
        yield Fact("", sentence("raised within its hours"), basis="recomputed", holds=is_open, depth=1)


def _differences(told: Told, targets: Sequence[str], posted: Sequence[str], *, is_diverted: bool) -> Iterator[Fact]:
    """Tell of receivers that the routes name and that have no message, or have one and are not named."""
    missing = [name for name in targets if name not in posted]
    others = [name for name in posted if name not in targets]
    if is_diverted or not (missing or others):
        return
    covering = told.alert.team != told.alert.now_with and _covers(told, others)
    for name in others:
        if covering and name == covering:
            why = told.say("of the team that covered when it was raised")
        elif missing:
            why = told.say("in place of {missing}: off, disabled or left then", missing=", ".join(missing))
        else:
            why = told.say("given it otherwise, such as by an escalation or a higher severity")
        yield Fact("receiver", name, why, basis="recorded")
    if missing and not others:
        why = sentence("the routes then may have been others")
        yield Fact("no message for", ", ".join(missing), why, basis="recomputed")


def _covers(told: Told, others: Sequence[str]) -> str | None:
    config, at = told.then.config, told.alert.opened_at
    if told.alert.country not in config.countries:
        return None
    team, _ = Workplaces(config).in_charge(told.alert.country, at)
    found = config.teams.get(team)
    return found.receiver if found is not None and found.receiver in others else None
