"""Samples of every locale's replies on one page, for native speakers to correct: `python -m playbooks.samples`."""

import argparse
import html
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import regex
from babel import Locale

from listener.config import Hours
from listener.errors import TemplateError
from listener.model import Draft, Guidance
from playbooks.library import PlaybookLibrary
from playbooks.loading import handoff_sentences
from playbooks.locales import language_name
from playbooks.model import Contact, Phrases
from playbooks.preview import Scene
from playbooks.rendering import fill

PAGE = Path("docs/replies.md")
_BRAND = "Yunfan"
_SIGNATURE = "Yunfan Care"
_PRODUCT = "K2"
_CONTACT = "care@yunfan.example"
_SHOWN: Mapping[str, int] = {"late-delivery": 2, "billing": 1, "safety": 0, "thanks": 0}
"""Playbook and variant, counted from 0; of several playbooks so that greeting, quotation and hand-off are all read."""
_LOCAL_NETWORKS: Mapping[str, str] = {"ru": "vk", "uk": "vk", "zh": "wechat"}
_HANDOFFS: Mapping[str, str] = {
    "x": "X",
    "vk": "VK",
    "wechat": "WeChat",
    "default": "other networks",
    "googleplay": "reviews",
}
_SAID: Mapping[str, str] = {
    "ar": "ثلاثة أسابيع دون أي خبر",
    "de": "seit drei Wochen keine Nachricht",
    "en": "three weeks and no news",
    "es": "tres semanas sin noticias",
    "fr": "trois semaines sans nouvelles",
    "hi": "तीन हफ़्ते से कोई ख़बर नहीं",
    "id": "tiga minggu tanpa kabar",
    "it": "tre settimane senza notizie",
    "ja": "三週間も連絡がない",
    "ko": "삼 주째 아무 연락이 없음",
    "nl": "drie weken zonder nieuws",
    "pl": "trzy tygodnie bez wiadomości",
    "pt": "três semanas sem notícias",
    "ru": "три недели без ответа",
    "tr": "üç haftadır haber yok",
    "uk": "три тижні без відповіді",
    "zh": "三个星期没有消息",
    "zh-Hant": "三個星期沒有消息",
}
"""What the sample's customer wrote, to be quoted."""
_FROM_RIGHT = regex.compile(r"[\p{Arabic}\p{Hebrew}]+(?:[\s\p{M}]+[\p{Arabic}\p{Hebrew}]+)*")
_INTRODUCTION = """\
# Sample replies in every language

For people who speak one of these languages as their own: this is how the daemon would answer for a brand called Yunfan.
Please correct what a good service team in your country would not write. Nothing here is sent by itself: people read
each draft, change it and send it.

This page is made from the library by `python -m playbooks.samples`; do not change it by hand. The whole library, in the
voice of your own brand, is shown by `listener playbooks preview`.

## How to correct a text

1. Find its file under `playbooks/library/`. A sample names it with the variant: *`billing/fr.yaml`, variant `b`* is the
   entry with `id: b` under `variants`; the private message is `private` in the same file. Greeting, hand-off,
   quotation, signature and what is said once a talk has moved stand in `_phrases/<locale>.yaml`, under the keys
   `greeting`, `handoff`, `quoted`, `signature`, `opening`, `contact` and `moved`.
2. Change the words and keep what stands in braces: `{{ handoff }}` becomes one of the hand-off sentences,
   `{% if product %} … {% endif %}` is left out where no product is known. [playbooks.md](playbooks.md) explains each.
3. Variants of one `id` are twins: `a` says the same in every language, so that a team which does not read yours sees
   the text of the same `id` in its own beside the draft. Change freely *how* it is said. To change *what* is said,
   change it in all languages, or ask for it.
4. No sentence may stand in two replies of a locale, for two people in one thread must not read the same. In public no
   reply asks for numbers, addresses or the like, promises or blames; with its longest hand-off it must fit a post on X
   (280, where letters of Chinese, Japanese and Korean count twice).
5. Run `listener playbooks lint`, which finds breaches of all this and names file, line and what to do, and then
   `python -m playbooks.samples`. Hand in the files that changed.

What helps most: forms of address that are wrong for your country, words taken over from another language or country,
apologies that sound cold or servile, sentences nobody would say, wrong forms of names. Say so as well where a text is
right but your country would rather leave it out.
"""


@dataclass(frozen=True)
class _Section:
    """One locale of the library, and what writes its section."""

    library: PlaybookLibrary
    phrases: Phrases

    @property
    def tag(self) -> str:
        return self.phrases.locale

    @property
    def title(self) -> str:
        return f"{language_name(self.tag)}: {self.tag}"

    @property
    def scene(self) -> Scene:
        return Scene(
            country="",
            language=self.tag,
            network="x",
            brand_name=_BRAND,
            brand_signature=_SIGNATURE,
            products=(_PRODUCT,),
            contact=Contact(_CONTACT, Hours.parse({"mon-fri": "09:00-18:00"})),
            locales={self.tag: (self.tag,)},
            team_languages=("en",),
        )

    def guide(self, playbook: str, place: int) -> tuple[Guidance, Draft]:
        """Return a playbook's guidance and its draft at a place of the file."""
        said = _SAID.get(self.tag) or _SAID["zh-Hant" if self.tag in ("zh-TW", "zh-HK") else self.tag.split("-")[0]]
        key = self.library.contents.templates[playbook, self.tag][place].key
        request = replace(
            self.scene.request(playbook), text=f"{said}. {_PRODUCT}", words=(said,), offered_variants=(key,)
        )
        guidance = self.library.guide(request)
        return guidance, guidance.drafts[0]

    def paragraphs(self) -> Iterator[str]:
        """Yield the paragraphs about this locale."""
        yield f"## {self.title}"
        yield "\n".join(self._manners())
        for playbook, place in _SHOWN.items():
            guidance, draft = self.guide(playbook, place)
            variant = draft.variant.rsplit("/", 1)[-1]
            yield f"**{guidance.title}**: `{playbook}/{self.tag}.yaml`, variant `{variant}`"
            yield self._quoted(draft.text)
            if draft.gloss:
                yield f"Says: {_mixed(draft.gloss)}"
        guidance, _ = self.guide(next(iter(_SHOWN)), 0)
        yield f"**In private**, after the first of these: `late-delivery/{self.tag}.yaml`, `private`"
        yield self._quoted(guidance.private_text)
        yield "**Once it has moved**, in public: `moved`"
        yield self._quoted(*guidance.moved)
        for network in self._networks():
            yield f"**Hand-off** on {_HANDOFFS[network]}: `handoff`"
            yield self._quoted(*handoff_sentences(self.phrases, network, _BRAND, _CONTACT))

    def _manners(self) -> Iterator[str]:
        phrases = self.phrases
        called = "the first name" if phrases.name == "first" else "the whole name"
        named, unnamed = fill(phrases.greeting_named, name="…"), phrases.greeting_unnamed
        yield f"- Form of address: {self._inline(phrases.register)}"
        yield f"- Greeting, with {called}: {self._inline(named)} Without a name: {self._inline(unnamed)}"
        signed = fill(phrases.signature_named, agent="Noa", brand=_SIGNATURE)
        yield f"- Signature of somebody called Noa: {self._inline(signed)}"
        yield f"- Phrases: `_phrases/{self.tag}.yaml`"

    def _networks(self) -> Iterator[str]:
        yield "x"
        if local := _LOCAL_NETWORKS.get(self.tag.split("-")[0]):
            yield local
        yield from ("default", "googleplay")

    def _inline(self, text: str) -> str:
        return f"<b {self._attributes()}>{_plain(text)}</b>"

    def _quoted(self, *texts: str) -> str:
        """Return texts as one quotation. Markdown has no direction of writing and no language; HTML within it has."""
        return f"<blockquote {self._attributes()}>{'<br>'.join(map(_plain, texts))}</blockquote>"

    def _attributes(self) -> str:
        return f'lang="{self.tag}"' + (' dir="rtl"' if Locale.parse(self.tag, sep="-").text_direction == "rtl" else "")


def samples(library: PlaybookLibrary) -> str:
    """Return the page, as Markdown."""
    sections = [_Section(library, library.contents.phrases[tag]) for tag in library.locales]
    paragraphs = [_INTRODUCTION.rstrip(), "\n".join(f"- [{one.title}](#{_anchor(one.title)})" for one in sections)]
    for section in sections:
        paragraphs += section.paragraphs()
    return "\n\n".join(paragraphs) + "\n"


def _plain(text: str) -> str:
    return html.escape(text, quote=False)


def _mixed(text: str) -> str:
    """Return text from left to right whose words from right to left do not turn the marks between them."""
    return str(_FROM_RIGHT.sub(r'<span dir="rtl">\g<0></span>', _plain(text)))


def _anchor(title: str) -> str:
    """Return the name by which a heading is linked to, as the usual viewers of Markdown make it."""
    return str(regex.sub(r"[^\w\- ]", "", title.lower())).replace(" ", "-")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m playbooks.samples", description=__doc__)
    parser.add_argument("page", nargs="?", type=Path, default=PAGE, help=f"where it is written; {PAGE} by default")
    parser.add_argument("--folder", type=Path, help="another library than the daemon's own")
    chosen = parser.parse_args(arguments)
    try:
        page = samples(PlaybookLibrary.load(chosen.folder))
        chosen.page.write_text(page, encoding="utf-8")
    except TemplateError as error:
        print(f"{error}\nthe library cannot be used; `listener playbooks lint` says the same", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"cannot write {chosen.page}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"written to {chosen.page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
