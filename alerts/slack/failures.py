"""What each failure of Slack's Web API means to the outbox, and to whoever pressed a button."""

import errno
import re
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import URLError

from listener.errors import (
    DeliveryError,
    EditRefusedError,
    MessageGoneError,
    PermanentDeliveryError,
    RetryableDeliveryError,
)

if TYPE_CHECKING:
    from slack_sdk.errors import SlackApiError

LONGEST_WAIT_S = 3600.0

# Error codes by what they mean here, from the methods' pages on docs.slack.dev (read 2026-11).
RECEIVER_GONE_CODES = frozenset(
    [
        "access_denied",
        "accesslimited",
        "account_inactive",
        "app_access_restricted",
        "channel_is_limited_access",
        "channel_not_found",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "is_archived",
        "is_bot",
        "is_inactive",
        "messages_tab_disabled",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "team_not_found",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    ]
)
ACCOUNT_GONE_CODES = frozenset(
    [
        "account_inactive",
        "invalid_auth",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_not_found",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    ]
)
"""Those of RECEIVER_GONE_CODES that are said of the token, and so of every channel that it writes to."""
MESSAGE_FAULT_CODES = frozenset(
    [
        "alt_txt_too_large",
        "as_user_not_supported",
        "attachment_payload_limit_exceeded",
        "blocked_file_type",
        "cant_broadcast_message",
        "cant_update_message",
        "channels_limit_exceeded",
        "deprecated_endpoint",
        "draft_already_deleted",
        "draft_already_sent",
        "draft_has_conflict",
        "draft_not_found",
        "duplicate_channel_not_found",
        "duplicate_external_id",
        "duplicate_message_not_found",
        "edit_window_closed",
        "file_deleted",
        "file_is_deleted",
        "file_not_found",
        "file_share_limit_reached",
        "file_type_not_allowed",
        "file_upload_size_restricted",
        "file_uploads_disabled",
        "file_uploads_except_images_disabled",
        "invalid_arg_name",
        "invalid_arguments",
        "invalid_array_arg",
        "invalid_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_channel",
        "invalid_charset",
        "invalid_form_data",
        "invalid_metadata_filter_keys",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "invalid_post_type",
        "invalid_ts_latest",
        "invalid_ts_oldest",
        "list_record_comment_fetch_failed",
        "markdown_text_conflict",
        "max_file_sharing_exceeded",
        "message_not_found",
        "metadata_must_be_sent_from_app",
        "metadata_too_large",
        "method_deprecated",
        "method_not_supported_for_channel_type",
        "missing_argument",
        "missing_file_data",
        "missing_post_type",
        "missing_profile_id",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_dual_broadcast_content_update",
        "no_text",
        "not_enabled",
        "not_implemented",
        "posting_to_channel_denied",
        "send_on_behalf_not_allowed",
        "slack_connect_blocked_file_type",
        "slack_connect_canvas_sharing_blocked",
        "slack_connect_clip_sharing_blocked",
        "slack_connect_file_link_sharing_blocked",
        "slack_connect_file_upload_sharing_blocked",
        "slack_connect_lists_sharing_blocked",
        "snippet_too_large",
        "storage_limit_reached",
        "streaming_state_conflict",
        "too_many_attachments",
        "too_many_contact_cards",
        "too_many_users",
        "unable_to_share_files",
        "unknown_method",
        "unknown_snippet_type",
        "unknown_subtype",
        "user_not_found",
        "user_not_in_channel",
        "user_not_visible",
        "view_too_large",
    ]
)
TRANSIENT_CODES = frozenset(
    [
        "external_channel_migrating",
        "fatal_error",
        "file_update_failed",
        "internal_error",
        "invalid_cursor",
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
        "update_failed",
    ]
)
AMBIGUOUS_CODES = frozenset(["fatal_error", "internal_error", "service_unavailable", "update_failed"])
BLOCK_FAULT_CODES = frozenset(["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "block_mismatch"])
THREAD_FAULT_CODES = frozenset(
    [
        "cannot_reply_to_message",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "thread_not_found",
    ]
)
EDIT_REFUSED_CODES = frozenset(["cant_update_message", "edit_window_closed"])
VIEW_GONE_CODES = frozenset(
    ["exchanged_trigger_id", "expired_trigger_id", "hash_conflict", "invalid_trigger_id", "not_found"]
)
NO_READING_CODES = frozenset(["missing_scope", "not_in_channel", "no_permission", "channel_is_limited_access"])

_CODE = re.compile(r"[a-z][a-z0-9_]{1,80}")
_NEVER_SENT_ERRNOS = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)
ANSWER_UNREADABLE = (HTTPException, ValueError, LookupError, AttributeError, RecursionError)


class BlocksRefusedError(PermanentDeliveryError):
    """Slack refuses the message's blocks: the text alone may still pass."""


class ThreadRefusedError(PermanentDeliveryError):
    """Slack takes no reply in this thread: the message may still stand by itself."""


class ViewGoneError(PermanentDeliveryError):
    """The window was closed, or the press is too old to open one."""


class RedirectedError(URLError):
    """What answers in Slack's place points to another address."""


def translate(error: Exception) -> DeliveryError:
    """Return what an error of slack_sdk, or of the network below it, means to the outbox."""
    from slack_sdk.errors import SlackApiError, SlackClientError

    if isinstance(error, SlackApiError):
        return _refusal(error)
    if isinstance(error, SlackClientError):
        return _client_fault(error)
    if isinstance(error, OSError):
        return _network_fault(error)
    return RetryableDeliveryError(f"Slack's answer cannot be read ({type(error).__name__})", ambiguous=True)


def _refusal(error: "SlackApiError") -> DeliveryError:
    status, code = error.response.status_code, code_of(error)
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return RetryableDeliveryError("Slack's rate limit is reached", _retry_after_s(error.response.headers))
    if status >= 500:
        return RetryableDeliveryError(f"Slack answers with HTTP status {status}", ambiguous=True)
    if code is None and status == 200:
        return RetryableDeliveryError("Slack's answer is not what it documents", ambiguous=True)
    if code is None:
        return RetryableDeliveryError(f"HTTP status {status} from what answers in Slack's place")
    return _refusal_by_code(code)


def _refusal_by_code(code: str) -> DeliveryError:
    if code in TRANSIENT_CODES:
        return RetryableDeliveryError(f"Slack is not ready ({code})", ambiguous=code in AMBIGUOUS_CODES)
    if code in BLOCK_FAULT_CODES:
        return BlocksRefusedError(f"Slack refuses the message's blocks ({code})")
    if code in THREAD_FAULT_CODES:
        return ThreadRefusedError(f"Slack takes no reply in this thread ({code})")
    if code == "message_not_found":
        return MessageGoneError("somebody deleted the message in Slack (message_not_found)")
    if code in EDIT_REFUSED_CODES:
        return EditRefusedError(f"Slack lets the message be edited no more ({code})")
    if code in VIEW_GONE_CODES:
        return ViewGoneError(f"the window can no longer be shown ({code})")
    if code in RECEIVER_GONE_CODES:
        account_gone = code in ACCOUNT_GONE_CODES
        words = f"Slack refuses this token or channel ({code})"
        return PermanentDeliveryError(words, receiver_gone=True, account_gone=account_gone)
    return PermanentDeliveryError(f"Slack refuses the message ({code})")


# The classes of slack_sdk.errors (3.47.0) other than SlackApiError, with what to say and whether the receiver is gone.
CLIENT_FAULTS: Mapping[str, tuple[type[DeliveryError], str, bool]] = {
    "SlackClientError": (PermanentDeliveryError, "the Slack client fails", False),
    "SlackObjectFormationError": (BlocksRefusedError, "the message's blocks break Slack's rules", False),
    "SlackClientNotConnectedError": (RetryableDeliveryError, "the connection to Slack is closed", False),
    "SlackRequestError": (PermanentDeliveryError, "the request cannot be made: check base_url", True),
    "BotUserAccessError": (PermanentDeliveryError, "the token is of the wrong kind", True),
    "SlackTokenRotationError": (PermanentDeliveryError, "the token cannot be renewed", True),
    "SlackClientConfigurationError": (PermanentDeliveryError, "the Slack client is set up wrongly", True),
}


def _client_fault(error: Exception) -> DeliveryError:
    unknown = CLIENT_FAULTS["SlackClientError"]
    kind, words, gone = CLIENT_FAULTS.get(type(error).__name__, unknown)
    if issubclass(kind, PermanentDeliveryError):
        return kind(words, receiver_gone=gone)
    return kind(words)


def _network_fault(error: OSError) -> RetryableDeliveryError:
    if isinstance(error, RedirectedError):
        return RetryableDeliveryError(f"a redirect in place of Slack's answer ({error.reason}); it is not followed")
    reason = error.reason if isinstance(error, URLError) else error
    never_sent = isinstance(reason, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError) or (
        isinstance(reason, OSError) and reason.errno in _NEVER_SENT_ERRNOS
    )
    words = "cannot be reached" if never_sent else "did not answer"
    return RetryableDeliveryError(f"Slack {words} ({type(reason).__name__})", ambiguous=not never_sent)


def code_of(error: BaseException | None) -> str | None:
    """Return Slack's own error code, None where the answer holds none (slack_sdk puts prose in its place)."""
    data = getattr(getattr(error, "response", None), "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    given = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        seconds = float(given)
    except ValueError:
        return None
    return min(seconds, LONGEST_WAIT_S) if seconds >= 0 else None  # not a number is not above zero either
