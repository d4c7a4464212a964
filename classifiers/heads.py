"""Turns an encoder's features into calibrated probabilities with small trained heads. Knows nothing of text."""

import hashlib
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from listener.errors import ModelUnavailableError
from listener.model import SIGNALS, TOPICS, Sentiment

Array = NDArray[np.float32]

WEIGHTS = Path(__file__).parent / "weights"
TENSORS_FILE = "heads.safetensors"
METADATA_FILE = "heads.json"
FORMAT = 2
URGENCY_STEPS = 3
"""Urgency is told by three questions: at least low, at least medium, high."""
BLOCKS = {
    "complaint": slice(0, 1),
    "urgency": slice(1, 4),
    "topic": slice(4, 4 + len(TOPICS)),
    "signals": slice(17, 17 + len(SIGNALS)),
    "sentiment": slice(25, 25 + len(Sentiment)),
}
"""Columns of the logits by task."""
N_LOGITS = 28


@dataclass(frozen=True, slots=True)
class Scores:
    """Calibrated probabilities of n texts, all float32."""

    complaint: Array
    """(n,)."""
    urgency: Array
    """(n, 4), rows sum to 1."""
    topic: Array
    """(n, 13), rows sum to 1, columns as TOPICS."""
    signals: Array
    """(n, 8), columns as SIGNALS, each a probability of its own."""
    sentiment: Array
    """(n, 3), rows sum to 1, columns as Sentiment."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns logits into probabilities that mean what they say: `scale * logit + shift`, by column."""

    scale: Array
    """(28,); one value per task where the task is one choice among several."""
    shift: Array
    """(28,)."""

    def apply(self, logits: Array) -> Scores:
        """Return the probabilities for logits, float32 (n, 28)."""
        adjusted = logits * self.scale + self.shift
        return Scores(
            complaint=_sigmoid(adjusted[:, BLOCKS["complaint"]])[:, 0],
            urgency=_from_steps(_sigmoid(adjusted[:, BLOCKS["urgency"]])),
            topic=_softmax(adjusted[:, BLOCKS["topic"]]),
            signals=_sigmoid(adjusted[:, BLOCKS["signals"]]),
            sentiment=_softmax(adjusted[:, BLOCKS["sentiment"]]),
        )


@dataclass(frozen=True, slots=True)
class Member:
    """One network of the ensemble: a hidden layer and an output layer, inputs standardised."""

    mean: Array
    deviation: Array
    hidden_weight: Array
    """(hidden, features)."""
    hidden_bias: Array
    output_weight: Array
    """(28, hidden)."""
    output_bias: Array

    def logits(self, features: Array) -> Array:
        """Return logits, float32 (n, 28), for features, float32 (n, features)."""
        with _one_thread():
            result: Array = self.hidden(features) @ self.output_weight.T + self.output_bias
        return result

    def slope(self, features: Array, direction: Array) -> Array:
        """Return how a sum of logits, each times its part of `direction` (28,), rises with one text's features."""
        hidden = self.hidden_weight @ ((features - self.mean) / self.deviation) + self.hidden_bias
        passed = (direction @ self.output_weight) * (hidden > 0)
        return np.asarray((passed @ self.hidden_weight) / self.deviation, dtype=np.float32)

    def hidden(self, features: Array) -> Array:
        """Return what the hidden layer makes of features, float32 (n, hidden)."""
        with _one_thread():
            result = (features - self.mean) / self.deviation @ self.hidden_weight.T + self.hidden_bias
        return np.maximum(result, np.float32(0))


@dataclass(frozen=True, slots=True)
class Heads:
    """The trained heads with what they were trained on top of."""

    members: tuple[Member, ...]
    calibration: Calibration
    thresholds: Array
    """(8,): probability from which a signal is asserted."""
    layers: tuple[int, ...]
    """Hidden layers of the encoder whose means make the features."""
    version: str
    adapter: str | None = None
    """SHA-256 of the encoder's adapter that they were trained with; None for the encoder as it is."""

    @property
    def n_features(self) -> int:
        """Columns of the features that the heads read."""
        return int(self.members[0].mean.shape[0])

    def score(self, features: Array) -> Scores:
        """Return the probabilities for features, float32 (n, features)."""
        return self.calibration.apply(self.logits(features))

    def logits(self, features: Array) -> Array:
        """Return the members' mean logits, float32 (n, 28)."""
        total = sum((member.logits(features) for member in self.members), np.zeros((len(features), N_LOGITS)))
        return np.asarray(total / len(self.members), dtype=np.float32)

    def slope(self, features: Array, direction: Array) -> Array:
        """Return the gradient of `direction` (28,) times the logits, at one text's features, float32 (n_features,)."""
        slopes = [member.slope(features, direction) for member in self.members]
        return np.asarray(np.mean(slopes, axis=0), dtype=np.float32)

    def hidden(self, features: Array) -> Array:
        """Return the members' hidden layers side by side, float32 (n, hidden of all members)."""
        return np.concatenate([member.hidden(features) for member in self.members], axis=1)


def load_heads(folder: Path = WEIGHTS) -> Heads:
    """Read trained heads from a folder.

    Raises:
        ModelUnavailableError: a file is missing, damaged, or not of this format.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        metadata = json.loads((folder / METADATA_FILE).read_text("utf-8"))
        tensors = load_file(folder / TENSORS_FILE)
        return _assembled(metadata, tensors, _digest(folder / TENSORS_FILE))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        raise ModelUnavailableError(
            f"cannot use the classifier's heads in {folder}: {error}; restore {TENSORS_FILE} and {METADATA_FILE} there"
        ) from error


def save_heads(heads: Heads, metadata: dict[str, Any], folder: Path) -> str:
    """Write heads and what is known of their making to a folder, and return the version that they load with."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"member.{number}.{name}": getattr(member, name).astype(np.float16 if "weight" in name else np.float32)
        for number, member in enumerate(heads.members)
        for name in Member.__dataclass_fields__
    }
    calibration = {"scale": heads.calibration.scale, "shift": heads.calibration.shift, "thresholds": heads.thresholds}
    save_file({**tensors, **calibration}, folder / TENSORS_FILE)
    (folder / TENSORS_FILE).chmod(0o644)
    shape = {"format": FORMAT, "members": len(heads.members), "layers": list(heads.layers), "adapter": heads.adapter}
    shape["tensors"] = _digest(folder / TENSORS_FILE)
    labels = {"topics": list(TOPICS), "signals": list(SIGNALS), "sentiments": [str(one) for one in Sentiment]}
    text = json.dumps({**shape, **labels, **metadata}, indent=1, ensure_ascii=False, sort_keys=True)
    (folder / METADATA_FILE).write_text(text + "\n", "utf-8")
    return load_heads(folder).version


def _assembled(metadata: dict[str, Any], tensors: dict[str, Any], digest: str) -> Heads:
    if metadata["format"] != FORMAT:
        raise ValueError(f"format {metadata['format']}, this program reads {FORMAT}")
    if (metadata["topics"], metadata["signals"]) != (list(TOPICS), list(SIGNALS)):
        raise ValueError("labels other than this program's")
    if metadata["tensors"] != digest:
        raise ValueError(f"{TENSORS_FILE} is not the file that {METADATA_FILE} was written with")
    members = tuple(
        Member(**{name: tensors[f"member.{number}.{name}"].astype(np.float32) for name in Member.__dataclass_fields__})
        for number in range(metadata["members"])
    )
    adapter = metadata["adapter"]
    if not (adapter is None or isinstance(adapter, str)):
        raise ValueError("no digest of an adapter")
    version = hashlib.sha256(f"{digest} {adapter}".encode()).hexdigest()[:10]
    return Heads(
        members=members,
        calibration=Calibration(tensors["scale"], tensors["shift"]),
        thresholds=tensors["thresholds"],
        layers=tuple(metadata["layers"]),
        version=f"heads-{FORMAT}+{version}",
        adapter=adapter,
    )


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def _one_thread() -> AbstractContextManager[Any]:
    """Keep numpy to one thread: it would take every core for products this small."""
    limit: AbstractContextManager[Any] = _controller().limit(limits=1)
    return limit


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _from_steps(steps: Array) -> Array:
    """Return probabilities of four levels, (n, 4), from those of reaching levels 1 to 3, made non-increasing."""
    reached = np.minimum.accumulate(steps, axis=1)
    bounds = np.concatenate([np.ones_like(reached[:, :1]), reached, np.zeros_like(reached[:, :1])], axis=1)
    levels: Array = bounds[:, :-1] - bounds[:, 1:]
    return levels


def _sigmoid(logits: Array) -> Array:
    result: Array = (0.5 * (1.0 + np.tanh(0.5 * logits))).astype(np.float32)
    return result


def _softmax(logits: Array) -> Array:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Array = (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32)
    return result
