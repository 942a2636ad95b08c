"""JAX: `lax.scan` over the cell's equations after one input product, all under jit."""

import os
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from penstock.bench.workload import Workload

__all__ = ["about", "prepare", "set_threads"]


def about() -> str:
    """Name and version."""
    return f"JAX {jax.__version__}"


def set_threads(threads: int) -> None:
    """Limit the CPU cores of this process, because JAX has no setting for its threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:threads]))


def prepare(workload: Workload) -> tuple[Callable[[], Any], np.ndarray | None]:
    """Return the call, already compiled, and its outputs."""
    point = workload.point
    if point.ragged:
        raise NotImplementedError("lax.scan does not support lengths")
    weights = {name: jnp.asarray(array) for name, array in workload.weights.items()}
    x, dy = jnp.asarray(workload.x), jnp.asarray(workload.dy)
    zeros = jnp.zeros((point.batch, point.hidden))
    if point.what == "train":
        gradient = jax.jit(
            jax.grad(lambda w, x: (_sweep(point.cell, w, x, (zeros, zeros))[1] * dy).sum(), argnums=(0, 1))
        )
        return lambda: jax.block_until_ready(gradient(weights, x)), None
    if point.what == "step":
        step = jax.jit(lambda x, state: _step(point.cell, weights, _product(weights, x), state))
        return lambda: jax.block_until_ready(step(x[0], (zeros, zeros))), np.asarray(step(x[0], (zeros, zeros))[1])[
            None
        ]
    sweep = jax.jit(lambda x: _sweep(point.cell, weights, x, (zeros, zeros))[1])
    return lambda: sweep(x).block_until_ready(), np.asarray(sweep(x))


def _product(weights: Any, x: Any) -> Any:
    return x @ weights["weight_ih"].T + weights["bias_ih"]


def _sweep(cell: str, weights: Any, x: Any, state: Any) -> Any:
    return jax.lax.scan(lambda carried, now: _step(cell, weights, now, carried), state, _product(weights, x))


def _step(cell: str, weights: Any, from_x: Any, state: Any) -> Any:
    h, c = state
    from_h = h @ weights["weight_hh"].T + weights["bias_hh"]
    if cell == "lstm":
        i, f, g, o = jnp.split(from_x + from_h, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
    elif cell == "gru":
        x_r, x_z, x_n = jnp.split(from_x, 3, -1)
        h_r, h_z, h_n = jnp.split(from_h, 3, -1)
        z = jax.nn.sigmoid(x_z + h_z)
        h = (1 - z) * jnp.tanh(x_n + jax.nn.sigmoid(x_r + h_r) * h_n) + z * h
    else:
        h = jnp.tanh(from_x + from_h)
    return (h, c), h
