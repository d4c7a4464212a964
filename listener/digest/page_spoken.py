"""The section on how we are spoken of: figures, when complaints come, who is spoken of where, share of voice."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from listener.digest.document import Block, Cell, Column, Figure, Heading, Paragraph, Section, Table
from listener.digest.model import BrandVoice, Measure, Row, Spoken
from listener.digest.phrases import Phrases
from listener.digest.words import marked

FIGURES = ("mentions", "authors", "reach", "complaints", "urgent", "complaint_share", "net_sentiment")
_MOST_ROWS = 12


def section(phrases: Phrases, pictures: Iterable[Figure]) -> Section:
    """Return the section: warnings, `pictures`, and when complaints came; its tables stand among the details."""
    words, spoken = phrases.words, phrases.digest.spoken
    blocks: list[Block] = [*warnings(phrases), *pictures]
    if not spoken.mentions.value:
        blocks.append(Paragraph(words.say("Nobody mentioned {brands} this week.", brands=phrases.brands())))
    elif not spoken.complaints.value:
        blocks.append(Paragraph(words.say("None of them is a complaint.")))
    blocks += _busiest(phrases)
    blocks += _silent(phrases)
    return Section("spoken", words.say("How are we spoken of?"), tuple(blocks))


def tables(phrases: Phrases, pictures: Iterable[Figure], voice_pictures: Iterable[Figure]) -> Iterator[Block]:
    """Yield all figures, `pictures`, the countries, and the share of voice with its `voice_pictures`."""
    spoken = phrases.digest.spoken
    yield figures_table(phrases, [(figure, told(spoken, figure)) for figure in FIGURES])
    yield from pictures
    yield from _breakdowns(phrases, _COUNTRIES)
    yield from _share_of_voice(phrases, voice_pictures)


def breakdowns(phrases: Phrases) -> Iterator[Block]:
    """Yield the tables that few look up."""
    yield from _breakdowns(phrases, _IN_DETAIL)


def told(figures: Spoken | Row, figure: str) -> Measure:
    """Return a figure; reach is not known where the networks told neither followers nor views of anybody."""
    found: Measure = getattr(figures, figure)
    if figure == "reach" and found.value == 0 and figures.mentions.value:
        return replace(found, value=None, last=found.last or None, mean=found.mean or None, verdict="unknown")
    return found


def warnings(phrases: Phrases) -> Iterator[Paragraph]:
    """Say what must be known before any figure is read: a week that is not over, posts that were not seen."""
    words, digest = phrases.words, phrases.digest
    if digest.coverage.seen_share.value is None:
        yield Paragraph(words.say("Nothing was listened to this week."), "warning")
    if not digest.complete:
        yield Paragraph(
            words.say(
                "The week is not over in all countries: these figures are as of {moment}.",
                moment=words.moment(digest.as_of, digest.timezone),
            ),
            "warning",
        )
    if missed := round(digest.coverage.missed or 0):
        yield Paragraph(
            words.plural(
                "About {count} mention was probably missed (see Coverage): these figures are therefore too low.",
                "About {count} mentions were probably missed (see Coverage): these figures are therefore too low.",
                missed,
            ),
            "warning",
        )


def figures_table(phrases: Phrases, measures: Sequence[tuple[str, Measure]]) -> Table:
    """Return figures one under the other: this week, last week, the four-week mean, the change and its verdict."""
    say = phrases.words.say
    columns = (
        Column(say("Figure")),
        Column(say("This week"), numeric=True),
        Column(say("Last week"), numeric=True),
        Column(say("Four-week mean"), numeric=True),
        # Translators: head of a column: how a figure changed against the four-week mean.
        Column(say("Change"), numeric=True),
    )
    return Table(columns, tuple(_figure_row(phrases, figure, measure) for figure, measure in measures))


def _figure_row(phrases: Phrases, figure: str, measure: Measure) -> tuple[Cell, ...]:
    tone = phrases.tone(figure, measure)
    return (
        Cell(phrases.label(figure)),
        Cell(phrases.value(measure), phrases.basis(measure), tone),
        Cell(phrases.before(measure, measure.last)),
        Cell(phrases.before(measure, measure.mean)),
        Cell(phrases.signed_difference(measure), phrases.verdict(measure), tone),
    )


def _busiest(phrases: Phrases) -> Iterator[Paragraph]:
    """Say on which day and at which hour most complaints came."""
    words, spoken = phrases.words, phrases.digest.spoken
    day = max(spoken.days, key=lambda one: one.complaints, default=None)
    if day is None or not day.complaints:
        return
    values = {"day": words.weekday(day.number), "complaints": words.number(day.complaints)}
    if day.usual_complaints is None:
        yield Paragraph(words.say("Day with the most complaints: {day} ({complaints}).", **values))
    else:
        yield Paragraph(
            words.say(
                "Day with the most complaints: {day} ({complaints}, where {usual} would be usual for that weekday).",
                usual=words.number(day.usual_complaints),
                **values,
            )
        )
    if (hour := busiest_hour(spoken.hours)) is not None:
        yield Paragraph(
            words.say("Hour with the most complaints: {when} ({complaints}).", when=hour_words(phrases, hour),
                      complaints=words.number(spoken.hours[hour[0]][hour[1]]))
        )  # fmt: skip


def busiest_hour(hours: Sequence[Sequence[int]]) -> tuple[int, int] | None:
    """Return weekday and hour with the most, or None where there is nothing or no one hour stands out."""
    most = max((value for day in hours for value in day), default=0)
    found = [(day, hour) for day, row in enumerate(hours) for hour, value in enumerate(row) if value == most]
    return found[0] if most > 1 and len(found) == 1 else None


def hour_words(phrases: Phrases, hour: tuple[int, int]) -> str:
    """Name an hour of the week: "Thursday, 09:00–10:00"."""
    words = phrases.words
    # Translators: an hour of the week, such as "Thursday, 09:00–10:00".
    return words.say(
        "{weekday}, {begin}–{end}",
        weekday=words.weekday(hour[0]),
        begin=words.clock(hour[1]),
        end=words.clock((hour[1] + 1) % 24),
    )


# --- by country, network, language, topic, product, brand ----------------------------------------------------------

_COUNTRIES = (("by_country", marked("By country"), marked("Country")),)
_IN_DETAIL = (
    ("by_brand", marked("By brand"), marked("Brand")),
    ("by_topic", marked("By topic"), marked("Topic")),
    ("by_product", marked("By product"), marked("Product")),
    # Translators: social networks, such as X and VK.
    ("by_network", marked("By network"), marked("Network")),
    ("by_language", marked("By language"), marked("Language")),
)
_ALWAYS_TOLD = ("by_topic", "by_product")
"""Even one row of these says something that the total does not."""


def _breakdowns(phrases: Phrases, dimensions: Iterable[tuple[str, str, str]]) -> Iterator[Block]:
    explained = False
    for field, title, head in dimensions:
        rows: tuple[Row, ...] = getattr(phrases.digest.spoken, field)
        if not rows or (len(rows) == 1 and field not in _ALWAYS_TOLD):
            continue
        yield Heading(phrases.words.say(title))
        if not explained:
            yield Paragraph(legend(phrases), "quiet")
            explained = True
        yield from _breakdown(phrases, field, phrases.words.say(head), rows)


def _silent(phrases: Phrases) -> Iterator[Paragraph]:
    """Name the countries without any mention, where there are others."""
    words, digest = phrases.words, phrases.digest
    heard = {row.key for row in digest.spoken.by_country if row.mentions.value}
    silent = [code for code in digest.scope.countries if code not in heard]
    if heard and silent:
        named = words.all_of(words.country(code) for code in silent)
        yield Paragraph(words.say("Countries without any mention this week: {countries}.", countries=named))


def legend(phrases: Phrases) -> str:
    """Explain what stands under the figures of a table, and the signs."""
    return phrases.words.say(
        "Under each figure: last week · mean of the four weeks before. "
        "▲ and ▼ mark a change that is more than noise, ≈ one within the usual; no sign: too little to judge by."
    )


def _breakdown(phrases: Phrases, field: str, head: str, rows: Sequence[Row]) -> Iterator[Block]:
    columns = (Column(head), *(phrases.column(figure) for figure in FIGURES))
    most = len(rows) if field == "by_country" else _MOST_ROWS
    yield Table(columns, tuple(_row(phrases, field, row) for row in rows[:most]))
    if (more := len(rows) - most) > 0:
        # Translators: under a table that shows only the first rows.
        yield Paragraph(
            phrases.words.plural("{count} more is not shown.", "{count} more are not shown.", more), "quiet"
        )


def _row(phrases: Phrases, field: str, row: Row) -> tuple[Cell, ...]:
    return (
        Cell(_row_name(phrases, field, row.key)),
        *(phrases.cell(figure, told(row, figure)) for figure in FIGURES),
    )


def _row_name(phrases: Phrases, field: str, key: str) -> str:
    names = {
        "by_country": phrases.words.country,
        "by_brand": phrases.brand,
        "by_topic": phrases.topic,
        "by_network": phrases.network,
        "by_language": phrases.words.language_name,
    }
    return names.get(field, phrases.name)(key)


# --- share of voice ------------------------------------------------------------------------------------------------


def _share_of_voice(phrases: Phrases, pictures: Iterable[Figure]) -> Iterator[Block]:
    voices = phrases.digest.share_of_voice
    if len(voices) < 2:
        return
    say = phrases.words.say
    yield Heading(phrases.label("share_of_voice"))
    yield from pictures
    columns = (
        Column(say("Brand")),
        phrases.column("share_of_voice"),
        phrases.column("net_sentiment"),
    )
    yield Table(columns, tuple(_voice_row(phrases, voice) for voice in voices))


def _voice_row(phrases: Phrases, voice: BrandVoice) -> tuple[Cell, ...]:
    name = phrases.name(voice.name)
    return (
        # Translators: under the name of a brand that is not ours.
        Cell(name, phrases.words.say("competitor") if voice.competitor else ""),
        phrases.cell("share_of_voice", voice.share),
        Cell(*_plain(phrases.cell("net_sentiment", voice.net_sentiment))) if voice.competitor
        else phrases.cell("net_sentiment", voice.net_sentiment),
    )  # fmt: skip


def _plain(cell: Cell) -> tuple[str, str]:
    """Return a cell without its tone: what is good for a competitor is neither good nor bad here."""
    return cell.text, cell.note
