"""The section of advice: each kind as one sentence that says what to do and what it rests on."""

from collections.abc import Callable, Mapping

from alerts.wording import name as safe_name
from listener.digest.document import Cell, Listing, Paragraph, Section
from listener.digest.model import Advice, Irritant
from listener.digest.phrases import Phrases


def section(phrases: Phrases) -> Section:
    """Return the section."""
    title = phrases.words.say("What should we do?")
    said = tuple(Cell(sentence(phrases, one)) for one in phrases.digest.advice if one.kind != "nothing")
    if not said:
        return Section("advice", title, (Paragraph(phrases.words.say("Nothing calls for action this week.")),))
    return Section("advice", title, (Listing(said, ordered=True),))


def sentence(phrases: Phrases, advice: Advice) -> str:
    """Return a piece of advice as a sentence."""
    return _SENTENCES[advice.kind](phrases, advice)


def _irritant(phrases: Phrases, advice: Advice) -> tuple[str, Irritant | None]:
    found = next((one for one in phrases.digest.causes.irritants if str(one.id) == advice.subject), None)
    return (phrases.irritant(found), found) if found else (phrases.name(advice.subject), None)


def _where(phrases: Phrases, advice: Advice) -> str:
    """Name a country or a team; everything where neither is named."""
    if not advice.subject:
        return phrases.words.say("All countries")
    if f"team:{advice.subject}" in phrases.digest.names:
        return phrases.team(advice.subject)
    return phrases.words.country(advice.subject)


def _share(phrases: Phrases, advice: Advice) -> dict[str, str]:
    return {
        "share": phrases.words.percent(advice.figure or 0.0),
        "whole": phrases.words.number(advice.of or 0),
    }


def _irritant_new(phrases: Phrases, advice: Advice) -> str:
    if not phrases.digest.weeks_before:
        return _irritant_great(phrases, advice)
    return phrases.words.plural(
        "Find out what is behind a new irritant: {name} ({count} complaint in its first week).",
        "Find out what is behind a new irritant: {name} ({count} complaints in its first week).",
        advice.figure or 0,
        name=_irritant(phrases, advice)[0],
    )


def _irritant_great(phrases: Phrases, advice: Advice) -> str:
    """Say what to do about an irritant of the first week: there is nothing that it could be new against."""
    name, found = _irritant(phrases, advice)
    if found is None or found is phrases.digest.causes.irritants[0]:
        return phrases.words.plural(
            "Find out what is behind the greatest irritant: {name} ({count} complaint).",
            "Find out what is behind the greatest irritant: {name} ({count} complaints).",
            advice.figure or 0,
            name=name,
        )
    return phrases.words.plural(
        "Find out what is behind one of the greatest irritants: {name} ({count} complaint).",
        "Find out what is behind one of the greatest irritants: {name} ({count} complaints).",
        advice.figure or 0,
        name=name,
    )


def _irritant_growing(phrases: Phrases, advice: Advice) -> str:
    name, found = _irritant(phrases, advice)
    last = phrases.words.number(advice.of or 0)
    if found and found.trend == "recurring":
        return phrases.words.plural(
            "Ask why an irritant came back: {name} ({count} complaint this week, {last} last week).",
            "Ask why an irritant came back: {name} ({count} complaints this week, {last} last week).",
            advice.figure or 0,
            name=name,
            last=last,
        )
    return phrases.words.plural(
        "Act on a growing irritant with those who can end it: {name} ({count} complaint this week, {last} last week).",
        "Act on a growing irritant with those who can end it: {name} ({count} complaints this week, {last} last week).",
        advice.figure or 0,
        name=name,
        last=last,
    )


def _irritant_long(phrases: Phrases, advice: Advice) -> str:
    return phrases.words.plural(
        "Agree on a date by which a lasting irritant ends: {name} (seen in {count} of the last twelve weeks).",
        "Agree on a date by which a lasting irritant ends: {name} (seen in {count} of the last twelve weeks).",
        advice.figure or 0,
        name=_irritant(phrases, advice)[0],
    )


def _answers_slow(phrases: Phrases, advice: Advice) -> str:
    # Translators: begins with the name of a country or a team.
    return phrases.words.say(
        "{where}: answer sooner, as only {share} of {whole} alerts were answered in time.",
        where=_where(phrases, advice),
        **_share(phrases, advice),
    )


def _answers_few(phrases: Phrases, advice: Advice) -> str:
    # Translators: begins with the name of a country or a team.
    return phrases.words.say(
        "{where}: answer more, as only {share} of {whole} alerts that needed an answer by now got one.",
        where=_where(phrases, advice),
        **_share(phrases, advice),
    )


def _precision_low(phrases: Phrases, advice: Advice) -> str:
    # Translators: begins with the name of a country or a team.
    return phrases.words.say(
        "{where}: raise the thresholds or teach the model, as only {share} of {whole} closed alerts were complaints.",
        where=_where(phrases, advice),
        **_share(phrases, advice),
    )


def _recontacts(phrases: Phrases, advice: Advice) -> str:
    return phrases.words.say(
        "Read again the answers that did not help: {share} of {whole} alerts "
        "came from people who had been answered within the seven days before.",
        **_share(phrases, advice),
    )


def _coverage(phrases: Phrases, advice: Advice) -> str:
    words = phrases.words
    lost = sum(one.seconds for one in phrases.digest.coverage.unseen if one.watch == advice.subject)
    watch = phrases.name(advice.subject)
    if not round(advice.figure or 0):
        return words.say(
            "Restore the watch {watch}: it saw nothing for {duration}.", watch=watch, duration=words.duration(lost)
        )
    return words.plural(
        "Restore the watch {watch}: it saw nothing for {duration}, and all gaps hid about {count} mention.",
        "Restore the watch {watch}: it saw nothing for {duration}, and all gaps hid about {count} mentions.",
        round(advice.figure or 0),
        watch=watch,
        duration=words.duration(lost),
    )


def _thank(phrases: Phrases, advice: Advice) -> str:
    return phrases.words.plural(
        "Thank the person who praised us (quoted under “Supporters to thank”).",
        "Thank the {count} people who praised us (quoted under “Supporters to thank”).",
        advice.figure or 0,
    )


def _journalists(phrases: Phrases, advice: Advice) -> str:
    return phrases.words.plural(
        "Get in touch with the journalist who wrote about us critically (quoted under “Journalists”).",
        "Get in touch with the {count} journalists who wrote about us critically (quoted under “Journalists”).",
        advice.figure or 0,
    )


def _incident_open(phrases: Phrases, advice: Advice) -> str:
    words = phrases.words
    found = next((one for one in phrases.digest.incidents if one.reference == advice.subject), None)
    reference = safe_name(advice.subject, 30)
    if found is None:
        return words.say("Bring incident {reference} to an end.", reference=reference)
    place = {"brand": phrases.brand(found.brand), "country": words.country(found.country)}
    if found.ended_at is not None:
        # Translators: the burst is over, and nobody has closed the alert about it. "moment" is a date and a time.
        return words.say(
            "Close the alert of incident {reference}: {brand}, {country}, over since {moment}.",
            reference=reference,
            moment=words.moment(found.ended_at, found.timezone),
            **place,
        )
    return words.plural(
        "Bring incident {reference} to an end: {brand}, {country}, {count} negative mention so far.",
        "Bring incident {reference} to an end: {brand}, {country}, {count} negative mentions so far.",
        found.mentions,
        reference=reference,
        **place,
    )


def _load(phrases: Phrases, advice: Advice) -> str:
    return phrases.words.say(
        "Spread the load: {person} answered {part} of {whole} alerts.",
        person=phrases.name(advice.subject),
        part=phrases.words.number(advice.figure or 0),
        whole=phrases.words.number(advice.of or 0),
    )


def _nothing(phrases: Phrases, advice: Advice) -> str:
    return phrases.words.say("Nothing calls for action this week.")


_SENTENCES: Mapping[str, Callable[[Phrases, Advice], str]] = {
    "irritant_new": _irritant_new,
    "irritant_growing": _irritant_growing,
    "irritant_long": _irritant_long,
    "answers_slow": _answers_slow,
    "answers_few": _answers_few,
    "precision_low": _precision_low,
    "coverage": _coverage,
    "thank": _thank,
    "journalists": _journalists,
    "incident_open": _incident_open,
    "load": _load,
    "recontacts": _recontacts,
    "nothing": _nothing,
}
