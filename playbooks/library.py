"""The playbook library: which playbook fits a mention, in which locale, and the drafts and links it offers."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

from listener.config import Voice
from listener.model import Draft, Guidance
from listener.sentences import Language, Listing, Sentence, counted, sentence
from playbooks import links
from playbooks.loading import LIBRARY_FOLDER, Contents, load_contents
from playbooks.locales import FALLBACK_LOCALE, LANGUAGE_NAMES, language_name, language_note, locale_chain, normal_tag
from playbooks.model import GuideRequest, Playbook, ReplyTemplate
from playbooks.networks import length_rule
from playbooks.values import clean
from playbooks.wording import word_faults
from playbooks.writing import UNBOUNDED, UNQUOTABLE, Glosses, Writer, stable_number

MAX_DRAFTS = 3


class PlaybookLibrary:
    """Checked playbooks with their reply templates and phrases. Safe to share between threads."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents

    @classmethod
    def load(cls, folder: Path | None = None) -> "PlaybookLibrary":
        """Read and check a library; without a folder, the one that comes with the daemon, which is read once.

        Raises:
            TemplateError: with every problem, each as `file:line:col path - what to do`.
        """
        return cls(load_contents(folder)) if folder else _shipped()

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
            ask=tuple(Listing.of((one.what, one.why), " – ") for one in playbook.ask),
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
        """Return what a person's text promises or blames, or says against the brand's own voice, as sentences."""
        faults = word_faults(text, locale, self.contents.rules.lists, [voice])
        return [sentence("It {fault}.", fault=fault) for fault in faults]

    def choose(self, request: GuideRequest) -> Playbook:
        """Return the playbook for a mention: the one a person chose, else by the rules."""
        asked = replace(request, language=normal_tag(request.language))
        return self.contents.playbooks[self.contents.rules.choose(asked, self.contents.playbooks)]

    def _drafts(self, playbook: Playbook, request: GuideRequest) -> tuple[list[Draft], Writer | None]:
        locale, note = self._locale(playbook, request)
        phrases = self.contents.phrases.get(locale)
        if phrases is None:
            return [], None
        templates = self.contents.templates.get((playbook.id, locale), ())
        # Each variant has its own hand-off sentence, so two people who read different ones read no sentence twice.
        turns = {template.key: self._turns[template.key] for template in templates}
        rule, unquotable = length_rule(request.network), self.contents.rules.lists.get(UNQUOTABLE)
        writer = Writer(request, phrases, rule, note, playbook.product_before_name, unquotable)
        glosses = self._glosses(playbook, locale, request)
        drafts = [
            glosses.beside(*found, template, turns[template.key]) if glosses else found[0]
            for template in _ordered(templates, request, self._turns_of(request.thread_variants))
            if (found := writer.draft(template, turns[template.key])) is not None
        ]
        return drafts[:MAX_DRAFTS], writer

    def _private_text(self, playbook: Playbook, writer: Writer | None) -> str:
        if writer is None:
            return ""
        template = self.contents.private.get((playbook.id, writer.phrases.locale))
        return writer.private_text(template.text if template else "")

    def _glosses(self, playbook: Playbook, locale: str, request: GuideRequest) -> Glosses | None:
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
                    writer = Writer(request, phrases, UNBOUNDED, "", unquotable=unquotable)
                    name = LANGUAGE_NAMES.get(known) or Language.of(language_name(known), known)
                    return Glosses(writer, templates, name)
        return None

    def _locale(self, playbook: Playbook, request: GuideRequest) -> tuple[str, str]:
        available = {
            locale
            for book, locale in self.contents.templates
            if book == playbook.id and locale in self.contents.phrases
        }
        for locale in locale_chain(request.language, request.country, request.country_locales):
            if locale in available:
                return locale, language_note(request, locale)
        return FALLBACK_LOCALE, language_note(request, FALLBACK_LOCALE)


def _ordered(
    templates: Sequence[ReplyTemplate], request: GuideRequest, turns_read: Sequence[int]
) -> list[ReplyTemplate]:
    """Return variants as they were offered first, else those seen least first; among equals the seed decides.

    What the thread read counts before what the hour saw. `turns_read` are the turns of what it read, of any playbook.
    """
    start = stable_number(request.seed, request.topic) % max(1, len(templates))
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


@cache
def _shipped() -> PlaybookLibrary:
    return PlaybookLibrary(load_contents(LIBRARY_FOLDER))


def _span(seconds: float) -> Sentence:
    minutes = max(1, round(seconds / 60))
    if minutes % 1440 == 0:
        return counted("{count} day", "{count} days", minutes // 1440)
    return sentence("{minutes} min", minutes=minutes) if minutes % 60 else sentence("{hours} h", hours=minutes // 60)


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
