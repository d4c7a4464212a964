"""The section of notes: corrections of last week, what figures are compared to, and what each one means."""

from collections.abc import Iterator
from datetime import date

from listener.digest.document import Block, Cell, Heading, Listing, Section
from listener.digest.phrases import Phrases
from listener.digest.vocabulary import FIGURES
from listener.digest.weeks import Week

_FOUR_WEEKS = 4


def section(phrases: Phrases) -> Section:
    """Return the section."""
    words = phrases.words
    blocks: list[Block] = [Listing(tuple(Cell(line) for line in _remarks(phrases)))]
    blocks += [Heading(words.say("What the figures mean")), Listing(tuple(_definitions(phrases)))]
    return Section("notes", words.say("Notes and definitions"), tuple(blocks))


def _remarks(phrases: Phrases) -> Iterator[str]:
    words, digest = phrases.words, phrases.digest
    yield errata(phrases)
    yield words.say(
        "Figures are as of {moment} ({timezone}). "
        "The week runs from Monday to Sunday by each country’s own clocks; what comes in later is reported next week.",
        moment=words.moment(digest.as_of, digest.timezone),
        timezone=phrases.name(digest.timezone),
    )
    yield _basis(phrases)
    yield words.say(
        "“More than noise” means that a difference this large would come about by chance alone "
        "in at most one week out of twenty."
    )
    yield words.say("“Not enough data” stands where a figure would rest on too few cases.")
    yield from _holidays(phrases)
    if digest.scope.team:
        yield words.say("Of alerts, only those of this team are counted: {team}.", team=phrases.team(digest.scope.team))
    if digest.scope.masked:
        yield words.say(
            "Handles of private persons are shortened; phone numbers, e-mail addresses and order numbers are removed."
        )
    yield words.say(
        "Posts are quoted in their own language; what stands beside them is drawn from their classification."
    )


def errata(phrases: Phrases) -> str:
    """Say what last week's digest could not know."""
    words, found = phrases.words, phrases.digest.errata
    week = week_name(phrases, found.week)
    if found.said is None:
        return words.plural(
            "No digest was sent for {week}; {count} mention of it came in later, which makes {now} in all.",
            "No digest was sent for {week}; {count} mentions of it came in later, which makes {now} in all.",
            found.late,
            week=week,
            now=words.number(found.now),
        )
    if not found.late and found.said == found.now:
        return words.say("Correction of {week}: none, nothing came in late.", week=week)
    return words.plural(
        "Correction of {week}: its digest counted {said} mentions; {count} came in late; it is {now} now.",
        "Correction of {week}: its digest counted {said} mentions; {count} came in late; it is {now} now.",
        found.late,
        week=week,
        said=words.number(found.said),
        now=words.number(found.now),
    )


def week_name(phrases: Phrases, week: str) -> str:
    """Name a week: "week 46 of 2026"."""
    found = Week.parse(week)
    # Translators: a calendar week by ISO 8601, in the middle of a sentence.
    return phrases.words.say("week {number} of {year}", number=str(found.number), year=str(found.year))


def _basis(phrases: Phrases) -> str:
    words, weeks = phrases.words, phrases.digest.weeks_before
    if not weeks:
        return words.say("No week before was listened to, so there are no four-week means yet.")
    if weeks < _FOUR_WEEKS:
        return words.plural(
            "Four-week means rest on {count} week: the others were not listened to.",
            "Four-week means rest on {count} weeks: the others were not listened to.",
            weeks,
        )
    return words.say(
        "Figures are compared with the mean of the four weeks before; shares, net sentiment and times "
        "with those of the four weeks taken together."
    )


def _holidays(phrases: Phrases) -> Iterator[str]:
    words = phrases.words
    for country, day, name in phrases.digest.holidays:
        # Translators: a public holiday of the week, with its name as the country has it.
        yield words.say(
            "Public holiday: {country}, {day} ({name}).",
            country=words.country(country),
            day=words.day(date.fromisoformat(day)),
            name=phrases.name(phrases.holiday(country, day, name)),
        )


def _definitions(phrases: Phrases) -> Iterator[Cell]:
    for figure in FIGURES:
        # Translators: a figure and its definition.
        yield Cell(
            phrases.words.say(
                "{figure}: {definition}", figure=phrases.label(figure), definition=phrases.definition(figure)
            )
        )
