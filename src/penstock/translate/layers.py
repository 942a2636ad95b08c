"""The attending decoder as a PyTorch module; the counterpart of `translate.head.AttentionReadout`."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parameter import Parameter

from penstock.nn.heads import linear_parameters
from penstock.nn.lengths import int64_lengths
from penstock.nn.network import recurrent_layers
from penstock.translate.spec import AttentionDecoder

__all__ = ["AttentionDecoderModule", "Memory"]


class Memory(NamedTuple):
    """What the decoder knows of a batch of sources.

    Attributes:
        values: (batch, source, features), the encoder's outputs.
        keys: (batch, source, size), what queries are compared with.
        outside: (batch, source), true past a source's end.
        state: the decoder's initial states, as its layers take them.
    """

    values: Tensor
    keys: Tensor
    outside: Tensor
    state: Any


class AttentionDecoderModule(torch.nn.Module):
    """Scores of the next target token after each target token; see `translate.spec.AttentionDecoder`.

    Args:
        head: the head's description.
        features: the size of the encoder's output.
        bidirectional: whether the second half of the features belongs to the backward direction.

    Attributes:
        dropout: dropout probability of the target tokens' vectors, the encoder's outputs and the readout; 0 by default.
    """

    def __init__(self, head: AttentionDecoder, *, features: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.head, self.dropout = head, torch.nn.Dropout(0.0)
        self.forward_features = features // 2 if bidirectional else features
        shapes = head.parameter_shapes(features)
        self.embedding = Parameter(torch.randn(shapes["embedding"]) * head.embedding_size**-0.5)
        self.decoder = recurrent_layers(head.decoder, init="orthogonal")
        self.initial_weight, self.initial_bias = linear_parameters(shapes["initial_weight"])
        self.key_weight, key_bias = linear_parameters(shapes["key_weight"])
        if head.attention == "bahdanau":
            self.key_bias = key_bias
            self.query_weight, _ = linear_parameters(shapes["query_weight"])
            self.score_weight, _ = linear_parameters(shapes["score_weight"])
        self.readout_weight, self.readout_bias = linear_parameters(shapes["readout_weight"])
        if not head.tied:
            self.output_weight = Parameter(torch.randn(shapes["output_weight"]) * head.embedding_size**-0.5)
        self.output_bias = Parameter(torch.zeros(shapes["output_bias"]))

    def memory(self, y: Tensor, lengths: Any) -> Memory:
        """Prepare the encoder's outputs y (batch, source, features), of `lengths` (batch,) steps, 1 or more."""
        batch, steps, _ = y.shape
        lengths = int64_lengths(lengths, batch).to(y.device)
        last = y[torch.arange(batch, device=y.device), lengths - 1, : self.forward_features]
        ends = torch.cat([last, y[:, 0, self.forward_features :]], 1)
        state = self._initial(ends)
        y = self.dropout(y)
        keys = functional.linear(y, self.key_weight, self.key_bias if self.head.attention == "bahdanau" else None)
        return Memory(y, keys, torch.arange(steps, device=y.device) >= lengths[:, None], state)

    def forward(self, memory: Memory, tokens: Tensor) -> Tensor:
        """Scores (batch, target, vocabulary) of the next token, after each of the target tokens (batch, target)."""
        return self.scores(self.readouts(memory, tokens))

    def scores(self, readout: Tensor) -> Tensor:
        """readout (..., embedding) -> scores (..., vocabulary)."""
        weight = self.embedding if self.head.tied else self.output_weight
        return functional.linear(self.dropout(readout), weight, self.output_bias)

    def readouts(self, memory: Memory, tokens: Tensor) -> Tensor:
        """The vectors r (batch, target, embedding) that score the next tokens."""
        x = self.dropout(functional.embedding(tokens, self.embedding))
        if not self.head.input_feeding:
            y, _ = self.decoder(x, memory.state)
            return self._attended(memory, y)
        state, readout, found = memory.state, x.new_zeros(len(x), 1, self.head.embedding_size), []
        for step in range(x.shape[1]):
            y, state = self.decoder(torch.cat([x[:, step : step + 1], readout], 2), state)
            readout = self._attended(memory, y)
            found.append(readout)
        return torch.cat(found, 1)

    def _attended(self, memory: Memory, y: Tensor) -> Tensor:
        """Decoder outputs (batch, target, size) -> r (batch, target, embedding)."""
        if self.head.attention == "luong":
            scores = y @ memory.keys.transpose(1, 2)
        else:
            queries = functional.linear(y, self.query_weight)
            scores = functional.linear(torch.tanh(queries[:, :, None] + memory.keys[:, None]), self.score_weight)[
                ..., 0
            ]
        weights = scores.masked_fill(memory.outside[:, None], -torch.inf).softmax(-1)
        both = torch.cat([weights @ memory.values, y], 2)
        return torch.tanh(functional.linear(both, self.readout_weight, self.readout_bias))

    def _initial(self, ends: Tensor) -> Any:
        """The decoder's initial states, from the encoder's last outputs (batch, features)."""
        found = torch.tanh(functional.linear(ends, self.initial_weight, self.initial_bias))
        sizes = self.head.state_sizes
        pieces = found.split(sizes * self.head.decoder.num_layers, 1)
        states = tuple(torch.stack(pieces[k :: len(sizes)]) for k in range(len(sizes)))
        return states if len(states) > 1 else states[0]
