"""The playbook library: which playbook fits a mention, in which locale, and the drafts and links it offers."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from babel import Locale
from babel.core import get_global

from listener.config import Voice
from listener.errors import TemplateError
from listener.model import Draft, Guidance
from playbooks import links
from playbooks.contact_hours import hours_text
from playbooks.loading import LIBRARY_FOLDER, Contents, handoff_sentences, load_contents
from playbooks.model import GuideRequest, Phrases, Playbook, ReplyTemplate
from playbooks.names import addressee
from playbooks.networks import LengthRule, length_rule, network_key
from playbooks.own_words import own_words
from playbooks.rendering import MAX_OUTPUT_CHARACTERS, PRIVATE_PLACEHOLDERS, compiled, fill
from playbooks.rules import WordList
from playbooks.values import clean, clean_place, find_product, on_one_line
from playbooks.vocative import vocative
from playbooks.wording import word_faults

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
UNQUOTABLE = "unquotable"
"""The word list without which no customer is quoted."""
_UNQUOTED_SIGNALS = frozenset("SVI")
"""Where somebody is hurt, vulnerable or insulted, nobody's words are repeated to them."""
_PARTS = frozenset(("name", "quoted", "product", "place"))
"""What a reply may show or leave out."""
_UNBOUNDED = LengthRule(MAX_OUTPUT_CHARACTERS, len)
_TRADITIONAL_CHINESE = ("TW", "HK", "MO")
_SIMPLIFIED_CHINESE = ("CN", "SG", "MY")
_CHINESE_SCRIPTS: Mapping[str, str] = {"Hans": "simplified", "Hant": "traditional"}
_SAME_LANGUAGE: Mapping[str, str] = {"cmn": "zh", "in": "id", "iw": "he", "ji": "yi", "yue": "zh"}
"""Older tags, and those within Chinese, by what the library calls them."""
_FULL_WIDTH_MARKS = ("，", "。", "！", "、", "：", "？", "；", "」", "』", "）")


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
    def for_posts(self) -> tuple[str, ...]:
        """The playbooks for single posts, by title."""
        books = self.contents.playbooks
        fitting = (name for name in books if self.contents.rules.leading_to(name))
        return tuple(sorted(fitting, key=lambda name: books[name].title))

    @property
    def locales(self) -> tuple[str, ...]:
        """The locales in which at least one playbook has texts and phrases."""
        return tuple(sorted({locale for _, locale in self.contents.templates if locale in self.contents.phrases}))

    def guide(self, request: GuideRequest) -> Guidance:
        """Return steps, drafts, hand-off and reply link for one mention. The same request gives the same guidance."""
        request = replace(request, language=normal_tag(request.language))
        playbook = self.choose(request)
        drafts, writer = self._drafts(playbook, request)
        private_text = self._private_text(playbook, writer)
        link_request = _link_request(request, private_text)
        return Guidance(
            playbook=playbook.id,
            title=playbook.title,
            steps=playbook.steps,
            drafts=tuple(drafts),
            handoff=links.handoff(link_request),
            reply_url=links.reply_url(link_request, drafts[0].text if drafts else ""),
            never=playbook.never,
            tell=playbook.tell,
            promise=playbook.promise,
            answer_within=_span(playbook.answer_within_s),
            ask=tuple(f"{one.what} – {one.why}" for one in playbook.ask),
            close=playbook.close,
            best_unanswered=playbook.best_unanswered,
            private_text=private_text,
            moved=tuple(writer.moved()) if writer and playbook.hands_off else (),
        )

    def reply_url(self, request: GuideRequest, text: str) -> str | None:
        """Return where the public reply is written, with `text` filled in where the network allows it."""
        return links.reply_url(_link_request(request, ""), text)

    def is_variant(self, name: str) -> bool:
        """Tell whether there is a reply of this name."""
        return name in self._turns

    @cached_property
    def _turns(self) -> dict[str, int]:
        """Place of each variant in its file; variants of one place share hand-off and frame, whatever the playbook."""
        groups = self.contents.templates.values()
        return {template.key: turn for group in groups for turn, template in enumerate(group)}

    def _turns_of(self, variants: Sequence[str]) -> list[int]:
        return [self._turns[key] for key in variants if key in self._turns]

    def word_faults(self, text: str, locale: str, voice: Voice) -> list[str]:
        """Return what a person's text promises or blames, or says against the brand's own voice."""
        return list(word_faults(text, locale, self.contents.rules.lists, [voice]))

    def choose(self, request: GuideRequest) -> Playbook:
        """Return the playbook for a mention: the one a person chose, else by the rules."""
        asked = replace(request, language=normal_tag(request.language))
        return self.contents.playbooks[self.contents.rules.choose(asked, self.contents.playbooks)]

    def _drafts(self, playbook: Playbook, request: GuideRequest) -> tuple[list[Draft], "_Writer | None"]:
        locale, note = self._locale(playbook, request)
        phrases = self.contents.phrases.get(locale)
        if phrases is None:
            return [], None
        templates = self.contents.templates.get((playbook.id, locale), ())
        # Each variant has its own hand-off sentence, so two people who read different ones read no sentence twice.
        turns = {template.key: self._turns[template.key] for template in templates}
        rule, unquotable = length_rule(request.network), self.contents.rules.lists.get(UNQUOTABLE)
        writer = _Writer(request, phrases, rule, note, playbook.product_before_name, unquotable)
        glosses = self._glosses(playbook, locale, request)
        drafts = [
            glosses.beside(*found, template, turns[template.key]) if glosses else found[0]
            for template in _ordered(templates, request, self._turns_of(request.thread_variants))
            if (found := writer.draft(template, turns[template.key])) is not None
        ]
        return drafts[:MAX_DRAFTS], writer

    def _private_text(self, playbook: Playbook, writer: "_Writer | None") -> str:
        if writer is None:
            return ""
        template = self.contents.private.get((playbook.id, writer.phrases.locale))
        return writer.private_text(template.text if template else "")

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
                    unquotable = self.contents.rules.lists.get(UNQUOTABLE)
                    writer = _Writer(request, phrases, _UNBOUNDED, "", unquotable=unquotable)
                    return _Glosses(writer, templates, LANGUAGE_NAMES.get(known, known))
        return None

    def _locale(self, playbook: Playbook, request: GuideRequest) -> tuple[str, str]:
        available = {
            locale
            for book, locale in self.contents.templates
            if book == playbook.id and locale in self.contents.phrases
        }
        for locale in locale_chain(request.language, request.country, request.country_locales):
            if locale in available:
                return locale, _note(request, locale)
        return FALLBACK_LOCALE, _note(request, FALLBACK_LOCALE)


def _ordered(
    templates: Sequence[ReplyTemplate], request: GuideRequest, turns_read: Sequence[int]
) -> list[ReplyTemplate]:
    """Return variants as they were offered first, else those seen least first; among equals the seed decides.

    What the thread read counts before what the hour saw. `turns_read` are the turns of what it read, of any playbook.
    """
    start = _stable_number(request.seed, request.topic) % max(1, len(templates))
    turned = [*templates[start:], *templates[:start]]
    turns = {template.key: turn for turn, template in enumerate(templates)}
    # What was offered of another playbook says nothing of this one's order.
    offered = [key for key in request.offered_variants if key in turns]
    sent, near, seen = list(request.sent_variants), list(request.thread_variants), list(request.seen_variants)

    def rank(template: ReplyTemplate) -> tuple[int, ...]:
        key = template.key
        place = offered.index(key) if key in offered else len(offered)
        if offered:
            return sent.count(key), place
        return sent.count(key), place, near.count(key), turns_read.count(turns[key]), seen.count(key)

    return sorted(turned, key=rank)


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes % 1440 == 0:
        return "1 day" if minutes == 1440 else f"{minutes // 1440} days"
    return f"{minutes} min" if minutes % 60 else f"{minutes // 60} h"


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
        contact=clean(request.contact.channel),
    )


def normal_tag(tag: str) -> str:
    """Return a language tag as this package writes it: `pt_BR` is `pt-BR`, `iw` is `he`, `yue` is `zh-HK`."""
    first, *rest = [part for part in tag.strip().replace("_", "-").split("-") if part] or [""]
    base = first.casefold()
    if base == "yue" and not rest:
        rest = ["HK"]
    elif base == "yue" and not _script_of(rest) and not _region_of(rest):
        rest = ["HK", *rest]
    written = [part.title() if len(part) == 4 else part.upper() if len(part) == 2 else part for part in rest]
    return "-".join((_SAME_LANGUAGE.get(base, base), *written))


def _script_of(parts: Sequence[str]) -> str:
    return next((part for part in parts if len(part) == 4 and part.isalpha()), "")


def _region_of(parts: Sequence[str]) -> str:
    return next((part for part in parts if len(part) == 2 or (len(part) == 3 and part.isdigit())), "")


def locale_chain(language: str, country: str, chosen: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the locales to look for, in order: the country's own chain, else language with country, then language."""
    tag = normal_tag(language)
    base, *rest = tag.split("-")
    chains = {normal_tag(key): chain for key, chain in chosen.items()}
    for end in range(len(rest), -1, -1):
        key = "-".join((base, *rest[:end]))
        if key in chains:
            return list(chains[key])
    if base == "zh":
        return _chinese_chain(rest, country)
    return list(dict.fromkeys((f"{base}-{country}", tag, base)))


def _chinese_chain(parts: Sequence[str], country: str) -> list[str]:
    """Return the chain for `zh` with these subtags: the script where there is one, else the region, tells which.

    Simplified and traditional script never stand in for each other silently, save where only `zh` is known.
    """
    script, named = _script_of(parts), _region_of(parts)
    simplified = script == "Hans" or (not script and named in _SIMPLIFIED_CHINESE)
    traditional = script == "Hant" or (not script and named in _TRADITIONAL_CHINESE)
    region = named if named in _TRADITIONAL_CHINESE else country if country in _TRADITIONAL_CHINESE else ""
    if traditional or (region and not simplified):
        own = [f"zh-{region}"] if region else []
        return [*own, "zh-Hant"] if traditional else [*own, "zh-Hant", "zh"]
    return ["zh"] if country in _TRADITIONAL_CHINESE else [f"zh-{country}", "zh"]


def _script(tag: str, country: str = "") -> str:
    """Return the script that a language tag says or that its language is mostly written in; "" where unknown.

    Only Chinese is told by `country`, where the tag names no region.
    """
    base, *rest = tag.split("-")
    if (script := _script_of(rest)) or not base:
        return script
    region = _region_of(rest) or (country if base == "zh" else "")
    if base == "zh":
        return "Hant" if region in _TRADITIONAL_CHINESE else "Hans"
    likely = get_global("likely_subtags")
    found = likely.get(f"{base}_{region}") or likely.get(base) or ""
    return _script_of(found.split("_"))


def _note(request: GuideRequest, locale: str) -> str:
    """Return what to say beside a draft of this locale; "" where it is in the author's language and script."""
    tag = normal_tag(request.language)
    if locale.split("-")[0] != tag.split("-")[0]:
        return _foreign_note(request, locale)
    wanted, written = _script(tag, request.country), _script(locale)
    if not wanted or wanted == written:
        return ""
    lacking = f"No {_in_script(tag, wanted)} text{_for(request)} in the library"
    return f"{lacking}: this draft is in {_in_script(locale, written)}"


def _in_script(tag: str, script: str) -> str:
    base = tag.split("-")[0]
    if base == "zh" and script in _CHINESE_SCRIPTS:
        return f"{_CHINESE_SCRIPTS[script]} Chinese"
    return f"{LANGUAGE_NAMES.get(base, base)} in {Locale('en').scripts.get(script, script)} script"


def _for(request: GuideRequest) -> str:
    base = normal_tag(request.language).split("-")[0]
    return f" for {request.country}" if base in map(normal_tag, request.country_locales) else ""


def _foreign_note(request: GuideRequest, locale: str) -> str:
    written = LANGUAGE_NAMES.get(locale.split("-")[0], locale)
    tag = normal_tag(request.language)
    base = tag.split("-")[0]
    if base in ("", "und"):
        return f"The post's language is not known: this draft is in {written}"
    wanted = LANGUAGE_NAMES.get(tag) or LANGUAGE_NAMES.get(base) or tag
    if base == "zh":
        wanted = _in_script(tag, _script(tag, request.country))
    return f"No {wanted} text{_for(request)} in the library: this draft is in {written}"


def _stable_number(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).digest()[:8], "big")


@dataclass(frozen=True)
class _Glosses:
    """Writes the drafts of one request once more, in a language that the team reads."""

    writer: "_Writer"
    templates: Mapping[str, ReplyTemplate]
    """By variant: those of one name say the same in all locales."""
    language: str

    def beside(self, draft: Draft, shown: frozenset[str], template: ReplyTemplate, turn: int) -> Draft:
        """Return the draft with its gloss, which says no more than the draft had room for."""
        twin = self.templates.get(template.id)
        found = self.writer.draft(twin, turn, shown) if twin is not None else None
        return draft if found is None else replace(draft, gloss=found[0].text, gloss_language=self.language)


@dataclass(frozen=True)
class _Writer:
    """Writes the drafts of one request in one locale."""

    request: GuideRequest
    phrases: Phrases
    rule: LengthRule
    note: str
    keeps_product: bool = False
    unquotable: WordList | None = None
    """Words that no reply repeats; without them no customer is quoted."""

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

    def private_text(self, asking: str) -> str:
        """Return the private message: greeting, why we write and about which post, what is needed and why."""
        opening = fill(self._one_of(self.phrases.opening), brand=self.brand) if self.phrases.opening else ""
        values = {"product": self.product, "place": self.place, "brand": self.brand}
        needed = on_one_line(compiled(asking, PRIVATE_PLACEHOLDERS).render(values)) if asking else ""
        greeting, join = self.greeting(self.name), self._joined
        begun, rest = join(greeting, opening), (needed, self.contact, clean(self.request.brand_phrase, 200))
        post = "" if links.shows_the_post(self.request.network) else links.safe_url(self.request.post_url) or ""
        # An address ends at a space, whatever mark stands around it.
        text = f"{begun} {post} {join(*rest)}".rstrip() if post else join(begun, *rest)
        return f"{text} {self.signature}" if post and text.endswith(post) else join(text, self.signature)

    def moved(self) -> Iterator[str]:
        """Yield what may be said in public once the conversation goes on in private."""
        for sentence in self.phrases.moved:
            text = self._joined(self.greeting(self.name), fill(sentence, brand=self.brand), self.signature)
            if self.rule.fits(text):
                yield text

    @cached_property
    def contact(self) -> str:
        """The sentence that names the brand's own contact, or ""."""
        contact = self.request.contact
        if not contact.channel or not self.phrases.contact:
            return ""
        hours = hours_text(contact.hours, self.phrases.locale)
        return on_one_line(fill(self.phrases.contact, channel=contact.channel, hours=hours))

    @cached_property
    def product(self) -> str:
        return find_product(self.request.text, self.request.products)

    @cached_property
    def place(self) -> str:
        # An exported chat's name stands where other networks have a place.
        in_chat = self.request.place == self.request.links.get("chat")
        return "" if in_chat else clean_place(self.request.place)

    def quoted(self, turn: int) -> str:
        """Return a sentence with the customer's own words; "" where none can be quoted, or in another language."""
        request = self.request
        if self.note or not _UNQUOTED_SIGNALS.isdisjoint(request.signals):
            return ""
        if self.unquotable is None or not self.phrases.quoted:
            return ""
        words = own_words(request.text, request.words, request.language, self.unquotable)
        return fill(self.phrases.quoted[turn % len(self.phrases.quoted)], words=words) if words else ""

    def _one_of(self, sentences: Sequence[str]) -> str:
        return sentences[_stable_number(self.request.seed, "opening") % len(sentences)]

    def _joined(self, *sentences: str) -> str:
        """Join sentences; full-width marks bring their own space."""
        text = ""
        for sentence in filter(None, sentences):
            text += sentence if not text or text.endswith(_FULL_WIDTH_MARKS) else f" {sentence}"
        return text

    def greeting(self, name: str) -> str:
        called = vocative(name, self.phrases.locale) if name else ""
        return fill(self.phrases.greeting_named, name=called) if called else self.phrases.greeting_unnamed

    def draft(
        self, template: ReplyTemplate, turn: int, shown: frozenset[str] = _PARTS
    ) -> tuple[Draft, frozenset[str]] | None:
        """Return the richest form that fits the network and what it shows; None where even the bare form does not.

        `shown` are the parts that it may show.
        """
        for values in self._forms(turn, shown):
            try:
                text = on_one_line(compiled(template.text).render(values))
            except TemplateError:  # longer than any network takes: the next form is shorter
                continue
            length = self.rule.count(text)
            if length <= self.rule.limit:
                draft = Draft(text, template.locale, template.key, length, self.rule.limit, self.note)
                return draft, frozenset(part for part in _PARTS if values[part])
        return None

    def _forms(self, turn: int, shown: frozenset[str]) -> Iterator[dict[str, str]]:
        """Values from the richest form to the bare one: without the own words, then product, place and name."""
        fixed = {"handoff": self._handoff(turn), "signature": self.signature, "brand": self.brand}
        parts = {"name": self.name, "quoted": self.quoted(turn), "product": self.product, "place": self.place}
        name, quoted, product, place = (value if part in shown else "" for part, value in parts.items())
        kept = (("", "", product, place), ("", "", product, "")) if self.keeps_product else ()
        forms = (
            (name, quoted, product, place),
            (name, "", product, place),
            *kept,
            (name, "", "", place),
            (name, "", "", ""),
            ("", "", "", ""),
        )
        for name, quoted, product, place in dict.fromkeys(forms):
            values = {"name": name, "quoted": quoted, "product": product, "place": place}
            yield {**fixed, "greeting": self.greeting(name), **values}

    def _handoff(self, turn: int) -> str:
        network, channel = network_key(self.request.network), self.request.contact.channel
        sentences = handoff_sentences(self.phrases, network, self.brand, channel)
        return on_one_line(sentences[turn % len(sentences)])
