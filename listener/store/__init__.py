"""What the daemon remembers, and the four transactions that make a crash harmless."""

from listener.store.collecting import Arrival, WatchState
from listener.store.outbox import OutboxItem
from listener.store.store import Store
from listener.store.triage import AlertRow, TriageItem

__all__ = ["AlertRow", "Arrival", "OutboxItem", "Store", "TriageItem", "WatchState"]
