"""The replies of one request in one locale: personal where facts are known, as long as the network takes."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from listener.errors import TemplateError
from listener.model import Draft
from playbooks import links
from playbooks.contact_hours import hours_text
from playbooks.loading import handoff_sentences
from playbooks.model import GuideRequest, Phrases, ReplyTemplate
from playbooks.names import addressee
from playbooks.networks import LengthRule, network_key
from playbooks.own_words import own_words
from playbooks.rendering import MAX_OUTPUT_CHARACTERS, PRIVATE_PLACEHOLDERS, compiled, fill
from playbooks.rules import WordList
from playbooks.values import clean, clean_place, find_product, on_one_line
from playbooks.vocative import vocative

UNQUOTABLE = "unquotable"
"""The word list without which no customer is quoted."""
_UNQUOTED_SIGNALS = frozenset("SVI")
"""Where somebody is hurt, vulnerable or insulted, nobody's words are repeated to them."""
_PARTS = frozenset(("name", "quoted", "product", "place"))
"""What a reply may show or leave out."""
UNBOUNDED = LengthRule(MAX_OUTPUT_CHARACTERS, len)
"""For a gloss, which no network takes."""
_FULL_WIDTH_MARKS = ("，", "。", "！", "、", "：", "？", "；", "」", "』", "）")


@dataclass(frozen=True)
class Writer:
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
        """What the author is called, or ""."""
        request = self.request
        return addressee(
            request.author_name, request.handle, self.phrases.name, (request.brand_name, *request.products)
        )

    @cached_property
    def brand(self) -> str:
        """The brand's name."""
        return clean(self.request.brand_name)

    @cached_property
    def signature(self) -> str:
        """What closes the reply: the agent, where one is named, and the brand's signature."""
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
        """The product that the post names, or ""."""
        return find_product(self.request.text, self.request.products)

    @cached_property
    def place(self) -> str:
        """The place that the post names, or ""."""
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
        return sentences[stable_number(self.request.seed, "opening") % len(sentences)]

    def _joined(self, *sentences: str) -> str:
        """Join sentences; full-width marks bring their own space."""
        text = ""
        for sentence in filter(None, sentences):
            text += sentence if not text or text.endswith(_FULL_WIDTH_MARKS) else f" {sentence}"
        return text

    def greeting(self, name: str) -> str:
        """Return the greeting with a name as people are called, or without one."""
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


@dataclass(frozen=True)
class Glosses:
    """Writes the drafts of one request once more, in a language that the team reads."""

    writer: Writer
    templates: Mapping[str, ReplyTemplate]
    """By variant: those of one name say the same in all locales."""
    language: str

    def beside(self, draft: Draft, shown: frozenset[str], template: ReplyTemplate, turn: int) -> Draft:
        """Return the draft with its gloss, which says no more than the draft had room for."""
        twin = self.templates.get(template.id)
        found = self.writer.draft(twin, turn, shown) if twin is not None else None
        return draft if found is None else replace(draft, gloss=found[0].text, gloss_language=self.language)


def stable_number(*parts: str) -> int:
    """Return a number that is the same for the same parts, in every process."""
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).digest()[:8], "big")
