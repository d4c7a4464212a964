"""What each press, submission, command and event in Slack leads to."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from alerts.slack import modals
from alerts.slack.client import SlackDesk
from alerts.slack.ids import Action, ActionName, FieldName, SentAs, SnoozeFor, ViewName, parse_action
from listener.config import Config
from listener.desk import Actor, Answer, Desk, RepeatedError
from listener.errors import DeliveryError
from listener.slack.commands import Commands
from listener.slack.home import HomeDesk
from listener.slack.inbox import NOTHING, Job, Payload, Reaction
from listener.slack.presser import Presser, presser_of
from listener.slack.replying import ReplyDesk

_SNOOZES: Mapping[str, timedelta | None] = {
    SnoozeFor.QUARTER: timedelta(minutes=15),
    SnoozeFor.HOUR: timedelta(hours=1),
    SnoozeFor.OPENING: None,
}
_QUESTIONS: Mapping[ActionName, Callable[[int, str], dict[str, Any]]] = {
    ActionName.NOT_COMPLAINT: modals.not_complaint_view,
    ActionName.SNOOZE: modals.snooze_view,
    ActionName.RESOLVE: modals.resolve_view,
}
"""The windows of presses that leave something to be asked."""

Act = Callable[[Actor, str], Answer]
Submitted = Callable[[object, Presser], Reaction]

_Filled = TypeVar("_Filled")


class SlackHandlers:
    """Turns what Slack tells into actions of the desk. Reads the store only in the jobs that it returns."""

    def __init__(
        self, config: Config, slack: SlackDesk, desk: Desk, replies: ReplyDesk, home: HomeDesk, commands: Commands
    ) -> None:
        self._config = config
        self._slack = slack
        self._desk = desk
        self._replies = replies
        self._home = home
        self._commands = commands
        self._people = {
            person.slack: person.name for team in config.teams.values() for person in team.people if person.slack
        }

    def interactive(self, payload: Payload) -> Reaction:
        """React to a press, a submission or a closed window."""
        presser = presser_of(payload)
        if not presser.user_id:
            return NOTHING
        if payload.get("type") == "view_submission":
            return self._submitted(payload.get("view"), presser)
        if payload.get("type") != "block_actions":
            return NOTHING
        actions = payload.get("actions")
        first = actions[0] if isinstance(actions, list) and actions else None
        view = payload.get("view")
        if isinstance(view, Mapping) and view.get("callback_id") == ViewName.REPLY:
            return self._typed(view, first, presser)
        action = parse_action(first)
        return NOTHING if action is None or action.is_link else self._pressed(action, presser)

    def command(self, payload: Payload) -> Reaction:
        """React to a slash command."""
        return _silent_on_repeats(self._commands.react(payload, self.actor))

    def event(self, payload: Payload) -> Reaction:
        """React to an event: somebody opens the Home tab."""
        event = payload.get("event")
        if not isinstance(event, Mapping) or event.get("type") != "app_home_opened" or event.get("tab") != "home":
            return NOTHING
        user = event.get("user")
        return (
            Reaction(show=partial(self._home.publish, user))
            if isinstance(user, str) and user.isprintable()
            else NOTHING
        )

    def actor(self, user_id: str, user_name: str = "") -> Actor:
        """Return who acts, by the name in the configuration, else as Slack knows them."""
        name = self._people.get(user_id)
        if name is None:
            try:
                name = self._slack.display_name(user_id)
            except DeliveryError:
                name = user_name or user_id
        return Actor(name, f"slack:{user_id}", "slack")

    def _pressed(self, action: Action, presser: Presser) -> Reaction:
        if action.name is ActionName.REPLY:
            return self._reply(action.alert_id, presser)
        if action.name in _QUESTIONS and not action.choice:
            return self._ask(presser, _QUESTIONS[action.name](action.alert_id, f"A-{action.alert_id}"))
        act = self._act_of(action)
        return NOTHING if act is None else self._do(act, presser)

    def _act_of(self, action: Action) -> Act | None:
        desk, alert_id = self._desk, action.alert_id
        acts: Mapping[ActionName, Act] = {
            ActionName.CLAIM: lambda actor, key: desk.claim(alert_id, actor, key),
            ActionName.RELEASE: lambda actor, key: desk.release(alert_id, actor, key),
            ActionName.TAKE_OVER: lambda actor, key: desk.take_over(alert_id, actor, action.expected_owner, key),
            ActionName.ANSWERED: lambda actor, key: desk.replied(
                alert_id, actor, public=True, private=False, press=key
            ),
            ActionName.SNOOZE: lambda actor, key: desk.snooze(alert_id, actor, _SNOOZES[action.choice], key),
            ActionName.WAKE: lambda actor, key: desk.wake(alert_id, actor, key),
            ActionName.ESCALATE: lambda actor, key: desk.escalate(alert_id, actor, key),
            ActionName.RESOLVE: lambda actor, key: desk.resolve(alert_id, actor, action.choice, key),
            ActionName.REOPEN: lambda actor, key: desk.reopen(alert_id, actor, key),
            ActionName.SHOW_CARD: lambda actor, key: desk.show(alert_id, actor, key),
        }
        return acts.get(action.name)

    def _do(self, act: Act, presser: Presser) -> Reaction:
        def work() -> Job | None:
            answer = act(self.actor(presser.user_id, presser.user_name), presser.key)
            if answer.repeated or (answer.done and not presser.is_home):
                return None
            return partial(self._tell, presser, answer.text)

        return Reaction(work=work, excuse=partial(self._tell, presser))

    def _ask(self, presser: Presser, view: dict[str, Any]) -> Reaction:
        def front() -> None:
            self._slack.open_view(presser.trigger_id, view)

        return Reaction(front=front, excuse=partial(self._tell, presser))

    def _reply(self, alert_id: int, presser: Presser) -> Reaction:
        """Open the reply window at once, and fill it when the store has answered."""
        opened: list[str] = []

        def front() -> None:
            opened.append(self._slack.open_view(presser.trigger_id, modals.loading_view("Reply")))

        def show() -> None:
            self._slack.update_view(opened[0], self._reply_view(alert_id))

        def excuse(text: str) -> None:
            if opened:
                self._slack.update_view(opened[0], modals.error_view(text))
            else:
                self._tell(presser, text)

        return Reaction(front=front, show=show, excuse=excuse)

    def _reply_view(self, alert_id: int) -> dict[str, Any]:
        form = self._replies.opened(alert_id)
        if form is None:
            return modals.error_view("There is no post to answer here any more.")
        return modals.reply_view(form)

    def _typed(self, view: Mapping[str, Any], action: object, presser: Presser) -> Reaction:
        """Keep the open reply window true: its count, its warnings, its links, the draft that was picked."""
        state = modals.parse_reply_state(view)
        if state is None or not isinstance(action, Mapping):
            return NOTHING
        if action.get("action_id") == FieldName.PLAYBOOK:
            return self._playbook_chosen(state, view, presser)
        picked = state.chosen if action.get("action_id") == FieldName.VARIANT else None
        if picked is None and not str(action.get("action_id")).startswith(FieldName.TEXT):
            return NOTHING

        def show() -> None:
            form = self._replies.changed(state, picked=picked)
            if form is not None:
                self._slack.update_view(presser.view_id, modals.reply_view(form), hash_=str(view.get("hash") or ""))

        return Reaction(show=show)

    def _playbook_chosen(self, state: modals.ReplyState, view: Mapping[str, Any], presser: Presser) -> Reaction:
        """Take the case for another one, as a person knows it to be, and offer that one's replies."""

        def put(form: modals.ReplyForm | None) -> None:
            if form is not None:
                self._slack.update_view(presser.view_id, modals.reply_view(form), hash_=str(view.get("hash") or ""))

        def show() -> None:
            put(self._replies.changed(state, picked=""))

        def show_what_stands() -> None:
            put(self._replies.standing(state))

        def work() -> Job:
            actor = self.actor(presser.user_id, presser.user_name)
            answer = self._desk.choose_playbook(state.alert_id, actor, state.playbook, presser.key, seen=state.seen)
            if answer.done or answer.repeated:
                return show
            untold = [answer.text]

            def refuse() -> None:
                while untold:  # said once, though the window may have to be tried again
                    self._tell(presser, untold[0])
                    untold.pop()
                show_what_stands()

            return refuse

        return Reaction(work=work, excuse=partial(self._tell, presser))

    def _submitted(self, view: object, presser: Presser) -> Reaction:
        name = view.get("callback_id") if isinstance(view, Mapping) else None
        submissions: Mapping[str, Submitted] = {
            ViewName.REPLY: _checked(modals.parse_reply, self._reply_sent),
            ViewName.NOT_COMPLAINT: _checked(modals.parse_not_complaint, self._no_complaint),
            ViewName.RESOLVE: _checked(modals.parse_resolve, self._resolved),
            ViewName.SNOOZE: _checked(modals.parse_snooze, self._snoozed),
            ViewName.SILENCE: _checked(modals.parse_silence, self._silenced),
        }
        react = submissions.get(str(name))
        return NOTHING if react is None else react(view, presser)

    def _reply_sent(self, sent: modals.ReplySubmission, presser: Presser) -> Reaction:
        public, private = sent.sent in (SentAs.PUBLIC, SentAs.BOTH), sent.sent in (SentAs.PRIVATE, SentAs.BOTH)

        def act(actor: Actor, key: str) -> Answer:
            variant = self._replies.known(sent.alert_id, sent.chosen, sent.seen)
            return self._desk.replied(sent.alert_id, actor, public=public, private=private, variant=variant, press=key)

        return self._do(act, presser)

    def _no_complaint(self, said: modals.NotComplaint, presser: Presser) -> Reaction:
        topic = said.topic or None
        return self._do(
            lambda actor, key: self._desk.not_a_complaint(said.alert_id, actor, said.was, topic, key), presser
        )

    def _resolved(self, said: modals.Ending, presser: Presser) -> Reaction:
        return self._do(lambda actor, key: self._desk.resolve(said.alert_id, actor, said.resolution, key), presser)

    def _snoozed(self, said: modals.PutOff, presser: Presser) -> Reaction:
        return self._do(lambda actor, key: self._desk.snooze(said.alert_id, actor, _SNOOZES[said.length], key), presser)

    def _silenced(self, said: modals.SilenceRequest, presser: Presser) -> Reaction:
        def act(actor: Actor, key: str) -> Answer:
            return self._commands.silence(list(said.matchers), actor, said.lasting, said.reason, key)

        def work() -> Job:
            answer = act(self.actor(presser.user_id, presser.user_name), presser.key)
            return partial(self._slack.tell_person, presser.user_id, answer.text)

        return _silent_on_repeats(Reaction(work=work, excuse=partial(self._slack.tell_person, presser.user_id)))

    def _tell(self, presser: Presser, text: str) -> None:
        """Say something to whoever pressed: where they pressed, else in their Home tab, else in private."""
        if presser.channel:
            self._slack.whisper(presser.channel, presser.user_id, text, thread_ts=presser.thread_ts)
        elif presser.is_home:
            self._home.publish(presser.user_id, text)
        else:
            self._slack.tell_person(presser.user_id, text)


def _checked(
    parse: Callable[[object], _Filled | modals.FieldErrors | None], react: Callable[[_Filled, Presser], Reaction]
) -> Submitted:
    """Return what reacts to a window as it was filled in, if that is in order; else what is wrong is shown there."""

    def submitted(view: object, presser: Presser) -> Reaction:
        filled = parse(view)
        if filled is None:
            return NOTHING
        if isinstance(filled, modals.FieldErrors):
            return Reaction(at_once=filled.response())
        return react(filled, presser)

    return submitted


def _silent_on_repeats(reaction: Reaction) -> Reaction:
    """Say nothing of a press that came twice."""
    work = reaction.work
    if work is None:
        return reaction

    def work_once() -> Job | None:
        try:
            return work()
        except RepeatedError:
            return None

    return replace(reaction, work=work_once)
