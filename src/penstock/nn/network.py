"""A whole network as a PyTorch module, built from the modules that `penstock.network.KINDS` names."""

from typing import Any

import torch
from torch import Tensor

from penstock.network import Network, Recurrent
from penstock.network.wiring import score_sequences
from penstock.nn.any_cell import make_layers
from penstock.nn.layer import RecurrentLayers

__all__ = ["NetworkModule", "build", "recurrent_layers"]


class NetworkModule(torch.nn.Module):
    """The module that is trained; its state_dict has the names of the bundle's `model.safetensors`.

    The parts can be called separately, for example to add dropout or another loss:

        y, _ = module.encoder(module.inputs(values), lengths=lengths)
        logits = module.head.project(module.head.pool(y, lengths))

    Args:
        network: the network's description.
        init: the encoder's initial values, one of `penstock.nn.INITIAL_VALUES`.
        max_time: with init="chrono", the longest dependency to expect, in steps.

    Raises:
        ConfigError: a part has no PyTorch implementation.

    Examples:
        >>> import torch
        >>> from penstock.network import ClassHead, Embedding, Network, Recurrent
        >>> from penstock.nn import NetworkModule
        >>> encoder = Recurrent(cell="gru", input_size=4, hidden_size=5)
        >>> module = NetworkModule(Network(Embedding(9, 4), encoder, ClassHead(2, "max")))
        >>> module(torch.ones(3, 10, dtype=torch.int64)).shape  # sequences, steps
        torch.Size([3, 2])
    """

    def __init__(self, network: Network, *, init: str = "torch", max_time: int | None = None) -> None:
        super().__init__()
        self.network = network
        inputs, encoder, head = network.sides("torch")
        self.inputs = inputs(network.inputs)
        self.encoder = encoder(network.encoder, init=init, max_time=max_time)
        self.head: Any = head(
            network.head, features=network.encoder.output_size, bidirectional=network.encoder.bidirectional
        )

    def vectors(self, values: Tensor, *identity: Tensor) -> Tensor:
        """Return the first layer's inputs; see `network.wiring.Parts`."""
        return self.inputs(values, *identity)

    def encode(self, x: Tensor, state: Any = None, lengths: Any = None) -> tuple[Tensor, Any]:
        """Run the layers; see `network.wiring.Parts`."""
        return self.encoder(x, state, lengths=lengths)

    def forward(self, values: Tensor, lengths: Any = None) -> Tensor:
        """Return the head's scores for whole sequences.

        Args:
            values: (batch, time) ids for an embedding, otherwise (batch, time, size) numbers.
            lengths: (batch,) steps of each sequence, 0 to time, in any order; all `time` if None.

        Returns:
            (batch, outputs) for a pooled head, (batch, time, outputs) for a stepwise one. For classes these are logits;
            apply softmax for probabilities.
        """
        return score_sequences(self, values, lengths)


def build(network: Network, **options: Any) -> NetworkModule:
    """Make the module that trains a network, of the class that its wiring names.

    Args:
        network: the network's description.
        options: options of `NetworkModule`; forecasting networks also take `dropout`.

    Raises:
        ConfigError: the wiring or a part has no PyTorch implementation.

    Examples:
        >>> from penstock.network import ClassHead, Embedding, Network, Recurrent
        >>> from penstock.nn import build
        >>> encoder = Recurrent(cell="gru", input_size=4, hidden_size=5)
        >>> module = build(Network(Embedding(9, 4), encoder, ClassHead(2, "max")), init="orthogonal")
        >>> module.head.weight.shape
        torch.Size([2, 5])
    """
    return network.wiring.side("torch")(network, **options)


def recurrent_layers(encoder: Recurrent, *, init: str = "torch", max_time: int | None = None) -> RecurrentLayers:
    """Make the layers of a description; `init` and `max_time` as for `NetworkModule`."""
    chrono: dict[str, Any] = {} if max_time is None else {"max_time": max_time}
    return make_layers(
        encoder.cell,
        input_size=encoder.input_size,
        hidden_size=encoder.hidden_size,
        num_layers=encoder.num_layers,
        bias=encoder.bias,
        batch_first=True,
        bidirectional=encoder.bidirectional,
        init=init,
        **encoder.options,
        **chrono,
    )
