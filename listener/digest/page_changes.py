"""The section on what changed by more than noise, for the better, for the worse, or neither."""

from collections.abc import Iterator

from listener.digest import page_desk, page_spoken
from listener.digest.document import Cell, Listing, Paragraph, Section
from listener.digest.model import Measure
from listener.digest.page_causes import measure
from listener.digest.phrases import Phrases

_MOST = 20
_BY_COUNTRY = ("mentions", "complaints", "net_sentiment")


def section(phrases: Phrases) -> Section:
    """Return the section."""
    words = phrases.words
    changes = tuple(_changes(phrases))[:_MOST]
    if changes:
        block: Listing | Paragraph = Listing(changes)
    elif not phrases.digest.weeks_before:
        block = Paragraph(words.say("This is the first week listened to: there is nothing to compare with yet."))
    else:
        block = Paragraph(words.say("Nothing changed by more than noise."))
    return Section("changes", words.say("What changed?"), (block,))


def _changes(phrases: Phrases) -> Iterator[Cell]:
    digest = phrases.digest
    figures = [(figure, getattr(digest.spoken, figure)) for figure in page_spoken.FIGURES]
    figures += [(figure, getattr(digest.desk, figure)) for figure in page_desk.FIGURES]
    figures += [(step, getattr(digest.desk, step).median) for step in page_desk.STEPS]
    for figure, found in figures:
        if _is_change(found):
            yield _figure(phrases, figure, found)
    yield from _irritants(phrases)
    yield from _countries(phrases)


def _is_change(measure: Measure) -> bool:
    return measure.verdict in ("up", "down") and measure.value is not None


def _figure(phrases: Phrases, figure: str, found: Measure) -> Cell:
    label = phrases.label(figure)
    if found.unit == "seconds":
        # Translators: a duration as it is named in a list, such as "Time to first answer (median)".
        label = phrases.words.say("{figure} (median)", figure=label)
    return Cell(
        # Translators: what changed, its new value, and the change in brackets.
        phrases.words.say("{figure}: {value} ({change})", figure=label, value=phrases.value(found),
                          change=phrases.change(found)),
        tone=phrases.tone(figure, found),
    )  # fmt: skip


def _irritants(phrases: Phrases) -> Iterator[Cell]:
    words = phrases.words
    for one in phrases.digest.causes.irritants:
        name = phrases.irritant(one)
        count = words.plural("{count} complaint", "{count} complaints", one.mentions)
        if one.trend == "new" and phrases.digest.weeks_before:
            yield Cell(words.say("New irritant: {name} ({complaints})", name=name, complaints=count), tone="bad")
        elif one.trend == "recurring":
            yield Cell(
                words.say("Irritant that came back: {name} ({complaints})", name=name, complaints=count), tone="bad"
            )
        elif one.trend == "ended":
            yield Cell(words.say("Irritant that ended: {name}", name=name), tone="good")
        elif one.trend in ("growing", "fading") and _is_change(measure(one)):
            yield Cell(
                words.say(
                    "{figure}: {value} ({change})", figure=name, value=count, change=phrases.change(measure(one))
                ),
                tone=phrases.tone("complaints", measure(one)),
            )


def _countries(phrases: Phrases) -> Iterator[Cell]:
    rows = phrases.digest.spoken.by_country
    if len(rows) < 2:
        return
    for row in rows:
        for figure in _BY_COUNTRY:
            found: Measure = getattr(row, figure)
            if _is_change(found):
                yield Cell(
                    # Translators: what changed in one country: "France, Complaints: 178 (▲ +40 % on ...)".
                    phrases.words.say(
                        "{country}, {figure}: {value} ({change})",
                        country=phrases.words.country(row.key),
                        figure=phrases.label(figure),
                        value=phrases.value(found),
                        change=phrases.change(found),
                    ),
                    tone=phrases.tone(figure, found),
                )
