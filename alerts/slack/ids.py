"""The names and values of everything that can be pressed or filled in in Slack, and how they are read back.

What comes back is checked as if anybody had written it: whatever is not exactly ours is no action.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from alerts.card import Progress
from listener.model import RESOLUTIONS, WAS


class ActionName(StrEnum):
    """Every `action_id` on cards, summaries, notes and the Home tab."""

    CLAIM = "claim"
    RELEASE = "release"
    TAKE_OVER = "take_over"
    REPLY = "reply"
    ANSWERED = "answered"
    SNOOZE = "snooze"
    WAKE = "wake"
    ESCALATE = "escalate"
    RESOLVE = "resolve"
    NOT_COMPLAINT = "not_complaint"
    REOPEN = "reopen"
    SHOW_CARD = "show_card"
    OPEN_POST = "open_post"
    OPEN_REPLY = "open_reply"
    OPEN_PRIVATE = "open_private"
    OPEN_AUTHOR = "open_author"
    OPEN_PLAYBOOK = "open_playbook"
    OPEN_DIGEST = "open_digest"


LINKS = frozenset(
    [
        ActionName.OPEN_POST,
        ActionName.OPEN_REPLY,
        ActionName.OPEN_PRIVATE,
        ActionName.OPEN_AUTHOR,
        ActionName.OPEN_PLAYBOOK,
        ActionName.OPEN_DIGEST,
    ]
)
"""Link buttons: Slack tells of the press, and it needs nothing but to be acknowledged."""


class SnoozeFor(StrEnum):
    """How long an alert can be put off."""

    QUARTER = "15m"
    HOUR = "1h"
    OPENING = "opening"
    """Until the team's hours begin next."""


class Resolution(StrEnum):
    """How an alert can end, other than as no complaint."""

    PUBLIC = "public"
    PRIVATE = "private"
    SOLVED = "solved"
    NO_REPLY = "no_reply"


class WasInstead(StrEnum):
    """What a post can have been where it was no complaint."""

    QUESTION = "question"
    PRAISE = "praise"
    OTHER_BRAND = "other_brand"
    ADVERT = "advert"
    JOKE = "joke"
    NEWS = "news"
    OWN = "own"
    OTHER = "other"


class SentAs(StrEnum):
    """Where a person says that they answered."""

    PUBLIC = "public"
    PRIVATE = "private"
    BOTH = "both"


class ViewName(StrEnum):
    """Every `callback_id`."""

    REPLY = "reply_view"
    NOT_COMPLAINT = "not_complaint_view"
    RESOLVE = "resolve_view"
    SNOOZE = "snooze_view"
    SILENCE = "silence_view"
    LOADING = "loading_view"
    ERROR = "error_view"
    HOME = "home_view"


class FieldName(StrEnum):
    """Every `action_id` of a field in a view."""

    PLAYBOOK = "playbook"
    VARIANT = "reply_variant"
    TEXT = "reply_text"
    SENT = "reply_sent"
    WHAT = "what_it_was"
    TOPIC = "topic"
    RESOLUTION = "resolution"
    LENGTH = "length"
    MATCHERS = "matchers"
    DURATION = "duration"
    REASON = "reason"


SNOOZE_WORDS: Mapping[SnoozeFor, str] = {
    SnoozeFor.QUARTER: "for 15 minutes",
    SnoozeFor.HOUR: "for 1 hour",
    SnoozeFor.OPENING: "until next opening",
}
RESOLUTION_WORDS: Mapping[Resolution, str] = {ending: RESOLUTIONS[ending] for ending in Resolution}
WAS_WORDS: Mapping[WasInstead, str] = {was: WAS[was][0] for was in WasInstead}
SENT_WORDS: Mapping[SentAs, str] = {
    SentAs.PUBLIC: "in public",
    SentAs.PRIVATE: "in a private channel",
    SentAs.BOTH: "in public, and moved to a private channel",
}
_CHOICES: Mapping[ActionName, frozenset[str]] = {
    ActionName.SNOOZE: frozenset(SnoozeFor),
    ActionName.RESOLVE: frozenset(Resolution),
}

MAX_ALERT_ID = 2**63 - 1
MAX_OWNER = 200
_ALERT_ID = re.compile(r"[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Action:
    """One press, as far as it can be trusted: who pressed stands in the payload."""

    name: ActionName
    alert_id: int
    """0 for a link button that belongs to no alert."""
    choice: str = ""
    """A SnoozeFor or a Resolution where one was chosen; empty where a window must ask."""
    expected_owner: str = ""
    """For take_over: whom the presser saw as owner, as `owner_seen` wrote it."""

    @property
    def is_link(self) -> bool:
        """Whether nothing is to be done but acknowledge."""
        return self.name in LINKS


def owner_seen(progress: Progress) -> str:
    """Return what the take-over button carries of the present owner: the address, else the name, at most MAX_OWNER."""
    return (progress.owner_address or progress.owner).encode("utf-8", "replace").decode()[:MAX_OWNER]


def value(alert_id: int, more: str = "") -> str:
    """Return the value of a button or option about one alert."""
    return f"{alert_id}|{more}" if more else str(alert_id)


def parse_alert_id(text: object) -> int | None:
    """Return an alert's id from its decimal form, or None."""
    if not isinstance(text, str) or not _ALERT_ID.fullmatch(text):
        return None
    return number if (number := int(text)) <= MAX_ALERT_ID else None


def parse_action(payload_action: object) -> Action | None:
    """Return the action in one entry of a block_actions payload's `actions`, or None where it is not exactly ours."""
    if not isinstance(payload_action, Mapping):
        return None
    try:
        name = ActionName(str(payload_action.get("action_id")))
    except ValueError:
        return None
    given = _given_value(payload_action)
    if name in LINKS:
        return Action(name, parse_alert_id(given) or 0)
    number, bar, more = given.partition("|") if isinstance(given, str) else ("", "", "")
    alert_id = parse_alert_id(number)
    if alert_id is None or bool(bar) is not bool(more):
        return None
    return _with_more(name, alert_id, more)


def _with_more(name: ActionName, alert_id: int, more: str) -> Action | None:
    if name is ActionName.TAKE_OVER:
        return Action(name, alert_id, expected_owner=more) if len(more) <= MAX_OWNER else None
    if not more:
        return Action(name, alert_id)
    return Action(name, alert_id, more) if more in _CHOICES.get(name, frozenset()) else None


def _given_value(payload_action: Mapping[str, Any]) -> object:
    chosen = payload_action.get("selected_option")
    return chosen.get("value") if isinstance(chosen, Mapping) else payload_action.get("value")
