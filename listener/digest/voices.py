"""Whose posts carried: journalists, critics, friends, what travelled, and whom to thank."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from listener.digest.counting import Columns
from listener.digest.model import Post, Voices
from listener.digest.quoting import Quoting

MOST = 5
"""In each list."""
_LOOKED_AT = 1_000
"""So many of the most influential posts are looked at for journalists."""
_VIEWS_OF_A_REPOST = 1_000
"""So many views carry a post as far as one repost."""
_LEAST_SPREAD = 3.0
"""What carried less did not travel."""
_LEAST_INFLUENCE = 0.2
"""Below it a critic or a friend is a customer like others."""

Rows = NDArray[np.intp]


def voices(columns: Columns, quoting: Quoting) -> Voices:
    """Return whose posts carried; each author once, in the first list that fits."""
    own = np.flatnonzero(columns.own)
    loudest = own[np.argsort(-columns.influence[own], kind="stable")]
    heard = loudest[columns.influence[loudest] >= _LEAST_INFLUENCE]
    spread = _spread(columns)
    travelled = own[(spread[own] >= _LEAST_SPREAD) & (columns.copy_of[own] < 0)]
    taken: set[int] = set()
    choose = _Chooser(columns, quoting, spread, taken)
    return Voices(
        journalists=choose.of(loudest[:_LOOKED_AT], lambda post: post.journalist),
        critics=choose.of(heard[columns.complaint[heard] | (columns.tone[heard] < 0)]),
        friends=choose.of(heard[_is_praise(columns, heard)]),
        travelled=choose.of(travelled[np.argsort(-spread[travelled], kind="stable")]),
        supporters=choose.of(_supporters(columns, own)),
    )


def _is_praise(columns: Columns, rows: Rows) -> NDArray[np.bool_]:
    praises: NDArray[np.bool_] = (columns.tone[rows] > 0) & ~columns.complaint[rows]
    return praises


def _supporters(columns: Columns, own: Rows) -> Rows:
    """Return the latest praise of each author, those first who praised most often."""
    praise = own[_is_praise(columns, own)]
    often = Counter(columns.author[praise].tolist())
    last = {int(columns.author[row]): int(row) for row in praise}
    return np.array(sorted(last.values(), key=lambda row: (-often[int(columns.author[row])], row)), dtype=np.intp)


def _spread(columns: Columns) -> NDArray[np.float64]:
    """Return how far each post went: reposts, copies in the week, and views by the thousand."""
    copies = columns.copy_of[columns.copy_of >= 0]
    roots, counts = np.unique(copies, return_counts=True)
    place = np.searchsorted(roots, columns.mention) if len(roots) else np.zeros(len(columns), np.intp)
    place = np.minimum(place, max(len(roots) - 1, 0))
    repeated = np.where(roots[place] == columns.mention, counts[place], 0) if len(roots) else np.zeros(len(columns))
    return np.maximum(columns.reposts, 0) + repeated + np.maximum(columns.views, 0) / _VIEWS_OF_A_REPOST


class _Chooser:
    """Takes posts in order, each author once over all lists."""

    def __init__(self, columns: Columns, quoting: Quoting, spread: NDArray[np.float64], taken: set[int]) -> None:
        self._columns = columns
        self._quoting = quoting
        self._spread = spread
        self._taken = taken

    def of(self, rows: Rows, wanted: Callable[[Post], bool] = lambda post: True) -> tuple[Post, ...]:
        """Return the first few posts that are wanted."""
        return tuple(self._first(rows, wanted))

    def _first(self, rows: Iterable[int], wanted: Callable[[Post], bool]) -> Iterator[Post]:
        found = 0
        columns = self._columns
        fresh = [int(row) for row in rows if int(columns.author[row]) not in self._taken]
        for start in range(0, len(fresh), 50):
            part = fresh[start : start + 50]
            posts = self._quoting.posts([int(columns.match[row]) for row in part])
            for row in part:
                post = posts.get(int(columns.match[row]))
                author = int(columns.author[row])
                if post is None or not post.text or author in self._taken or not wanted(post):
                    continue
                self._taken.add(author)
                yield post
                found += 1
                if found == MOST:
                    return
