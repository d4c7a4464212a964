"""What is told of one alert: the alert, its messages, and the settings it was raised with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from listener.config import Config
from listener.explaining.case import zone_of
from listener.explaining.model import Basis, Fact
from listener.explaining.then import InForce
from listener.sentences import Sentence, Value, moment
from listener.store import AlertRow, Store, TriageItem
from listener.store.alerts import AlertEvent
from listener.store.trails import Sending


@dataclass(frozen=True)
class Told:
    """One alert and how people were told of it."""

    store: Store
    config: Config
    then: InForce
    """In force when it was opened."""
    alert: AlertRow
    item: TriageItem | None
    """The post that raised it; None for an incident, or where that is not classified any more."""
    now: datetime
    brand: str = ""

    @cached_property
    def history(self) -> Sequence[AlertEvent]:
        """What happened to it."""
        return self.store.alerts.history(self.alert.id)

    @cached_property
    def sendings(self) -> Sequence[Sending]:
        """All messages about it."""
        return self.store.trails.sendings(self.alert.id)

    @cached_property
    def opened(self) -> AlertRow:
        """The alert with the severity that it was opened with."""
        first = next((event for event in self.history if event.kind == "opened"), None)
        severity = None if first is None else first.data.get("severity")
        return replace(self.alert, severity=severity) if isinstance(severity, int) else self.alert

    @property
    def cards(self) -> list[Sending]:
        """Its own messages, one for each receiver."""
        return [one for one in self.sendings if one.kind == "alert"]

    def first_cards(self) -> list[Sending]:
        """Its own messages that were written when it was opened; later ones are for those who are told of it later."""
        return [one for one in self.cards if one.created_at <= self.alert.opened_at]

    @property
    def zone(self) -> str:
        """In which moments are written."""
        return zone_of(self.config, self.alert.country)

    def say(self, message: str, **values: Value) -> Sentence:
        """Return a sentence in English that can be said in other words too."""
        return Sentence.of(message, values, self.zone)

    def count(self, one: str, several: str, number: int, /, **values: Value) -> Sentence:
        """Return a sentence in the form that a number asks for; `{count}` in it is the number itself."""
        return Sentence.counted(one, several, number, values, self.zone)

    def when(self, label: str, at: datetime, basis: Basis = "recorded", depth: int = 0) -> Fact:
        """Return a fact that is a moment."""
        return Fact(label, moment(at, self.zone), at=at, basis=basis, depth=depth)
