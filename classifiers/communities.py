"""Parts the nodes of a weighted graph into communities, the same for the same graph. Knows nothing of posts."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_LOOKS = 50
"""So often each node is looked at, at most and on average; real graphs need three to ten."""
_LEAST_GAIN = 1e-12


@dataclass(frozen=True, slots=True)
class Graph:
    """An undirected graph; every edge stands at both of its ends, an edge from a node to itself once, doubled."""

    starts: NDArray[np.int64]
    """(n + 1,): node i's edges are those from starts[i] to starts[i + 1]."""
    targets: NDArray[np.int64]
    weights: NDArray[np.float64]

    @classmethod
    def of(
        cls, n: int, sources: NDArray[np.int64], targets: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> "Graph":
        """Return the graph of some directed edges; those between the same two nodes are added up."""
        keys, place = np.unique(sources.astype(np.int64) * n + targets, return_inverse=True)
        starts = np.searchsorted(keys, np.arange(n + 1, dtype=np.int64) * n)
        added = np.bincount(place, weights=weights, minlength=len(keys)).astype(np.float64)
        return cls(starts, keys % n, added)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def merged(self, labels: NDArray[np.int64]) -> "Graph":
        """Return the graph whose nodes are the communities of this one, numbered from 0 without gaps."""
        sources = np.repeat(np.arange(len(self)), np.diff(self.starts))
        return Graph.of(int(labels.max()) + 1, labels[sources], labels[self.targets], self.weights)


def communities(graph: Graph, resolution: float = 1.0) -> NDArray[np.int64]:
    """Return each node's community, int (n,), numbered by first node: the Louvain method (Blondel et al., 2008).

    Args:
        graph: without nodes whose weights are all 0, or these stand alone.
        resolution: the higher, the smaller the communities.
    """
    labels = np.arange(len(graph), dtype=np.int64)
    while len(graph):
        moved = _numbered(_moved(graph, resolution))
        labels = moved[labels]
        if int(moved.max()) + 1 == len(graph):
            break
        graph = graph.merged(moved)
    return _numbered(labels)


def _numbered(labels: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels renumbered in the order in which they first come."""
    _, first, place = np.unique(np.asarray(labels, dtype=np.int64), return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    numbered: NDArray[np.int64] = rank[place]
    return numbered


def _moved(graph: Graph, resolution: float) -> list[int]:
    """Return communities after each node has moved to the best of its neighbours' until none gains by it."""
    # Plain lists: reading single numbers from arrays costs several times more.
    starts, targets, weights = graph.starts.tolist(), graph.targets.tolist(), graph.weights.tolist()
    degrees = np.add.reduceat(np.append(graph.weights, 0.0), graph.starts[:-1]) * (np.diff(graph.starts) > 0)
    degree, total = degrees.tolist(), float(degrees.sum()) or 1.0
    mass, community = list(degree), list(range(len(graph)))
    waiting, is_waiting = deque(range(len(graph))), [True] * len(graph)
    for _ in range(MOST_LOOKS * len(graph)):
        if not waiting:
            break
        node = waiting.popleft()
        is_waiting[node] = False
        neighbours, own = range(starts[node], starts[node + 1]), community[node]
        links = {own: 0.0}
        for edge in neighbours:
            if targets[edge] != node:
                there = community[targets[edge]]
                links[there] = links.get(there, 0.0) + weights[edge]
        mass[own] -= degree[node]
        share = resolution * degree[node] / total
        best, best_gain = own, links[own] - share * mass[own] + _LEAST_GAIN
        for there, weight in links.items():
            gain = weight - share * mass[there]
            if gain > best_gain:
                best, best_gain = there, gain
        mass[best] += degree[node]
        if best == own:
            continue
        community[node] = best
        for edge in neighbours:
            other = targets[edge]
            if community[other] != best and not is_waiting[other]:
                is_waiting[other] = True
                waiting.append(other)
    return community
