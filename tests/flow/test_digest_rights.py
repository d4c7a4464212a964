"""What a reader must not see stands in nothing that is made for them: other countries, and what points to a person."""

import base64
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
import regex

from alerts.card import DigestFile, DigestMessage
from alerts.slack.digest_blocks import plain_digest, render_digest
from classifiers.cause_names import cause_name
from listener.digest.composing import compose
from listener.digest.html import page
from listener.digest.json_file import dump
from listener.digest.markdown import markdown
from listener.digest.model import Digest
from listener.digest.pdf import pdf
from listener.digest.phrases import Phrases
from listener.digest.plain_text import plain_text
from listener.digest.tables import figures_csv, workbook
from listener.digest.words import Words
from listener.model import Engagement, Sentiment
from tests.digest_room import MONDAY, Room, open_room
from tests.quarter.vectors import embed

TUESDAY = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORDS = {"FR": "quiberon", "JP": "xylophone", "US": "zanzibar"}
READERS = """\
  france: {receivers: [desk, mail, log, hook], timezone: Europe/Paris, countries: [FR]}
  japan: {receivers: [desk, mail, log, hook], timezone: Asia/Tokyo, countries: [JP], language: fr}
"""
VECTOR = embed(["a kettle that exploded"])[0]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A week of which every part has something in every country, marked with a word of that country."""
    opened = open_room(tmp_path_factory.mktemp("room"), READERS)
    for country, word in WORDS.items():
        for weeks in (0, 1):
            fill(opened, country, word, TUESDAY - weeks * timedelta(weeks=1))
    yield opened
    opened.store.close()


def fill(room: Room, country: str, word: str, at: datetime) -> None:
    voices = (
        ("critic", 0.9, Sentiment.NEGATIVE, {"followers": 50_000}),
        ("friend", 0.01, Sentiment.POSITIVE, {"followers": 40_000}),
        ("reporter", 0.9, Sentiment.NEGATIVE, {"followers": 90_000, "bio": "Journalist at the Daily News"}),
        ("customer", 0.01, Sentiment.POSITIVE, {}),
    )
    for author, complaint, tone, profile in voices:
        room.post(
            f"acme and {word} {author}", at, country=country, author=f"{author}{word}", complaint=complaint, tone=tone,
            influence=0.6 if profile else 0.0, profile={"name": f"{word} {author}", **profile},
            engagement=Engagement(views=80_000, reposts=40),
        )  # fmt: skip
    numbers = [
        room.post(
            f"the {word} kettle exploded again, number {number}", at + number * HOUR, country=country,
            author=f"{word}{number}", complaint=0.95, tone=Sentiment.NEGATIVE, topic="safety", embedding=VECTOR,
        )
        for number in range(6)
    ]  # fmt: skip
    room.alert(
        at, mention=numbers[0], country=country, team="tokyo" if country == "JP" else "hub", state="resolved",
        resolution="solved", replied_at=at + HOUR, closed_at=at + 2 * HOUR, closed_by=f"Person {word}",
        events=[(kind, at + HOUR, f"Person {word}") for kind in ("claimed", "replied", "resolved")],
    )  # fmt: skip
    room.burst(at, country=country, word=word)
    room.gap(at, at + 5 * HOUR, f"the {word} network was away", country=country)


def everything(digest: Digest, language: str = "en") -> str:
    """Return all that is made of a digest, in every format."""
    words = Words.of(language)
    document = compose(digest, words)
    sheets = workbook(digest, Phrases(words, digest, cause_name))
    with zipfile.ZipFile(BytesIO(sheets)) as archive:
        cells = "\n".join(archive.read(name).decode(errors="replace") for name in archive.namelist())
    texts = (page(document), markdown(document), plain_text(document), dump(digest), figures_csv(digest), cells)
    alts = "\n".join(repr(block) for section in document.sections for block in section.blocks)
    return "\n".join((*texts, alts, pdf_text(pdf(document))))


def pdf_text(content: bytes) -> str:
    from pypdf import PdfReader

    reader = PdfReader(BytesIO(content))
    return "\n".join((*(page.extract_text() for page in reader.pages), repr(reader.metadata)))


def sent(room: Room, receiver: str) -> str:
    """Return all words of what waits for a receiver."""
    parts = []
    for message in room.messages(receiver):
        parts.append(repr(message))
        if isinstance(message, DigestMessage) and message.pdf:
            parts.append(pdf_text(base64.b64decode(message.pdf)))
        if isinstance(message, DigestFile):
            parts.append(pdf_text(base64.b64decode(message.content)))
    return "\n".join(parts)


def foreign(text: str, own: str) -> set[str]:
    """Return which words of other countries stand in a text, in any case."""
    return {word for country, word in WORDS.items() if country != own and word in text.casefold()}


@pytest.mark.parametrize("country", WORDS)
def test_nothing_that_is_made_of_a_digest_has_a_word_of_another_country(room: Room, country: str) -> None:
    digest = room.digest(countries=[country])
    text = everything(digest)
    assert WORDS[country] in text.casefold()
    assert foreign(text, country) == set()
    assert (digest.spoken.mentions.value, digest.desk.alerts.value, len(digest.incidents)) == (10, 1, 1)
    assert {post.country for one in digest.causes.irritants for post in one.posts} == {country}
    assert len(digest.causes.irritants) == 1
    assert [load.person for load in digest.desk.load] == [f"Person {WORDS[country]}"]
    assert {one.country for one in digest.coverage.unseen} == {country}
    assert {code for code, _, _ in digest.spans} == {country}


def test_a_reader_of_two_countries_sees_both_and_no_third(room: Room) -> None:
    text = everything(room.digest(countries=["FR", "JP"])).casefold()
    assert [WORDS[code] in text for code in ("FR", "JP", "US")] == [True, True, False]


def test_what_waits_for_each_receiver_has_no_word_of_another_country(room: Room) -> None:
    room.run_at(MONDAY + timedelta(days=1))
    made = {name: room.store.digests.made(name, "2026-W46") for name in ("france", "japan")}
    assert [foreign(one[1], code) for one, code in zip(made.values(), ("FR", "JP"), strict=True) if one] == [set()] * 2
    for receiver in ("desk", "mail", "log", "hook"):
        (first, second) = [one for one in room.messages(receiver) if isinstance(one, DigestMessage)]
        assert (first.language[:2], second.language[:2]) == ("en", "fr")
        for message, country in ((first, "FR"), (second, "JP")):
            assert foreign(repr(message), country) == set(), (receiver, country)
            if message.pdf:
                assert foreign(pdf_text(base64.b64decode(message.pdf)), country) == set()


def test_names_of_teams_and_people_of_others_are_not_in_the_file(room: Room) -> None:
    text = dump(room.digest(countries=["FR"]))
    assert "Tokyo" not in text
    assert "tokyo" not in text
    assert "Tokyo" in dump(room.digest(countries=["JP"]))


def test_an_irritant_is_as_new_as_the_reader_can_know(room: Room) -> None:
    (seen,) = room.digest(countries=["FR"]).causes.irritants
    assert (seen.mentions, seen.last, seen.countries) == (6, 6, (("FR", 6),))


# Personal data

SECRETS = (
    "+33 6 12 34 56 78", "0612345678", "marie.dupont@mail.example", "4711081512", "FR7630006000011234567890189",
    "marie_dupont_paris", "@marie_dupont_paris", "@quiet_neighbour", "Marie Dupont",
)  # fmt: skip
TEXTS = (
    "acme call me back on +33 6 12 34 56 78 or 0612345678 at last",
    "acme write to marie.dupont@mail.example about order 4711081512, please",
    "acme refund to FR7630006000011234567890189, @quiet_neighbour saw it",
)


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A week in which private persons told of themselves, again and again."""
    readers = "  france: {receivers: [desk, mail, log, hook], timezone: Europe/Paris, countries: [FR]}"
    opened = open_room(tmp_path_factory.mktemp("private"), readers)
    for number in range(12):
        opened.post(
            TEXTS[number % 3], TUESDAY + number * HOUR, author="marie_dupont_paris", complaint=0.95,
            tone=Sentiment.NEGATIVE, embedding=VECTOR, profile={"name": "Marie Dupont", "followers": 80},
            influence=0.3, engagement=Engagement(reposts=20),
        )  # fmt: skip
    for number in range(5):
        opened.post(
            TEXTS[number % 3], TUESDAY, author=f"other{number}", complaint=0.95, tone=Sentiment.NEGATIVE,
            embedding=VECTOR, profile={"name": f"Other {number}"},
        )  # fmt: skip
    yield opened
    opened.store.close()


def squeezed(text: str) -> str:
    """Return a text without what may stand between the letters of a number that was broken over lines."""
    return regex.sub(r"[\s\u200b\u00ad]", "", text).casefold()


def found(text: str) -> set[str]:
    return {secret for secret in SECRETS if squeezed(secret) in squeezed(text)}


def test_nothing_that_is_made_for_a_masked_reader_points_to_a_private_person(private: Room) -> None:
    digest = private.digest(countries=["FR"])
    assert [post.who for post in digest.voices.critics]
    assert len(digest.causes.irritants) == 1
    assert found(everything(digest)) == set()


def test_no_message_to_a_masked_reader_points_to_a_private_person(private: Room) -> None:
    private.run_at(MONDAY)
    for receiver in ("desk", "mail", "log", "hook"):
        text = sent(private, receiver)
        assert "2026-W46" in text
        assert found(text) == set(), receiver
    kept = private.store.digests.made("france", "2026-W46")
    assert kept is not None
    assert found(kept[1]) == set()


def test_what_slack_shows_a_masked_reader_points_to_no_private_person(private: Room) -> None:
    private.run_at(MONDAY)
    (message,) = [one for one in private.messages("desk") if isinstance(one, DigestMessage)]
    blocks = render_digest(message, dict.fromkeys(message.slack_pictures, "F1"))
    assert message.summary[0][:20] in repr(blocks)
    assert found(repr(blocks) + plain_digest(message)) == set()


def test_a_reader_with_personal_data_shown_sees_it(private: Room) -> None:
    text = everything(private.digest(countries=["FR"], masked=False))
    assert {"marie_dupont_paris", "+33 6 12 34 56 78"} <= found(text)
