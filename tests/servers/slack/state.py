"""What the workspace holds: channels, messages, files and views, as a person sees them."""

import copy
import re
from dataclasses import dataclass, field
from typing import Any

from tests.servers.slack.blocks import STATEFUL, Node, actions_of, nodes, texts, unescape

TOKEN = "xoxb-test-token"  # the server's own, opens nothing elsewhere
APP_TOKEN = "xapp-test-token"
SIGNING_SECRET = "test-signing-secret"
BOT, TEAM, APP = "U0BOT", "T1", "A1"
_CONTROL = re.compile(r"<([^<>]*)>")
_OWN_DATE = re.compile(r"!date\^\d+\^[^<>]*")


class RefusedError(Exception):
    """An `ok: false` answer."""

    def __init__(self, code: str, *messages: str, **more: Any) -> None:
        super().__init__(code)
        metadata = {"response_metadata": {"messages": [f"[ERROR] {words}" for words in messages]}} if messages else {}
        self.body: dict[str, Any] = {"ok": False, "error": code, **metadata, **more}


class _InBlocks:
    """What is shown as blocks."""

    __slots__ = ()
    blocks: list[Node]

    @property
    def buttons(self) -> dict[str, str]:
        """The link buttons: label to address."""
        return {
            node["text"]["text"]: node["url"]
            for node in nodes(self.blocks)
            if node.get("type") == "button" and "url" in node
        }

    @property
    def actions(self) -> dict[str, Node]:
        """Every element that a person can act on or fill in, selects and overflow menus too, by action id."""
        return {element["action_id"]: element for _, element in actions_of(self.blocks)}


@dataclass(slots=True)
class SlackMessage(_InBlocks):
    """One message as the workspace holds it; a thread's root holds its replies."""

    ts: str
    text: str
    blocks: list[Node]
    metadata: dict[str, Any] | None
    edits: int = 0
    arguments: dict[str, Any] = field(default_factory=dict)
    """What chat.postMessage was called with."""
    channel_id: str = ""
    user: str = BOT
    """Who wrote it, or whom alone an ephemeral message is shown to."""
    thread_ts: str | None = None
    replies: list["SlackMessage"] = field(default_factory=list)
    is_broadcast: bool = False
    is_ephemeral: bool = False
    is_deleted: bool = False
    files: list[str] = field(default_factory=list)
    """Ids of the files that were shared with it."""
    file_objects: list[Node] = field(default_factory=list)
    """What messages tell of these files: id, name, title."""

    @property
    def shown(self) -> str:
        """What a person reads, in reading order: the blocks, or the text where there are none, and files' titles."""
        text = "\n".join(texts(self.blocks)) if self.blocks else unescape(self.text)
        return "\n".join(
            [*([text] if text or not self.files else []), *(str(one["title"]) for one in self.file_objects)]
        )

    @property
    def labels(self) -> list[str]:
        """What the buttons say, in reading order."""
        return [node["text"]["text"] for node in nodes(self.blocks) if node.get("type") == "button"]

    @property
    def images(self) -> list[Node]:
        """Every image: its `alt_text`, and `image_url` or `slack_file`."""
        return [node for node in nodes(self.blocks) if node.get("type") == "image"]

    @property
    def live_markup(self) -> list[str]:
        """Every mention, link or special sequence that Slack would bring to life; its dates are harmless."""
        sources = [node["text"] for node in nodes(self.blocks) if node.get("type") == "mrkdwn"]
        found = [inner for source in [*sources, self.text] for inner in _CONTROL.findall(source)]
        return [inner for inner in found if not _OWN_DATE.fullmatch(inner)]

    @property
    def thread(self) -> list[str]:
        """What a person reads in its thread, oldest first."""
        return [reply.shown for reply in self.replies]

    def snapshot(self) -> "SlackMessage":
        """The message as it stands now, for someone whose screen is not yet up to date."""
        return copy.deepcopy(self)


@dataclass(slots=True)
class Channel:
    """One conversation: its messages outside threads, oldest first, and its state."""

    id: str
    messages: list[SlackMessage] = field(default_factory=list)
    is_archived: bool = False
    is_member: bool = True
    """Whether the app is in it."""
    allowance: float = 0.0
    allowance_at: float = 0.0
    name: str = ""
    is_private: bool = False
    user: str = ""
    """The person, where this is a direct conversation."""
    absent: set[str] = field(default_factory=set)
    """The people who are not in it."""

    @property
    def kind(self) -> str:
        """How scopes name this type of conversation."""
        return "im" if self.user else "groups" if self.is_private else "channels"

    @property
    def everything(self) -> list[SlackMessage]:
        """Roots and replies."""
        return [each for root in self.messages for each in (root, *root.replies)]

    @property
    def timeline(self) -> list[SlackMessage]:
        """What stands in the channel itself, oldest first: roots, and replies that were sent to the channel too."""
        broadcasts = [reply for root in self.messages for reply in root.replies if reply.is_broadcast]
        return sorted([*self.messages, *broadcasts], key=lambda m: float(m.ts)) if broadcasts else self.messages

    def find(self, ts: str) -> SlackMessage | None:
        """The message or reply with this ts; the latest are looked at first."""
        roots = reversed(self.messages)
        return next((each for root in roots for each in (root, *root.replies) if each.ts == ts), None)

    def root(self, ts: str) -> SlackMessage | None:
        return next((message for message in reversed(self.messages) if message.ts == ts), None)


@dataclass(slots=True)
class SlackFile:
    """One uploaded file."""

    id: str
    filename: str
    length: int
    alt_text: str = ""
    title: str = ""
    content: bytes | None = None
    is_complete: bool = False
    completed_at: float = 0.0
    shared_in: list[str] = field(default_factory=list)

    @property
    def is_image(self) -> bool:
        kinds = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
        return self.content is not None and self.content.startswith(kinds)


@dataclass(slots=True)
class View(_InBlocks):
    """One modal or Home tab as its person sees it."""

    id: str
    user: str
    hash: str
    given: Node
    """The view as the app sent it last."""
    blocks: list[Node]
    state: dict[tuple[str, str], Node]
    """What the person filled in, by block and action id."""
    root_id: str
    previous_id: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    """What the app said is wrong, by block id."""
    is_open: bool = True

    @property
    def title(self) -> str:
        return str((self.given.get("title") or {}).get("text", ""))

    @property
    def private_metadata(self) -> str:
        return str(self.given.get("private_metadata", ""))

    @property
    def callback_id(self) -> str:
        return str(self.given.get("callback_id", ""))

    @property
    def external_id(self) -> str:
        return str(self.given.get("external_id", ""))

    @property
    def shown(self) -> str:
        """What the person reads, title and buttons included, with what now stands in the fields."""
        lines = [self.title] if self.title else []
        for block in self.blocks:
            lines += _without_initial(block)
            lines += [text for (block_id, _), entry in self.state.items() if block_id == block["block_id"]
                      for text in [_typed(entry)] if text]  # fmt: skip
            lines += [self.errors[block["block_id"]]] if block["block_id"] in self.errors else []
        return "\n".join([*lines, *(self.given[name]["text"] for name in ("submit", "close") if self.given.get(name))])

    @property
    def inputs(self) -> dict[str, Node]:
        """The input blocks by block id."""
        return {block["block_id"]: block for block in self.blocks if block["type"] == "input"}

    @property
    def values(self) -> dict[str, Any]:
        """What now stands in each stateful element, by block id: text, option value or values, date, time, user."""
        return {block_id: _plain(entry) for (block_id, _), entry in self.state.items()}

    def public(self) -> Node:
        """The view object of answers and payloads."""
        values: dict[str, Node] = {}
        for (block_id, action_id), entry in self.state.items():
            values.setdefault(block_id, {})[action_id] = entry
        defaults = {"private_metadata": "", "callback_id": "", "external_id": "", "title": None, "close": None,
                    "submit": None, "clear_on_close": False, "notify_on_close": False}  # fmt: skip
        ids = {"id": self.id, "team_id": TEAM, "app_id": APP, "app_installed_team_id": TEAM, "bot_id": "B1"}
        stack = {"root_view_id": self.root_id, "previous_view_id": self.previous_id}
        view = {**defaults, **self.given, **ids, **stack, "blocks": self.blocks, "hash": self.hash}
        return copy.deepcopy({**view, "state": {"values": values}})


def _without_initial(block: Node) -> list[str]:
    bare = {**block, "element": {**block["element"], "initial_value": ""}} if "element" in block else block
    return list(texts(bare))


def _typed(entry: Node) -> str:
    return str(entry["value"] or "") if entry["type"] == "plain_text_input" else ""


def _plain(entry: Node) -> Any:
    chosen = entry[STATEFUL[entry["type"]]]
    if isinstance(chosen, list):
        return [option["value"] for option in chosen]
    return chosen["value"] if isinstance(chosen, dict) else chosen
