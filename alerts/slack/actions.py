"""The buttons with which people act on an alert, by its state, and how its state reads."""

from collections.abc import Iterator

from slack_sdk.models.blocks import ActionsBlock, Block, ConfirmObject, InteractiveElement

from alerts import wording
from alerts.card import Card, IncidentCard, Progress
from alerts.slack.elements import Fact, button, date, mention, option, plain, select
from alerts.slack.ids import RESOLUTION_WORDS, SNOOZE_WORDS, ActionName, owner_seen, value
from listener.model import AlertState

SETTLED_PLAYBOOK = "solved-public"
Actionable = Card | IncidentCard


def action_blocks(card: Actionable) -> Iterator[Block]:
    """Yield the buttons that the alert's state allows: what is done most stands first."""
    if wording.is_closed(card):
        yield ActionsBlock(elements=[*_telling(card), button("Reopen", ActionName.REOPEN, value(card.alert_id))])
        return
    yield ActionsBlock(elements=[*_owning(card), *_replying(card)])
    yield ActionsBlock(elements=[*_putting_off(card), *_ending(card)])


def _telling(card: Actionable) -> Iterator[InteractiveElement]:
    """What was settled in private is told in the public thread, where nothing shows it yet."""
    if label := opens_replies(card):
        yield button(label, ActionName.REPLY, value(card.alert_id))


def opens_replies(card: Actionable) -> str:
    """Return what the button says that opens the reply window; empty where there is none."""
    if not isinstance(card, Card):
        return ""
    if not wording.is_closed(card):
        return "Reply…"
    return "Tell the thread…" if card.guidance and card.guidance.playbook == SETTLED_PLAYBOOK else ""


def _owning(card: Actionable) -> Iterator[InteractiveElement]:
    about = value(card.alert_id)
    if card.state is AlertState.SNOOZED:
        yield button("Wake up now", ActionName.WAKE, about)
    if card.state is AlertState.CLAIMED:
        yield button("Release", ActionName.RELEASE, about)
    if card.state is AlertState.CLAIMED or (card.state is AlertState.SNOOZED and card.progress.owner):
        yield _take_over(card)
    else:
        yield button("Claim", ActionName.CLAIM, about, style="primary")


def _take_over(card: Actionable) -> InteractiveElement:
    owner = wording.name(card.progress.owner, 60) or "Somebody"
    confirm = ConfirmObject(
        title=plain("Take it over?", 100),
        text=plain(f"{owner} looks after {wording.name(card.reference, 30)} now and will be told.", 300),
        confirm=plain("Take over", 30),
        deny=plain("Leave it", 30),
    )
    seen = value(card.alert_id, owner_seen(card.progress))
    return button("Take over…", ActionName.TAKE_OVER, seen, confirm=confirm)


def _replying(card: Actionable) -> Iterator[InteractiveElement]:
    if isinstance(card, Card):
        style = "primary" if card.state is AlertState.CLAIMED else None
        yield button(opens_replies(card), ActionName.REPLY, value(card.alert_id), style=style)
    elif card.progress.replied_at is None:
        yield button("Statement is out", ActionName.ANSWERED, value(card.alert_id))


def _putting_off(card: Actionable) -> Iterator[InteractiveElement]:
    if card.state is not AlertState.SNOOZED:
        lengths = [option(words, value(card.alert_id, how)) for how, words in SNOOZE_WORDS.items()]
        yield select(ActionName.SNOOZE, "Snooze…", lengths)
    yield button("Escalate", ActionName.ESCALATE, value(card.alert_id))


def _ending(card: Actionable) -> Iterator[InteractiveElement]:
    ways = [option(words, value(card.alert_id, how)) for how, words in RESOLUTION_WORDS.items()]
    yield select(ActionName.RESOLVE, "Resolve…", ways)
    if isinstance(card, Card):
        yield button("Not a complaint…", ActionName.NOT_COMPLAINT, value(card.alert_id))


def progress_facts(card: Actionable) -> list[Fact]:
    """Return at a glance who owns the alert, since when, what is due, and how it ended."""
    done = card.progress
    parts = [_ended(card), *([] if wording.is_closed(card) else [_owner(card), *_due(card)]), *_so_far(done, card)]
    return [fact for fact in parts if fact]


def _owner(card: Actionable) -> Fact | None:
    done = card.progress
    who = wording.name(done.owner)
    since = f" since {date(done.since, card.timezone)}" if done.since and who else ""
    if not who and (known := mention(done.owner_address)):
        return f"*Owner* {known}", wording.name(card.reference, 30)
    return f"*Owner*{since}", who or wording.NO_OWNER


def _due(card: Actionable) -> Iterator[Fact]:
    if until := card.progress.snoozed_until:
        yield f"*Snoozed* until {date(until, card.timezone)}", "then it comes back"
    for due in card.progress.due[:4]:
        label = "\N{WARNING SIGN}\ufe0f *Missed*" if due.missed else "*Due*"
        yield f"{label} {date(due.at, card.timezone)}", wording.name(due.what)


def _so_far(done: Progress, card: Actionable) -> Iterator[Fact]:
    if to := wording.name(done.escalated_to, 200):
        yield "*Escalated* to", to
    if done.replied_at:
        yield f"*Answered* {date(done.replied_at, card.timezone)}", "in public"
    if done.private_at:
        yield f"*Moved* {date(done.private_at, card.timezone)}", "to a private channel"
    if isinstance(card, Card) and (incident := wording.name(card.incident, 30)):
        yield "*Part of* the incident", incident


def _ended(card: Actionable) -> Fact | None:
    done = card.progress
    if not wording.is_closed(card):
        return None
    label = "*Dismissed*" if card.state is AlertState.DISMISSED else "*Resolved*"
    return f"{label} {date(done.closed_at, card.timezone) if done.closed_at else ''}".strip(), wording.ending(done)
