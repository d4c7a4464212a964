"""All that the library would say, for people to read: as a page for the browser and as lines for the terminal."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from listener.model import Guidance
from playbooks.library import PlaybookLibrary
from playbooks.locales import language_name
from playbooks.model import Contact, GuideRequest

_PAGE = Path(__file__).parent / "pages"
_NAMES: Mapping[str, str] = {
    "ar": "ليلى حداد",
    "de": "Katrin Vogel",
    "en": "Emma Clarke",
    "es": "Lucía Ramos",
    "fr": "Camille Martin",
    "hi": "अनीता शर्मा",
    "id": "Dewi Lestari",
    "it": "Giulia Riva",
    "ja": "山田花子",
    "ko": "김민지",
    "nl": "Sofie Maes",
    "pl": "Anna Nowak",
    "pt": "Mariana Costa",
    "ru": "Ольга Смирнова",
    "tr": "Elif Demir",
    "uk": "Олена Бондар",
    "zh": "王芳",
}
"""A usual name in each language, so that a preview shows how people are addressed."""
_RIGHT_TO_LEFT = ("ar", "fa", "he", "ur")
_SAMPLE_ID = "1790000000"


@dataclass(frozen=True, slots=True)
class Scene:
    """For whom the library is shown: one country's settings, one language, one network, one brand."""

    country: str
    language: str
    network: str
    brand_name: str
    brand_signature: str
    brand_phrase: str = ""
    brand_account: str = ""
    agent: str = ""
    products: tuple[str, ...] = ()
    contact: Contact = field(default_factory=Contact)
    locales: Mapping[str, Sequence[str]] = field(default_factory=dict)
    team_languages: tuple[str, ...] = ()

    def request(self, playbook: str) -> GuideRequest:
        """Return the request of a sample mention for one playbook."""
        return GuideRequest(
            topic="other",
            playbook=playbook,
            network=self.network,
            language=self.language,
            country=self.country,
            brand_name=self.brand_name,
            brand_signature=self.brand_signature,
            brand_phrase=self.brand_phrase,
            brand_account=self.brand_account,
            agent=self.agent,
            author_name=_NAMES.get(self.language.split("-")[0], "Emma Clarke"),
            author_id=_SAMPLE_ID,
            handle="sample",
            post_id=_SAMPLE_ID,
            text=" ".join(self.products[:1]),
            products=self.products,
            contact=self.contact,
            country_locales=self.locales,
            team_languages=self.team_languages,
            seed=self.country,
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """One playbook in one scene."""

    playbook: str
    chosen_when: tuple[str, ...]
    when: str
    guidance: Guidance


def shown(library: PlaybookLibrary, scene: Scene, topic: str | None = None) -> list[Shown]:
    """Return the library's playbooks as they look in one scene; of one topic, those it can lead to."""
    rules, books = library.contents.rules, library.contents.playbooks
    names = list(books) if topic is None else rules.for_topic(topic)
    return [
        Shown(name, tuple(rules.leading_to(name)), books[name].when, library.guide(scene.request(name)))
        for name in names
    ]


def page(library: PlaybookLibrary, scenes: Sequence[Scene], topic: str | None = None) -> str:
    """Return a self-contained HTML page; everything in it is escaped."""
    environment = Environment(
        loader=FileSystemLoader(_PAGE), autoescape=select_autoescape(default=True), undefined=StrictUndefined
    )
    environment.filters["language_name"] = language_name
    environment.tests["right_to_left"] = lambda tag: tag.split("-")[0] in _RIGHT_TO_LEFT
    sections = [(scene, shown(library, scene, topic)) for scene in scenes]
    return environment.get_template("preview.html").render(sections=sections, topic=topic or "")


def lines(library: PlaybookLibrary, scenes: Sequence[Scene], topic: str | None = None) -> Iterator[str]:
    """Yield the same as plain text, without anything that a terminal would obey."""
    for scene in scenes:
        yield f"== {scene.country} · {language_name(scene.language)} · {scene.network} · {scene.brand_name} =="
        for one in shown(library, scene, topic):
            yield from map(_printable, _described(one))
        yield ""


def _described(one: Shown) -> Iterator[str]:
    guide = one.guidance
    yield ""
    yield f"{guide.title} ({one.playbook}), answer within {guide.answer_within}"
    yield f"  when: {one.when}"
    yield f"  chosen: {'; '.join(one.chosen_when) or 'by people, and for incidents'}"
    if guide.best_unanswered:
        yield "  as a rule: no answer"
    for name, entries in (
        ("tell", guide.tell),
        ("do", guide.steps),
        ("never say", guide.never),
        ("may promise", guide.promise),
        ("ask in private", guide.ask),
    ):
        yield from (f"  {name}: {entry}" for entry in entries)
    yield f"  close: {guide.close}"
    for draft in guide.drafts:
        yield f"  {draft.variant.rsplit('/', 1)[-1]} [{draft.locale}, {draft.length} of {draft.limit}] {draft.text}"
        if draft.note:
            yield f"    {draft.note}"
    if guide.private_text:
        yield f"  in private: {guide.private_text}"
    yield from (f"  once it has moved: {text}" for text in guide.moved)
    yield f"  hand-off: {guide.handoff.steps}"
    if guide.handoff.first:
        yield f"  who writes first: {guide.handoff.first}"


def _printable(line: str) -> str:
    return "".join(char for char in line if unicodedata.category(char) not in ("Cc", "Cf") or char in "\u200c\u200d")
