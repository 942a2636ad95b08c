"""Train a GRU to expect a sensor's next value, export it to C, and let examples/c/watch.c find what is wrong."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch

from penstock import nn
from penstock.convert import to_c
from penstock.network import Concatenate, Dense, GraphBuilder, Pointwise, Recurrent, RecurrentLayers, Slice, Value
from penstock.runtime import GraphModel

UNITS, STEPS = 16, 60
FAULTS = {300: 1.5, 450: -1.2, 700: 2.0}


def main() -> None:
    """Train, export, compile, and compare what C finds with what was put in."""
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    gru, head = nn.GRU(1, UNITS), torch.nn.Linear(UNITS, 2)
    train(gru, head, random)
    model = GraphModel(*graph_of(gru, head))
    values = sensor(900, random)
    for place, size in FAULTS.items():
        values[place] += size
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exported = to_c(model, folder / "sensor")
        for what, measure in exported.measures.items():
            print(f"{what}: {measure}")
        sources = [str(Path(__file__).parent / "c" / "watch.c"), "sensor.c", "-lm"]
        subprocess.run(["cc", "-std=c99", "-O2", "-I.", *sources, "-o", "watch"], cwd=folder, check=True)
        lines = "\n".join(f"{value:.6f}" for value in values)
        found = subprocess.run(["./watch", "6"], cwd=folder, input=lines, capture_output=True, text=True, check=True)
    for line in found.stdout.splitlines():
        place, surprise = line.split()
        print(f"value {place}: {surprise} standard deviations from what was expected")
    assert [int(line.split()[0]) - 1 for line in found.stdout.splitlines()] == list(FAULTS)


def sensor(length: int, random: np.random.Generator) -> np.ndarray:
    """Return a machine's vibration: two waves and noise."""
    time = np.arange(length) + random.uniform(0, 100)
    return np.sin(time / 4) + 0.5 * np.sin(time / 1.7) + random.normal(0, 0.05, length)


def train(gru: nn.GRU, head: torch.nn.Linear, random: np.random.Generator) -> None:
    """Fit the mean and the standard deviation of each next value."""
    optimizer = torch.optim.Adam([*gru.parameters(), *head.parameters()], lr=0.01)
    for _ in range(150):
        batch = np.stack([sensor(STEPS + 1, random) for _ in range(16)])
        x = torch.tensor(batch.T[..., None], dtype=torch.float32)
        mean, raw = head(gru(x[:-1])[0]).split(1, dim=-1)
        loss = torch.nn.functional.gaussian_nll_loss(mean, x[1:], torch.exp(raw) ** 2 + 1e-6)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def graph_of(gru: nn.GRU, head: torch.nn.Linear) -> tuple:
    """Return the network as a graph: the GRU, a linear layer, and the exponential of its second output."""
    builder = GraphBuilder({"value": Value(1)})
    layers = RecurrentLayers(Recurrent(cell="gru", input_size=1, hidden_size=UNITS))
    y = builder.add(layers, "value", **{name: each.detach().numpy() for name, each in gru.named_parameters()})
    weight, bias = head.weight.detach().numpy(), head.bias.detach().numpy()
    both = builder.add(Dense(UNITS, 2), y, weight=weight, bias=bias)
    deviation = builder.add(Pointwise("exp"), builder.add(Slice(1, 2), both))
    return builder.build(builder.add(Concatenate(), builder.add(Slice(0, 1), both), deviation, name="expected"))


if __name__ == "__main__":
    main()
