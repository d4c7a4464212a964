"""The section on incidents: bursts of negative posts, their curves, how fast we were, how they ended."""

from collections.abc import Iterator, Mapping

from alerts.wording import name as safe_name
from listener.digest.document import Block, Cell, Figure, Heading, Listing, Paragraph, Section
from listener.digest.model import IncidentFacts
from listener.digest.phrases import Phrases

_MOST = 12


def section(phrases: Phrases, pictures: Mapping[str, Figure]) -> Section:
    """Return the section; `pictures` holds the curve of an incident by its reference."""
    return Section("incidents", phrases.words.say("Incidents"), tuple(_blocks(phrases, pictures)))


def _blocks(phrases: Phrases, pictures: Mapping[str, Figure]) -> Iterator[Block]:
    words, incidents = phrases.words, phrases.digest.incidents
    if not incidents:
        yield Paragraph(words.say("No incident this week."))
    for incident in incidents[:_MOST]:
        yield Heading(title(phrases, incident))
        if incident.reference in pictures:
            yield pictures[incident.reference]
        yield Listing(tuple(Cell(line) for line in _facts(phrases, incident)))
    if (more := len(incidents) - _MOST) > 0:
        yield Paragraph(words.plural("{count} more is not shown.", "{count} more are not shown.", more), "quiet")


def title(phrases: Phrases, incident: IncidentFacts) -> str:
    """Name an incident: brand, country, topic, severity and reference, side by side."""
    words = phrases.words
    parts = [
        phrases.brand(incident.brand),
        words.country(incident.country),
        phrases.topic(incident.topic) if incident.topic else "",
        # Translators: how severe an incident is, from 1 to 3.
        words.say("severity {number}", number=words.number(incident.severity)),
        safe_name(incident.reference, 30),
    ]
    return " · ".join(part for part in parts if part)


def _facts(phrases: Phrases, incident: IncidentFacts) -> Iterator[str]:
    words = phrases.words
    yield size(phrases, incident)
    yield _span(phrases, incident)
    if incident.claimed_after_s is None:
        # Translators: of an incident: nobody has taken charge of it.
        yield words.say("Not claimed by anybody.")
    else:
        yield words.say("Claimed after {duration}.", duration=words.duration(incident.claimed_after_s))
    if incident.answered_after_s is None:
        yield words.say("Not answered.")
    else:
        yield words.say("First answered after {duration}.", duration=words.duration(incident.answered_after_s))
    if incident.closed_after_s is not None:
        yield words.say("Closed after {duration}.", duration=words.duration(incident.closed_after_s))
    yield left_open(phrases, incident) or words.say("Outcome: {outcome}.", outcome=phrases.ending(incident.outcome))


def left_open(phrases: Phrases, incident: IncidentFacts) -> str:
    """Say that a burst is over and its alert is not; empty where both are, or neither."""
    if incident.ended_at is None or incident.outcome != "open":
        return ""
    # Translators: of an incident: since when it is over, while nobody has closed the alert about it.
    return phrases.words.say(
        "Over since {moment}, its alert still open.", moment=phrases.words.moment(incident.ended_at, incident.timezone)
    )


def size(phrases: Phrases, incident: IncidentFacts) -> str:
    """Say how big an incident was against the usual."""
    words = phrases.words
    return words.plural(
        "{count} negative mention, where {expected} would be usual; authors: {authors}.",
        "{count} negative mentions, where {expected} would be usual; authors: {authors}.",
        incident.mentions,
        expected=words.number(incident.expected),
        authors=words.number(incident.authors),
    )


def _span(phrases: Phrases, incident: IncidentFacts) -> str:
    words, zone = phrases.words, incident.timezone
    values = {
        "began": words.moment(incident.began_at, zone),
        "noticed": words.moment(incident.opened_at, zone),
        "timezone": safe_name(zone, 40),
    }
    if incident.ended_at is None:
        # Translators: of an incident. The three values are moments and a time zone ("Europe/Paris").
        return words.say("Began {began}, noticed {noticed}, not over yet ({timezone}).", **values)
    return words.say(
        "Began {began}, noticed {noticed}, over {ended} ({timezone}).",
        ended=words.moment(incident.ended_at, zone),
        **values,
    )
