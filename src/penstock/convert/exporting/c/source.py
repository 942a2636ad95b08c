"""What the source in C of a network consists of while it is written: statements, tables, state and scratch memory."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from penstock.convert.exporting.c.tables import Matrix, Tables
from penstock.network import Graph

__all__ = ["Source", "identifier"]

Floats = NDArray[np.float32]


@dataclass
class Source:
    """A source that is being written.

    graph: the network
    tensors: by the graph's names
    tables: the constants
    state: the numbers kept between steps: name and size
    initial: statements that set the states which do not start at 0
    statements: the body of a step
    scratch: how many numbers a step needs for a while
    rounded: how many whole numbers a step needs for its largest product with int8
    """

    graph: Graph
    tensors: Mapping[str, Floats]
    tables: Tables
    state: dict[str, int] = field(default_factory=dict)
    initial: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    scratch: int = 0
    rounded: int = 0
    _places: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def state_bytes(self) -> int:
        """The size of the state, of which there is one number at least."""
        return 4 * max(1, sum(self.state.values()))

    @property
    def stack_bytes(self) -> int:
        """The memory of a step's own arrays."""
        return 4 * self.scratch + 2 * self.rounded

    def say(self, *statements: str) -> None:
        """Add statements to the step."""
        self.statements += statements

    @contextmanager
    def where(self, mask: str | None) -> Iterator[None]:
        """Let the statements that follow run only where the number at `mask` is not 0; always if it is None."""
        begin = len(self.statements)
        yield
        if mask is not None:
            body = "\n".join(self.statements[begin:]).replace("\n", "\n    ")
            self.statements[begin:] = [f"if (({mask})[0] != 0.0f) {{\n    {body}\n}}"]

    def add_product(self, place: str, matrix: Matrix, x: str) -> None:
        """Add the product of a matrix and the numbers at `x` to those at `place`."""
        if not matrix.scales:
            self.say(f"add_product({place}, {matrix.name}, {x}, {matrix.rows}, {matrix.columns});")
            return
        self.rounded = max(self.rounded, matrix.columns)
        limit = min(32767, (2**31 - 1) // (127 * matrix.columns))
        self.say(
            f"add_product_int8({place}, {matrix.name}, {matrix.scales}, {x}, {matrix.rows}, {matrix.columns}, "
            f"{limit}.0f, rounded_input);"
        )

    def take(self, name: str, size: int) -> str:
        """Reserve the first gap of scratch memory that is large enough; return its place in C."""
        start = 0
        for begin, length in sorted(self._places.values()):
            if begin - start >= size:
                break
            start = max(start, begin + length)
        self._places[name] = (start, size)
        self.scratch = max(self.scratch, start + size)
        return f"scratch + {start}"

    def free(self, name: str) -> None:
        """Release what was reserved under a name, if anything was."""
        self._places.pop(name, None)


def identifier(name: str) -> str:
    """Return a name as an identifier of C: letters, digits and _, not starting with a digit."""
    cleaned = re.sub(r"\W", "_", name, flags=re.ASCII)
    return cleaned if re.match(r"[A-Za-z_]", cleaned) else f"n{cleaned}"
