"""What is wrong with the playbooks' texts, in the visitor's language: nothing is left in English but what files say."""

import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import html5lib
import pytest

from listener.catalogues import extracted
from listener.config import Voice
from listener.config.editing import Edit
from listener.config.models import ContactChannel, Tone
from listener.console.words import CONSOLE, LANGUAGES, Words
from listener.errors import Problem
from listener.sentences import Sentence
from listener.words import SOURCE
from playbooks.library import PlaybookLibrary
from playbooks.linting import Speaker, check
from playbooks.personal_words import KINDS
from playbooks.skeleton import new_locale, new_playbook
from tests.console_room import ConsoleRoom
from tests.unit.playbooks.test_linting import BOOK, GOOD, LATE, PHRASES, REPLIES, ROOT, RULES, WRONG, edit, library_with

HTML = "{http://www.w3.org/1999/xhtml}"
IN_OTHERS_WORDS = ("yaml", "unknown key", "unknown topic", "no steps", "too long a source")
"""Faults that the reader of YAML and of its form tells, in English."""
ENGLISH = re.compile(r"(?<!\w)[A-Za-z]{2,} [a-z]{2,}(?!\w)")
THANKS = "thanks/en.yaml"
FURTHER = {
    "greets again": (PHRASES, 'opening: ["we', 'opening: ["Hello, we'),
    "greeting capitalized": (THANKS, "lovely", "{{ greeting | capitalize }} lovely"),
    "comment": (THANKS, "lovely", "{# x #} lovely"),
    "and outside": (THANKS, "lovely", "{{ brand and brand }} lovely"),
    "too deep": (THANKS, "lovely", "{% if name %}" * 61 + "lovely"),
    "no placeholder": (PHRASES, 'unnamed: "Hello,"', 'unnamed: "Hello {{ brand }},"'),
    "nothing": (PHRASES, '"we have your message."', '"…"'),
    "double space": (THANKS, "lovely", "lovely  {% if place %}{{ place }}{% endif %}  indeed"),
    "hands off no more": (BOOK, "answer_within", "hands_off: false\nanswer_within"),
    "word list": (RULES, "words: [legal]", "words: [lawyers]"),
    "two variants": (THANKS, '  - id: c\n    text: "{{ greeting }} lovely to read. {{ signature }}"\n', ""),
    "networks": (RULES, "words: [legal]", "networks: [facebok, forum]"),
    "urgency": (RULES, "words: [legal]", "urgency_min: 3, urgency_max: 1"),
    "never reached": (RULES, "words: [legal]}", "}\n  - playbook: thanks\n    when: {}"),
    "no topic": (RULES, ", other: late-delivery", ""),
}  # fmt: skip
VOICE = Voice(
    signature="Acme 🌸 bit.ly/x",
    phrase="Not your fault!! We guarantee it: see www.acme.example.",
    never={"en": ("parcel*",)},
    tone=Tone(exclamation_marks=0),
    contacts={"NO": ContactChannel(channel="bit.ly/x")},
)
LONG = "Maximilianna Alexandra of the Night Team in Oslo"


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> list[Problem]:
    """Problems of every kind, one of each text."""
    found: list[Problem] = []
    speakers = [Speaker("Acme Care", agent=LONG, country=country) for country in ("NO", "")]
    for folder in _libraries(tmp_path_factory.mktemp("libraries")):
        found += check(folder, ["en", "sv"], [VOICE], speakers=speakers)
    return list({problem.text: problem for problem in found}.values())


def _libraries(folder: Path) -> Iterator[Path]:
    def copied(name: str) -> Path:
        return Path(shutil.copytree(GOOD, folder / name))

    for fault in WRONG:
        if fault not in IN_OTHERS_WORDS:
            yield library_with(fault, copied(fault))
    for name, (file, old, new) in FURTHER.items():
        edit(copied(name) / file, old, new)
        yield folder / name
    yield _in_other_scripts(copied("scripts"))
    yield _of_many_files(copied("files"))
    edit(copied("long") / REPLIES, LATE, " is " + "late " * 34 + "and")
    edit(folder / "long" / REPLIES, "this long", "this long" + " and longer" * 13)
    yield folder / "long"
    shutil.rmtree(copied("no words") / "_words")
    yield folder / "no words"
    (folder / "empty").mkdir()
    yield from (folder / "empty", folder / "not there")


def _in_other_scripts(folder: Path) -> Path:
    new_playbook(folder, "lost-luggage", ["en"])
    for locale, register, text in (
        ("ru", "вы", "Спасибо тебе за такие добрые слова, нам очень приятно. іїє"),
        ("ja", "敬語", "感謝感謝感謝感謝感謝感謝感謝感謝"),
        ("fr", "vous", "Merci à toi !"),
    ):
        new_locale(PlaybookLibrary.load(folder), locale, "en")
        edit(folder / f"_phrases/{locale}.yaml", "register: you", f"register: {register}")
        edit(folder / f"thanks/{locale}.yaml", "lovely to read.", text)
        edit(folder / f"thanks/{locale}.yaml", "id: b", "id: d")
    (folder / "_phrases" / "fr.yaml").unlink()
    edit(folder / THANKS, "id: c", "id: c\n    text: one\n  - id: e")
    edit(folder / REPLIES, "  - id: c", "  - id: f")
    return folder


def _of_many_files(folder: Path) -> Path:
    shutil.copy(folder / REPLIES, folder / "late-delivery" / "en.yml")
    shutil.copy(folder / REPLIES, folder / "late-delivery" / "de.yml")
    (folder / "thanks" / "fr.yaml").mkdir()
    return folder


def _values(text: Sentence) -> Iterator[str]:
    """Yield what stands in a sentence from files, the longest first."""
    found = set[str]()
    for value in text.values.values():
        if isinstance(value, Sentence):
            found.update(_values(value))
        elif isinstance(value, str):
            found.add(value)
    yield from sorted(found, key=len, reverse=True)


def _messages(text: Sentence) -> Iterator[str]:
    yield text.message
    for value in text.values.values():
        if isinstance(value, Sentence):
            yield from _messages(value)


def _shown(page: str) -> list[str]:
    """Return the findings of a page, without their places."""
    spans = (one for one in html5lib.parse(page).iter(f"{HTML}li") if one.find(f"{HTML}code") is not None)
    return ["".join(one.find(f"{HTML}span").itertext()) for one in spans]


def test_every_message_about_texts_is_met_here(problems: list[Problem]) -> None:
    met = {one for problem in problems for one in _messages(problem.text) if isinstance(problem.text, Sentence)}
    files = ("linting", "wording", "loading", "rendering")
    ids = (message.id for message in extracted(CONSOLE, [ROOT / "playbooks" / f"{name}.py" for name in files]))
    of_texts = {id[0] if isinstance(id, tuple) else id for id in ids if id}
    of_pages = {id[0] if isinstance(id, tuple) else id for message in extracted(CONSOLE) if (id := message.id)}
    assert of_texts - of_pages - met == set()


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != SOURCE])
def test_findings_are_in_the_visitors_language(
    problems: list[Problem], language: str, room: ConsoleRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listener.console.sections.playbooks.library_problems", lambda config: problems)
    shown = _shown(room.client("viewer", language=language).get("/playbooks/findings").text)
    assert len(shown) == len(problems) > 70
    left = dict[str, str]()
    for problem, said in zip(problems, shown, strict=True):
        assert isinstance(problem.text, Sentence), problem
        assert said == Words.of(language).said(problem.text)
        if said == problem.text or (language == "zh-Hans" and ENGLISH.search(_without(problem.text, said))):
            left[problem.text] = said
    assert left == {}


def _without(text: Sentence, said: str) -> str:
    for value in _values(text):
        said = said.replace(value, "")
    return said


def test_they_are_as_lint_says_them_in_english(
    problems: list[Problem], room: ConsoleRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listener.console.sections.playbooks.library_problems", lambda config: problems)
    shown = _shown(room.client("viewer").get("/playbooks/findings").text)
    kinds = {kind: words for kind, words in KINDS.items() if kind != words}
    odd = [(said, problem.text) for said, problem in zip(shown, problems, strict=True) if said != problem.text]
    for said, text in odd:
        assert any(text.replace(f"({kind}:", f"({words}:") == said for kind, words in kinds.items()), said


def test_a_playbooks_own_page_says_them_too(room: ConsoleRoom) -> None:
    (room.folder / "brand.yaml").write_text("acme: {signature: Acme, never: {fr: [colis]}}\n", encoding="utf-8")
    room.office.keeper.change([Edit(("voice",), "brand.yaml")], "tests")
    for language in ("en", "de"):
        client = room.client("viewer", language=language)
        client.get("/playbooks/findings")
        page = client.get("/playbooks/late-delivery").text
        assert "colis" in page
        assert ("which Acme never does" in page) == (language == "en")
        assert ("was Acme nie tut" in page) == (language == "de")


def test_problems_are_the_same_as_their_english(problems: list[Problem]) -> None:
    """So that they are told apart and sorted as before, whatever they could be said in."""
    plain = [Problem(one.file, one.line, one.column, one.path, str.__str__(one.text)) for one in problems]
    assert plain == problems
    assert set(plain) == set(problems)
    assert [str(one) for one in plain] == [str(one) for one in problems]
    assert all(str(one).endswith(one.text) for one in plain)
    assert all(first != second for first, second in pairwise(problems))
