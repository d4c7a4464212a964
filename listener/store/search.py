"""The index that posts are listed and searched by, kept in the transactions that change them.

One row of `listing` for each match holds what lists are filtered by, and one of `search_words` the words of its post:
an FTS5 table of SQLite, a tsvector in PostgreSQL. Both take the words as `listener.searching` cuts them, so both find
the same. A row's key is its place: when the post was published, then the number of the match.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, column, delete, exists, func, select, table, text, update

from listener.searching import GAP, Query, Term, indexed
from listener.store import schema
from listener.store.engine import insert, reading

WAITING = "waiting"
"""Outcome of a match that nothing was decided on yet."""
_RAISED = "=alert"
"""A word of every post that belongs to an alert; none that people type begins so."""
_SECOND = 1 << 28
"""Matches of one second stand in the order of their numbers."""
_LAST_SECOND = (1 << 35) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_listing, _matches, _mentions = schema.listing, schema.matches, schema.mentions
_authors, _found, _held = schema.authors, schema.classifications, schema.alert_mentions

words = table("search_words", column("rowid"), column("place"), column("tokens"), column("search_words"))
"""The words; `rowid` and `search_words` exist in SQLite, `place` and `tokens` in PostgreSQL."""

stored_words = table("search_words_content", column("id"))
"""What FTS5 keeps of each row by its key; looking there is quicker than asking the index."""


def make_words(connection: Connection) -> None:
    """Create the table of words, whose form is the database's own, beside the listing."""
    for statement in _DDL[connection.dialect.name]:
        connection.execute(text(statement))


_DDL = {
    "sqlite": (
        "CREATE VIRTUAL TABLE search_words USING fts5(tokens, columnsize=0, tokenize=\"ascii tokenchars '@#_.-|='\")",
        "CREATE TRIGGER words_leave_with_their_post AFTER DELETE ON listing"
        " BEGIN DELETE FROM search_words WHERE rowid = old.place; END",
    ),
    "postgresql": (
        "CREATE TABLE search_words (place BIGINT NOT NULL PRIMARY KEY REFERENCES listing ON DELETE CASCADE,"
        " tokens TSVECTOR NOT NULL)",
        "CREATE INDEX ix_search_words_tokens ON search_words USING gin (tokens)",
    ),
}


# Places


def place_of(published_at: datetime, match_id: int) -> int:
    """Return where a match stands among all others."""
    return first_place(published_at, math.floor) + match_id % _SECOND


def first_place(at: datetime, rounded: Any = math.ceil) -> int:
    """Return the place from which on posts were published at a moment or later, to the second."""
    seconds = rounded((at - _EPOCH).total_seconds())
    return int(max(0, min(seconds, _LAST_SECOND))) * _SECOND


# Keeping the index


class Search:
    """Brings an index up to date that misses posts: of a database that was put back together, or filled by hand."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def catch_up(self, after: int = 0, limit: int = 2_000) -> int | None:
        """Index what is missing among the next matches; return the number to go on after, or None at the end."""
        query = select(_matches.c.id).where(_matches.c.id > after).order_by(_matches.c.id).limit(limit)
        with reading(self._engine) as connection:
            ids = list(connection.scalars(query))
            missing = _missing(connection, ids)
        for start in range(0, len(missing), 500):
            with self._engine.begin() as connection:
                _index(connection, missing[start : start + 500])
        return ids[-1] if len(ids) == limit else None

    def rebuild(self) -> int:
        """Index everything that is missing; return how many matches there are."""
        after: int | None = 0
        while after is not None:
            after = self.catch_up(after)
        with reading(self._engine) as connection:
            return connection.scalar(select(func.count()).select_from(_listing)) or 0


def list_posts(connection: Connection, mention_ids: Collection[int], brand: str) -> None:
    """Index the matches of posts with a brand that are not indexed yet."""
    ids: list[int] = []
    wanted = sorted(mention_ids)
    listed = select(_listing.c.match_id).where(_listing.c.match_id == _matches.c.id).exists()
    for start in range(0, len(wanted), 500):
        of_posts = _matches.c.mention_id.in_(wanted[start : start + 500])
        query = select(_matches.c.id).where(of_posts, _matches.c.brand == brand, ~listed)
        ids += connection.scalars(query)
    _index(connection, ids)


def list_again(connection: Connection, *mention_ids: int) -> None:
    """Index posts anew that were edited or deleted: of those that are gone no word stays."""
    for start in range(0, len(mention_ids), 500):
        of_posts = _matches.c.mention_id.in_(mention_ids[start : start + 500])
        _index(connection, list(connection.scalars(select(_matches.c.id).where(of_posts))))


def list_readings(connection: Connection, readings: Iterable[Mapping[str, Any]]) -> None:
    """Note classifications, as rows of their table, where their posts are listed."""
    of_post = select(_matches.c.id).where(_matches.c.mention_id == bindparam("of_mention")).scalar_subquery()
    names = ("language", "topic", "sentiment", "urgency")
    statement = (
        update(_listing)
        .where(_listing.c.match_id.in_(of_post))
        .values({name: bindparam(f"new_{name}") for name in names})
    )
    rows = [{"of_mention": row["mention_id"], **{f"new_{name}": row[name] for name in names}} for row in readings]
    if rows:
        connection.execute(statement, rows)


def list_outcome(connection: Connection, match_id: int, outcome: str) -> None:
    """Note what was decided on a match."""
    connection.execute(update(_listing).where(_listing.c.match_id == match_id).values(outcome=outcome))


def list_alert(connection: Connection, match_id: int) -> None:
    """Note that a match belongs to an alert."""
    _index(connection, [match_id])


def _missing(connection: Connection, match_ids: Sequence[int]) -> list[int]:
    joined = _matches.join(_mentions, _mentions.c.id == _matches.c.mention_id).outerjoin(
        _listing, _listing.c.match_id == _matches.c.id
    )
    has_words = exists().where(key_of(connection) == _listing.c.place)
    lacks = _listing.c.place.is_(None) | ((_mentions.c.fate != "deleted") & ~has_words)
    found: list[int] = []
    for start in range(0, len(match_ids), 500):
        some = _matches.c.id.in_(match_ids[start : start + 500])
        found += connection.scalars(select(_matches.c.id).select_from(joined).where(some, lacks))
    return found


def _index(connection: Connection, match_ids: Sequence[int]) -> None:
    """Write listing and words of matches from what is stored of them."""
    joined = (
        _matches.join(_mentions, _mentions.c.id == _matches.c.mention_id)
        .join(_authors, _authors.c.id == _mentions.c.author_id)
        .outerjoin(_found, _found.c.mention_id == _mentions.c.id)
        .outerjoin(_held, _held.c.match_id == _matches.c.id)
    )
    query = select(
        _matches.c.id,
        _matches.c.brand,
        _matches.c.country,
        _matches.c.outcome,
        _mentions.c.network,
        _mentions.c.published_at,
        _mentions.c.text,
        _mentions.c.fate,
        _authors.c.name,
        _authors.c.handle,
        _found.c.language,
        _found.c.topic,
        _found.c.sentiment,
        _found.c.urgency,
        _held.c.alert_id,
    ).select_from(joined)
    for start in range(0, len(match_ids), 500):
        rows = connection.execute(query.where(_matches.c.id.in_(match_ids[start : start + 500]))).all()
        # SQLite's index writes one piece for rows that come in the order of their keys.
        placed = sorted(((place_of(row.published_at, row.id), row) for row in rows), key=lambda pair: pair[0])
        _write(connection, placed)


def _write(connection: Connection, placed: Sequence[tuple[int, Any]]) -> None:
    if not placed:
        return
    listed = [
        {
            "place": place,
            "match_id": row.id,
            "brand": row.brand,
            "country": row.country,
            "network": row.network,
            "language": row.language,
            "topic": row.topic,
            "sentiment": row.sentiment,
            "urgency": row.urgency,
            "outcome": row.outcome or WAITING,
            "alert_id": row.alert_id,
        }
        for place, row in placed
    ]
    statement = insert(connection, _listing)
    connection.execute(statement.on_conflict_do_update(index_elements=["place"], set_=dict(statement.excluded)), listed)
    gone = [{"place": place} for place, row in placed if row.fate == "deleted"]
    if gone:
        connection.execute(delete(words).where(key_of(connection) == bindparam("place")), gone)
    said = [{"place": place, "tokens": _tokens(row)} for place, row in placed if row.fate != "deleted"]
    write_words(connection, said)


def _tokens(row: Any) -> list[str]:
    return tokens_of(row.text, row.name, row.handle, row.country, is_raised=row.alert_id is not None)


def tokens_of(text: str, author: str, handle: str | None, country: str, *, is_raised: bool) -> list[str]:
    """Return what a post is found by: its words, its author, its country, and whether an alert has it."""
    return [*indexed(text, author, handle), GAP, _of_country(country), *([_RAISED] if is_raised else [])]


def _of_country(country: str) -> str:
    return f"={country.lower()}"


def write_words(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write words by place, in place of those that stand there."""
    if not rows:
        return
    on_sqlite = connection.dialect.name == "sqlite"
    written = [
        {"place": row["place"], "tokens": " ".join(row["tokens"]) if on_sqlite else tsvector(row["tokens"])}
        for row in rows
    ]
    connection.execute(text(_WRITE[connection.dialect.name]), written)


_WRITE = {
    "sqlite": "INSERT OR REPLACE INTO search_words (rowid, tokens) VALUES (:place, :tokens)",
    "postgresql": "INSERT INTO search_words (place, tokens) VALUES (:place, CAST(:tokens AS tsvector))"
    " ON CONFLICT (place) DO UPDATE SET tokens = excluded.tokens",
}


def key_of(connection: Connection) -> Any:
    """Return the column that holds the place of words."""
    return words.c.rowid if connection.dialect.name == "sqlite" else words.c.place


# Asking


def tsvector(tokens: Sequence[str]) -> str:
    """Return words with their positions as PostgreSQL reads them."""
    positions: dict[str, list[int]] = {}
    for position, token in enumerate(tokens, start=1):
        if token != GAP:
            positions.setdefault(token, []).append(position)
    return " ".join(f"{_lexeme(token)}:{','.join(map(str, places))}" for token, places in positions.items())


def tsquery(query: Query) -> str:
    """Return a query in the language of PostgreSQL."""
    wanted = [_tsquery_term(term) for term in query.wanted]
    return " & ".join([*wanted, *(f"!{_tsquery_term(term)}" for term in query.unwanted)])


def _tsquery_term(term: Term) -> str:
    end = ":*" if term.is_prefix else ""
    if term.forms:
        return "(" + " | ".join(_lexeme(form) + end for form in (*term.tokens, *term.forms)) + ")"
    return "(" + " <-> ".join(map(_lexeme, term.tokens)) + end + ")"


def _lexeme(token: str) -> str:
    doubled = token.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def fts_query(terms: Sequence[Term], joiner: str = "AND") -> str:
    """Return terms in the language of FTS5."""
    return f" {joiner} ".join(map(_fts_term, terms))


def _fts_term(term: Term) -> str:
    end = " *" if term.is_prefix else ""
    if term.forms:
        return "(" + " OR ".join(f'"{form}"{end}' for form in (*term.tokens, *term.forms)) + ")"
    return f'"{" ".join(term.tokens)}"{end}'


def fts_match(query: Query) -> str:
    """Return a query that wants something in the language of FTS5."""
    wanted = fts_query(query.wanted)
    return f"({wanted}) NOT ({fts_query(query.unwanted, 'OR')})" if query.unwanted else wanted


def of_alerts(query: Query) -> Query:
    """Return a query for the same among the posts of alerts alone."""
    return replace(query, wanted=(*query.wanted, Term((_RAISED,))))


def of_countries(query: Query, countries: Collection[str]) -> Query:
    """Return a query for the same among the posts of some countries alone."""
    first, *others = map(_of_country, sorted(countries))
    return replace(query, wanted=(*query.wanted, Term((first,), forms=tuple(others))))
