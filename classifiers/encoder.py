"""Turns texts into features with a multilingual encoder, offline. Knows nothing of labels."""

import copy
import json
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from classifiers.adapter import Adapter
from classifiers.checkpoint import CHARACTERS, Progress, build_checkpoint, is_whole, packaged_weights, read_weights
from listener.errors import ModelUnavailableError

__all__ = [
    "Encoder",
    "Progress",
    "TextEncoder",
    "TokenFeatures",
    "build_checkpoint",
    "is_whole",
    "packaged_weights",
    "read_weights",
]

PREFIX = "query: "
"""The model was trained with this before every text."""
MAX_TOKENS = 192
"""Longer posts are cut here: one in a hundred real posts is longer, and cost grows with the square."""

Precision = Literal["float32", "bfloat16"]
Device = Literal["cpu", "cuda"]
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TokenFeatures:
    """What the encoder makes of each token of one text."""

    ids: tuple[int, ...]
    """Token numbers: the lower, the commoner, as tokenizers number their pieces by frequency."""
    spans: tuple[tuple[int, int], ...]
    """Where each token stands in the text, as characters [start, end); start equals end where it stands nowhere."""
    states: NDArray[np.float32]
    """(n_tokens, n_features); the mean over tokens is the text's row of `TextEncoder.embed`."""


class TextEncoder(ABC):
    """A checkpoint, loaded: what every backend gives, and what all share. Calls from several threads take turns."""

    def __init__(self, checkpoint: Path, layers: Sequence[int]) -> None:
        """Load the tokenizer.

        Args:
            checkpoint: a folder with tokenizer.json.
            layers: hidden layers whose mean over tokens makes the features, in this order.

        Raises:
            ModelUnavailableError: the tokenizer is missing or cannot be used.
        """
        self._turn = threading.Lock()
        self._layers = tuple(layers)
        self._characters = _read_characters(checkpoint / CHARACTERS)
        self._tokenizer = load_tokenizer(checkpoint, longest_text(checkpoint))

    @property
    def layers(self) -> tuple[int, ...]:
        """Hidden layers whose means make the features."""
        return self._layers

    @property
    def unknown(self) -> int:
        """Token that stands for what the vocabulary lacks."""
        return int(self._tokenizer.token_to_id("<unk>") or 0)

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Columns of what `embed` returns."""

    @property
    def precise(self) -> "TextEncoder | None":
        """The same encoder in float32, to be asked where a decision is close; None where this one is in float32."""
        return None

    def embed(self, texts: Sequence[str], batch: int = 32) -> Array:
        """Return the features of texts, float32 (n_texts, n_features), in the order given.

        Args:
            texts: any text; an empty one has features too.
            batch: most texts that go through the model together.
        """
        features = np.zeros((len(texts), self.n_features), dtype=np.float32)
        tokens = [self.tokenize(text) for text in texts]
        with self._turn:
            for rows in self._batches([len(ids) for ids in tokens], batch):
                features[rows] = self._means([tokens[row] for row in rows])
        return features

    def token_features(self, texts: Sequence[str], batch: int = 32) -> list[TokenFeatures]:
        """Return, for each text in order, its tokens' places and their hidden states of the chosen layers.

        Args:
            texts: any text; an empty one has tokens too, which stand nowhere in it.
            batch: most texts that go through the model together.
        """
        encodings = [self._tokenizer.encode(self._prepare(text)) for text in texts]
        found: dict[int, TokenFeatures] = {}
        with self._turn:
            for rows in self._batches([len(encoding.ids) for encoding in encodings], batch):
                states = self._states([encodings[row].ids for row in rows])
                for place, row in enumerate(rows):
                    spans = _spans_in(texts[row], encodings[row].offsets, self._characters)
                    found[row] = TokenFeatures(tuple(encodings[row].ids), spans, states[place, : len(spans)].copy())
        return [found[row] for row in range(len(texts))]

    def tokenize(self, text: str) -> list[int]:
        """Return the token ids of one text as the model reads it: prefixed, cut to `MAX_TOKENS`."""
        ids: list[int] = self._tokenizer.encode(self._prepare(text)).ids
        return ids

    def _prepare(self, text: str) -> str:
        return (PREFIX + text).translate(self._characters)

    def _batches(self, lengths: Sequence[int], batch: int) -> Iterator[list[int]]:
        """Yield row numbers in batches of like length, so that little of a batch is padding."""
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        for start in range(0, len(order), max(1, batch)):
            yield order[start : start + max(1, batch)]

    @abstractmethod
    def _means(self, rows: list[list[int]]) -> Array:
        """Return the features of texts as token ids, float32 (n, n_features)."""

    @abstractmethod
    def _states(self, rows: list[list[int]]) -> Array:
        """Return the chosen layers' states of texts as token ids, float32 (n, longest, n_features)."""


class Encoder(TextEncoder):
    """The encoder in torch: the reference in float32, coarser in bfloat16."""

    def __init__(
        self,
        checkpoint: Path,
        threads: int | None = None,
        *,
        layers: Sequence[int] = (-1,),
        precision: Precision = "float32",
        adapter: Adapter | None = None,
        device: Device = "cpu",
    ) -> None:
        """Load a checkpoint folder.

        Args:
            checkpoint: a folder with config.json, model.safetensors and tokenizer.json.
            threads: most threads used; the number of cores where None.
            layers: hidden layers whose mean over tokens makes the features, in this order; -1 is the last.
            precision: float32 gives the same features in any batch to about 1e-6. bfloat16 is several times faster
                where the processor multiplies it in hardware, and equal only to about two digits.
            adapter: change of the weights by fine-tuning, merged into them once.
            device: where the model runs.

        Raises:
            ModelUnavailableError: a file is missing or cannot be used, or the adapter belongs to another encoder.
        """
        super().__init__(checkpoint, layers)
        self._torch, self._model = load_torch_model(checkpoint, threads or os.cpu_count() or 1)
        count = int(self._model.config.num_hidden_layers)
        if max(layers) > count:
            raise ModelUnavailableError(f"{checkpoint} has {count} layers, and layer {max(layers)} is asked for")
        if adapter is not None:
            adapter.merge_into(self._model)
        self._device = device
        self._model.to(device)
        self._used = self._model
        self._precise: Encoder | None = None
        if precision == "bfloat16":
            self._precise = copy.copy(self)
            self._used = _in_bfloat16(self._model, self._torch)

    @property
    def model(self) -> Any:
        """The torch model itself."""
        return self._model

    @property
    def pad(self) -> int:
        """Token that fills short texts of a batch."""
        return int(self._model.config.pad_token_id or 0)

    @property
    def n_features(self) -> int:
        """Columns of what `embed` returns."""
        return int(self._model.config.hidden_size) * len(self._layers)

    @property
    def precise(self) -> TextEncoder | None:
        """The same weights in float32 where this encoder reads them in bfloat16."""
        return self._precise

    def _means(self, rows: list[list[int]]) -> Array:
        return self._pool(*self._hidden(rows))

    def _states(self, rows: list[list[int]]) -> Array:
        hidden, _ = self._hidden(rows)
        states: Array = self._torch.cat([hidden[layer].float() for layer in self._layers], dim=2).cpu().numpy()
        return states

    def _hidden(self, rows: list[list[int]]) -> tuple[Sequence[Any], Any]:
        """Return every layer's states, (n, longest, hidden), and the mask of real tokens, (n, longest)."""
        torch = self._torch
        longest = max(map(len, rows))
        ids = torch.full((len(rows), longest), self.pad, dtype=torch.long)
        mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        ids, mask = ids.to(self._device), mask.to(self._device)
        coarse = self._precise is not None
        with torch.inference_mode(), torch.autocast(self._device, dtype=torch.bfloat16, enabled=coarse):
            hidden = self._used(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        return hidden, mask

    def _pool(self, hidden: Sequence[Any], mask: Any) -> Array:
        weights = mask.unsqueeze(-1).float()
        with self._torch.inference_mode():
            means = [(hidden[layer].float() * weights).sum(1) / weights.sum(1) for layer in self._layers]
            pooled: Array = self._torch.cat(means, dim=1).cpu().numpy()
        return pooled


def _spans_in(
    text: str, offsets: Sequence[tuple[int, int]], characters: Mapping[int, str]
) -> tuple[tuple[int, int], ...]:
    """Return places in `text` for offsets into its prepared form: prefixed, its characters mapped to any length."""
    origins = [0] * len(PREFIX)
    for at, character in enumerate(text):
        origins += [at] * len(characters.get(ord(character), character))
    return tuple(
        (origins[max(start, len(PREFIX))], origins[end - 1] + 1) if end > max(start, len(PREFIX)) else (0, 0)
        for start, end in offsets
    )


def _read_characters(path: Path) -> dict[int, str]:
    """Return the character map beside a tokenizer that needs one; an empty map where there is none."""
    if not path.exists():
        return {}
    try:
        return {int(point): text for point, text in json.loads(path.read_text("utf-8")).items()}
    except (OSError, ValueError, AttributeError) as error:
        raise ModelUnavailableError(f"cannot read {path}; remove its folder and start again") from error


def load_tokenizer(checkpoint: Path, most: int) -> Any:
    """Return a checkpoint's tokenizer, which cuts texts to so many tokens and pads none.

    Raises:
        ModelUnavailableError: its file is missing or damaged.
    """
    # The tokenizer's own thread pool would come on top of the threads allowed.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    from tokenizers import Tokenizer

    path = checkpoint / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception (0.23)
        raise ModelUnavailableError(f"cannot read the tokenizer {path}: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(most)
    return tokenizer


def load_torch_model(checkpoint: Path, threads: int, *, labelled: bool = False) -> tuple[Any, Any]:
    """Return torch, and a checkpoint's model in float32; from safetensors alone, and never with code of its own.

    Args:
        checkpoint: its folder.
        threads: most threads that torch may use.
        labelled: take a sequence-classification model with its head, not the encoder alone.

    Raises:
        ModelUnavailableError: a file is missing or cannot be used.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification
    from transformers.utils import logging

    torch.set_num_threads(threads)
    logging.disable_progress_bar()
    logging.set_verbosity_error()  # what matters of what it would say is raised below
    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(checkpoint, **safe)
        kind = AutoModelForSequenceClassification if labelled else AutoModel
        if not labelled and config.model_type in {"bert", "xlm-roberta"}:
            safe["add_pooling_layer"] = False
        safe |= {"dtype": torch.float32, "use_safetensors": True, "output_loading_info": True}
        model, info = kind.from_pretrained(checkpoint, config=config, **safe)
        if info["missing_keys"]:  # transformers would go on with random numbers in their place
            raise ValueError(f"its file lacks {', '.join(sorted(info['missing_keys'])[:3])}")
    except Exception as error:  # safetensors, transformers and torch have no common root
        raise ModelUnavailableError(f"cannot load the encoder from {checkpoint}: {error}") from error
    return torch, model.eval()


def longest_text(checkpoint: Path) -> int:
    """Return how many tokens a text may have for a checkpoint's model, `MAX_TOKENS` at most.

    Raises:
        ModelUnavailableError: its configuration is missing or damaged.
    """
    path = checkpoint / "config.json"
    try:
        config = json.loads(path.read_text("utf-8"))
        positions = int(config.get("max_position_embeddings") or MAX_TOKENS)
        # RoBERTa and its kin count positions from the padding token's number on.
        first = int(config.get("pad_token_id", 1)) + 1 if "roberta" in str(config.get("model_type")) else 0
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelUnavailableError(f"cannot load the encoder: {path} is missing or damaged") from error
    return min(MAX_TOKENS, positions - first)


def _in_bfloat16(model: Any, torch: Any) -> Any:
    """Return a copy whose linear layers hold bfloat16, so that no call rounds them anew; the word table is shared."""
    coarse = copy.deepcopy(model, {id(model.embeddings): model.embeddings})
    for module in coarse.modules():
        if isinstance(module, torch.nn.Linear):
            module.to(torch.bfloat16)
    return coarse
