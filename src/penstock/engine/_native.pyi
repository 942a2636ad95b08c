"""The compiled module, bindings/*.cpp. Arrays are taken as they are: C-contiguous, aligned, of just this type."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]
_Wholes = NDArray[np.int64]
_Draw = tuple[int, int, int, Any]  # seed, layer, first step, numbers of the sequences

class NativeLayer:
    def __init__(
        self,
        form: str,
        input: int,
        hidden: int,
        projection: int,
        bias: bool,
        directions: int,
        zoneout: Sequence[float] = (),
    ) -> None: ...
    def saved_size(self, rows: int) -> int: ...
    @property
    def packed(self) -> bool: ...
    def load_arrays(self, arrays: Sequence[_Floats]) -> None: ...
    def run(
        self, x: _Floats, batch_first: bool, lengths: _Wholes | None, state: Sequence[_Floats], threads: int
    ) -> tuple[_Floats, ...]: ...
    @property
    def frozen(self) -> bool: ...
    @frozen.setter
    def frozen(self, frozen: bool) -> None: ...
    def forget(self) -> None: ...

class NativeTensors:
    def __init__(self, by_attributes: bool = False) -> None: ...
    def fits(
        self,
        bounds: tuple[Any, ...],
        x: Any,
        state: tuple[Any, ...],
        parameters: dict[str, Any],
        names: tuple[tuple[str, ...], ...],
        batch_first: bool,
    ) -> bool: ...
    def dense(
        self,
        bounds: tuple[Any, ...],
        x: Any,
        state: tuple[Any, ...],
        parameters: dict[str, Any],
        names: tuple[tuple[str, ...], ...],
        batch_first: bool,
        threads: int,
    ) -> Any: ...
    def step(
        self,
        bounds: tuple[Any, ...],
        x: Any,
        state: tuple[Any, ...],
        parameters: dict[str, Any],
        names: tuple[tuple[str, ...], ...],
        threads: int,
    ) -> Any: ...
    def forward(
        self,
        layer: NativeLayer,
        x: Any,
        state: tuple[Any, ...],
        weights: list[Any],
        layout: int,
        steps: int,
        batch: int,
        lengths: Any,
        batch_sizes: Any,
        lend: Callable[[int], Any] | None,
        threads: int,
        draw: _Draw | None = None,
    ) -> tuple[Any, ...]: ...
    def backward(
        self,
        layer: NativeLayer,
        x: Any,
        state: tuple[Any, ...],
        weights: list[Any],
        layout: int,
        steps: int,
        batch: int,
        lengths: Any,
        batch_sizes: Any,
        y: Any,
        saved: Any,
        gradients: list[Any],
        wanted: Sequence[bool],
        threads: int,
        draw: _Draw | None = None,
    ) -> list[Any]: ...

class NativeStep:
    def __init__(self, layers: Sequence[NativeLayer], batch: int, threads: int) -> None: ...
    def __call__(self, x: _Floats) -> None: ...
    def trace(self, x: _Floats) -> list[_Floats]: ...
    def generate(
        self,
        table: _Floats,
        head: NativeLinear,
        chances: NDArray[np.float64],
        temperature: float,
        top_k: int,
        top_p: float,
        end: int,
    ) -> tuple[int, _Floats]: ...
    def states(self) -> list[_Floats]: ...

class NativeStreams:
    def __init__(self, layers: Sequence[NativeLayer]) -> None: ...
    def step(self, places: _Wholes, x: _Floats, slabs: Sequence[_Floats], threads: int) -> _Floats: ...

class NativeLinear:
    def __init__(self, weight: _Floats, bias: _Floats | None) -> None: ...
    def __call__(self, x: _Floats) -> _Floats: ...

def softmax(x: _Floats) -> _Floats: ...
def tanh(x: _Floats, out: _Floats) -> None: ...
def sigmoid(x: _Floats, out: _Floats) -> None: ...
def multiply_add(rounds: int) -> float: ...
def read_all(data: _Floats, repeats: int) -> float: ...
def forms() -> list[str]: ...
def instruction_set() -> str: ...
def runs_here(name: str) -> bool: ...
