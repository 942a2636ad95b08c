from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy
from numpy.typing import NDArray

class NativeLayer:
    def __init__(self, form: str, input: int, hidden: int, projection: int, bias: bool, directions: int) -> None: ...
    def saved_size(self, rows: int) -> int: ...
    def pack(self, weights: Sequence[int], version: int) -> None: ...
    def run(
        self,
        x: int,
        weights: Sequence[int],
        version: int,
        steps: int,
        batch: int,
        layout: int,
        lengths: int,
        initial: Sequence[int],
        y: int,
        last: Sequence[int],
        threads: int,
    ) -> None: ...

class NativeTensors:
    def __init__(self, tensor: type, parameter: type, float32: object, exchange: object | None) -> None: ...
    def fits(
        self,
        bounds: tuple[Any, ...],
        x: Any,
        state: tuple[Any, ...],
        parameters: dict[str, Any],
        names: tuple[tuple[str, ...], ...],
        batch_first: bool,
        /,
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
        /,
    ) -> Any: ...
    def step(
        self,
        bounds: tuple[Any, ...],
        x: Any,
        state: tuple[Any, ...],
        parameters: dict[str, Any],
        names: tuple[tuple[str, ...], ...],
        threads: int,
        /,
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
        repack: bool,
        lend: Callable[[int], Any] | None,
        threads: int,
        /,
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
        /,
    ) -> list[Any]: ...

class NativeStep:
    def __init__(self, arg0: Sequence[NativeLayer], arg1: int, arg2: int, /) -> None: ...
    def __call__(
        self, x: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order="C", device="cpu", writable=False)]
    ) -> None: ...
    def trace(
        self, x: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order="C", device="cpu", writable=False)]
    ) -> list: ...
    def states(self) -> list[NDArray[numpy.float32]]: ...

class NativeStreams:
    def __init__(self, arg: Sequence[NativeLayer], /) -> None: ...
    def step(self, places: int, n: int, x: int, slabs: Sequence[int], y: int, threads: int) -> None: ...

class NativeLinear:
    def __init__(
        self,
        weight: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order="C", device="cpu", writable=False)],
        bias: NDArray[numpy.float32] | None,
    ) -> None: ...
    def __call__(
        self,
        arg: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order="C", device="cpu", writable=False)],
        /,
    ) -> NDArray[numpy.float32]: ...

def softmax(
    arg: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order="C", device="cpu", writable=False)], /
) -> NDArray[numpy.float32]: ...
def tanh(
    arg0: Annotated[NDArray[numpy.float32], dict(order="C", device="cpu", writable=False)],
    arg1: Annotated[NDArray[numpy.float32], dict(order="C", device="cpu")],
    /,
) -> None: ...
def sigmoid(
    arg0: Annotated[NDArray[numpy.float32], dict(order="C", device="cpu", writable=False)],
    arg1: Annotated[NDArray[numpy.float32], dict(order="C", device="cpu")],
    /,
) -> None: ...
def multiply_add(arg: int, /) -> float: ...
def read_all(arg0: int, arg1: int, arg2: int, /) -> float: ...
def forms() -> list[str]: ...
def instruction_set() -> str: ...
def runs_here(arg: str, /) -> bool: ...
