"""The engine's bits, of values and gradients: as they were, and on every machine with fused multiply-adds.

`python tests/contracts/test_golden_bits.py > tests/contracts/golden_bits.json` writes them anew, after a change that
means to give others.
"""

import hashlib
import json
import math
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from penstock import engine, nn
from penstock.cells import VARIANTS

LAYERS: dict[str, Any] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
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


def trained(cell: str, options: dict[str, Any], draw: Numbers) -> list[np.ndarray]:
    """What a layer gives from random sequences, then from random gradients of that: outputs, states, gradients."""
    batch, layer = len(LENGTHS), LAYERS[cell](INPUTS, HIDDEN, bidirectional=True, **options)
    weights = [getattr(layer, name) for names in layer._all_weights for name in names]

    def number(shape: tuple[int, ...], scale: float = 1.0) -> torch.Tensor:
        return torch.from_numpy(draw(*shape, scale=scale)).requires_grad_()

    with torch.no_grad():
        for weight in weights:
            weight.copy_(number(weight.shape, 0.25))
    x = number((STEPS, batch, INPUTS))
    state = [number((2, batch, size)) for size in layer._kinds[0].state_sizes]
    y, final = layer(x, tuple(state) if len(state) > 1 else state[0], lengths=LENGTHS)
    results = [y, *(final if len(state) > 1 else (final,))]
    gradients = torch.autograd.grad(results, [x, *state, *weights], [number(each.shape) for each in results])
    return [each.detach().numpy() for each in (*results, *gradients)]


def digests() -> dict[str, str]:
    """What was computed -> a digest of its bits."""
    draw = Numbers()
    results = {}
    for cell, options in VARIANTS:
        options = {name: HIDDEN // 2 if name == "proj_size" else value for name, value in options.items()}
        name = " ".join([cell, *(f"{option}={value}" for option, value in options.items())])
        results[name] = trained(cell, options, draw)
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
