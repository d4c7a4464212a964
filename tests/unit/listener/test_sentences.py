import copy
import pickle
from datetime import UTC, datetime, timedelta

import pytest

from listener.console.words import Words
from listener.sentences import Language, Listing, Minute, Sentence, Share, counted, sentence, span

AT = datetime(2026, 3, 14, 8, 12, 5, tzinfo=UTC)


def test_a_sentence_reads_as_plain_english() -> None:
    said = sentence("put to {country}", country="FR")
    assert said == "put to FR"
    assert f"{said}." == "put to FR."
    assert Sentence.of("at {at}", {"at": AT}, "Europe/Paris") == "at Sat 14 Mar 2026, 09:12:05"
    values = {"some": 1200, "all": 0.345, "share": Share(0.634), "time": timedelta(minutes=5)}
    assert sentence("{some} of {all}: {share}, after {time}", **values) == "1,200 of 0.34: 63%, after 5 min"


def test_what_others_wrote_in_it_is_no_pattern() -> None:
    assert sentence("by {who}", who="{at} %s {0}") == "by {at} %s {0}"
    hostile = sentence("put to {country}", country="{country} {at}")
    assert Words.of("fr").said(hostile) == "attribuée à {country} {at}"


@pytest.mark.parametrize(("count", "text"), [(0, "0 days"), (1, "1 day"), (2, "2 days"), (5000, "5,000 days")])
def test_a_count_chooses_its_form(count: int, text: str) -> None:
    assert counted("{count} day", "{count} days", count) == text


def test_each_language_chooses_its_own_form() -> None:
    words = Words.of("ru")
    said = [words.said(counted("{count} day", "{count} days", count)) for count in (1, 2, 5)]
    assert len({text.split()[-1] for text in said}) == 3, said


def test_sentences_stand_in_sentences_and_in_lists() -> None:
    inner = sentence("put to {country}", country="FR")
    words = Words.of("fr")
    outer = sentence("held back: {reason}", reason=inner)
    assert outer == "held back: put to FR"
    assert words.said(inner) in words.said(outer)
    both = Listing.of([inner, "A-12"], "; ")
    assert both == "put to FR; A-12"
    assert words.said(both) == f"{words.said(inner)}; A-12"
    assert words.said("put to FR") == "put to FR", "a plain text is nobody's message"


def test_languages_and_minutes_are_said_in_the_visitors_words() -> None:
    said = sentence("{language}, {at}", language=Language.of("Greek", "el"), at=Minute.of(AT))
    assert said == "Greek, Sat 14 Mar 2026, 08:12"
    assert Words.of("de", "Europe/Berlin").said(said) == "Griechisch, 14. März 2026, 09:12"
    assert Words.of("de").said(Language.of("simplified Chinese", "zh-Hans")) == "Chinesisch (Vereinfacht)"
    assert Words.of("de").said(Language.of("xx-odd", "xx-odd")) == "xx-odd"


def test_it_survives_copies() -> None:
    said = counted("{count} day", "{count} days", 2)
    for again in (copy.deepcopy(said), pickle.loads(pickle.dumps(said))):
        assert (again, again.values, again.several) == (said, said.values, said.several)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(42, "42 s"), (300, "5 min"), (12000, "3 h 20 min"), (187200, "2 d 4 h"), (-300, "-5 min"), (172800, "2 d")],
)
def test_how_long_something_took(seconds: float, text: str) -> None:
    assert span(seconds) == text
