"""What the daemon remembers, and the four transactions that make a crash harmless."""

from listener.store.alerts import AlertEvent, AlertRow
from listener.store.collecting import Arrival, WatchState
from listener.store.items import TriageItem
from listener.store.outbox import OutboxItem
from listener.store.store import Store

__all__ = ["AlertEvent", "AlertRow", "Arrival", "OutboxItem", "Store", "TriageItem", "WatchState"]
