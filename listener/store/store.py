"""The store: one database, seen by each step of the pipeline through the part that it needs."""

from sqlalchemy import func, select

from listener.errors import StoreError
from listener.store import schema
from listener.store.accounts import Accounts
from listener.store.alerts import Alerts
from listener.store.audit import Audit
from listener.store.browsing import Browsing
from listener.store.causes import Causes
from listener.store.classifying import Classifying
from listener.store.collecting import Collecting
from listener.store.configurations import Configurations
from listener.store.corrections import Corrections
from listener.store.decisions import Decisions
from listener.store.digests import Digests
from listener.store.drills import Drills
from listener.store.engine import check_current, migrate, open_engine, reading
from listener.store.incidents import Incidents
from listener.store.members import Members
from listener.store.outbox import Outbox
from listener.store.search import Search
from listener.store.silences import Silences
from listener.store.trails import Trails
from listener.store.triage import Triage
from listener.store.usage import SourceUsage
from listener.store.withdrawals import Withdrawals


class Store:
    """Opens the database, migrates it, and holds its parts.

    Raises:
        StoreError: the URL is not usable or the database cannot be opened.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        """Open it; `read_only` neither migrates nor lets anything be written."""
        self._engine = open_engine(url, read_only=read_only)
        try:
            check_current(self._engine) if read_only else migrate(self._engine)
        except StoreError:
            self._engine.dispose()
            raise
        self.collecting = Collecting(self._engine)
        self.classifying = Classifying(self._engine)
        self.triage = Triage(self._engine)
        self.trails = Trails(self._engine)
        self.alerts = Alerts(self._engine)
        self.incidents = Incidents(self._engine)
        self.silences = Silences(self._engine)
        self.drills = Drills(self._engine)
        self.digests = Digests(self._engine)
        self.causes = Causes(self._engine)
        self.outbox = Outbox(self._engine)
        self.corrections = Corrections(self._engine)
        self.decisions = Decisions(self._engine)
        self.accounts = Accounts(self._engine)
        self.audit = Audit(self._engine)
        self.browsing = Browsing(self._engine)
        self.search = Search(self._engine)
        self.configurations = Configurations(self._engine)
        self.withdrawals = Withdrawals(self._engine)
        self.members = Members(self._engine)
        self.usage = SourceUsage(self._engine)

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
