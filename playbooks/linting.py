"""What is wrong with a library beyond what stops it from loading: gaps, risky requests, careless wording.

Every finding is a problem with its place in the files. Fixing them all is part of adding a locale.
"""

import difflib
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

import regex

from listener.errors import Problem, TemplateError
from listener.model import TOPICS
from playbooks.library import PlaybookLibrary
from playbooks.loading import BARE_SIGNATURE, bare_forms
from playbooks.model import Phrases, ReplyTemplate
from playbooks.networks import length_rule
from playbooks.personal_words import named_personal_data
from playbooks.rendering import compiled, fill

REQUIRED_LOCALES = (
    "en",
    "fr",
    "ru",
    "zh",
    "de",
    "id",
    "tr",
    "pl",
    "pt",
    "es",
    "uk",
    "ar",
    "nl",
    "ja",
    "it",
    "hi",
    "ko",
    "zh-Hant",
    "nl-BE",
)
MIN_VARIANTS = 2
TOO_ALIKE = 0.8
SAMPLE_NAME = "Maximilianna"
SAMPLE_BRAND = "Skybird Air"
_MAY_STAY_PUBLIC = ("thanks", "question", "crisis")
"""Playbooks whose replies need no hand-off; a statement to everybody cannot promise each of them an answer."""

_SCRIPTS = {
    "ru": r"\p{Cyrillic}",
    "uk": r"\p{Cyrillic}",
    "ar": r"\p{Arabic}",
    "hi": r"\p{Devanagari}",
    "ko": r"\p{Hangul}",
    "ja": r"[\p{Han}\p{Hiragana}\p{Katakana}ー]",
    "zh": r"\p{Han}",
}
_LATIN = r"\p{Latin}"
_SCRIPT_SHARE = 0.85
# Letters that the locale's neighbour writes and it does not.
_FOREIGN_LETTERS = {
    "ru": "іїєґ",
    "uk": "ыэёъ",
    "zh": "們個這為與時會來說麼對應還關請問題訊聯繫謝讓給過機開買賣損壞處",
    "zh-Hant": "们个这为与时会来说么对应还关请问题讯联系谢让给过机开买卖损坏处",
}
_LINK = regex.compile(
    r"https?:|www\.|\b[\w-]+\.(?:com|net|org|io|ru|cn|me|co|fr|de|be|nl|jp|kr|app|link)\b", regex.IGNORECASE
)
_SPACES = regex.compile(r" {2,}|[\n\t]")
_SPACE_BEFORE_MARK = regex.compile(r"[ \t]+[,.;:!?…،؛؟。，！？；：、।)]")
_EMPTY_BRACKETS = regex.compile(r"\(\s*\)|（\s*）|«\s*»|“\s*”|「\s*」")
_PLACEHOLDER = regex.compile(r"\{\{.*?\}\}|\{%.*?%\}")


def check(folder: Path | None = None, locales: Iterable[str] = REQUIRED_LOCALES) -> list[Problem]:
    """Return every problem of a library: those that stop it from loading, or else those `lint` finds."""
    try:
        library = PlaybookLibrary.load(folder)
    except TemplateError as error:
        return error.problems
    return lint(library, locales)


def lint(library: PlaybookLibrary, locales: Iterable[str] = REQUIRED_LOCALES) -> list[Problem]:
    """Return what should be better in a library that loads, in the order of its files."""
    problems = [
        *_coverage(library, tuple(locales)),
        *(problem for phrases in library.contents.phrases.values() for problem in _phrase_problems(phrases)),
        *(problem for group in library.contents.templates.values() for problem in _group_problems(library, group)),
    ]
    return sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column))


def _coverage(library: PlaybookLibrary, locales: tuple[str, ...]) -> Iterator[Problem]:
    contents = library.contents
    root = str(contents.folder)
    for topic in TOPICS:
        if not any(topic in book.topics for book in contents.playbooks.values()):
            yield Problem(root, 1, 1, "", f"no playbook answers the topic '{topic}'; name it in one playbook's topics")
    for locale in locales:
        if locale not in contents.phrases:
            yield Problem(root, 1, 1, "", f"the phrases of '{locale}' are missing; add _phrases/{locale}.yaml")
        for book in contents.playbooks.values():
            if (book.id, locale) not in contents.templates:
                yield book.at.problem(f"has no text in '{locale}'; add {book.id}/{locale}.yaml")
    for (_, locale), group in contents.templates.items():
        if locale not in contents.phrases:
            yield group[0].at.problem(f"the phrases of '{locale}' are missing, so this text is never used")


def _phrase_problems(phrases: Phrases) -> Iterator[Problem]:
    for network, sentences in phrases.handoff.items():
        if len(sentences) < MIN_VARIANTS:
            text = f"needs {MIN_VARIANTS} sentences, so that replies differ"
            yield phrases.places[f"handoff.{network}[0]"].problem(text)
    for path, source, rendered in _phrase_texts(phrases):
        bare = _PLACEHOLDER.sub("", source)
        faults = [*_wording(rendered), *_script(bare, phrases.locale)]
        faults += _greets_again(bare, phrases) if path.startswith("private") else _personal(bare, phrases.locale, ())
        yield from (phrases.places[path].problem(fault) for fault in faults)


def _greets_again(source: str, phrases: Phrases) -> Iterator[str]:
    """The private message opens with the greeting already."""
    words = regex.findall(r"\w+", phrases.greeting_unnamed.casefold())[:1]
    if words and regex.findall(r"\w+", source.casefold())[:1] == words:
        yield "begins with a greeting; the locale's greeting stands before it already"


def _phrase_texts(phrases: Phrases) -> Iterator[tuple[str, str, str]]:
    """Path, source and rendered form of each sentence."""
    named, unnamed = phrases.greeting_named, phrases.greeting_unnamed
    yield "greeting.named", named, fill(named, name=SAMPLE_NAME)
    yield "greeting.unnamed", unnamed, unnamed
    for network, sentences in phrases.handoff.items():
        for index, sentence in enumerate(sentences):
            yield f"handoff.{network}[{index}]", sentence, fill(sentence, brand=SAMPLE_BRAND)
    for index, sentence in enumerate(phrases.private):
        yield f"private[{index}]", sentence, fill(sentence, brand=SAMPLE_BRAND)


def _group_problems(library: PlaybookLibrary, group: tuple[ReplyTemplate, ...]) -> Iterator[Problem]:
    if len(group) < MIN_VARIANTS:
        yield group[0].at.problem(f"needs {MIN_VARIANTS} variants, so that no two customers read the same")
    for first, second in combinations(group, 2):
        if _likeness(first.text, second.text) > TOO_ALIKE:
            yield second.at.problem(f"is nearly the same as variant '{first.id}'; write it anew")
    phrases = library.contents.phrases.get(group[0].locale)
    book = library.contents.playbooks[group[0].playbook]
    for template in group:
        bare = _PLACEHOLDER.sub("", template.text)
        faults = [*_needed(template), *_script(bare, template.locale)]
        faults += _personal(bare, template.locale, book.may_name)
        faults += _rendered_faults(template, phrases) if phrases else ()
        yield from (template.at.problem(fault) for fault in dict.fromkeys(faults))


def _needed(template: ReplyTemplate) -> Iterator[str]:
    names = compiled(template.text).names
    if "signature" not in names:
        yield "must hold {{ signature }}: every reply is signed"
    if "handoff" not in names and template.playbook not in _MAY_STAY_PUBLIC:
        yield "must hold {{ handoff }}: only thanks, answers to questions and statements to all stay in public"


def _rendered_faults(template: ReplyTemplate, phrases: Phrases) -> Iterator[str]:
    rule = length_rule("x")
    named = max(map(rule.count, bare_forms(template, phrases, SAMPLE_NAME)))
    if named > rule.limit:
        yield f"is {named} long on X with a name of {len(SAMPLE_NAME)} letters; at most {rule.limit} fit: shorten it"
    for text in _renderings(template, phrases):
        yield from _wording(text)


def _renderings(template: ReplyTemplate, phrases: Phrases) -> Iterator[str]:
    """The reply in every combination of what may be empty."""
    reply = compiled(template.text)
    for bits in range(8):
        name, product, place = (text if bits & bit else "" for bit, text in ((1, "Anna"), (2, "K2"), (4, "Bern")))
        greeting = fill(phrases.greeting_named, name=name) if name else phrases.greeting_unnamed
        values = {"greeting": greeting, "handoff": "X.", "signature": BARE_SIGNATURE, "brand": SAMPLE_BRAND}
        yield reply.render({**values, "name": name, "product": product, "place": place})


def _wording(text: str) -> Iterator[str]:
    if not regex.search(r"\w", text.replace(BARE_SIGNATURE, "")):
        yield "renders to nothing; write a sentence"
    if text != text.strip() or _SPACES.search(text):
        yield "renders with double or outer spaces; move the space inside the condition"
    if _SPACE_BEFORE_MARK.search(text):
        yield "renders with a plain space before a punctuation mark; remove it (French: a no-break space)"
    if _EMPTY_BRACKETS.search(text):
        yield "renders with empty brackets; move them inside the condition"
    if _LINK.search(text):
        yield "holds a link; links are added by the hand-off alone"


def _personal(text: str, locale: str, allowed: tuple[str, ...]) -> Iterator[str]:
    for kind, word in named_personal_data(text, locale):
        if kind not in allowed:
            yield f"names personal data in public ({kind}: '{word}'); ask to be written to in private instead"


def _script(text: str, locale: str) -> Iterator[str]:
    base = locale.split("-")[0]
    expected = _SCRIPTS.get(base, _LATIN)
    letters = regex.findall(r"\p{L}|ー", text)
    own = sum(bool(regex.match(expected, letter)) for letter in letters)
    if letters and own < _SCRIPT_SHARE * len(letters) and len(letters) > 3:
        yield f"is not in the script of '{locale}'"
    if base == "ja" and len(letters) > 5 and not regex.search(r"[\p{Hiragana}\p{Katakana}]", text):
        yield f"has no kana, so it is not '{locale}'"
    foreign = sorted(set(_FOREIGN_LETTERS.get(locale, "")) & set(text.casefold()) - _shared_han(locale))
    if foreign:
        yield f"has letters that '{locale}' does not write: {' '.join(foreign)}"


def _shared_han(locale: str) -> set[str]:
    """Characters that stand in both Chinese lists because both scripts write them."""
    both = set(_FOREIGN_LETTERS["zh"]) & set(_FOREIGN_LETTERS["zh-Hant"])
    return both if locale.startswith("zh") else set()


def _likeness(first: str, second: str) -> float:
    a, b = (" ".join(_PLACEHOLDER.sub(" ", text).casefold().split()) for text in (first, second))
    return difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()
