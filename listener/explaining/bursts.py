"""Why a burst became an incident, why of that severity, what it holds, and why it is over or not."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from alerts.card import CurvePoint, IncidentCard, load_message
from alerts.incidents import INFLUENCE_WEIGHT, SIZE_WEIGHT, SPEED_WEIGHT, Burst, Heat, heat, reasons_again, severity
from listener.explaining.case import alone, term
from listener.explaining.model import Fact, Step
from listener.explaining.told import Told
from listener.histories import over_because
from listener.model import RESOLUTIONS, TOPICS
from listener.pipeline.cards import reference
from listener.sentences import Listing, Share, sentence
from listener.store.incidents import INTERVAL

_TWO_HOURS = timedelta(hours=2)
_MOST_ALERTS = 12
_SAME = 0.02


def burst_steps(told: Told) -> list[Step]:
    """Return what is told of an incident before its messages."""
    card = _card(told)
    if card is None:
        return [Step("burst", "info", told.say("its figures are not stored any more"), (), "Burst")]
    return [
        _counted_step(told, card),
        _found_step(told, card),
        _heat_step(told, card),
        _held_step(told),
        _end_step(told, card),
    ]


def _card(told: Told) -> IncidentCard | None:
    try:
        card = load_message(told.store.incidents.facts(told.alert.id) or "{}")
    except ValueError:
        return None
    return card if isinstance(card, IncidentCard) else None


def _counted_step(told: Told, card: IncidentCard) -> Step:
    summary = told.say(
        "{mentions} negative posts by {authors} authors, where {expected} would be usual",
        mentions=card.mentions, authors=card.authors, expected=f"{card.expected:,.1f}",
    )  # fmt: skip
    country = told.then.config.countries.get(told.alert.country)
    facts = [
        Fact(
            "of",
            term(card.topic, TOPICS) or sentence("several topics"),
            f"{card.brand}, {card.country}",
            basis="recorded",
        ),
        told.when("began", card.opened_at),
        told.when("counted until", card.updated_at),
        Fact(
            "copies among them",
            alone(Share(card.copies_share)),
            sentence("they are counted here and not as authors"),
            basis="recorded",
        ),
        Fact("fastest hour", alone(round(card.fastest_per_hour)), basis="recorded"),
        Fact("followers of those who speak", alone(card.reach), basis="recorded"),
    ]
    if country is not None:
        text = told.say("complaint from {threshold}, or a negative tone", threshold=country.thresholds.complaint)
        facts.insert(0, Fact("what counts", text, sentence("each author once an hour")))
    if card.complaints:
        topics = Listing.of(Listing.of((term(topic, TOPICS), str(count)), " ") for topic, count in card.complaints)
        facts.append(Fact("topics", topics, basis="recorded"))
    return Step("burst", "info", summary, tuple(facts), "Counted")


def _found_step(told: Told, card: IncidentCard) -> Step:
    found_at, began = told.alert.opened_at, card.opened_at
    summary = told.say("found at {at}, {after} after it began", at=found_at, after=found_at - began)
    country = told.then.config.countries.get(told.alert.country)
    why = sentence("the detector was sure that this is more than usual")
    facts = [Fact("rule", "burst", why, basis="recorded", holds=True)]
    most = _most_in(card.curve, began, _TWO_HOURS)
    if country is not None and most is not None:
        least = country.incidents.least_authors
        text = told.say("{most} authors within two hours, at least {least} needed", most=round(most), least=least)
        facts.append(Fact("", text, basis="recomputed", holds=most >= least, depth=1))
    if card.topic:
        facts += [
            Fact("topic", one, basis="recorded") for one in reasons_again(card) if one.endswith(f"about {card.topic}")
        ]
    return Step("found", "ok", summary, tuple(facts), "Found")


def _most_in(curve: tuple[CurvePoint, ...], since: datetime, window: timedelta) -> float | None:
    """Return the most that a curve holds within a window from `since` on; None where its points are too far apart."""
    points = [point for point in curve if point.at >= since - INTERVAL]
    if not points or (len(points) > 1 and points[1].at - points[0].at > window):
        return None
    return max(sum(one.count for one in points if start.at <= one.at < start.at + window) for start in points)


def _heat_step(told: Told, card: IncidentCard) -> Step:
    found = _heat_again(card)
    country = told.then.config.countries.get(told.alert.country)
    facts = [Fact("because", one, hostile=True, basis="recorded") for one in reasons_again(card)]
    formula = told.say(
        "{size_weight} × size {size} + {speed_weight} × speed {speed} + {influence_weight} × influence {influence}"
        " = {heat}",
        size=found.size, speed=found.speed, influence=found.influence, heat=found.score,
        size_weight=f"{SIZE_WEIGHT:g}", speed_weight=f"{SPEED_WEIGHT:g}", influence_weight=f"{INFLUENCE_WEIGHT:g}",
    )  # fmt: skip
    facts.append(Fact("heat", formula, basis="recomputed"))
    if abs(found.score - told.alert.priority) > _SAME:
        text = told.say(
            "the highest that was recorded is {heat}: figures grew and shrank since", heat=told.alert.priority
        )
        facts.append(Fact("", text, basis="recorded", depth=1))
    if country is not None:
        settings, highest = country.incidents, max(found.score, told.alert.priority)
        for level, threshold in ((2, settings.severity_2), (3, settings.severity_3)):
            label = told.say("severity {severity}", severity=level)
            wanted = told.say("heat from {threshold}", threshold=threshold)
            facts.append(Fact(label, wanted, basis="recomputed", holds=highest >= threshold))
        if severity(highest, settings) != told.alert.severity:
            text = told.say(
                "recorded is severity {severity}: it was raised so, and never falls", severity=told.alert.severity
            )
            facts.append(Fact("", text, basis="recorded"))
        facts += _today(told, highest, told.alert.severity)
    summary = told.say("heat {heat}, severity {severity}", heat=told.alert.priority, severity=told.alert.severity)
    return Step("heat", "info", summary, tuple(facts), "Severity")


def _today(told: Told, highest: float, before: int) -> Iterator[Fact]:
    country = told.config.countries.get(told.alert.country)
    then = told.then.config.countries.get(told.alert.country)
    if country is None or then is None or country.incidents == then.incidents:
        return
    if not country.incidents.on:
        yield Fact("today", sentence("incidents are off in this country"), basis="today", holds=False)
    elif severity(highest, country.incidents) != before:
        text = told.say("it would be of severity {severity}", severity=severity(highest, country.incidents))
        yield Fact("today", text, basis="today")


def _heat_again(card: IncidentCard) -> Heat:
    span = max(INTERVAL, (card.ended_at or card.updated_at) - card.opened_at)
    usual = card.expected / (span / timedelta(hours=1))
    return heat(Burst(card.authors, card.fastest_per_hour, usual, [voice.influence for voice in card.influential]))


def _held_step(told: Told) -> Step:
    rows = told.store.trails.of_incident(told.alert.id)
    facts = tuple(
        Fact(
            reference(row),
            told.say("severity {severity}, {state}", severity=row.severity, state=sentence(row.state)),
            basis="recorded",
            link=reference(row),
        )
        for row in rows[:_MOST_ALERTS]
    )
    if not rows:
        return Step("alerts", "info", told.say("no alert of a single post belongs to it"), (), "Alerts")
    summary = told.count(
        "it holds {count} alert of a single post", "it holds {count} alerts of single posts", len(rows)
    )
    return Step("alerts", "info", summary, facts, "Alerts")


def _end_step(told: Told, card: IncidentCard) -> Step:
    over = next((event for event in told.history if event.kind == "over"), None)
    if over is not None and "because" in over.data:
        summary = told.say("it is not followed any more since {at}", at=over.at)
        why = Fact("because", over_because(over.data), basis="recorded")
        return Step("end", "stopped", summary, (why,), "End")
    if card.ended_at is None and told.alert.resolution == "drill" and told.alert.closed_at is not None:
        why = Fact("because", term(RESOLUTIONS["drill"], RESOLUTIONS.values()), basis="recorded")
        return Step("end", "ok", told.say("over at {at}", at=told.alert.closed_at), (why,), "End")
    if card.ended_at is None:
        rule = sentence("when the detector has no evidence left, an hour stays calm, and all watches were read")
        summary = told.say("it lasts, as of {at}", at=card.updated_at)
        return Step("end", "info", summary, (Fact("it ends", rule),), "End")
    facts = [Fact("lasted", alone(card.ended_at - card.opened_at), basis="recorded")]
    facts.append(Fact("because", sentence("the detector had no evidence left, and an hour stayed calm")))
    if over is not None:
        facts.append(told.when("noted", over.at))
    if told.alert.resolution is not None:
        words = term(RESOLUTIONS.get(told.alert.resolution, told.alert.resolution), RESOLUTIONS.values())
        facts.append(Fact("closed", words, told.alert.closed_by or "", hostile=True, basis="recorded"))
    return Step("end", "ok", told.say("over at {at}", at=card.ended_at), tuple(facts), "End")
