"""ONNX's operators that move, join and part axes, or take places of them."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from penstock.convert.importing.onnx_reading import Reading, attributes
from penstock.convert.importing.onnx_symbols import Axis, Symbol, feature
from penstock.errors import ConfigError
from penstock.network import Concatenate, Lookup, Pool, Reverse, Slice

__all__ = ["concat", "flatten", "gather", "reshape", "sliced", "split", "squeeze", "transpose", "unsqueeze"]


def transpose(reading: Reading, node: Any) -> Symbol:
    """Another order of axes."""
    x = reading.symbol(node, 0)
    return x.transposed(attributes(node).get("perm", range(len(x.axes) - 1, -1, -1)))


def _places(reading: Reading, node: Any) -> list[int] | None:
    """The axes of a squeeze, which were an attribute before opset 13."""
    found = attributes(node).get("axes")
    given = reading.constant(node, 1)
    return list(found) if found is not None else None if given is None else given.ravel().tolist()


def squeeze(reading: Reading, node: Any) -> Symbol:
    """Without axes of size 1."""
    return reading.symbol(node, 0).squeezed(_places(reading, node))


def unsqueeze(reading: Reading, node: Any) -> Symbol:
    """With more axes of size 1."""
    return reading.symbol(node, 0).unsqueezed(_places(reading, node) or [])


def reshape(reading: Reading, node: Any) -> Symbol:
    """Another shape."""
    return reading.symbol(node, 0).reshaped(reading.constant(node, 1).ravel().tolist())


def flatten(reading: Reading, node: Any) -> Symbol:
    """Two axes."""
    x, axis = reading.symbol(node, 0), attributes(node).get("axis", 1)
    place = axis if axis == len(x.axes) else x.axis(axis)
    return x.reshaped([math.prod(x.shape[:place]), math.prod(x.shape[place:])])


def gather(reading: Reading, node: Any) -> Symbol:
    """Rows of a table by ids, or one place of an axis."""
    axis = attributes(node).get("axis", 0)
    table, ids = reading.given(node, 0), reading.given(node, 1)
    if isinstance(table, np.ndarray):
        if not isinstance(ids, Symbol) or not ids.ids or axis != 0 or table.ndim != 2:
            raise ConfigError("a table of two axes must be looked up by the ids of an input, along axis 0")
        rows, size = table.shape
        vector = (feature(size),)
        name = reading.builder.add(Lookup(rows, size), ids.name, weight=table)
        return Symbol(name, (*ids.axes, vector), vector)
    x, chosen = reading.symbol(node, 0), np.asarray(reading.constant(node, 1))
    if chosen.size != 1:
        raise ConfigError(f"one place of an axis can be taken; got {chosen.size}")
    place = x.axis(axis)
    start = int(chosen.ravel()[0]) % x.shape[place]
    y = _part(reading, x, place, start, start + 1)
    return y if chosen.ndim else y.squeezed([place])


def _part(reading: Reading, x: Symbol, place: int, start: int, stop: int) -> Symbol:
    """Places `start` to `stop` - 1 of an axis."""
    axis, size = x.axes[place], x.shape[place]
    if (start, stop) == (0, size):
        return x
    if len(axis) == 1 and axis[0].kind == "time" and stop - start == 1 and start in (0, size - 1) and not x.ids:
        name = reading.builder.add(Pool("last" if start else "first"), x.name)
        return replace(x, name=name, axes=(*x.axes[:place], (), *x.axes[place + 1 :]))
    if not axis or any(atom.kind != "feature" for atom in axis):
        raise ConfigError("of time only the first or the last step can be taken, and no part of the batch")
    first = x.features.index(axis[0])
    if x.features[first : first + len(axis)] != axis:
        raise ConfigError("features in another order can't be parted")
    before, after = x.features[:first], x.features[first + len(axis) :]
    outer, inner = (math.prod(atom.size for atom in atoms) for atoms in (before, after))
    parts = [
        reading.builder.add(Slice(at * size * inner + start * inner, at * size * inner + stop * inner), x.name)
        for at in range(outer)
    ]
    name = parts[0] if len(parts) == 1 else reading.builder.add(Concatenate(), *parts)
    new: Axis = (feature(stop - start),) if stop - start > 1 else ()
    return Symbol(name, (*x.axes[:place], new, *x.axes[place + 1 :]), before + new + after)


def sliced(reading: Reading, node: Any) -> Symbol:
    """Neighbouring places of axes."""
    x = reading.symbol(node, 0)
    if reading.opset < 10:
        given = attributes(node)
        starts, ends, axes, steps = given["starts"], given["ends"], given.get("axes"), None
    else:
        starts, ends, axes, steps = (reading.constant(node, place) for place in (1, 2, 3, 4))
    starts, ends = np.ravel(starts).tolist(), np.ravel(ends).tolist()
    places = list(range(len(starts))) if axes is None else np.ravel(axes).tolist()
    for start, end, place, step in zip(
        starts, ends, places, [1] * len(starts) if steps is None else steps, strict=True
    ):
        place = x.axis(int(place))
        if step == -1 and [atom.kind for atom in x.axes[place]] == ["time"]:
            x = replace(x, name=reading.builder.add(Reverse(), x.name))
            continue
        if step != 1:
            raise ConfigError(f"a step of {step} is not read")
        begin, stop, _ = slice(int(start), int(end)).indices(x.shape[place])
        x = _part(reading, x, place, begin, stop)
    return x


def split(reading: Reading, node: Any) -> list[Symbol]:
    """Parts of an axis."""
    x, given = reading.symbol(node, 0), attributes(node)
    place = x.axis(given.get("axis", 0))
    sizes = given.get("split")
    if sizes is None:
        equal = [x.shape[place] // len(node.output)] * len(node.output)
        sizes = np.ravel(reading.constant(node, 1, equal)).tolist()
    ends = np.cumsum(sizes).tolist()
    return [_part(reading, x, place, end - size, end) for size, end in zip(sizes, ends, strict=True)]


def concat(reading: Reading, node: Any) -> Symbol:
    """Features one after the other."""
    parts = [reading.symbol(node, place) for place in range(len(node.input))]
    first = parts[0]
    place = first.axis(attributes(node)["axis"])
    forms = {(_without(part, place), part.ids) for part in parts}
    if len(forms) > 1 or None in next(iter(forms)) or first.ids:
        raise ConfigError("joins features of values with the same steps and sequences; got other shapes or axes")
    joined = (feature(sum(part.shape[place] for part in parts)),)
    name = reading.builder.add(Concatenate(), *(part.name for part in parts))
    rest = first.features[len(first.axes[place]) :]
    return Symbol(name, (*first.axes[:place], joined, *first.axes[place + 1 :]), joined + rest)


def _without(x: Symbol, place: int) -> tuple[tuple[tuple[str, int], ...], ...] | None:
    """The other axes, as kinds and sizes; None if the axis holds anything but the slowest features."""
    axis = x.axes[place]
    if x.features[: len(axis)] != axis:
        return None
    others = (*x.axes[:place], *x.axes[place + 1 :])
    rest = [atom for other in others for atom in other if atom.kind == "feature"]
    if tuple(rest) != x.features[len(axis) :]:
        return None
    return tuple(tuple((atom.kind, atom.size) for atom in other) for other in others)
