"""The tables. One row per mention, per brand it concerns, per alert, per notification."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

from listener.store.types import CleanText, Count, RowId, ShortText, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

watch_states = Table(
    "watch_states",
    metadata,
    Column("watch_id", String(200), primary_key=True),
    Column("cursor", CleanText),
    Column("next_poll_at", UtcDateTime),
    Column("polled_at", UtcDateTime),
    Column("succeeded_at", UtcDateTime),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("problem", CleanText),
    Column("fault", String(10)),
    Column("newest_at", UtcDateTime),
    Column("newest_taken_at", UtcDateTime),
)

coverage_gaps = Table(
    "coverage_gaps",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("watch_id", String(200), nullable=False, index=True),
    Column("start_at", UtcDateTime, nullable=False),
    Column("end_at", UtcDateTime, nullable=False),
    Column("reason", CleanText, nullable=False),
    UniqueConstraint("watch_id", "start_at", "reason"),
)

skipped_items = Table(
    "skipped_items",
    metadata,
    Column("watch_id", String(200), primary_key=True),
    Column("reason", CleanText, primary_key=True),
    Column("broken", Boolean, nullable=False),
    Column("count", Integer, nullable=False),
    Column("last_where", CleanText, nullable=False),
    Column("last_sample", CleanText, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
)

authors = Table(
    "authors",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("network", ShortText(40), nullable=False),
    Column("external_id", CleanText, nullable=False),
    Column("name", CleanText, nullable=False),
    Column("handle", CleanText),
    Column("followers", Count),
    Column("verified", Boolean),
    Column("bio", CleanText, nullable=False),
    Column("location", CleanText, nullable=False),
    Column("country", ShortText(2)),
    Column("url", CleanText),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("network", "external_id"),
)

mentions = Table(
    "mentions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("network", ShortText(40), nullable=False),
    Column("external_id", CleanText, nullable=False),
    Column("author_id", ForeignKey("authors.id"), nullable=False, index=True),
    Column("text", CleanText, nullable=False),
    Column("url", CleanText),
    Column("published_at", UtcDateTime, nullable=False, index=True),
    Column("collected_at", UtcDateTime, nullable=False),
    Column("language_tag", ShortText(20)),
    Column("conversation_id", CleanText),
    Column("reply_to_id", CleanText),
    Column("repost_of_id", CleanText),
    Column("likes", Count),
    Column("replies", Count),
    Column("reposts", Count),
    Column("quotes", Count),
    Column("views", Count),
    Column("sponsored", Boolean, nullable=False),
    Column("country", ShortText(2)),
    Column("place", CleanText, nullable=False),
    Column("links", JSON, nullable=False),
    Column("text_hash", String(40), nullable=False, index=True),
    Column("copy_of", RowId, index=True),
    Column("classified", Boolean, nullable=False, server_default=text("false")),
    Column("fate", String(10), nullable=False, server_default="stands"),
    Column("fate_at", UtcDateTime),
    Column("fate_by", CleanText),
    Column("fate_shown", Boolean, nullable=False, server_default=text("true")),
    Column("looked_at", UtcDateTime),
    UniqueConstraint("network", "external_id"),
    Index("ix_mentions_fate", "id", sqlite_where=text("NOT fate_shown"), postgresql_where=text("NOT fate_shown")),
    Index(
        "ix_mentions_unclassified", "id", sqlite_where=text("NOT classified"), postgresql_where=text("NOT classified")
    ),
    Index("ix_mentions_conversation", "network", "conversation_id"),
    Index(
        "ix_mentions_repost",
        "network",
        "repost_of_id",
        sqlite_where=text("repost_of_id IS NOT NULL"),
        postgresql_where=text("repost_of_id IS NOT NULL"),
    ),
)

matches = Table(
    "matches",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("mention_id", ForeignKey("mentions.id"), nullable=False),
    Column("brand", String(80), nullable=False),
    Column("country", String(2), nullable=False),
    Column("watch_id", String(200), nullable=False),
    Column("max_age_s", Float),
    Column("matched_at", UtcDateTime, nullable=False),
    Column("triaged_at", UtcDateTime),
    Column("outcome", String(40)),
    Column("priority", Float),
    Column("influence", Float),
    Column("velocity", Float),
    UniqueConstraint("mention_id", "brand"),
    Index(
        "ix_matches_untriaged",
        "id",
        sqlite_where=text("triaged_at IS NULL"),
        postgresql_where=text("triaged_at IS NULL"),
    ),
    Index("ix_matches_brand_country", "brand", "country", "matched_at"),
)

classifications = Table(
    "classifications",
    metadata,
    Column("mention_id", ForeignKey("mentions.id"), primary_key=True),
    Column("language", String(20), nullable=False),
    Column("complaint", Float, nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("urgency_probabilities", JSON, nullable=False),
    Column("sentiment", String(10), nullable=False),
    Column("sentiment_probabilities", JSON, nullable=False),
    Column("topic", String(20), nullable=False),
    Column("topic_probability", Float, nullable=False),
    Column("signals", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("model", String(80), nullable=False),
    Column("classified_at", UtcDateTime, nullable=False, index=True),
)

corrections = Table(
    "corrections",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("mention_id", ForeignKey("mentions.id", ondelete="SET NULL"), index=True),
    Column("network", ShortText(40), nullable=False),
    Column("external_id", CleanText, nullable=False),
    Column("text", CleanText),
    Column("brand", String(80), nullable=False),
    Column("country", String(2), nullable=False),
    Column("language", String(20), nullable=False),
    Column("model", String(80), nullable=False),
    Column("said", JSON, nullable=False),
    Column("complaint", Boolean),
    Column("urgency", Integer),
    Column("topic", String(20)),
    Column("sentiment", String(10)),
    Column("actor", CleanText, nullable=False),
    Column("origin", String(40), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_corrections_post", "network", "external_id"),
)

copy_bands = Table(
    "copy_bands",
    metadata,
    Column("band", String(40), primary_key=True),
    Column("mention_id", ForeignKey("mentions.id"), primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", String(10), nullable=False, server_default="post"),
    Column("brand", String(80), nullable=False),
    Column("country", String(2), nullable=False),
    Column("team", String(80), nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("severity", Integer, nullable=False),
    Column("priority", Float, nullable=False),
    Column("topic", String(20), nullable=False),
    Column("playbook", String(80)),
    Column("playbook_by", CleanText),
    Column("variants", JSON, nullable=False),
    Column("pilot", Boolean, nullable=False),
    Column("drill", Boolean, nullable=False, server_default=text("false")),
    Column("match_id", ForeignKey("matches.id"), unique=True),
    Column("incident_id", ForeignKey("alerts.id"), index=True),
    Column("rules", JSON, nullable=False),
    Column("mentions", Integer, nullable=False),
    Column("copies", Integer, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("first_posted_at", UtcDateTime, nullable=False),
    Column("last_posted_at", UtcDateTime, nullable=False),
    Column("now_with", String(80), nullable=False),
    Column("owner", CleanText),
    Column("owner_address", String(80)),
    Column("claimed_at", UtcDateTime),
    Column("snoozed_until", UtcDateTime),
    Column("replied_at", UtcDateTime),
    Column("private_at", UtcDateTime),
    Column("resolution", String(20)),
    Column("closed_by", CleanText),
    Column("closed_at", UtcDateTime),
    Column("respond_by", UtcDateTime),
    Column("resolve_by", UtcDateTime),
    Column("rungs", JSON, nullable=False),
    Column("escalated_to", CleanText),
    Column("told_at", UtcDateTime),
    Column("look_at", UtcDateTime),
    Index("ix_alerts_brand_opened", "brand", "opened_at"),
    Index(
        "ix_alerts_look",
        "look_at",
        sqlite_where=text("look_at IS NOT NULL"),
        postgresql_where=text("look_at IS NOT NULL"),
    ),
)

incidents = Table(
    "incidents",
    metadata,
    Column("alert_id", ForeignKey("alerts.id"), primary_key=True),
    Column("brand", String(80), nullable=False),
    Column("country", String(2), nullable=False),
    Column("topic", String(20), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("counted_until", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("facts", CleanText, nullable=False),
    Column("drill", Boolean, nullable=False, server_default=text("false")),
    Index(
        "uq_incidents_one_open",
        "brand",
        "country",
        "topic",
        "drill",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

silences = Table(
    "silences",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("matchers", JSON, nullable=False),
    Column("author", CleanText, nullable=False),
    Column("reason", CleanText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False, index=True),
    Column("ended_by", CleanText),
)

presses = Table(
    "presses",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
)

alert_mentions = Table(
    "alert_mentions",
    metadata,
    Column("match_id", ForeignKey("matches.id"), primary_key=True),
    Column("alert_id", ForeignKey("alerts.id"), nullable=False, index=True),
    Column("role", String(12), nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
)

listing = Table(
    "listing",
    metadata,
    Column("place", RowId, primary_key=True, autoincrement=False),
    Column("match_id", ForeignKey("matches.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("country", String(2), nullable=False),
    Column("brand", String(80), nullable=False),
    Column("network", ShortText(40), nullable=False),
    Column("language", String(20)),
    Column("topic", String(20)),
    Column("sentiment", String(10)),
    Column("urgency", Integer),
    Column("outcome", String(40), nullable=False),
    Column("alert_id", ForeignKey("alerts.id"), index=True),
    Index("ix_listing_country", "country", "place"),
    Index("ix_listing_language", "language", "place"),
    Index("ix_listing_topic", "topic", "place"),
)

alert_keys = Table(
    "alert_keys",
    metadata,
    Column("alert_id", ForeignKey("alerts.id"), primary_key=True),
    Column("key", CleanText, primary_key=True),
    Index("ix_alert_keys_key", "key"),
)

alert_events = Table(
    "alert_events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("alert_id", ForeignKey("alerts.id"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", CleanText, nullable=False),
    Column("data", JSON, nullable=False),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("alert_id", ForeignKey("alerts.id"), index=True),
    Column("receiver", String(80), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("parent_id", ForeignKey("notifications.id"), index=True),
    Column("match_id", ForeignKey("matches.id"), index=True),
    Column("payload", CleanText, nullable=False),
    Column("rank", Integer, nullable=False, server_default="1"),
    Column("state", String(12), nullable=False),
    Column("held", String(40)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("tried_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("problem", CleanText),
    Column("ambiguous", Boolean, nullable=False, server_default=text("false")),
    Column("channel", CleanText),
    Column("message_id", CleanText),
    Column("thread_id", CleanText),
    Index("ix_notifications_due", "receiver", "state", "due_at"),
    Index(
        "ix_notifications_held",
        "held",
        sqlite_where=text("held IS NOT NULL"),
        postgresql_where=text("held IS NOT NULL"),
    ),
    Index(
        "uq_notifications_one_alert",
        "alert_id",
        "receiver",
        unique=True,
        sqlite_where=text("kind = 'alert'"),
        postgresql_where=text("kind = 'alert'"),
    ),
    Index(
        "uq_notifications_one_pending_update",
        "parent_id",
        unique=True,
        sqlite_where=text("kind = 'update' AND state = 'pending'"),
        postgresql_where=text("kind = 'update' AND state = 'pending'"),
    ),
)

delivery_failures = Table(
    "delivery_failures",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("notification_id", ForeignKey("notifications.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("problem", CleanText, nullable=False),
    Column("ambiguous", Boolean, nullable=False),
)

receiver_states = Table(
    "receiver_states",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("disabled_at", UtcDateTime),
    Column("reason", CleanText),
)

embeddings = Table(
    "embeddings",
    metadata,
    Column("mention_id", ForeignKey("mentions.id"), primary_key=True),
    Column("vector", LargeBinary, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
)

irritants = Table(
    "irritants",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("brand", String(80), nullable=False, index=True),
    Column("cause", String(80), nullable=False),
    Column("centre", LargeBinary, nullable=False),
    Column("first_week", String(8), nullable=False),
    Column("last_week", String(8), nullable=False, index=True),
    Column("first_seen_at", UtcDateTime, nullable=False),
)

irritant_matches = Table(
    "irritant_matches",
    metadata,
    Column("match_id", ForeignKey("matches.id"), primary_key=True),
    Column("irritant_id", ForeignKey("irritants.id"), nullable=False),
    Column("week", String(8), nullable=False),
    Column("rank", Integer, nullable=False),
    Index("ix_irritant_matches_irritant", "irritant_id", "week", "rank"),
)

irritant_weeks = Table(
    "irritant_weeks",
    metadata,
    Column("irritant_id", ForeignKey("irritants.id"), primary_key=True),
    Column("week", String(8), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("mentions", Integer, nullable=False),
    Index("ix_irritant_weeks_week", "week"),
)

grouped_weeks = Table(
    "grouped_weeks",
    metadata,
    Column("week", String(8), primary_key=True),
    Column("brand", String(80), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("complaints", Integer, nullable=False),
)

week_counts = Table(
    "week_counts",
    metadata,
    Column("week", String(8), primary_key=True),
    Column("scope", String(40), primary_key=True),
    Column("counted_at", UtcDateTime, nullable=False),
    Column("counts", CleanText, nullable=False),
)

digests = Table(
    "digests",
    metadata,
    Column("reader", String(80), primary_key=True),
    Column("week", String(8), primary_key=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("document", CleanText, nullable=False),
    Column("messages", JSON, nullable=False),
)

configurations = Table(
    "configurations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("author", CleanText, nullable=False),
    Column("origin", String(20), nullable=False),
    Column("note", CleanText, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("files", JSON, nullable=False),
    Column("effective", CleanText, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("actor", CleanText, nullable=False),
    Column("origin", String(20), nullable=False),
    Column("action", String(60), nullable=False),
    Column("object", CleanText, nullable=False),
    Column("country", String(2)),
    Column("data", JSON, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", ShortText(120), nullable=False, unique=True),
    Column("full_name", CleanText, nullable=False),
    Column("subject", String(300), unique=True),
    Column("password", CleanText),
    Column("role", String(20), nullable=False),
    Column("countries", JSON),
    Column("language", String(10), nullable=False),
    Column("timezone", String(60), nullable=False),
    Column("slack", String(40)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", CleanText, nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("signed_in_at", UtcDateTime),
    Column("must_change", Boolean, nullable=False, server_default=text("false")),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False, index=True),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Index("ix_sign_in_failures_key", "key", "at"),
)

source_usage = Table(
    "source_usage",
    metadata,
    Column("watch_id", String(200), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("requests", Integer, nullable=False),
    Column("items", Integer, nullable=False),
    Column("cost", Float, nullable=False),
    Column("mentions", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Index("ix_source_usage_day", "day"),
)
