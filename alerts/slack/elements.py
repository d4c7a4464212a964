"""The pieces that messages and views are built of, each within Slack's limits.

What others wrote stands only in plain_text objects, which Slack does not parse; mrkdwn carries our own words, dates
and mentions. Limits from docs.slack.dev (read 2026-11): 50 blocks a message, 100 a view, 3,000 characters a section,
2,000 a field, 150 a header, 75 a button or option, 3,000 a URL; and about 13,200 in all, observed (bolt-js issue
2509), not documented.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    Option,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
)

from alerts import wording
from alerts.escaping import clean, escape_mrkdwn, isolate, shorten, slack_length, web_url
from alerts.slack.ids import ActionName

MAX_TOTAL = 12_500
MAX_SECTION = 2_900
MAX_TEXT = 3_500
MAX_OPTIONS = 100
_NOTHING = "—"
_FACTS_A_SECTION = 5
_PERSON = re.compile(r"slack:([UW][A-Z0-9]{1,20})")
_GROUP = re.compile(r"slack:(S[A-Z0-9]{1,20})")

Fact = tuple[str, str]
"""What it is, in our own mrkdwn; and what it says, in anybody's words."""


def plain(text: str, limit: int, *, emoji: bool = False) -> PlainTextObject:
    """Return a text that Slack shows as it is, cut at `limit`."""
    return PlainTextObject(text=shorten(text, limit, slack_length) or _NOTHING, emoji=emoji)


def mrkdwn(text: str) -> MarkdownTextObject:
    """Return our own words with Slack's markup; never a text of others."""
    return MarkdownTextObject(text=text, verbatim=True)


def header(text: str) -> HeaderBlock:
    """Return a heading."""
    return HeaderBlock(text=plain(text, 145, emoji=True))


def section(text: str, limit: int = MAX_SECTION) -> SectionBlock:
    """Return a paragraph that Slack shows as it is."""
    return SectionBlock(text=plain(text, limit))


def paragraph(text: str, limit: int) -> str:
    """Return a longer text that others wrote, safe beside other text, cut at `limit`."""
    return isolate(shorten(clean(text), limit, slack_length))


def labelled(label: str, text: str, limit: int, *details: str) -> Iterator[Block]:
    """Yield a small heading of ours with details, and below it a paragraph where there is one."""
    yield ContextBlock(elements=[mrkdwn(f"*{label}*"), *(plain(detail, 300) for detail in details if detail)])
    if text:
        yield section(text, limit)


def facts(pairs: Sequence[Fact]) -> Iterator[Block]:
    """Yield facts in two columns, what it is on the left."""
    for start in range(0, len(pairs), _FACTS_A_SECTION):
        fields: list[Any] = []
        for what, says in pairs[start : start + _FACTS_A_SECTION]:
            fields += [mrkdwn(what), plain(says, 300)]
        yield SectionBlock(fields=fields)


def date(moment: datetime, timezone: str) -> str:
    """Return a moment as mrkdwn that each reader sees in their own zone; old clients see the card's."""
    written = escape_mrkdwn(wording.local_time(moment, timezone))
    seconds = int(moment.timestamp())
    return f"<!date^{seconds}^{{date_short_pretty}} {{time}}|{written}>" if seconds > 0 else written


def mention(address: str) -> str:
    """Return the mention of a person or group as mrkdwn; empty where `address` is not exactly `slack:` and an ID."""
    if person := _PERSON.fullmatch(address):
        return f"<@{person[1]}>"
    group = _GROUP.fullmatch(address)
    return f"<!subteam^{group[1]}>" if group else ""


def mentions(addresses: Iterable[str], most: int = 20) -> str:
    """Return the mentions of all who can be mentioned, each once."""
    found = dict.fromkeys(words for address in addresses if (words := mention(address)))
    return " ".join([*found][:most])


def button(
    label: str, action: ActionName, value: str, *, style: str | None = None, confirm: ConfirmObject | None = None
) -> ButtonElement:
    """Return a button that sends `value`."""
    return ButtonElement(text=plain(label, 75), action_id=action, value=value, style=style, confirm=confirm)


def link_button(
    label: str, action: ActionName, url: str | None, *, value: str | None = None, style: str | None = None,
    most: int = 3_000,
) -> ButtonElement | None:  # fmt: skip
    """Return a button that opens `url`, or None where it is no usable web address or too long."""
    checked = web_url(url)
    if not checked or slack_length(checked) > most:
        return None
    return ButtonElement(text=plain(label, 75), action_id=action, url=checked, value=value, style=style)


def option(text: str, value: str, description: str = "") -> Option:
    """Return one choice."""
    more = plain(description, 75) if description else None
    return Option(text=plain(text, 75), value=value, description=more)


def select(action: str, placeholder: str, options: Sequence[Option]) -> StaticSelectElement:
    """Return a menu."""
    return StaticSelectElement(action_id=action, placeholder=plain(placeholder, 150), options=options)


def as_dicts(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Return blocks as they go to Slack.

    Raises:
        slack_sdk.errors.SlackObjectFormationError: one breaks one of Slack's rules.
    """
    return [block.to_dict() for block in blocks]


def first_fitting(layouts: Iterable[Iterable[Block]]) -> list[dict[str, Any]]:
    """Return the first layout that Slack takes as a whole message; the last where it takes none.

    Raises:
        slack_sdk.errors.SlackObjectFormationError: a block breaks one of Slack's rules all the same.
    """
    message: list[dict[str, Any]] = []
    for blocks in layouts:
        message = as_dicts(blocks)
        if total(message) <= MAX_TOTAL:
            break
    return message


def block_texts(node: Any) -> Iterator[str]:
    """Yield every text, address and image description in a tree of blocks."""
    if isinstance(node, dict):
        yield from (node[key] for key in ("text", "url", "alt_text", "initial_value") if isinstance(node.get(key), str))
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from block_texts(child)


def total(blocks: list[dict[str, Any]]) -> int:
    """Return what blocks count against the limit of a whole message."""
    return sum(slack_length(text) for text in block_texts(blocks))


def fitting(parts: Iterable[str], room: int) -> Iterator[str]:
    """Yield the parts that fit, each whole: half a draft or half an address would mislead."""
    for part in parts:
        size = slack_length(part) + 2
        if size <= room:
            room -= size
            yield part
