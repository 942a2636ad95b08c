"""The adding problem (Hochreiter and Schmidhuber 1997, section 5.4), trained live with three cells.

Each step has a number from [0, 1] and a mark. Two steps are marked, one in each half. The target after the last step
is the sum of the two marked numbers. A network that forgets the first number can do no better than predict 1, with a
mean squared error of 1/6. Numbers and target are scaled as in Le, Jaitly and Hinton 2015 (arXiv:1504.00941).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from penstock import nn
from penstock.inspection import gradient_norms

__all__ = ["CELLS", "Settings", "adding_batch", "learn", "verdict"]

CELLS = ("rnn", "lstm", "gru")
_LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
# The gate biases start at forgetting times of up to `steps` (Tallec and Ollivier 2018); an RNN has no gates.
_GATED = ("lstm", "gru")


@dataclass(frozen=True)
class Settings:
    """Settings that all cells share; training stops at the validation error `enough`, or after `updates`."""

    steps: int = 100
    hidden_size: int = 64
    batch: int = 32
    learning_rate: float = 0.01
    clip: float = 1.0
    updates: int = 1500
    every: int = 50
    enough: float = 0.004
    held_out: int = 1000
    solved: float = 0.01
    unsolved: float = 0.1
    random_state: int = 0


class _Adder(torch.nn.Module):
    """A recurrent layer and a linear output after the last step."""

    def __init__(self, cell: str, settings: Settings) -> None:
        super().__init__()
        gates: dict[str, Any] = {"init": "chrono", "max_time": settings.steps} if cell in _GATED else {}
        self.encoder = _LAYERS[cell](2, settings.hidden_size, **gates)
        self.head = torch.nn.Linear(settings.hidden_size, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map inputs (time, batch, 2) to predictions (batch,)."""
        return self.answer(self.encoder(x)[0])

    def answer(self, y: Tensor) -> Tensor:
        """Map outputs of the layer (time, batch, hidden) to predictions (batch,)."""
        return self.head(y[-1]).squeeze(-1)


def adding_batch(steps: int, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return sequences (steps, batch, 2) of numbers and marks, and the sums (batch,)."""
    numbers = torch.rand(steps, batch, generator=generator)
    marks = torch.zeros(steps, batch)
    columns = torch.arange(batch)
    marks[torch.randint(steps // 2, (batch,), generator=generator), columns] = 1.0
    marks[torch.randint(steps // 2, steps, (batch,), generator=generator), columns] = 1.0
    return torch.stack([numbers, marks], dim=-1), (numbers * marks).sum(0)


def learn(cell: str, settings: Settings, progress: Callable[[int, float], None] | None = None) -> dict[str, Any]:
    """Train one cell and return the results as plain values.

    Args:
        cell: one of `CELLS`.
        settings: sizes and stopping criteria.
        progress: called regularly with the number of updates and the validation error.

    Returns:
        `curve`, pairs of updates and validation error; `error`, the mean squared error on test data that
        neither training nor stopping used; `updates`, `seconds`; `path`, the implementation that computed the layer;
        `gradient_before` and `gradient_after`, |d loss / d state| at 0, 1, ... steps back, relative to 0.
    """
    with _one_thread():
        return _learn(cell, settings, progress)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use one thread: layers this small don't gain from a second core, and are slow if another program uses it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _learn(cell: str, settings: Settings, progress: Callable[[int, float], None] | None) -> dict[str, Any]:
    data = torch.Generator().manual_seed(settings.random_state)
    validation, test = (adding_batch(settings.steps, settings.held_out, data) for _ in range(2))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.random_state)
        model = _Adder(cell, settings)
    started = time.perf_counter()
    before = _reach(model, test)
    curve = _train(model, settings, data, validation, progress)
    return {
        "path": model.encoder.path(test[0]),
        "updates": curve[-1][0],
        "curve": curve,
        "error": _error(model, test),
        "gradient_before": before,
        "gradient_after": _reach(model, test),
        "seconds": time.perf_counter() - started,
    }


def verdict(results: dict[str, dict[str, Any]], settings: Settings) -> dict[str, bool]:
    """Return whether each cell matches the literature: gated cells solve the problem, the plain RNN does not."""
    gated = {cell: results[cell]["error"] < settings.solved for cell in _GATED}
    return {"rnn": results["rnn"]["error"] > settings.unsolved} | gated


def _train(
    model: _Adder,
    settings: Settings,
    data: torch.Generator,
    validation: tuple[Tensor, Tensor],
    progress: Callable[[int, float], None] | None,
) -> list[tuple[int, float]]:
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    curve = [(0, _error(model, validation))]
    for update in range(1, settings.updates + 1):
        x, target = adding_batch(settings.steps, settings.batch, data)
        loss = (model(x) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimizer.step()
        if update % settings.every == 0 or update == settings.updates:
            curve.append((update, _error(model, validation)))
            if progress is not None:
                progress(*curve[-1])
            if curve[-1][1] < settings.enough:
                break
    return curve


@torch.no_grad()
def _error(model: _Adder, data: tuple[Tensor, Tensor]) -> float:
    x, target = data
    return float((model(x) - target).square().mean())


def _reach(model: _Adder, data: tuple[Tensor, Tensor]) -> list[float]:
    x, target = (part[..., :100, :] if part.dim() == 3 else part[:100] for part in data)
    norms = gradient_norms(model.encoder, x, lambda y: (model.answer(y) - target).square().mean())[::-1]
    return (norms / norms[0]).tolist()
