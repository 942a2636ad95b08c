"""The history of a training, epoch by epoch, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Epoch", "History", "Stopped"]

Stopped = Literal["finished", "no improvement", "time", "interrupted", "diverged"]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training data, and the validation after it."""

    epoch: int
    """Counted from 1."""
    train_loss: float
    """Mean loss over the epoch's sequences, computed while the weights changed."""
    valid: Mapping[str, float]
    """`loss` and the task's metrics on the validation data, with the weights that would be kept."""
    learning_rate: float
    """The learning rate at the epoch's last step."""
    seconds: float
    """Wall time of the epoch including validation."""
    seen: Mapping[str, float] = field(default_factory=dict)
    """The metrics of `valid`, with the same weights, on some of the training data."""

    def row(self) -> dict[str, float]:
        """Return a flat row: the fields, and `valid_<metric>` and `seen_<metric>` for each metric."""
        valid = {f"valid_{name}": value for name, value in self.valid.items()}
        seen = {f"seen_{name}": value for name, value in self.seen.items()}
        start = {"epoch": self.epoch, "train_loss": self.train_loss}
        return start | valid | seen | {"learning_rate": self.learning_rate, "seconds": self.seconds}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Epoch":
        """Restore an epoch from the result of `row`."""
        valid, seen = (
            {name.removeprefix(start): value for name, value in row.items() if name.startswith(start)}
            for start in ("valid_", "seen_")
        )
        own = {name: row[name] for name in ("epoch", "train_loss", "learning_rate", "seconds")}
        return cls(**own, valid=valid, seen=seen)


@dataclass
class History:
    """A training: its epochs, the epoch whose weights were kept, and why it ended."""

    epochs: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    """The epoch whose weights were kept; 0 if there is none."""
    stopped: Stopped = "finished"
    seconds: float = 0.0
    failure: str = ""
    """What was seen, if the training diverged."""
    gradients: dict[str, Any] | None = None
    """The last measurement of `GradientWatch`, see `Flow.figures`."""
    step_seconds: float = 0.0
    """Time of this process's steps, without validations; 0 for input in memory."""
    wait_seconds: float = 0.0
    """The part of it in which a step waited for input from disk."""

    @property
    def best(self) -> Epoch | None:
        """The epoch whose weights were kept."""
        return self.epochs[self.best_epoch - 1] if self.best_epoch else None

    def note_step(self, seconds: float, waited: float) -> None:
        """Add a step that reads from disk: its time, and the part of it that waits for input."""
        self.step_seconds += seconds
        self.wait_seconds += waited

    def input_figures(self) -> dict[str, float] | None:
        """Return how long steps waited for input from disk; None for input in memory."""
        if not self.step_seconds:
            return None
        share = self.wait_seconds / self.step_seconds
        return {"wait_seconds": self.wait_seconds, "step_seconds": self.step_seconds, "share": share}

    def rows(self) -> list[dict[str, float]]:
        """Return the epochs as flat rows."""
        return [epoch.row() for epoch in self.epochs]
