"""The plain loops over time and layers that every faster path is compared with.

They work on NumPy arrays and PyTorch tensors, with autograd, torch.func transforms and torch.compile: no
branch looks at a value.
"""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.cells.arithmetic import namespace
from penstock.cells.declaration import Array, Cell, State
from penstock.cells.shapes import check_input, check_parameters, check_state
from penstock.errors import LengthsError


def sweep(
    cell: Cell,
    x: Array,
    state: State | None,
    parameters: Mapping[str, Array],
    lengths: Array | None = None,
    reverse: bool = False,
    **options: Any,
) -> tuple[Array, State]:
    """One layer in one direction over whole sequences.

    Args:
        x: (time, batch, input). What lies past a sequence's length is not looked at and may be NaN.
        state: the initial states, each (batch, size); None for zeros.
        parameters: by the names of `cell.parameter_shapes`.
        lengths: (batch,) integers, the steps of each sequence; None when all are `time`. Callers check their
            values, here they can't be: below 0 counts as 0, above `time` as `time`.
        reverse: start each sequence at its own end and walk to its beginning.
        options: the cell's.

    Returns:
        y (time, batch, size of h), zero past a length, and the states after each sequence's last step, which
        for length 0 are the initial ones.

    Raises:
        ShapeError, LengthsError, DtypeError, ConfigError: arguments that don't fit each other.
    """
    options = cell.complete(options)
    input_size, hidden_size = check_parameters(cell, parameters, **options)
    (batch,) = check_input(x, input_size, over_time=True)
    sizes = cell.state_sizes(hidden_size, **options)
    xp = namespace(x)
    if state is None:
        like = parameters["weight_hh"]
        state = tuple(xp.zeros((batch, size), dtype=like.dtype, device=like.device) for size in sizes)
    check_state(cell, state, (batch,), sizes)
    steps = x.shape[0]
    inside = None if lengths is None else _inside(lengths, x)
    if inside is not None:
        # Else a NaN in the padding would reach the weights' gradients, as 0 * NaN.
        x = xp.where(inside, x, xp.zeros_like(x))
    outputs: list[Array] = [None] * steps
    for t in reversed(range(steps)) if reverse else range(steps):
        new = cell.step(x[t, ...], state, parameters, **options)
        if inside is None:
            outputs[t] = new[0]
        else:
            outputs[t] = xp.where(inside[t, ...], new[0], xp.zeros_like(new[0]))
            new = tuple(xp.where(inside[t, ...], n, s) for n, s in zip(new, state, strict=True))
        state = new
    return (xp.stack(outputs) if steps else state[0][None, ...][:0, ...]), state


def sweep_stack(
    cell: Cell,
    x: Array,
    states: State | None,
    parameters: Mapping[str, Array],
    num_layers: int = 1,
    bidirectional: bool = False,
    lengths: Array | None = None,
    between_layers: Callable[[Array], Array] | None = None,
    **options: Any,
) -> tuple[Array, State]:
    """Several layers, each in one or both directions; a layer reads both directions of the one below.

    Args:
        x, lengths: as in `sweep`.
        states: each (num_layers * directions, batch, size), in PyTorch's order; None for zeros.
        parameters: by PyTorch's names, weight_ih_l0, weight_ih_l0_reverse, weight_ih_l1 ...
        between_layers: applied to the output of each layer but the last: dropout, in training.

    Returns:
        y (time, batch, directions * size of h), and the states in the shape of `states`.

    Raises:
        As `sweep`.
    """
    xp = namespace(x)
    directions = ("", "_reverse") if bidirectional else ("",)
    finals: list[State] = []
    for layer in range(num_layers):
        outputs = []
        for direction in directions:
            state = None if states is None else tuple(s[len(finals), ...] for s in states)
            own = _without_suffix(parameters, f"_l{layer}{direction}")
            y, final = sweep(cell, x, state, own, lengths, reverse=direction == "_reverse", **options)
            outputs.append(y)
            finals.append(final)
        x = xp.concat(outputs, axis=-1) if bidirectional else outputs[0]
        if between_layers is not None and layer < num_layers - 1:
            x = between_layers(x)
    return x, tuple(xp.stack(each) for each in zip(*finals, strict=True))


def _inside(lengths: Array, x: Array) -> Array:
    """(time, batch, 1): is the step within its sequence?"""
    xp = namespace(x)
    steps, batch = x.shape[:2]
    lengths = xp.asarray(lengths, device=x.device)
    if tuple(lengths.shape) != (batch,):
        raise LengthsError(f"lengths must be (batch={batch},), one for each sequence; got {tuple(lengths.shape)}.")
    return (xp.arange(steps, device=x.device)[:, None] < lengths)[..., None]


def _without_suffix(parameters: Mapping[str, Array], suffix: str) -> dict[str, Array]:
    return {name.removesuffix(suffix): array for name, array in parameters.items() if name.endswith(suffix)}
