"""Tensors as constant tables of C: float32 exactly, or int8 with a scale for each row."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Matrix", "Tables"]

Floats = NDArray[np.float32]
_COLUMNS = 116


@dataclass(frozen=True)
class Matrix:
    """A matrix among the tables.

    name: of the table of its numbers
    scales: of the table of a scale for each row; "" if the numbers are float32
    rows, columns: its shape
    """

    name: str
    scales: str
    rows: int
    columns: int

    def part(self, first: int, rows: int) -> "Matrix":
        """Some of the rows."""
        scales = f"{self.scales} + {first}" if self.scales else ""
        return Matrix(f"{self.name} + {first * self.columns}", scales, rows, self.columns)


@dataclass
class Tables:
    """The tables of a source, in the order in which they were added.

    int8: whether matrices are rounded to int8
    text: the definitions in C
    bytes: their size
    """

    int8: bool = False
    text: list[str] = field(default_factory=list)
    bytes: int = 0

    def vector(self, name: str, values: Floats) -> str:
        """Add a table of float32 numbers and return its name."""
        self._add("float", name, [_number(value) for value in values.ravel().tolist()], 4)
        return name

    def matrix(self, name: str, values: Floats) -> Matrix:
        """Add a matrix (rows, columns)."""
        rows, columns = values.shape
        if not self.int8:
            return Matrix(self.vector(name, values), "", rows, columns)
        scales, rounded = quantized(values)
        self._add("signed char", name, list(map(str, rounded.ravel().tolist())), 1)
        return Matrix(name, self.vector(f"{name}_scale", scales), rows, columns)

    def counts(self, name: str, values: Sequence[int]) -> None:
        """Add a table of whole numbers below 2^16."""
        self._add("unsigned short", name, list(map(str, values)), 2)

    def _add(self, kind: str, name: str, numbers: list[str], size: int) -> None:
        lines, line = [], ""
        for number in numbers:
            if len(line) + len(number) > _COLUMNS:
                lines.append(line)
                line = ""
            line += f"{number},"
        body = "\n    ".join([*lines, line])
        self.text.append(f"static const {kind} {name}[{len(numbers)}] = {{\n    {body}\n}};\n")
        self.bytes += size * len(numbers)


def quantized(values: Floats) -> tuple[Floats, NDArray[np.int8]]:
    """Return a scale for each row (rows,), and the row divided by it and rounded to -127 to 127, (rows, columns)."""
    largest = np.abs(values).max(axis=1)
    scales = np.where(largest > 0, largest / np.float32(127), np.float32(1)).astype(np.float32)
    return scales, np.rint(values / scales[:, None]).astype(np.int8)


def _number(value: float) -> str:
    """A float32 number as a constant of C that is read back exactly: nine digits are enough."""
    text = f"{value:.9g}"
    return f"{text}f" if any(mark in text for mark in ".e") else f"{text}.0f"
