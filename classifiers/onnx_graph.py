"""Writes a BERT encoder as an ONNX graph, its products in 8 bits or float32. Knows arrays: no texts, no files.

In 8 bits every token has a scale of its own, so that what becomes of a text hangs on nothing but that text; the usual
dynamic quantisation has one scale for all that is computed together. There is no padding: texts computed together
have the same number of tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

WORDS, MEANS = "words", "means"
"""Input: the tokens' rows of the word table, float32 (n, tokens, hidden). Output: the chosen layers' means over tokens,
side by side, float32 (n, layers x hidden)."""
_MICROSOFT = "com.microsoft"
_SIGNED_STEPS, _MIDDLE = 127, 128
"""Activations are stored unsigned, nought standing in the middle: there is no fast kernel for signed ones."""
_UNSIGNED_STEPS = 255
_GELU_LEAST = -0.17
"""No output of the activation function is lower; counted from here all 8 bits serve."""
_LEAST_SCALE = 1e-12


@dataclass(frozen=True, slots=True)
class Shape:
    """What a checkpoint's configuration says that its arrays do not."""

    n_layers: int
    n_heads: int
    epsilon: float


def states_of(layer: int) -> str:
    """Return the name of the output with a layer's states, float32 (n, tokens, hidden)."""
    return f"states_{layer}"


def encoder_graph(weights: Mapping[str, Array], shape: Shape, layers: Sequence[int], *, int8: bool) -> bytes:
    """Return the graph, serialised.

    Args:
        weights: arrays under the names of a BERT checkpoint; the word table may be missing.
        shape: the encoder's measures.
        layers: hidden layers that are given out, 1 being the first.
        int8: False keeps the products in float32.
    """
    graph = _Graph(weights, shape, int8)
    states = graph.embeddings()
    given_out = {}
    for number in range(shape.n_layers):
        states = graph.layer(number, states)
        given_out[number + 1] = states
    graph.give_out({layer: given_out[layer] for layer in layers})
    return graph.serialised(layers)


@dataclass(slots=True)
class _Graph:
    """Grows node by node; a method adds nodes and returns the name of their result.

    Between layers a row is a token: (n x tokens, hidden).
    """

    weights: Mapping[str, Array]
    shape: Shape
    int8: bool
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)

    @property
    def hidden(self) -> int:
        """Width of the encoder."""
        return int(self.weights["embeddings.LayerNorm.weight"].shape[0])

    def embeddings(self) -> str:
        """Add positions to words and normalise."""
        positions = self.weights["embeddings.position_embeddings.weight"]
        kind = self.weights["embeddings.token_type_embeddings.weight"][0]
        self._add("Shape", WORDS, result="shape")
        length = self._add("Shape", WORDS, start=1, end=2)
        used = self._add("Slice", self._constant("positions", positions + kind), self._integers("zero", 0), length)
        rows = self._as_rows(self._add("Add", WORDS, used))
        if self.int8:
            count = self._add("Shape", rows, start=0, end=1)
            self._add("Expand", self._constant("middle", np.array([_MIDDLE], np.uint8)), count, result="middles")
        return self._norm("embeddings", rows)

    def layer(self, number: int, states: str) -> str:
        """Add one layer: attention, then the feed-forward part, each added to what it read and normalised."""
        name = f"encoder.layer.{number}"
        mixed = self._attention(f"{name}.attention.self", states)
        summed = self._add("Add", self._linear(mixed, f"{name}.attention.output.dense"), states)
        states = self._norm(f"{name}.attention.output", summed)
        inner = self._product(states, self.weights[f"{name}.intermediate.dense.weight"], name)
        bias = self._constant(f"{name}.intermediate.dense.bias")
        active = self._add("BiasGelu", inner, bias, domain=_MICROSOFT)
        summed = self._add("Add", self._after_gelu(active, f"{name}.output.dense"), states)
        return self._norm(f"{name}.output", summed)

    def give_out(self, states: Mapping[int, str]) -> None:
        """Name the layers' states and their means as outputs."""
        for layer, rows in states.items():
            self._add("Reshape", rows, "shape", result=states_of(layer))
        means = [self._mean(states_of(layer)) for layer in states]
        self._node("Concat", means, [MEANS], axis=1)

    def serialised(self, layers: Sequence[int]) -> bytes:
        """Return the model that a runtime reads."""
        from onnx import TensorProto, helper

        kind = TensorProto.FLOAT
        inputs = [helper.make_tensor_value_info(WORDS, kind, ["n", "tokens", self.hidden])]
        outputs = [helper.make_tensor_value_info(MEANS, kind, ["n", self.hidden * len(layers)])]
        outputs += [helper.make_tensor_value_info(states_of(one), kind, ["n", "tokens", self.hidden]) for one in layers]
        graph = helper.make_graph(self.nodes, "encoder", inputs, outputs, list(self.constants.values()))
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(_MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="listening-daemon")
        return bytes(model.SerializeToString())

    def _mean(self, states: str) -> str:
        """Average over tokens by a product: the runtime's mean of one text adds up in another order than of many."""
        ones = self._shared("ConstantOfShape", self._shared("Shape", WORDS, start=0, end=2), value=_one())
        row = self._shared("Unsqueeze", ones, self._integers("tokens", 1))
        total = self._add("Squeeze", self._add("MatMul", row, states), self._integers("tokens", 1))
        length = self._shared("Cast", self._shared("Shape", WORDS, start=1, end=2), to=1)
        return self._add("Div", total, length)

    def _attention(self, name: str, states: str) -> str:
        parts = [f"{name}.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([self.weights[f"{part}.weight"] for part in parts])
        together = self._product(states, weight, name)
        split = [f"{together}_{part}" for part in range(3)]
        self._node("Split", [together], split, axis=1, num_outputs=3)
        bias = self._constant(f"{name}.bias", np.concatenate([self.weights[f"{part}.bias"] for part in parts]))
        placed = [self._add("Reshape", part, "shape") for part in split]
        heads = self.shape.n_heads
        return self._as_rows(self._add("MultiHeadAttention", *placed, bias, num_heads=heads, domain=_MICROSOFT))

    def _linear(self, rows: str, name: str) -> str:
        product = self._product(rows, self.weights[f"{name}.weight"], name)
        return self._add("Add", product, self._constant(f"{name}.bias"))

    def _after_gelu(self, rows: str, name: str) -> str:
        """Multiply rows none of whose values lies below `_GELU_LEAST`."""
        if not self.int8:
            return self._linear(rows, name)
        weight = self.weights[f"{name}.weight"]
        raised = self._add("Add", rows, self._constant("raise", np.float32(-_GELU_LEAST)))
        product = self._rounded_product(*self._unsigned(raised), 0, weight, name)
        bias = self.weights[f"{name}.bias"] + _GELU_LEAST * weight.sum(axis=1, dtype=np.float64)
        return self._add("Add", product, self._constant(f"{name}.lowered_bias", bias.astype(np.float32)))

    def _product(self, rows: str, weight: Array, name: str) -> str:
        if not self.int8:
            return self._add("MatMul", rows, self._constant(f"{name}.weight_across", weight.T))
        return self._rounded_product(*self._signed(rows), _MIDDLE, weight, name)

    def _rounded_product(self, rounded: str, scale: str, zero: int, weight: Array, name: str) -> str:
        """Multiply rows in 8 bits by weights in 8 bits, each output with a scale of its own."""
        scales = np.maximum(np.abs(weight).max(axis=1, keepdims=True), _LEAST_SCALE) / _SIGNED_STEPS
        product = self._add(
            "MatMulIntegerToFloat",
            rounded,
            self._constant(f"{name}.rounded", np.rint(weight / scales).astype(np.int8).T),
            self._constant("one", np.float32(1)),
            self._constant(f"{name}.scales", scales[:, 0].astype(np.float32)),
            self._constant(f"zero_at_{zero}", np.uint8(zero)),
            domain=_MICROSOFT,
        )
        return self._add("Mul", product, scale)

    def _signed(self, rows: str) -> tuple[str, str]:
        """Return rows in 8 bits, nought in the middle, and the scale of each, (rows, 1)."""
        scale = self._scale(self._add("Abs", rows), _SIGNED_STEPS)
        flat = self._add("Reshape", scale, self._integers("flat", -1))
        return self._add("QuantizeLinear", rows, flat, "middles", axis=0), scale

    def _unsigned(self, rows: str) -> tuple[str, str]:
        """Return rows without negative values in 8 bits, and the scale of each, (rows, 1)."""
        scale = self._scale(rows, _UNSIGNED_STEPS)
        flat = self._add("Reshape", scale, self._integers("flat", -1))
        return self._add("QuantizeLinear", rows, flat, axis=0), scale

    def _scale(self, sizes: str, steps: int) -> str:
        largest = self._add("ReduceMax", sizes, self._integers("last", -1), keepdims=1)
        scale = self._add("Mul", largest, self._constant(f"step_of_{steps}", np.float32(1 / steps)))
        return self._add("Max", scale, self._constant("least", np.float32(_LEAST_SCALE)))

    def _norm(self, name: str, rows: str) -> str:
        parts = [self._constant(f"{name}.LayerNorm.{part}") for part in ("weight", "bias")]
        return self._add("LayerNormalization", rows, *parts, axis=-1, epsilon=self.shape.epsilon)

    def _as_rows(self, states: str) -> str:
        return self._add("Reshape", states, self._integers("rows", -1, self.hidden))

    def _shared(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node once, however often it is asked for."""
        result = "_".join((kind, *inputs, *(str(value) for name, value in attributes.items() if name != "value")))
        if not any(result in node.output for node in self.nodes):
            self._add(kind, *inputs, result=result, **attributes)
        return result

    def _add(self, kind: str, *inputs: str, result: str = "", **attributes: Any) -> str:
        result = result or f"{kind}_{len(self.nodes)}"
        self._node(kind, list(inputs), [result], **attributes)
        return result

    def _node(self, kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, outputs, **attributes))

    def _constant(self, name: str, value: Any = None) -> str:
        from onnx import numpy_helper

        if name not in self.constants:
            array = self.weights[name] if value is None else value
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def _integers(self, name: str, *values: int) -> str:
        return self._constant(name, np.array(values, np.int64))


def _one() -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(np.ones(1, np.float32))
