"""What a visitor does with an alert: from a form to the desk, and the desk's answer in the visitor's language."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from listener.console import names
from listener.console.words import Words
from listener.desk import Actor, Answer, Desk, DeskError
from listener.model import TOPICS
from listener.pipeline.cards import reference
from listener.store import AlertRow
from listener.words import marked

Form = Mapping[str, str]
_Act = Callable[[Desk, int, Actor, Form, str], Answer]
_SNOOZES: Mapping[str, timedelta | None] = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "opening": None,
}


def act(desk: Desk, name: str, alert: AlertRow, actor: Actor, form: Form, press: str) -> Answer:
    """Carry out what a form asks for.

    Raises:
        DeskError: it asks for something that cannot be; the message says what can.
        KeyError: there is no such act.
    """
    return ACTS[name](desk, alert.id, actor, form, press)


def answered(words: Words, name: str, answer: Answer, before: AlertRow, after: AlertRow | None, actor: Actor) -> str:
    """Return what to say of what the desk answered, by how the alert stands then.

    What the console has no words of its own for is said as the desk does.
    """
    if answer.repeated:
        return words.say("That was done with your first press.")
    if after is None:
        return words.say("There is no such alert any more.")
    told = _done(words, name, after) if answer.done else _refused(words, name, before, after, actor)
    return told or words.said(answer.text)


def is_owner(alert: AlertRow, actor: Actor) -> bool:
    """Tell whether an alert is this person's, as the desk sees it."""
    if alert.owner is None:
        return False
    return alert.owner_address == actor.address if actor.address else alert.owner == actor.name


def _done(words: Words, name: str, alert: AlertRow) -> str:
    called = reference(alert)
    if name == "snooze" and alert.snoozed_until is not None:
        return words.say("{alert} is snoozed until {moment}.", alert=called, moment=words.moment(alert.snoozed_until))
    if name == "resolve":
        how = words.say(names.RESOLUTIONS.get(alert.resolution or "", "resolved"))
        return words.say("{alert} is resolved: {how}.", alert=called, how=how)
    if name == "escalate" and alert.escalated_to:
        return words.say("{alert} is escalated to {name}.", alert=called, name=alert.escalated_to)
    return words.say(_DONE[name], alert=called) if name in _DONE else ""


def _refused(words: Words, name: str, before: AlertRow, after: AlertRow, actor: Actor) -> str:
    called = reference(after)
    if not after.is_live and name != "reopen":
        who, how = (
            after.closed_by or words.say("the daemon"),
            names.RESOLUTIONS.get(after.resolution or "", after.state),
        )
        return words.say("{name} closed {alert}: {how}.", name=who, alert=called, how=words.say(how))
    if name in ("claim", "take-over") and is_owner(after, actor):
        return words.say("You have {alert} already.", alert=called)
    if name in ("claim", "take-over", "release", "snooze") and after.owner is not None and not is_owner(after, actor):
        if name == "claim" or after.owner != before.owner:
            return _first(words, after)
        return words.say("{name} has {alert}; take it over first.", name=after.owner, alert=called)
    if name == "release" and after.owner is None:
        return words.say("Nobody has {alert}.", alert=called)
    if name == "reopen" and after.is_live:
        return words.say("{alert} is open already.", alert=called)
    if name == "wake":
        return words.say("{alert} is not snoozed.", alert=called)
    if name == "replied":
        return words.say("That was noted for {alert} before.", alert=called)
    return ""


def _first(words: Words, alert: AlertRow) -> str:
    owner, called = alert.owner or "", reference(alert)
    if alert.claimed_at is None:
        return words.say("Somebody else was first: {name} has {alert}.", name=owner, alert=called)
    at = words.moment(alert.claimed_at)
    return words.say("Somebody else was first: {name} has {alert} since {moment}.", name=owner, alert=called, moment=at)


def _snooze(desk: Desk, alert_id: int, actor: Actor, form: Form, press: str) -> Answer:
    chosen = form.get("lasting", "")
    if chosen not in _SNOOZES:
        raise DeskError("say for how long")
    return desk.snooze(alert_id, actor, _SNOOZES[chosen], press)


def _replied(desk: Desk, alert_id: int, actor: Actor, form: Form, press: str) -> Answer:
    where = form.get("where", "")
    public, private = where in ("public", "both"), where in ("private", "both")
    return desk.replied(alert_id, actor, public=public, private=private, variant=form.get("variant", ""), press=press)


def _not_a_complaint(desk: Desk, alert_id: int, actor: Actor, form: Form, press: str) -> Answer:
    topic = form.get("topic", "")
    return desk.not_a_complaint(alert_id, actor, form.get("was", ""), topic if topic in TOPICS else None, press)


ACTS: Mapping[str, _Act] = {
    "claim": lambda desk, alert_id, actor, form, press: desk.claim(alert_id, actor, press),
    "take-over": lambda desk, alert_id, actor, form, press: desk.take_over(
        alert_id, actor, form.get("owner", ""), press
    ),
    "release": lambda desk, alert_id, actor, form, press: desk.release(alert_id, actor, press),
    "snooze": _snooze,
    "wake": lambda desk, alert_id, actor, form, press: desk.wake(alert_id, actor, press),
    "escalate": lambda desk, alert_id, actor, form, press: desk.escalate(alert_id, actor, press),
    "replied": _replied,
    "resolve": lambda desk, alert_id, actor, form, press: desk.resolve(alert_id, actor, form.get("how", ""), press),
    "not-a-complaint": _not_a_complaint,
    "reopen": lambda desk, alert_id, actor, form, press: desk.reopen(alert_id, actor, press),
    "playbook": lambda desk, alert_id, actor, form, press: desk.choose_playbook(
        alert_id, actor, form.get("playbook", ""), press, seen=form.get("seen", "")
    ),
    "show": lambda desk, alert_id, actor, form, press: desk.show(alert_id, actor, press),
}
"""What can be done with an alert, by the last part of the address that the form is sent to."""
_DONE: Mapping[str, str] = {
    "claim": marked("{alert} is yours."),
    "take-over": marked("{alert} is yours now."),
    "release": marked("{alert} is given back to the team."),
    "wake": marked("{alert} is awake again."),
    "replied": marked("It is noted that {alert} was answered."),
    "not-a-complaint": marked("{alert} is closed as no complaint; the classifier learns from it."),
    "reopen": marked("{alert} is open again."),
    "playbook": marked("{alert} counts as another case now; steps and replies below are of that one."),
    "show": marked("The card of {alert} is on its way."),
}
