"""Random layers of every cell variant, with the float64 reference beside them."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penstock import engine
from penstock.cells import VARIANTS, find, sweep

# Each cell in each form, and zoneout, whose expectation acts between the steps of any.
ALL: list[tuple[str, dict[str, Any]]] = [
    *VARIANTS,
    ("rnn", {"zoneout": 0.2}),
    ("gru", {"zoneout": 0.3, "reset_after": False}),
    ("lstm", {"zoneout": (0.1, 0.4), "proj_size": None}),
]
VARIANT_IDS = ["-".join([name, *(f"{k}={v}" for k, v in options.items())]) for name, options in ALL]


class RandomLayer:
    """An engine layer with random parameters, and what the reference says it should give."""

    def __init__(
        self,
        variant: tuple[str, dict[str, Any]],
        inputs: int,
        hidden: int,
        *,
        both: bool = False,
        seed: int = 0,
    ):
        self.cell = find(variant[0])
        self.options = {k: max(1, hidden // 2) if k == "proj_size" else v for k, v in variant[1].items()}
        self.layer = engine.Layer(self.cell.name, inputs, hidden, bidirectional=both, **self.options)
        self.rng = np.random.default_rng(seed)
        scale = 1 / np.sqrt(hidden)
        self.parameters = {
            name: self.rng.uniform(-scale, scale, shape).astype(np.float32)
            for name, shape in self.layer.parameter_shapes.items()
        }
        self.layer.load(self.parameters)

    def inputs(self, steps: int, batch: int) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """x (time, batch, input) and initial states."""
        x = self.rng.standard_normal((steps, batch, self.layer.input_size)).astype(np.float32)
        sizes = self.layer.state_sizes
        shapes = [(self.layer.directions, batch, size) for size in sizes]
        return x, tuple(self.rng.uniform(-1, 1, shape).astype(np.float32) for shape in shapes)

    def reference(self, x: np.ndarray, state: tuple[np.ndarray, ...], lengths: np.ndarray | None = None):
        """The equations in float64, direction by direction."""
        outputs, finals = [], []
        for d, suffix in enumerate(("", "_reverse")[: self.layer.directions]):
            parameters = {
                name.removesuffix("_reverse"): array.astype(np.float64)
                for name, array in self.parameters.items()
                if name.endswith("_reverse") == bool(suffix)
            }
            start = tuple(s[d].astype(np.float64) for s in state)
            y, final = sweep(
                self.cell,
                x.astype(np.float64),
                start,
                parameters,
                lengths,
                reverse=bool(suffix),
                **self.options,
            )
            outputs.append(y)
            finals.append(final)
        return np.concatenate(outputs, -1), tuple(np.stack(s) for s in zip(*finals, strict=True))


@pytest.fixture(params=ALL, ids=VARIANT_IDS)
def variant(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Each cell in each form, also with zoneout."""
    return request.param


@pytest.fixture(scope="session")
def random_layer() -> type[RandomLayer]:
    """RandomLayer(variant, inputs, hidden)."""
    return RandomLayer


@pytest.fixture(scope="session")
def engine_archive() -> Path:
    """The engine's objects as the build left them; the extension itself is stripped of their names."""
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    found = [*Path(__file__).parents[2].glob(f"build/{python}-*/libpenstock_engine.a")]
    if not found:
        pytest.skip("the engine was not built in this checkout: no build/cp*/libpenstock_engine.a")
    return max(found, key=lambda path: path.stat().st_mtime)


@pytest.fixture(autouse=True)
def _threads_put_back():
    before = engine.get_num_threads()
    yield
    engine.set_num_threads(before)
