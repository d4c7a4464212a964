"""Labels of every backend that this machine has against those of torch in float32."""

import gc
from collections.abc import Sequence

from benchmarks.bench import Bench, Finding
from benchmarks.repeats import CountedEncoder
from classifiers.backends import BACKENDS, choose, multiplies_bfloat16
from classifiers.heads import load_heads
from classifiers.language import LanguageIdentifier
from classifiers.mentions import MentionClassifier
from classifiers.second_look import are_open
from listener.errors import ModelUnavailableError
from listener.model import Classification

REFERENCE = "torch"
AIM = 99.5
COARSE = ("onnx-int8", "torch-bfloat16")

Labels = tuple[bool, int, str, str]


def labels(found: Classification) -> Labels:
    return found.complaint >= 0.5, int(found.urgency), str(found.sentiment), found.topic


def agreement(bench: Bench) -> list[Finding]:
    """Count the posts whose four labels are all the same: complaint, urgency, sentiment, topic."""
    expected = [labels(one) for one in bench.load(REFERENCE).classify(bench.texts)]
    gc.collect()
    findings = [Finding("posts", str(len(expected)))]
    for backend in BACKENDS:
        if backend == REFERENCE:
            continue
        try:
            choose(backend)
            if backend == "torch-bfloat16" and not multiplies_bfloat16():
                raise ModelUnavailableError("this processor does not multiply bfloat16; it would take hours")
        except ModelUnavailableError as error:
            findings.append(Finding(backend, f"not here: {error}"))
            continue
        findings += _compared(bench, backend, expected)
    return findings


def _compared(bench: Bench, backend: str, expected: Sequence[Labels]) -> list[Finding]:
    classifier = bench.load(backend)
    found = [labels(one) for one in classifier.classify(bench.texts)]
    value = same(found, expected)
    line = Finding(f"{backend}: same labels", f"{value:.2f} % of posts", f">= {AIM} %", value >= AIM)
    return [line, *(_without_second_look(bench, classifier, backend, expected) if backend in COARSE else [])]


def _without_second_look(
    bench: Bench, classifier: MentionClassifier, backend: str, expected: Sequence[Labels]
) -> list[Finding]:
    heads = load_heads()
    scores = heads.score(classifier.encoder.embed(bench.texts))
    once = MentionClassifier(CountedEncoder(classifier.encoder, second_look=False), heads, LanguageIdentifier())
    coarse = once.classify(bench.texts)
    return [
        Finding(f"{backend}: looked at again in float32", f"{100 * are_open(scores).mean():.1f} % of posts"),
        Finding(f"{backend}: same labels without that", f"{same([labels(one) for one in coarse], expected):.2f} %"),
    ]


def same(found: Sequence[Labels], expected: Sequence[Labels]) -> float:
    """Return the share of posts with all labels the same, in per cent."""
    return 100 * sum(one == other for one, other in zip(found, expected, strict=True)) / max(1, len(expected))
