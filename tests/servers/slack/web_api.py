"""The Web API of the workspace: one method of `WebApi` for each method of Slack."""

import json
import math
from collections import defaultdict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.servers.base import Request
from tests.servers.slack.blocks import MAX_TOTAL, Node, block_problems, settle, total_length
from tests.servers.slack.methods import METHODS, TIERS, Method, header, is_true, number, position, read_arguments
from tests.servers.slack.state import APP, BOT, TEAM, Channel, RefusedError, SlackFile, SlackMessage

if TYPE_CHECKING:
    from tests.servers.slack.server import SlackServer

Arguments = dict[str, Any]
MAX_METADATA, MAX_TEXT, MAX_UPDATE_TEXT = 8_000, 40_000, 4_000


class WebApi:
    """Answers calls against the state of `server`, under its lock."""

    def __init__(self, server: "SlackServer") -> None:
        self._server = server
        self._recent: dict[str, deque[float]] = defaultdict(deque)
        self._handlers: dict[str, Callable[[Arguments], Node]] = {
            "apps.connections.open": lambda _: {"url": server.open_socket_mode()},
            "auth.test": self._auth_test,
            "chat.delete": self._delete,
            "chat.getPermalink": self._permalink,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.open": self._open_conversation,
            "conversations.replies": self._replies,
            "files.completeUploadExternal": self._complete_upload,
            "files.getUploadURLExternal": self._upload_url,
            "usergroups.users.list": self._group_members,
            "users.info": self._user_info,
            "views.open": server.views.open,
            "views.publish": server.views.publish,
            "views.push": server.views.push,
            "views.update": server.views.update,
        }

    def answer(self, request: Request) -> Node:
        """The answer's body without `ok`.

        Raises:
            RefusedError: Slack would answer `ok: false`.
        """
        name = request.path.removeprefix("/api/")
        method = METHODS.get(name)
        if method is None or request.method not in (("GET", "POST") if method.reads else ("POST",)):
            raise RefusedError("unknown_method", req_method=name)
        arguments = read_arguments(request)
        self._check_token(header(request, "authorization"), str(arguments.pop("token", "")), name)
        unknown = sorted(arguments.keys() - method.arguments)
        if unknown:
            raise RefusedError("invalid_arguments", f"unknown {unknown}")
        self._check_scope(name, method, arguments)
        self._check_tier(name, method)
        return self._handlers[name](arguments)

    def _check_token(self, header_value: str, argument: str, name: str) -> None:
        given = header_value.removeprefix("Bearer ") if header_value.startswith("Bearer ") else argument
        if not given:
            raise RefusedError("not_authed")
        server = self._server
        wanted, other = server.token, server.app_token
        if name == "apps.connections.open":
            wanted, other = other, wanted
        if given == other:
            raise RefusedError("not_allowed_token_type")
        if given != wanted:
            raise RefusedError("invalid_auth")
        if server.is_revoked and given == server.token:
            raise RefusedError("token_revoked")

    def _check_scope(self, name: str, method: Method, arguments: Arguments) -> None:
        wanted, held = method.scopes, self._server.scopes
        if name in ("conversations.history", "conversations.replies"):
            channel = self._server.channels.get(str(arguments.get("channel", "")))
            wanted = (f"{channel.kind}:history",) if channel else wanted
        if name == "apps.connections.open":
            wanted, held = ("connections:write",), self._server.app_scopes
        if wanted and not held & set(wanted):
            raise RefusedError("missing_scope", needed=wanted[0], provided=",".join(sorted(held)))

    def _check_tier(self, name: str, method: Method) -> None:
        most = self._server.limits.get(name, TIERS.get(method.tier))
        if not self._server.rate_limited or most is None:
            return
        now, recent = self._server.now(), self._recent[name]
        while recent and recent[0] <= now - 60:
            recent.popleft()
        if len(recent) >= most:
            raise RefusedError("ratelimited", retry_after=max(1, math.ceil(recent[0] + 60 - now)))
        recent.append(now)

    def _auth_test(self, arguments: Arguments) -> Node:
        names = {"url": f"{self._server.base_url}/", "team": "Acme", "user": "bot"}
        return {**names, "team_id": TEAM, "user_id": BOT, "bot_id": "B1", "is_enterprise_install": False}

    def _post(self, arguments: Arguments) -> Node:
        channel = self._writable(arguments)
        text, blocks = self.content(arguments)
        if not text and not blocks:
            raise RefusedError("no_text")
        metadata = _metadata(arguments)
        root = self._root(channel, arguments)
        self._take_turn(channel)
        message = SlackMessage(self._server.next_ts(), text[:MAX_TEXT], blocks, metadata, arguments=arguments)
        message.is_broadcast = root is not None and is_true(arguments.get("reply_broadcast"))
        add(channel, message, root)
        return {"channel": channel.id, "ts": message.ts, "message": public(message, with_metadata=True)}

    def _post_ephemeral(self, arguments: Arguments) -> Node:
        channel = self._writable(arguments)
        user = str(arguments.get("user", ""))
        if user not in self._server.people or user in channel.absent:
            raise RefusedError("user_not_in_channel")
        text, blocks = self.content(arguments)
        if not text and not blocks:
            raise RefusedError("no_text")
        root = self._root(channel, arguments)
        message = self._server.show_only_to(user, channel, text, blocks, thread_ts=root.ts if root else None)
        message.arguments = arguments
        return {"message_ts": message.ts}

    def _update(self, arguments: Arguments) -> Node:
        channel = self._named(arguments)
        message = _own(channel, arguments, refusal="cant_update_message")
        if channel.is_archived:
            raise RefusedError("is_inactive")
        text, blocks = self.content(arguments)
        if len(text) > MAX_UPDATE_TEXT:
            raise RefusedError("msg_too_long")
        if not text and "blocks" not in arguments and "attachments" not in arguments:
            raise RefusedError("no_text")
        metadata = None if arguments.get("metadata") == {} else _metadata(arguments)
        message.text = text or message.text
        if "blocks" in arguments:
            message.blocks = blocks
        if "metadata" in arguments:
            message.metadata = metadata
        if message.thread_ts and is_true(arguments.get("reply_broadcast")):
            message.is_broadcast = True
        message.edits += 1
        return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": public(message)}

    def _delete(self, arguments: Arguments) -> Node:
        channel = self._named(arguments)
        message = _own(channel, arguments, refusal="cant_delete_message")
        remove(channel, message)
        return {"channel": channel.id, "ts": message.ts}

    def _permalink(self, arguments: Arguments) -> Node:
        channel = self._named(arguments)
        message = channel.find(str(arguments.get("message_ts", "")))
        if message is None:
            raise RefusedError("message_not_found")
        thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.thread_ts else ""
        digits = message.ts.replace(".", "")
        return {
            "channel": channel.id,
            "permalink": f"https://acme.slack.com/archives/{channel.id}/p{digits}{thread}",
        }

    def _history(self, arguments: Arguments) -> Node:
        channel = self._readable(arguments)
        is_within = _period(arguments)
        found = [message for message in channel.timeline if is_within(float(message.ts))]
        found.reverse()
        return {**self._page(found, arguments), "pin_count": 0}

    def _replies(self, arguments: Arguments) -> Node:
        channel = self._readable(arguments)
        message = channel.find(str(arguments.get("ts", "")))
        if message is None:
            raise RefusedError("thread_not_found")
        root = channel.root(message.thread_ts or message.ts) or message
        is_within = _period(arguments)
        return self._page([root, *(m for m in root.replies if is_within(float(m.ts)))], arguments)

    def _page(self, found: list[SlackMessage], arguments: Arguments) -> Node:
        start = position(arguments.get("cursor"))
        end = start + max(1, min(int(number(arguments, "limit", 100)), self._server.history_page))
        with_metadata = is_true(arguments.get("include_all_metadata"))
        page = [public(message, with_metadata=with_metadata) for message in found[start:end]]
        more = end < len(found)
        cursor = {"response_metadata": {"next_cursor": f"next:{end}"}} if more else {}
        return {"messages": page, "has_more": more, **cursor}

    def _open_conversation(self, arguments: Arguments) -> Node:
        if arguments.get("channel"):
            channel = self._named(arguments)
            if not channel.user:
                raise RefusedError("method_not_supported_for_channel_type")
            return {"no_op": True, "already_open": True, "channel": {"id": channel.id}}
        users = [user for user in str(arguments.get("users", "")).split(",") if user]
        if not users:
            raise RefusedError("users_list_not_supplied")
        if len(users) > 1:
            raise RefusedError("missing_scope", needed="mpim:write", provided=",".join(sorted(self._server.scopes)))
        person = self._server.people.get(users[0])
        if person is None:
            raise RefusedError("user_not_found")
        if person.is_deleted:
            raise RefusedError("user_disabled")
        is_known = self._server.has_dm(person.id)
        more = {"no_op": True, "already_open": True} if is_known else {}
        return {**more, "channel": {"id": self._server.dm(person.id).id}}

    def _user_info(self, arguments: Arguments) -> Node:
        person = self._server.people.get(str(arguments.get("user", "")))
        if person is None:
            raise RefusedError("user_not_found")
        return {"user": person.public(is_true(arguments.get("include_locale")))}

    def _group_members(self, arguments: Arguments) -> Node:
        members = self._server.usergroups.get(str(arguments.get("usergroup", "")))
        if members is None:
            raise RefusedError("no_such_subteam")
        return {"users": list(members)}

    def _upload_url(self, arguments: Arguments) -> Node:
        length = number({"limit": arguments.get("length", 0)}, "limit", 0)
        if length < 1 or not arguments.get("filename"):
            raise RefusedError("missing_argument")
        if length > self._server.largest_file:
            raise RefusedError("file_upload_size_restricted")
        if len(str(arguments.get("alt_txt", ""))) > 1_000:
            raise RefusedError("alt_txt_too_large")
        return self._server.expect_upload(str(arguments["filename"]), int(length), str(arguments.get("alt_txt", "")))

    def _complete_upload(self, arguments: Arguments) -> Node:
        given = arguments.get("files")
        if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
            raise RefusedError("invalid_arguments", "invalid `files`")
        files = [self._uploaded(str(each.get("id", ""))) for each in given]
        named = f"{arguments.get('channel_id') or ''},{arguments.get('channels') or ''}".split(",")
        channels = [self._writable({"channel": name}) for name in named if name]
        roots = [self._root(channel, arguments) for channel in channels]
        for file, each in zip(files, given, strict=True):
            file.title = str(each.get("title") or file.filename)
            file.is_complete, file.completed_at = True, self._server.now()
            file.shared_in += [channel.id for channel in channels]
        for channel, root in zip(channels, roots, strict=True):
            text = str(arguments.get("initial_comment") or "")
            shared = SlackMessage(self._server.next_ts(), text, [], None, arguments=arguments)
            shared.files = [file.id for file in files]
            shared.file_objects = [{"id": file.id, "name": file.filename, "title": file.title} for file in files]
            add(channel, shared, root)
        return {"files": [{"id": file.id, "title": file.title} for file in files]}

    def _uploaded(self, file_id: str) -> SlackFile:
        file = self._server.files.get(file_id)
        if file is None or file.content is None or file.is_complete:
            raise RefusedError("file_not_found")
        return file

    def _root(self, channel: Channel, arguments: Arguments) -> SlackMessage | None:
        ts = arguments.get("thread_ts")
        if not ts:
            return None
        message = channel.find(str(ts))
        if message is None:
            raise RefusedError("thread_not_found")
        if message.thread_ts:
            raise RefusedError("cannot_reply_to_message")
        return message

    def _named(self, arguments: Arguments) -> Channel:
        channel = self._server.channels.get(str(arguments.get("channel", "")))
        if channel is None:
            raise RefusedError("channel_not_found")
        return channel

    def _readable(self, arguments: Arguments) -> Channel:
        channel = self._named(arguments)
        if not channel.is_member:
            raise RefusedError("not_in_channel")
        return channel

    def _writable(self, arguments: Arguments) -> Channel:
        if str(arguments.get("channel", "")) in self._server.people:
            return self._server.dm(str(arguments["channel"]))
        channel = self._named(arguments)
        if channel.is_archived:
            raise RefusedError("is_archived")
        if not channel.is_member:
            raise RefusedError("not_in_channel")
        return channel

    def content(self, arguments: Arguments) -> tuple[str, list[Node]]:
        """The checked text and blocks of a message.

        Raises:
            RefusedError: they break a rule.
        """
        text, blocks = arguments.get("text") or "", arguments.get("blocks") or []
        if not isinstance(text, str) or "\ud800" <= max(text, default="") <= "\udfff":
            raise RefusedError("invalid_arguments")
        if arguments.get("markdown_text"):
            if text or blocks:
                raise RefusedError("markdown_text_conflict")
            text = str(arguments["markdown_text"])
        if not isinstance(blocks, list):
            raise RefusedError("invalid_blocks_format")
        problems = list(block_problems(blocks, has_image=self._server.has_image))
        if problems:
            messages = [f"{words} [json-pointer:{pointer}]" for pointer, words in problems]
            raise RefusedError("invalid_blocks", *messages, errors=messages)
        if total_length(blocks) > MAX_TOTAL:
            raise RefusedError("msg_blocks_too_long")
        return text, settle(blocks)

    def _take_turn(self, channel: Channel) -> None:
        if not self._server.rate_limited:
            return
        now, burst = self._server.now(), self._server.BURST
        earned = max(0.0, now - channel.allowance_at) if channel.allowance_at else burst
        channel.allowance, channel.allowance_at = min(burst, channel.allowance + earned), now
        if channel.allowance < 1:
            raise RefusedError("ratelimited", retry_after=math.ceil(1 - channel.allowance))
        channel.allowance -= 1


def _own(channel: Channel, arguments: Arguments, *, refusal: str) -> SlackMessage:
    """The app's own message that is meant."""
    message = channel.find(str(arguments.get("ts", "")))
    if message is None or message.is_deleted:
        raise RefusedError("message_not_found")
    if message.user != BOT:
        raise RefusedError(refusal)
    return message


def add(channel: Channel, message: SlackMessage, root: SlackMessage | None) -> None:
    """Put a message into a channel, or into the thread of `root`."""
    message.channel_id = channel.id
    message.thread_ts = root.ts if root else None
    (root.replies if root else channel.messages).append(message)


def remove(channel: Channel, message: SlackMessage) -> None:
    """Take a message away; the root of a thread leaves a mark in its place."""
    message.is_deleted = True
    root = channel.root(message.thread_ts) if message.thread_ts else None
    if root:
        root.replies.remove(message)
    elif message.replies:
        message.text, message.blocks, message.metadata = "This message was deleted.", [], None
    else:
        channel.messages.remove(message)


def public(message: SlackMessage, *, with_metadata: bool = False) -> Node:
    """The message object of answers and payloads."""
    by = {"bot_id": "B1", "app_id": APP} if message.user == BOT else {}
    shown = {"type": "message", "user": message.user, **by, "team": TEAM, "ts": message.ts, "text": message.text}
    edited = {"edited": {"user": BOT, "ts": message.ts}} if message.edits else {}
    metadata = {"metadata": message.metadata} if with_metadata and message.metadata else {}
    thread: Node = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    if message.replies:
        thread = {"thread_ts": message.ts, "reply_count": len(message.replies), "latest_reply": message.replies[-1].ts}
    subtype = "tombstone" if message.is_deleted else "thread_broadcast" if message.is_broadcast else ""
    files = {"files": message.file_objects} if message.files else {}
    more = {**edited, **metadata, **thread, **files, **({"subtype": subtype} if subtype else {})}
    return {**shown, "blocks": message.blocks, **more}


def _period(arguments: Arguments) -> Callable[[float], bool]:
    oldest, latest = number(arguments, "oldest", 0.0), number(arguments, "latest", math.inf)
    if is_true(arguments.get("inclusive")):
        return lambda ts: oldest <= ts <= latest
    return lambda ts: oldest < ts < latest


def _metadata(arguments: Arguments) -> dict[str, Any] | None:
    metadata = arguments.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_payload"), dict):
        raise RefusedError("invalid_metadata_format")
    if not metadata.get("event_type"):
        raise RefusedError("invalid_metadata_format")
    if len(json.dumps(metadata, ensure_ascii=False)) > MAX_METADATA:
        raise RefusedError("metadata_too_large")
    return metadata
