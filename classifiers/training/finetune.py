"""Fine-tunes the encoder with low-rank adapters and one network of heads together, resumable at any time."""

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
from classifiers.training.data import Example
from classifiers.training.lora import attach

N_SEVERITIES = 5
_SHARES = 2
"""Parts of a batch that are computed at the same time."""
_POOL = 64
"""Batches among which texts of like length are brought together."""
_MINUTES_BETWEEN_SAVES = 3.0
_STEPS_BETWEEN_REPORTS = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """How the fine-tuning is done."""

    rank: int = 32
    epochs: int = 4
    steps: int | None = None
    """Steps after which to stop, the rates falling as if all epochs were done; None for all."""
    public_slices: int = 4
    """Slices of the public sets, of which each epoch reads one."""
    batch: int = 32
    max_tokens: int = 96
    adapter_rate: float = 1e-3
    head_rate: float = 5e-4
    weight_decay: float = 0.01
    warm_up: float = 0.06
    last_rate: float = 0.05
    """Share of the rate left at the end."""
    averaging: float = 0.995
    """Decay of the running average of the weights, which is what ships."""
    token_dropout: float = 0.05
    dropout: float = 0.2
    seed: int = 21
    urgent_copies: int = 2
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


PLANS = (Plan(), Plan(epochs=2, seed=22, steps=915))
"""The second sets out from the averaged weights of the first, at full rates again."""


class Network(torch.nn.Module):
    """An encoder with adapters and, on its pooled layers, the heads."""

    def __init__(self, encoder: Encoder, start: Member, plan: Plan) -> None:
        super().__init__()
        self.encoder = encoder.model
        self.layers = encoder.layers
        for module in self.encoder.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        self.adapters = attach(self.encoder, plan.rank)
        self.mean, self.deviation = torch.from_numpy(start.mean), torch.from_numpy(start.deviation)
        self.hidden = _linear(start.hidden_weight, start.hidden_bias)
        self.output = _linear(start.output_weight, start.output_bias)
        self.public = torch.nn.Linear(self.hidden.out_features, 1 + N_SEVERITIES)
        self.dropout = plan.dropout

    def forward(self, ids: Any, mask: Any, chance: Any) -> tuple[Any, Any]:
        """Return logits, (n, 28), and those of the public sets' tasks, (n, 6), dropping features by `chance`."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        weights = mask.unsqueeze(-1).float()
        means = [(hidden[layer] * weights).sum(1) / weights.sum(1) for layer in self.layers]
        inputs = (torch.cat(means, dim=1) - self.mean) / self.deviation
        inner = self._dropped(self.hidden(self._dropped(inputs, chance)).relu(), chance)
        return self.output(inner), self.public(inner)

    def _dropped(self, values: Any, chance: Any) -> Any:
        kept = torch.rand(values.shape, generator=chance) >= self.dropout
        return values * kept / (1 - self.dropout)

    def learning(self) -> dict[str, Any]:
        """Return what learns, by name."""
        return {name: one for name, one in self.named_parameters() if one.requires_grad}

    def member(self, values: dict[str, Any]) -> Member:
        """Return the heads with the given values of what learns."""
        names = ("hidden.weight", "hidden.bias", "output.weight", "output.bias")
        return Member(self.mean.numpy(), self.deviation.numpy(), *(values[name].numpy() for name in names))

    def changes(self, values: dict[str, Any]) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Return the down and up matrices of every adapted layer, by the layer's name."""
        by_module = {id(module): name for name, module in self.named_modules()}
        prefixes = {name: by_module[id(adapter)] for name, adapter in self.adapters.items()}
        return {name: (values[f"{at}.down"].numpy(), values[f"{at}.up"].numpy()) for name, at in prefixes.items()}


def _linear(weight: NDArray[np.float32], bias: NDArray[np.float32]) -> torch.nn.Linear:
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data, layer.bias.data = torch.from_numpy(weight.copy()), torch.from_numpy(bias.copy())
    return layer


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a fine-tuning made."""

    changes: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
    """Down and up matrices by the layer's name."""
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
        return cls.of(Network(encoder, start, plan), plan)

    @classmethod
    def of(cls, network: Network, plan: Plan) -> "Run":
        """Return a run that sets out from a network as it stands."""
        learning = network.learning()
        adapter = [one for name, one in learning.items() if name.startswith("encoder.")]
        heads = [one for name, one in learning.items() if not name.startswith("encoder.")]
        groups = [{"params": adapter, "rate": plan.adapter_rate}, {"params": heads, "rate": plan.head_rate}]
        optimiser = torch.optim.AdamW(groups, lr=plan.adapter_rate, weight_decay=plan.weight_decay)
        return cls(network, optimiser, {name: one.detach().clone() for name, one in learning.items()})

    def following(self, plan: Plan) -> "Run":
        """Return a further run, which sets out from the averaged weights of this one."""
        for name, one in self.network.learning().items():
            one.data.copy_(self.average[name])
        return Run.of(self.network, plan)

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
        for name, one in self.network.learning().items():
            one.data.copy_(state["learning"][name])
        self.step, self.average = state["step"], state["average"]
        self.optimiser.load_state_dict(state["optimiser"])


def fine_tuned(
    examples: Sequence[Example], encoder: Encoder, start: Member, plans: Sequence[Plan], cache: Path
) -> Tuned:
    """Return what fine-tuning by the plans, one after the other, makes; runs found in `cache` go on.

    The encoder given is changed for good. Its process should use one thread for each product: the shares of a
    batch are computed at the same time.
    """
    cache.mkdir(parents=True, exist_ok=True)
    run = Run.begin(encoder, start, plans[0])
    for number, plan in enumerate(plans):
        run = run.following(plan) if number else run
        identity = hashlib.sha256(repr((plans[: number + 1], list(examples))).encode())
        state = cache / f"run-{identity.hexdigest()[:16]}.pt"
        if state.exists():
            run.restore(state)
        finetune(run, examples, encoder, plan, state)
    return Tuned(run.network.changes(run.average), run.network.member(run.average))


def finetune(run: Run, examples: Sequence[Example], encoder: Encoder, plan: Plan, state: Path) -> None:
    """Do the steps that are left of a run, saving it to `state` every few minutes and at the end."""
    slices = _slices(examples, plan, Random(plan.seed))
    total = sum(-(-len(rows) // plan.batch) for rows in slices)
    last = min(total, plan.steps or total)
    if run.step >= last:
        return
    run.network.train()
    saved_at = time.monotonic()
    batches = (batch for epoch, rows in enumerate(slices) for batch in _batches(examples, rows, encoder, plan, epoch))
    with _tiny_numbers_as_zero(), ThreadPoolExecutor(_SHARES) as workers:
        for batch in islice(batches, run.step, last):
            loss = _step(run, workers, batch, plan, (run.step + 1) / total)
            if run.step % _STEPS_BETWEEN_REPORTS == 0:
                print(f"step {run.step} of {last}, loss {loss:.3f}", file=sys.stderr, flush=True)
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
    public = [row for row, one in enumerate(examples) if one.urgency is None]
    random.shuffle(public)
    return [
        [*own, *urgent * (plan.urgent_copies - 1), *public[epoch :: plan.public_slices]] for epoch in range(plan.epochs)
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
        yield [_Batch(*_padded(share, encoder), labelled) for share, labelled in shares]


def _cut(tokens: list[int], most: int) -> list[int]:
    return tokens if len(tokens) <= most else [*tokens[: most - 1], tokens[-1]]


def _thinned(tokens: list[int], encoder: Encoder, plan: Plan, random: Random) -> list[int]:
    """Replace a few tokens by the unknown one, never the first and last."""
    inner = [encoder.unknown if random.random() < plan.token_dropout else one for one in tokens[1:-1]]
    return [tokens[0], *inner, tokens[-1]]


def _padded(rows: list[list[int]], encoder: Encoder) -> tuple[Any, Any]:
    longest = max(map(len, rows))
    ids = torch.tensor([row + [encoder.pad] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


def _step(run: Run, workers: ThreadPoolExecutor, shares: Sequence[_Batch], plan: Plan, progress: float) -> float:
    """Do one step on a batch, its shares computed at once; one thread each beats many threads on one product."""
    for group in run.optimiser.param_groups:
        group["lr"] = group["rate"] * _rate(progress, plan)
    learning = run.network.learning()
    found = list(
        workers.map(lambda number: _gradients(run, learning, number, shares[number], plan), range(len(shares)))
    )
    for name, one in learning.items():
        one.grad = sum((gradients[name] for _loss, gradients in found[1:]), found[0][1][name])
    torch.nn.utils.clip_grad_norm_(learning.values(), 1.0)
    run.optimiser.step()
    run.step += 1
    decay = min(plan.averaging, run.step / (run.step + 10))
    with torch.no_grad():
        for name, one in learning.items():
            run.average[name].lerp_(one, 1 - decay)
    return sum(loss for loss, _gradients in found)


def _gradients(
    run: Run, learning: dict[str, Any], number: int, share: _Batch, plan: Plan
) -> tuple[float, dict[str, Any]]:
    chance: Any = torch.Generator().manual_seed(run.step * _SHARES + number)
    logits, public = run.network(share.ids, share.mask, chance)
    loss = _loss(logits, public, share.examples, plan) * (len(share.examples) / plan.batch)
    gradients = torch.autograd.grad(loss, list(learning.values()), allow_unused=True)
    whole = {
        name: torch.zeros_like(one) if gradient is None else gradient
        for (name, one), gradient in zip(learning.items(), gradients, strict=True)
    }
    return float(loss.detach()), whole


def _rate(progress: float, plan: Plan) -> float:
    """Return the share of the full rate: a linear rise, then half a cosine."""
    if progress < plan.warm_up:
        return progress / plan.warm_up
    fall = (progress - plan.warm_up) / (1 - plan.warm_up)
    return plan.last_rate + (1 - plan.last_rate) * 0.5 * (1 + float(np.cos(np.pi * fall)))


def _loss(logits: Any, public: Any, examples: list[Example], plan: Plan) -> Any:
    """Return the sum of the tasks' losses, each over the examples that carry its label and weighted by their share."""
    loss = logits.sum() * 0.0
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
