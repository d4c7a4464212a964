"""An evaluation set made of posts written for this project, for tests with the real model."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifiers.heads import WEIGHTS, load_heads
from classifiers.held_out import HELD_OUT_FILE, HeldOut, labels_of, load_held_out, save_held_out
from classifiers.training.data import Example, key_of
from listener.model import SIGNALS, TOPICS

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

AUTHORED = Path(__file__).parents[1] / "examples" / "authored.jsonl"


def authored(step: int, start: int = 0) -> list[dict[str, Any]]:
    """Every `step`-th of the posts written for this project."""
    return [json.loads(line) for line in AUTHORED.read_text("utf-8").splitlines()[start::step]]


def write_weights(classifier: "MentionClassifier", folder: Path) -> HeldOut:
    """Copy the shipped weights to a folder, with an evaluation set of posts with labels and of others as anchors."""
    for path in WEIGHTS.iterdir():
        if path.name != HELD_OUT_FILE:
            shutil.copy(path, folder / path.name)
    heads = load_heads(folder)
    posts, anchors = authored(20), authored(25, 7)
    features, anchored = (classifier.embed([row["text"] for row in rows]) for rows in (posts, anchors))
    save_held_out(heads, features, labels_of([_example(row) for row in posts]), anchored, folder)
    return load_held_out(heads, folder)


def _example(row: dict[str, Any]) -> Example:
    return Example(
        row["text"],
        row["lang"],
        "authored",
        key_of(row["text"]),
        complaint=row["complaint"],
        urgency=row["urgency"],
        topic=TOPICS.index(row["topic"]),
        signals=tuple(int(letter in row["signals"]) for letter in SIGNALS),
    )
