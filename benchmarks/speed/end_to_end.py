"""A whole training with Penstock's layers beside the same one with PyTorch's: every second of it counted.

    python benchmarks/speed/end_to_end.py --data shared/data

Both train the same network from the same weights on the same batches in the same order, by the same loop: embedding or
numbers, one recurrent layer of 128 units, a linear layer, Adam, fused as in `fit`. A text's network takes the output
at its end, by packed sequences with PyTorch and by `lengths` with Penstock. Threads are set as in Penstock's `fit`:
its engine uses all of them and PyTorch's operators one, because PyTorch's threads would keep spinning; PyTorch alone
uses all of them. A turn is one pass over the batches, which are prepared in advance. Turns alternate as A B B A, and
the ratio is the median over the rounds of Penstock's time divided by PyTorch's.

sst2      SST-2's training sentences, in batches of 32 of unequal lengths
etth1     ETTh1's training part, 96 hours of 7 channels to the 24 that follow, in batches of 64 (half of them)
"""

import argparse
import csv
import gzip
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

import penstock.nn
from penstock.nn.threads import engine_threads_of
from penstock.text.features import TextFeatures

HIDDEN = 128
Batch = tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]


def main() -> None:
    """Print a row for each set and cell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="the folder of data sets")
    parser.add_argument("--rounds", type=int, default=3, help="of four turns each")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    print(f"{arguments.threads} threads, PyTorch {torch.__version__}")
    print("| set | cell | Penstock s | PyTorch s | ratio | spread |\n|---|---|---|---|---|---|")
    for name, batches, sizes in (("sst2", *sst2(arguments.data)), ("etth1", *etth1(arguments.data))):
        for cell in ("GRU", "RNN", "LSTM"):
            print(f"| {name} | {cell} | {_compared(cell, batches, sizes, arguments)} |", flush=True)


def sst2(data: Path) -> tuple[list[Batch], dict[str, int]]:
    """Return batches of token ids, and the sizes of the network."""
    with open(data / "sst2" / "train.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    texts, labels = [row["text"] for row in rows], [int(row["label"]) for row in rows]
    features = TextFeatures().fit(texts)
    sequences = features.apply(texts)
    order = np.random.default_rng(0).permutation(len(texts))
    batches = []
    for first in range(0, len(order) - 31, 32):
        chosen = order[first : first + 32]
        tokens = [torch.from_numpy(np.asarray(sequences[int(row)], np.int64)) for row in chosen]
        lengths = torch.tensor([len(each) for each in tokens])
        padded = nn.utils.rnn.pad_sequence(tokens)
        batches.append((padded, lengths, torch.tensor([labels[row] for row in chosen])))
    return batches, {"vocabulary": features.vocabulary_size, "inputs": HIDDEN, "outputs": 2}


def etth1(data: Path) -> tuple[list[Batch], dict[str, int]]:
    """Return batches of windows, and the sizes of the network."""
    with gzip.open(data / "ett" / "ETTh1.csv.gz", "rt") as file:
        values = np.array([row[1:] for row in list(csv.reader(file))[1:8641]], np.float32)
    values = (values - values.mean(0)) / values.std(0)
    starts = np.random.default_rng(0).permutation(len(values) - 120)[: (len(values) - 120) // 2]
    batches: list[Batch] = []
    for first in range(0, len(starts) - 63, 64):
        chosen = starts[first : first + 64]
        past = np.stack([values[start : start + 96] for start in chosen], 1)
        future = np.stack([values[start + 96 : start + 120].ravel() for start in chosen])
        batches.append((torch.from_numpy(past), None, torch.from_numpy(future)))
    return batches, {"vocabulary": 0, "inputs": values.shape[1], "outputs": 24 * values.shape[1]}


class Network(nn.Module):
    """A recurrent layer whose last output feeds a linear layer; `library` is `torch.nn` or `penstock.nn`."""

    def __init__(self, library: Any, cell: str, vocabulary: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, inputs) if vocabulary else nn.Identity()
        self.recurrent = getattr(library, cell)(inputs, HIDDEN)
        self.linear = nn.Linear(HIDDEN, outputs)
        self._ours = library is penstock.nn

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
        """Map x (time, batch) of token ids or (time, batch, inputs) to (batch, outputs)."""
        x = self.embedding(x)
        if lengths is None:
            final = self.recurrent(x)[1]
        elif self._ours:
            final = self.recurrent(x, lengths=lengths)[1]
        else:
            final = self.recurrent(pack_padded_sequence(x, lengths, enforce_sorted=False))[1]
        return self.linear((final[0] if isinstance(final, tuple) else final)[-1])


def _compared(cell: str, batches: list[Batch], sizes: dict[str, int], arguments: argparse.Namespace) -> str:
    torch.manual_seed(0)
    theirs = Network(torch.nn, cell, **sizes)
    ours = Network(penstock.nn, cell, **sizes)
    ours.load_state_dict(theirs.state_dict())
    loss = nn.CrossEntropyLoss() if batches[0][2].dtype == torch.int64 else nn.MSELoss()
    turns = {network: _turns(network, batches, loss) for network in (ours, theirs)}

    def turn(network: Network) -> tuple[float, float]:
        torch.set_num_threads(1 if network is ours else arguments.threads)
        with engine_threads_of(arguments.threads):
            return next(turns[network])

    first = {network: turn(network) for network in turns}  # warm-up, and the check that both compute the same
    difference = abs(first[ours][1] - first[theirs][1]) / abs(first[theirs][1])
    if not difference < 1e-3:
        raise SystemExit(f"{cell}: mean losses differ by {difference:.1e}: not the same training")
    found: list[tuple[float, float]] = []
    for _ in range(arguments.rounds):
        seconds: dict[Network, list[float]] = {ours: [], theirs: []}
        for network in (ours, theirs, theirs, ours):
            seconds[network].append(turn(network)[0])
        found.append((sum(seconds[ours]) / 2, sum(seconds[theirs]) / 2))
    ratios = [a / b for a, b in found]
    return (
        f"{median(a for a, _ in found):.2f} | {median(b for _, b in found):.2f} | **{median(ratios):.2f}** | "
        f"{min(ratios):.2f}–{max(ratios):.2f}"
    )


def _turns(network: Network, batches: list[Batch], loss: nn.Module) -> Iterator[tuple[float, float]]:
    """Yield (seconds, mean loss) of each pass over the batches."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    while True:
        total, begin = 0.0, time.perf_counter()
        for x, lengths, target in batches:
            optimizer.zero_grad()
            value = loss(network(x, lengths), target)
            value.backward()
            optimizer.step()
            total += float(value.detach())
        yield time.perf_counter() - begin, total / len(batches)


if __name__ == "__main__":
    main()
