"""Parts of exported PyTorch files: `torch_source` copies those that a network needs, as they stand here.

They may therefore use PyTorch and each other alone. Values of steps are (batch, time, size).
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn


def reversed_steps(x: Tensor, lengths: Tensor) -> Tensor:
    """Return x (batch, time, size) with the first `lengths` steps of each sequence in the opposite order."""
    time, count = torch.arange(x.shape[1], device=x.device), lengths[:, None]
    places = torch.where(time < count, count - 1 - time, time)
    return x.gather(1, places[..., None].expand(x.shape))


def run_steps(layer: nn.Module, x: Tensor, state: tuple[Tensor, ...], kept: Tensor | None) -> Tensor:
    """Run a layer forward over x (batch, time, size); where `kept` is False, its state and output stay as they are."""
    whole = state if len(state) > 1 else state[0]
    if kept is None and not torch.compiler.is_exporting():
        return layer(x, whole)[0]

    def step(before: Any, inputs: tuple[Tensor, Tensor]) -> tuple[Any, Tensor]:
        now, read = inputs
        after = advance(layer, now, before)
        after = tuple(torch.where(read, new, old) for new, old in zip(after, before, strict=True))
        return after, after[0][0].clone()

    kept = torch.ones_like(x[..., :1], dtype=torch.bool) if kept is None else kept
    return over_time(step, tuple(state), (x, kept))


def advance(layer: nn.Module, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """One step of a layer: x (batch, input), states (1, batch, size) -> the states after it."""
    whole = state if len(state) > 1 else state[0]
    if not isinstance(layer, nn.RNNBase):
        _, after = layer(x[:, None], whole)
        return after if isinstance(after, tuple) else (after,)
    # The function that the layer calls, because torch.export lets no module change within a loop, as these do.
    functions: dict[str, Callable[..., Any]] = {
        "LSTM": torch.lstm,
        "GRU": torch.gru,
        "RNN_TANH": torch.rnn_tanh,
        "RNN_RELU": torch.rnn_relu,
    }
    weights = list(layer.parameters())
    return tuple(functions[layer.mode](x[:, None], whole, weights, layer.bias, 1, 0.0, False, False, True)[1:])


def over_time(step: Callable[..., Any], state: Any, inputs: tuple[Tensor, ...]) -> Tensor:
    """Call `step(state, inputs at a step) -> (state, output)` for each step of inputs (batch, time, ...)."""
    if torch.compiler.is_exporting():  # a loop would fix the number of steps
        from torch._higher_order_ops.scan import scan

        return scan(step, state, tuple(each.transpose(0, 1) for each in inputs))[1].transpose(0, 1)
    outputs = []
    for time in range(inputs[0].shape[1]):
        state, output = step(state, tuple(each[:, time] for each in inputs))
        outputs.append(output)
    return torch.stack(outputs, 1)


class Recurrent(nn.Module):
    """Layers of one or two directions; the second one reads each sequence from its own end.

    Args:
        layer: makes a layer from the size of its input.
        sizes: the input sizes of the layers.
        states: the size of each state, the output first.
        directions: 1 or 2.
        initial: whether the states before the first step are buffers; if not, they are 0.
    """

    def __init__(
        self,
        layer: Callable[[int], nn.Module],
        sizes: Sequence[int],
        states: Sequence[int],
        directions: int = 1,
        initial: bool = False,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.ModuleList(layer(size) for _ in range(directions)) for size in sizes)
        self.states = tuple(states)
        self.initial = nn.ParameterList(
            nn.Parameter(torch.zeros(len(sizes) * directions, size)) for size in (states if initial else ())
        )

    def forward(self, x: Tensor, lengths: Tensor, kept: Tensor | None = None) -> Tensor:
        """x (batch, time, input) -> (batch, time, output)."""
        row = 0
        for directions in self.layers:
            outputs = []
            for backward, layer in enumerate(directions.children()):
                state = self.start(row, x)
                if backward:
                    read = None if kept is None else reversed_steps(kept, lengths)
                    outputs.append(reversed_steps(run_steps(layer, reversed_steps(x, lengths), state, read), lengths))
                else:
                    outputs.append(run_steps(layer, x, state, kept))
                row += 1
            x = torch.cat(outputs, -1)
        return x

    def start(self, row: int, x: Tensor) -> tuple[Tensor, ...]:
        """The states before the first step, (1, batch, size) each."""
        if not len(self.initial):
            return tuple(x.new_zeros(1, x.shape[0], size) for size in self.states)
        return tuple(state[row].expand(1, x.shape[0], -1).contiguous() for state in self.initial)


class ResetBeforeGRU(nn.Module):
    """A GRU whose reset gate acts before the candidate's product (version 3 of Cho et al. 2014)."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        super().__init__()
        self.ih = nn.Linear(input_size, 3 * hidden_size, bias)
        self.gates = nn.Linear(hidden_size, 2 * hidden_size, bias)
        self.candidate = nn.Linear(hidden_size, hidden_size, bias)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """x (batch, time, input), state (1, batch, hidden) -> outputs (batch, time, hidden), final state."""
        h, outputs = state[0], []
        for time in range(x.shape[1]):
            reset, update, candidate = self.ih(x[:, time]).chunk(3, -1)
            more_reset, more_update = self.gates(h).chunk(2, -1)
            r, z = torch.sigmoid(reset + more_reset), torch.sigmoid(update + more_update)
            n = torch.tanh(candidate + self.candidate(r * h))
            h = (1 - z) * n + z * h
            outputs.append(h)
        return torch.stack(outputs, 1), h[None]


class PeepholeLSTM(nn.Module):
    """An LSTM whose gates also read the cell state (Gers and Schmidhuber 2000), with an optional projection."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, proj_size: int = 0) -> None:
        super().__init__()
        self.ih = nn.Linear(input_size, 4 * hidden_size, bias)
        self.hh = nn.Linear(proj_size or hidden_size, 4 * hidden_size, bias)
        self.peepholes = nn.Parameter(torch.zeros(3, hidden_size))
        self.projection = nn.Linear(hidden_size, proj_size, bias=False) if proj_size else nn.Identity()

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x (batch, time, input), states (1, batch, size) -> outputs (batch, time, output), final states."""
        h, c, outputs = state[0][0], state[1][0], []
        for time in range(x.shape[1]):
            i, f, g, o = (self.ih(x[:, time]) + self.hh(h)).chunk(4, -1)
            i, f = i + self.peepholes[0] * c, f + self.peepholes[1] * c
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = self.projection(torch.sigmoid(o + self.peepholes[2] * c) * torch.tanh(c))
            outputs.append(h)
        return torch.stack(outputs, 1), (h[None], c[None])


class Zoneout(nn.Module):
    """A layer whose units keep a share of their state at each step (Krueger et al. 2016), as it predicts.

    Args:
        layer: the layer.
        shares: of each state.
    """

    def __init__(self, layer: nn.Module, shares: Sequence[float]) -> None:
        super().__init__()
        self.layer, self.shares = layer, tuple(shares)

    def forward(self, x: Tensor, state: Any) -> tuple[Tensor, Any]:
        """x (batch, time, input), states (1, batch, size) -> outputs (batch, time, output), final states."""
        states, outputs = state if isinstance(state, tuple) else (state,), []
        for time in range(x.shape[1]):
            after = advance(self.layer, x[:, time], states)
            pairs = zip(self.shares, states, after, strict=True)
            states = tuple(share * old + (1 - share) * new for share, old, new in pairs)
            outputs.append(states[0][0])
        return torch.stack(outputs, 1), states if len(states) > 1 else states[0]


class Scale(nn.Module):
    """x * scale + offset for each feature."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.scale, self.offset = nn.Parameter(torch.ones(size)), nn.Parameter(torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        """x (..., size) -> (..., size)."""
        return x * self.scale + self.offset


def standardize(x: Tensor, epsilon: float) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) over the features."""
    return nn.functional.layer_norm(x, x.shape[-1:], eps=epsilon)


def pool_sum(x: Tensor, kept: Tensor) -> Tensor:
    """The sum of the steps that are kept, (batch, size)."""
    return torch.where(kept, x, 0.0).sum(1)


def pool_mean(x: Tensor, kept: Tensor) -> Tensor:
    """The mean of the steps that are kept, zeros where none is."""
    return torch.where(kept, x, 0.0).sum(1) / kept.sum(1).clamp(min=1)


def pool_max(x: Tensor, kept: Tensor) -> Tensor:
    """The largest value of each feature at the steps that are kept, zeros where none is."""
    return torch.where(kept.any(1), torch.where(kept, x, -torch.inf).amax(1), 0.0)


def pool_last(x: Tensor, kept: Tensor) -> Tensor:
    """The last step that is kept, zeros where none is."""
    time = torch.arange(x.shape[1], device=x.device)[:, None]
    last = torch.where(kept, time, -1).amax(1, keepdim=True)
    return torch.where(kept & (time == last), x, 0.0).sum(1)


def pool_first(x: Tensor, kept: Tensor) -> Tensor:
    """The first step that is kept, zeros where none is."""
    time = torch.arange(x.shape[1], device=x.device)[:, None]
    first = torch.where(kept, time, x.shape[1]).amin(1, keepdim=True)
    return torch.where(kept & (time == first), x, 0.0).sum(1)
