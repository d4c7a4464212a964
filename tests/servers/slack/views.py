"""Modals and Home tabs: each person's stack of views, the triggers that open them, and what they hold."""

import json
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.servers.slack.blocks import Node, initial_state, settle, view_problems
from tests.servers.slack.state import RefusedError, View

if TYPE_CHECKING:
    from tests.servers.slack.server import SlackServer

TRIGGER_S = 3.0
MAX_STACK = 3
MAX_VIEW_BYTES = 250_000


@dataclass(slots=True)
class Trigger:
    """The right to open one view for one person, for three seconds."""

    user: str
    made_at: float
    view: View | None
    """The modal in which the person acted."""
    is_used: bool = False


class Views:
    """`views["U1"]` is that person's stack of open modals, the one on top last; `home("U1")` their Home tab."""

    def __init__(self, server: "SlackServer") -> None:
        self._server = server
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}
        self._triggers: dict[str, Trigger] = {}
        self._made = 0

    def __getitem__(self, user: str) -> list[View]:
        return list(self._stacks.get(user, []))

    def __iter__(self) -> Any:
        return iter([view for stack in self._stacks.values() for view in stack])

    def __len__(self) -> int:
        return sum(map(len, self._stacks.values()))

    def top(self, user: str) -> View | None:
        """The modal in front of a person."""
        return self._stacks[user][-1] if self._stacks.get(user) else None

    def home(self, user: str) -> View | None:
        return self._homes.get(user)

    def trigger(self, user: str, view: View | None = None) -> str:
        """A new trigger id."""
        trigger_id = f"{len(self._triggers) + 1}.{int(self._server.now())}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(user, self._server.now(), view)
        return trigger_id

    def open(self, arguments: dict[str, Any]) -> Node:
        given = self.checked(arguments.get("view"), "modal")
        trigger = self._exchange(arguments)
        for view in self._stacks.get(trigger.user, []):
            view.is_open = False
        view = self._new(trigger.user, given)
        self._stacks[trigger.user] = [view]
        return {"view": view.public()}

    def push(self, arguments: dict[str, Any]) -> Node:
        given = self.checked(arguments.get("view"), "modal")
        trigger = self._exchange(arguments)
        if trigger.view is None or not trigger.view.is_open:
            raise RefusedError("not_found")
        return {"view": self.push_for(trigger.user, given).public()}

    def push_for(self, user: str, given: Node) -> View:
        """Put a modal on top of a person's stack."""
        stack = self._stacks[user]
        if len(stack) >= MAX_STACK:
            raise RefusedError("push_limit_reached")
        view = self._new(user, given)
        view.root_id, view.previous_id = stack[0].id, stack[-1].id
        stack.append(view)
        return view

    def update(self, arguments: dict[str, Any]) -> Node:
        view_id, external_id = arguments.get("view_id"), arguments.get("external_id")
        if bool(view_id) == bool(external_id):
            raise RefusedError("invalid_arguments", "exactly one of `view_id` and `external_id` is required")
        known = [*self, *self._homes.values()]
        view = next((v for v in known if (v.id == view_id if view_id else v.external_id == external_id)), None)
        if view is None:
            raise RefusedError("not_found")
        given = self.checked(arguments.get("view"), view.given["type"], instead_of=view)
        if arguments.get("hash") and arguments["hash"] != view.hash:
            raise RefusedError("hash_conflict")
        self.replace(view, given)
        return {"view": view.public()}

    def publish(self, arguments: dict[str, Any]) -> Node:
        user = str(arguments.get("user_id", ""))
        if user not in self._server.people:
            raise RefusedError("invalid_arguments", "invalid `user_id`")
        view = self._homes.get(user)
        given = self.checked(arguments.get("view"), "home", instead_of=view)
        if arguments.get("hash") and view and arguments["hash"] != view.hash:
            raise RefusedError("hash_conflict")
        if view:
            self.replace(view, given)
        else:
            view = self._homes[user] = self._new(user, given)
        return {"view": view.public()}

    def replace(self, view: View, given: Node) -> None:
        """Show other contents in an open view; what was filled in stays where block and action ids stay."""
        view.given, view.blocks = given, settle(given["blocks"])
        fresh = initial_state(view.blocks)
        view.state = {
            key: kept if (kept := view.state.get(key)) and kept["type"] == entry["type"] else entry
            for key, entry in fresh.items()
        }
        view.hash, view.errors = self._new_hash(), {}

    def close(self, view: View, *, is_all: bool = False) -> None:
        """Take a modal, or all of its person's, from the screen."""
        stack = self._stacks.get(view.user, [])
        gone = stack if is_all else stack[stack.index(view) :]
        for each in gone:
            each.is_open = False
        self._stacks[view.user] = [each for each in stack if each.is_open]

    def checked(self, given: Any, kind: str, *, instead_of: View | None = None) -> Node:
        """A view that keeps every rule.

        Raises:
            RefusedError: it does not.
        """
        problems = list(view_problems(given, has_image=self._server.has_image))
        if not problems and given["type"] != kind:
            problems = [("/view/type", f"must be {kind}")]
        if problems:
            messages = [f"{words} [json-pointer:{pointer}]" for pointer, words in problems]
            raise RefusedError("invalid_arguments", *messages)
        if len(json.dumps(given).encode()) > MAX_VIEW_BYTES:
            raise RefusedError("view_too_large")
        others = [view for view in [*self, *self._homes.values()] if view is not instead_of]
        if given.get("external_id") and any(view.external_id == given["external_id"] for view in others):
            raise RefusedError("duplicate_external_id")
        return dict(given)

    def _exchange(self, arguments: dict[str, Any]) -> Trigger:
        trigger_id = arguments.get("trigger_id")
        if not trigger_id:
            raise RefusedError("invalid_arguments", "missing required field: trigger_id")
        trigger = self._triggers.get(str(trigger_id))
        if trigger is None or not re.fullmatch(r"\d+\.\d+\.[0-9a-f]+", str(trigger_id)):
            raise RefusedError("invalid_trigger_id")
        if trigger.is_used:
            raise RefusedError("exchanged_trigger_id")
        if self._server.now() - trigger.made_at > TRIGGER_S:
            raise RefusedError("expired_trigger_id")
        trigger.is_used = True
        return trigger

    def _new(self, user: str, given: Node) -> View:
        self._made += 1
        view_id = f"V{self._made:04d}"
        blocks = settle(given["blocks"])
        return View(view_id, user, self._new_hash(), given, blocks, initial_state(blocks), root_id=view_id)

    def _new_hash(self) -> str:
        return f"{int(self._server.now())}.{secrets.token_hex(4)}"
