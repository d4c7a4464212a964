"""The list of receiver kinds. A new kind adds one line here."""

from collections.abc import Mapping
from importlib import import_module

from alerts.receivers.base import ReceiverSpec

_MODULES = {
    "terminal": "alerts.receivers.terminal",
    "slack": "alerts.receivers.slack",
    "email": "alerts.receivers.email",
    "webhook": "alerts.receivers.webhook",
    "apprise": "alerts.receivers.apprise",
}


def receiver_specs() -> Mapping[str, ReceiverSpec]:
    """Return every known kind of receiver by name, without importing any client library."""
    return {kind: import_module(module).SPEC for kind, module in _MODULES.items()}
