"""What zoneout costs a training step, beside the layer without it and beside the usual loop in PyTorch.

    python benchmarks/speed/zoneout.py

An LSTM of 128 units on 32 sequences of 100 steps with 128 inputs, forward and backward, on one thread. The loop in
PyTorch is the one that is written where a layer can't do it: an LSTMCell for each step, masks from torch.rand, the
states by torch.where. Ways take turns; each figure is the median over the rounds of a way's time divided by that of
Penstock with zoneout.
"""

import time
from collections.abc import Callable
from statistics import median

import torch

from penstock import nn

STEPS, BATCH, SIZE = 100, 32, 128
SHARE_H, SHARE_C = 0.05, 0.5
ROUNDS = 7


def in_a_loop(cell: torch.nn.LSTMCell, x: torch.Tensor) -> torch.Tensor:
    """The outputs (time, batch, size) of an LSTM with zoneout, in PyTorch."""
    h = c = x.new_zeros(BATCH, SIZE)
    outputs = []
    for each in x:
        new_h, new_c = cell(each, (h, c))
        h = torch.where(torch.rand_like(h) < SHARE_H, h, new_h)
        c = torch.where(torch.rand_like(c) < SHARE_C, c, new_c)
        outputs.append(h)
    return torch.stack(outputs)


def main() -> None:
    """Print each way's time as a multiple of Penstock's zoneout."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    plain, cell, theirs = nn.LSTM(SIZE, SIZE), torch.nn.LSTMCell(SIZE, SIZE), torch.nn.LSTM(SIZE, SIZE)
    zoned = nn.LSTM(SIZE, SIZE, zoneout=(SHARE_H, SHARE_C))
    ways: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "penstock, zoneout": lambda x: zoned(x)[0],
        "penstock, none": lambda x: plain(x)[0],
        "torch, a loop with zoneout": lambda x: in_a_loop(cell, x),
        "torch.nn.LSTM, none": lambda x: theirs(x)[0],
    }
    x = torch.randn(STEPS, BATCH, SIZE, requires_grad=True)
    ratios: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        seconds = {}
        for name, way in ways.items():
            begin = time.perf_counter()
            for _ in range(3):
                way(x).sum().backward()
            seconds[name] = (time.perf_counter() - begin) / 3
        for name in ways if number else ():  # the first round warms up
            ratios[name].append(seconds[name] / seconds["penstock, zoneout"])
    print(f"penstock, zoneout: {seconds['penstock, zoneout'] * 1000:.1f} ms")
    for name, each in ratios.items():
        print(f"{name}: {median(each):.2f} ({min(each):.2f} to {max(each):.2f})")


if __name__ == "__main__":
    main()
