"""What held an alert's messages back, and what became of each of them, down to the last attempt."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from alerts.escalation import SEVEREST, may_wake
from alerts.silences import silences
from listener.explaining.case import alone
from listener.explaining.model import Fact, State, Step
from listener.explaining.told import Told
from listener.histories import event_words
from listener.pipeline.announce import BUDGET, BUDGET_SPAN, FOLDED, QUIET, labels_of
from listener.pipeline.workplaces import Workplaces
from listener.sentences import Listing, Sentence, sentence
from listener.store.silences import SilenceRow
from listener.store.trails import Sending

_MOVED = re.compile(r" \(moved to ([\w-]+)\)$")
_MOST_NOTES = 12
_MUCH_S = 10.0
"""So much later than a message was due it was not sent by the usual round."""
_WAITING = ("pending", "sending")
_REASONS = {
    QUIET: sentence("nobody works"),
    BUDGET: sentence("beyond the budget"),
    FOLDED: sentence("folded into a summary"),
}
_STATES = {
    "pending": sentence("due now"),
    "sending": sentence("being sent"),
    "superseded": sentence("given up: nobody needed it any more"),
    "moved": sentence("another receiver has it"),
    "dead": sentence("could not be delivered"),
    "dropped": sentence("given up"),
}


# What held it


def hold_step(told: Told) -> Step | None:
    """Tell what holds its cards back now, or held them when they were written; None where it has no card."""
    cards = told.cards
    if not cards:
        return None
    facts = [fact for one in cards for fact in _held(told, one)]
    waiting = [one for one in cards if one.held is not None and one.state == "pending"]
    if waiting:
        receivers = ", ".join(one.receiver for one in waiting)
        summary = told.say("held back from {receivers}: {why}", receivers=receivers, why=_reason(waiting[0].held or ""))
        return Step("hold", "held", summary, tuple(facts), "Held back", told.brand)
    was_held = any(fact.holds is False for fact in facts)
    summary = told.say("held back for a while") if was_held else told.say("by nothing")
    return Step("hold", "info" if was_held else "ok", summary, tuple(facts), "Held back", told.brand)


def _reason(held: str) -> str:
    """Say for what a message is held back, by the word that the outbox has for it."""
    if held.startswith("silence:"):
        return sentence("silence {silence}", silence=held.partition(":")[2])
    return _REASONS.get(held, held)


def _held(told: Told, card: Sending) -> Iterator[Fact]:
    yield Fact("card to", card.receiver, told.say("written {at}", at=card.created_at), basis="recorded")
    if card.held is not None:
        until = (
            told.say("until {at}", at=card.due_at) if card.held != FOLDED else told.say("until something of it is due")
        )
        yield Fact("held now", _reason(card.held), until, basis="recorded", depth=1, holds=False)
    yield from _at(told, card, card.created_at)
    if card.sent_at is not None:
        late_s = (card.sent_at - card.due_at).total_seconds()
        is_late = late_s > _MUCH_S and card.attempts <= 1
        why = sentence("the receiver was not free, or the daemon did not run") if is_late else ""
        yield Fact("waited", alone(card.sent_at - card.created_at), why, basis="recorded", depth=1)


def _at(told: Told, card: Sending, at: datetime) -> Iterator[Fact]:
    """Tell what held a card back when it was written, in the order in which the daemon asks; worked out anew."""
    options = told.then.config.receivers.get(card.receiver)
    budget = options.budget if options is not None else None
    asked = [_by_silence(told, labels_of(told.then.config, told.opened, told.item), at)]
    if options is not None and options.at_once:
        text = sentence("is shown all at once")
        asked.append(iter([Fact("receiver", text, basis="recomputed", depth=1, holds=True)]))
    elif card.parent_id is not None:
        text = sentence("it stands in the thread of its incident, and waits for no group")
        asked += [_by_hours(told, at), iter([Fact("thread", text, basis="recorded", depth=1)])]
    else:
        by_budget = iter(()) if budget is None else iter([_by_budget(told, card, budget, at)])
        asked += [_by_hours(told, at), by_budget, _by_group(card)]
    for found in asked:
        facts = list(found)
        yield from facts
        if any(fact.holds is False for fact in facts):
            return  # the first that holds it is the one that counts


def _by_group(card: Sending) -> Iterator[Fact]:
    wait = card.due_at - card.created_at
    if card.held is None and card.attempts <= 1 and wait > timedelta():
        why = sentence("further posts could join before it went")
        yield Fact("group wait", alone(wait), why, basis="recorded", depth=1)


def _by_silence(told: Told, labels: dict[str, str], at: datetime) -> Iterator[Fact]:
    standing = [row for row in told.store.silences.active(at) if row.created_at <= at]
    found = next((row for row in standing if silences(row.matchers, labels)), None)
    if found is not None:
        yield Fact("silence", _silence(found), found.reason, hostile=True, basis="recomputed", depth=1, holds=False)
        yield Fact("", told.say("by {who}", who=found.author), hostile=True, basis="recorded", depth=2)
        until = told.say("until {at}", at=found.ends_at)
        if found.ended_by:
            until = told.say("until {at}, when {who} ended it", at=found.ends_at, who=found.ended_by)
        yield Fact("", until, hostile=True, basis="recorded", depth=2)
    elif standing:
        text = told.say("{count} in force, none of them for this", count=len(standing))
        yield Fact("silences", text, basis="recomputed", depth=1, holds=True)


def _silence(row: SilenceRow) -> str:
    return f"{row.id}: {', '.join(map(str, row.matchers))}"


def _by_hours(told: Told, at: datetime) -> Iterator[Fact]:
    config, alert = told.then.config, told.opened
    if alert.pilot or alert.country not in config.countries:
        return
    opening = Workplaces(config).next_opening(alert.country, at)
    if opening is None or opening <= at:
        yield Fact("hours", sentence("somebody worked"), basis="recomputed", depth=1, holds=True)
    elif may_wake(alert.severity, any_open=False):
        text = sentence("nobody worked; severity 3 waits for nobody")
        yield Fact("hours", text, basis="recomputed", depth=1, holds=True)
    else:
        text = told.say("nobody worked until {at}", at=opening)
        yield Fact("hours", text, basis="recomputed", depth=1, holds=False)


def _by_budget(told: Told, card: Sending, budget: int, at: datetime) -> Fact:
    if told.opened.severity >= SEVEREST:
        return Fact("budget", sentence("severity 3 counts against none"), basis="recomputed", depth=1, holds=True)
    shown = told.store.trails.cards_before(card.receiver, at, BUDGET_SPAN, card.id)
    text = told.say("{shown} cards in the hour before, of {budget}", shown=shown, budget=budget)
    return Fact("budget", text, basis="recomputed", depth=1, holds=shown < budget)


# What became of its messages


def messages_step(told: Told) -> Step:
    """Tell of every card, where it went, in how many attempts, and what went wrong."""
    facts = [
        fact
        for one in told.cards
        for fact in _sending(told, one, told.say("card to {receiver}", receiver=one.receiver))
    ]
    sent = [one for one in told.cards if one.sent_at is not None and one.state == "sent"]
    return Step("messages", *_messages_summary(told, sent), tuple(facts), "Messages", told.brand)


def _messages_summary(told: Told, sent: Sequence[Sending]) -> tuple[State, Sentence]:
    cards = told.cards
    if not cards:
        return "stopped", told.say("none was written: no receiver could take it")
    if sent:
        first = min(one.sent_at for one in sent if one.sent_at is not None)
        names = ", ".join(dict.fromkeys(one.receiver for one in sent))
        return "ok", told.say("{receivers} was told at {at}", receivers=names, at=first)
    if any(one.state in _WAITING and one.held for one in cards):
        return "held", told.say("held back; nobody was told yet")
    if any(one.state in _WAITING for one in cards):
        tried = sum(one.attempts for one in cards)
        if tried:
            return "held", told.count(
                "not accepted yet, after {count} attempt", "not accepted yet, after {count} attempts", tried
            )
        return "held", told.say("waiting to be sent")
    if any(one.state == "dead" for one in cards):
        return "stopped", told.say("could not be delivered; `listener outbox` has it")
    return "stopped", told.say("given up: nobody needed it any more")


def _sending(told: Told, one: Sending, what: Sentence, depth: int = 0) -> Iterator[Fact]:
    yield Fact(what, _outcome(told, one), basis="recorded", depth=depth, holds=_went(one))
    for failure in one.failures:
        problem = _MOVED.sub("", failure.problem)
        detail = sentence("it may have arrived all the same") if failure.ambiguous else ""
        yield Fact(
            "attempt",
            told.say("{at}: not accepted: {problem}", at=failure.at, problem=problem),
            detail,
            hostile=True,
            basis="recorded",
            depth=depth + 1,
            holds=False,
        )
    if one.problem and one.problem not in [failure.problem for failure in one.failures]:
        yield Fact("problem", _MOVED.sub("", one.problem), hostile=True, basis="recorded", depth=depth + 1)
    if one.ambiguous and one.state in _WAITING and one.attempts:
        text = sentence("an earlier attempt may have arrived: it is looked for before it is sent again")
        yield Fact("", text, basis="recorded", depth=depth + 1)
    if moved := _MOVED.search(one.problem or ""):
        yield Fact("moved to", moved[1], sentence("in place of this receiver"), basis="recorded", depth=depth + 1)


def _went(one: Sending) -> bool | None:
    if one.state == "sent":
        return True
    return None if one.state in (*_WAITING, "superseded", "moved") else False


def _outcome(told: Told, one: Sending) -> str:
    tries = told.count("{count} attempt", "{count} attempts", one.attempts)
    if one.state == "sent" and one.sent_at is not None:
        return told.say("sent {at}, {tries}", at=one.sent_at, tries=tries)
    if one.state == "pending" and one.held:
        return told.say("held back: {why}", why=_reason(one.held))
    if one.state == "pending" and one.due_at > told.now:
        return told.say("due {at}, {tries}", at=one.due_at, tries=tries)
    return Listing.of((_STATES.get(one.state, one.state), tries))


def note_step(told: Told, match_id: int, joined_at: datetime) -> Step:
    """Tell how people heard of a post that joined an alert: a note in its thread, or the count on its card."""
    notes = [one for one in told.sendings if one.kind == "note" and one.match_id == match_id]
    edits = [one for one in told.sendings if one.kind == "update" and one.created_at >= joined_at]
    facts = [fact for one in (*notes, *edits[:2]) for fact in _sending(told, one, _further(told, one))]
    sent = [one.sent_at for one in notes if one.sent_at is not None]
    if sent:
        return Step(
            "messages", "ok", told.say("told in the thread at {at}", at=min(sent)), tuple(facts), "Messages", told.brand
        )
    if notes:
        return Step("messages", "held", told.say("not told yet in the thread"), tuple(facts), "Messages", told.brand)
    summary = told.say("not quoted: of many posts at once the first few are, and the rest is counted on the card")
    return Step("messages", "info", summary, tuple(facts), "Messages", told.brand)


def _further(told: Told, one: Sending) -> Sentence:
    if one.kind == "note":
        return told.say("in the thread at {receiver}", receiver=one.receiver)
    return told.say("edit of the card at {receiver}", receiver=one.receiver)


# What happened later


def later_step(told: Told) -> Step | None:
    """Tell what happened to the alert afterwards: who did what, edits, reminders, escalations, deletions."""
    events = [one for one in told.history if one.kind not in ("opened", "joined")]
    others = [one for one in told.sendings if one.kind != "alert"]
    if not events and not others:
        return None
    facts = []
    for event in events:
        words = event_words(event, lambda at: alone(at, told.zone))
        text = told.say("{at}: {what}", at=event.at, what=words)
        if event.actor != "listener":
            text = told.say("{at}: {what}, {who}", at=event.at, what=words, who=event.actor)
        facts.append(Fact("", text, hostile=True, basis="recorded"))
    facts += _counted(told, [one for one in others if one.kind == "note"], sentence("in its thread"))
    facts += _counted(told, [one for one in others if one.kind == "update"], sentence("edit of the card"))
    summary = told.count("{count} event", "{count} events", len(events))
    messages = told.count("{count} further message", "{count} further messages", len(others))
    if not events:
        summary = messages
    elif others:
        summary = told.say("{events} and {messages}", events=summary, messages=messages)
    return Step("later", "info", summary, tuple(facts), "Afterwards", told.brand)


def _counted(told: Told, sendings: Sequence[Sending], kind: Sentence) -> Iterator[Fact]:
    """Tell of notes or edits: the ones that failed each, the others by their number."""
    if not sendings:
        return
    sent = sum(one.state == "sent" for one in sendings)
    text = told.say("{sent} of {count} sent", sent=sent, count=len(sendings))
    yield Fact(kind, text, basis="recorded")
    failed = [
        one for one in sendings if one.state in ("dead", "dropped", "moved") or (one.problem and one.state != "sent")
    ]
    for one in failed[:_MOST_NOTES]:
        yield from _sending(told, one, _further(told, one), depth=1)
