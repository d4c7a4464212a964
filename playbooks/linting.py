"""What is wrong with a library beyond what stops it from loading: gaps, risky requests, careless wording.

Every finding is a problem with its place in the files. Fixing them all is part of adding a locale.
"""

import difflib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from itertools import product as product_of
from pathlib import Path

import regex

from listener.config import Voice
from listener.errors import Problem, TemplateError
from listener.sentences import Sentence, counted, sentence
from playbooks.library import PlaybookLibrary
from playbooks.loading import BARE_CONTACT, BARE_SIGNATURE, Contents, bare_forms
from playbooks.model import Phrases, Place, Playbook, ReplyTemplate
from playbooks.networks import length_rule, short_networks
from playbooks.personal_words import KEYS, named_personal_data
from playbooks.rendering import PRIVATE_PLACEHOLDERS, compiled, fill
from playbooks.skeleton import BEGUN, unwritten
from playbooks.values import clean, on_one_line
from playbooks.wording import layout_faults, own_faults, register_faults, script_faults, word_faults

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
    # Regional ones whose service teams write differently enough to be noticed.
    "de-AT",
    "de-CH",
    "en-US",
    "es-MX",
    "fr-BE",
    "fr-CA",
    "fr-CH",
    "nl-BE",
    "pt-BR",
    "zh-HK",
    "zh-TW",
)
MIN_VARIANTS = 3
MIN_FITTING = 2
"""The fewest variants that must fit with a brand's real signature and contact."""
TOO_ALIKE = 0.8
SAMPLE_NAME = "Maximilianna"
SAMPLE_BRAND = "Skybird Air"

VOICE_FILE = "brand.yaml"
CHOSEN_BY_PEOPLE = ("crisis",)
"""Playbooks that no rule gives to a single post."""
_SHORTEST_REPEATED = 20
_SENTENCE_END = regex.compile(r"(?<=[.!?。！？؟।])\s*")
_PLACEHOLDER = regex.compile(r"\{\{.*?\}\}|\{%.*?%\}")


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who signs replies, and where a reply sends people who cannot be written to in private."""

    signature: str
    brand: str = SAMPLE_BRAND
    agent: str = ""
    contact: str = ""
    country: str = ""
    locales: frozenset[str] = frozenset()
    """Those in which it answers; all where empty."""

    def signed(self, phrases: Phrases) -> str:
        """Return the signature as a locale writes it."""
        brand, agent = clean(self.signature) or clean(self.brand), clean(self.agent)
        if agent:
            return fill(phrases.signature_named, agent=agent, brand=brand)
        return fill(phrases.signature_unnamed, brand=brand)


def check(
    folder: Path | None = None,
    locales: Iterable[str] = REQUIRED_LOCALES,
    voices: Collection[Voice] = (),
    *,
    only: Collection[str] = (),
    speakers: Collection[Speaker] = (),
) -> list[Problem]:
    """Return every problem of a library: those that stop it from loading, or else those `lint` finds."""
    try:
        library = PlaybookLibrary.load(folder)
    except TemplateError as error:
        return error.problems
    return lint(library, locales, voices, only=only, speakers=speakers)


def lint(
    library: PlaybookLibrary,
    locales: Iterable[str] = REQUIRED_LOCALES,
    voices: Collection[Voice] = (),
    *,
    only: Collection[str] = (),
    speakers: Collection[Speaker] = (),
) -> list[Problem]:
    """Return what should be better in a library that loads, in the order of its files.

    `locales` are those that every playbook must have, `voices` the brands' own, whose words and tone every text must
    keep to; with `only`, nothing but the texts of these locales is looked at. Replies must fit with what each of
    `speakers` signs with; unless named, those are the voices.
    """
    contents = library.contents
    if only:
        contents = replace(
            contents,
            templates={key: group for key, group in contents.templates.items() if key[1] in only},
            private={key: text for key, text in contents.private.items() if key[1] in only},
            phrases={locale: phrases for locale, phrases in contents.phrases.items() if locale in only},
        )
        locales = [locale for locale in locales if locale in only]
    spoken = tuple(speakers) or tuple(_speaker(voice) for voice in voices)
    linter = _Linter(contents, tuple(locales), tuple(voices), spoken, library.contents)
    found = dict.fromkeys(linter.problems())
    return sorted(found, key=lambda problem: (problem.file, problem.line, problem.column))


def _speaker(voice: Voice) -> Speaker:
    channels = (contact.channel for contact in voice.contacts.values())
    return Speaker(voice.signature, contact=max(channels, key=len, default=""))


class _Linter:
    def __init__(
        self,
        contents: Contents,
        locales: tuple[str, ...],
        voices: tuple[Voice, ...],
        speakers: tuple[Speaker, ...],
        every: Contents,
    ) -> None:
        self._all = every
        self._speakers = speakers
        self._contents = contents
        self._locales = locales
        self._voices = voices

    def problems(self) -> Iterator[Problem]:
        for voice in self._voices:
            for key, fault in own_faults(voice, self._contents.rules.lists):
                said = sentence("of {brand}: {fault}", brand=voice.signature, fault=fault)
                yield Problem(VOICE_FILE, 1, 1, key, said)
        yield from _coverage(self._contents, self._locales)
        for phrases in self._contents.phrases.values():
            yield from self._phrase_problems(phrases)
        for group in self._contents.templates.values():
            yield from self._group_problems(group)
        for template in self._contents.private.values():
            yield from self._private_problems(template)
        yield from _repeated(self._contents)
        yield from _unwritten(self._contents)
        yield from _copied(self._contents, self._all)

    def _faults(self, bare: str, locale: str) -> Iterator[Sentence]:
        """What is wrong with a text wherever it stands."""
        yield from script_faults(bare, locale)
        yield from word_faults(bare, locale, self._contents.rules.lists, self._voices)
        if (phrases := self._contents.phrases.get(locale)) is not None:
            yield from register_faults(bare, locale, phrases.register)

    def _phrase_problems(self, phrases: Phrases) -> Iterator[Problem]:
        lists = {f"handoff.{network}": sentences for network, sentences in phrases.handoff.items()}
        for path, sentences in {**lists, "quoted": phrases.quoted, "moved": phrases.moved}.items():
            if len(sentences) < MIN_VARIANTS:
                yield phrases.places[f"{path}[0]"].problem(
                    counted(
                        "needs {count} sentence, so that replies differ",
                        "needs {count} sentences, so that replies differ",
                        MIN_VARIANTS,
                    )
                )
        for path, source, rendered in _phrase_texts(phrases):
            bare = _PLACEHOLDER.sub("", source)
            faults = [*layout_faults(rendered), *self._faults(bare, phrases.locale)]
            if path.startswith(("opening", "moved")):
                faults += _greets_again(bare, phrases)
            if not path.startswith(("opening", "contact")):  # those stand in private
                faults += [*_personal(bare, phrases.locale, ()), *_personal(rendered, phrases.locale, ())]
            yield from (phrases.places[path].problem(fault) for fault in faults)

    def _group_problems(self, group: tuple[ReplyTemplate, ...]) -> Iterator[Problem]:
        if len(group) < MIN_VARIANTS:
            yield group[0].at.problem(
                counted(
                    "needs {count} variant, so that no two customers read the same",
                    "needs {count} variants, so that no two customers read the same",
                    MIN_VARIANTS,
                )
            )
        for first, second in combinations(group, 2):
            if _likeness(first.text, second.text) > TOO_ALIKE:
                yield second.at.problem(
                    sentence("is nearly the same as variant '{variant}'; write it anew", variant=first.id)
                )
        phrases = self._contents.phrases.get(group[0].locale)
        book = self._contents.playbooks[group[0].playbook]
        for template in group:
            bare = _PLACEHOLDER.sub("", template.text)
            faults = [*_needed(template, book), *self._faults(bare, template.locale)]
            faults += _personal(bare, template.locale, book.may_name)
            faults += _rendered_faults(template, phrases) if phrases else ()
            faults += _named_in_renderings(template, phrases, book) if phrases else ()
            yield from (template.at.problem(fault) for fault in faults)
        for speaker in self._speakers:
            faults = [*_crowded(group, phrases, speaker)] if phrases else []
            yield from (group[0].at.problem(fault) for fault in faults)

    def _private_problems(self, template: ReplyTemplate) -> Iterator[Problem]:
        """In private, personal data may be asked for; the wording counts as in public."""
        reply = compiled(template.text, PRIVATE_PLACEHOLDERS)
        faults = [*self._faults(_PLACEHOLDER.sub("", template.text), template.locale)]
        for product, place in product_of(("", "K2"), ("", "Bern")):
            values = {"product": product, "place": place, "brand": SAMPLE_BRAND}
            faults += layout_faults(on_one_line(reply.render(values)))
        yield from (template.at.problem(fault) for fault in faults)


def _coverage(contents: Contents, locales: tuple[str, ...]) -> Iterator[Problem]:
    root = str(contents.folder)
    for locale in locales:
        if locale not in contents.phrases:
            file = f"_phrases/{locale}.yaml"
            text = sentence("the phrases of '{locale}' are missing; add {file}", locale=locale, file=file)
            yield Problem(root, 1, 1, "", text)
        for book in contents.playbooks.values():
            if (book.id, locale) not in contents.templates:
                file = f"{book.id}/{locale}.yaml"
                yield book.at.problem(sentence("has no text in '{locale}'; add {file}", locale=locale, file=file))
            elif (book.id, locale) not in contents.private:
                at = contents.templates[book.id, locale][0].at
                yield at.problem(sentence("has no private message; add `private`: what is needed, and why"))
    for (playbook, locale), group in contents.templates.items():
        if locale not in contents.phrases:
            text = sentence("the phrases of '{locale}' are missing, so this text is never used", locale=locale)
            yield group[0].at.problem(text)
        missing = {one.id for one in contents.templates.get((playbook, "en"), ())} - {one.id for one in group}
        if missing:
            yield group[0].at.problem(
                sentence(
                    "lacks variant {variants} of en.yaml: variants of one id say the same everywhere",
                    variants=", ".join(sorted(missing)),
                )
            )
    chosen = {rule.playbook for rule in contents.rules.rules} | set(contents.rules.topics.values())
    for book in contents.playbooks.values():
        if book.id not in chosen and book.id not in CHOSEN_BY_PEOPLE:
            yield book.at.problem(sentence("is never chosen: name it in rules.yaml"))


def _greets_again(source: str, phrases: Phrases) -> Iterator[Sentence]:
    """The private message opens with the greeting already."""
    words = regex.findall(r"\w+", phrases.greeting_unnamed.casefold())[:1]
    if words and regex.findall(r"\w+", source.casefold())[:1] == words:
        yield sentence("begins with a greeting; the locale's greeting stands before it already")


def _phrase_texts(phrases: Phrases) -> Iterator[tuple[str, str, str]]:
    """Path, source and rendered form of each sentence."""
    named, unnamed = phrases.greeting_named, phrases.greeting_unnamed
    yield "greeting.named", named, fill(named, name=SAMPLE_NAME)
    yield "greeting.unnamed", unnamed, unnamed
    for network, sentences in phrases.handoff.items():
        for index, text in enumerate(sentences):
            for contact in ("", "K2"):
                yield f"handoff.{network}[{index}]", text, fill(text, brand=SAMPLE_BRAND, contact=contact)
    for section, sentences, values in (
        ("opening", phrases.opening, {"brand": SAMPLE_BRAND}),
        ("moved", phrases.moved, {"brand": SAMPLE_BRAND}),
        ("quoted", phrases.quoted, {"words": "K2"}),
    ):
        for index, text in enumerate(sentences):
            yield f"{section}[{index}]", text, fill(text, **values)
    for hours in ("", "9–18"):
        yield "contact", phrases.contact, fill(phrases.contact, channel="K2", hours=hours)


def _needed(template: ReplyTemplate, book: Playbook) -> Iterator[Sentence]:
    names = compiled(template.text).names
    if "signature" not in names:
        yield sentence("must hold {placeholder}: every reply is signed", placeholder="{{ signature }}")
    if "handoff" not in names and book.hands_off:
        yield sentence(
            "must hold {placeholder}, or set hands_off: false in playbook.yaml if its replies stay in public",
            placeholder="{{ handoff }}",
        )
    if "handoff" in names and not book.hands_off:
        yield sentence("must not hold {placeholder}: the playbook says hands_off: false", placeholder="{{ handoff }}")


def _repeated(contents: Contents) -> Iterator[Problem]:
    """Sentences that stand in two replies of one locale: two people in one thread could read the same."""
    seen: dict[tuple[str, str], ReplyTemplate] = {}
    for group in contents.templates.values():
        for template in group:
            for text in _sentences(template.text):
                first = seen.setdefault((template.locale, text), template)
                if first is not template:
                    yield template.at.problem(
                        sentence(
                            "says “{text}” as {reply} does; write it anew in one of them", text=text, reply=first.key
                        )
                    )


def _unwritten(contents: Contents) -> Iterator[Problem]:
    """Texts of a skeleton that were left as they are."""
    for book in contents.playbooks.values():
        lines = (book.when, *book.steps, *book.never, *book.promise, book.close)
        if found := next(filter(None, map(unwritten, lines)), ""):
            yield book.at.problem(sentence("is a text that nobody wrote yet ({text})", text=found))
    groups = contents.templates.values()
    for template in (*(one for group in groups for one in group), *contents.private.values()):
        if found := unwritten(template.text):
            yield template.at.problem(sentence("is a text that nobody wrote yet ({text})", text=found))
    begun = {group[0].at.file for group in groups}
    begun |= {place.file for phrases in contents.phrases.values() for place in phrases.places.values()}
    for file in sorted(begun):
        with Path(file).open(encoding="utf-8-sig") as lines_of_file:
            line = lines_of_file.readline(200).strip()
        if line.startswith(BEGUN):
            yield Problem(file, 1, 1, "", sentence("says “{line}”: do so, then delete this line", line=line))


def _copied(contents: Contents, every: Contents) -> Iterator[Problem]:
    """Texts that stand word for word in another language."""
    known: dict[tuple[str, str], str] = {}
    for key, locale, text, _ in _texts(every):
        if locale in REQUIRED_LOCALES:  # these come first: what is new was copied from them
            known.setdefault((key, text), locale)
    for key, locale, text, at in _texts(contents):
        first = known.setdefault((key, text), locale)
        if first.split("-")[0] != locale.split("-")[0]:
            yield at.problem(
                sentence("is word for word the text of {other}; write it in '{locale}'", other=first, locale=locale)
            )


def _texts(contents: Contents) -> Iterator[tuple[str, str, str, Place]]:
    """Key, locale, text and place of each text that no two languages share."""
    for group in contents.templates.values():
        yield from (("reply", one.locale, one.text, one.at) for one in group)
    yield from (("private", one.locale, one.text, one.at) for one in contents.private.values())
    for phrases in contents.phrases.values():
        for section, sentences in (("opening", phrases.opening), ("moved", phrases.moved)):
            for index, text in enumerate(sentences):
                yield section, phrases.locale, text, phrases.places[f"{section}[{index}]"]


def _sentences(text: str) -> Iterator[str]:
    for part in _SENTENCE_END.split(_PLACEHOLDER.sub(" ", text)):
        shown = " ".join(part.split())
        if length_rule("x").count(shown) > _SHORTEST_REPEATED:
            yield shown


def _rendered_faults(template: ReplyTemplate, phrases: Phrases) -> Iterator[Sentence]:
    for network, name in ((network, name) for network in short_networks() for name in ("", SAMPLE_NAME)):
        rule = length_rule(network)
        longest = max(map(rule.count, bare_forms(template, phrases, name, network)))
        if longest > rule.limit:
            yield _too_long(str(longest), network, str(rule.limit), len(name))
    for text in _renderings(template, phrases):
        yield from layout_faults(text)


def _too_long(length: str, network: str, limit: str, letters: int) -> Sentence:
    if letters:
        return sentence(
            "is {length} long on {network} with a name of {letters} letters; at most {limit} fit: shorten it",
            length=length,
            network=network,
            letters=letters,
            limit=limit,
        )
    return sentence(
        "is {length} long on {network} without name, product and place; at most {limit} fit: shorten it",
        length=length,
        network=network,
        limit=limit,
    )


def _crowded(group: tuple[ReplyTemplate, ...], phrases: Phrases, speaker: Speaker) -> Iterator[Sentence]:
    """Where a long signature or contact leaves people hardly a reply that fits."""
    signature = speaker.signed(phrases)
    texts = ((signature, BARE_SIGNATURE), (speaker.contact, BARE_CONTACT), (speaker.brand, SAMPLE_BRAND))
    count = length_rule("x").count
    usual = all(count(real) <= count(bare) for real, bare in texts)
    if usual or (speaker.locales and phrases.locale not in speaker.locales):
        return
    for network in short_networks():
        fits, fitting = length_rule(network).fits, 0
        for turn, template in enumerate(group):
            forms = bare_forms(
                template, phrases, network=network, brand=speaker.brand, signature=signature, contact=speaker.contact
            )
            fitting += fits(forms[turn % len(forms)])
        if fitting < min(MIN_FITTING, len(group)):
            yield _few_fit(fitting, len(group), network, speaker.country, signature)


def _few_fit(fitting: int, replies: int, network: str, country: str, signature: str) -> Sentence:
    if country:
        return sentence(
            "only {fitting} of {replies} replies fit on {network} in {country} with “{signature}” and its contact: "
            "shorten what is longest",
            fitting=fitting,
            replies=replies,
            network=network,
            country=country,
            signature=signature,
        )
    return sentence(
        "only {fitting} of {replies} replies fit on {network} with “{signature}” and its contact: "
        "shorten what is longest",
        fitting=fitting,
        replies=replies,
        network=network,
        signature=signature,
    )


def _named_in_renderings(template: ReplyTemplate, phrases: Phrases, book: Playbook) -> Iterator[Sentence]:
    """A condition can part what only its rendered form puts together."""
    if "{%" in template.text:
        for text in _renderings(template, phrases):
            yield from _personal(text, template.locale, book.may_name)


def _renderings(template: ReplyTemplate, phrases: Phrases) -> Iterator[str]:
    """The reply in every combination of what may be empty."""
    reply = compiled(template.text)
    for name, product, place, has_words in product_of(("", "Anna"), ("", "K2"), ("", "Bern"), (False, True)):
        greeting = fill(phrases.greeting_named, name=name) if name else phrases.greeting_unnamed
        quoted = fill(phrases.quoted[0], words="K2") if has_words else ""
        values = {"greeting": greeting, "handoff": "X.", "signature": BARE_SIGNATURE, "brand": SAMPLE_BRAND}
        yield on_one_line(reply.render({**values, "name": name, "product": product, "place": place, "quoted": quoted}))


def _personal(text: str, locale: str, allowed: tuple[str, ...]) -> Iterator[Sentence]:
    for kind, word in named_personal_data(text, locale):
        if kind not in allowed:
            yield sentence(
                "names personal data in public ({kind}: '{word}'); ask to be written to in private instead",
                kind=KEYS[kind],
                word=word,
            )


def _likeness(first: str, second: str) -> float:
    a, b = (" ".join(_PLACEHOLDER.sub(" ", text).casefold().split()) for text in (first, second))
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() > TOO_ALIKE else 0.0
