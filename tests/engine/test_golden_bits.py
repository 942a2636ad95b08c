"""The engine's bits, of values and gradients: as they were, and on every machine with fused multiply-adds.

`python tests/engine/test_golden_bits.py > tests/engine/golden_bits.json` writes them anew, after a change that means to
give others.
"""

import hashlib
import json
import math
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from penstock import engine
from penstock.cells import VARIANTS
from penstock.engine.layer import TIME_MAJOR, Layer

GOLDEN = Path(__file__).with_name("golden_bits.json")
INPUTS, HIDDEN, STEPS, LENGTHS = 19, 37, 13, (13, 0, 7, 13, 1)
# Plain x86-64 rounds after the multiplication and again after the addition, and has bits of its own.
PLAIN_IS_FUSED = platform.machine() in ("aarch64", "arm64")


class Numbers:
    """Numbers that are the same everywhere: whole ones over a power of two, as NumPy's draws of reals are not."""

    def __init__(self) -> None:
        self.bits = np.random.PCG64(0)

    def __call__(self, *shape: int, scale: float = 1.0) -> np.ndarray:
        """float32 from -scale to scale; scale: a power of two."""
        whole = self.bits.random_raw(math.prod(shape)) >> 43  # 21 bits
        return ((whole.astype(np.float32) * np.float32(2**-20) - 1) * np.float32(scale)).reshape(shape)


def addresses(arrays: dict[str, np.ndarray]) -> dict[str, int]:
    return {name: array.ctypes.data for name, array in arrays.items()}


def trained(layer: Layer, draw: Numbers) -> list[np.ndarray]:
    """What a layer gives from random sequences, then from random gradients of that: outputs, states, gradients."""
    batch = len(LENGTHS)
    weights = [draw(*shape, scale=0.25) for shape in layer.parameter_shapes.values()]
    layer.load(dict(zip(layer.parameter_names, weights, strict=True)))
    states = {s: (layer.directions, batch, size) for s, size in zip("hc", layer.state_sizes, strict=False)}
    given = {"x": draw(STEPS, batch, INPUTS)} | {f"{s}0": draw(*shape) for s, shape in states.items()}
    result = {"y": np.empty((STEPS, batch, layer.directions * layer.output_size), np.float32)}
    result |= {f"{s}n": np.empty(shape, np.float32) for s, shape in states.items()}
    between = {"lengths": np.array(LENGTHS), "saved": np.empty(layer.saved_size(STEPS * batch), np.float32)}
    call = {"weights": layer.addresses, "steps": STEPS, "batch": batch, "layout": TIME_MAJOR, "batch_sizes": 0}
    call |= {"c0": 0, "threads": 1} | addresses(given | between)
    layer.run(**call, **({"cn": 0} | addresses(result)), version=1, repack=True)

    incoming = {f"d{name}": draw(*array.shape) for name, array in result.items()}
    gradients = {f"d{name}": np.empty_like(array) for name, array in given.items()}
    dweights = [np.empty_like(array) for array in weights]
    call |= {"dcn": 0, "dc0": 0, "y": result["y"].ctypes.data} | addresses(incoming | gradients)
    layer.run_backward(**call, dweights=[array.ctypes.data for array in dweights])
    return [*result.values(), *gradients.values(), *dweights]


def digests() -> dict[str, str]:
    """What was computed -> a digest of its bits."""
    draw = Numbers()
    results = {}
    for cell, options in VARIANTS:
        options = {name: HIDDEN // 2 if name == "proj_size" else value for name, value in options.items()}
        name = " ".join([cell, *(f"{option}={value}" for option, value in options.items())])
        results[name] = trained(Layer(cell, INPUTS, HIDDEN, bidirectional=True, **options), draw)
    x = draw(64, 33, scale=16)
    results |= {"tanh": [engine.tanh(x)], "sigmoid": [engine.sigmoid(x)], "softmax": [engine.softmax(x)]}
    results["linear"] = [engine.Linear(draw(10, 33), draw(10))(x)]
    return {
        name: hashlib.sha256(b"".join(each.astype("<f4").tobytes() for each in arrays)).hexdigest()[:16]
        for name, arrays in results.items()
    }


@pytest.mark.parametrize("isa", ["plain", "avx2", "avx512"])
def test_the_bits_are_the_golden_ones(isa):
    if isa == "plain" and not PLAIN_IS_FUSED:
        pytest.skip("the plain kernels have no fused multiply-adds here")
    if not engine.runs_here(isa):
        pytest.skip(f"this machine has no {isa}")
    environment = {**os.environ, "PENSTOCK_ISA": isa}
    done = subprocess.run([sys.executable, __file__], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(GOLDEN.read_text())


if __name__ == "__main__":
    print(json.dumps(digests(), indent=2))
