"""What the steps of one explanation are told from: one post as one brand's, what was recorded, and the settings."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from listener.config import Config, Country
from listener.explaining.model import Basis, Fact
from listener.explaining.then import InForce
from listener.pipeline.assess import SPREAD_WINDOW, Assessment, assess
from listener.sentences import Sentence, Value, moment, sentence
from listener.store import AlertRow, Store, TriageItem
from listener.store.fates import DELETED
from listener.store.trails import Match, Place, Post

_ALONE = "{value}"
"""Nothing that could be translated."""


@dataclass(frozen=True, slots=True)
class Case:
    """One post as it was found for one brand."""

    store: Store
    config: Config
    """In force now."""
    then: InForce
    """In force when it was decided on; now, while nothing was."""
    post: Post
    match: Match
    matches: Sequence[Match]
    """Those of all brands that it was found for."""
    item: TriageItem | None
    """None while it is not classified."""
    place: Place | None
    alert: AlertRow | None
    now: datetime
    brand: str = ""
    """Said with each step where several brands' are told; empty else."""

    @property
    def country(self) -> Country | None:
        """The settings of its country then; None where that is configured no more."""
        return self.then.config.countries.get(self.match.country)

    @property
    def zone(self) -> str:
        """In which moments are written."""
        return zone_of(self.config, self.match.country)

    @property
    def is_deleted(self) -> bool:
        """Whether its words must not be shown any more."""
        return self.post.fate == DELETED

    @property
    def was_read_again(self) -> bool:
        """Whether it was classified again after it had been decided on, because it was edited."""
        decided_at, read_at = self.match.triaged_at, self.post.classified_at
        return decided_at is not None and (read_at is None or read_at > decided_at)

    def say(self, message: str, **values: Value) -> Sentence:
        """Return a sentence in English that can be said in other words too."""
        return Sentence.of(message, values, self.zone)

    def count(self, one: str, several: str, number: int, /, **values: Value) -> Sentence:
        """Return a sentence in the form that a number asks for; `{count}` in it is the number itself."""
        return Sentence.counted(one, several, number, values, self.zone)

    def when(self, label: str, at: datetime, basis: Basis = "recorded") -> Fact:
        """Return a fact that is a moment."""
        return Fact(label, moment(at, self.zone), at=at, basis=basis)

    def assessed(self, config: Config) -> Assessment | None:
        """Return what scores and rules make of it now under some settings; None where they do not know its country."""
        country = config.countries.get(self.match.country)
        if self.item is None or country is None:
            return None
        copies, answers = self.store.triage.spread(self.item, SPREAD_WINDOW)
        return assess(self.item, country, copies=copies, answers=answers)


def zone_of(config: Config, country: str) -> str:
    """Return a country's time zone; UTC where it is configured no more."""
    return config.countries[country].timezone if country in config.countries else "UTC"


def alone(value: Value, zone: str = "UTC") -> Sentence:
    """Return a sentence that is nothing but a value: a time, a share, a large count."""
    return Sentence.of(_ALONE, {"value": value}, zone)


def term(word: str, known: Collection[str]) -> str:
    """Return a word that the console has in every language as a sentence; one that is not known as it stands."""
    return sentence(word) if word in known else word


def number(value: float) -> str:
    """Write a score with two digits."""
    return f"{value:.2f}"


def against(value: float, threshold: float) -> tuple[str, str]:
    """Write a score and a threshold with as many digits as it takes to tell them apart."""
    digits = next((one for one in (2, 3, 4) if value == threshold or f"{value:.{one}f}" != f"{threshold:.{one}f}"), 6)
    return f"{value:.{digits}f}", f"{threshold:.{digits}f}"
