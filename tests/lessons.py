"""An evaluation set made of posts written for this project, for tests with the real model."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifiers.held_out import HeldOut, labels_of
from classifiers.training.data import Example, key_of
from listener.model import SIGNALS, TOPICS

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

AUTHORED = Path(__file__).parents[1] / "examples" / "authored.jsonl"


def authored(step: int, start: int = 0) -> list[dict[str, Any]]:
    """Every `step`-th of the posts written for this project."""
    return [json.loads(line) for line in AUTHORED.read_text("utf-8").splitlines()[start::step]]


def evaluation_set(classifier: "MentionClassifier") -> HeldOut:
    """Some posts with their labels, and others as anchors."""
    from classifiers.heads import load_heads

    heads = load_heads()
    posts, anchors = authored(20), authored(25, 7)
    hidden, anchored = (heads.hidden(classifier.embed([row["text"] for row in rows])) for rows in (posts, anchors))
    return HeldOut(heads.version, hidden, labels_of([_example(row) for row in posts]), anchored)


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
