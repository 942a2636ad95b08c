"""The engine beside PyTorch on the 48 core points: one step, whole sequences, training steps.

    python benchmarks/speed/core.py [--threads 2] [--rounds 7] [--seconds 0.15] [--cells rnn,lstm,gru] [--json FILE]

Each side lives in a process of its own and sleeps while the other is timed, because spinning thread pools slow
their neighbours. A round times both sides in the order A B B A; a point's ratio is the median over the rounds of
PyTorch's time divided by ours. Same weights, same inputs, same number of threads, float32, input size = hidden
size. GF/s counts 2 * batch * time * gates * hidden * (input + hidden), three times that for a training step.
The errors, ours and theirs, are the largest differences from a float64 run of PyTorch's layer; a point whose
difference on our side is above 1e-4 fails the run. One step runs by `engine.Step` on our side (arrays bound once,
state carried) and by the layer, with its state passed and taken, on PyTorch's.
"""

import argparse
import json
import multiprocessing as mp
import platform
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
POINTS = (
    *(("step", 1, 1, hidden) for hidden in (64, 128, 256, 512)),
    *(("infer", 1, 100, hidden) for hidden in (64, 128, 256, 512)),
    *(("infer", batch, 100, hidden) for batch, hidden in ((8, 128), (32, 128), (32, 256), (64, 512))),
    *(("train", batch, 100, hidden) for batch, hidden in ((1, 128), (32, 128), (32, 256), (64, 512))),
)


def main() -> None:
    """Time all points and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=mp.cpu_count())
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.15, help="of one timing of one side")
    parser.add_argument("--cells", default="rnn,lstm,gru")
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args()
    context = mp.get_context("spawn")
    sides = {name: Side(context, name, options.threads) for name in ("penstock", "torch")}
    print(f"{platform.machine()}, {sides['penstock'].about}, {sides['torch'].about}, {options.threads} threads")
    print("| cell | what | batch | time | hidden | Penstock µs | GF/s | PyTorch µs | ratio | spread | errors |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    rows = []
    for cell in options.cells.split(","):
        for point in POINTS:
            rows.append(row := measure(sides, cell, point, options))
            print(
                "| {cell} | {what} | {batch} | {time} | {hidden} | {penstock_us:.1f} | {gflops:.0f} | {torch_us:.1f} | "
                "**{ratio:.2f}** | {low:.2f}-{high:.2f} | {error:.0e}, {torch_error:.0e} |".format(**row),
                flush=True,
            )
    below = [row for row in rows if row["ratio"] < 1.0]
    print(f"\n{len(rows)} points, {len(below)} below 1.0")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(
                {"threads": options.threads, "sides": [s.about for s in sides.values()], "rows": rows},
                file,
                indent=1,
            )
    sys.exit(1 if any(row["error"] > 1e-4 for row in rows) else 0)


def measure(sides: dict[str, "Side"], cell: str, point: tuple[str, int, int, int], options: Any) -> dict[str, Any]:
    """One point: set both sides up, warm up, then rounds of A B B A."""
    what, batch, steps, hidden = point
    errors = {name: side.ask("prepare", cell, *point) for name, side in sides.items()}
    times: dict[str, list[float]] = {name: [] for name in sides}
    ratios = []
    for round_number in range(options.rounds + 1):
        taken = {name: [] for name in sides}
        for name in ("penstock", "torch", "torch", "penstock"):
            taken[name].append(sides[name].ask("time", options.seconds))
        if round_number:  # the first round is warm-up
            for name in sides:
                times[name].append(statistics.mean(taken[name]))
            ratios.append(times["torch"][-1] / times["penstock"][-1])
    ours = statistics.median(times["penstock"])
    flops = 2 * batch * steps * GATES[cell] * hidden * 2 * hidden * (3 if what == "train" else 1)
    return {
        "cell": cell,
        "what": what,
        "batch": batch,
        "time": steps,
        "hidden": hidden,
        "penstock_us": ours * 1e6,
        "torch_us": statistics.median(times["torch"]) * 1e6,
        "gflops": flops / ours / 1e9,
        "ratio": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "error": errors["penstock"],
        "torch_error": errors["torch"],
    }


class Side:
    """One library in a process of its own, waiting on a pipe while it is not asked."""

    def __init__(self, context: Any, name: str, threads: int) -> None:
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=serve, args=(name, threads, there), daemon=True)
        self._process.start()
        self.about = self._pipe.recv()

    def ask(self, *request: Any) -> Any:
        """Send a request, wait for its answer."""
        self._pipe.send(request)
        return self._pipe.recv()


def serve(name: str, threads: int, pipe: Connection) -> None:
    """Answer requests: ("prepare", cell, what, batch, time, hidden) -> error, ("time", seconds) -> median seconds."""
    import torch

    torch.set_num_threads(threads)
    if name == "penstock":
        from penstock import __version__, engine

        engine.set_num_threads(threads)
        pipe.send(f"Penstock {__version__} ({engine.instruction_set()})")
    else:
        pipe.send(f"PyTorch {torch.__version__}")
    call: Callable[[], Any] | None = None
    while True:
        request = pipe.recv()
        if request[0] == "prepare":
            call, error = prepare(name, *request[1:])
            pipe.send(error)
        else:
            assert call is not None
            pipe.send(median_time(call, request[1]))


def median_time(call: Callable[[], Any], seconds: float) -> float:
    """Median seconds of one call, over at least three calls and `seconds`."""
    call()
    taken = []
    end = time.perf_counter() + seconds
    while len(taken) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def prepare(name: str, cell: str, what: str, batch: int, steps: int, hidden: int) -> tuple[Callable[[], Any], float]:
    """The call to be timed, and the largest difference of its result from PyTorch's in float64."""
    import torch

    import penstock.nn

    library = penstock.nn if name == "penstock" else torch.nn
    torch.manual_seed(0)
    layer = getattr(library, cell.upper())(hidden, hidden)
    x = torch.randn(steps, batch, hidden)
    exact_layer = getattr(torch.nn, cell.upper())(hidden, hidden).double()
    exact_layer.load_state_dict(layer.state_dict())
    if what == "train":
        return prepare_training(layer, exact_layer, x)
    exact = exact_layer(x.double())[0]
    if what == "step" and name == "penstock":
        step, row = bind_step(layer), x[0].numpy()
        error = torch.from_numpy(step(row).copy()) - exact[0]
        return lambda: step(row), error.abs().max().item()
    zeros = torch.zeros(1, batch, hidden)
    state = (zeros, zeros) if cell == "lstm" else zeros
    arguments = (x, state) if what == "step" else (x,)

    def infer() -> torch.Tensor:
        with torch.inference_mode():
            return layer(*arguments)[0]

    return infer, (infer() - exact).abs().max().item()


def bind_step(layer: Any) -> Any:
    """The layer's weights in an engine step."""
    from penstock import engine

    native = engine.Layer(layer.mode.split("_")[0].lower(), layer.input_size, layer.hidden_size)
    native.load({key.removesuffix("_l0"): value.detach().numpy() for key, value in layer.named_parameters()})
    return engine.Step([native])


def prepare_training(layer: Any, exact_layer: Any, x: Any) -> tuple[Callable[[], Any], float]:
    """Forward, and backward to weights and inputs."""
    import torch

    dy = torch.randn(*x.shape[:2], layer.hidden_size)
    x = x.requires_grad_()

    def train(module: Any = layer, x: Any = x, dy: Any = dy) -> list[torch.Tensor]:
        module.zero_grad(set_to_none=True)
        x.grad = None
        module(x)[0].backward(dy)
        return [x.grad, *(p.grad for p in module.parameters())]

    exact = train(exact_layer, x.detach().double().requires_grad_(), dy.double())
    differences = [((a - b).abs().max() / b.abs().max()).item() for a, b in zip(train(), exact, strict=True)]
    return train, max(differences)


if __name__ == "__main__":
    main()
