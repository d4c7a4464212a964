"""The section on causes: what people complain of, how it develops, and what they say, one post per language."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from alerts.wording import name as safe_name
from listener.digest.document import Block, Cell, Column, Figure, Heading, Listing, Paragraph, Quotes, Section, Table
from listener.digest.model import Irritant, Measure
from listener.digest.phrases import Phrases
from listener.digest.words import NO_BREAK_SPACE

_MOST_IN_TABLE = 12
_MOST_LISTED = 5
_MOST_QUOTED = 5
_MOST_QUOTES = 6
_MOST_COUNTRIES = 4
_MOST_ALERTS = 8


def section(phrases: Phrases, pictures: Iterable[Figure]) -> Section:
    """Return the section; `pictures` stand after its first sentence."""
    return Section("causes", phrases.words.say("Where does it hurt, and why?"), tuple(_blocks(phrases, pictures)))


def _blocks(phrases: Phrases, pictures: Iterable[Figure]) -> Iterator[Block]:
    causes = phrases.digest.causes
    living = [one for one in causes.irritants if one.mentions]
    yield from _introduction(phrases, len(living))
    if living:
        yield from pictures
        yield Listing(tuple(_line(phrases, one) for one in living[:_MOST_LISTED]), ordered=True)


def _line(phrases: Phrases, irritant: Irritant) -> Cell:
    """Say an irritant in a line, with its first post under it."""
    details = [
        phrases.trend(irritant),
        phrases.words.plural("{count} complaint", "{count} complaints", irritant.mentions),
        phrases.share_of_brand(irritant),
        countries(phrases, irritant),
    ]
    # Translators: an irritant and what is said of it: its trend, size, share and countries.
    text = phrases.words.say(
        "{name} ({details})", name=phrases.irritant(irritant), details=phrases.series([one for one in details if one])
    )
    return Cell(text, tone=phrases.tone("complaints", measure(irritant)))


def each(phrases: Phrases) -> Section:
    """Return the section on the irritants one by one: their table, posts of the greatest, and those that ended."""
    causes, say = phrases.digest.causes, phrases.words.say
    living = [one for one in causes.irritants if one.mentions]
    blocks: list[Block] = [_table(phrases, living[:_MOST_IN_TABLE])] if living else []
    for place, irritant in enumerate(living[:_MOST_QUOTED], start=1):
        blocks += _one(phrases, place, irritant)
    blocks += _ended(phrases, [one for one in causes.irritants if not one.mentions])
    if not blocks:
        blocks = [Paragraph(say("There is no irritant this week."))]
    return Section("irritants", say("The irritants one by one"), tuple(blocks))


def _introduction(phrases: Phrases, living: int) -> Iterator[Paragraph]:
    words, causes = phrases.words, phrases.digest.causes
    if not causes.complaints:
        yield Paragraph(words.say("Nobody complained this week."))
        return
    if not living:
        yield Paragraph(words.say("No complaints resemble one another enough to be one irritant."))
    grouped = sum(one.mentions for one in causes.irritants)
    if living and grouped > 0:
        yield Paragraph(
            words.plural(
                "{grouped} of {complaints} complaints belong to {count} irritant; {alone} resemble no others.",
                "{grouped} of {complaints} complaints belong to {count} irritants; {alone} resemble no others.",
                living,
                grouped=words.number(grouped),
                complaints=words.number(causes.complaints),
                alone=words.number(causes.alone),
            )
        )
    if causes.without_embedding:
        yield Paragraph(
            words.plural(
                "{count} older complaint could not be compared with the others.",
                "{count} older complaints could not be compared with the others.",
                causes.without_embedding,
            ),
            "quiet",
        )


def measure(irritant: Irritant) -> Measure:
    """Return the mentions of an irritant as a figure beside the weeks before."""
    return Measure(irritant.mentions, "count", last=irritant.last, mean=irritant.mean, verdict=irritant.verdict)


def _table(phrases: Phrases, irritants: Iterable[Irritant]) -> Table:
    say = phrases.words.say
    columns = (
        # Translators: a cause that many people complain of.
        Column(say("Irritant"), explained=phrases.definition("irritants")),
        phrases.column("complaints"),
        Column(say("Last week"), numeric=True),
        Column(say("Four-week mean"), numeric=True),
        # Translators: how an irritant develops: new, growing, steady, fading, back again, ended.
        Column(say("Trend")),
        Column(say("Countries")),
        Column(say("First seen")),
    )
    return Table(columns, tuple(_row(phrases, irritant) for irritant in irritants))


def _row(phrases: Phrases, irritant: Irritant) -> tuple[Cell, ...]:
    words, figure = phrases.words, measure(irritant)
    tone = phrases.tone("complaints", figure)
    return (
        # The brand is named with its share.
        Cell(phrases.irritant(irritant), phrases.name(irritant.product)),
        Cell(words.number(irritant.mentions), phrases.share_of_brand(irritant), tone),
        Cell(words.number(irritant.last)),
        Cell(phrases.before(figure, irritant.mean)),
        Cell(phrases.trend(irritant), phrases.verdict(figure), tone),
        Cell(countries(phrases, irritant)),
        Cell(words.day(_day(irritant.first_seen_at, phrases.digest.timezone))),
    )


def countries(phrases: Phrases, irritant: Irritant) -> str:
    """Name the countries of an irritant with their mentions: "France 60 · Russia 40"."""
    words = phrases.words
    named, others = irritant.countries[:_MOST_COUNTRIES], irritant.countries[_MOST_COUNTRIES:]
    parts = [f"{words.country(code)}{NO_BREAK_SPACE}{words.number(mentions)}" for code, mentions in named]
    if others:
        # Translators: after countries with their numbers of complaints: how many more, and their complaints together.
        more = words.plural("and {count} other: {number}", "and {count} others: {number}", len(others),
                            number=words.number(sum(mentions for _, mentions in others)))  # fmt: skip
        parts.append(more)
    return " · ".join(parts)


def _day(moment: datetime, timezone: str) -> datetime:
    return moment.astimezone(ZoneInfo(timezone))


def _one(phrases: Phrases, place: int, irritant: Irritant) -> Iterator[Block]:
    if not irritant.posts and not irritant.alerts:
        return
    words = phrases.words
    yield Heading(
        # Translators: the heading over an irritant: its rank, its name and its trend.
        words.say(
            "{place}. {name} ({trend})",
            place=words.number(place),
            name=phrases.irritant(irritant),
            trend=phrases.trend(irritant),
        )
    )
    yield Paragraph(_size(phrases, irritant))
    if irritant.posts:
        yield Quotes(tuple(phrases.quote(post) for post in irritant.posts[:_MOST_QUOTES]))
    if irritant.alerts:
        shown = " · ".join(safe_name(reference, 30) for reference in irritant.alerts[:_MOST_ALERTS])
        # Translators: references of alerts about this irritant, such as "Alerts: A-1042 · A-1057".
        yield Paragraph(words.say("Alerts: {references}", references=shown), "quiet")


def _size(phrases: Phrases, irritant: Irritant) -> str:
    """Say how large an irritant is, by how many people, and how it changed."""
    words = phrases.words
    values = {
        "complaints": words.plural("{count} complaint", "{count} complaints", irritant.mentions),
        "urgent": words.number(irritant.urgent),
    }
    if irritant.mean is None:
        return words.plural(
            "{complaints} by {count} author; urgent: {urgent}.",
            "{complaints} by {count} authors; urgent: {urgent}.",
            irritant.authors,
            **values,
        )
    # Translators: "complaints" is such as "121 complaints", "change" such as "▲ +19 % on the four-week mean, ...".
    return words.plural(
        "{complaints} by {count} author; urgent: {urgent}; {change}.",
        "{complaints} by {count} authors; urgent: {urgent}; {change}.",
        irritant.authors,
        change=phrases.change(measure(irritant)),
        **values,
    )


def _ended(phrases: Phrases, irritants: list[Irritant]) -> Iterator[Block]:
    if not irritants:
        return
    words = phrases.words
    yield Heading(words.say("Not seen any more"))
    yield Listing(
        tuple(
            Cell(
                # Translators: an irritant of which there was nothing this week.
                words.plural(
                    "{name}: none this week, {count} complaint last week.",
                    "{name}: none this week, {count} complaints last week.",
                    one.last,
                    name=phrases.irritant(one),
                )
            )
            for one in irritants[:_MOST_IN_TABLE]
        )
    )
