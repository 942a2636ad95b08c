"""Values of an ONNX model while it is read: which axes are time, sequences and features.

An ONNX tensor has axes in any order, and reshapes join and part them; a value of a `Graph` has steps, sequences and one
row of features. A symbol follows which is which. Time and batch get sizes of their own while the model is read, so
that shapes which the model computes are numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError

__all__ = ["Atom", "Axis", "State", "Symbol", "feature", "merged", "vector_over"]

_NUMBERS = count()


@dataclass(frozen=True)
class Atom:
    """The smallest part of an axis: time, batch, or some features.

    kind: "time", "batch" or "feature"
    size: the number of places; a stand-in for time and batch
    number: tells features of one size apart
    """

    kind: str
    size: int
    number: int = 0


Axis = tuple[Atom, ...]
"""An axis as the atoms that a reshape joined in it, the slowest first; none if its size is 1."""


def feature(size: int) -> Atom:
    """Return a new atom of features."""
    return Atom("feature", size, next(_NUMBERS))


@dataclass(frozen=True)
class State:
    """A recurrence's state that enters or leaves the model: a stream keeps it, so that it needs no name here."""

    name: str


@dataclass(frozen=True)
class Symbol:
    """A value that depends on the model's input.

    name: of the value in the graph
    axes: its axes in ONNX
    features: the atoms of its features in the order in which the graph's value has them
    ids: whether it holds ids
    """

    name: str
    axes: tuple[Axis, ...]
    features: Axis = ()
    ids: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return tuple(math.prod(atom.size for atom in axis) for axis in self.axes)

    @property
    def steps(self) -> bool:
        """Whether there is a value for each step."""
        return any(atom.kind == "time" for axis in self.axes for atom in axis)

    @property
    def size(self) -> int:
        """The number of features."""
        return math.prod(atom.size for atom in self.features)

    def axis(self, number: int) -> int:
        """An axis's number, counted from 0, from one that may count from the end; ConfigError if there is none."""
        if not -len(self.axes) <= number < len(self.axes):
            raise ConfigError(f"there is no axis {number} among {len(self.axes)}")
        return number % len(self.axes)

    def transposed(self, order: Sequence[int]) -> "Symbol":
        """The axes in another order."""
        return replace(self, axes=tuple(self.axes[place] for place in order))

    def squeezed(self, places: Sequence[int] | None) -> "Symbol":
        """Without the axes at these places, or all of size 1; ConfigError if one has another size."""
        chosen = [place for place, axis in enumerate(self.axes) if not axis] if places is None else places
        dropped = {self.axis(place) for place in chosen}
        if any(self.axes[place] for place in dropped):
            raise ConfigError("an axis of more than one place can't be squeezed")
        return replace(self, axes=tuple(axis for place, axis in enumerate(self.axes) if place not in dropped))

    def unsqueezed(self, places: Sequence[int]) -> "Symbol":
        """With axes of size 1 inserted at these places of the result."""
        rank = len(self.axes) + len(places)
        new = {place % rank for place in places}
        rest = iter(self.axes)
        return replace(self, axes=tuple(() if place in new else next(rest) for place in range(rank)))

    def reshaped(self, shape: Sequence[int]) -> "Symbol":
        """With another shape, where 0 keeps an axis's size and one -1 is what is left.

        Raises:
            ConfigError: the shape parts time or batch.
        """
        sizes = [self.shape[place] if size == 0 else int(size) for place, size in enumerate(shape)]
        if -1 in sizes:
            sizes[sizes.index(-1)] = math.prod(self.shape) // max(1, -math.prod(sizes))
        if math.prod(sizes) != math.prod(self.shape):
            raise ConfigError(f"a value of shape {self.shape} can't be reshaped to {tuple(sizes)}")
        atoms, features, axes = [atom for axis in self.axes for atom in axis], list(self.features), []
        for size in sizes:
            axis: list[Atom] = []
            while (found := math.prod(atom.size for atom in axis)) < size and atoms:
                atom, left = atoms.pop(0), size // found
                if atom.size > left:
                    atom = _parted(atom, left, atoms, features)
                axis.append(atom)
            axes.append(tuple(axis))
        axes[-1:] = [axes[-1] + tuple(atoms)] if atoms else axes[-1:]  # atoms of size 1
        result = replace(self, axes=tuple(axes), features=tuple(features))
        if result.shape != tuple(sizes):
            raise ConfigError(f"a reshape from {self.shape} to {tuple(sizes)} mixes time, sequences and features")
        return result


def merged(symbol: Symbol) -> Symbol:
    """Return the symbol, after a check that its last axis holds all features; ConfigError if it does not."""
    if symbol.ids or not symbol.axes or symbol.axes[-1] != symbol.features:
        raise ConfigError(f"the features must be the last axis, in one order; got the shape {symbol.shape}")
    return symbol


def vector_over(symbol: Symbol, constant: NDArray[Any]) -> NDArray[np.float32]:
    """Return a constant that is broadcast to a symbol's axes as one number for each feature.

    Raises:
        ConfigError: the constant differs from step to step or from sequence to sequence, or has more axes.
    """
    if constant.ndim > len(symbol.axes):
        raise ConfigError(f"a constant of shape {constant.shape} has more axes than the value it meets")
    array = constant.reshape((1,) * (len(symbol.axes) - constant.ndim) + constant.shape)
    atoms = [atom for axis in symbol.axes for atom in axis]
    spread = np.broadcast_to(array, symbol.shape).reshape([atom.size for atom in atoms])
    for place, atom in enumerate(atoms):
        if atom.kind != "feature":
            first = np.take(spread, [0], axis=place)
            if not (spread == first).all():
                raise ConfigError(f"a constant of shape {constant.shape} differs by step or sequence")
            spread = first
    order = [atoms.index(atom) for atom in symbol.features]
    others = [place for place, atom in enumerate(atoms) if atom.kind != "feature"]
    return spread.transpose(*others, *order).reshape(-1).astype(np.float32)


def _parted(atom: Atom, size: int, atoms: list[Atom], features: list[Atom]) -> Atom:
    """Part an atom of features: return the first part, and put the second back."""
    if atom.kind != "feature" or atom.size % size:
        raise ConfigError("a reshape parts time or sequences")
    first, second = feature(size), feature(atom.size // size)
    place = features.index(atom)
    features[place : place + 1] = [first, second]
    atoms.insert(0, second)
    return first
