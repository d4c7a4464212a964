"""Fits heads on the features of an encoder, and calibrates logits on examples that nothing was fitted on."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.heads import BLOCKS, N_LOGITS, URGENCY_STEPS, Calibration, Member, Scores
from classifiers.training.data import Example
from listener.model import SIGNALS

Array = NDArray[np.float32]

_UNKNOWN = -1
_PULL = 0.5
"""Towards leaving logits as they are: it decides where hardly any example has the label."""
THRESHOLDS = np.arange(0.15, 0.71, 0.025)


@dataclass(frozen=True, slots=True)
class Settings:
    """How heads are fitted on the encoder as it is; where the fine-tuning starts, and what it is compared with."""

    hidden: int = 256
    epochs: int = 10
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    input_dropout: float = 0.2
    dropout: float = 0.4
    seeds: tuple[int, ...] = (11, 12)
    urgency_weight: float = 2.0
    topic_weight: float = 0.7
    signals_weight: float = 4.0

    def described(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Targets:
    """Labels of n examples as arrays; -1 where a label is not known."""

    complaint: NDArray[np.int64]
    urgency: NDArray[np.int64]
    topic: NDArray[np.int64]
    signals: NDArray[np.int64]
    """(n, 8)."""
    sentiment: NDArray[np.int64]

    @classmethod
    def of(cls, examples: Sequence[Example]) -> "Targets":
        """Return the labels of examples, in order."""
        return cls(
            complaint=_column([example.complaint for example in examples]),
            urgency=_column([example.urgency for example in examples]),
            topic=_column([example.topic for example in examples]),
            signals=np.array([example.signals or (_UNKNOWN,) * len(SIGNALS) for example in examples], dtype=np.int64),
            sentiment=_column([example.sentiment for example in examples]),
        )

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """(n,): whether an example carries our own labels, not sentiment alone."""
        known: NDArray[np.bool_] = self.urgency != _UNKNOWN
        return known


def _column(values: Sequence[int | None]) -> NDArray[np.int64]:
    return np.array([_UNKNOWN if value is None else value for value in values], dtype=np.int64)


def fit_member(features: Array, targets: Targets, rows: NDArray[np.int64], seed: int, settings: Settings) -> Member:
    """Train one network on the given rows."""
    import torch

    torch.manual_seed(seed)
    mean, deviation = features[rows].mean(axis=0), features[rows].std(axis=0) + 1e-6
    inputs = torch.from_numpy((features[rows] - mean) / deviation)
    network: Any = torch.nn.Sequential(
        torch.nn.Dropout(settings.input_dropout),
        torch.nn.Linear(features.shape[1], settings.hidden),
        torch.nn.ReLU(),
        torch.nn.Dropout(settings.dropout),
        torch.nn.Linear(settings.hidden, N_LOGITS),
    )
    _descend(network, inputs, _Labels.of(targets, rows), seed, settings)
    hidden, output = network[1], network[4]
    parameters = [one.detach().numpy() for one in (hidden.weight, hidden.bias, output.weight, output.bias)]
    return Member(mean, deviation, *parameters)


@dataclass(frozen=True, slots=True)
class _Labels:
    """Targets of the rows trained on, as tensors."""

    labelled: Any
    complaint: Any
    steps: Any
    topic: Any
    signals: Any
    sentiment: Any

    @classmethod
    def of(cls, targets: Targets, rows: NDArray[np.int64]) -> "_Labels":
        import torch

        steps = np.stack([targets.urgency[rows] >= level for level in range(1, URGENCY_STEPS + 1)], axis=1)
        return cls(
            labelled=torch.from_numpy(targets.labelled[rows]),
            complaint=torch.from_numpy(targets.complaint[rows]).float()[:, None],
            steps=torch.from_numpy(steps).float(),
            topic=torch.from_numpy(targets.topic[rows]),
            signals=torch.from_numpy(targets.signals[rows]).float(),
            sentiment=torch.from_numpy(targets.sentiment[rows]),
        )


def _descend(network: Any, inputs: Any, labels: _Labels, seed: int, settings: Settings) -> None:
    import torch

    order: Any = torch.Generator().manual_seed(seed)
    per_epoch = -(-len(inputs) // settings.batch)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=per_epoch * settings.epochs + 1, pct_start=0.1
    )
    network.train()
    for _epoch in range(settings.epochs):
        shuffled: Any = torch.randperm(len(inputs), generator=order)
        for rows in shuffled.split(settings.batch):
            optimiser.zero_grad()
            _loss(network(inputs[rows]), rows, labels, settings).backward()
            optimiser.step()
            schedule.step()
    network.eval()


def _loss(logits: Any, rows: Any, labels: _Labels, settings: Settings) -> Any:
    """Return the sum of the tasks' losses, each over the examples that carry its label and weighted by their share."""
    from torch.nn.functional import binary_cross_entropy_with_logits as binary
    from torch.nn.functional import cross_entropy

    loss = logits.sum() * 0.0
    ours = labels.labelled[rows]
    if ours.any():
        own, at = logits[ours], rows[ours]
        tasks = (
            binary(own[:, BLOCKS["complaint"]], labels.complaint[at])
            + settings.urgency_weight * binary(own[:, BLOCKS["urgency"]], labels.steps[at])
            + settings.topic_weight * cross_entropy(own[:, BLOCKS["topic"]], labels.topic[at])
            + settings.signals_weight * binary(own[:, BLOCKS["signals"]], labels.signals[at])
        )
        loss = loss + tasks * ours.float().mean()
    toned = labels.sentiment[rows] != _UNKNOWN
    if toned.any():
        tone = cross_entropy(logits[toned][:, BLOCKS["sentiment"]], labels.sentiment[rows[toned]])
        loss = loss + tone * toned.float().mean()
    return loss


def fit_members(features: Array, targets: Targets, rows: NDArray[np.int64], settings: Settings) -> tuple[Member, ...]:
    """Train one network per seed on the given rows."""
    return tuple(fit_member(features, targets, rows, seed, settings) for seed in settings.seeds)


def calibrate(logits: Array, targets: Targets) -> Calibration:
    """Return the calibration that makes probabilities truest on logits, float32 (n, 28), of unseen examples."""
    scale, shift = np.ones(N_LOGITS, dtype=np.float32), np.zeros(N_LOGITS, dtype=np.float32)
    own = np.flatnonzero(targets.labelled)
    steps = np.stack([targets.urgency >= level for level in range(1, URGENCY_STEPS + 1)], axis=1)
    binary = {"complaint": targets.complaint[:, None], "urgency": steps, "signals": targets.signals}
    for task, truth in binary.items():
        for number, column in enumerate(range(*BLOCKS[task].indices(N_LOGITS))):
            scale[column], shift[column] = _platt(logits[own, column], truth[own, number].astype(np.float32))
    toned = np.flatnonzero((targets.sentiment != _UNKNOWN) & ~targets.labelled)
    for task, truth, known in (("topic", targets.topic, own), ("sentiment", targets.sentiment, toned)):
        scale[BLOCKS[task]] = _temperature(logits[known][:, BLOCKS[task]], truth[known])
    return Calibration(scale, shift)


def _platt(logits: Array, truth: Array) -> tuple[float, float]:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, softplus

    inputs, wanted = torch.from_numpy(logits).double(), torch.from_numpy(truth).double()
    # softplus keeps the order of the scores whatever the data.
    parameters = torch.tensor([0.5413, 0.0], dtype=torch.double, requires_grad=True)

    def loss() -> Any:
        scale, shift = softplus(parameters[0]), parameters[1]
        fit = binary_cross_entropy_with_logits(scale * inputs + shift, wanted)
        return fit + _PULL / len(inputs) * (scale.log().square() + shift.square())

    _minimise(parameters, loss)
    fitted = parameters.detach()
    return float(softplus(fitted[0])), float(fitted[1])


def _temperature(logits: Array, truth: NDArray[np.int64]) -> float:
    import torch
    from torch.nn.functional import cross_entropy, softplus

    inputs, wanted = torch.from_numpy(logits).double(), torch.from_numpy(truth)
    parameter = torch.tensor([0.5413], dtype=torch.double, requires_grad=True)
    _minimise(parameter, lambda: cross_entropy(softplus(parameter) * inputs, wanted))
    return float(softplus(parameter.detach()))


def _minimise(parameters: Any, loss_of: Callable[[], Any]) -> None:
    import torch

    optimiser: Any = torch.optim.LBFGS([parameters], max_iter=100, line_search_fn="strong_wolfe")

    def step() -> Any:
        optimiser.zero_grad()
        loss = loss_of()
        loss.backward()
        return loss

    optimiser.step(step)


def best_thresholds(scores: Scores, targets: Targets) -> Array:
    """Return, (8,), the probability from which asserting each signal gives the best F1 on unseen examples."""
    rows = np.flatnonzero(targets.labelled)
    return np.array([_best(scores.signals[rows, k], targets.signals[rows, k]) for k in range(len(SIGNALS))], np.float32)


def _best(probabilities: Array, truth: NDArray[np.int64]) -> float:
    def f1(threshold: float) -> float:
        asserted = probabilities >= threshold
        hits = int((asserted & (truth == 1)).sum())
        return 2 * hits / max(1, int(asserted.sum()) + int(truth.sum()))

    return float(max(THRESHOLDS, key=f1))
