"""A classified mention of one brand as it is read back for deciding on it and showing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from listener.model import Author, Classification, Engagement, Mention
from listener.store import schema
from listener.store.classifying import classification_of


@dataclass(frozen=True, slots=True)
class TriageItem:
    """A classified mention of one brand, ready to be decided on."""

    match_id: int
    mention_id: int
    brand: str
    country: str
    watch_id: str
    max_age_s: float | None
    collected_at: datetime
    copy_of: int | None
    mention: Mention
    classification: Classification
    fate: str = "stands"
    """What became of the post: `stands`, `edited`, `deleted`."""


def items() -> Any:
    """Return the query for matches with their mention, author and classification."""
    mentions, matches, authors, found = schema.mentions, schema.matches, schema.authors, schema.classifications
    return (
        select(
            matches.c.id.label("match_id"),
            matches.c.brand,
            matches.c.country.label("match_country"),
            matches.c.watch_id,
            matches.c.max_age_s,
            *mentions.c,
            *author_columns(),
            *(column for column in found.c if column.name != "mention_id"),
        )
        .join(mentions, mentions.c.id == matches.c.mention_id)
        .join(authors, authors.c.id == mentions.c.author_id)
        .join(found, found.c.mention_id == mentions.c.id)
    )


def author_columns() -> list[Any]:
    """Return what a query reads of authors for `mention_of`."""
    names = ("network", "external_id", *_AUTHOR)
    return [schema.authors.c[name].label(f"author_{name}") for name in names]


_AUTHOR = ("name", "handle", "followers", "verified", "bio", "location", "country", "url")
_ENGAGEMENT = ("likes", "replies", "reposts", "quotes", "views")


def item_of(connection: Connection, match_id: int) -> TriageItem | None:
    """Return one match with its mention and classification."""
    row = connection.execute(items().where(schema.matches.c.id == match_id)).mappings().first()
    return None if row is None else read_item(row)


def mention_of(row: Mapping[Any, Any]) -> Mention:
    """Return the post of a row with the columns of mentions and of `author_columns`."""
    author = Author(
        network=row["author_network"],
        external_id=row["author_external_id"],
        **{name: row[f"author_{name}"] for name in _AUTHOR},
    )
    return Mention(
        network=row["network"],
        external_id=row["external_id"],
        text=row["text"],
        published_at=row["published_at"],
        author=author,
        url=row["url"],
        language=row["language_tag"],
        conversation_id=row["conversation_id"],
        reply_to_id=row["reply_to_id"],
        repost_of_id=row["repost_of_id"],
        engagement=Engagement(**{name: row[name] for name in _ENGAGEMENT}),
        sponsored=row["sponsored"],
        country=row["country"],
        place=row["place"],
        links=row["links"],
    )


def read_item(row: Mapping[Any, Any]) -> TriageItem:
    """Return a row of `items` as a value."""
    return TriageItem(
        match_id=row["match_id"],
        mention_id=row["id"],
        brand=row["brand"],
        country=row["match_country"],
        watch_id=row["watch_id"],
        max_age_s=row["max_age_s"],
        collected_at=row["collected_at"],
        copy_of=row["copy_of"],
        mention=mention_of(row),
        classification=classification_of(row),
        fate=row["fate"],
    )
