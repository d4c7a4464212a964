"""Against `transformers.pipeline` on the same checkpoint and texts, and the latency of one mention."""

import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench import Bench, Finding, at_least, at_most
from classifiers.adapter import load_adapter
from classifiers.checkpoint import build_checkpoint
from classifiers.encoder import Encoder
from classifiers.heads import WEIGHTS, load_heads

ONE_BY_ONE = 96
"""Texts that are also classified one at a time: the pipeline is slow at it."""


def against_pipeline(bench: Bench) -> list[Finding]:
    """Compare whole classifications with a text-classification pipeline in float32.

    The pipeline tokenises and gives one label by an untrained layer of two outputs. It leaves out cleaning, language,
    copies, and what the heads say: urgency, sentiment, topic, signals. It has as many threads.
    """
    ours, all_texts = bench.classifier, bench.texts
    few = all_texts[:ONE_BY_ONE]
    with tempfile.TemporaryDirectory() as folder:
        pipeline = make_pipeline(bench, Path(folder))
        rates = rate_by_side(bench, ours, pipeline, all_texts, few)
    lines = [Finding(name, f"{rate:.1f} posts/s") for name, rate in rates.items()]
    best = rates["ours, all at once"]
    return [
        *lines,
        at_least("ours over the pipeline one by one", best / rates["pipeline, one by one"], 10, " times"),
        at_least("ours over the pipeline in batches of 32", best / rates["pipeline, batches of 32"], 3, " times"),
        Finding(
            "both one by one", f"{rates['ours, one by one'] / rates['pipeline, one by one']:.2f} times, for comparison"
        ),
    ]


def rate_by_side(bench: Bench, ours: Any, pipeline: Any, texts: list[str], few: list[str]) -> dict[str, float]:
    sides: dict[str, tuple[Callable[[list[str]], object], list[str]]] = {
        "ours, all at once": (ours.classify, texts),
        "ours, one by one": (lambda some: [ours.classify([text]) for text in some], few),
        "pipeline, one by one": (lambda some: [pipeline(text) for text in some], few),
        "pipeline, batches of 32": (lambda some: pipeline(some, batch_size=32), texts),
    }
    for side, _ in sides.values():
        side(texts[:4])  # warms up: memory, threads, caches
    times = bench.seconds({name: partial(side, given) for name, (side, given) in sides.items()})
    return {name: len(given) / times[name] for name, (_, given) in sides.items()}


def make_pipeline(bench: Bench, folder: Path) -> Any:
    """Return a pipeline on our encoder with its fine-tuning merged, written as an ordinary checkpoint."""
    from transformers import BertForSequenceClassification, PreTrainedTokenizerFast
    from transformers import pipeline as build

    checkpoint, heads = build_checkpoint(bench.cache), load_heads()
    adapter = load_adapter(WEIGHTS, heads.adapter) if heads.adapter else None
    encoder = Encoder(checkpoint, bench.threads, layers=heads.layers, adapter=adapter)
    model = BertForSequenceClassification(encoder.model.config)
    model.bert.load_state_dict(encoder.model.state_dict(), strict=False)
    model.save_pretrained(folder)
    shutil.copy(checkpoint / "tokenizer.json", folder)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        model_max_length=192,
    )
    loaded: Any = BertForSequenceClassification.from_pretrained(folder)
    return build("text-classification", model=loaded.eval(), tokenizer=tokenizer, device="cpu", truncation=True)


def latency(bench: Bench) -> list[Finding]:
    """Time mentions that come alone."""
    texts = bench.texts[:200]
    for text in texts[:20]:
        bench.classifier.classify([text])
    times = []
    for text in texts:
        start = bench.clock()
        bench.classifier.classify([text])
        times.append(1000 * (bench.clock() - start))
    tokens = np.mean([len(bench.classifier.encoder.tokenize(text)) for text in texts])
    return [
        at_most("median", float(np.median(times)), 30, " ms"),
        Finding("95th percentile", f"{np.percentile(times, 95):.1f} ms"),
        Finding("tokens of a mention, mean", f"{tokens:.0f}"),
    ]
