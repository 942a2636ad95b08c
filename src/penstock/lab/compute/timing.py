"""A clock of one LSTM unit, which peepholes make possible, and LSTMs that learn to tick with and without them.

The task is from Gers, Schraudolph and Schmidhuber (2002): a spike at every n-th step, and nothing in between.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from penstock import nn
from penstock.lab.arrays import drawn, exact

__all__ = ["INTERVALS", "TRAINED", "clock", "figure", "learned"]

INTERVALS = range(3, 41)
TRAINED = (4, 6, 8)
"""The intervals that LSTMs are trained on."""
_UNITS, _SEEDS, _UPDATES = (1, 2), 8, 2000
_OPEN = 16.0  # sigmoid(±8), at half a step from the threshold, is as good as 1 or 0


def clock(interval: int) -> dict[str, NDArray[np.float32]]:
    """Return the parameters of one LSTM unit that spikes at every `interval`-th step, whatever the input.

    At every step the cell state grows by 1/interval. Peepholes open the output gate when the state reaches 1, and close
    the forget gate at the step after.
    """
    slope = _OPEN * interval
    threshold = 1 - 0.5 / interval
    grow = np.log((1 / interval) / (1 - 1 / interval))  # sigmoid(grow) = 1/interval
    bias = np.array([grow, slope * threshold, 10.0, -slope * threshold], np.float32)  # i, f, g, o
    return {
        "weight_ih": np.zeros((4, 1), np.float32),
        "weight_hh": np.zeros((4, 1), np.float32),
        "bias_ih": bias,
        "bias_hh": np.zeros(4, np.float32),
        "weight_ch": np.array([[0.0], [-slope], [slope]], np.float32),  # i, f, o
    }


def learned(interval: int, units: int, peephole: bool, seed: int, updates: int = _UPDATES) -> float:
    """Train an LSTM to tick, and return its least mean squared error relative to that of the best constant."""
    torch.manual_seed(seed)
    layer, head = nn.LSTM(1, units, peephole=peephole, init="orthogonal"), torch.nn.Linear(units, 1)
    steps = 5 * interval
    x, target = torch.zeros(steps, 1, 1), torch.zeros(steps, 1)
    x[0], target[interval - 1 :: interval] = 1, 1
    parameters = [*layer.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=0.03)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _UPDATES)
    least = float("inf")
    for _ in range(updates):
        loss = (head(layer(x)[0]).squeeze(-1) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        least = min(least, loss.item())
    return least / target.var(unbiased=False).item()


def figure() -> dict[str, Any]:
    """Return the clocks' biases and peepholes (interval, 4) and (interval, 3), and the errors of the trained LSTMs.

    The errors are (interval, units, without or with peepholes, seed).
    """
    clocks = [clock(interval) for interval in INTERVALS]
    errors = [
        [
            [[learned(n, units, peephole, seed) for seed in range(_SEEDS)] for peephole in (False, True)]
            for units in _UNITS
        ]
        for n in TRAINED
    ]
    return {
        "intervals": [INTERVALS[0], INTERVALS[-1]],
        "biases": exact([each["bias_ih"] for each in clocks]),
        "peepholes": exact([each["weight_ch"][:, 0] for each in clocks]),
        "trained": TRAINED,
        "units": _UNITS,
        "errors": drawn(errors),
    }
