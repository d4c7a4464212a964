"""Checks that checkpoints named in the configuration are there and fit what is said of them; loads none."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from listener.config.document import Loc
from listener.config.models import Model, OtherClassifier

_SIZE_LIMIT = 16 << 20
"""Bytes; a checkpoint's config.json has a few thousand."""


def checkpoint_problems(model: Model) -> Iterator[tuple[Loc, str]]:
    """Yield what is wrong with the checkpoints of a `model` section, each with its place below `model`."""
    yield from _encoder_problems(model)
    given: dict[str, int] = {}
    for index, one in enumerate(model.classifiers):
        yield from _classifier_problems(one, ("classifiers", index))
        for output in sorted(one.outputs):
            if output in given:
                text = f"'{output}' is given by classifier {given[output] + 1} of the list already"
                yield ("classifiers", index, "labels"), text
            given.setdefault(output, index)


def read_checkpoint_config(folder: Path) -> dict[str, object]:
    """Return a checkpoint's own configuration.

    Raises:
        ValueError: the folder holds no checkpoint that can be used; the message says what is missing.
    """
    if not os.path.isdir(folder):
        raise ValueError(f"there is no folder '{folder}'")
    path = folder / "config.json"
    try:
        with path.open("rb") as file:
            config = json.loads(file.read(_SIZE_LIMIT))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"'{path}' is missing or no JSON: no Hugging Face checkpoint") from error
    if not isinstance(config, dict):
        raise ValueError(f"'{path}' is no mapping: no Hugging Face checkpoint")
    if config.get("auto_map"):
        raise ValueError(f"'{folder}' brings code of its own, which is never run; use an architecture of transformers")
    if not any(folder.glob("model*.safetensors")):
        pickled = next(folder.glob("*.bin"), None)
        why = f"'{pickled.name}' is a pickle, which can run any code: convert it" if pickled else "none is there"
        raise ValueError(f"'{folder}' needs its weights as model.safetensors; {why}")
    if not (folder / "tokenizer.json").is_file():
        raise ValueError(f"'{folder}' needs tokenizer.json; save its tokenizer with a fast tokenizer of transformers")
    return config


def labels_of(config: dict[str, object]) -> tuple[str, ...]:
    """Return a checkpoint's labels in the order of its outputs.

    Raises:
        ValueError: they are not numbered from nought on.
    """
    named = config.get("id2label") or {0: "LABEL_0", 1: "LABEL_1"}  # transformers does not write down its default
    if not isinstance(named, dict):
        raise ValueError("its id2label is no mapping")
    try:
        by_number = {int(number): str(label) for number, label in named.items()}
    except (TypeError, ValueError) as error:
        raise ValueError("its id2label is not numbered") from error
    if sorted(by_number) != list(range(len(by_number))) or len(set(by_number.values())) < len(by_number):
        raise ValueError("its id2label has gaps or repeats a label")
    return tuple(by_number[number] for number in range(len(by_number)))


def _encoder_problems(model: Model) -> Iterator[tuple[Loc, str]]:
    if model.checkpoint is not None:
        try:
            read_checkpoint_config(Path(model.checkpoint))
        except ValueError as error:
            yield ("checkpoint",), str(error)
        if model.heads is None:
            yield ("checkpoint",), "another encoder needs 'heads' trained on it: the bundled ones do not fit"
        if model.backend.startswith("onnx"):
            yield ("backend",), "only the bundled encoder is converted to ONNX; another checkpoint runs in torch"
    if model.heads is not None and not os.path.isfile(Path(model.heads) / "heads.json"):
        yield ("heads",), f"there is no heads.json in '{model.heads}'"


def _classifier_problems(one: OtherClassifier, loc: Loc) -> Iterator[tuple[Loc, str]]:
    for label, meaning in one.labels.items():
        missing = one.outputs - meaning.outputs
        if missing or not one.outputs:
            said = f"nothing of {', '.join(sorted(missing))}, of which other labels speak" if missing else "nothing"
            yield (*loc, "labels", label), f"says {said}; say complaint, urgency, sentiment or topic"
    try:
        config = read_checkpoint_config(Path(one.checkpoint))
        labels = labels_of(config)
    except ValueError as error:
        yield (*loc, "checkpoint"), str(error)
        return
    yield from _label_problems(one, labels, loc)
    architectures = config.get("architectures")
    if not isinstance(architectures, list) or not any("SequenceClassification" in str(name) for name in architectures):
        yield (*loc, "checkpoint"), f"is no sequence-classification checkpoint: its architectures are {architectures}"
    if config.get("problem_type") == "regression":
        yield (*loc, "checkpoint"), "gives a number (problem_type regression), not labels"


def _label_problems(one: OtherClassifier, labels: tuple[str, ...], loc: Loc) -> Iterator[tuple[Loc, str]]:
    listed = ", ".join(labels[:20])
    for label in one.labels:
        if label not in labels:
            yield (*loc, "labels", label), f"the checkpoint has no label '{label}'; it has {listed}"
    for label in labels:
        if label not in one.labels:
            yield (*loc, "labels"), f"says nothing of the checkpoint's label '{label}'; its labels are {listed}"
