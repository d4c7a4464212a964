"""Learns from what people corrected: a small change of the shipped heads' output layer, held to the shipped model.

The change of one task's calibrated logits is linear in the leading principal components of the hidden layer. It has a
normal prior around no change, whose width cross-validation over the corrections chooses, none included; and on
anchors, posts that nobody corrected, it is drawn towards what the shipped model says of them.

Knows nothing of texts, stores or files.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.heads import BLOCKS, N_LOGITS, Calibration, Heads, Scores
from classifiers.held_out import HeldOut, logits_of
from classifiers.judging import FIGURES, Change, changes, resampled
from classifiers.learned import Delta
from classifiers.training.measures import Interval
from listener.model import TOPICS, Sentiment

Array = NDArray[np.float32]
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Report = Callable[[str, float], None]

TASKS = ("complaint", "urgency", "topic", "sentiment")
WIDTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
"""Widths of the prior that are tried, in units of a logit over an ordinary distance between posts."""
COMPONENTS = 64
"""Principal components read; with all 256 nothing was gained on held-out posts."""
ANCHOR_WEIGHT = 0.2
"""Of an anchor beside a correction. At 1.0 three hundred corrections hardly showed, at 0.03 ten spoilt the model."""
FOLDS = 5
FEWEST = 5
"""With fewer different posts corrected in a task nothing is learned of it."""
CONFIDENCE = 0.9
"""Share of resamples in which the corrections must be met better than before."""
MOST_FALLS = 0.2
"""Share of resamples in which a figure of the shipped evaluation set may fall by more than its tolerance."""
TOLERANCES: Mapping[str, float] = {
    "complaint F1": 0.02,
    "urgency kappa": 0.02,
    "urgency 3 found at 5 % false alarms": 0.05,
    "topic accuracy": 0.02,
    "sentiment accuracy": 0.02,
}
LANGUAGE_TOLERANCE = 0.05
LANGUAGE_FIGURES = ("complaint F1", "urgency kappa", "topic accuracy")
FEWEST_OF_LANGUAGE = 60
_SEED = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """What people said of n posts, each different text once."""

    hidden: Array
    """(n, hidden)."""
    targets: Mapping[str, Floats]
    """By task, (n, columns): shares in [0, 1], since people may disagree. Urgency as its three steps."""
    weights: Mapping[str, Floats]
    """By task, (n,): how much the row says; nought where it says nothing."""
    corrected: NDArray[np.bool_]
    """(n,): whether people said it; else they let an alert stand."""

    def __len__(self) -> int:
        return len(self.hidden)


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How one task's corrections are met by models that had not seen them."""

    task: str
    corrected: int
    standing: int
    width: float | None
    """Of the prior; None where nothing is learned."""
    loss_before: float
    loss_after: float
    gain: Interval
    """Of the mean loss, positive where it fell."""
    right_before: float
    right_after: float
    """Share of the corrected posts of which the model says what people said."""
    kept_before: float
    kept_after: float
    """The same share of the posts whose alerts were left standing."""
    because: str


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of learning: the change, or None with the reason."""

    delta: Delta | None
    tasks: tuple[TaskResult, ...]
    shipped: tuple[Change, ...]
    """Figures of the shipped evaluation set, all posts and by language, before and after."""
    gentler: tuple[str, ...]
    """Why a stronger change was given up."""

    @property
    def reason(self) -> str:
        """Why nothing is to be installed; empty where something is."""
        if self.delta is not None:
            return ""
        return "; ".join(f"{one.task}: {one.because}" for one in self.tasks)


def learn(heads: Heads, held_out: HeldOut, evidence: Evidence, report: Report | None = None) -> Learned:
    """Return the change that meets the corrections better and spoils nothing, or why there is none.

    Whatever is measured was not fitted on: the posts of the evaluation set too are dealt into the folds, and a fold's
    posts are scored by the model whose anchors they were not.

    Args:
        heads: the shipped ones.
        held_out: their evaluation set.
        evidence: corrections, and alerts left standing.
        report: told what is done and how far it is.
    """
    space = _Space.of(heads, held_out)
    trials = {task: _trials(task, space, evidence, report or _silent, place) for place, task in enumerate(TASKS)}
    levels = {task: _best_level(trial) for task, trial in trials.items()}
    gentler: list[str] = []
    while True:
        shipped = _compared(held_out, space, trials, levels)
        worse = _worse(shipped)
        if not worse or not any(levels.values()):
            break
        gentler += worse.values()
        for task in [task for task in worse if levels[task]] or TASKS:
            levels[task] = _kept(trials[task], max(0, levels[task] - 1))
    results = tuple(_result(trials[task], levels[task], bool(gentler)) for task in TASKS)
    delta = _delta(space, evidence, trials, levels) if any(levels.values()) else None
    return Learned(delta, results, tuple(shipped), tuple(dict.fromkeys(gentler)))


@dataclass(frozen=True, slots=True)
class _Space:
    """Components of the hidden layer that a change reads, and the anchors in them."""

    heads: Heads
    mean: Floats
    basis: Floats
    """(hidden, components), scaled so that an ordinary post lies at distance 1 from the mean."""
    anchors: Floats
    anchor_logits: Floats
    posts: Floats
    """The evaluation set's, which are anchors too."""
    post_logits: Floats
    post_folds: Rows

    @classmethod
    def of(cls, heads: Heads, held_out: HeldOut) -> "_Space":
        mean = held_out.anchors.mean(axis=0).astype(np.float64)
        centred = held_out.anchors - mean
        spread, directions = np.linalg.eigh(centred.T @ centred / len(centred))
        basis = directions[:, ::-1][:, :COMPONENTS] / np.sqrt(max(float(spread.sum()), 1e-12))
        folds = np.random.default_rng(_SEED).permutation(len(held_out.hidden)) % FOLDS
        anchors, posts = (_read(hidden, mean, basis) for hidden in (held_out.anchors, held_out.hidden))
        anchor_logits, post_logits = (
            logits_of(heads, hidden).astype(np.float64) for hidden in (held_out.anchors, held_out.hidden)
        )
        return cls(heads, mean, basis, anchors, anchor_logits, posts, post_logits, folds)

    def read(self, hidden: Array) -> Floats:
        """Return components with a column of ones, (n, components + 1)."""
        return _read(hidden, self.mean, self.basis)


def _read(hidden: Array, mean: Floats, basis: Floats) -> Floats:
    return np.hstack([(hidden - mean) @ basis, np.ones((len(hidden), 1))])


@dataclass(frozen=True, slots=True)
class _Trial:
    """One task, cross-validated at every width of the prior. Level 0 is no change, level k the k-th width."""

    task: str
    rows: Rows
    """Rows of the evidence that say something of the task."""
    corrected: NDArray[np.bool_]
    weights: Floats
    losses: Floats
    """(levels, rows)."""
    right: NDArray[np.bool_]
    """(levels, rows)."""
    post_logits: Floats
    """(levels, posts, columns)."""

    def gains(self, level: int, over: int = 0) -> Floats:
        """Return the mean gain over another level: of the rows as they are, then in each resample."""
        drawn = np.vstack([np.ones(len(self.rows)), resampled(len(self.rows))]) * self.weights
        gain: Floats = drawn @ (self.losses[over] - self.losses[level]) / np.maximum(drawn.sum(1), 1e-12)
        return gain


def _trials(task: str, space: _Space, evidence: Evidence, report: Report, place: int) -> _Trial:
    """Fit the task without each fold at every width; score the fold's evidence and the evaluation set's posts."""
    rows = np.flatnonzero(evidence.weights[task] > 0)
    block = BLOCKS[task]
    weights, corrected = evidence.weights[task][rows], evidence.corrected[rows]
    inputs, base = space.read(evidence.hidden[rows]), logits_of(space.heads, evidence.hidden[rows])[:, block]
    target = evidence.targets[task][rows]
    logits = np.repeat(base[None].astype(np.float64), len(WIDTHS) + 1, axis=0)
    posts = np.repeat(space.post_logits[None, :, block], len(WIDTHS) + 1, axis=0)
    if corrected.sum() >= FEWEST:
        folds = _folds(corrected)
        for fold in range(FOLDS):
            report("learning", (place + fold / FOLDS) / len(TASKS))
            out, held = folds == fold, space.post_folds == fold
            known = _Task(task, inputs[~out], base[~out], target[~out], weights[~out])
            for level, found in enumerate(_fit(known, space, ~held, WIDTHS), start=1):
                logits[level, out] += inputs[out] @ found
                posts[level, held] += space.posts[held] @ found
    losses = np.array([_loss(task, one, target) for one in logits])
    right = np.array([_right(task, one, target) for one in logits])
    return _Trial(task, rows, corrected, weights, losses, right, posts)


def _folds(corrected: NDArray[np.bool_]) -> Rows:
    """Deal corrected rows and others evenly, each for themselves."""
    folds = np.zeros(len(corrected), dtype=np.int64)
    for kind in (corrected, ~corrected):
        at = np.flatnonzero(kind)
        folds[at] = np.random.default_rng(_SEED).permutation(len(at)) % FOLDS
    return folds


@dataclass(frozen=True, slots=True)
class _Task:
    """What one fit sees of the evidence."""

    task: str
    inputs: Floats
    base: Array
    target: Floats
    weights: Floats


def _fit(known: _Task, space: _Space, anchoring: NDArray[np.bool_], widths: Sequence[float]) -> list[Floats]:
    """Return the change, (components + 1, columns), at each width, each found from the one before.

    Args:
        known: the evidence.
        space: with the anchors.
        anchoring: (posts,), which posts of the evaluation set are anchors.
        widths: rising.
    """
    import torch

    block = BLOCKS[known.task]
    anchors = np.vstack([space.anchors, space.posts[anchoring]])
    anchor_logits = np.vstack([space.anchor_logits[:, block], space.post_logits[anchoring][:, block]])
    inputs = torch.from_numpy(np.vstack([known.inputs, anchors]))
    base = torch.from_numpy(np.vstack([known.base, anchor_logits]))
    target = torch.from_numpy(np.vstack([known.target, probabilities(known.task, anchor_logits)]))
    weights = torch.from_numpy(np.concatenate([known.weights, np.full(len(anchors), ANCHOR_WEIGHT)]))
    change = torch.zeros((inputs.shape[1], base.shape[1]), dtype=torch.double, requires_grad=True)
    found = []
    for width in widths:
        _descend(change, partial(_objective, known.task, change, inputs, base, target, weights, width))
        found.append(change.detach().numpy().copy())
    return found


def _objective(task: str, change: Any, inputs: Any, base: Any, target: Any, weights: Any, width: float) -> Any:
    loss = _torch_loss(task, base + inputs @ change, target)
    return (weights * loss).sum() + 0.5 * change.square().sum() / width**2


def _descend(change: Any, loss_of: Callable[[], Any]) -> None:
    import torch

    optimiser: Any = torch.optim.LBFGS([change], max_iter=60, tolerance_grad=1e-4, line_search_fn="strong_wolfe")

    def step() -> Any:
        optimiser.zero_grad()
        loss = loss_of()
        loss.backward()
        return loss

    optimiser.step(step)


def _torch_loss(task: str, logits: Any, target: Any) -> Any:
    """Return the loss of each row: cross-entropy of one choice, or the sum over questions."""
    from torch.nn.functional import binary_cross_entropy_with_logits as binary
    from torch.nn.functional import cross_entropy

    if _is_choice(task):
        return cross_entropy(logits, target, reduction="none")
    return binary(logits, target, reduction="none").sum(1)


def _loss(task: str, logits: Floats, target: Floats) -> Floats:
    import torch

    found: Floats = _torch_loss(task, torch.from_numpy(logits), torch.from_numpy(target)).numpy()
    return found


def _right(task: str, logits: Floats, target: Floats) -> NDArray[np.bool_]:
    """Return whether the model says what most people said."""
    if _is_choice(task):
        found: NDArray[np.bool_] = logits.argmax(1) == target.argmax(1)
        return found
    said = np.rint(probabilities(task, logits).sum(1))
    right: NDArray[np.bool_] = said == np.rint(target.sum(1))
    return right


def _is_choice(task: str) -> bool:
    return task in ("topic", "sentiment")


def probabilities(task: str, logits: Floats) -> Floats:
    """Return the probabilities of one task's calibrated logits, (n, columns): of urgency, those of its steps."""
    if not _is_choice(task):
        return 0.5 * (1 + np.tanh(0.5 * logits))
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = shifted / shifted.sum(axis=1, keepdims=True)
    return shares


def _best_level(trial: _Trial) -> int:
    """Return the narrowest prior whose loss is within one standard error of the least, if it surely helps."""
    if trial.corrected.sum() < FEWEST:
        return 0
    means = [float(trial.gains(level)[0]) for level in range(len(WIDTHS) + 1)]
    best = int(np.argmax(means))
    for level in range(best + 1):
        behind = trial.gains(best, over=level)
        if behind[0] <= behind[1:].std():
            return _kept(trial, level)
    return _kept(trial, best)


def _kept(trial: _Trial, level: int) -> int:
    """Return the level, or 0 where it does not surely meet the corrections better."""
    return level if level and np.quantile(trial.gains(level)[1:], 1 - CONFIDENCE) > 0 else 0


def _compared(
    held_out: HeldOut, space: _Space, trials: Mapping[str, _Trial], levels: Mapping[str, int]
) -> list[Change]:
    after = space.post_logits.copy()
    for task, level in levels.items():
        after[:, BLOCKS[task]] = trials[task].post_logits[level]
    before, later = (scores_of(logits) for logits in (space.post_logits, after))
    found = changes("all", np.arange(len(before.complaint)), held_out.labels, before, later)
    named = np.array(held_out.labels.languages)
    for language in sorted(set(held_out.labels.languages)):
        rows = np.flatnonzero(named == language)
        if len(rows) >= FEWEST_OF_LANGUAGE:
            own = changes(language, rows, held_out.labels, before, later)
            found += [one for one in own if one.figure in LANGUAGE_FIGURES]
    return found


def scores_of(logits: NDArray[Any]) -> Scores:
    """Return the probabilities of logits that are calibrated already, (n, 28)."""
    plain = Calibration(np.ones(N_LOGITS, np.float32), np.zeros(N_LOGITS, np.float32))
    return plain.apply(logits.astype(np.float32))


def _worse(shipped: Sequence[Change]) -> dict[str, str]:
    """Return in words what falls too far on the shipped evaluation set, by the task that it is about."""
    found: dict[str, str] = {}
    for one in shipped:
        if one.kind == "all":
            allowed = TOLERANCES.get(one.figure)
            fallen = allowed is not None and float(np.nanmean(one.drawn < -allowed)) > MOST_FALLS
        else:
            fallen = one.gain.value < -LANGUAGE_TOLERANCE and one.gain.high < 0
        if fallen:
            where = "" if one.kind == "all" else f" in {one.kind}"
            text = f"{one.figure}{where} would fall from {one.before.value:.3f} to {one.after.value:.3f}"
            found.setdefault(FIGURES[one.figure][0], text)
    return found


def _result(trial: _Trial, level: int, guarded: bool) -> TaskResult:
    said, chosen = trial.corrected, trial.weights
    counts = int(said.sum()), int((~said).sum())
    if not len(trial.rows):
        return TaskResult(trial.task, 0, 0, None, 0, 0, Interval(0, 0, 0), 0, 0, 0, 0, "nobody corrected it")
    drawn = trial.gains(level)
    low, high = np.quantile(drawn[1:], [0.025, 0.975])
    return TaskResult(
        trial.task,
        *counts,
        width=WIDTHS[level - 1] if level else None,
        loss_before=float(np.average(trial.losses[0], weights=chosen)),
        loss_after=float(np.average(trial.losses[level], weights=chosen)),
        gain=Interval(float(drawn[0]), float(low), float(high)),
        right_before=_share(trial.right[0][said]),
        right_after=_share(trial.right[level][said]),
        kept_before=_share(trial.right[0][~said]),
        kept_after=_share(trial.right[level][~said]),
        because=_because(counts[0], level, guarded),
    )


def _share(right: NDArray[np.bool_]) -> float:
    return float(right.mean()) if len(right) else 0.0


def _because(corrected: int, level: int, guarded: bool) -> str:
    if level:
        return "corrections it had not seen are met better"
    if not corrected:
        return "nobody corrected it"
    if corrected < FEWEST:
        return f"{corrected} different posts corrected, {FEWEST} are needed"
    if guarded:
        return "what would meet the corrections better spoils the model elsewhere"
    return "no change surely meets corrections better that it had not seen"


def _delta(space: _Space, evidence: Evidence, trials: Mapping[str, _Trial], levels: Mapping[str, int]) -> Delta:
    """Fit the chosen changes on everything."""
    weight = np.zeros((N_LOGITS, len(space.mean)))
    shift = np.zeros(N_LOGITS)
    for task, level in levels.items():
        if not level:
            continue
        rows, block = trials[task].rows, BLOCKS[task]
        hidden = evidence.hidden[rows]
        known = _Task(
            task,
            space.read(hidden),
            logits_of(space.heads, hidden)[:, block],
            evidence.targets[task][rows],
            evidence.weights[task][rows],
        )
        found = _fit(known, space, np.ones(len(space.posts), dtype=bool), WIDTHS[:level])[-1]
        weight[block] = (space.basis @ found[:-1]).T
        shift[block] = found[-1] - space.mean @ space.basis @ found[:-1]
    return Delta(weight.astype(np.float32), shift.astype(np.float32))


def columns_of(task: str) -> int:
    """Return how many columns a task's target has."""
    return {"complaint": 1, "urgency": 3, "topic": len(TOPICS), "sentiment": len(Sentiment)}[task]


def _silent(_step: str, _share: float) -> None:
    """Report to nobody."""
