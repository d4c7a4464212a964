"""A console over a store in which posts became alerts as they do in earnest. Everybody in it is invented."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alerts.card import dump_message
from classifiers.copies import text_hash
from listener.model import (
    Author,
    Classification,
    Engagement,
    Mention,
    Page,
    Reason,
    Sentiment,
    Urgency,
    Watch,
)
from listener.pipeline.escalate import Escalator
from listener.pipeline.tally import Tally
from listener.pipeline.triage import TriageStep
from listener.store import AlertRow, Arrival, Store
from listener.store.classifying import Classified
from listener.store.incidents import IncidentRow
from listener.store.triage import NewAlert
from tests.console_room import ConsoleRoom
from tests.messages import incident as incident_card

COMPLAINT = "Acme has lost my parcel and nobody answers. I want my money back!"
HOSTILE = (
    '<img src=x onerror="alert(1)"><script>alert(1)</script> {{ 7*7 }} "\'> \u202etxt.exe\u202c '
    "javascript:alert(1) https://evil.example/"
)


@dataclass
class DeskRoom:
    """Lets people post, and the daemon decide on it."""

    room: ConsoleRoom
    made: int = 0

    @property
    def store(self) -> Store:
        return self.room.store

    def post(
        self,
        text: str = COMPLAINT,
        *,
        country: str = "FR",
        author: str = "anna",
        name: str = "Anna Petit",
        followers: int | None = 1_200,
        language: str = "en",
        topic: str = "delivery",
        complaint: float = 0.94,
        urgent: float = 0.91,
        sentiment: Sentiment = Sentiment.NEGATIVE,
        signals: dict[str, float] | None = None,
        reasons: Sequence[Reason] = (),
        age: timedelta = timedelta(minutes=6),
        url: str | None = None,
        profile: dict[str, Any] | None = None,
        conversation: str | None = None,
    ) -> int:
        """Let somebody post, and the classifier read it; return the post's id."""
        self.made += 1
        at = self.room.clock.now() - age
        who = Author("x", f"{author}-{country}", **{"name": name, "handle": author, "followers": followers,
                     "url": f"https://x.com/{author}", **(profile or {})})  # fmt: skip
        external_id = f"{17_000_000 + self.made}"
        post = Mention(
            "x", external_id, text, at, who, url or f"https://x.com/{author}/status/{external_id}",
            engagement=Engagement(likes=3, replies=1), links={"post_id": external_id}, conversation_id=conversation,
        )  # fmt: skip
        watch = Watch(f"x/{country}/acme", "x", "acme", country, ("en",), ("acme",))
        now = self.room.clock.now()
        self.store.collecting.save_page(
            watch, Page((post,), "c"), [Arrival(post, country, text_hash(text))], now=now, next_poll_at=now,
            max_age_s=None,
        )  # fmt: skip
        said = Classification(
            language, complaint, Urgency.HIGH if urgent > 0.5 else Urgency.LOW, (0.02, 0.03, 0.95 - urgent, urgent),
            sentiment, (0.9, 0.06, 0.04), topic, 0.92, signals or {"R": 0.8}, "tested", reasons=tuple(reasons),
        )  # fmt: skip
        mention = self.store.trails.posts(["x"], [external_id])[0].id
        self.store.classifying.save([Classified(mention, said, None, ())], now)
        return mention

    def complain(self, text: str = COMPLAINT, **more: Any) -> AlertRow:
        """Let somebody complain so that an alert is raised; return it."""
        mention = self.post(text, **more)
        self.triage()
        place = self.store.trails.place(self.match(mention))
        assert place is not None
        alert = self.store.alerts.alert(place.alert_id)
        assert alert is not None
        return alert

    def match(self, mention: int) -> int:
        """Return the number under which a post is known for its brand."""
        return self.store.trails.matches(mention)[0].id

    def triage(self) -> None:
        """Let the daemon decide on what waits."""
        office = self.room.office
        announcer = office.announcer
        escalator = Escalator(office.config, announcer, self.store, self.room.clock)
        TriageStep(office.config, announcer, escalator, self.store, self.room.clock).run(200, Tally())

    def burst(self, *, country: str = "FR", topic: str = "outage", ended_at: datetime | None = None,
              **more: Any) -> int:  # fmt: skip
        """Let there be a burst of negative posts; return its alert's id."""
        now = self.room.clock.now()
        began = now - timedelta(hours=4)
        new = NewAlert(
            match_id=None, brand="acme", country=country, team="hub", severity=3, priority=0.9, topic=topic,
            playbook=None, pilot=False, rules=(), posted_at=began, now_with="hub", respond_by=None, resolve_by=None,
            kind="incident",
        )  # fmt: skip
        with self.store.incidents.transaction() as transaction:
            row = transaction.open_alert(new, (), now)
            curve = incident_card().curve
            shift = began - curve[5].at
            moved = tuple(type(one)(one.at + shift, one.count, one.expected) for one in curve)
            card = incident_card(
                alert_id=row.id, reference=f"I-{row.id}", brand="Acme", country=country, country_name="France",
                topic=topic, opened_at=began, updated_at=now, ended_at=ended_at, curve=moved,
                timezone="Europe/Paris", **more,
            )  # fmt: skip
            transaction.add_incident(
                IncidentRow(row.id, "acme", country, topic, False, began, now, ended_at), dump_message(card)
            )
        return row.id

    def alert(self, alert_id: int) -> AlertRow:
        """Return an alert as it stands."""
        found = self.store.alerts.alert(alert_id)
        assert found is not None
        return found
