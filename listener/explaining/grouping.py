"""Which live alert a post joined and by which tie, which it could have joined and why not, or that it opened one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.grouping import wanted_fingerprints
from listener.explaining.case import Case, alone
from listener.explaining.model import Fact, Step
from listener.explaining.references import name_of
from listener.model import DRILL_NETWORK, AlertState
from listener.pipeline.cards import reference
from listener.sentences import sentence
from listener.store import AlertRow
from listener.store.alerts import AlertEvent
from listener.store.trails import Member, Place

_TIES = {
    "copies": sentence("a copy of the same text"),
    "post": sentence("it answers a post of the alert"),
    "conversation": sentence("it stands in the conversation that a post of the alert began"),
    "author": sentence("the same author"),
}
_ROLES = {
    "first": sentence("first"),
    "joined": sentence("joined"),
    "copy": sentence("copy"),
}
_ENDED = ("resolved", "dismissed")


@dataclass(frozen=True, slots=True)
class Tie:
    """What ties a post to one that an alert held before."""

    kind: str
    member: Member


def grouping_step(case: Case) -> Step | None:
    """Tell what became of the post among the alerts; None where nothing was decided yet, or nothing was asked."""
    if case.match.outcome not in ("raised", "joined", "quiet", "old"):
        return None
    facts = list(_rivals(case))
    if case.place is None or case.alert is None:
        summary = case.say("no live alert had a tie to it")
        return Step("grouping", "info", summary, tuple(facts), "Grouping", case.brand)
    name = reference(case.alert)
    if case.place.role == "first":
        facts += _of_opened(case, case.alert)
        return Step("grouping", "ok", case.say("it opened {alert}", alert=name), tuple(facts), "Grouping", case.brand)
    summary = case.say("it joined {alert}, {after} after that was opened", alert=name,
                       after=case.place.joined_at - case.alert.opened_at)  # fmt: skip
    facts = [*_tie_facts(case, case.place), *facts]
    return Step("grouping", "ok", summary, tuple(facts), "Grouping", case.brand)


def _root(case: Case) -> int:
    return case.post.copy_of or case.post.id


def tie_of(case: Case, alert_id: int, before: datetime) -> Tie | None:
    """Return the strongest tie of the post to those that an alert held before a moment."""
    members = [one for one in case.store.trails.members(alert_id) if _is_before(one, case, before)]
    mention, root = case.post.mention, _root(case)
    checks = (
        ("copies", lambda one: (one.copy_of or one.mention_id) == root),
        ("post", lambda one: _same(one, mention.network, one.external_id, mention.reply_to_id)),
        (
            "conversation",
            lambda one: (
                _same(one, mention.network, one.conversation_id, mention.conversation_id)
                and one.conversation_id == one.external_id
            ),
        ),
        ("author", lambda one: _same(one, mention.network, one.author_id, mention.author.external_id)),
    )
    return next((Tie(kind, one) for kind, check in checks for one in members if check(one)), None)


def _is_before(one: Member, case: Case, moment: datetime) -> bool:
    is_other = one.match_id != case.match.id
    return is_other and (one.joined_at < moment or (one.joined_at == moment and one.match_id < case.match.id))


def _same(one: Member, network: str, its: str | None, wanted: str | None) -> bool:
    return one.network == network and wanted is not None and its == wanted


def _tie_facts(case: Case, place: Place) -> Iterator[Fact]:
    tie = tie_of(case, place.alert_id, place.joined_at)
    if tie is None:
        text = sentence("not known any more: the post or its classification has changed since")
        yield Fact("tie", text, basis="recomputed")
        return
    other = f"{tie.member.network}:{tie.member.external_id}"
    yield Fact("tie", _TIES[tie.kind], other, hostile=True, basis="recomputed", link=other)
    country = case.then.config.countries.get(case.match.country)
    if country is not None:
        why = sentence("between the posts of an alert and a further one")
        yield Fact("may join within", alone(timedelta(seconds=country.join_within)), why)
    yield Fact("role", _ROLES.get(place.role, place.role), basis="recorded")


def _rivals(case: Case) -> Iterator[Fact]:
    """Tell of other alerts that hold a tie to the post, and why it did not join them."""
    decided_at = case.match.triaged_at
    if decided_at is None:
        return
    wanted = wanted_fingerprints(case.post.mention, case.match.brand, _root(case))
    for alert in case.store.trails.rivals(wanted, case.alert.id if case.alert else None):
        why = _why_not(case, alert, decided_at)
        yield Fact(
            case.say("could have joined {alert}", alert=reference(alert)), why, basis="recomputed",
            link=reference(alert),
        )  # fmt: skip


def _why_not(case: Case, alert: AlertRow, decided_at: datetime) -> str:
    if alert.opened_at > decided_at or tie_of(case, alert.id, decided_at) is None:
        return case.say("not yet: its tie to the post came later")
    if alert.drill != (case.post.mention.network == DRILL_NETWORK):
        return case.say("no: what a drill injects keeps to itself")
    ended_at = _ended_by(case.store.alerts.history(alert.id), decided_at)
    if ended_at is not None:
        return case.say("no: it had ended at {at}", at=ended_at)
    country = case.then.config.countries.get(case.match.country)
    away = _apart(alert, case.post.mention.published_at)
    if country is not None and away > timedelta(seconds=country.join_within):
        return case.say(
            "no: the posts lie {apart} apart, more than {within}",
            apart=away, within=timedelta(seconds=country.join_within),
        )  # fmt: skip
    if alert.country not in case.then.config.countries:
        return case.say("no: its country is not configured")
    if case.place is not None and case.place.role != "first":
        return case.say("no: a stronger tie, or the same tie to a later alert, goes first")
    return case.say("nothing that is stored says why not: its posts may have lain further apart then")


def _ended_by(history: Sequence[AlertEvent], moment: datetime) -> datetime | None:
    """Return since when an alert had ended at a moment; None where somebody still had to act."""
    ended_at: datetime | None = None
    for event in history:
        if event.at > moment:
            break
        if event.kind in _ENDED:
            ended_at = event.at
        elif event.kind == "reopened":
            ended_at = None
    return ended_at


def _apart(alert: AlertRow, published_at: datetime) -> timedelta:
    gaps = (alert.first_posted_at - published_at, published_at - alert.last_posted_at)
    return max(timedelta(0), *gaps)


def _of_opened(case: Case, alert: AlertRow) -> Iterator[Fact]:
    if alert.incident_id is not None:
        name = f"I-{alert.incident_id}"
        why = sentence("an incident: its card stands in that one's thread")
        yield Fact("belongs to", name, why, basis="recorded", link=name)
    if alert.mentions > 1:
        text = case.count("{count} further post", "{count} further posts", alert.mentions - 1)
        copies = case.count("{count} copy", "{count} copies", alert.copies) if alert.copies else ""
        yield Fact("joined since", text, copies, basis="recorded")
        for one in [one for one in case.store.trails.members(alert.id, 6) if one.role != "first"][:5]:
            name = f"{one.network}:{one.external_id}"
            yield Fact("", name, _ROLES.get(one.role, one.role), hostile=True, basis="recorded", depth=1, link=name)
    shown = None if alert.match_id in (None, case.match.id) else case.store.trails.match(alert.match_id or 0)
    post = None if shown is None else case.store.trails.post(shown.mention_id)
    if post is not None:
        name = name_of(post)
        text = sentence("of those that stand it has the highest priority")
        yield Fact("its card shows", name, text, hostile=True, basis="recorded", link=name)
    if alert.state not in (AlertState.RESOLVED, AlertState.DISMISSED):
        why = sentence("further posts can join it")
        yield Fact("it is", sentence(alert.state), why, basis="recorded")
