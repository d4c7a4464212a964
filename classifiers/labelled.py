"""Other people's sequence-classification checkpoints: what their labels mean for a mention. Knows nothing of heads."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder import load_tokenizer, load_torch_model, longest_text
from listener.config import OtherClassifier, labels_of, read_checkpoint_config
from listener.errors import ModelUnavailableError
from listener.model import TOPICS, Classification, Sentiment, Urgency

_SENTIMENTS = tuple(Sentiment)
_PROBES = ("Thanks!", "The kettle leaks again and nobody answers. " * 40)

Array = NDArray[np.float32]


class LabelledCheckpoint:
    """A sequence-classification checkpoint with the meaning of its labels. Calls from several threads take turns."""

    def __init__(self, options: OtherClassifier, threads: int, *, device: str = "cpu") -> None:
        """Load it; from safetensors alone, and never with code of its own.

        Args:
            options: the checkpoint's folder and what each of its labels means.
            threads: most threads used.
            device: where it runs, as torch names it.

        Raises:
            ModelUnavailableError: a file is missing or cannot be used, or the labels are others than those named.
        """
        folder = Path(options.checkpoint)
        try:
            config = read_checkpoint_config(folder)
            self._labels = labels_of(config)
        except ValueError as error:
            raise ModelUnavailableError(f"{error}; see model.classifiers") from error
        if set(self._labels) != set(options.labels):
            raise ModelUnavailableError(f"the labels of '{folder}' are {', '.join(self._labels)}; name each of them")
        self._meanings = [options.labels[label] for label in self._labels]
        self._outputs = options.outputs
        self._independent = config.get("problem_type") == "multi_label_classification" or len(self._labels) == 1
        self._turn = threading.Lock()
        self._torch, self._model = load_torch_model(folder, threads, labelled=True)
        self._device = device
        self._model.to(device)
        self._tokenizer = load_tokenizer(folder, longest_text(folder))
        self._version = f"{folder.resolve().name}+{_digest(folder)}"
        self._probe(folder)

    @property
    def version(self) -> str:
        """The folder's name with a digest of its weights."""
        return self._version

    def probabilities(self, texts: Sequence[str], batch: int = 32) -> Array:
        """Return what the checkpoint says of texts, float32 (n_texts, n_labels), its labels in their order.

        Rows sum to 1, but where the checkpoint's `problem_type` lets several labels hold at once.
        """
        tokens = [self._tokenizer.encode(text).ids for text in texts]
        found = np.zeros((len(texts), len(self._labels)), dtype=np.float32)
        order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
        with self._turn:
            for start in range(0, len(order), batch):
                rows = order[start : start + batch]
                found[rows] = self._forward([tokens[row] for row in rows])
        return found

    def _probe(self, folder: Path) -> None:
        """Read two texts of unlike length, the longest there can be among them: a checkpoint may load and not run."""
        try:
            tokens = [self._tokenizer.encode(text).ids for text in _PROBES]
            if not tokens[0]:
                raise ValueError("its tokenizer.json makes nothing of a text")
            found = self._forward(tokens)
        # torch's own errors have no common root, and which one comes depends on the architecture.
        except Exception as error:
            raise ModelUnavailableError(f"the checkpoint '{folder}' cannot read a text: {_what(error)}") from error
        if found.shape != (len(_PROBES), len(self._labels)):
            raise ModelUnavailableError(
                f"the checkpoint '{folder}' gives {' x '.join(map(str, found.shape))} numbers for {len(_PROBES)} texts"
                f" and {len(self._labels)} labels"
            )
        if not np.isfinite(found).all():
            raise ModelUnavailableError(f"the checkpoint '{folder}' gives what is no number: its weights are damaged")

    def put_into(self, found: Sequence[Classification], texts: Sequence[str], batch: int = 32) -> list[Classification]:
        """Return classifications of texts with this checkpoint's outputs in place of those given."""
        shares = self.probabilities(texts, batch)
        changed = (replace(one, **self._changes(row)) for one, row in zip(found, shares, strict=True))
        return list(changed)

    def _changes(self, shares: Array) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if "complaint" in self._outputs:
            changes["complaint"] = self._complaint(shares)
        if "urgency" in self._outputs:
            levels = self._spread(shares, "urgency", tuple(Urgency))
            expected = sum(level * share for level, share in enumerate(levels))
            changes |= {"urgency": Urgency(round(expected)), "urgency_probabilities": levels}
        if "sentiment" in self._outputs:
            tones = self._spread(shares, "sentiment", _SENTIMENTS)
            changes |= {"sentiment": _SENTIMENTS[int(np.argmax(tones))], "sentiment_probabilities": tones}
        if "topic" in self._outputs:
            topics = self._spread(shares, "topic", TOPICS)
            best = int(np.argmax(topics))
            changes |= {"topic": TOPICS[best], "topic_probability": topics[best]}
        return changes

    def _complaint(self, shares: Array) -> float:
        """Return the probability of a complaint: the labels' mean, or the highest where several may hold."""
        parts = [float(share) * (meaning.complaint or 0) for share, meaning in zip(shares, self._meanings, strict=True)]
        return min(1.0, max(parts) if self._independent else sum(parts))

    def _spread(self, shares: Array, output: str, values: Sequence[Any]) -> tuple[float, ...]:
        """Return the probability of each value of an output; they sum to 1."""
        totals = dict.fromkeys(values, 0.0)
        for share, meaning in zip(shares, self._meanings, strict=True):
            totals[values[_place(values, getattr(meaning, output))]] += float(share)
        total = sum(totals.values())
        return tuple(one / total if total else 1 / len(values) for one in totals.values())

    def _forward(self, rows: list[list[int]]) -> Array:
        torch = self._torch
        width = max(map(len, rows))
        ids = torch.full((len(rows), width), int(self._model.config.pad_token_id or 0), dtype=torch.long)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        with torch.inference_mode():
            logits = self._model(input_ids=ids.to(self._device), attention_mask=mask.to(self._device)).logits.float()
            shares = logits.sigmoid() if self._independent else logits.softmax(dim=1)
        result: Array = shares.cpu().numpy()
        return result


def _what(error: Exception) -> str:
    if isinstance(error, IndexError):
        return (
            "its tokenizer.json gives numbers beyond its embeddings, or max_position_embeddings in its config.json is"
            f" wrong ({error})"
        )
    return str(error).split("\n", 1)[0] or type(error).__name__


def _place(values: Sequence[Any], value: object) -> int:
    return next(place for place, one in enumerate(values) if one == value)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("model*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:10]
