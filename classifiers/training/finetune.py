"""Fine-tunes the encoder and the heads together, resumable at any time."""

import hashlib
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits as binary
from torch.nn.functional import cross_entropy

from classifiers.encoder import Encoder
from classifiers.heads import BLOCKS, Member
from classifiers.training.augment import augment
from classifiers.training.data import BENCHMARK, Example
from classifiers.training.network import Network

_SHARES = 2
"""Parts of a batch that are computed at the same time."""
_POOL = 64
"""Batches among which texts of like length are brought together."""
_MINUTES_BETWEEN_SAVES = 3.0
_STEPS_BETWEEN_REPORTS = 50
_STEPS_BETWEEN_AVERAGES = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """How the fine-tuning is done."""

    epochs: int = 3
    public_slices: int = 2
    """Slices of the public sets, of which each epoch reads one."""
    benchmark_slices: int = 1
    """The same for the sentiment benchmark's set."""
    frozen: int = 4
    """Lowest layers that stay as they are."""
    batch: int = 64
    max_tokens: int = 96
    encoder_rate: float = 2e-4
    """Of the uppermost layer."""
    rate_by_layer: float = 0.9
    """What the rate is multiplied by from a layer to the one below."""
    head_rate: float = 5e-4
    weight_decay: float = 0.01
    warm_up: float = 0.06
    last_rate: float = 0.05
    """Share of the rate left at the end."""
    averaging: float = 0.998
    """Decay of the running average of the weights, which is what ships."""
    token_dropout: float = 0.05
    dropout: float = 0.2
    seed: int = 21
    urgent_copies: int = 1
    """Times that a real post of urgency 3 is read in an epoch."""
    steps_weights: tuple[float, float, float] = (0.8, 0.8, 1.4)
    urgency_weight: float = 2.0
    topic_weight: float = 0.7
    signals_weight: float = 4.0
    sentiment_weight: float = 1.0
    public_weight: float = 0.7
    severity_weight: float = 0.5

    def described(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return asdict(self)


PLAN = Plan()


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a fine-tuning made."""

    changes: dict[str, NDArray[np.float32]]
    """What to add to the encoder's weights, by their names."""
    member: Member


@dataclass(slots=True)
class Run:
    """A fine-tuning under way."""

    network: Network
    optimiser: Any
    average: dict[str, Any]
    step: int = 0

    @classmethod
    def begin(cls, encoder: Encoder, start: Member, plan: Plan) -> "Run":
        """Return a run that has not done a step."""
        torch.manual_seed(plan.seed)
        network = Network(encoder, start, plan.dropout, plan.frozen)
        groups = _groups(network, plan)
        optimiser = torch.optim.AdamW(groups, weight_decay=plan.weight_decay, betas=(0.9, 0.98), fused=True)
        return cls(network, optimiser, {name: one.detach().clone() for name, one in network.learning().items()})

    def save(self, path: Path) -> None:
        """Write all that is needed to go on."""
        state = {
            "step": self.step,
            "learning": {name: one.detach() for name, one in self.network.learning().items()},
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
        }
        partial = path.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(path)

    def restore(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        state = torch.load(path, weights_only=True)
        self.network.take(state["learning"])
        self.step, self.average = state["step"], state["average"]
        self.optimiser.load_state_dict(state["optimiser"])


def _groups(network: Network, plan: Plan) -> list[dict[str, Any]]:
    """Return what learns in groups of one rate each: the lower a layer, the slower."""
    layers = list(network.layers[plan.frozen :])
    rates = [plan.encoder_rate * plan.rate_by_layer ** (len(layers) - 1 - number) for number in range(len(layers))]
    parts = [(list(layer.parameters()), rate) for layer, rate in zip(layers, rates, strict=True)]
    heads = [one for part in (network.hidden, network.output, network.public) for one in part.parameters()]
    return [{"params": part, "rate": rate, "lr": rate} for part, rate in [*parts, (heads, plan.head_rate)]]


def fine_tuned(examples: Sequence[Example], encoder: Encoder, start: Member, plan: Plan, cache: Path) -> Tuned:
    """Return what fine-tuning by the plan makes; a run found in `cache` goes on.

    The encoder given is changed for good. Its process should use one thread for each product: the shares of a
    batch are computed at the same time.
    """
    cache.mkdir(parents=True, exist_ok=True)
    run = Run.begin(encoder, start, plan)
    identity = hashlib.sha256(repr((plan, list(examples))).encode())
    state = cache / f"run-{identity.hexdigest()[:16]}.pt"
    if state.exists():
        run.restore(state)
    finetune(run, examples, encoder, plan, state)
    run.network.take(run.average)
    return Tuned(run.network.changes(), run.network.member())


def finetune(run: Run, examples: Sequence[Example], encoder: Encoder, plan: Plan, state: Path) -> None:
    """Do the steps that are left of a run, saving it to `state` every few minutes and at the end."""
    slices = _slices(examples, plan, Random(plan.seed))
    total = sum(-(-len(rows) // plan.batch) for rows in slices)
    if run.step >= total:
        return
    run.network.train()
    begun = saved_at = time.monotonic()
    batches = (batch for epoch, rows in enumerate(slices) for batch in _batches(examples, rows, encoder, plan, epoch))
    with _tiny_numbers_as_zero(), ThreadPoolExecutor(_SHARES) as workers:
        for done, batch in enumerate(islice(batches, run.step, total), 1):
            loss = _step(run, workers, batch, plan, (run.step + 1) / total)
            if run.step % _STEPS_BETWEEN_REPORTS == 0:
                rate = done * plan.batch / (time.monotonic() - begun)
                print(f"step {run.step} of {total}, loss {loss:.3f}, {rate:.0f} posts/s", file=sys.stderr, flush=True)
            if time.monotonic() - saved_at > 60 * _MINUTES_BETWEEN_SAVES:
                run.save(state)
                saved_at = time.monotonic()
    run.save(state)
    run.network.eval()


@contextmanager
def _tiny_numbers_as_zero() -> Iterator[None]:
    """Take subnormal numbers as zero in this thread and those it starts: gradients are full of them, each very slow."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _slices(examples: Sequence[Example], plan: Plan, random: Random) -> list[list[int]]:
    """Return the rows of each epoch: our own labels in every one, of the public sets a different share in each."""
    own = [row for row, one in enumerate(examples) if one.urgency is not None]
    urgent = [row for row in own if examples[row].urgency == 3 and examples[row].source != "authored"]
    rest = [row for row, one in enumerate(examples) if one.urgency is None]
    benchmark = [row for row in rest if examples[row].source == BENCHMARK]
    public = [row for row in rest if examples[row].source != BENCHMARK]
    for rows in (benchmark, public):
        random.shuffle(rows)
    return [
        [
            *own,
            *urgent * (plan.urgent_copies - 1),
            *benchmark[epoch % plan.benchmark_slices :: plan.benchmark_slices],
            *public[epoch % plan.public_slices :: plan.public_slices],
        ]
        for epoch in range(plan.epochs)
    ]


@dataclass(frozen=True, slots=True)
class _Batch:
    ids: Any
    mask: Any
    examples: list[Example]


def _batches(
    examples: Sequence[Example], rows: Sequence[int], encoder: Encoder, plan: Plan, epoch: int
) -> Iterator[list[_Batch]]:
    """Yield the batches of an epoch in shares, texts augmented, those of like length together, in a random order."""
    random = Random(f"{plan.seed} {epoch}")
    order = list(rows)
    random.shuffle(order)
    tokens = [encoder.tokenize(augment(examples[row].text, random)) for row in order]
    size = plan.batch
    groups = []
    for start in range(0, len(order), size * _POOL):
        pool = sorted(range(start, min(start + size * _POOL, len(order))), key=lambda at: len(tokens[at]))
        groups += [pool[first : first + size] for first in range(0, len(pool), size)]
    random.shuffle(groups)
    for group in groups:
        cut = [_thinned(_cut(tokens[at], plan.max_tokens), encoder, plan, random) for at in group]
        own = [examples[order[at]] for at in group]
        shares = [(cut[first::_SHARES], own[first::_SHARES]) for first in range(min(_SHARES, len(group)))]
        yield [_Batch(*padded(share, encoder), labelled) for share, labelled in shares]


def _cut(tokens: list[int], most: int) -> list[int]:
    return tokens if len(tokens) <= most else [*tokens[: most - 1], tokens[-1]]


def _thinned(tokens: list[int], encoder: Encoder, plan: Plan, random: Random) -> list[int]:
    """Replace a few tokens by the unknown one, never the first and last."""
    inner = [encoder.unknown if random.random() < plan.token_dropout else one for one in tokens[1:-1]]
    return [tokens[0], *inner, tokens[-1]]


def padded(rows: list[list[int]], encoder: Encoder) -> tuple[Any, Any]:
    """Return token ids and mask, (posts, longest), of the tokens of some posts."""
    longest = max(map(len, rows))
    ids = torch.tensor([row + [encoder.pad] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1.0] * len(row) + [0.0] * (longest - len(row)) for row in rows])
    return ids, mask


def _step(run: Run, workers: ThreadPoolExecutor, shares: Sequence[_Batch], plan: Plan, progress: float) -> float:
    """Do one step on a batch, its shares computed at once; one thread each beats many threads on one product."""
    for group in run.optimiser.param_groups:
        group["lr"] = group["rate"] * _rate(progress, plan)
    learning = run.network.learning()
    found = list(
        workers.map(lambda number: _gradients(run, learning, number, shares[number], plan), range(len(shares)))
    )
    for number, one in enumerate(learning.values()):
        for _loss, gradients in found[1:]:
            found[0][1][number].add_(gradients[number])
        one.grad = found[0][1][number]
    torch.nn.utils.clip_grad_norm_(learning.values(), 1.0)
    run.optimiser.step()
    run.step += 1
    if run.step % _STEPS_BETWEEN_AVERAGES == 0:
        decay = min(plan.averaging**_STEPS_BETWEEN_AVERAGES, run.step / (run.step + 40))
        with torch.no_grad():
            torch._foreach_lerp_([run.average[name] for name in learning], list(learning.values()), 1 - decay)
    return sum(loss for loss, _gradients in found)


def _gradients(run: Run, learning: dict[str, Any], number: int, share: _Batch, plan: Plan) -> tuple[float, list[Any]]:
    chance: Any = torch.Generator().manual_seed(run.step * _SHARES + number)
    logits, public = run.network(share.ids, share.mask, chance)
    loss = _loss(logits, public, share.examples, plan) * (len(share.examples) / plan.batch)
    return float(loss.detach()), list(torch.autograd.grad(loss, list(learning.values())))


def _rate(progress: float, plan: Plan) -> float:
    """Return the share of the full rate: a linear rise, then half a cosine."""
    if progress < plan.warm_up:
        return progress / plan.warm_up
    fall = (progress - plan.warm_up) / (1 - plan.warm_up)
    return plan.last_rate + (1 - plan.last_rate) * 0.5 * (1 + float(np.cos(np.pi * fall)))


def _loss(logits: Any, public: Any, examples: list[Example], plan: Plan) -> Any:
    """Return the sum of the tasks' losses, each over the examples that carry its label and weighted by their share."""
    loss = (logits.sum() + public.sum()) * 0.0
    own = [row for row, one in enumerate(examples) if one.urgency is not None]
    if own:
        loss = loss + _own_loss(logits[own], [examples[row] for row in own], plan) * (len(own) / len(examples))
    parts: list[tuple[Any, list[int | None], float]] = [
        (logits[:, BLOCKS["sentiment"]], [one.sentiment for one in examples], plan.sentiment_weight),
        (public[:, 1:], [one.severity for one in examples], plan.severity_weight),
    ]
    for columns, labels, weight in parts:
        known = [row for row, label in enumerate(labels) if label is not None]
        if known:
            wanted = torch.tensor([labels[row] for row in known])
            loss = loss + weight * cross_entropy(columns[known], wanted) * (len(known) / len(examples))
    known = [row for row, one in enumerate(examples) if one.public_complaint is not None]
    if known:
        wanted = torch.tensor([float(examples[row].public_complaint or 0) for row in known])
        loss = loss + plan.public_weight * binary(public[known, 0], wanted) * (len(known) / len(examples))
    return loss


def _own_loss(logits: Any, examples: list[Example], plan: Plan) -> Any:
    urgency = torch.tensor([one.urgency for one in examples])
    steps = torch.stack([urgency >= level for level in (1, 2, 3)], dim=1).float()
    signals = torch.tensor([one.signals for one in examples]).float()
    complaint = torch.tensor([one.complaint for one in examples]).float()
    topic = torch.tensor([one.topic for one in examples])
    return (
        binary(logits[:, BLOCKS["complaint"]][:, 0], complaint)
        + plan.urgency_weight * binary(logits[:, BLOCKS["urgency"]], steps, torch.tensor(plan.steps_weights))
        + plan.topic_weight * cross_entropy(logits[:, BLOCKS["topic"]], topic)
        + plan.signals_weight * binary(logits[:, BLOCKS["signals"]], signals)
    )
