"""Against the machine: how near the encoder comes to a plain large product, and what the rest costs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.bench import Bench, Finding, at_least, at_most
from classifiers.copies import bands, text_hash
from classifiers.encoder import Encoder, TextEncoder
from classifiers.heads import load_heads
from classifiers.language import LanguageIdentifier
from classifiers.text import mask

LAYERS, HIDDEN, FEED_FORWARD = 12, 384, 1536
"""The bundled encoder's."""
SIDE = 2048
"""Of the square matrices of the plain product."""


def operations(lengths: Sequence[int]) -> float:
    """Return the multiplications and additions in the matrix products of texts with so many tokens."""
    linear = 2 * (4 * HIDDEN * HIDDEN + 2 * HIDDEN * FEED_FORWARD)
    attention = [4 * HIDDEN * length for length in lengths]
    return float(LAYERS * sum(length * (linear + mixed) for length, mixed in zip(lengths, attention, strict=True)))


def matrix_rate(bench: Bench) -> list[Finding]:
    """Compare the encoder with a plain product of the same kind, on the same threads, by the same library."""
    findings = []
    encoder = bench.classifier.encoder
    for name, one in ((bench.chosen, encoder), ("its second look, float32", encoder.precise)):
        if one is not None:
            findings += _rates(bench, name, one, coarse=one.precise is not None)
    return findings


def _rates(bench: Bench, name: str, encoder: TextEncoder, *, coarse: bool) -> list[Finding]:
    tokens = [encoder.tokenize(text) for text in bench.texts]
    work = operations([len(ids) for ids in tokens])
    plain = plain_product(encoder, bench.threads, coarse=coarse)
    encoder.embed(bench.texts[:32])
    plain()
    times = bench.seconds(
        {"encoder": lambda: encoder.embed(bench.texts), "tokens": lambda: _tokenise(encoder, bench), "plain": plain}
    )
    reached = work / (times["encoder"] - times["tokens"])
    possible = 2 * SIDE**3 / times["plain"]
    return [
        Finding(f"{name}: encoder", f"{reached / 1e9:.0f} thousand million operations a second"),
        Finding(f"{name}: plain product of {SIDE} x {SIDE}", f"{possible / 1e9:.0f} thousand million"),
        at_least(f"{name}: encoder over plain product", 100 * reached / possible, 50, " %"),
    ]


def _tokenise(encoder: TextEncoder, bench: Bench) -> None:
    for text in bench.texts:
        encoder.tokenize(text)


def plain_product(encoder: TextEncoder, threads: int, *, coarse: bool) -> Any:
    """Return a function that multiplies two large square matrices as the encoder multiplies its own."""
    if isinstance(encoder, Encoder):
        import torch

        kind = torch.bfloat16 if coarse else torch.float32
        one, other = (torch.rand(SIDE, SIDE, dtype=kind, device=encoder.model.device) for _ in range(2))
        return lambda: float((one @ other)[0, 0])
    return _onnx_product(threads, coarse)


def _onnx_product(threads: int, coarse: bool) -> Any:
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(1)
    kind, weight, node = TensorProto.FLOAT, random.random((SIDE, SIDE), np.float32), "MatMul"
    rows: Any = random.random((SIDE, SIDE), np.float32)
    if coarse:
        kind, node = TensorProto.UINT8, "MatMulInteger"
        weight = random.integers(-127, 128, (SIDE, SIDE)).astype(np.int8)
        rows = random.integers(0, 256, (SIDE, SIDE)).astype(np.uint8)
    result = TensorProto.INT32 if coarse else TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node(node, ["rows", "weight"], ["product"])],
        "product",
        [helper.make_tensor_value_info("rows", kind, [SIDE, SIDE])],
        [helper.make_tensor_value_info("product", result, [SIDE, SIDE])],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"rows": rows})


def shares(bench: Bench) -> list[Finding]:
    """Time each step of a classification by itself, copies included, over all texts."""
    encoder, heads, languages, texts = bench.classifier.encoder, load_heads(), LanguageIdentifier(), bench.texts
    features = encoder.embed(texts)
    steps: dict[str, Callable[[], object]] = {
        "cleaning and tokenising": lambda: [encoder.tokenize(mask(text)) for text in texts],
        "language": lambda: languages.identify(texts),
        "copies": lambda: [(text_hash(text), bands(text)) for text in texts],
        "heads": lambda: heads.score(features),
        "all of a classification": lambda: bench.classifier.classify(texts),
    }
    bench.classifier.classify(texts[:8])
    times = bench.seconds(steps)
    whole = times.pop("all of a classification") + times["copies"]
    findings = [
        Finding(name, f"{1e6 * one / len(texts):.0f} µs a post, {100 * one / whole:.1f} %")
        for name, one in times.items()
    ]
    return [*findings, at_most("together", 100 * sum(times.values()) / whole, 15, " % of the time")]
