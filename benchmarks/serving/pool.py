"""Many streams of one network advanced together, beside PyTorch doing the same.

    python benchmarks/serving/pool.py

All of 10,000 open streams of an LSTM of 128 units advance one step, in random order. "batched" is PyTorch's `LSTMCell`
on the states gathered from two slabs and scattered back; "one by one" runs the cell for each stream in turn. The
methods are timed alternately and their medians compared; the engine's batched peak is its whole sequences at batch 64.
"""

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter, sleep

import numpy as np
import torch

from penstock import engine
from penstock.network import Recurrent
from penstock.runtime import Recurrence

HIDDEN = 128


def main() -> None:
    """Print the streams per second of each method and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    engine.set_num_threads(arguments.threads)
    torch.set_num_threads(arguments.threads)
    draw = np.random.default_rng(0)
    shapes = Recurrent(cell="lstm", input_size=HIDDEN, hidden_size=HIDDEN).parameter_shapes()
    weights = {name: draw.normal(size=shape, scale=0.1).astype(np.float32) for name, shape in shapes.items()}
    network = Recurrence(weights, "lstm")
    pool = network.pool()
    ids = np.array([pool.open() for _ in range(arguments.streams)])[draw.permutation(arguments.streams)]
    x = draw.normal(size=(arguments.streams, HIDDEN)).astype(np.float32)
    whole = np.ascontiguousarray(draw.normal(size=(100, 64, HIDDEN)).astype(np.float32))
    batched, one_by_one = _pytorch(weights, torch.from_numpy(draw.permutation(arguments.streams)), torch.from_numpy(x))
    ways: dict[str, Callable[[], object]] = {
        "pool": lambda: pool.step(ids, x),
        "PyTorch, batched": batched,
        "PyTorch, one by one": one_by_one,
        "the engine's batched peak": lambda: network(whole),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(arguments.rounds + 1):
        for name, way in ways.items():
            if name == "PyTorch, one by one" and number > 1:
                continue  # it takes as long as all other methods together
            sleep(0.03)  # so that the threads of the previous method stop spinning
            way()
            begin = perf_counter()
            way()
            seconds[name].append(perf_counter() - begin)
    rows = dict.fromkeys(ways, arguments.streams) | {"the engine's batched peak": whole.shape[0] * whole.shape[1]}
    rate = {name: rows[name] / median(each) for name, each in seconds.items()}
    print(f"{arguments.streams} streams, {arguments.threads} threads, PyTorch {torch.__version__}")
    for name, per_second in rate.items():
        print(f"{name}: {per_second:,.0f} steps a second; the pool does {rate['pool'] / per_second:.2f} times as many")


def _pytorch(
    weights: dict[str, np.ndarray], order: torch.Tensor, x: torch.Tensor
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return PyTorch's two methods to advance all streams: gathered into one batch, and one by one."""
    cell = torch.nn.LSTMCell(HIDDEN, HIDDEN)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    cell.load_state_dict({name: torch.from_numpy(weights[f"{name}_l0"]) for name in names})
    h, c = torch.zeros(len(x), HIDDEN), torch.zeros(len(x), HIDDEN)

    def batched() -> None:
        with torch.inference_mode():
            h[order], c[order] = cell(x, (h[order], c[order]))

    def one_by_one() -> None:
        with torch.inference_mode():
            for row, place in enumerate(order.tolist()):
                h[place : place + 1], c[place : place + 1] = cell(
                    x[row : row + 1], (h[place : place + 1], c[place : place + 1])
                )

    return batched, one_by_one


if __name__ == "__main__":
    main()
