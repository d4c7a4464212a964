"""Finds where complaints lie in the encoder's features, and what tells languages apart there, to be taken out of them.

`python -m classifiers.training.languages [POSTS]` writes classifiers/weights/causes.safetensors. It needs posts in many
languages with `lang`, `complaint` and `topic`, about the same things in each, such as examples/authored.jsonl.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from classifiers.cause_space import FILE, CauseSpace
from classifiers.heads import WEIGHTS, load_heads
from classifiers.mentions import MentionClassifier

DIRECTIONS = 12
_FEWEST = 20
Array = NDArray[np.float32]


def language_directions(vectors: Array, languages: Sequence[str], topics: Sequence[str], count: int) -> Array:
    """Return the directions in which languages differ most where the topic is the same, float32 (count, d).

    Args:
        vectors: float32 (n, d).
        languages: of each; those with few posts are left out.
        topics: of each: what else differs between posts, and is to stay.
        count: how many, at most one less than there are languages.
    """
    rest, said, spoken = vectors.copy(), np.asarray(topics), np.asarray(languages)
    for topic in np.unique(said):
        rest[said == topic] -= rest[said == topic].mean(axis=0)
    names, sizes = np.unique(spoken, return_counts=True)
    means = np.stack([rest[spoken == name].mean(axis=0) for name in names[sizes >= _FEWEST]])
    _, _, directions = np.linalg.svd(means, full_matrices=False)
    return np.asarray(directions[: min(count, len(means) - 1)], dtype=np.float32)


def write(posts: Path, cache: Path, folder: Path = WEIGHTS) -> Path:
    """Find the directions in a file of posts, and write them beside the heads; return where."""
    rows = [json.loads(line) for line in posts.read_text("utf-8").splitlines() if line.strip()]
    rows = [row for row in rows if row["complaint"]]
    heads = load_heads(folder)
    classifier = MentionClassifier.load(cache, weights=folder, backend="onnx-float32")
    width = heads.n_features // len(heads.layers)
    features = classifier.embed([row["text"] for row in rows])
    mean = features.mean(axis=0)
    vectors = CauseSpace(mean, width, np.zeros((0, width), dtype=np.float32)).unaligned(features)
    found = language_directions(vectors, [row["lang"] for row in rows], [row["topic"] for row in rows], DIRECTIONS)
    tensors = {"languages": np.ascontiguousarray(found), "mean": mean}
    save_file(tensors, folder / FILE, metadata={"adapter": heads.adapter or ""})
    (folder / FILE).chmod(0o644)
    return folder / FILE


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.training.languages")
    parser.add_argument("posts", nargs="?", type=Path, default=Path("examples/authored.jsonl"))
    parser.add_argument("--cache", type=Path, default=Path("var/model"), help="where the encoder is kept")
    options = parser.parse_args()
    print(write(options.posts, options.cache))


if __name__ == "__main__":
    main()
