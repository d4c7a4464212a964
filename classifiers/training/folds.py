"""The published protocol for English complaints and severity: each post scored by a network that never saw it."""

import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from classifiers.encoder import Encoder
from classifiers.heads import Member
from classifiers.training.data import COMPLAINTS, Example
from classifiers.training.finetune import Plan, Run, finetune, padded
from classifiers.training.network import N_SEVERITIES

N_FOLDS = 10
PLAN = Plan(epochs=3, public_slices=1, frozen=6, batch=32, encoder_rate=3e-4, averaging=0.98, public_weight=1.0)
"""The upper half of the layers, from the encoder as it is: a network for each fold has to be trained."""
_PULL = 0.2
"""Towards nought, of the linear head for severity; weaker or stronger was worse."""
_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the networks said of the public English posts, each of a fold that it did not see."""

    complaint: NDArray[np.int64]
    """(n,): as labelled."""
    said_complaint: NDArray[np.int64]
    severity: NDArray[np.int64]
    """(n,): 1 to 4 for complaints, as labelled; 0 for others."""
    said_severity: NDArray[np.int64]
    """(n,): the likeliest of 1 to 4."""


def public_posts(examples: Sequence[Example]) -> list[Example]:
    """Return each post of the public English complaint sets once, our own labels left out."""
    found = {one.group: one for one in examples if one.public_complaint is not None}
    bare = [replace(one, source=COMPLAINTS, urgency=None, sentiment=None, signals=None) for one in found.values()]
    return sorted(bare, key=lambda one: one.group)


def fold_of(example: Example) -> int:
    """Return the fold of a post: by its text, whatever else is known of it."""
    return int(hashlib.sha256(f"folds-1 {example.group}".encode()).hexdigest()[:8], 16) % N_FOLDS


def cross_validate(
    examples: Sequence[Example], encoder_of: Callable[[], Encoder], start: Member, cache: Path
) -> Predicted:
    """Train a network for each fold on the others and score it; folds found in `cache` are not done again.

    Args:
        examples: what `public_posts` returns.
        encoder_of: makes the encoder to set out from, which has seen none of the posts.
        start: heads to set out from, likewise.
        cache: folder for what was scored.
    """
    logits = np.zeros((len(examples), 1 + N_SEVERITIES), np.float32)
    folds = np.array([fold_of(one) for one in examples])
    identity = hashlib.sha256(repr((PLAN, list(examples))).encode()).hexdigest()[:16]
    for fold in range(N_FOLDS):
        held_out = np.flatnonzero(folds == fold)
        done = cache / f"fold-{identity}-{fold}.npy"
        if not done.exists():
            _report(fold)
            seen = [one for one, own in zip(examples, folds, strict=True) if own != fold]
            network, encoder = _trained(seen, encoder_of, start, cache / f"fold-{identity}-{fold}.pt")
            np.save(done, _public_logits(network, encoder, [examples[row].text for row in held_out.tolist()]))
        logits[held_out] = np.load(done)
    severity = np.array([one.severity or 0 for one in examples])
    return Predicted(
        complaint=np.array([one.public_complaint for one in examples]),
        said_complaint=(logits[:, 0] > 0).astype(np.int64),
        severity=severity,
        said_severity=_severities(encoder_of().embed([one.text for one in examples]), severity, folds),
    )


def _severities(
    features: NDArray[np.float32], severity: NDArray[np.int64], folds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the severity, (n,), that linear heads on the encoder as it is say, each of a fold that it did not see.

    A thousand complaints are too few to fine-tune on: the networks that learned severity beside complaint did worse.
    """
    said = np.zeros(len(severity), np.int64)
    for fold in range(N_FOLDS):
        seen = (folds != fold) & (severity > 0)
        mean, deviation = features[seen].mean(0), features[seen].std(0) + 1e-6
        weight, bias = _linear_head((features[seen] - mean) / deviation, severity[seen] - 1)
        held_out = folds == fold
        said[held_out] = 1 + ((features[held_out] - mean) / deviation @ weight + bias).argmax(1)
    return said


def _linear_head(inputs: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[Any, Any]:
    """Fit a softmax head, each label of equal weight in all."""
    n_labels = N_SEVERITIES - 1
    rows, wanted = torch.from_numpy(inputs), torch.from_numpy(labels)
    counts = torch.bincount(wanted, minlength=n_labels).clamp(min=1)
    weight = torch.zeros(inputs.shape[1], n_labels, requires_grad=True)
    bias = torch.zeros(n_labels, requires_grad=True)
    optimiser: Any = torch.optim.LBFGS([weight, bias], max_iter=150, line_search_fn="strong_wolfe")

    def step() -> Any:
        optimiser.zero_grad()
        loss: Any = cross_entropy(rows @ weight + bias, wanted, len(labels) / (n_labels * counts))
        loss = loss + _PULL * weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(step)
    return weight.detach().numpy(), bias.detach().numpy()


def _trained(seen: list[Example], encoder_of: Callable[[], Encoder], start: Member, state: Path) -> tuple[Any, Encoder]:
    run = Run.begin(encoder_of(), start, PLAN)
    encoder = encoder_of()
    finetune(run, seen, encoder, PLAN, state)
    state.unlink()
    run.network.take(run.average)
    return run.network, encoder


def _public_logits(network: Any, encoder: Encoder, texts: Sequence[str]) -> NDArray[np.float32]:
    parts = []
    with torch.inference_mode():
        for at in range(0, len(texts), _CHUNK):
            _own, public = network(*padded([encoder.tokenize(text) for text in texts[at : at + _CHUNK]], encoder))
            parts.append(public.numpy())
    return np.concatenate(parts)


def _report(fold: int) -> None:

    print(f"fold {fold + 1} of {N_FOLDS}", file=sys.stderr, flush=True)
