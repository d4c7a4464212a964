"""The playbook library: which playbook fits a mention, in which locale, and the drafts and links it offers."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from listener.errors import TemplateError
from listener.model import Draft, Guidance
from playbooks import links
from playbooks.loading import LIBRARY_FOLDER, Contents, handoff_sentences, load_contents
from playbooks.model import GuideRequest, Phrases, Playbook, ReplyTemplate
from playbooks.names import addressee
from playbooks.networks import LengthRule, length_rule, network_key
from playbooks.rendering import MAX_OUTPUT_CHARACTERS, compiled, fill
from playbooks.values import clean, clean_place, find_product, on_one_line

MAX_DRAFTS = 3
FALLBACK_LOCALE = "en"
LANGUAGE_NAMES: Mapping[str, str] = {
    "ar": "Arabic",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "hi": "Hindi",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh": "Chinese",
    "zh-Hant": "traditional Chinese",
}
_UNBOUNDED = LengthRule(MAX_OUTPUT_CHARACTERS, len)
_TRADITIONAL_CHINESE = ("TW", "HK", "MO")
_FALLBACK_TOPIC = "other"
_FULL_WIDTH_MARKS = ("，", "。", "！", "、", "：")


class PlaybookLibrary:
    """Checked playbooks with their reply templates and phrases. Safe to share between threads."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents

    @classmethod
    def load(cls, folder: Path | None = None) -> "PlaybookLibrary":
        """Read and check a library; without a folder, the one that comes with the daemon.

        Raises:
            TemplateError: with every problem, each as `file:line:col path - what to do`.
        """
        return cls(load_contents(folder or LIBRARY_FOLDER))

    @property
    def names(self) -> tuple[str, ...]:
        """The playbooks that a country may choose from."""
        return tuple(sorted(self.contents.playbooks))

    @property
    def locales(self) -> tuple[str, ...]:
        """The locales in which at least one playbook has texts and phrases."""
        return tuple(sorted({locale for _, locale in self.contents.templates if locale in self.contents.phrases}))

    def guide(self, request: GuideRequest) -> Guidance:
        """Return steps, drafts, hand-off and reply link for one mention. The same request gives the same guidance."""
        playbook = self.choose(request)
        drafts, private_text = self._drafts(playbook, request)
        link_request = _link_request(request, private_text)
        return Guidance(
            playbook=playbook.id,
            title=playbook.title,
            steps=playbook.steps,
            drafts=tuple(drafts),
            handoff=links.handoff(link_request),
            reply_url=links.reply_url(link_request, drafts[0].text if drafts else ""),
            never=playbook.never,
        )

    def reply_url(self, request: GuideRequest, text: str) -> str | None:
        """Return where the public reply is written, with `text` filled in where the network allows it."""
        return links.reply_url(_link_request(request, ""), text)

    def choose(self, request: GuideRequest) -> Playbook:
        """Return the playbook for a mention: by signal or topic, the highest priority first."""
        books = self.contents.playbooks
        by_signal = [book for book in books.values() if set(book.signals) & set(request.signals)]
        chosen = books.get(request.playbook_by_topic.get(request.topic, ""))
        by_topic = [chosen] if chosen else [book for book in books.values() if request.topic in book.topics]
        fitting = [book for book in (*by_signal, *by_topic) if request.urgency >= book.urgency_min or book is chosen]
        fallback = [book for book in books.values() if _FALLBACK_TOPIC in book.topics] or list(books.values())
        return min(fitting or fallback, key=lambda book: (-book.priority, book.id))

    def _drafts(self, playbook: Playbook, request: GuideRequest) -> tuple[list[Draft], str]:
        locale, note = self._locale(playbook, request)
        phrases = self.contents.phrases.get(locale)
        if phrases is None:
            return [], ""
        templates = self._ordered(self.contents.templates.get((playbook.id, locale), ()), request)
        writer = _Writer(request, phrases, length_rule(request.network), note)
        glosses = self._glosses(playbook, locale, request)
        drafts = [
            glosses.beside(draft, template, turn) if glosses else draft
            for turn, template in enumerate(templates)
            if (draft := writer.draft(template, turn)) is not None
        ]
        return drafts[:MAX_DRAFTS], writer.private_text

    def _glosses(self, playbook: Playbook, locale: str, request: GuideRequest) -> "_Glosses | None":
        """Return what writes each draft in a language that the team reads; None where it reads the draft itself."""
        read = {language.split("-")[0] for language in request.team_languages}
        if not read or locale.split("-")[0] in read:
            return None
        for language in request.team_languages:
            for known in dict.fromkeys((language, language.split("-")[0])):
                templates = {one.id: one for one in self.contents.templates.get((playbook.id, known), ())}
                phrases = self.contents.phrases.get(known)
                if templates and phrases is not None:
                    return _Glosses(
                        _Writer(request, phrases, _UNBOUNDED, ""), templates, LANGUAGE_NAMES.get(known, known)
                    )
        return None

    def _locale(self, playbook: Playbook, request: GuideRequest) -> tuple[str, str]:
        available = {
            locale
            for book, locale in self.contents.templates
            if book == playbook.id and locale in self.contents.phrases
        }
        wanted = request.language.split("-")[0]
        for locale in locale_chain(request.language, request.country, request.country_locales):
            if locale in available:
                return locale, "" if locale.split("-")[0] == wanted else _foreign_note(request, locale)
        return FALLBACK_LOCALE, _foreign_note(request, FALLBACK_LOCALE)

    def _ordered(self, templates: Sequence[ReplyTemplate], request: GuideRequest) -> list[ReplyTemplate]:
        """Variants not yet used in the thread first; among equals the seed decides."""
        start = _stable_number(request.seed, request.topic) % max(1, len(templates))
        turned = [*templates[start:], *templates[:start]]
        seen = list(request.seen_variants)
        return sorted(turned, key=lambda template: seen.count(template.key))


def _link_request(request: GuideRequest, private_text: str) -> links.LinkRequest:
    return links.LinkRequest(
        network=request.network,
        links=request.links,
        author_id=request.author_id,
        handle=request.handle or "",
        post_id=request.post_id,
        post_url=request.post_url,
        brand_account=request.brand_account,
        private_text=private_text,
    )


def locale_chain(language: str, country: str, chosen: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the locales to look for, in order: the country's own chain, else language with country, then language."""
    base = language.split("-")[0]
    for key in (language, base):
        if key in chosen:
            return list(chosen[key])
    if base == "zh":
        return _chinese_chain(language, country)
    return list(dict.fromkeys((f"{base}-{country}", language, base)))


def _chinese_chain(language: str, country: str) -> list[str]:
    """Simplified and traditional script never stand in for each other silently, save where only `zh` is known."""
    traditional = language.split("-")[-1] in ("Hant", *_TRADITIONAL_CHINESE)
    simplified = language.split("-")[-1] in ("Hans", "CN", "SG")
    if not traditional and not simplified and country in _TRADITIONAL_CHINESE:
        return [f"zh-Hant-{country}", "zh-Hant", "zh"]
    return [f"zh-Hant-{country}", "zh-Hant"] if traditional else [f"zh-{country}", "zh"]


def _foreign_note(request: GuideRequest, locale: str) -> str:
    written = LANGUAGE_NAMES.get(locale.split("-")[0], locale)
    base = request.language.split("-")[0]
    if base in ("", "und"):
        return f"The post's language is not known: this draft is in {written}"
    if base == FALLBACK_LOCALE == locale:
        return ""
    wanted = LANGUAGE_NAMES.get(request.language) or LANGUAGE_NAMES.get(base) or request.language
    where = f" for {request.country}" if base in request.country_locales else ""
    return f"No {wanted} text{where} in the library: this draft is in {written}"


def _stable_number(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).digest()[:8], "big")


@dataclass(frozen=True)
class _Glosses:
    """Writes the drafts of one request once more, in a language that the team reads."""

    writer: "_Writer"
    templates: Mapping[str, ReplyTemplate]
    """By variant: those of one name say the same in all locales."""
    language: str

    def beside(self, draft: Draft, template: ReplyTemplate, turn: int) -> Draft:
        twin = self.templates.get(template.id)
        gloss = self.writer.draft(twin, turn) if twin is not None else None
        return draft if gloss is None else replace(draft, gloss=gloss.text, gloss_language=self.language)


@dataclass(frozen=True)
class _Writer:
    """Writes the drafts of one request in one locale."""

    request: GuideRequest
    phrases: Phrases
    rule: LengthRule
    note: str

    @cached_property
    def name(self) -> str:
        request = self.request
        return addressee(
            request.author_name, request.handle, self.phrases.name, (request.brand_name, *request.products)
        )

    @cached_property
    def brand(self) -> str:
        return clean(self.request.brand_name)

    @cached_property
    def signature(self) -> str:
        brand, agent = clean(self.request.brand_signature) or self.brand, clean(self.request.agent)
        if agent:
            return fill(self.phrases.signature_named, agent=agent, brand=brand)
        return fill(self.phrases.signature_unnamed, brand=brand)

    @cached_property
    def private_text(self) -> str:
        """First words of the private message: greeting, why we write, and which post it is about."""
        choice = self.phrases.private
        turn = _stable_number(self.request.seed, "private")
        opening = fill(choice[turn % len(choice)], brand=self.brand) if choice else ""
        post = links.safe_url(self.request.post_url) or ""
        greeting = self.greeting(self.name)
        # Full-width marks bring their own space.
        between = "" if greeting.endswith(_FULL_WIDTH_MARKS) else " "
        return " ".join(filter(None, (f"{greeting}{between}{opening}".strip(), post, self.signature)))

    def greeting(self, name: str) -> str:
        return fill(self.phrases.greeting_named, name=name) if name else self.phrases.greeting_unnamed

    def draft(self, template: ReplyTemplate, turn: int) -> Draft | None:
        """Return the richest form that fits the network, or None where even the bare form does not."""
        for values in self._forms(turn):
            try:
                text = on_one_line(compiled(template.text).render(values))
            except TemplateError:  # longer than any network takes: the next form is shorter
                continue
            length = self.rule.count(text)
            if length <= self.rule.limit:
                return Draft(text, template.locale, template.key, length, self.rule.limit, self.note)
        return None

    def _forms(self, turn: int) -> Iterator[dict[str, str]]:
        """Values from the richest form to the bare one: without product, then place, then name."""
        product = find_product(self.request.text, self.request.products)
        # An exported chat's name stands where other networks have a place.
        in_chat = self.request.place == self.request.links.get("chat")
        place = "" if in_chat else clean_place(self.request.place)
        fixed = {"handoff": self._handoff(turn), "signature": self.signature, "brand": self.brand}
        forms = ((self.name, product, place), (self.name, "", place), (self.name, "", ""), ("", "", ""))
        for name, product, place in dict.fromkeys(forms):
            yield {**fixed, "greeting": self.greeting(name), "name": name, "product": product, "place": place}

    def _handoff(self, turn: int) -> str:
        sentences = handoff_sentences(self.phrases, network_key(self.request.network), self.brand)
        start = _stable_number(self.request.seed, "handoff")
        return sentences[(start + turn) % len(sentences)]
