"""People who use the workspace: they press, choose, fill in and command, and see what comes of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.servers.slack.blocks import MAX_TYPED, STATEFUL, Node, actions_of, initial_state, options_of, state_of
from tests.servers.slack.delivery import Delivery
from tests.servers.slack.state import APP, TEAM, Channel, RefusedError, SlackMessage, View
from tests.servers.slack.web_api import add, public, remove

if TYPE_CHECKING:
    from tests.servers.slack.server import SlackServer

_CHOSEN_BY_VALUE = ("static_select", "multi_static_select", "radio_buttons", "checkboxes", "overflow")


class NotOnScreenError(AssertionError):
    """What a person was to act on is not there for them."""


class NotSubmittedError(AssertionError):
    """Slack's own form check keeps the modal from being sent; `problems` says why, by block id."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(str(problems))
        self.problems = problems


class BadAnswerError(AssertionError):
    """The app answered something that Slack does not take."""


@dataclass(frozen=True)
class Submission:
    """What came of sending a modal."""

    delivery: Delivery
    response_action: str | None
    """`errors`, `update`, `push`, `clear`, or None: the modal was closed, or nothing was acknowledged."""
    errors: dict[str, str]
    view: View | None
    """The modal that is in front of the person now."""

    @property
    def is_acked(self) -> bool:
        return self.delivery.is_acked


class Person:
    """One member of the workspace. Everything they do is delivered to the app and waits for its acknowledgement."""

    def __init__(self, server: "SlackServer", user_id: str, name: str, timezone: str) -> None:
        self._server = server
        self.id, self.name, self.timezone = user_id, name, timezone
        self.is_deleted = False

    @property
    def dm(self) -> Channel:
        """Their direct conversation with the app."""
        return self._server.dm(self.id)

    @property
    def view(self) -> View | None:
        """The modal in front of them."""
        return self._server.views.top(self.id)

    @property
    def home(self) -> View | None:
        """Their Home tab."""
        return self._server.views.home(self.id)

    @property
    def ephemerals(self) -> list[SlackMessage]:
        """What was shown to them alone, oldest first."""
        return self._server.ephemerals[self.id]

    def press(
        self, message: SlackMessage, action_id: str, *, block_id: str | None = None, confirm: bool = True
    ) -> Delivery:
        """Press a button on a message; not `confirm` says no to its confirmation, and nothing is delivered.

        Raises:
            NotOnScreenError: the message or the button is not there.
        """
        with self._server.lock:
            block, element = self._element(message, action_id, block_id, ("button",))
            payload = self._message_payload(message, block, element, None)
        return self._deliver(payload, declined=not confirm and "confirm" in element)

    def choose(
        self, message: SlackMessage, action_id: str, value: Any, *, block_id: str | None = None, confirm: bool = True
    ) -> Delivery:
        """Choose in a select, an overflow menu, radio buttons or another field of a message, by the option's value."""
        with self._server.lock:
            block, element = self._element(message, action_id, block_id, (*STATEFUL, "overflow"))
            payload = self._message_payload(message, block, element, _choice(element, value))
        return self._deliver(payload, declined=not confirm and "confirm" in element)

    def press_in_view(
        self, view: View, action_id: str, *, block_id: str | None = None, confirm: bool = True
    ) -> Delivery:
        """Press a button in an open modal or on the Home tab."""
        with self._server.lock:
            block, element = self._element(view, action_id, block_id, ("button",))
            payload = self._view_payload(view, block, element, None)
        return self._deliver(payload, declined=not confirm and "confirm" in element)

    def choose_in_view(self, view: View, action_id: str, value: Any, *, block_id: str | None = None) -> Delivery | None:
        """Choose in a field of an open modal or of the Home tab; None where that tells the app nothing yet."""
        with self._server.lock:
            block, element = self._element(view, action_id, block_id, (*STATEFUL, "overflow"))
            return self._set(view, block, element, value)

    def type(self, view: View, block_id: str, text: str) -> Delivery | None:
        """Type into a field; the app hears of it where the block asks for that on each character."""
        return self.fill(view, {block_id: text})[0]

    def press_enter(self, view: View, block_id: str) -> Delivery | None:
        """Press Enter in a field; the app hears of it where the block asks for that."""
        with self._server.lock:
            block, element = self._field(view, block_id)
            moments = _moments(view.inputs.get(block, {}), element)
            if "on_enter_pressed" not in moments:
                return None
            payload = self._view_payload(view, block, element, view.state[block, element["action_id"]])
        return self._deliver(payload)

    def fill(self, view: View, values: dict[str, Any]) -> list[Delivery | None]:
        """Fill in fields by block id: text, an option's value, a list of them, a date, a user; nothing is submitted."""
        deliveries = []
        for block_id, value in values.items():
            with self._server.lock:
                block, element = self._field(view, block_id)
            deliveries.append(self._set(view, block, element, value))
        return deliveries

    def submit(self, view: View) -> Submission:
        """Send a modal as it is filled in.

        Raises:
            NotSubmittedError: a required field is empty or a text is too short or too long.
            BadAnswerError: the app answered with what Slack does not take.
        """
        with self._server.lock:
            self._check_open(view)
            if not view.given.get("submit"):
                raise NotOnScreenError("this modal has no submit button")
            problems = dict(_form_problems(view))
            if problems:
                raise NotSubmittedError(problems)
            trigger_id = self._server.views.trigger(self.id, view)
            payload = {**self._base("view_submission"), "trigger_id": trigger_id, "view": view.public()}
        delivery = self._deliver({**payload, "response_urls": []})
        return self._apply(view, delivery)

    def fill_and_submit(self, view: View, values: dict[str, Any]) -> Submission:
        """Fill in fields and send the modal."""
        self.fill(view, values)
        return self.submit(view)

    def close(self, view: View) -> Delivery | None:
        """Close a modal; None where the app does not want to hear of it."""
        with self._server.lock:
            self._check_open(view)
            is_all = bool(view.given.get("clear_on_close"))
            payload = {**self._base("view_closed"), "view": view.public(), "is_cleared": is_all}
            self._server.views.close(view, is_all=is_all)
        return self._deliver(payload) if view.given.get("notify_on_close") else None

    def command(self, command: str, text: str, channel: str | Channel) -> Delivery:
        """Type a slash command in a channel; what the app answers with is shown."""
        if command not in self._server.commands or "commands" not in self._server.scopes:
            raise NotOnScreenError(f"the workspace knows no command {command}")
        with self._server.lock:
            where = channel if isinstance(channel, Channel) else self._server.channel(channel)
            payload = {
                "token": "legacy", "team_id": TEAM, "team_domain": "acme", "channel_id": where.id,
                "channel_name": self._server.name_of(where), "user_id": self.id, "user_name": self.name,
                "command": command, "text": text, "api_app_id": APP, "is_enterprise_install": "false",
                "response_url": self._server.response_url(self.id, where, None),
                "trigger_id": self._server.views.trigger(self.id),
            }  # fmt: skip
        delivery = self._server.deliver("slash_commands", payload)
        if isinstance(delivery.answer, dict) and delivery.answer:
            self._server.show_answer(self.id, where, delivery.answer)
        return delivery

    def opens_home(self) -> Delivery:
        """Open the app's Home tab."""
        with self._server.lock:
            home = self.home
            event: Node = {"type": "app_home_opened", "user": self.id, "channel": self.dm.id, "tab": "home"}
            event["event_ts"] = self._server.next_ts()
            if home:
                event["view"] = home.public()
        return self._server.send_event(event)

    def says(self, channel: str | Channel, text: str, *, root: SlackMessage | None = None) -> SlackMessage:
        """Write a message in a channel or a thread; the app is not told."""
        with self._server.lock:
            where = channel if isinstance(channel, Channel) else self._server.channel(channel)
            message = SlackMessage(self._server.next_ts(), text, [], None, user=self.id)
            add(where, message, root)
        return message

    def deletes(self, message: SlackMessage) -> None:
        """Delete a message, as an administrator may."""
        with self._server.lock:
            remove(self._server.channel(message.channel_id), message)

    def public(self, with_locale: bool = False) -> Node:
        """The user object of users.info."""
        moment = datetime.fromtimestamp(self._server.now(), UTC).astimezone(ZoneInfo(self.timezone))
        offset = moment.utcoffset()
        profile = {"real_name": self.name.title(), "display_name": self.name}
        return {
            "id": self.id, "team_id": TEAM, "name": self.name, "real_name": self.name.title(), "profile": profile,
            "deleted": self.is_deleted, "is_bot": False, "tz": self.timezone,
            "tz_offset": int(offset.total_seconds()) if offset else 0, **({"locale": "en-US"} if with_locale else {}),
        }  # fmt: skip

    def _deliver(self, payload: Node, *, declined: bool = False) -> Delivery:
        if declined:
            return Delivery("interactive", payload, error="declined")
        return self._server.deliver("interactive", payload)

    def _base(self, kind: str) -> Node:
        user = {"id": self.id, "username": self.name, "name": self.name, "team_id": TEAM}
        team = {"id": TEAM, "domain": "acme"}
        more = {"api_app_id": APP, "token": "legacy", "enterprise": None, "is_enterprise_install": False}
        return {"type": kind, "user": user, "team": team, **more}

    def _element(
        self, place: SlackMessage | View, action_id: str, block_id: str | None, kinds: tuple[str, ...]
    ) -> tuple[str, Node]:
        self._check_open(place) if isinstance(place, View) else self._check_seen(place)
        found = [
            (block, element)
            for block, element in actions_of(place.blocks)
            if element["action_id"] == action_id and block_id in (None, block) and element["type"] in kinds
        ]
        if len(found) != 1:
            there = sorted({element["action_id"] for _, element in actions_of(place.blocks)})
            raise NotOnScreenError(f"{len(found)} elements {action_id!r} to act on; there are {there}")
        return found[0]

    def _check_seen(self, message: SlackMessage) -> None:
        where = self._server.channel(message.channel_id)
        is_there = message in self.ephemerals if message.is_ephemeral else where.find(message.ts) is not None
        if not is_there or message.is_deleted or self.id in where.absent or where.user not in ("", self.id):
            raise NotOnScreenError(f"{self.name} does not see this message")

    def _check_open(self, view: View) -> None:
        if view.user != self.id or not view.is_open or (view.given["type"] == "modal" and view is not self.view):
            raise NotOnScreenError(f"{self.name} does not have this view in front")

    def _field(self, view: View, block_id: str) -> tuple[str, Node]:
        self._check_open(view)
        found = [(block, e) for block, e in actions_of(view.blocks) if block == block_id and e["type"] in STATEFUL]
        if len(found) != 1:
            raise NotOnScreenError(f"no single field in block {block_id!r}; there are {sorted(view.inputs)}")
        return found[0]

    def _set(self, view: View, block_id: str, element: Node, value: Any) -> Delivery | None:
        with self._server.lock:
            entry = _choice(element, value)
            if element["type"] in STATEFUL:
                view.state[block_id, element["action_id"]] = entry
            block = view.inputs.get(block_id)
            if block is not None and "on_character_entered" not in _moments(block, element):
                return None
            payload = self._view_payload(view, block_id, element, entry)
        return self._deliver(payload)

    def _message_payload(self, message: SlackMessage, block_id: str, element: Node, chosen: Node | None) -> Node:
        channel = self._server.channel(message.channel_id)
        thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
        container = {"type": "message", "message_ts": message.ts, "channel_id": channel.id,
                     "is_ephemeral": message.is_ephemeral, **thread}  # fmt: skip
        state = initial_state(message.blocks)
        if chosen is not None and element["type"] in STATEFUL:
            state[block_id, element["action_id"]] = chosen
        values: dict[str, Node] = {}
        for (block, action_id), entry in state.items():
            values.setdefault(block, {})[action_id] = entry
        body = {} if message.is_ephemeral else {"message": public(message)}
        return {
            **self._base("block_actions"), "container": container, **body, "state": {"values": values},
            "channel": {"id": channel.id, "name": self._server.name_of(channel)},
            "trigger_id": self._server.views.trigger(self.id),
            "response_url": self._server.response_url(self.id, channel, message),
            "actions": [self._action(block_id, element, chosen)],
        }  # fmt: skip

    def _view_payload(self, view: View, block_id: str, element: Node, chosen: Node | None) -> Node:
        top = view if view.given["type"] == "modal" else None
        public_view = view.public()
        return {
            **self._base("block_actions"), "container": {"type": "view", "view_id": view.id}, "view": public_view,
            "trigger_id": self._server.views.trigger(self.id, top), "state": public_view["state"],
            "actions": [self._action(block_id, element, chosen)],
        }  # fmt: skip

    def _action(self, block_id: str, element: Node, chosen: Node | None) -> Node:
        kept = ("type", "action_id", "text", "value", "style", "placeholder")
        action = {name: element[name] for name in kept if name in element}
        return {**action, "block_id": block_id, **(chosen or {}), "action_ts": self._server.next_ts()}

    def _apply(self, view: View, delivery: Delivery) -> Submission:
        answer = delivery.answer if isinstance(delivery.answer, dict) else {}
        action = answer.get("response_action") if delivery.is_acked else None
        errors = answer.get("errors", {}) if action == "errors" else {}
        with self._server.lock:
            if delivery.is_acked and view.is_open:
                try:
                    self._follow(view, action, answer)
                except RefusedError as error:
                    raise BadAnswerError(f"{action}: {error.body}") from error
            return Submission(delivery, action, errors, self.view)

    def _follow(self, view: View, action: str | None, answer: Node) -> None:
        views = self._server.views
        if action is None:
            views.close(view)
        elif action == "clear":
            views.close(view, is_all=True)
        elif action == "errors":
            errors = answer.get("errors")
            if not isinstance(errors, dict) or not errors or not errors.keys() <= view.inputs.keys():
                raise BadAnswerError(f"errors must name input blocks of {sorted(view.inputs)}, not {errors}")
            view.errors = errors
        elif action == "update":
            views.replace(view, views.checked(answer.get("view"), "modal", instead_of=view))
        elif action == "push":
            views.push_for(self.id, views.checked(answer.get("view"), "modal"))
        else:
            raise BadAnswerError(f"unknown response_action {action!r}")


def _choice(element: Node, value: Any) -> Node:
    kind = element["type"]
    if kind not in _CHOSEN_BY_VALUE:
        return state_of(element, value)
    wanted = value if isinstance(value, list) else [] if value is None else [value]
    chosen = [option for option in options_of(element) if option["value"] in wanted]
    if len(chosen) != len(wanted):
        there = [option["value"] for option in options_of(element)]
        raise NotOnScreenError(f"{element['action_id']} offers {there}, not {wanted}")
    if kind == "overflow":
        return {"type": kind, "selected_option": chosen[0]}
    is_many = STATEFUL[kind] == "selected_options"
    return state_of(element, chosen if is_many else chosen[0] if chosen else None)


def _moments(block: Node, element: Node) -> list[str]:
    if not block.get("dispatch_action"):
        return []
    if element["type"] != "plain_text_input":
        return ["on_character_entered"]
    config = element.get("dispatch_action_config", {"trigger_actions_on": ["on_enter_pressed"]})
    return list(config["trigger_actions_on"])


def _form_problems(view: View) -> Any:
    for block_id, block in view.inputs.items():
        element = block["element"]
        entry = view.state[block_id, element["action_id"]]
        value = entry[STATEFUL[element["type"]]]
        if not value:
            if not block.get("optional"):
                yield block_id, "required"
        elif element["type"] == "plain_text_input":
            least, most = element.get("min_length", 0), element.get("max_length", MAX_TYPED)
            if not least <= len(value) <= most:
                yield block_id, f"{len(value)} characters, {least} to {most} allowed"
