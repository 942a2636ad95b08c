"""Throws what nobody should pass at every entry of the compiled module and of penstock.nn: it may raise, never crash.

    python tests/contracts/hostile.py [--examples N] [--native FILE]

Each entry is called with arguments that it takes, some of which are then exchanged for others, or left out of a list.
`--native` is another build of the compiled module, one watched by AddressSanitizer for example (`make sanitize`).
"""

import argparse
import faulthandler
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import PackedSequence

Call = tuple[Callable[..., Any], list[Any]]
Entry = Callable[[], Call]


class Subclass(torch.Tensor):
    """Whose data may mean anything."""


class Pretender:
    """Says that it is an array."""

    __class__ = np.ndarray
    shape, dtype = (2, 3), np.dtype(np.float32)

    def __dlpack__(self, **_: Any) -> Any:
        return freed(2, 3).__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


def freed(*shape: int, dtype: torch.dtype = torch.float32, left: int = 0) -> torch.Tensor:
    """A tensor most of whose memory was given back, as sharding and offloading do it."""
    tensor = torch.zeros(shape, dtype=dtype)
    tensor.untyped_storage().resize_(left)
    return tensor


def shrunk_under_a_view(*shape: int) -> torch.Tensor:
    base = torch.zeros((2, *shape))
    view = base[1]
    base.untyped_storage().resize_(4 * view.numel())
    return view


INTEGERS = [-(2**63), -(2**31), -1, 0, 1, 2, 3, 2**31 - 1, 2**31, 2**32 + 2, 2**62, 2**63 - 1, 2**64]
OTHERS: list[Callable[[], Any]] = [
    *[lambda value=value: value for value in (None, True, 1.5, "2", b"\0" * 64, [], (), {}, float("nan"))],
    object,
    Pretender,
    lambda: torch.Tensor,
    lambda: [torch.zeros(2, 3)] * 20,
    lambda: (np.zeros((2, 3), np.float32),) * 20,
]
SHAPES = [(0,), (1,), (3,), (16,), (2, 3), (3, 2), (0, 3), (3, 0), (1, 2, 3), (2, 2, 3), (4, 2, 3), (2, 4, 3),
          (1, 2, 4), (0, 2, 3), (2, 0, 3), (0, 2**40, 3), (1, 1, 1, 3)]  # fmt: skip
DTYPES = ["float32", "float64", "float16", "int64", "int32", "uint8", "bool", "complex64"]


def arrays() -> Iterator[Callable[[], Any]]:
    for shape in SHAPES:
        yield lambda shape=shape: np.zeros(shape, np.float32)
        yield lambda shape=shape: np.full(shape, 2**62, np.int64)
        yield lambda shape=shape: np.zeros((*shape, 2), np.float32)[..., 0]
        yield lambda shape=shape: np.zeros(shape, np.float32)[::-1]
        yield lambda shape=shape: np.zeros(shape, np.float32).T
    for dtype in (*DTYPES, ">f4", "O", "U3", "M8[s]"):
        yield lambda dtype=dtype: np.zeros((4, 2, 3), dtype)
        yield lambda dtype=dtype: np.zeros(2, dtype)
    yield lambda: np.frombuffer(bytes(4 * 24 + 1), np.float32, 24, 1).reshape(4, 2, 3)
    yield lambda: np.frombuffer(bytes(4 * 6), np.float32).reshape(2, 3)
    yield lambda: np.broadcast_to(np.float32(1), (2**30, 3))
    yield lambda: np.ma.zeros((2, 3), np.float32)
    yield from (lambda value=value: np.array([value, 1], np.int64) for value in INTEGERS[:-1])


def tensors() -> Iterator[Callable[[], Any]]:
    for shape in SHAPES:
        yield lambda shape=shape: torch.zeros(shape)
        yield lambda shape=shape: torch.full(shape, 2**62)
        yield lambda shape=shape: torch.zeros((*shape, 2))[..., 0]
        yield lambda shape=shape: torch.zeros(shape).as_subclass(Subclass)
        yield lambda shape=shape: torch.zeros(shape, device="meta")
        if 2**40 not in shape and 0 not in shape:
            yield lambda shape=shape: freed(*shape)
            yield lambda shape=shape: freed(*shape, left=4)
            yield lambda shape=shape: shrunk_under_a_view(*shape)
            yield lambda shape=shape: torch.nn.Parameter(freed(*shape))
    for dtype in DTYPES:
        yield lambda dtype=dtype: torch.zeros((4, 2, 3), dtype=getattr(torch, dtype))
        yield lambda dtype=dtype: torch.ones(2, dtype=getattr(torch, dtype))
    yield lambda: torch.zeros(())
    yield lambda: torch.zeros(4, 2, 3).to_sparse()
    yield lambda: torch.zeros(1, 1, 3).expand(2**8, 2**4, 3)
    yield lambda: torch.frombuffer(bytearray(4 * 24 + 1), dtype=torch.float32, count=24, offset=1).view(4, 2, 3)
    yield lambda: freed(2, dtype=torch.int64)
    yield lambda: freed(4, dtype=torch.int64, left=8)
    yield from (lambda value=value: torch.tensor([value, 1]) for value in INTEGERS[:-1])
    yield from (lambda value=value: torch.tensor([2, value, 1]) for value in INTEGERS[:-1])


KINDS: dict[type, list[Callable[[], Any]]] = {
    int: [lambda value=value: value for value in INTEGERS],
    np.ndarray: list(arrays()),
    torch.Tensor: list(tensors()),
    object: OTHERS,
}
Change = tuple[int, int, type | None, int]
"""Which argument, which of its elements where it is a list, of what kind the other is (None: as before), and which."""


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    place, kind = st.integers(0, 99), st.sampled_from([None, None, None, *KINDS])
    return draw(st.lists(st.tuples(place, place, kind, st.integers(0, 999)), min_size=1, max_size=3))


def change(arguments: list[Any], which: int, element: int, kind: type | None, what: int) -> None:
    which %= len(arguments)
    old = arguments[which]
    if type(old) in (list, tuple) and old and element % 4:
        parts = list(old)
        change(parts, element, element // 4, kind, what)
        arguments[which] = type(old)(parts)
    elif kind is None and what % 8 == 0:
        del arguments[which]
    elif kind is None and isinstance(old, torch.Tensor) and old.numel() > 3 and what % 2:
        arguments[which] = freed(*old.shape, dtype=old.dtype, left=what % 3 * 4)
    else:
        others = KINDS[kind or next((each for each in KINDS if isinstance(old, each)), object)]
        arguments[which] = others[what % len(others)]()


def entries() -> dict[str, Entry]:
    """Every function, and arguments that it takes: 4 steps, 2 sequences, 3 inputs, 4 units."""
    from penstock import nn
    from penstock.engine import _native as native
    from penstock.nn import autograd, operator  # noqa: F401 - which registers it
    from penstock.nn.layer_spec import LayerSpec

    def floats(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.float32)

    def aligned() -> np.ndarray:
        block = floats(128 + 16)
        return block[-block.ctypes.data % 64 // 4 :][:128]

    def layer(directions: int = 1, zoneout: tuple[float, ...] = ()) -> Any:
        made = native.NativeLayer("lstm", 3, 4, 0, True, directions, zoneout)
        made.load_arrays([floats(16, 3), floats(16, 4), floats(16), floats(16)] * directions)
        return made

    def whole(directions: int = 2) -> list[Any]:
        state = (torch.zeros(directions, 2, 4), torch.zeros(directions, 2, 4))
        weights = [torch.zeros(16, 3), torch.zeros(16, 4), torch.zeros(16), torch.zeros(16)] * directions
        return [layer(directions), torch.zeros(4, 2, 3), state, weights]

    def packed() -> list[Any]:
        return [layer(), torch.zeros(3, 3), (), whole(1)[3], 2, 2, 2, None, torch.tensor([2, 1])]

    def gradients(name: str) -> list[Any]:
        reader = native.NativeTensors()
        own = [*whole(), 0, 4, 2, torch.tensor([4, 2]), None] if name == "lengths" else packed()
        y, h, c, saved = reader.forward(*own, torch.empty, 1)
        return [
            *own,
            y,
            saved,
            [torch.ones_like(each) for each in (y, h, c)],
            [True] * (1 + len(own[2]) + len(own[3])),
            2,
        ]

    def drawn() -> list[Any]:
        own = [layer(2, (0.1, 0.5)), *whole()[1:], 0, 4, 2, torch.tensor([4, 2]), None]
        return [*own, torch.empty, 2, (2**40, 3, 5, torch.tensor([1, 0]))]

    def drawn_gradients() -> list[Any]:
        own, draw = drawn()[:-3], drawn()[-1]
        y, h, c, saved = native.NativeTensors().forward(*drawn())
        return [*own, y, saved, [torch.ones_like(each) for each in (y, h, c)], [True] * 11, 2, draw]

    def plain(by_step: bool) -> list[Any]:
        module: Any = nn.LSTMCell(3, 4) if by_step else nn.LSTM(3, 4, 2)
        bounds, names = ((module._bound,), (module._names,)) if by_step else (module._bound, module._names)
        x, state = (torch.zeros(2, 3), (2, 4)) if by_step else (torch.zeros(4, 2, 3), (2, 2, 4))
        return [bounds, x, (torch.zeros(state), torch.zeros(state)), dict(module._parameters), names]

    def streams() -> list[Any]:
        return [np.array([1, 0]), floats(2, 3), [floats(5, 4), floats(5, 4)], 1]

    def drawing() -> list[Any]:
        return [floats(5, 3), native.NativeLinear(floats(5, 4), None), np.array([0.2, 0.7]), 0.5, 2, 0.9, -1]

    def modules(name: str, *arguments: Any) -> Any:
        return lambda: (getattr(nn, name)(*arguments), [torch.zeros(4, 2, 3), None])

    def forged(name: str) -> Call:
        def run(data: Any, batch_sizes: Any, sorted_indices: Any, unsorted_indices: Any, state: Any) -> Any:
            made = tuple.__new__(PackedSequence, (data, batch_sizes, sorted_indices, unsorted_indices))
            y, _ = getattr(nn, name)(3, 4)(made, state)
            return y.data.requires_grad and y.data.sum().backward()

        return run, [torch.zeros(3, 3), torch.tensor([2, 1]), torch.tensor([1, 0]), torch.tensor([1, 0]), None]

    def late(name: str) -> Call:
        """Memory that goes between the forward and the backward pass."""

        def run(x: Any, spoilt: Any, left: int) -> Any:
            module = getattr(nn, name)(3, 4)
            y = module(x.requires_grad_())[0]
            ([x, *module.parameters(), *y.grad_fn.saved_tensors] * 9)[spoilt].untyped_storage().resize_(left)
            return y.sum().backward()

        return run, [torch.zeros(4, 2, 3), 40, 2**20]

    def operation() -> list[Any]:
        spec = LayerSpec.make("lstm", 3, 4, {"zoneout": (0.1, 0.5)}, bidirectional=True).spell()
        return [*whole()[1:3], whole()[3], torch.tensor([4, 2]), None, 0, 4, 2, spec]

    def operation_backward() -> list[Any]:
        own, masks = operation(), [torch.tensor(3), torch.tensor([1, 0]), 2]
        y, h, c, saved = torch.ops.penstock.sweep(*own, True, *masks)
        return [*own, y, saved, [torch.ones_like(each) for each in (y, h, c)], [True] * 11, *masks]

    by_both = {"": native.NativeTensors(), "-by-attributes": native.NativeTensors(by_attributes=True)}
    table: dict[str, Entry] = {
        "NativeLayer": lambda: (native.NativeLayer, ["lstm proj_size", 3, 4, 2, True, 1, [0.1, 0.5]]),
        "load_arrays": lambda: (layer().load_arrays, [[floats(16, 3), floats(16, 4), floats(16), floats(16)]]),
        "run": lambda: (layer().run, [floats(4, 2, 3), False, np.array([4, 0]), [floats(1, 2, 4), floats(1, 2, 4)], 1]),
        "saved_size": lambda: (layer().saved_size, [3]),
        "frozen": lambda: (lambda value: setattr(layer(), "frozen", value), [True]),
        "NativeStep": lambda: (native.NativeStep, [[layer()], 2, 1]),
        "step": lambda: (native.NativeStep([layer()], 2, 1), [floats(2, 3)]),
        "trace": lambda: (native.NativeStep([layer()], 2, 1).trace, [floats(2, 3)]),
        "generate": lambda: (native.NativeStep([layer()], 1, 1).generate, drawing()),
        "NativeStreams": lambda: (native.NativeStreams, [[layer()]]),
        "streams": lambda: (native.NativeStreams([layer()]).step, streams()),
        "NativeLinear": lambda: (lambda *a: native.NativeLinear(*a)(floats(2, 3)), [floats(5, 3), floats(5)]),
        "linear": lambda: (native.NativeLinear(floats(5, 3), None), [floats(2, 3)]),
        "softmax": lambda: (native.softmax, [floats(2, 3)]),
        "tanh": lambda: (native.tanh, [floats(2, 3), floats(2, 3)]),
        "sigmoid": lambda: (native.sigmoid, [floats(2, 3), floats(2, 3)]),
        "multiply_add": lambda: (native.multiply_add, [3]),
        "read_all": lambda: (native.read_all, [aligned(), 3]),
        "runs_here": lambda: (native.runs_here, ["avx2"]),
        "NativeTensors": lambda: (native.NativeTensors, [True]),
        "operator": lambda: (torch.ops.penstock.sweep, [*operation(), True, torch.tensor(3), torch.tensor([1, 0]), 2]),
        "operator-backward": lambda: (torch.ops.penstock.sweep_backward, operation_backward()),
        "PackedSequence-LSTM": lambda: forged("LSTM"),
        "PackedSequence-GRU": lambda: forged("GRU"),
        "late-LSTM": lambda: late("LSTM"),
        "late-RNN": lambda: late("RNN"),
        "LSTM": modules("LSTM", 3, 4, 2),
        "GRU": modules("GRU", 3, 4),
        "RNN-lengths": lambda: (nn.RNN(3, 4), [torch.zeros(4, 2, 3), None, [4, 1]]),
        "LSTMCell": lambda: (nn.LSTMCell(3, 4), [torch.zeros(2, 3), (torch.zeros(2, 4), torch.zeros(2, 4))]),
        "GRUCell": lambda: (nn.GRUCell(3, 4), [torch.zeros(2, 3), torch.zeros(2, 4)]),
    }
    for name, reader in by_both.items():
        table |= {
            f"fits{name}": lambda r=reader: (r.fits, [*plain(False), False]),
            f"dense{name}": lambda r=reader: (r.dense, [*plain(False), False, 1]),
            f"quick-step{name}": lambda r=reader: (r.step, [*plain(True), 1]),
            f"forward{name}": lambda r=reader: (r.forward, [*whole(), 0, 4, 2, torch.tensor([4, 2]), None, None, 1]),
            f"forward-training{name}": lambda r=reader: (r.forward, [*whole(), 0, 4, 2, None, None, torch.empty, 2]),
            f"forward-packed{name}": lambda r=reader: (r.forward, [*packed(), None, 1]),
            f"forward-drawn{name}": lambda r=reader: (r.forward, drawn()),
            f"backward-drawn{name}": lambda r=reader: (r.backward, drawn_gradients()),
            f"backward{name}": lambda r=reader: (r.backward, gradients("lengths")),
            f"backward-packed{name}": lambda r=reader: (r.backward, gradients("packed")),
        }
    return table


def attack(entry: Entry, examples: int) -> int:
    """How many of the calls went through all the same."""
    taken = 0
    function, arguments = entry()
    function(*arguments)  # without a change it is taken

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck]
    )
    @given(changes=changes(), graph=st.booleans())
    def throw(changes: list[Change], graph: bool) -> None:
        nonlocal taken
        function, arguments = entry()
        for each in changes:
            if arguments:
                change(arguments, *each)
        try:
            with torch.set_grad_enabled(graph):
                function(*arguments)
        except Exception:
            return
        taken += 1

    throw()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=25, help="calls of each entry")
    parser.add_argument("--native", help="the file of another build of the compiled module")
    options = parser.parse_args()
    faulthandler.enable()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    # PyTorch words its own errors with the tensors' elements, and would itself read memory that was given back.
    torch._tensor_str._str = lambda *_, **__: "a tensor"
    if options.native:
        spec = importlib.util.spec_from_file_location("penstock.engine._native", options.native)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    for name, entry in entries().items():
        print(name, end=" ", flush=True)
        print(attack(entry, options.examples), flush=True)
    print("unharmed")


if __name__ == "__main__":
    main()
