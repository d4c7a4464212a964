"""Composes a digest into a page in its reader's language. Knows no format."""

import re
from collections.abc import Mapping

from listener.digest import (
    page_advice,
    page_causes,
    page_changes,
    page_coverage,
    page_desk,
    page_incidents,
    page_notes,
    page_spoken,
    page_summary,
    page_voices,
)
from listener.digest.document import Document, Figure, Section
from listener.digest.model import Digest
from listener.digest.page_pictures import FOR_SLACK, Drawn, drawn
from listener.digest.phrases import CauseName, Phrases
from listener.digest.weeks import Week
from listener.digest.words import Words

_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9]+")
_FILE_NAME_PART = 40
_COUNTRIES_IN_FILE_NAME = 3


def compose(
    digest: Digest, words: Words, pictures_wanted: bool = True, *, cause_name: CauseName | None = None
) -> Document:
    """Return the page of a digest.

    Args:
        digest: what it says.
        words: the reader's language.
        pictures_wanted: False for a page without charts; it has none either where they cannot be drawn.
        cause_name: names a cause by its key in a language; the classifiers' own catalogue where left out.
    """
    phrases = Phrases(words, digest, cause_name or _catalogued)
    pictures = drawn(phrases) if pictures_wanted else {}
    week = Week.parse(digest.week)
    return Document(
        title=words.say("Weekly digest: {brands}", brands=phrases.brands()),
        subtitle=_subtitle(phrases, week),
        language=words.language,
        summary=page_summary.sentences(phrases),
        tiles=page_summary.tiles(phrases),
        sections=_sections(phrases, pictures),
        footer=tuple(_footer(phrases)),
        pictures={key: found.picture for key, found in pictures.items()},
        slack_pictures=tuple(key for key in FOR_SLACK if key in pictures),
        file_name=file_name(digest, words),
    )


def _catalogued(key: str, language: str) -> str:
    from classifiers.cause_names import cause_name

    return cause_name(key, language)


def _subtitle(phrases: Phrases, week: Week) -> str:
    words, scope = phrases.words, phrases.digest.scope
    # Translators: under the title: "9–15 November 2026 (week 46)".
    dates = words.say("{dates} (week {number})", dates=words.days(week.monday, week.sunday), number=str(week.number))
    parts = [dates, phrases.countries()]
    if scope.team:
        # Translators: in the subtitle of one team's digest.
        parts.append(
            words.say("mentions of all these countries, alerts of {team} alone", team=phrases.team(scope.team))
        )
    return " · ".join(part for part in parts if part)


def _sections(phrases: Phrases, pictures: Mapping[str, Drawn]) -> tuple[Section, ...]:
    figures = {key: found.figure for key, found in pictures.items()}

    def some(*keys: str) -> list[Figure]:
        return [figures[key] for key in keys if key in figures]

    curves = {key.removeprefix("incident-"): figure for key, figure in figures.items() if key.startswith("incident-")}
    return (
        page_spoken.section(phrases, some("days")),
        page_causes.section(phrases, some("causes")),
        page_changes.section(phrases),
        page_advice.section(phrases),
        page_desk.section(phrases, some("answers")),
        page_incidents.section(phrases, curves),
        page_voices.section(phrases),
        page_causes.each(phrases),
        page_coverage.section(phrases),
        Section(
            "details",
            phrases.words.say("Figures in detail"),
            (
                *page_spoken.tables(phrases, some("hours"), some("voice_share")),
                *page_desk.tables(phrases),
                *page_spoken.breakdowns(phrases),
            ),
        ),
        page_notes.section(phrases),
    )


def _footer(phrases: Phrases) -> list[str]:
    words, digest = phrases.words, phrases.digest
    lines = [
        words.say(
            "As of {moment} ({timezone}).",
            moment=words.moment(digest.as_of, digest.timezone),
            timezone=phrases.name(digest.timezone),
        )
    ]
    if digest.scope.masked:
        lines.append(words.say("Personal data of private persons is masked."))
    return lines


def file_name(digest: Digest, words: Words) -> str:
    """Return a name for files, such as "digest-board-2026-W46-fr": by reader, else by a few countries."""
    scope = digest.scope
    whose = [scope.reader] if scope.reader else list(scope.countries[: _COUNTRIES_IN_FILE_NAME + 1])
    if len(whose) > _COUNTRIES_IN_FILE_NAME:
        whose = []
    parts = ["digest", *whose, *([scope.team] if scope.team and not scope.reader else []), digest.week, words.language]
    safe = (_NOT_IN_FILE_NAMES.sub("-", part)[:_FILE_NAME_PART].strip("-") for part in parts)
    return "-".join(part for part in safe if part)
