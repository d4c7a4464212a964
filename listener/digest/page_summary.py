"""The head of the page: three to six sentences, the first the most, and six figures."""

from collections.abc import Iterator
from dataclasses import dataclass

from listener.digest import page_advice, page_coverage, page_incidents
from listener.digest.document import Tile, Tiles
from listener.digest.model import Irritant, Measure
from listener.digest.page_causes import measure
from listener.digest.phrases import Phrases

MOST_SENTENCES = 6
_TILES = ("mentions", "complaints", "urgent", "net_sentiment", "response_rate")


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    weight: int
    """What is left out first where there are too many: the least."""


def sentences(phrases: Phrases) -> tuple[str, ...]:
    """Return the summary: incidents first, then spoken, causes, answers, coverage, advice."""
    found = list(_sentences(phrases))
    kept = sorted(range(len(found)), key=lambda place: -found[place].weight)[:MOST_SENTENCES]
    return tuple(found[place].text for place in sorted(kept))


def _sentences(phrases: Phrases) -> Iterator[_Sentence]:
    digest = phrases.digest
    ongoing = [one for one in digest.incidents if one.ended_at is None]
    if digest.incidents:
        yield _Sentence(_incident(phrases, len(ongoing or digest.incidents), ongoing=bool(ongoing)), 9)
    yield _Sentence(_spoken(phrases), 8)
    if digest.spoken.mentions.value:
        yield _Sentence(_complaints(phrases), 7)
    living = [one for one in digest.causes.irritants if one.mentions]
    if living:
        yield _Sentence(_hurt(phrases, living), 7)
    yield _Sentence(_answers(phrases), 7)
    missed = round(digest.coverage.missed or 0)
    if digest.coverage.unseen and missed:
        yield _Sentence(_too_low(phrases), 5)
    elif not digest.spoken.mentions.value or not digest.coverage.watches:
        yield _Sentence(page_coverage.seen(phrases), 5)
    yield from _advice(phrases)


def _spoken(phrases: Phrases) -> str:
    words, mentions = phrases.words, phrases.digest.spoken.mentions
    if not mentions.value:
        return words.say("Nobody mentioned {brands} this week.", brands=phrases.brands())
    if mentions.mean is None:
        return words.plural(
            "{count} mention of {brands}.", "{count} mentions of {brands}.", mentions.value, brands=phrases.brands()
        )
    # Translators: such as "1,248 mentions of Yunfan and Skybird Air (▲ +19 % on the four-week mean, ...)."
    return words.plural(
        "{count} mention of {brands} ({change}).",
        "{count} mentions of {brands} ({change}).",
        mentions.value,
        brands=phrases.brands(),
        change=phrases.change(mentions),
    )


def _complaints(phrases: Phrases) -> str:
    words, spoken = phrases.words, phrases.digest.spoken
    complaints = spoken.complaints.value or 0
    if not complaints:
        return words.say("None of them is a complaint.")
    values = {"share": phrases.value(spoken.complaint_share), "urgent": phrases.value(spoken.urgent)}
    if spoken.complaints.mean is None:
        return words.plural(
            "{count} complaint; share of all mentions: {share}; urgent: {urgent}.",
            "{count} complaints; share of all mentions: {share}; urgent: {urgent}.",
            complaints,
            **values,
        )
    # Translators: a sentence of the summary; "change" is such as "▲ +19 % on the four-week mean, more than noise".
    return words.plural(
        "{count} complaint ({change}); share of all mentions: {share}; urgent: {urgent}.",
        "{count} complaints ({change}); share of all mentions: {share}; urgent: {urgent}.",
        complaints,
        change=phrases.change(spoken.complaints),
        **values,
    )


def _hurt(phrases: Phrases, living: list[Irritant]) -> str:
    words, worst = phrases.words, living[0]
    details = [
        phrases.trend(worst),
        words.plural("{count} complaint", "{count} complaints", worst.mentions),
        phrases.share_of_brand(worst),
    ]
    if worst.mean is not None:
        details.append(phrases.change(measure(worst)))
    # Translators: the greatest cause of complaints: its name; its trend, size, share and change.
    return words.say(
        "What hurts most: {name} ({details}).", name=phrases.irritant(worst), details=phrases.series(details)
    )


def _answers(phrases: Phrases) -> str:
    words, desk = phrases.words, phrases.digest.desk
    if not desk.needing.value:
        return words.say("No alert needed an answer.")
    rate, first = desk.response_rate, desk.answer.median
    values = {
        "answered": words.number(rate.part or 0),
        "first": phrases.value(first),
    }
    if rate.value is None or rate.mean is None:
        return words.plural(
            "{answered} of {count} alert that needed an answer got one; median time to first answer: {first}.",
            "{answered} of {count} alerts that needed an answer got one; median time to first answer: {first}.",
            desk.needing.value,
            **values,
        )
    # Translators: a sentence of the summary; "change" is such as "▼ −18 points on the four-week mean, ...".
    return words.plural(
        "{answered} of {count} alert that needed an answer got one: {share} ({change}); "
        "median time to first answer: {first}.",
        "{answered} of {count} alerts that needed an answer got one: {share} ({change}); "
        "median time to first answer: {first}.",
        desk.needing.value,
        share=words.percent(rate.value),
        change=phrases.change(rate),
        **values,
    )


def _incident(phrases: Phrases, number: int, *, ongoing: bool) -> str:
    words = phrases.words
    kept = [one for one in phrases.digest.incidents if not ongoing or one.ended_at is None]
    worst = max(kept, key=lambda one: (one.severity, one.mentions))
    values = {"title": page_incidents.title(phrases, worst), "size": page_incidents.size(phrases, worst)}
    if ongoing:
        # Translators: "title" names the greatest incident; "size" is a sentence with its full stop.
        return words.plural(
            "{count} incident is not over: {title}. {size}",
            "{count} incidents are not over, the greatest: {title}. {size}",
            number,
            **values,
        )
    # Translators: "title" names the greatest incident; "size" is a sentence with its full stop.
    said = words.plural(
        "{count} incident this week: {title}. {size}",
        "{count} incidents this week, the greatest: {title}. {size}",
        number,
        **values,
    )
    after = page_incidents.left_open(phrases, worst)
    # Translators: two whole sentences.
    return words.say("{first} {second}", first=said, second=after) if after else said


def _too_low(phrases: Phrases) -> str:
    return phrases.words.plural(
        "Not everything was seen: about {count} mention was probably missed, so these figures are too low.",
        "Not everything was seen: about {count} mentions were probably missed, so these figures are too low.",
        round(phrases.digest.coverage.missed or 0),
    )


def _advice(phrases: Phrases) -> Iterator[_Sentence]:
    """Say what stands first under advice."""
    if not phrases.digest.advice:
        return
    first = phrases.digest.advice[0]
    said = page_advice.sentence(phrases, first)
    if first.kind == "nothing":
        yield _Sentence(said, 6)
    else:
        # Translators: "advice" is a whole sentence, in the imperative, with its full stop.
        yield _Sentence(phrases.words.say("To be done first: {advice}", advice=said), 6)


def tiles(phrases: Phrases) -> Tiles:
    """Return the figures of the head."""
    spoken, desk = phrases.digest.spoken, phrases.digest.desk
    first = _tile(phrases, "answer", desk.answer.median)
    return Tiles(
        (
            *(_tile(phrases, figure, getattr(spoken, figure)) for figure in _TILES[:4]),
            _tile(phrases, "response_rate", desk.response_rate),
            Tile(
                phrases.words.say("Median time to first answer"),
                first.value,
                first.change,
                first.tone,
                f"{phrases.definition('answer')} {phrases.definition('median')}",
            ),
        )
    )


def _tile(phrases: Phrases, figure: str, measure: Measure) -> Tile:
    change = phrases.change(measure)
    if measure.value is None or measure.part is not None:
        change = " · ".join(part for part in (phrases.basis(measure), change) if part)
    return Tile(phrases.label(figure), phrases.value(measure), change, phrases.tone(figure, measure),
                phrases.definition(figure))  # fmt: skip
