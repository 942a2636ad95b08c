"""Points to measure: a cell, a kind of work, and sizes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["GRIDS", "Point", "What"]

What = Literal["step", "infer", "train"]
_GATES = {"rnn": 1, "lstm": 4, "gru": 3}


@dataclass(frozen=True)
class Point:
    """One measurement: a layer, its work and sizes.

    Attributes:
        what: "step": one step with its state passed in and out; "infer": whole sequences from zero states; "train":
            forward and backward, to weights and inputs.
        ragged: whether lengths are uniform in 1..time instead of all `time`.
        directions: 2 for bidirectional layers.
        layers: the number of stacked layers.
    """

    cell: str
    what: What
    batch: int
    time: int
    hidden: int
    input: int
    ragged: bool = False
    directions: int = 1
    layers: int = 1

    @property
    def inputs(self) -> tuple[int, ...]:
        """Input features of each layer."""
        return self.input, *[self.directions * self.hidden] * (self.layers - 1)

    @property
    def flops(self) -> float:
        """Operations of the matrix products, without padding; a training step has three times the forward pass's."""
        steps = self.batch * self.time * (0.5 + 0.5 / self.time if self.ragged else 1.0)
        columns = self.directions * sum(read + self.hidden for read in self.inputs)
        forward = 2.0 * steps * _GATES[self.cell] * self.hidden * columns
        return forward * (3 if self.what == "train" else 1)

    @property
    def step_weights(self) -> int:
        """Weights that each step must read anew, of one layer and direction: the recurrent ones, for a single step all.

        Input products, and those of weights' gradients, take many steps at once.
        """
        return _GATES[self.cell] * self.hidden * (self.hidden + (self.input if self.time == 1 else 0))

    @property
    def sweeps(self) -> int:
        """How often such weights are read, in training also by the backward pass."""
        return self.time * self.layers * self.directions * (2 if self.what == "train" else 1)

    @property
    def intensity(self) -> float:
        """Operations per byte of the weights that must be read at each step."""
        return self.flops / (4 * self.step_weights * self.sweeps)

    @property
    def name(self) -> str:
        """A name such as gru-infer-B8-T100-H128."""
        size = "" if self.input == self.hidden else f"-I{self.input}"
        more = "-ragged" if self.ragged else ""
        more += "-both" if self.directions == 2 else ""
        more += f"-L{self.layers}" if self.layers > 1 else ""
        return f"{self.cell}-{self.what}-B{self.batch}-T{self.time}-H{self.hidden}{size}{more}"


def _core() -> Iterator[Point]:
    """The 48 main points."""
    for cell in _GATES:
        for hidden in (64, 128, 256, 512):
            yield Point(cell, "step", 1, 1, hidden, hidden)
        for hidden in (64, 128, 256, 512):
            yield Point(cell, "infer", 1, 100, hidden, hidden)
        for batch, hidden in ((8, 128), (32, 128), (32, 256), (64, 512)):
            yield Point(cell, "infer", batch, 100, hidden, hidden)
        for batch, hidden in ((1, 128), (32, 128), (32, 256), (64, 512)):
            yield Point(cell, "train", batch, 100, hidden, hidden)


def _quick() -> Iterator[Point]:
    """One point of each kind; takes a minute."""
    for cell in _GATES:
        yield Point(cell, "step", 1, 1, 128, 128)
        yield Point(cell, "infer", 1, 100, 128, 128)
        yield Point(cell, "infer", 32, 100, 128, 128)
        yield Point(cell, "train", 32, 100, 128, 128)


def _ragged() -> Iterator[Point]:
    """Sequences of different lengths."""
    for cell in _GATES:
        for what in ("infer", "train"):
            yield Point(cell, what, 32, 100, 128, 128, ragged=True)


def _full() -> Iterator[Point]:
    """All points; takes an hour or more, so use --json, which can be resumed."""
    yield from dict.fromkeys((*_core(), *_ragged(), *_shapes(), *_sizes()))


def _shapes() -> Iterator[Point]:
    """Bidirectional layers, two layers, different lengths."""
    for cell in _GATES:
        for hidden in (128, 512):
            for batch in (1, 32):
                for what in ("infer", "train"):
                    yield Point(cell, what, batch, 100, hidden, hidden, directions=2)
                    yield Point(cell, what, batch, 100, hidden, hidden, layers=2)
                    if batch > 1:
                        yield Point(cell, what, batch, 100, hidden, hidden, ragged=True)


def _sizes() -> Iterator[Point]:
    """One layer of many sizes."""
    for cell in _GATES:
        for hidden in (32, 64, 100, 128, 256, 512, 1024):
            for inputs in (hidden, 16):
                for batch in (1, 8, 32, 64, 128):
                    for time in (1, 100, 1000):
                        if time == 1000 and batch not in (1, 32):
                            continue
                        for what in ("infer", "train") if time > 1 else ("infer",):
                            yield Point(cell, what, batch, time, hidden, inputs)


GRIDS = {"quick": _quick, "core": _core, "ragged": _ragged, "full": _full}
"""The points of each grid by name."""
