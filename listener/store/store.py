"""The store: one database, seen by each step of the pipeline through the part that it needs."""

from sqlalchemy import func, select

from listener.store import schema
from listener.store.alerts import Alerts
from listener.store.causes import Causes
from listener.store.classifying import Classifying
from listener.store.collecting import Collecting
from listener.store.corrections import Corrections
from listener.store.digests import Digests
from listener.store.drills import Drills
from listener.store.engine import migrate, open_engine, reading
from listener.store.incidents import Incidents
from listener.store.outbox import Outbox
from listener.store.silences import Silences
from listener.store.triage import Triage
from listener.store.withdrawals import Withdrawals


class Store:
    """Opens the database, migrates it, and holds its parts.

    Raises:
        StoreError: the URL is not usable or the database cannot be opened.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        migrate(self._engine)
        self.collecting = Collecting(self._engine)
        self.classifying = Classifying(self._engine)
        self.triage = Triage(self._engine)
        self.alerts = Alerts(self._engine)
        self.incidents = Incidents(self._engine)
        self.silences = Silences(self._engine)
        self.drills = Drills(self._engine)
        self.digests = Digests(self._engine)
        self.causes = Causes(self._engine)
        self.outbox = Outbox(self._engine)
        self.corrections = Corrections(self._engine)
        self.withdrawals = Withdrawals(self._engine)

    def counts(self) -> dict[str, int]:
        """Return how many rows of each kind there are, and how many alerts' first messages were sent."""
        tables = (schema.mentions, schema.matches, schema.classifications, schema.alerts, schema.notifications)
        sent = schema.notifications.c.kind == "alert", schema.notifications.c.state == "sent"
        with reading(self._engine) as connection:
            counts = {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
            counts["alert messages sent"] = connection.scalar(select(func.count()).where(*sent)) or 0
        return counts

    def close(self) -> None:
        """Release all connections."""
        self._engine.dispose()
