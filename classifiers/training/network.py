"""The encoder and the heads as one network whose weights learn. Knows nothing of texts or labels."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from classifiers.encoder import Encoder
from classifiers.heads import Member

N_SEVERITIES = 5
_FAR = -1e9
"""Added to the attention on padding."""
_EMBEDDING_DROPOUT = 0.1
"""Chance of dropping a feature of a token's embedding, as the encoder itself was trained."""


class Layer(torch.nn.Module):
    """One layer of the encoder, its three attention products in one: faster, and otherwise the same."""

    def __init__(self, layer: Any) -> None:
        """Take over the weights of a BERT layer; its biases and norms are shared with it."""
        super().__init__()
        attention = layer.attention.self
        parts = (attention.query, attention.key, attention.value)
        self.heads = attention.num_attention_heads
        self.attend = torch.nn.Linear(parts[0].in_features, sum(part.out_features for part in parts))
        self.attend.weight.data = torch.cat([part.weight.data for part in parts])
        self.attend.bias.data = torch.cat([part.bias.data for part in parts])
        self.attended, self.norm = layer.attention.output.dense, layer.attention.output.LayerNorm
        self.widen, self.narrow = layer.intermediate.dense, layer.output.dense
        self.last_norm = layer.output.LayerNorm

    def forward(self, inputs: Any, bias: Any) -> Any:
        """Return the layer's output, (posts, tokens, width), for inputs of that shape.

        Args:
            inputs: the outputs of the layer below.
            bias: (posts, 1, 1, tokens), added to the attention on each token.
        """
        posts, tokens, width = inputs.shape
        queries, keys, values = (
            self.attend(inputs).view(posts, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        )
        found = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=bias)
        inner = self.norm(inputs + self.attended(found.transpose(1, 2).reshape(posts, tokens, width)))
        return self.last_norm(inner + self.narrow(functional.gelu(self.widen(inner))))

    def named(self) -> dict[str, Any]:
        """Return the weights by the names that they have in a BERT layer."""
        query, key, value = self.attend.weight.chunk(3)
        query_bias, key_bias, value_bias = self.attend.bias.chunk(3)
        modules = {
            "attention.output.dense": self.attended,
            "attention.output.LayerNorm": self.norm,
            "intermediate.dense": self.widen,
            "output.dense": self.narrow,
            "output.LayerNorm": self.last_norm,
        }
        own = {f"{name}.{one}": getattr(module, one) for name, module in modules.items() for one in ("weight", "bias")}
        attention = {"query.weight": query, "key.weight": key, "value.weight": value}
        attention |= {"query.bias": query_bias, "key.bias": key_bias, "value.bias": value_bias}
        return own | {f"attention.self.{name}": one for name, one in attention.items()}


class Network(torch.nn.Module):
    """An encoder and, on the means of some of its layers, the heads; the word table stays as it is."""

    def __init__(self, encoder: Encoder, start: Member, dropout: float, frozen: int = 0) -> None:
        """Take over an encoder and heads.

        Args:
            encoder: float32 on torch; it must not be used any more.
            start: heads to set out from; their standardisation stays.
            dropout: chance of dropping a hidden feature of the heads; half of it for their inputs.
            frozen: lowest layers that stay as they are.
        """
        super().__init__()
        self.embeddings = encoder.model.embeddings.requires_grad_(False)
        self.embeddings.dropout.p = 0.0  # it would draw from the one generator of all threads
        self.layers = torch.nn.ModuleList([Layer(layer) for layer in encoder.model.encoder.layer])
        self.layers[:frozen].requires_grad_(False)
        self.frozen, self.read = frozen, encoder.layers
        self.mean, self.deviation = torch.from_numpy(start.mean.copy()), torch.from_numpy(start.deviation.copy())
        self.hidden = _linear(start.hidden_weight, start.hidden_bias)
        self.output = _linear(start.output_weight, start.output_bias)
        self.public = torch.nn.Linear(self.hidden.out_features, 1 + N_SEVERITIES)
        self.dropout = dropout
        self._before = {name: one.detach().clone() for name, one in self._named()}

    def forward(self, ids: Any, mask: Any, chance: Any = None) -> tuple[Any, Any]:
        """Return logits, (n, 28), and those of the public sets' tasks, (n, 6).

        Args:
            ids: (n, tokens), padded.
            mask: float (n, tokens), 1 where a token counts.
            chance: generator by which features are dropped; None drops none.
        """
        inner = self._dropped(self._features(ids, mask, chance), self.dropout / 2, chance)
        inner = self._dropped(self.hidden(inner).relu(), self.dropout, chance)
        return self.output(inner), self.public(inner)

    def _features(self, ids: Any, mask: Any, chance: Any) -> Any:
        bias = ((1 - mask) * _FAR)[:, None, None, :]
        shares = (mask / mask.sum(1, keepdim=True)).unsqueeze(-1)
        with torch.no_grad():
            states = self._dropped(self.embeddings(input_ids=ids), _EMBEDDING_DROPOUT, chance)
        means = {}
        for number, layer in enumerate(self.layers, 1):
            with torch.set_grad_enabled(torch.is_grad_enabled() and number > self.frozen):
                states = layer(states, bias)
            if number in self.read:
                means[number] = (states * shares).sum(1)
        return (torch.cat([means[number] for number in self.read], dim=1) - self.mean) / self.deviation

    @staticmethod
    def _dropped(values: Any, share: float, chance: Any) -> Any:
        if chance is None:
            return values
        return values * (torch.rand(values.shape, generator=chance) >= share) / (1 - share)

    def learning(self) -> dict[str, Any]:
        """Return what learns, by name."""
        return {name: one for name, one in self.named_parameters() if one.requires_grad}

    def take(self, values: dict[str, Any]) -> None:
        """Set what learns."""
        with torch.no_grad():
            for name, one in self.learning().items():
                one.copy_(values[name])

    def member(self) -> Member:
        """Return the heads as they stand."""
        tensors = (self.hidden.weight, self.hidden.bias, self.output.weight, self.output.bias)
        return Member(self.mean.numpy(), self.deviation.numpy(), *(one.detach().numpy().copy() for one in tensors))

    def changes(self) -> dict[str, NDArray[np.float32]]:
        """Return how far each weight of the encoder is from where it began, by its name in the encoder."""
        now = dict(self._named())
        return {name: (now[name].detach() - before).numpy() for name, before in self._before.items()}

    def _named(self) -> list[tuple[str, Any]]:
        return [
            (f"encoder.layer.{number}.{name}", one)
            for number, layer in enumerate(self.layers)
            if isinstance(layer, Layer) and number >= self.frozen
            for name, one in layer.named().items()
        ]


def _linear(weight: NDArray[np.float32], bias: NDArray[np.float32]) -> torch.nn.Linear:
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data, layer.bias.data = torch.from_numpy(weight.copy()), torch.from_numpy(bias.copy())
    return layer
