"""The charts of a page: what each shows, under a title that says the point, and the same in words with its figures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from listener.digest import page_incidents
from listener.digest.document import Figure, Picture
from listener.digest.model import Day, DeskRow, IncidentFacts
from listener.digest.page_spoken import busiest_hour, hour_words
from listener.digest.phrases import Phrases

FOR_SLACK = ("days", "causes", "answers")
MOST_INCIDENTS = 6
_MOST_BARS = 8
_RISE = 1.5
"""From so many times the usual, and so many more, a day's complaints rose."""
_LEAST_RISE = 10


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture with its place on the page."""

    figure: Figure
    picture: Picture


def drawn(phrases: Phrases) -> Mapping[str, Drawn]:
    """Return the charts by their key, at most five and one for each incident; none where nothing can be drawn with."""
    try:
        return {found.figure.picture: found for found in _drawn(phrases)}
    except ImportError:
        return {}


def _drawn(phrases: Phrases) -> Iterator[Drawn]:
    spoken, desk = phrases.digest.spoken, phrases.digest.desk
    if any(day.mentions for day in spoken.days):
        yield _days(phrases)
    if any(one.mentions for one in phrases.digest.causes.irritants):
        yield _causes(phrases)
    if rows := _answering(desk.by_country, desk.by_team):
        yield _answers(phrases, rows, by_country=rows is desk.by_country)
    if any(value for day in spoken.hours for value in day):
        yield _hours(phrases)
    if len(phrases.digest.share_of_voice) > 1:
        yield _voice_share(phrases)
    for incident in phrases.digest.incidents[:MOST_INCIDENTS]:
        if len(incident.curve) > 1:
            yield _incident(phrases, incident)


def _beside(parts: Iterator[str]) -> str:
    return " · ".join(parts)


# --- days ----------------------------------------------------------------------------------------------------------


def _days(phrases: Phrases) -> Drawn:
    from listener.digest import charts

    words, days = phrases.words, phrases.digest.spoken.days
    holidays = _holidays(phrases)
    bars = [
        charts.DayBar(
            words.weekday_short(day.number),
            day.mentions,
            day.complaints,
            day.usual_mentions,
            day.usual_complaints,
            holidays.get(day.number, ""),
        )
        for day in days
    ]
    title = _days_title(phrases, days)
    picture = charts.days(
        title,
        bars,
        number=words.number,
        complaints=phrases.label("complaints"),
        mentions=phrases.label("mentions"),
        # Translators: on a chart, beside the mark of what is usual.
        usual=words.say("usual"),
        language=words.language,
    )
    # Translators: the text for those who cannot see a chart; "figures" is a list of days with their numbers.
    alt = words.say(
        "{title}. Complaints and mentions by day: {figures}.",
        title=title,
        figures=_beside(_day_words(phrases, day) for day in days),
    )
    return Drawn(Figure("days", alt), picture)


def _day_words(phrases: Phrases, day: Day) -> str:
    words = phrases.words
    values = {
        "weekday": words.weekday(day.number),
        "complaints": words.number(day.complaints),
        "mentions": words.number(day.mentions),
    }
    if day.usual_complaints is None or day.usual_mentions is None:
        # Translators: complaints and mentions of a day: "Monday 34 / 141".
        return words.say("{weekday} {complaints} / {mentions}", **values)
    # Translators: complaints and mentions of a day, and what is usual: "Monday 34 / 141 (usual 36 / 150)".
    return words.say(
        "{weekday} {complaints} / {mentions} (usual {usual_complaints} / {usual_mentions})",
        usual_complaints=words.number(day.usual_complaints),
        usual_mentions=words.number(day.usual_mentions),
        **values,
    )


def _days_title(phrases: Phrases, days: Sequence[Day]) -> str:
    words = phrases.words
    if not any(day.complaints for day in days):
        return words.say("No complaints this week")
    if any(day.usual_complaints is None for day in days):
        return words.say("Complaints day by day")
    risen = [day for day in days if _has_risen(day)]
    if not risen:
        return words.say("Complaints stayed near the usual on every day")
    most = max(risen, key=lambda day: day.complaints - (day.usual_complaints or 0))
    # Translators: the title of a chart; "weekday" is in the nominative and without an article.
    return words.say("Complaints rose on {weekday}", weekday=words.weekday(most.number))


def _has_risen(day: Day) -> bool:
    usual = day.usual_complaints or 0.0
    return day.complaints >= usual * _RISE and day.complaints - usual >= _LEAST_RISE


def _holidays(phrases: Phrases) -> dict[int, str]:
    """Return the holidays of the week by weekday, with their countries where there are several."""
    found: dict[int, dict[str, list[str]]] = {}
    for country, day, name in phrases.digest.holidays:
        by_name = found.setdefault(date.fromisoformat(day).weekday(), {})
        by_name.setdefault(phrases.name(phrases.holiday(country, day, name)), []).append(country)
    several = len(phrases.digest.scope.countries) > 1
    return {
        weekday: _beside(f"{name} ({', '.join(codes)})" if several else name for name, codes in by_name.items())
        for weekday, by_name in found.items()
    }


# --- causes --------------------------------------------------------------------------------------------------------


def _causes(phrases: Phrases) -> Drawn:
    from listener.digest import charts

    words = phrases.words
    shown = [one for one in phrases.digest.causes.irritants if one.mentions][:_MOST_BARS]
    # Translators: the title of a chart of causes of complaints; "name" is the greatest.
    title = words.say(
        "What hurts most: {name}, {share}", name=phrases.irritant(shown[0]), share=phrases.share_of_brand(shown[0])
    )
    strong = [one.trend in ("new", "growing", "recurring") for one in shown]
    note = words.say("Complaints by irritant")
    if not phrases.digest.weeks_before:
        strong = [True] * len(shown)
    elif any(strong) and not all(strong):
        # Translators: under the title of a chart with dark and pale bars.
        note = words.say("Complaints by irritant; dark: new, growing or back again; pale: neither")
    bars = [
        charts.CauseBar(
            phrases.irritant(one),
            one.mentions,
            one.last if phrases.digest.weeks_before else None,
            phrases.trend(one),
            is_strong,
            tuple(mentions for _, mentions in one.history),
        )
        for one, is_strong in zip(shown, strong, strict=True)
    ]
    picture = charts.causes(
        title,
        bars,
        number=words.number,
        last=words.say("last week"),
        # Translators: on a chart, over small curves of twelve weeks.
        history=words.say("twelve weeks"),
        note=note,
        language=words.language,
    )
    figures = _beside(
        # Translators: an irritant on a chart, in words: "Parcels arrive late 121 (last week 58; growing)".
        words.say(
            "{name} {number} (last week {last}; {trend})",
            name=phrases.irritant(one),
            number=words.number(one.mentions),
            last=words.number(one.last) if phrases.digest.weeks_before else "–",
            trend=phrases.trend(one),
        )
        for one in shown
    )
    return Drawn(Figure("causes", words.say("Complaints by irritant: {figures}.", figures=figures)), picture)


# --- answers -------------------------------------------------------------------------------------------------------


def _answering(countries: Sequence[DeskRow], teams: Sequence[DeskRow]) -> Sequence[DeskRow]:
    """Return the rows to draw: countries, else teams; none where there is nothing to set side by side."""
    return next((rows for rows in (countries, teams) if sum(row.in_target.value is not None for row in rows) > 1), ())


def _answers(phrases: Phrases, rows: Sequence[DeskRow], *, by_country: bool) -> Drawn:
    from listener.digest import charts

    words = phrases.words
    name = words.country if by_country else phrases.team
    title = _answers_title(phrases, rows, name)
    dots = [
        charts.AnswerDot(name(row.key), row.in_target.value, row.in_target.last, _resting_on(phrases, row))
        for row in rows
    ]
    picture = charts.answers(
        title,
        dots,
        share=words.percent,
        last=words.say("last week"),
        note=words.say("Share of alerts answered in time"),
        language=words.language,
    )
    figures = _beside(
        # Translators: a share on a chart, in words: "France 56 % (31 of 55)".
        words.say("{name} {share} ({parts})", name=name(row.key), share=phrases.value(row.in_target),
                  parts=phrases.basis(row.in_target) or "–")
        for row in rows
    )  # fmt: skip
    return Drawn(Figure("answers", words.say("Share of alerts answered in time: {figures}.", figures=figures)), picture)


def _resting_on(phrases: Phrases, row: DeskRow) -> str:
    known = row.in_target.value is not None
    return phrases.basis(row.in_target) if known else phrases.value(row.in_target)


def _answers_title(phrases: Phrases, rows: Sequence[DeskRow], name: Callable[[str], str]) -> str:
    words, whole = phrases.words, phrases.digest.desk.in_target.value
    known = [row for row in rows if row.in_target.value is not None]
    worst = min(known, key=lambda row: row.in_target.value or 0.0)
    if whole is None:
        return words.say("Share of alerts answered in time")
    # Translators: the title of a chart; "name" is a country or a team.
    return words.say(
        "{share} answered in time; lowest: {name}, {low}",
        share=words.percent(whole),
        name=name(worst.key),
        low=words.percent(worst.in_target.value or 0.0),
    )


# --- hours ---------------------------------------------------------------------------------------------------------


def _hours(phrases: Phrases) -> Drawn:
    from listener.digest import charts

    words, hours = phrases.words, phrases.digest.spoken.hours
    busiest = busiest_hour(hours)
    title = (
        words.say("Most complaints in one hour: {when}", when=hour_words(phrases, busiest))
        if busiest
        else words.say("When complaints came")
    )
    # Translators: on a chart, after the greatest number of its scale: "12 complaints".
    unit = words.plural("complaint", "complaints", max(value for row in hours for value in row))
    picture = charts.hours(
        title,
        hours,
        number=words.number,
        day_names=[words.weekday_short(number) for number in range(7)],
        hour=words.clock,
        unit=unit,
        note=words.say("By each country’s own clocks"),
        language=words.language,
    )
    # Translators: the text for those who cannot see a chart; "figures" is a list of days with their numbers.
    alt = words.say(
        "{title}. Complaints by weekday and hour, in all: {figures}.",
        title=title,
        figures=_beside(f"{words.weekday(day)} {words.number(sum(row))}" for day, row in enumerate(hours)),
    )
    return Drawn(Figure("hours", alt), picture)


# --- share of voice ------------------------------------------------------------------------------------------------


def _voice_share(phrases: Phrases) -> Drawn:
    from listener.digest import charts

    words, voices = phrases.words, phrases.digest.share_of_voice
    bars = [
        charts.VoiceBar(
            phrases.name(one.name), one.share.value, one.share.last, not one.competitor,
            phrases.value(one.share) if one.share.value is None else "",
        )
        for one in voices
    ]  # fmt: skip
    first = max(voices, key=lambda one: one.share.value or 0.0)
    title = phrases.label("share_of_voice")
    if first.share.value is not None:
        # Translators: the title of a chart of shares of voice; "name" is the brand with the greatest.
        title = words.say(
            "Most spoken of: {name}, {share}", name=phrases.name(first.name), share=words.percent(first.share.value)
        )
    picture = charts.voice_share(
        title,
        bars,
        share=words.percent,
        last=words.say("last week"),
        note=phrases.label("share_of_voice"),
        language=words.language,
    )
    figures = _beside(f"{phrases.name(one.name)} {phrases.value(one.share)}" for one in voices)
    # Translators: the text for those who cannot see a chart; "figures" is a list of brands with their shares.
    return Drawn(Figure("voice_share", words.say("Share of voice: {figures}.", figures=figures)), picture)


# --- incidents -----------------------------------------------------------------------------------------------------


def _incident(phrases: Phrases, incident: IncidentFacts) -> Drawn:
    from listener.digest import charts

    words = phrases.words
    # Translators: the title of a chart; "place" is a brand and a country.
    title = words.plural(
        "{place}: {count} negative mention instead of {expected}",
        "{place}: {count} negative mentions instead of {expected}",
        incident.mentions,
        place=f"{phrases.brand(incident.brand)} · {words.country(incident.country)}",
        expected=words.number(incident.expected),
    )
    picture = charts.incident(
        title,
        [charts.CurveBar(point.at, point.count, point.expected) for point in incident.curve],
        number=words.number,
        usual=words.say("usual"),
        # Translators: on a chart, at the highest bar.
        peak=words.say("peak"),
        clock=lambda at: words.clock(at.hour, at.minute),
        day=words.short_day,
        timezone=incident.timezone,
        moments=tuple(_moments(phrases, incident)),
        # Translators: under the title of a chart with dark and pale bars.
        note=" · ".join(
            [
                *([phrases.topic(incident.topic)] if incident.topic else []),
                words.say("dark: more than twice the usual; pale: not more"),
            ]
        ),
        language=words.language,
    )
    return Drawn(Figure(f"incident-{incident.reference}", _curve_words(phrases, incident)), picture)


def _moments(phrases: Phrases, incident: IncidentFacts) -> Iterator[tuple[datetime, str]]:
    """Return when it was noticed, claimed and answered, as far as the curve reaches."""
    say = phrases.words.say
    done = (
        # Translators: on a chart: when the system noticed an incident.
        (0.0, say("noticed")),
        # Translators: on a chart: when somebody took charge of an incident.
        (incident.claimed_after_s, say("claimed")),
        # Translators: on a chart: when an incident was first answered.
        (incident.answered_after_s, say("answered")),
    )
    for seconds, what in done:
        if seconds is not None:
            at = incident.opened_at + timedelta(seconds=seconds)
            if incident.curve[0].at <= at <= incident.curve[-1].at:
                yield at, what


def _curve_words(phrases: Phrases, incident: IncidentFacts) -> str:
    words = phrases.words
    highest = max(incident.curve, key=lambda point: point.count)
    # Translators: the text for those who cannot see a chart; "size" is a sentence with its full stop.
    return words.say(
        "Negative mentions of an incident over time: {title}. {size} Most: {peak}, {moment}, where {usual} is usual.",
        title=page_incidents.title(phrases, incident),
        size=page_incidents.size(phrases, incident),
        peak=words.number(highest.count),
        moment=words.moment(highest.at, incident.timezone),
        usual=words.number(highest.expected),
    )
