"""Reference implementation: plain loops over time and layers, with which every faster path is compared.

They work on NumPy arrays and PyTorch tensors, with autograd, torch.func transforms and torch.compile, because no
branch depends on a value.
"""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.cells.arithmetic import namespace
from penstock.cells.declaration import Array, Cell, State
from penstock.cells.shapes import check_input, check_parameters, check_state
from penstock.cells.zoneout import Draw, Zoneout
from penstock.errors import LengthsError


def sweep(
    cell: Cell,
    x: Array,
    state: State | None,
    parameters: Mapping[str, Array],
    lengths: Array | None = None,
    reverse: bool = False,
    draw: Draw | None = None,
    **options: Any,
) -> tuple[Array, State]:
    """Run one layer in one direction over whole sequences.

    Args:
        x: (time, batch, input). Padding past a sequence's length is ignored and may be NaN.
        state: the initial states, each (batch, size); None for zeros.
        parameters: arrays by the names of `cell.parameter_shapes`.
        lengths: (batch,) integers, the steps of each sequence; None if all have `time` steps. Callers check the
            values, because this function must not read them: below 0 counts as 0, above `time` as `time`.
        reverse: run from each sequence's last step to its first.
        draw: the masks of the option `zoneout`; None for its expectation.
        options: the cell's options.

    Returns:
        y (time, batch, size of h), zero past a sequence's length, and the states after each sequence's last step; for
        length 0 these are the initial states.

    Raises:
        ShapeError, LengthsError, DtypeError, ConfigError: the arguments do not match each other.

    Examples:
        >>> import numpy as np
        >>> from penstock.cells import find, sweep
        >>> weights = {name: np.ones(shape) for name, shape in find("gru").parameter_shapes(3, 4).items()}
        >>> y, (h,) = sweep(find("gru"), np.ones((10, 2, 3)), None, weights)
        >>> y.shape, h.shape
        ((10, 2, 4), (2, 4))
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
    valid = None if lengths is None else _valid_steps(lengths, x)
    if valid is not None:
        # Otherwise NaN in the padding would reach the weights' gradients as 0 * NaN.
        x = xp.where(valid, x, xp.zeros_like(x))
    shares = cell.zoneout(options)
    zoneout = Zoneout(shares, draw, reverse) if shares else None
    outputs: list[Array] = [None] * steps
    for t in reversed(range(steps)) if reverse else range(steps):
        new = cell.step(x[t, ...], state, parameters, **options)
        if zoneout is not None:
            new = zoneout(state, new, t)
        if valid is None:
            outputs[t] = new[0]
        else:
            outputs[t] = xp.where(valid[t, ...], new[0], xp.zeros_like(new[0]))
            new = tuple(xp.where(valid[t, ...], n, s) for n, s in zip(new, state, strict=True))
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
    seed: int | None = None,
    **options: Any,
) -> tuple[Array, State]:
    """Run a stack of layers, each in one or both directions; a layer reads both directions of the layer below.

    Args:
        cell, x, lengths: as in `sweep`.
        states: each (num_layers * directions, batch, size), in PyTorch's order; None for zeros.
        parameters: arrays by PyTorch's names: weight_ih_l0, weight_ih_l0_reverse, weight_ih_l1 ...
        bidirectional: whether each layer has a second direction.
        between_layers: applied to the output of each layer except the last, such as dropout in training.
        seed: of the masks of the option `zoneout`; None for its expectation.

    Returns:
        y (time, batch, directions * size of h), and the final states, shaped like `states`.

    Raises:
        ShapeError, LengthsError, DtypeError, ConfigError: the arguments do not match each other.

    Examples:
        >>> import numpy as np
        >>> from penstock.cells import find, sweep_stack
        >>> weights = {f"{name}_l0": np.ones(shape) for name, shape in find("gru").parameter_shapes(3, 4).items()}
        >>> y, (h,) = sweep_stack(find("gru"), np.ones((10, 2, 3)), None, weights)
        >>> y.shape, h.shape
        ((10, 2, 4), (1, 2, 4))
    """
    xp = namespace(x)
    directions = ("", "_reverse") if bidirectional else ("",)
    finals: list[State] = []
    for layer in range(num_layers):
        outputs = []
        for direction in directions:
            state = None if states is None else tuple(s[len(finals), ...] for s in states)
            layer_parameters = _without_suffix(parameters, f"_l{layer}{direction}")
            draw = None if seed is None else Draw(seed, layer)
            reverse = direction == "_reverse"
            y, final = sweep(cell, x, state, layer_parameters, lengths, reverse=reverse, draw=draw, **options)
            outputs.append(y)
            finals.append(final)
        x = xp.concat(outputs, axis=-1) if bidirectional else outputs[0]
        if between_layers is not None and layer < num_layers - 1:
            x = between_layers(x)
    return x, tuple(xp.stack(each) for each in zip(*finals, strict=True))


def _valid_steps(lengths: Array, x: Array) -> Array:
    """Mask (time, batch, 1): whether the step is within its sequence."""
    xp = namespace(x)
    steps, batch = x.shape[:2]
    lengths = xp.asarray(lengths, device=x.device)
    if tuple(lengths.shape) != (batch,):
        raise LengthsError(f"lengths must be (batch={batch},), one for each sequence; got {tuple(lengths.shape)}.")
    return (xp.arange(steps, device=x.device)[:, None] < lengths)[..., None]


def _without_suffix(parameters: Mapping[str, Array], suffix: str) -> dict[str, Array]:
    return {name.removesuffix(suffix): array for name, array in parameters.items() if name.endswith(suffix)}
