"""The visitor's language and time zone: the shared words, with the console's own messages."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError

from listener.sentences import Language, Listing, Minute, Sentence, Share, Value
from listener.words import LANGUAGES, SOURCE, Domain, marked, nearest
from listener.words import Words as SharedWords

__all__ = ["ALSO", "CONSOLE", "LANGUAGES", "NATIVE_NAMES", "Words", "asked_for", "marked"]

CONSOLE = Domain("console", "the console", Path(__file__).parent)
_ROOT = Path(__file__).parents[2]
ALSO = tuple(
    _ROOT / place
    for place in (
        "listener/config/loading.py",
        "listener/config/models.py",
        "listener/config/types.py",
        "listener/explaining",
        "listener/desk.py",
        "listener/histories.py",
        "listener/piloting.py",
        "listener/pipeline/cards.py",
        "listener/slack/replying.py",
        "listener/source_trial.py",
        "listener/tuning/reasons.py",
        "listener/tuning/simulation.py",
        "listener/tuning/spans.py",
        "alerts/incidents.py",
        "alerts/priority.py",
        "alerts/rules.py",
        "alerts/silences.py",
        "classifiers/influence.py",
        "playbooks/library",
        "playbooks/library.py",
        "playbooks/links.py",
        "playbooks/linting.py",
        "playbooks/loading.py",
        "playbooks/locales.py",
        "playbooks/personal_words.py",
        "playbooks/rendering.py",
        "playbooks/rules.py",
        "playbooks/wording.py",
        "sources/files.py",
        "sources/vk/source.py",
        "sources/x/source.py",
    )
)
"""Files and folders outside the console that make sentences which are said in it."""
NATIVE_NAMES = {
    "en": "English",
    "fr": "Français",
    "de": "Deutsch",
    "es": "Español",
    "ru": "Русский",
    "zh-Hans": "简体中文",
}
"""What each language calls itself, so that those who read nothing else find it."""


@dataclass(frozen=True)
class Words(SharedWords):
    """How the console says things to one visitor."""

    DOMAIN: ClassVar[Domain] = CONSOLE
    timezone: str = "UTC"

    @classmethod
    def of(cls, language: str, timezone: str = "UTC") -> Self:
        """Return the words for a language tag; English where nothing is written in that language."""
        return replace(super().of(language if nearest(language) else SOURCE), timezone=timezone)

    def said(self, text: str) -> str:
        """Return a sentence in the visitor's words; a text that is none stays as it is."""
        if isinstance(text, Listing):
            return text.separator.join(map(self.said, text.parts))
        if isinstance(text, Language):
            return self._language(text)
        if not isinstance(text, Sentence):
            return text
        if not text.values:
            return self.text(text.message)
        values = {name: self._shown(value) for name, value in text.values.items()}
        if text.several:
            return self.plural(text.message, text.several, text.number, **values)
        return self.say(text.message, **values)

    def _language(self, language: Language) -> str:
        """Name a language as within a sentence."""
        try:
            return Locale.parse(language.tag, sep="-").get_display_name(self.locale) or language
        except (UnknownLocaleError, ValueError):
            return language

    def tag(self, language: str) -> str:
        """Return the tag of a language that a text names; "" where it is not known."""
        return language.tag if isinstance(language, Language) else ""

    def _shown(self, value: Value) -> str:
        if isinstance(value, Minute):
            return self.moment(value)
        if isinstance(value, datetime):
            return f"{self.moment(value)}:{value.astimezone(ZoneInfo(self.timezone)):%S}"
        if isinstance(value, timedelta):
            return self.duration(value.total_seconds())
        if isinstance(value, Share):
            return self.percent(value)
        if isinstance(value, float):
            return f"{value:.2f}"  # as the thresholds beside it are written in config.yaml
        return self.number(value) if isinstance(value, int) else self.said(value)

    def moment(self, at: datetime, timezone: str | None = None) -> str:
        """Write a moment by the clocks of the visitor's time zone: "12 Nov 2026, 10:20"."""
        return super().moment(at, timezone or self.timezone)

    def between(self, since: datetime, until: datetime) -> str:
        """Write from when to when something was, the day once: "12 Nov 2026, 10:20–11:05"."""
        zone = ZoneInfo(self.timezone)
        began, ended = since.astimezone(zone), until.astimezone(zone)
        if began.date() != ended.date():
            return f"{self.moment(since)} – {self.moment(until)}"
        if (began.hour, began.minute) == (ended.hour, ended.minute):
            return self.moment(since)
        return f"{self.moment(since)}–{self.clock(ended.hour, ended.minute)}"

    def today(self, now: datetime) -> date:
        """Return the day that it is where the visitor is."""
        return now.astimezone(ZoneInfo(self.timezone)).date()

    def ago(self, at: datetime, now: datetime) -> str:
        """Write how long ago something was."""
        seconds = (now - at).total_seconds()
        if seconds < 60:
            return self.say("just now")
        # Translators: such as "34 min ago".
        return self.say("{duration} ago", duration=self.duration(seconds))


def asked_for(accept_language: str) -> str:
    """Return the one of LANGUAGES that a browser asks for first; English where it asks for none of them."""
    wishes = []
    for index, part in enumerate(accept_language[:500].split(",")):
        tag, _, rest = part.strip().partition(";")
        name, _, weight = rest.strip().partition("=")
        try:
            quality = float(weight) if name.strip() == "q" else 1.0
        except ValueError:
            quality = 0.0
        if quality > 0 and (language := nearest(tag)):
            wishes.append((-quality, index, language))
    return min(wishes)[2] if wishes else SOURCE
