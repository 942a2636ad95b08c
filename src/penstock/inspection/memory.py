"""The memory horizon: how far back a prediction depends on its input, and how fast the layers forget."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.inspection.subject import Subject, subjects
from penstock.inspection.tangents import input_gains, state_gains
from penstock.inspection.traces import DIRECTIONS, trace_stack
from penstock.runtime.reading import Reading
from penstock.runtime.stack import Stack

__all__ = ["half_life", "memory_figures", "memory_horizon"]

Floats = NDArray[np.float64]

FORGOTTEN = 0.05
"""The horizon is where forgetting what lies before it changes this share of what forgetting everything changes."""
_EXAMPLES = 8
_FARTHEST = 2048  # the longest memory that is tried, in network steps
_MOST_OF_IT = 0.75  # a horizon beyond this share of the usual length is that of the whole input
# About a second of products: parameters times directions times steps, over all examples.
_WORK = 100_000_000
_LONGEST, _SHORTEST = 128, 16  # steps over which derivatives are followed
_WARM_UP = 4  # times as many steps are read first


def memory_horizon(model: Any, inputs: Any, *, examples: int = _EXAMPLES) -> dict[str, Any]:
    """Measure how far back the predictions of a model depend on its input.

    By forgetting: what the model remembers of all but the last n steps is dropped, for growing n, and the prediction is
    compared with the whole one. By derivatives: how much of a small disturbance of each layer's state is left, and how
    much a disturbance of the input changes the output, k steps later; see `inspection.tangents`. PyTorch is not needed.

    Args:
        model: a loaded model, a fitted estimator, or a `runtime.Recurrence`.
        inputs: several inputs, as `predict` takes them; for a `Recurrence`, a list of x (time, input).
        examples: the number of inputs that are used; those with fewer than two steps are left out.

    Returns:
        See `memory_figures`; empty if no input has two steps and a finite prediction.

    Raises:
        DataError, ShapeError, DtypeError: an input is not of the model's kind.
        ConfigError: the model cannot be inspected.

    Examples:
        >>> import numpy as np
        >>> from penstock.inspection import memory_horizon
        >>> from penstock.runtime import Recurrence
        >>> halving = {"weight_ih_l0": np.ones((1, 1)), "weight_hh_l0": np.full((1, 1), 0.5)}
        >>> network = Recurrence(halving, cell="rnn", nonlinearity="relu")
        >>> figures = memory_horizon(network, [np.ones((20, 1))])
        >>> round(figures["layers"][0]["half_life"], 6)
        1.0
    """
    return memory_figures(list(islice(subjects(model, inputs), examples)))


def memory_figures(found: Sequence[Subject]) -> dict[str, Any]:
    """Return the figures of `memory_horizon`, plain values for metrics.json.

    Inputs with fewer than two steps are left out, and those whose prediction is not finite.

    examples    the number of inputs
    unit, step, span, direct, around
                see `runtime.reading.Reading`
    length      the median length of the inputs, in units; it and the horizon have two significant digits
    reach       "within": the horizon is `horizon` units; "whole": it is the whole input; "beyond": it is more than
                `horizon` units; "nothing": predictions do not depend on the input
    horizon     in units; null where `reach` is "nothing"
    forgetting  for growing distances, in units: the mean change of the prediction if everything before is forgotten, as
                a share of the change if all is forgotten
    layers      by layer and direction: half_gone, the steps after which half of a disturbance of the state is gone;
                half_life, the steps in which what is then left halves, null if it does not fade; left, the share that
                is left by distance in steps
    input       the change of the output by distance in steps, per unit of a disturbance of the input
    """
    usable = [each for each in found if len(each.reading) >= 2 and np.isfinite(_whole(each.reading)).all()]
    if not usable:
        return {}
    reading = usable[0].reading
    steps, changes = _forgetting([each.reading for each in usable])
    length = float(np.median([_units(reading, len(each.reading)) for each in usable]))
    units = [_units(reading, step) for step in steps]
    return {
        "examples": len(usable),
        "unit": reading.unit,
        "step": reading.step,
        "span": reading.span,
        "direct": reading.direct,
        "around": reading.around,
        "length": _rounded(length, reading.step),
        **_horizon(units, changes, length, reading),
        "forgetting": [
            {"distance": unit, "change": float(change)} for unit, change in zip(units, changes, strict=True)
        ],
        **_derivatives(usable),
    }


def half_life(left: Sequence[float] | Floats) -> tuple[float | None, float | None]:
    """Return after how many steps half is gone, and in how many steps what is left then halves; None for never.

    Args:
        left: what is left after 0, 1, 2, ... steps; the first is 1. The second figure is that of the second half of the
            distances, where quick parts have gone: for a linear network, of its largest eigenvalue.
    """
    values = np.asarray(left, np.float64)
    below = np.flatnonzero(values <= 0.5)
    gone = None
    if len(below):
        k = int(below[0])
        before, after = np.log2(values[k - 1]), np.log2(max(values[k], 1e-300))
        gone = float(k - 1 + (before + 1) / (before - after))
    positive = int(np.flatnonzero(values > 0)[-1]) + 1  # a state that is gone altogether has no half-life
    places = np.arange(positive // 2, positive)
    if len(places) < 2:
        return gone, gone
    slope = float(np.polyfit(places, np.log2(values[places]), 1)[0])
    return gone, (-1 / slope if slope < -1e-9 else None)


def _forgetting(readings: Sequence[Reading]) -> tuple[list[int], Floats]:
    """Return numbers of remembered steps, and the share of the prediction's change when only these are remembered."""
    longest = min(max(map(len, readings)), _FARTHEST)
    steps = sorted({0, 1, *(round(2 ** (k / 2)) for k in range(2, 40) if 2 ** (k / 2) < longest), longest})
    total = np.zeros(len(steps))
    for reading in readings:
        whole = _whole(reading)
        shorter = [step for step in steps if step < len(reading)]
        total[: len(shorter)] += np.abs(reading.recall(shorter).astype(np.float64) - whole).mean(axis=1)
    return steps, total / total[0] if total[0] > 1e-9 * len(readings) else np.zeros(len(steps))


def _whole(reading: Reading) -> Floats:
    """Return the prediction from all steps, (1, outputs)."""
    return reading.recall([len(reading)]).astype(np.float64)


def _horizon(units: Sequence[float], changes: Floats, length: float, reading: Reading) -> dict[str, Any]:
    if not changes.any():
        return {"reach": "nothing", "horizon": None}
    above = int(np.flatnonzero(changes > FORGOTTEN)[-1])
    if above + 1 == len(units):
        return {"reach": "beyond", "horizon": _rounded(units[above], reading.step)}
    over, under = changes[above] - FORGOTTEN, FORGOTTEN - changes[above + 1]
    found = max(units[above] + (units[above + 1] - units[above]) * over / (over + under), reading.direct)
    reach = "whole" if found > _MOST_OF_IT * length else "within"
    return {"reach": reach, "horizon": _rounded(found, reading.step)}


def _rounded(units: float, step: float) -> float:
    """Return two significant digits; a whole number if steps are whole units."""
    if units <= 0:
        return 0.0
    found = float(f"{units:.2g}")
    return max(1.0, float(round(found))) if step >= 1 else found


def _units(reading: Reading, steps: int) -> float:
    """Return how many units the vectors of these steps cover."""
    return float((steps - 1) * reading.step + reading.span) if steps else 0.0


@np.errstate(over="ignore", invalid="ignore")  # of states that explode; `_mean` ends where they are no numbers
def _derivatives(found: Sequence[Subject]) -> dict[str, Any]:
    stack = found[0].stack
    probes, examples, farthest = _plan(stack)
    usable = sorted(found, key=lambda each: -len(each.reading))
    usable = usable[: max(1, len(usable) // 2)][:examples]  # the longer half: shorter ones say nothing of far steps
    distance = min(farthest, len(usable[-1].reading) - 1)
    draw = np.random.default_rng(0)
    states: list[list[list[Floats]]] = []
    inputs: list[Floats] = []
    for each in usable:
        x = each.x[-(1 + _WARM_UP) * (distance + 1) :, :1]
        traced = trace_stack(stack, x, ("batch", range(1)))
        states.append(state_gains(stack, x, traced, len(x) - 1 - distance, probes, draw))
        start = len(x) - 1 - distance
        if stack.directions == 2:
            x = x[-2 * distance - 1 :]  # both sides of its middle; the layers begin with zeros at either end
            start = len(x) // 2
        inputs.append(input_gains(stack, x, traced, start, probes, draw))
    layers = []
    for layer in range(stack.spec.num_layers):
        for direction in range(stack.directions):
            left = _mean(gains[layer][direction] for gains in states)
            gone, half = half_life(left)
            layers.append(
                {
                    "layer": layer + 1,
                    "direction": DIRECTIONS[direction],
                    "half_gone": gone,
                    "half_life": half,
                    "left": left.tolist(),
                }
            )
    return {"layers": layers, "input": _mean(inputs).tolist()}


def _plan(stack: Stack) -> tuple[int, int, int]:
    """Return the numbers of directions, examples and steps that a second allows."""
    steps = 0
    for probes, examples in ((4, 4), (2, 4), (2, 2), (1, 2)):
        steps = _WORK // (stack.weights * probes * examples)
        if steps >= _LONGEST // 2:
            break
    return probes, examples, min(max(steps, _SHORTEST), _LONGEST)


def _mean(curves: Iterable[Floats]) -> Floats:
    """Return the root mean square of curves, over the distances at which all of them have a finite value."""
    several = list(curves)
    shortest = min(map(len, several))
    found = np.sqrt(np.mean([curve[:shortest] ** 2 for curve in several], axis=0))
    infinite = np.flatnonzero(~np.isfinite(found))
    return found[: infinite[0]] if len(infinite) else found
