"""The section on coverage: what was not seen, and what it cost."""

from collections.abc import Iterator

from alerts.wording import name as safe_name
from listener.digest.document import Block, Cell, Column, Paragraph, Section, Table
from listener.digest.model import Unseen
from listener.digest.phrases import Phrases

_MOST = 12
_REASON_LIMIT = 120


def section(phrases: Phrases) -> Section:
    """Return the section."""
    return Section("coverage", phrases.words.say("Coverage: what was not seen"), tuple(_blocks(phrases)))


def _blocks(phrases: Phrases) -> Iterator[Block]:
    words, coverage = phrases.words, phrases.digest.coverage
    yield Paragraph(seen(phrases))
    if coverage.unseen:
        yield from _cost(phrases)
        yield _table(phrases)
        if (more := len(coverage.unseen) - _MOST) > 0:
            yield Paragraph(words.plural("{count} more is not shown.", "{count} more are not shown.", more), "quiet")
    if coverage.skipped:
        yield Paragraph(
            words.plural(
                "{count} item could not be read and was left out.",
                "{count} items could not be read and were left out.",
                coverage.skipped,
            ),
            "quiet",
        )


def seen(phrases: Phrases) -> str:
    """Say how much of the week was listened to."""
    words, coverage = phrases.words, phrases.digest.coverage
    share = coverage.seen_share.value
    if not coverage.watches or share is None:
        # Translators: a watch is one search on one network for one brand and country.
        return words.say("Nothing was listened to this week.")
    if not coverage.unseen:
        return words.plural(
            "{count} watch listened the whole week, without a gap.",
            "{count} watches listened the whole week, without a gap.",
            coverage.watches,
        )
    return words.plural(
        "{count} watch listened for {share} of the week (last week: {last}).",
        "{count} watches listened for {share} of the week (last week: {last}).",
        coverage.watches,
        share=words.percent_precisely(share),
        last="–" if coverage.seen_share.last is None else words.percent_precisely(coverage.seen_share.last),
    )


def _cost(phrases: Phrases) -> Iterator[Paragraph]:
    words, coverage = phrases.words, phrases.digest.coverage
    missed = round(coverage.missed or 0)
    if missed:
        hit = dict.fromkeys(one.country for one in coverage.unseen if one.missed and round(one.missed))
        yield Paragraph(
            words.plural(
                "About {count} mention was probably missed. The figures are therefore too low for: {countries}.",
                "About {count} mentions were probably missed. The figures are therefore too low for: {countries}.",
                missed,
                countries=words.all_of(words.country(code) for code in hit),
            ),
            "warning",
        )
    elif any(one.missed is None for one in coverage.unseen):
        yield Paragraph(words.say("How many mentions were missed cannot be estimated yet."))
    else:
        yield Paragraph(words.say("By the weeks before, hardly any mention was missed."))


def _table(phrases: Phrases) -> Table:
    say = phrases.words.say
    columns = (
        # Translators: one search on one network for one brand and country.
        Column(say("Watch")),
        Column(say("Country")),
        Column(say("Brand")),
        # Translators: head of a column of durations: how long a watch saw nothing.
        Column(say("Not seen for"), numeric=True),
        Column(say("Probably missed"), numeric=True, explained=phrases.definition("missed")),
        # Translators: head of a column: what the network said, in English.
        Column(say("Reason, as the source gave it")),
    )
    ordered = sorted(phrases.digest.coverage.unseen, key=lambda one: (-(one.missed or 0), -one.seconds))
    return Table(columns, tuple(_row(phrases, one) for one in ordered[:_MOST]))


def _row(phrases: Phrases, unseen: Unseen) -> tuple[Cell, ...]:
    words = phrases.words
    missed = words.say("not enough data") if unseen.missed is None else words.number(round(unseen.missed))
    return (
        Cell(phrases.name(unseen.watch), phrases.network(unseen.source)),
        Cell(words.country(unseen.country)),
        Cell(phrases.brand(unseen.brand)),
        Cell(words.duration(unseen.seconds)),
        Cell(missed, tone="quiet" if unseen.missed is None else "plain"),
        Cell(safe_name(unseen.reason, _REASON_LIMIT)),
    )
