"""Learns from what people corrected: a small change of the shipped heads' output layer, held to the shipped model.

The change of one task's calibrated logits is linear in the leading principal components of the hidden layer. It has a
normal prior around no change, whose width cross-validation over the corrections chooses, none included; and on
anchors, posts that nobody corrected, it is drawn towards what the shipped model says of them.

Knows nothing of texts, stores or files.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
WIDTH_PER_TEXT = 0.01
"""Widest prior per text corrected: ten corrections may move the model a little, three hundred as far as they go."""
COMPONENTS = 64
"""Principal components read; with all 256 nothing was gained on held-out posts."""
ANCHOR_WEIGHT = 0.2
"""Of an anchor beside a correction. At 1.0 three hundred corrections hardly showed, at 0.03 ten spoilt the model."""
SHARES = (1.0, 0.75, 0.5, 0.25)
"""Of a change that is kept where the whole would spoil the shipped evaluation set."""
FOLDS = 5
FEWEST = 5
"""With fewer different posts corrected in a task nothing is learned of it."""
CONFIDENCE = 0.9
"""Share of resamples in which the corrections must be met better than before."""
MOST_FALLS = 0.2
"""Share of resamples in which a figure of the shipped evaluation set may fall by more than its tolerance."""
TOLERANCES: Mapping[str, float] = {
    "complaint F1": 0.02,
    "complaint recall": 0.05,
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
    share: float
    """Of the change that is kept; less than 1 where the whole would spoil the model elsewhere."""
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
    report = report or _silent
    trials = {task: _trials(task, space, evidence, report, place) for place, task in enumerate(TASKS)}
    choices = {}
    for task, trial in trials.items():
        report("weighing what was learned", 1.0)
        choices[task] = _best(trial)
    gentler: list[str] = []
    while True:
        report("weighing what was learned", 1.0)
        shipped = _compared(held_out, space, trials, choices)
        worse = _worse(shipped)
        if not worse or not any(choices.values()):
            break
        gentler += worse.values()
        for task in [task for task in worse if choices[task]] or TASKS:
            choices[task] = _gentler(trials[task], choices[task])
    results = tuple(_result(trials[task], choices[task], bool(gentler)) for task in TASKS)
    delta = _delta(space, evidence, trials, choices) if any(choices.values()) else None
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
class _Choice:
    """How much of which change: the width's place in WIDTHS, and the share of the change that is kept."""

    place: int
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class _Trial:
    """One task, cross-validated at every width of the prior."""

    task: str
    rows: Rows
    """Rows of the evidence that say something of the task."""
    corrected: NDArray[np.bool_]
    weights: Floats
    target: Floats
    base: Floats
    """(rows, columns): calibrated logits of the shipped model."""
    changed: Floats
    """(widths, rows, columns): what is added to them."""
    posts_changed: Floats
    """(widths, posts, columns): what is added to those of the evaluation set's posts."""

    def logits(self, choice: _Choice | None) -> Floats:
        """Return the rows' logits by models that had not seen them."""
        return self.base if choice is None else self.base + choice.share * self.changed[choice.place]

    def gains(self, choice: _Choice | None, over: _Choice | None = None) -> Floats:
        """Return the mean gain over another choice: of the rows as they are, then in each resample."""
        drawn = np.vstack([np.ones(len(self.rows)), resampled(len(self.rows))]) * self.weights
        before, after = (_loss(self.task, self.logits(one), self.target) for one in (over, choice))
        gain: Floats = drawn @ (before - after) / np.maximum(drawn.sum(1), 1e-12)
        return gain


def _trials(task: str, space: _Space, evidence: Evidence, report: Report, place: int) -> _Trial:
    """Fit the task without each fold at every width; score the fold's evidence and the evaluation set's posts."""
    rows = np.flatnonzero(evidence.weights[task] > 0)
    block = BLOCKS[task]
    weights, corrected = evidence.weights[task][rows], evidence.corrected[rows]
    inputs, base = space.read(evidence.hidden[rows]), logits_of(space.heads, evidence.hidden[rows])[:, block]
    target = evidence.targets[task][rows]
    changed = np.zeros((len(WIDTHS), *base.shape))
    posts_changed = np.zeros((len(WIDTHS), len(space.posts), base.shape[1]))
    if corrected.sum() >= FEWEST:
        folds = _folds(corrected)
        for fold in range(FOLDS):
            report("learning", (place + fold / FOLDS) / len(TASKS))
            out, held = folds == fold, space.post_folds == fold
            known = _Task(task, inputs[~out], base[~out], target[~out], weights[~out])
            for at, found in enumerate(_fit(known, space, ~held, WIDTHS)):
                changed[at, out] = inputs[out] @ found
                posts_changed[at, held] = space.posts[held] @ found
    return _Trial(task, rows, corrected, weights, target, base.astype(np.float64), changed, posts_changed)


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


def _best(trial: _Trial) -> _Choice | None:
    """Return the narrowest prior whose loss is within one standard error of the least, if it surely helps."""
    if trial.corrected.sum() < FEWEST:
        return None
    allowed = [place for place, width in enumerate(WIDTHS) if width <= trial.corrected.sum() * WIDTH_PER_TEXT]
    choices = [None, *map(_Choice, allowed)]
    means = [float(trial.gains(choice)[0]) for choice in choices]
    best = int(np.argmax(means))
    for choice in choices[:best]:
        behind = trial.gains(choices[best], over=choice)
        if behind[0] <= behind[1:].std():
            return _kept(trial, choice)
    return _kept(trial, choices[best])


def _kept(trial: _Trial, choice: _Choice | None) -> _Choice | None:
    """Return the choice, or None where it does not surely meet the corrections better."""
    surely = choice is not None and np.quantile(trial.gains(choice)[1:], 1 - CONFIDENCE) > 0
    return choice if surely else None


def _gentler(trial: _Trial, choice: _Choice | None) -> _Choice | None:
    """Return the next smaller share of a change; None after the least."""
    if choice is None or choice.share == SHARES[-1]:
        return None
    return _kept(trial, replace(choice, share=SHARES[SHARES.index(choice.share) + 1]))


def _compared(
    held_out: HeldOut, space: _Space, trials: Mapping[str, _Trial], choices: Mapping[str, _Choice | None]
) -> list[Change]:
    after = space.post_logits.copy()
    for task, choice in choices.items():
        if choice is not None:
            after[:, BLOCKS[task]] += choice.share * trials[task].posts_changed[choice.place]
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


def _result(trial: _Trial, choice: _Choice | None, guarded: bool) -> TaskResult:
    said, chosen, target = trial.corrected, trial.weights, trial.target
    counts = int(said.sum()), int((~said).sum())
    because = _because(counts[0], choice, guarded)
    if not len(trial.rows):
        return TaskResult(trial.task, 0, 0, None, 0, 0, 0, Interval(0, 0, 0), 0, 0, 0, 0, because)
    drawn = trial.gains(choice)
    low, high = np.quantile(drawn[1:], [0.025, 0.975])
    losses = [_loss(trial.task, trial.logits(one), target) for one in (None, choice)]
    right = [_right(trial.task, trial.logits(one), target) for one in (None, choice)]
    return TaskResult(
        trial.task,
        *counts,
        width=None if choice is None else WIDTHS[choice.place],
        share=0.0 if choice is None else choice.share,
        loss_before=float(np.average(losses[0], weights=chosen)),
        loss_after=float(np.average(losses[1], weights=chosen)),
        gain=Interval(float(drawn[0]), float(low), float(high)),
        right_before=_share(right[0][said]),
        right_after=_share(right[1][said]),
        kept_before=_share(right[0][~said]),
        kept_after=_share(right[1][~said]),
        because=because,
    )


def _share(right: NDArray[np.bool_]) -> float:
    return float(right.mean()) if len(right) else 0.0


def _because(corrected: int, choice: _Choice | None, guarded: bool) -> str:
    if choice is not None:
        whole = "" if choice.share == 1 else f", {choice.share:.0%} of the change kept"
        return "corrections it had not seen are met better" + whole
    if not corrected:
        return "nobody corrected it"
    if corrected < FEWEST:
        return f"{corrected} different post{'s' if corrected > 1 else ''} corrected, {FEWEST} are needed"
    if guarded:
        return "what would meet the corrections better spoils the model elsewhere"
    return "no change surely meets corrections better that it had not seen"


def _delta(
    space: _Space, evidence: Evidence, trials: Mapping[str, _Trial], choices: Mapping[str, _Choice | None]
) -> Delta:
    """Fit the chosen changes on everything."""
    weight = np.zeros((N_LOGITS, len(space.mean)))
    shift = np.zeros(N_LOGITS)
    for task, choice in choices.items():
        if choice is None:
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
        found = _fit(known, space, np.ones(len(space.posts), dtype=bool), WIDTHS[: choice.place + 1])[-1] * choice.share
        weight[block] = (space.basis @ found[:-1]).T
        shift[block] = found[-1] - space.mean @ space.basis @ found[:-1]
    return Delta(weight.astype(np.float32), shift.astype(np.float32))


def columns_of(task: str) -> int:
    """Return how many columns a task's target has."""
    return {"complaint": 1, "urgency": 3, "topic": len(TOPICS), "sentiment": len(Sentiment)}[task]


def _silent(_step: str, _share: float) -> None:
    """Report to nobody."""
