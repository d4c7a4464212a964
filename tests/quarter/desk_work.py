"""What people did with the alerts of the simulated quarter, noted as the desk notes it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from alerts.escalation import deadlines
from listener.config import Config
from listener.model import WAS
from listener.pipeline.workplaces import Workplaces
from tests.quarter.posts import NOW

_PEOPLE = {
    "head-office": ("Camille", "Ravi"),
    "western-europe": ("Lotte", "Inés"),
    "tokyo": ("Haruka",),
}
_CLOSED = ("resolved", "dismissed")


@dataclass(slots=True)
class Case:
    """One alert and its history. What lies after the end of the quarter does not happen."""

    row: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)
    matches: list[tuple[int, str, datetime]] = field(default_factory=list)
    """Match, role and when it joined."""
    correction: dict[str, Any] | None = None
    corrected_at: datetime | None = None

    def note(self, kind: str, at: datetime, actor: str = "listener", **data: Any) -> bool:
        """Write a line of the history; False where it is still to come."""
        if at > NOW or (self.events and at < self.events[-1]["at"]):
            return False
        person = {} if actor == "listener" else {"origin": "slack", "address": f"slack:U{actor.upper()}"}
        self.events.append({"kind": kind, "at": at, "actor": actor, "data": {**person, **data}})
        self.row["updated_at"] = at
        return True

    def own(self, kind: str, at: datetime, actor: str) -> bool:
        """Claim it, or take it over."""
        if not self.note(kind, at, actor):
            return False
        self.row |= {"state": "claimed", **_owner(actor, at)}
        return True

    def release(self, at: datetime, actor: str) -> bool:
        """Give it back."""
        if not self.note("released", at, actor):
            return False
        self.row |= {"state": "open", "owner": None, "owner_address": None, "claimed_at": None}
        return True

    def snooze(self, at: datetime, actor: str, until: datetime) -> bool:
        """Put it aside."""
        if not self.note("snoozed", at, actor, until=until.isoformat()):
            return False
        self.row |= {"state": "snoozed", "snoozed_until": until}
        return True

    def wake(self, at: datetime, actor: str = "listener") -> bool:
        """End a snooze."""
        if not self.note("awake", at, actor):
            return False
        self.row |= {"state": "claimed" if self.row["owner"] else "open", "snoozed_until": at}
        return True

    def reply(self, at: datetime, actor: str, *, public: bool, private: bool) -> bool:
        """Answer; the first time of each counts."""
        if not self.note("replied", at, actor, public=public, private=private):
            return False
        if public and self.row["replied_at"] is None:
            self.row["replied_at"] = at
        if private and self.row["private_at"] is None:
            self.row["private_at"] = at
        if self.row["owner"] is None:
            self.row |= {"state": "claimed", **_owner(actor, at)}
        return True

    def resolve(self, at: datetime, actor: str, how: str) -> bool:
        """Close it as dealt with."""
        if not self.note("resolved", at, actor, how=how):
            return False
        self.row |= {"state": "resolved", "resolution": how, "closed_by": actor, "closed_at": at}
        if how == "public" and self.row["replied_at"] is None:
            self.row["replied_at"] = at
        if how == "private" and self.row["private_at"] is None:
            self.row["private_at"] = at
        return True

    def dismiss(self, at: datetime, actor: str, was: str) -> bool:
        """Close it as no complaint."""
        besides = WAS[was][1]
        if not self.note("dismissed", at, actor, was=was, topic=None):
            return False
        self.row |= {"state": "dismissed", "resolution": "not_complaint", "closed_by": actor, "closed_at": at}
        self.correction = {"complaint": False, "urgency": None, "topic": None, "sentiment": None, **besides}
        self.corrected_at = at
        return True

    def reopen(self, at: datetime, actor: str) -> bool:
        """Open it again."""
        if not self.note("reopened", at, actor):
            return False
        state = "claimed" if self.row["owner"] else "open"
        self.row |= {"state": state, "resolution": None, "closed_by": None, "closed_at": None}
        return True

    def is_live_at(self, at: datetime) -> bool:
        """Whether somebody still had to act then."""
        live = True
        for event in self.events:
            if event["at"] > at:
                break
            live = False if event["kind"] in _CLOSED else live or event["kind"] == "reopened"
        return live


class Teams:
    """The people who work through the alerts. The same for the same seed."""

    def __init__(self, config: Config, seed: int) -> None:
        self._config = config
        self._rng = np.random.default_rng([seed, 1])
        self._places = Workplaces(config)

    def open(self, alert_id: int, at: datetime, **values: Any) -> Case:
        """Open an alert as triage does."""
        country = self._config.countries[values["country"]]
        target = getattr(country.targets, f"severity_{values['severity']}")
        respond_by, resolve_by = deadlines(self._places.calendar(values["country"]), target, at)
        row = {
            "id": alert_id, "kind": "post", "team": country.team, "state": "open", "playbook": None,
            "playbook_by": None, "variants": [], "pilot": country.mode == "pilot", "drill": False, "match_id": None,
            "incident_id": None, "rules": ["open-problem"], "mentions": 1, "copies": 0, "opened_at": at,
            "updated_at": at, "first_posted_at": at, "last_posted_at": at,
            "now_with": self._places.in_charge(values["country"], at)[0], "owner": None, "owner_address": None,
            "claimed_at": None, "snoozed_until": None, "replied_at": None, "private_at": None, "resolution": None,
            "closed_by": None, "closed_at": None, "respond_by": respond_by, "resolve_by": resolve_by, "rungs": [],
            "escalated_to": None, "told_at": at, "look_at": None, **values,
        }  # fmt: skip
        case = Case(row)
        case.note("opened", at, severity=row["severity"], rules=list(row["rules"]))
        return case

    def work(self, case: Case, complains: bool) -> None:
        """Do what a team does with an alert; some are forgotten."""
        rng, people = self._rng, self._people(case)
        if rng.random() < 0.08:
            return
        person = people[int(rng.integers(len(people)))]
        at = self._later(case, case.row["opened_at"], 25)
        if not complains and rng.random() < 0.85:
            self._see_through(case, person, at)
            return
        if rng.random() < 0.9 and not case.own("claimed", at, person):
            return
        at = self._detours(case, person, people, at)
        if at is None or rng.random() < 0.05:
            return
        self._answer(case, case.row["owner"] or person, self._later(case, at, 30))

    def _see_through(self, case: Case, person: str, at: datetime) -> None:
        """Close what is no complaint; somebody is wrong now and then and opens it again."""
        if self._rng.random() < 0.5:
            case.own("claimed", at, person)
            at = self._later(case, at, 5)
        was = str(self._rng.choice(["question", "praise", "news", "joke", "other_brand", "other"]))
        if case.dismiss(at, person, was) and self._rng.random() < 0.05:
            case.reopen(at + timedelta(hours=2), person)

    def _detours(self, case: Case, person: str, people: Sequence[str], at: datetime) -> datetime | None:
        """Let it change hands or wait; return when somebody gets to it, None where nobody does."""
        rng, chance = self._rng, float(self._rng.random())
        if chance < 0.08 and case.row["owner"]:
            other = people[-1] if person == people[0] else people[0]
            at = self._later(case, at, 40)
            if other != person and not case.own("taken over", at, other):
                return None
        elif chance < 0.14 and case.row["owner"]:
            at = self._later(case, at, 20)
            if not case.release(at, person) or rng.random() < 0.3:
                return None
            at = self._later(case, at, 60)
            if not case.own("claimed", at, people[0]):
                return None
        elif chance < 0.24:
            until = at + timedelta(hours=float(rng.choice([1, 2, 4, 24, 72])))
            if not case.snooze(at, person, until):
                return None
            early = rng.random() < 0.3
            at = at + (until - at) / 2 if early else until
            if not case.wake(at, person if early else "listener"):
                return None
        return at

    def _answer(self, case: Case, person: str, at: datetime) -> None:
        rng, chance = self._rng, float(self._rng.random())
        if chance < 0.06:
            case.resolve(at, person, "no_reply")
            return
        if chance < 0.14:  # those who close it without a word of an answer before
            case.resolve(at, person, str(rng.choice(["public", "private", "solved"])))
            return
        public, private = bool(chance < 0.85), bool(chance > 0.72)
        if not case.reply(at, person, public=public, private=private):
            return
        if not private and rng.random() < 0.3:
            at = self._later(case, at, 60)
            if not case.reply(at, person, public=False, private=True):
                return
        if rng.random() < 0.12:
            return
        at = self._later(case, at, 150)
        private = case.row["private_at"] is not None
        how = str(rng.choice(["solved", "private" if private else "public"], p=[0.7, 0.3]))
        if case.resolve(at, person, how) and rng.random() < 0.07:
            at += timedelta(hours=float(rng.uniform(1, 60)))
            if case.reopen(at, person) and rng.random() < 0.7:
                case.resolve(self._later(case, at, 60), person, "solved")

    def _people(self, case: Case) -> Sequence[str]:
        return _PEOPLE[case.row["now_with"]]

    def _later(self, case: Case, at: datetime, minutes: float) -> datetime:
        """Return when somebody gets to it: some working time on, or at once where it cannot wait."""
        spent = timedelta(minutes=float(self._rng.lognormal(np.log(minutes), 1.1)))
        if case.row["severity"] == 3 and self._rng.random() < 0.7:
            return at + spent
        return self._places.calendar(case.row["country"]).after(at, spent.total_seconds()) or at + spent


def _owner(actor: str, at: datetime) -> dict[str, Any]:
    return {"owner": actor, "owner_address": f"slack:U{actor.upper()}", "claimed_at": at}
