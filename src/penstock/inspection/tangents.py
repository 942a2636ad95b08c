"""How a network's states change with earlier states and inputs: products of its Jacobians with vectors.

For an analytic function f and a tiny h, the imaginary part of f(x + i h v) / h is the derivative of f along v, exact to
rounding because nothing is subtracted (Squire and Trapp 1998, "Using complex variables to estimate derivatives of real
functions"). So a run of a cell's own equations on complex numbers carries derivatives along, whatever the cell: one
product with the Jacobian a step, and never the matrix. PyTorch is not needed.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.cells import Zoneout
from penstock.engine import FORMS
from penstock.errors import ConfigError
from penstock.inspection.traces import NetworkTrace
from penstock.runtime.stack import Stack

__all__ = ["input_gains", "state_gains"]

Complex = NDArray[np.complex128]
Parameters = dict[str, Complex]
# Its square vanishes beside 1. Derivatives may grow or shrink by this factor until they leave the range of float64.
_TINY = 1e-100


def state_gains(
    stack: Stack, x: NDArray[np.float32], found: NetworkTrace, start: int, probes: int, draw: np.random.Generator
) -> list[list[NDArray[np.float64]]]:
    """Return how much of a disturbance of a layer's own state is left after k steps, by layer and direction.

    The state after one step is disturbed along orthonormal directions, of all states of the cell together. Element k is
    the root mean square of the disturbance's norm k steps later, so element 0 is 1. The mean over all directions is the
    Frobenius norm of the Jacobian of k steps, divided by the square root of its size.

    Args:
        stack: the layers.
        x: (steps, 1, input), at least one step.
        found: the trace of the layers on x, with an axis for the batch.
        start: the step after which the forward direction's state is disturbed; the backward direction's is disturbed
            after as many of the steps that it reads.
        probes: the number of directions at most.
        draw: where the directions are drawn from.
    """
    gains: list[list[NDArray[np.float64]]] = []
    for layer in range(stack.spec.num_layers):
        gains.append([])
        for direction in range(stack.directions):
            order = slice(None, None, -1 if direction else 1)
            states = [found[name].values[layer, direction][order][start] for name in found.states]
            sizes = [state.shape[-1] for state in states]
            disturbance = _orthonormal(sum(sizes), probes, draw)
            parts = np.split(disturbance, np.cumsum(sizes)[:-1], axis=1)
            begin = tuple(state + 1j * _TINY * part for state, part in zip(states, parts, strict=True))
            inputs = _inputs(x, found, layer)[order][start + 1 :]
            gains[-1].append(np.array([1.0, *_norms(stack, layer, direction, inputs, begin)]))
    return gains


def input_gains(
    stack: Stack, x: NDArray[np.float32], found: NetworkTrace, start: int, probes: int, draw: np.random.Generator
) -> NDArray[np.float64]:
    """Return how much the output of the last layer changes k steps after a disturbance of the input, per unit of it.

    Element k is the root mean square over directions of the disturbance, and over both sides if the layers are
    bidirectional. Arguments as for `state_gains`; the input of step `start` is disturbed. Bidirectional layers do not
    use the trace, because they begin at the ends of x.
    """
    directions = _orthonormal(x.shape[-1], probes, draw)
    # What is read before the disturbance changes nothing in layers that read forward alone.
    known = start if stack.directions == 1 else 0
    disturbed = np.repeat(x[known:].astype(np.complex128), len(directions), axis=1)
    disturbed[start - known] += 1j * _TINY * directions
    for layer in range(stack.spec.num_layers):
        outputs = []
        for direction in range(stack.directions):
            order = slice(None, None, -1 if direction else 1)
            begin = _states_before(stack, found, layer, direction, known, len(directions))
            run = [states[0] for states in _run(stack, layer, direction, disturbed[order], begin)]
            outputs.append(np.stack(run)[order])
        disturbed = np.concatenate(outputs, axis=-1)
    size = np.sqrt((_changes(disturbed) ** 2).sum(axis=-1).mean(axis=-1))
    if stack.directions == 1:
        return size
    before, after = size[start::-1], size[start:]
    both = min(len(before), len(after))
    return np.sqrt((before[:both] ** 2 + after[:both] ** 2) / 2)


def _inputs(x: NDArray[np.float32], found: NetworkTrace, layer: int) -> NDArray[np.float32]:
    """Return what a layer reads, (steps, 1, input)."""
    if not layer:
        return x
    return np.concatenate(list(found[found.states[0]].values[layer - 1]), axis=-1)


def _norms(
    stack: Stack, layer: int, direction: int, x: NDArray[Any], begin: tuple[Complex, ...]
) -> list[NDArray[np.float64]]:
    rows = np.repeat(x.astype(np.complex128), len(begin[0]), axis=1)
    found = []
    for states in _run(stack, layer, direction, rows, begin):
        squares = sum((_changes(state) ** 2).sum(axis=-1) for state in states)
        found.append(np.sqrt(np.mean(squares)))
    return found


def _run(stack: Stack, layer: int, direction: int, x: Complex, state: tuple[Complex, ...]) -> list[tuple[Complex, ...]]:
    """Return the states after each step of x (steps, rows, input), by the cell's equations."""
    cell, options, parameters = stack.spec.declaration, stack.spec.options, _parameters(stack, layer, direction)
    if cell.form(options) not in FORMS and len(x):
        _check_analytic(stack, parameters, x[0], state)
    shares = cell.zoneout(options)
    found = []
    for row in x:
        new = cell.step(row, state, parameters, **options)
        state = Zoneout(shares)(state, new) if shares else new
        found.append(state)
    return found


def _parameters(stack: Stack, layer: int, direction: int) -> Parameters:
    suffix = f"_l{layer}{'_reverse' if direction else ''}"
    return {
        name.removesuffix(suffix): array.astype(np.complex128)
        for name, array in stack.parameters.items()
        if name.endswith(suffix)
    }


def _check_analytic(stack: Stack, parameters: Mapping[str, Complex], x: Complex, state: tuple[Complex, ...]) -> None:
    """Compare a derivative of a cell of your own with a difference: equations with abs or conjugates have none here.

    Raises:
        ConfigError: they disagree.
    """
    cell, options = stack.spec.declaration, stack.spec.options
    real = {name: array.real for name, array in parameters.items()}
    plain, move = tuple(each.real for each in state), 1e-6

    def step(sign: float) -> NDArray[np.float64]:
        return np.asarray(cell.step(x.real, tuple(each + sign * move for each in plain), real, **options)[0])

    expected = (step(1) - step(-1)) / (2 * move)
    moved = tuple(each + 1j * _TINY for each in plain)
    found = _changes(cell.step(x.real.astype(np.complex128), moved, parameters, **options)[0])
    if not np.allclose(found, expected, rtol=1e-3, atol=1e-5):
        raise ConfigError(
            f"the equations of the cell {cell.name!r} cannot be run on complex numbers, by which derivatives are "
            "computed. Write them without abs, conj or real parts."
        )


def _changes(values: Any) -> NDArray[np.float64]:
    """Return the derivatives that complex values carry."""
    return np.imag(values) / _TINY


def _states_before(
    stack: Stack, found: NetworkTrace, layer: int, direction: int, start: int, rows: int
) -> tuple[Complex, ...]:
    """Return the states with which a layer begins to read at step `start`."""
    if not start:
        return tuple(np.zeros((rows, size), np.complex128) for size in stack.state_sizes)
    states = (found[name].values[layer, direction, start - 1] for name in found.states)
    return tuple(np.repeat(state.astype(np.complex128), rows, axis=0) for state in states)


def _orthonormal(size: int, count: int, draw: np.random.Generator) -> NDArray[np.float64]:
    """Return at most `count` random orthonormal directions, (count, size)."""
    square, _ = np.linalg.qr(draw.normal(size=(size, min(size, count))))
    return square.T
