"""A small check that the compiled engine computes on this machine what the cells' equations say."""

from typing import Any

import numpy as np

from penstock.cells import VARIANTS, find, sweep
from penstock.engine import FORMS, Layer, Streams

__all__ = ["self_test"]

_STEPS, _BATCH, _INPUT, _HIDDEN = 24, 3, 9, 33
# Of float32 against float64 over so few steps it is 1e-6; a wrong kernel is off by more than 1e-2.
_TOLERANCE = 1e-5


def self_test() -> list[str]:
    """What is wrong; nothing if engine, reference and stream agree for each form of a cell that the engine knows.

    The engine must be near the reference, which is the equations in float64, and a stream must have the engine's bits.
    """
    known = [(name, _sized(options)) for name, options in VARIANTS if find(name).form(_sized(options)) in FORMS]
    return [problem for name, options in known for problem in _problems(name, options)]


def _sized(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a form, with a number for those that leave it open."""
    return {name: _HIDDEN // 2 if value is None else value for name, value in options.items()}


def _problems(cell: str, options: dict[str, Any]) -> list[str]:
    draw = np.random.default_rng(0)
    layer = Layer(cell, _INPUT, _HIDDEN, **options)
    # So small that a relu network does not run away.
    parameters = {name: draw.normal(size=shape, scale=0.1) for name, shape in layer.parameter_shapes.items()}
    x = draw.normal(size=(_STEPS, _BATCH, _INPUT))
    layer.load(parameters)
    y, _ = layer(x)
    right, _ = sweep(layer.cell, x, None, parameters, **layer.options)
    off = float(np.abs(y - right).max())
    form = layer.cell.form(layer.options)
    problems = [f"{form}: the engine is {off:.1g} off the reference"] if not off < _TOLERANCE else []
    streams = Streams([layer])
    slabs, places = streams.slabs(_BATCH), np.arange(_BATCH)
    steps = [np.array(streams.step(places, np.ascontiguousarray(step, np.float32), slabs)) for step in x]
    return problems if np.array_equal(steps, y) else [*problems, f"{form}: a stream has other bits than the engine"]
