"""What several workers gain: one and two workers measured, more of them estimated from the parts of a step.

    python benchmarks/scale/workers.py

Each worker has one core and `--rows` rows of each batch, so N workers train on batches of N times as many. A step of
one worker is computation alone. The exchange of gradients between two is measured alone too, over the loopback.
`distributed.strategy` exchanges them by a reduce-scatter, then an all-gather: with N workers, each sends 2 (N - 1)
messages, which have 2 (N - 1) / N times the gradient's bytes together. The estimate is the computation, plus the
latency of these messages, plus their bytes over the bandwidth, with nothing overlapped.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["PENSTOCK_NUM_THREADS"] = "1"  # a core for each worker; before any import

import argparse
import multiprocessing
import time
from dataclasses import dataclass
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

STEPS, WORDS, EXCHANGES = 30, 64, 40
WORKERS = (8, 64, 512)
SIZES = {"LSTM 2 x 128": (5_000, 64, 128), "LSTM 2 x 512": (20_000, 256, 512)}
"""Vocabulary, size of the embedding, hidden size."""


@dataclass(frozen=True)
class Measured:
    """Seconds of a step with one and with two workers and of an exchange alone, and the gradient's bytes."""

    one: float
    two: float
    exchange: float
    gradient_bytes: int

    def seconds(self, workers: int, latency: float, bandwidth: float) -> float:
        """An estimate of a step of so many workers."""
        wire = 2 * (workers - 1) / workers * self.gradient_bytes / bandwidth
        return self.one + 2 * (workers - 1) * latency + wire


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=32, help="of each worker in a step")
    parser.add_argument("--latency-us", type=float, default=50.0, help="of a message, microseconds")
    parser.add_argument("--gigabits", type=float, default=10.0, help="of a worker's network a second")
    given = parser.parse_args()
    latency, bandwidth = given.latency_us * 1e-6, given.gigabits * 1e9 / 8
    print(f"rows a second, and the share beyond one worker's own step; {given.rows} rows of {WORDS} words a worker")
    heads = ["network", "gradient", "step of 1", "exchange of 2", "2 workers", *(f"{n}, estimated" for n in WORKERS)]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for name, sizes in SIZES.items():
        found = measured(given.rows, *sizes)
        cells = [name, f"{found.gradient_bytes / 1e6:.1f} MB", f"{found.one * 1e3:.0f} ms"]
        cells += [f"{found.exchange * 1e3:.0f} ms", _cell(found, found.two, 2, given.rows)]
        cells += [_cell(found, found.seconds(n, latency, bandwidth), n, given.rows) for n in WORKERS]
        print(f"| {' | '.join(cells)} |", flush=True)


def _cell(found: Measured, seconds: float, workers: int, rows: int) -> str:
    speed, alone = workers * rows / seconds, rows / found.one
    return f"{speed:,.0f} ({speed / alone:.1f} times, {100 * (1 - found.one / seconds):.0f} %)"


def measured(rows: int, vocabulary: int, embedding: int, hidden: int) -> Measured:
    """Measure both numbers of workers, the second in processes of its own."""
    one, parameters = _step_seconds(1, rows, vocabulary, embedding, hidden)
    two, _ = _step_seconds(2, rows, vocabulary, embedding, hidden)
    return Measured(one, two, _exchange_seconds(parameters), 4 * parameters)


def _step_seconds(workers: int, rows: int, vocabulary: int, embedding: int, hidden: int) -> tuple[float, int]:
    from penstock import TextClassifier

    draw = np.random.default_rng(0)
    count = workers * rows * STEPS
    texts = [" ".join(f"w{word}" for word in draw.integers(0, vocabulary, WORDS)) for _ in range(count + 8)]
    labels = np.arange(len(texts)) % 2
    classifier = TextClassifier(
        hidden_size=hidden, embedding_size=embedding, num_layers=2, bidirectional=False, batch_size=workers * rows,
        max_vocabulary=vocabulary, epochs=3, workers=workers, baseline=False, random_state=0,
    )  # fmt: skip
    classifier.fit(texts[:count], labels[:count], validation_data=(texts[count:], labels[count:]))
    seconds = min(epoch["seconds"] for epoch in classifier.history_)  # with a validation of 8 texts
    return seconds / STEPS, int(classifier.metrics_["parameters"])


def _exchange_seconds(parameters: int) -> float:
    """The exchange of a gradient between two processes that do nothing else, the median of several."""
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    with TemporaryDirectory() as folder:
        both = [context.Process(target=_exchange, args=(rank, folder, parameters, answers)) for rank in (0, 1)]
        for process in both:
            process.start()
        for process in both:
            process.join()
    if any(process.exitcode for process in both):
        raise SystemExit("a process of the exchange failed; see above")
    return float(answers.get())


def _exchange(rank: int, folder: str, parameters: int, answers: "multiprocessing.SimpleQueue[float]") -> None:
    import torch
    from torch import distributed

    from penstock.distributed.strategy import _mean

    distributed.init_process_group("gloo", store=distributed.FileStore(f"{folder}/store", 2), rank=rank, world_size=2)
    bucket, seconds = _Bucket(torch.ones(parameters)), []
    for _ in range(EXCHANGES):
        distributed.barrier()
        began = time.perf_counter()
        _mean(None, bucket).wait()  # type: ignore[arg-type]
        seconds.append(time.perf_counter() - began)
    if rank == 0:
        answers.put(median(seconds))
    distributed.destroy_process_group()


@dataclass(frozen=True)
class _Bucket:
    gradient: object

    def buffer(self) -> object:
        return self.gradient


if __name__ == "__main__":
    main()
