"""Groups complaints by what they are about, in any language, and knows last week's groups again.

Works on the vectors that `classifiers.cause_space` makes at classification. Knows nothing of texts, brands and weeks.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from classifiers.communities import Graph, communities

Array = NDArray[np.float32]
Labels = NDArray[np.int64]

SAMPLE = 10_000
"""Of more posts than these, so many make the groups, and the rest joins them."""
NEIGHBOURS = 15
RESOLUTION = 1.2
FINE_RESOLUTION = 5.0
"""Of the small communities that groups are put together from."""
SAME = 0.6
"""Cosine from which a small community belongs to a known irritant."""
DRIFT = 0.5
"""Cosine that an irritant's centre keeps from one week to the next, at least."""
TWINS = 0.85
"""Cosine of two groups' centres from which they are one."""
ALIKE = 0.35
"""Cosine of two small communities' centres from which they may be put together."""
COHERENT = 0.25
"""Mean cosine of a group's posts to one another, at least: what is less alike has no one cause."""
NEAR = 0.4
"""Cosine to its group's centre that a post has at least."""
CLEAR = 0.03
"""By so much the nearest centre is nearer than the next; other posts belong nowhere for certain."""
_ROWS = 1024
_ALONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """An irritant of an earlier week."""

    id: int
    centre: Array
    """(d,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Posts about one thing."""

    known: int | None
    """Id of the irritant that it continues."""
    centre: Array
    """(d,), of unit length: what to know it by in a later week."""
    members: Labels
    """Rows, the most typical first."""


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """What belongs together, the greatest group first."""

    labels: Labels
    """(n,): place in `groups`, -1 for posts that are like no others."""
    groups: tuple[Group, ...]


def compact(vectors: Array) -> list[bytes]:
    """Return vectors, float32 (n, d), in half a byte for each column; their lengths are not kept."""
    found = np.ascontiguousarray(vectors, dtype=np.float32)
    found = np.pad(found, ((0, 0), (0, found.shape[1] % 2)))
    greatest = np.maximum(np.abs(found).max(axis=1, keepdims=True, initial=0.0), np.finfo(np.float32).tiny)
    levels = (np.rint(found / greatest * 7) + 8).astype(np.uint8)
    packed = levels[:, ::2] << 4 | levels[:, 1::2]
    return [row.tobytes() for row in packed]


def restore(packed: Sequence[bytes]) -> Array:
    """Return what `compact` packed, float32 (n, d), rows of unit length.

    Args:
        packed: those of another length than most come from another model, and become rows of zeros.
    """
    if not packed:
        return np.zeros((0, 0), dtype=np.float32)
    width = Counter(map(len, packed)).most_common(1)[0][0]
    nothing = b"\x88" * width
    found = np.empty((len(packed), 2 * width), dtype=np.float32)
    for rows in _blocks(len(packed)):  # a week may hold 200,000 of them
        whole = b"".join(row if len(row) == width else nothing for row in packed[rows])
        pairs = np.frombuffer(whole, dtype=np.uint8).reshape(-1, width)
        found[rows, ::2], found[rows, 1::2] = pairs >> 4, pairs & 15
        found[rows] = _unit(found[rows] - 8)
    return found


def nearest(vectors: Array, known: Sequence[Known]) -> list[int | None]:
    """Return the id of the irritant that each post belongs to, None for one that is near none or near two."""
    fitting = [one for one in known if one.centre.shape == vectors.shape[1:]]
    if not fitting:
        return [None] * len(vectors)
    labels = _joined(_as_unit(vectors), _unit(np.stack([one.centre for one in fitting])))
    return [None if label < 0 else fitting[label].id for label in labels.tolist()]


def group(vectors: Array, known: Sequence[Known] = (), *, least: int = 5) -> Grouping:
    """Return which posts belong together: the same for the same input, at a cost that grows linearly.

    Args:
        vectors: float32 (n, d), one row per post; rows of length 0 belong nowhere.
        known: irritants of earlier weeks, each continued by one group at most; those found with another model, whose
            centres are of another width, by none.
        least: fewest posts of a group.
    """
    known = [one for one in known if one.centre.shape == vectors.shape[1:]]
    with _threads().limit(limits=2):
        points = _as_unit(np.asarray(vectors, dtype=np.float32))
        # Copies would be each other's neighbours and no one else's: each text stands once where groups are made.
        different, counts = np.unique(points[_sample(points)], axis=0, return_counts=True)
        centres, names = _centres(different, counts, known, max(1, least))
        labels = _joined(points, centres)
        return _grouping(points, labels, centres, names, known, least)


def _centres(points: Array, counts: Labels, known: Sequence[Known], least: int) -> tuple[Array, list[int | None]]:
    """Return the centres of groups, float32 (k, d), and the ids of irritants that they continue."""
    if not len(points):
        return points, []
    graph = _neighbourhood(points)
    fine = communities(graph, FINE_RESOLUTION)
    owners = _owners(_means(points, fine), known)
    merged, names = _put_together(graph.merged(fine), owners, _sums(points, fine))
    labels, names = _without_twins(points, merged[fine], names)
    kept = np.flatnonzero(np.bincount(labels, weights=counts, minlength=len(names)) >= least)
    means = _means(points, labels)[kept]
    return means, _continued(means, [names[place] for place in kept], known)


def _continued(means: Array, owners: Sequence[int], known: Sequence[Known]) -> list[int | None]:
    """Return the id of the irritant that each group continues: its owner if it is near still, else the nearest left."""
    found: list[int | None] = [None] * len(means)
    if not known or not len(means):
        return found
    likeness = means @ _unit(np.stack([one.centre for one in known])).T
    owned = np.zeros_like(likeness)
    owned[[row for row, one in enumerate(owners) if one >= 0], [one for one in owners if one >= 0]] = 2.0
    likeness = np.where(likeness >= DRIFT, likeness + owned, -1.0)
    for _ in range(min(likeness.shape)):
        row, place = divmod(int(likeness.argmax()), len(known))
        if likeness[row, place] < 0:
            break
        found[row] = known[place].id
        likeness[row], likeness[:, place] = -1.0, -1.0
    return found


def _owners(means: Array, known: Sequence[Known]) -> Labels:
    """Return the place among `known` of the irritant that each small community belongs to, or -1."""
    if not known:
        return np.full(len(means), _ALONE, dtype=np.int64)
    likeness = means @ _unit(np.stack([one.centre for one in known])).T
    nearest = likeness.argmax(axis=1)
    return np.where(likeness.max(axis=1) >= SAME, nearest, _ALONE).astype(np.int64)


def _put_together(graph: Graph, owners: Labels, sums: Array) -> tuple[Labels, list[int]]:
    """Return the group of each small community and the owner of each group: those of two owners never merge.

    Nor do those whose centres are not alike: modularity alone would put all that is left into one.

    Merges what brings the greatest gain of modularity first (Clauset, Newman and Moore, 2004).
    """
    n = len(graph)
    links = np.zeros((n, n))
    links[np.repeat(np.arange(n), np.diff(graph.starts)), graph.targets] = graph.weights
    labels, owner = np.arange(n), owners.copy()
    for one in np.unique(owners[owners >= 0]):
        first, *others = np.flatnonzero(owners == one)
        for other in others:
            _merge(links, labels, int(first), int(other))
            sums[first] += sums[other]
    total = links.sum() or 1.0
    while True:
        degrees = links.sum(axis=1)
        gain = links - RESOLUTION * np.outer(degrees, degrees) / total
        gain[(owner[:, None] >= 0) & (owner[None, :] >= 0)] = 0.0
        centres = _unit(sums)
        gain[centres @ centres.T < ALIKE] = 0.0
        np.fill_diagonal(gain, 0.0)
        root, joining = divmod(int(gain.argmax()), n)
        if gain[root, joining] <= 1e-12:
            break
        owner[root] = max(owner[root], owner[joining])
        owner[joining] = _ALONE
        _merge(links, labels, root, joining)
        sums[root] += sums[joining]
    roots, merged = np.unique(labels, return_inverse=True)
    return merged, [int(one) for one in owner[roots]]


def _without_twins(points: Array, labels: Labels, owners: Sequence[int]) -> tuple[Labels, list[int]]:
    """Return the groups after those that lie in one place are joined: modularity parts even what is all alike."""
    sums, owner, joined = _sums(points, labels), np.array(owners, dtype=np.int64), labels.copy()
    while True:
        centres = _unit(sums)
        likeness = np.triu(centres @ centres.T, 1)
        likeness[(owner[:, None] >= 0) & (owner[None, :] >= 0)] = 0.0
        first, other = divmod(int(likeness.argmax()), len(sums))
        if likeness[first, other] < TWINS:
            break
        sums[first] += sums[other]
        sums[other] = 0.0
        owner[first], owner[other] = max(owner[first], owner[other]), _ALONE
        joined[joined == other] = first
    places, renumbered = np.unique(joined, return_inverse=True)
    return renumbered, [int(one) for one in owner[places]]


def _merge(links: NDArray[np.float64], labels: Labels, first: int, other: int) -> None:
    links[first] += links[other]
    links[:, first] += links[:, other]
    links[other] = 0.0
    links[:, other] = 0.0
    labels[labels == other] = first


def _neighbourhood(points: Array) -> Graph:
    """Return the graph of each post with its nearest, weighted by the square of the cosine."""
    count = min(NEIGHBOURS, len(points) - 1)
    near = np.empty((len(points), count), dtype=np.int64)
    likeness = np.empty((len(points), count), dtype=np.float32)
    for rows in _blocks(len(points)):
        cosines = points[rows] @ points.T
        cosines[np.arange(len(cosines)), np.arange(rows.start, rows.stop)] = -2.0
        nearest = np.argpartition(cosines, len(points) - 1 - count, axis=1)[:, len(points) - count :]
        near[rows], likeness[rows] = nearest, np.take_along_axis(cosines, nearest, axis=1)
    sources = np.repeat(np.arange(len(points)), count)
    targets, weights = near.ravel(), np.clip(likeness.ravel(), 0.0, 1.0).astype(np.float64) ** 2
    held = weights > 0
    sources, targets, weights = sources[held], targets[held], weights[held]
    both = np.concatenate([sources, targets]), np.concatenate([targets, sources])
    return Graph.of(len(points), *both, np.concatenate([weights, weights]))


def _joined(points: Array, centres: Array) -> Labels:
    """Return the nearest centre of each post, -1 where none is near or two are about as near."""
    labels = np.full(len(points), _ALONE, dtype=np.int64)
    if not len(centres):
        return labels
    for rows in _blocks(len(points)):
        cosines = points[rows] @ centres.T
        best = cosines.argmax(axis=1)
        nearest = cosines.max(axis=1)
        cosines[np.arange(len(cosines)), best] = -1.0
        sure = (nearest >= NEAR) & (nearest - cosines.max(axis=1) >= CLEAR)
        labels[rows] = np.where(sure, best, _ALONE)
    return labels


def _grouping(
    points: Array, labels: Labels, centres: Array, names: Sequence[int | None], known: Sequence[Known], least: int
) -> Grouping:
    olds: dict[int | None, Array] = {one.id: one.centre for one in known}
    sizes = np.bincount(labels[labels >= 0], minlength=len(centres))
    coherent = _coherence(points, labels, len(centres)) >= COHERENT
    order = [place for place in np.argsort(-sizes, kind="stable") if sizes[place] >= least and coherent[place]]
    numbers = np.full(len(centres) + 1, _ALONE, dtype=np.int64)
    numbers[order] = np.arange(len(order))
    groups = []
    for place in order:
        rows = np.flatnonzero(labels == place)
        typical = np.argsort(-(points[rows] @ centres[place]), kind="stable")
        groups.append(Group(names[place], _followed(centres[place], olds.get(names[place])), rows[typical]))
    return Grouping(numbers[labels], tuple(groups))


def _coherence(points: Array, labels: Labels, count: int) -> NDArray[np.float64]:
    """Return the mean cosine of each group's posts to one another; 1 for a group of one."""
    sums = np.zeros((count, points.shape[1]))
    for rows in _blocks(len(points)):
        held = labels[rows] >= 0
        np.add.at(sums, labels[rows][held], points[rows][held])
    sizes = np.bincount(labels[labels >= 0], minlength=count).astype(np.float64)
    pairs = sizes * (sizes - 1)
    found: NDArray[np.float64] = np.divide((sums**2).sum(axis=1) - sizes, pairs, out=np.ones(count), where=pairs > 0)
    return found


def _followed(centre: Array, old: Array | None) -> Array:
    """Return what to know a group by: one week's posts are few, so half of it is what it was known by before."""
    if old is None:
        return centre.copy()
    both: Array = _unit((centre + _unit(old[None])[0])[None])[0]
    return both


def _means(points: Array, labels: Labels) -> Array:
    """Return the mean direction of the posts of each label, float32 (k, d)."""
    return _unit(_sums(points, labels))


def _sums(points: Array, labels: Labels) -> Array:
    """Return the sum of the posts of each label, float32 (k, d); every label up to the highest has some."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(int(labels.max()) + 1))
    sums: Array = np.add.reduceat(points[order], starts, axis=0)
    return sums


def _sample(points: Array) -> Labels:
    """Return rows that stand for all: all of them, or an even draw."""
    some = np.flatnonzero(points.any(axis=1))
    if len(some) <= SAMPLE:
        return some
    return np.sort(np.random.default_rng(len(some)).choice(some, SAMPLE, replace=False))


def _unit(vectors: Array) -> Array:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Array = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return unit


def _as_unit(vectors: Array) -> Array:
    """Return vectors with rows of unit length: themselves where they are so already, for they may be many."""
    lengths = np.linalg.norm(vectors, axis=1)
    if np.all((np.abs(lengths - 1) < 1e-5) | (lengths == 0)):
        return vectors
    return _unit(vectors)


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + _ROWS, n)) for start in range(0, n, _ROWS))


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()
