"""The section on how well we answered: shares, times, outcomes, countries and teams, load."""

from collections.abc import Iterable, Iterator, Sequence

from listener.digest.document import Block, Cell, Column, Figure, Heading, Paragraph, Section, Table
from listener.digest.model import DeskRow, Load, Times
from listener.digest.page_spoken import busiest_hour, figures_table, hour_words, legend
from listener.digest.phrases import Phrases

FIGURES = (
    "alerts",
    "needing",
    "response_rate",
    "in_target",
    "private",
    "first_contact",
    "recontacts",
    "precision",
    "snoozed",
)
STEPS = ("claim", "answer", "resolution")
_MOST_PEOPLE = 20


def section(phrases: Phrases, pictures: Iterable[Figure]) -> Section:
    """Return the section; `pictures` stand after the times."""
    return Section("desk", phrases.words.say("How well did we answer?"), tuple(_blocks(phrases, pictures)))


def _blocks(phrases: Phrases, pictures: Iterable[Figure]) -> Iterator[Block]:
    desk = phrases.digest.desk
    yield from _pilot(phrases)
    if not desk.alerts.value:
        yield Paragraph(phrases.words.say("No alert was opened this week, so there was nothing to answer."))
    else:
        yield figures_table(phrases, [(figure, getattr(desk, figure)) for figure in FIGURES])
        yield from _times(phrases)
        yield from pictures


def tables(phrases: Phrases) -> Iterator[Block]:
    """Yield the tables of how well we answered that few look up: countries, teams, outcomes, load."""
    desk, say = phrases.digest.desk, phrases.words.say
    yield from _rows(phrases, desk.by_country, say("Answers by country"), say("Country"), True)
    yield from _rows(phrases, desk.by_team, say("Answers by team"), say("Team"), False)
    yield from _outcomes(phrases)
    yield from _load(phrases)


def _pilot(phrases: Phrases) -> Iterator[Paragraph]:
    digest, words = phrases.digest, phrases.words
    if not digest.pilot:
        return
    if set(digest.scope.countries) <= set(digest.pilot):
        said = words.say("All these countries are in pilot: alerts that went to a trial channel alone are not counted.")
        yield Paragraph(said, "quiet")
        return
    named = words.all_of(words.country(code) for code in digest.pilot)
    # Translators: a pilot country is tried out: alerts go to a trial channel.
    said = words.say(
        "Alerts of countries in pilot that went to a trial channel alone are not counted: {countries}.", countries=named
    )
    yield Paragraph(said, "quiet")


def _times(phrases: Phrases) -> Iterator[Block]:
    desk, say = phrases.digest.desk, phrases.words.say
    yield Heading(say("How long it took"))
    columns = (
        # Translators: a step of answering: claim, first answer, resolution.
        Column(say("Step")),
        phrases.column("median"),
        phrases.column("p90"),
        Column(say("Median, working time"), numeric=True, explained=phrases.definition("working_time")),
        Column(say("90th percentile, working time"), numeric=True, explained=phrases.definition("working_time")),
    )
    rows = tuple(_step(phrases, step, getattr(desk, step)) for step in STEPS)
    yield Table(columns, rows)
    yield Paragraph(legend(phrases), "quiet")
    if any(_is_not_reached(getattr(desk, step)) for step in STEPS):
        yield Paragraph(
            say("“Not reached”: so many alerts still wait that the percentile falls among them, and is not known yet."),
            "quiet",
        )


def _step(phrases: Phrases, step: str, times: Times) -> tuple[Cell, ...]:
    measures = (times.median, times.p90, times.median_working, times.p90_working)
    return (Cell(phrases.label(step)), *(phrases.cell(step, measure) for measure in measures))


def _is_not_reached(times: Times) -> bool:
    return any(
        measure.lack == "not_reached" for measure in (times.median, times.p90, times.median_working, times.p90_working)
    )


def _outcomes(phrases: Phrases) -> Iterator[Block]:
    desk, words = phrases.digest.desk, phrases.words
    if not desk.outcomes:
        return
    yield Heading(words.say("How the alerts ended"))
    # Translators: how an alert ended: solved, answered in public, ...
    columns = (Column(words.say("Outcome")), Column(phrases.label("alerts"), numeric=True))
    ordered = sorted(desk.outcomes, key=lambda one: -one.alerts)
    yield Table(
        columns, tuple((Cell(phrases.ending(one.key)), Cell(words.number(one.alerts))) for one in ordered if one.alerts)
    )


def _rows(phrases: Phrases, rows: Sequence[DeskRow], title: str, head: str, is_country: bool) -> Iterator[Block]:
    if len(rows) < 2:
        return
    yield Heading(title)
    columns = (
        Column(head),
        phrases.column("alerts"),
        phrases.column("needing"),
        phrases.column("response_rate"),
        phrases.column("in_target"),
        Column(phrases.words.say("Median time to first answer"), numeric=True, explained=phrases.definition("answer")),
    )
    yield Table(columns, tuple(_row(phrases, row, is_country) for row in rows))


def _row(phrases: Phrases, row: DeskRow, is_country: bool) -> tuple[Cell, ...]:
    return (
        Cell(phrases.words.country(row.key) if is_country else phrases.team(row.key)),
        Cell(phrases.words.number(row.alerts)),
        Cell(phrases.words.number(row.response_rate.of or 0)),
        phrases.cell("response_rate", row.response_rate),
        phrases.cell("in_target", row.in_target),
        phrases.cell("answer", row.first_answer),
    )


def _load(phrases: Phrases) -> Iterator[Block]:
    desk, words = phrases.digest.desk, phrases.words
    if not desk.load:
        return
    # Translators: how much work each person had.
    yield Heading(words.say("Load"))
    columns = (
        Column(words.say("Person")),
        # Translators: head of a column of numbers: alerts that a person took over.
        Column(words.say("Claimed"), numeric=True),
        # Translators: head of a column of numbers: alerts that a person answered.
        Column(words.say("Answered"), numeric=True),
        # Translators: head of a column of numbers: alerts that a person closed.
        Column(words.say("Closed"), numeric=True),
    )
    busiest = sorted(desk.load, key=lambda one: -(one.claimed + one.answered + one.closed))[:_MOST_PEOPLE]
    people = sorted(busiest, key=lambda one: one.person.casefold())
    yield Table(columns, tuple(_person(phrases, one) for one in people), words.say("Listed by name: load, no ranking."))
    if (more := len(desk.load) - len(people)) > 0:
        yield Paragraph(words.plural("{count} more is not shown.", "{count} more are not shown.", more), "quiet")
    if (hour := busiest_hour(desk.hours)) is not None:
        yield Paragraph(words.say("Busiest hour of the team: {when}.", when=hour_words(phrases, hour)))


def _person(phrases: Phrases, load: Load) -> tuple[Cell, ...]:
    number = phrases.words.number
    return (
        Cell(phrases.name(load.person)),
        Cell(number(load.claimed)),
        Cell(number(load.answered)),
        Cell(number(load.closed)),
    )
