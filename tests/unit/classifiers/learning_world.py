"""Small heads with an evaluation set that they do well on, and people with a rule of their own."""

from dataclasses import replace

import numpy as np

from classifiers.heads import BLOCKS, N_LOGITS, Calibration, Heads
from classifiers.held_out import HeldOut, Labelled, logits_of
from classifiers.learning import TASKS, Evidence, columns_of, scores_of
from tests.unit.classifiers.test_heads import HIDDEN, random_member

WIDTH = 2 * HIDDEN
KIND = 2
N_POSTS, N_ANCHORS = 300, 200


def small_heads() -> Heads:
    random = np.random.default_rng(8)
    scale, shift = random.uniform(0.5, 2.0, N_LOGITS), random.normal(size=N_LOGITS) * 0.2
    members = (random_member(1), random_member(2))
    calibration = Calibration(scale.astype(np.float32), shift.astype(np.float32))
    heads = Heads(members, calibration, np.full(8, 0.4, np.float32), (6, 12), "heads-2+0000000000")
    # About as many logits above nought as below.
    middle = logits_of(heads, some_hidden(500, 9)).mean(axis=0)
    return replace(heads, calibration=Calibration(calibration.scale, calibration.shift - middle))


def some_hidden(n: int, seed: int) -> np.ndarray:
    """What a hidden layer could hold; a sixth of the posts are of a kind that one of its units tells."""
    random = np.random.default_rng(seed)
    hidden = np.maximum(random.normal(size=(n, WIDTH)) * 4, 0)
    hidden[:, KIND] = np.where(random.random(n) < 1 / 6, 12.0, hidden[:, KIND] / 8)
    return hidden.astype(np.float32)


def is_of_kind(hidden: np.ndarray) -> np.ndarray:
    """Posts that are no complaints to people here."""
    kind: np.ndarray = hidden[:, KIND] > 6.0
    return kind


def labels_by(heads: Heads, hidden: np.ndarray, languages: tuple[str, ...] | None = None) -> Labelled:
    """Labels drawn by the heads' own probabilities, so that these are true."""
    scores = scores_of(logits_of(heads, hidden))
    n = len(hidden)
    random = np.random.default_rng(4)

    def drawn(shares: np.ndarray) -> np.ndarray:
        found: np.ndarray = (random.random((len(shares), 1)) > shares.cumsum(axis=1)[:, :-1]).sum(axis=1)
        return found

    return Labelled(
        complaint=(random.random(n) < scores.complaint).astype(np.int64),
        urgency=drawn(scores.urgency),
        topic=drawn(scores.topic),
        sentiment=drawn(scores.sentiment),
        signals=(random.random(scores.signals.shape) < scores.signals).astype(np.int64),
        languages=languages or tuple("fr" if row % 2 else "en" for row in range(n)),
        origins=("x",) * n,
        lengths=np.full(n, 80),
    )


def small_held_out(heads: Heads) -> HeldOut:
    # Where the posts come from that nothing was fitted on, the kind that people here see otherwise is rare.
    posts, anchors = rarely_of_kind(N_POSTS, 6), rarely_of_kind(N_ANCHORS, 7)
    return HeldOut(heads.version, posts, labels_by(heads, posts), anchors)


def rarely_of_kind(n: int, seed: int) -> np.ndarray:
    hidden = some_hidden(2 * n, seed)
    return hidden[~is_of_kind(hidden) | (np.arange(len(hidden)) % 20 == 0)][:n]


def evidence(hidden: np.ndarray, heads: Heads, corrected: np.ndarray, **columns: np.ndarray) -> Evidence:
    """Corrections where `corrected`, and alerts left standing elsewhere; of the tasks named in `columns` alone."""
    logits = logits_of(heads, hidden)
    targets = {task: np.zeros((len(hidden), columns_of(task))) for task in TASKS}
    weights = {task: np.zeros(len(hidden)) for task in TASKS}
    for task, column in columns.items():
        model = 1 / (1 + np.exp(-logits[:, BLOCKS[task]]))
        targets[task] = np.where(corrected[:, None], column.reshape(len(hidden), -1), np.rint(model))
        weights[task][:] = 1.0
    return Evidence(hidden, targets, weights, corrected)
