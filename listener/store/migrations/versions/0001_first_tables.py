"""The first tables."""

import sqlalchemy as sa
from alembic import op

from listener.store import types
from listener.store.search import make_words

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    _make_accounts()
    _make_audit()
    _make_authors()
    _make_configurations()
    _make_coverage_gaps()
    _make_digests()
    _make_grouped_weeks()
    _make_irritants()
    _make_presses()
    _make_receiver_states()
    _make_sign_in_failures()
    _make_silences()
    _make_skipped_items()
    _make_source_usage()
    _make_watch_states()
    _make_week_counts()
    _make_irritant_weeks()
    _make_mentions()
    _make_sessions()
    _make_classifications()
    _make_copy_bands()
    _make_corrections()
    _make_embeddings()
    _make_matches()
    _make_alerts()
    _make_irritant_matches()
    _make_alert_events()
    _make_alert_keys()
    _make_alert_mentions()
    _make_incidents()
    _make_listing()
    _make_notifications()
    _make_delivery_failures()
    make_words(op.get_bind())


def _make_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", types.ShortText(length=120), nullable=False),
        sa.Column("full_name", types.CleanText(), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=True),
        sa.Column("password", types.CleanText(), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("countries", sa.JSON(), nullable=True),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("slack", sa.String(length=40), nullable=True),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", types.CleanText(), nullable=False),
        sa.Column("disabled_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("signed_in_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("must_change", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
        sa.UniqueConstraint("subject", name=op.f("uq_accounts_subject")),
    )


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor", types.CleanText(), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("object", types.CleanText(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)


def _make_authors() -> None:
    op.create_table(
        "authors",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("network", types.ShortText(length=40), nullable=False),
        sa.Column("external_id", types.CleanText(), nullable=False),
        sa.Column("name", types.CleanText(), nullable=False),
        sa.Column("handle", types.CleanText(), nullable=True),
        sa.Column("followers", types.Count(), nullable=True),
        sa.Column("verified", sa.Boolean(), nullable=True),
        sa.Column("bio", types.CleanText(), nullable=False),
        sa.Column("location", types.CleanText(), nullable=False),
        sa.Column("country", types.ShortText(length=2), nullable=True),
        sa.Column("url", types.CleanText(), nullable=True),
        sa.Column("updated_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authors")),
        sa.UniqueConstraint("network", "external_id", name=op.f("uq_authors_network_external_id")),
    )


def _make_configurations() -> None:
    op.create_table(
        "configurations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("author", types.CleanText(), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("note", types.CleanText(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("effective", types.CleanText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_configurations")),
    )
    with op.batch_alter_table("configurations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_configurations_at"), ["at"], unique=False)


def _make_coverage_gaps() -> None:
    op.create_table(
        "coverage_gaps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("watch_id", sa.String(length=200), nullable=False),
        sa.Column("start_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("end_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("reason", types.CleanText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverage_gaps")),
        sa.UniqueConstraint("watch_id", "start_at", "reason", name=op.f("uq_coverage_gaps_watch_id_start_at_reason")),
    )
    with op.batch_alter_table("coverage_gaps", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_coverage_gaps_watch_id"), ["watch_id"], unique=False)


def _make_digests() -> None:
    op.create_table(
        "digests",
        sa.Column("reader", sa.String(length=80), nullable=False),
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("made_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("document", types.CleanText(), nullable=False),
        sa.Column("messages", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("reader", "week", name=op.f("pk_digests")),
    )


def _make_grouped_weeks() -> None:
    op.create_table(
        "grouped_weeks",
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("brand", sa.String(length=80), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("complaints", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("week", "brand", name=op.f("pk_grouped_weeks")),
    )


def _make_irritants() -> None:
    op.create_table(
        "irritants",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand", sa.String(length=80), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False),
        sa.Column("centre", sa.LargeBinary(), nullable=False),
        sa.Column("first_week", sa.String(length=8), nullable=False),
        sa.Column("last_week", sa.String(length=8), nullable=False),
        sa.Column("first_seen_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_irritants")),
    )
    with op.batch_alter_table("irritants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_irritants_brand"), ["brand"], unique=False)
        batch_op.create_index(batch_op.f("ix_irritants_last_week"), ["last_week"], unique=False)


def _make_presses() -> None:
    op.create_table(
        "presses",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_presses")),
    )
    with op.batch_alter_table("presses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_presses_at"), ["at"], unique=False)


def _make_receiver_states() -> None:
    op.create_table(
        "receiver_states",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("disabled_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reason", types.CleanText(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_receiver_states")),
    )


def _make_sign_in_failures() -> None:
    op.create_table(
        "sign_in_failures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failures")),
    )
    with op.batch_alter_table("sign_in_failures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_failures_at"), ["at"], unique=False)
        batch_op.create_index("ix_sign_in_failures_key", ["key", "at"], unique=False)


def _make_silences() -> None:
    op.create_table(
        "silences",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("matchers", sa.JSON(), nullable=False),
        sa.Column("author", types.CleanText(), nullable=False),
        sa.Column("reason", types.CleanText(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("starts_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_by", types.CleanText(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silences")),
    )
    with op.batch_alter_table("silences", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_silences_ends_at"), ["ends_at"], unique=False)


def _make_skipped_items() -> None:
    op.create_table(
        "skipped_items",
        sa.Column("watch_id", sa.String(length=200), nullable=False),
        sa.Column("reason", types.CleanText(), nullable=False),
        sa.Column("broken", sa.Boolean(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_where", types.CleanText(), nullable=False),
        sa.Column("last_sample", types.CleanText(), nullable=False),
        sa.Column("last_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("watch_id", "reason", name=op.f("pk_skipped_items")),
    )


def _make_source_usage() -> None:
    op.create_table(
        "source_usage",
        sa.Column("watch_id", sa.String(length=200), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("mentions", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("watch_id", "day", name=op.f("pk_source_usage")),
    )
    with op.batch_alter_table("source_usage", schema=None) as batch_op:
        batch_op.create_index("ix_source_usage_day", ["day"], unique=False)


def _make_watch_states() -> None:
    op.create_table(
        "watch_states",
        sa.Column("watch_id", sa.String(length=200), nullable=False),
        sa.Column("cursor", types.CleanText(), nullable=True),
        sa.Column("next_poll_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("polled_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problem", types.CleanText(), nullable=True),
        sa.Column("fault", sa.String(length=10), nullable=True),
        sa.Column("newest_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("newest_taken_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("watch_id", name=op.f("pk_watch_states")),
    )


def _make_week_counts() -> None:
    op.create_table(
        "week_counts",
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("counted_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("counts", types.CleanText(), nullable=False),
        sa.PrimaryKeyConstraint("week", "scope", name=op.f("pk_week_counts")),
    )


def _make_irritant_weeks() -> None:
    op.create_table(
        "irritant_weeks",
        sa.Column("irritant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("mentions", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["irritant_id"], ["irritants.id"], name=op.f("fk_irritant_weeks_irritant_id_irritants")
        ),
        sa.PrimaryKeyConstraint("irritant_id", "week", "country", name=op.f("pk_irritant_weeks")),
    )
    with op.batch_alter_table("irritant_weeks", schema=None) as batch_op:
        batch_op.create_index("ix_irritant_weeks_week", ["week"], unique=False)


def _make_mentions() -> None:
    op.create_table(
        "mentions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("network", types.ShortText(length=40), nullable=False),
        sa.Column("external_id", types.CleanText(), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("text", types.CleanText(), nullable=False),
        sa.Column("url", types.CleanText(), nullable=True),
        sa.Column("published_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("collected_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("language_tag", types.ShortText(length=20), nullable=True),
        sa.Column("conversation_id", types.CleanText(), nullable=True),
        sa.Column("reply_to_id", types.CleanText(), nullable=True),
        sa.Column("repost_of_id", types.CleanText(), nullable=True),
        sa.Column("likes", types.Count(), nullable=True),
        sa.Column("replies", types.Count(), nullable=True),
        sa.Column("reposts", types.Count(), nullable=True),
        sa.Column("quotes", types.Count(), nullable=True),
        sa.Column("views", types.Count(), nullable=True),
        sa.Column("sponsored", sa.Boolean(), nullable=False),
        sa.Column("country", types.ShortText(length=2), nullable=True),
        sa.Column("place", types.CleanText(), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("text_hash", sa.String(length=40), nullable=False),
        sa.Column("copy_of", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("classified", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("fate", sa.String(length=10), server_default="stands", nullable=False),
        sa.Column("fate_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("fate_by", types.CleanText(), nullable=True),
        sa.Column("fate_shown", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("looked_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["authors.id"], name=op.f("fk_mentions_author_id_authors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mentions")),
        sa.UniqueConstraint("network", "external_id", name=op.f("uq_mentions_network_external_id")),
    )
    with op.batch_alter_table("mentions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mentions_author_id"), ["author_id"], unique=False)
        batch_op.create_index("ix_mentions_conversation", ["network", "conversation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_mentions_copy_of"), ["copy_of"], unique=False)
        batch_op.create_index(
            "ix_mentions_fate",
            ["id"],
            unique=False,
            sqlite_where=sa.text("NOT fate_shown"),
            postgresql_where=sa.text("NOT fate_shown"),
        )
        batch_op.create_index(batch_op.f("ix_mentions_published_at"), ["published_at"], unique=False)
        batch_op.create_index(
            "ix_mentions_repost",
            ["network", "repost_of_id"],
            unique=False,
            sqlite_where=sa.text("repost_of_id IS NOT NULL"),
            postgresql_where=sa.text("repost_of_id IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_mentions_text_hash"), ["text_hash"], unique=False)
        batch_op.create_index(
            "ix_mentions_unclassified",
            ["id"],
            unique=False,
            sqlite_where=sa.text("NOT classified"),
            postgresql_where=sa.text("NOT classified"),
        )


def _make_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id_accounts")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_ends_at"), ["ends_at"], unique=False)


def _make_classifications() -> None:
    op.create_table(
        "classifications",
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("complaint", sa.Float(), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("urgency_probabilities", sa.JSON(), nullable=False),
        sa.Column("sentiment", sa.String(length=10), nullable=False),
        sa.Column("sentiment_probabilities", sa.JSON(), nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("topic_probability", sa.Float(), nullable=False),
        sa.Column("signals", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("model", sa.String(length=80), nullable=False),
        sa.Column("classified_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["mention_id"], ["mentions.id"], name=op.f("fk_classifications_mention_id_mentions")),
        sa.PrimaryKeyConstraint("mention_id", name=op.f("pk_classifications")),
    )
    with op.batch_alter_table("classifications", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_classifications_classified_at"), ["classified_at"], unique=False)


def _make_copy_bands() -> None:
    op.create_table(
        "copy_bands",
        sa.Column("band", sa.String(length=40), nullable=False),
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["mention_id"], ["mentions.id"], name=op.f("fk_copy_bands_mention_id_mentions")),
        sa.PrimaryKeyConstraint("band", "mention_id", name=op.f("pk_copy_bands")),
    )
    with op.batch_alter_table("copy_bands", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_copy_bands_at"), ["at"], unique=False)


def _make_corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("network", types.ShortText(length=40), nullable=False),
        sa.Column("external_id", types.CleanText(), nullable=False),
        sa.Column("text", types.CleanText(), nullable=True),
        sa.Column("brand", sa.String(length=80), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("model", sa.String(length=80), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("complaint", sa.Boolean(), nullable=True),
        sa.Column("urgency", sa.Integer(), nullable=True),
        sa.Column("topic", sa.String(length=20), nullable=True),
        sa.Column("sentiment", sa.String(length=10), nullable=True),
        sa.Column("actor", types.CleanText(), nullable=False),
        sa.Column("origin", sa.String(length=40), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["mention_id"], ["mentions.id"], name=op.f("fk_corrections_mention_id_mentions"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    with op.batch_alter_table("corrections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_corrections_mention_id"), ["mention_id"], unique=False)
        batch_op.create_index("ix_corrections_post", ["network", "external_id"], unique=False)


def _make_embeddings() -> None:
    op.create_table(
        "embeddings",
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["mention_id"], ["mentions.id"], name=op.f("fk_embeddings_mention_id_mentions")),
        sa.PrimaryKeyConstraint("mention_id", name=op.f("pk_embeddings")),
    )
    with op.batch_alter_table("embeddings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_embeddings_at"), ["at"], unique=False)


def _make_matches() -> None:
    op.create_table(
        "matches",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand", sa.String(length=80), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("watch_id", sa.String(length=200), nullable=False),
        sa.Column("max_age_s", sa.Float(), nullable=True),
        sa.Column("matched_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("triaged_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("priority", sa.Float(), nullable=True),
        sa.Column("influence", sa.Float(), nullable=True),
        sa.Column("velocity", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["mention_id"], ["mentions.id"], name=op.f("fk_matches_mention_id_mentions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matches")),
        sa.UniqueConstraint("mention_id", "brand", name=op.f("uq_matches_mention_id_brand")),
    )
    with op.batch_alter_table("matches", schema=None) as batch_op:
        batch_op.create_index("ix_matches_brand_country", ["brand", "country", "matched_at"], unique=False)
        batch_op.create_index(
            "ix_matches_untriaged",
            ["id"],
            unique=False,
            sqlite_where=sa.text("triaged_at IS NULL"),
            postgresql_where=sa.text("triaged_at IS NULL"),
        )


def _make_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=10), server_default="post", nullable=False),
        sa.Column("brand", sa.String(length=80), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("team", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Float(), nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("playbook", sa.String(length=80), nullable=True),
        sa.Column("playbook_by", types.CleanText(), nullable=True),
        sa.Column("variants", sa.JSON(), nullable=False),
        sa.Column("pilot", sa.Boolean(), nullable=False),
        sa.Column("drill", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("match_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("mentions", sa.Integer(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("opened_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("first_posted_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_posted_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("now_with", sa.String(length=80), nullable=False),
        sa.Column("owner", types.CleanText(), nullable=True),
        sa.Column("owner_address", sa.String(length=80), nullable=True),
        sa.Column("claimed_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("replied_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("private_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.String(length=20), nullable=True),
        sa.Column("closed_by", types.CleanText(), nullable=True),
        sa.Column("closed_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("respond_by", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("resolve_by", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("rungs", sa.JSON(), nullable=False),
        sa.Column("escalated_to", types.CleanText(), nullable=True),
        sa.Column("told_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("look_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["alerts.id"], name=op.f("fk_alerts_incident_id_alerts")),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_alerts_match_id_matches")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("match_id", name=op.f("uq_alerts_match_id")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index("ix_alerts_brand_opened", ["brand", "opened_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_alerts_incident_id"), ["incident_id"], unique=False)
        batch_op.create_index(
            "ix_alerts_look",
            ["look_at"],
            unique=False,
            sqlite_where=sa.text("look_at IS NOT NULL"),
            postgresql_where=sa.text("look_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_alerts_state"), ["state"], unique=False)


def _make_irritant_matches() -> None:
    op.create_table(
        "irritant_matches",
        sa.Column("match_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("irritant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["irritant_id"], ["irritants.id"], name=op.f("fk_irritant_matches_irritant_id_irritants")
        ),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_irritant_matches_match_id_matches")),
        sa.PrimaryKeyConstraint("match_id", name=op.f("pk_irritant_matches")),
    )
    with op.batch_alter_table("irritant_matches", schema=None) as batch_op:
        batch_op.create_index("ix_irritant_matches_irritant", ["irritant_id", "week", "rank"], unique=False)


def _make_alert_events() -> None:
    op.create_table(
        "alert_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor", types.CleanText(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_alert_events_alert_id_alerts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_events")),
    )
    with op.batch_alter_table("alert_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_events_alert_id"), ["alert_id"], unique=False)


def _make_alert_keys() -> None:
    op.create_table(
        "alert_keys",
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", types.CleanText(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_alert_keys_alert_id_alerts")),
        sa.PrimaryKeyConstraint("alert_id", "key", name=op.f("pk_alert_keys")),
    )
    with op.batch_alter_table("alert_keys", schema=None) as batch_op:
        batch_op.create_index("ix_alert_keys_key", ["key"], unique=False)


def _make_alert_mentions() -> None:
    op.create_table(
        "alert_mentions",
        sa.Column("match_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("joined_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_alert_mentions_alert_id_alerts")),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_alert_mentions_match_id_matches")),
        sa.PrimaryKeyConstraint("match_id", name=op.f("pk_alert_mentions")),
    )
    with op.batch_alter_table("alert_mentions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_mentions_alert_id"), ["alert_id"], unique=False)


def _make_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand", sa.String(length=80), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("began_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("counted_until", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("facts", types.CleanText(), nullable=False),
        sa.Column("drill", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_incidents_alert_id_alerts")),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_incidents")),
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index(
            "uq_incidents_one_open",
            ["brand", "country", "topic", "drill"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )


def _make_listing() -> None:
    op.create_table(
        "listing",
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("match_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("brand", sa.String(length=80), nullable=False),
        sa.Column("network", types.ShortText(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=True),
        sa.Column("topic", sa.String(length=20), nullable=True),
        sa.Column("sentiment", sa.String(length=10), nullable=True),
        sa.Column("urgency", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_listing_alert_id_alerts")),
        sa.ForeignKeyConstraint(
            ["match_id"], ["matches.id"], name=op.f("fk_listing_match_id_matches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_listing")),
        sa.UniqueConstraint("match_id", name=op.f("uq_listing_match_id")),
    )
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_listing_alert_id"), ["alert_id"], unique=False)
        batch_op.create_index("ix_listing_country", ["country", "place"], unique=False)
        batch_op.create_index("ix_listing_language", ["language", "place"], unique=False)
        batch_op.create_index("ix_listing_topic", ["topic", "place"], unique=False)


def _make_notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("receiver", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("match_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("payload", types.CleanText(), nullable=False),
        sa.Column("rank", sa.Integer(), server_default="1", nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("held", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("lease_until", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("tried_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("sent_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("problem", types.CleanText(), nullable=True),
        sa.Column("ambiguous", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("channel", types.CleanText(), nullable=True),
        sa.Column("message_id", types.CleanText(), nullable=True),
        sa.Column("thread_id", types.CleanText(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_notifications_alert_id_alerts")),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_notifications_match_id_matches")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["notifications.id"], name=op.f("fk_notifications_parent_id_notifications")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("key", name=op.f("uq_notifications_key")),
    )
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notifications_alert_id"), ["alert_id"], unique=False)
        batch_op.create_index("ix_notifications_due", ["receiver", "state", "due_at"], unique=False)
        batch_op.create_index(
            "ix_notifications_held",
            ["held"],
            unique=False,
            sqlite_where=sa.text("held IS NOT NULL"),
            postgresql_where=sa.text("held IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_notifications_match_id"), ["match_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notifications_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(
            "uq_notifications_one_alert",
            ["alert_id", "receiver"],
            unique=True,
            sqlite_where=sa.text("kind = 'alert'"),
            postgresql_where=sa.text("kind = 'alert'"),
        )
        batch_op.create_index(
            "uq_notifications_one_pending_update",
            ["parent_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'update' AND state = 'pending'"),
            postgresql_where=sa.text("kind = 'update' AND state = 'pending'"),
        )


def _make_delivery_failures() -> None:
    op.create_table(
        "delivery_failures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("notification_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("problem", types.CleanText(), nullable=False),
        sa.Column("ambiguous", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_delivery_failures_notification_id_notifications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_failures")),
    )
    with op.batch_alter_table("delivery_failures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_failures_notification_id"), ["notification_id"], unique=False)
