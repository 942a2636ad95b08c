"""Contract: zoneout on the engine is that of the equations, in value and gradient; its masks depend on nothing else.

The engine's masks and those of the equations are drawn by different code (cpp/include/penstock/zoneout.hpp,
penstock/cells/zoneout.py): one wrong mask is an error of the order of 1.
"""

import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from penstock import cells, engine, nn
from penstock.cells import VARIANTS
from penstock.nn import native
from penstock.nn.layer_spec import TIME_MAJOR, Layout

LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
LENGTHS = [20, 3, 0, 11, 20, 1, 7]


def _name(variant: tuple[str, dict[str, Any]]) -> str:
    return "-".join([variant[0], *(f"{name}={value}" for name, value in variant[1].items())])


every_variant = pytest.mark.parametrize("variant", VARIANTS, ids=_name)


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def build(variant: tuple[str, dict[str, Any]], input_size: int, hidden_size: int, **arguments: Any) -> Any:
    cell, options = variant
    own = {name: max(1, hidden_size // 2) if value is None else value for name, value in options.items()}
    if hidden_size == 1:
        own.pop("proj_size", None)
    zoneout = (0.2, 0.5) if cell == "lstm" else 0.3
    return LAYERS[cell](input_size, hidden_size, zoneout=zoneout, **own, **arguments)


def results(layer: Any, x: torch.Tensor, lengths: Any = None) -> list[torch.Tensor]:
    """Outputs, final states, and the gradients of x and of all weights, with the masks of one seed."""
    torch.manual_seed(5)
    x = x.detach().to(next(layer.parameters()).dtype).requires_grad_()
    y, final = layer(x, lengths=lengths)
    outputs = [y, *(final if isinstance(final, tuple) else (final,))]
    draw = torch.Generator().manual_seed(0)
    loss = sum((each * torch.randn(each.shape, generator=draw).to(each.dtype)).sum() for each in outputs)
    return [each.detach() for each in (*outputs, *torch.autograd.grad(loss, [x, *layer.parameters()]))]


def assert_same(found: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    steps, batch = draw(st.integers(1, 12)), draw(st.integers(1, 9))
    return {
        "sizes": (draw(st.integers(1, 40)), draw(st.integers(1, 140))),
        "shape": (steps, batch),
        "lengths": draw(st.none() | st.lists(st.integers(0, steps), min_size=batch, max_size=batch)),
        "threads": draw(st.integers(1, 2)),
        "training": draw(st.booleans()),
        "arguments": {
            "bidirectional": draw(st.booleans()),
            "num_layers": draw(st.integers(1, 2)),
            "batch_first": draw(st.booleans()),
        },
    }


@every_variant
@settings(max_examples=8, deadline=None, derandomize=True)
@given(call=calls())
def test_the_engine_is_the_equations(variant: Any, call: dict[str, Any]) -> None:
    """1e-5 in value and 1e-4 in gradient, relative to the float64 reference's scale (float32 has 6e-8)."""
    torch.manual_seed(0)
    layer = build(variant, *call["sizes"], **call["arguments"]).train(call["training"])
    x = torch.randn(*call["shape"], call["sizes"][0])
    x = x.transpose(0, 1).contiguous() if layer.batch_first else x
    torch.set_num_threads(call["threads"])
    assert layer.path(x) == "native"
    found = results(layer, x, call["lengths"])
    torch.set_num_threads(1)
    expected = results(copy.deepcopy(layer).double(), x, call["lengths"])
    outputs = len(found) - 1 - len(list(layer.parameters()))
    for k, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        scale = max(1.0, float(theirs.abs().max())) if theirs.numel() else 1.0
        assert (ours.double() - theirs).abs().max().item() <= (1e-5 if k < outputs else 1e-4) * scale


@every_variant
def test_bits_do_not_depend_on_threads(variant: Any) -> None:
    torch.manual_seed(0)
    layer = build(variant, 40, 70, bidirectional=True, num_layers=2)
    x, lengths = torch.randn(40, 13, 40), [40, 0, 31, 1, 33, 39, 12, 7, 6, 40, 40, 2, 3]
    one = results(layer, x, lengths)
    for threads in (2, 3):
        torch.set_num_threads(threads)
        assert_same(results(layer, x, lengths), one)


@every_variant
def test_masks_do_not_depend_on_padding_or_packing(variant: Any) -> None:
    """A packed batch is sorted by length, but its sequences keep their numbers, and so their masks."""
    torch.manual_seed(0)
    layer = build(variant, 9, 35, bidirectional=True)
    x = torch.randn(20, 7, 9)
    y = results(layer, x, LENGTHS)[0]
    padded = torch.cat([x, torch.full((5, 7, 9), torch.nan)])
    torch.manual_seed(5)
    assert torch.equal(layer(padded, lengths=LENGTHS)[0][:20], y)
    some = [k for k, length in enumerate(LENGTHS) if length]
    y = results(layer, x[:, some], [LENGTHS[k] for k in some])[0]
    packed = pack_padded_sequence(x[:, some], [LENGTHS[k] for k in some], enforce_sorted=False)
    for each in (layer, copy.deepcopy(layer).double()):
        torch.manual_seed(5)
        dtype = next(each.parameters()).dtype
        found, _ = pad_packed_sequence(each(packed.to(dtype))[0])
        torch.testing.assert_close(found.float(), y, rtol=0, atol=0 if each is layer else 1e-5)


@every_variant
def test_masks_follow_a_sequence_alone_and_in_chunks(variant: Any) -> None:
    """Any one of a batch, by its number, and its later part, by the time at which that begins: the same bits."""
    torch.manual_seed(0)
    layer = build(variant, 9, 35)
    bound, weights = layer._bound[0], layer._tensors(0)
    x, seed = torch.randn(20, 7, 9), torch.tensor(2**40 + 3)

    def swept(x: torch.Tensor, state: Any = (), **place: Any) -> tuple[torch.Tensor, ...]:
        layout = Layout(TIME_MAJOR, *x.shape[:2])
        return native.layer(bound, layout, x, tuple(state), weights, cells.Draw(seed, **place))

    with torch.no_grad():
        whole, *final = swept(x)
        order = torch.tensor([4, 1, 6])
        first, *middle = swept(x[:8, order], numbers=order)
        second, *last = swept(x[8:, order], middle, first_step=8, numbers=order)
    assert_same([torch.cat([first, second]), *last], [whole[:, order], *(each[:, order] for each in final)])


def test_calls_draw_again_and_a_seed_repeats_them() -> None:
    layer, x = nn.LSTM(5, 70, zoneout=0.5), torch.randn(6, 2, 5, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    first, second = layer(x)[0], layer(x)[0]
    assert not torch.equal(first, second)
    torch.manual_seed(1)
    assert_same([layer(x)[0], layer(x)[0]], [first, second])
    layer.eval()
    before = torch.get_rng_state()
    assert torch.equal(layer(x)[0], layer(x)[0])
    assert torch.equal(torch.get_rng_state(), before), "evaluation must not move PyTorch's generator"


def test_without_zoneout_training_moves_no_generator() -> None:
    layer, before = nn.GRU(3, 4), torch.get_rng_state()
    layer(torch.zeros(2, 1, 3))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_a_cell_is_a_step_of_its_layer(name: str, training: bool) -> None:
    torch.manual_seed(0)
    layer = getattr(nn, name)(9, 35, zoneout=0.4).train(training)
    cell = getattr(nn, f"{name}Cell")(9, 35, zoneout=0.4).train(training)
    cell.load_state_dict({key.removesuffix("_l0"): value for key, value in layer.state_dict().items()})
    x = torch.randn(1, 4, 9)
    for dtype in (torch.float32, torch.float64):
        torch.manual_seed(1)
        y = layer.to(dtype)(x.to(dtype))[0][0]
        torch.manual_seed(1)
        state = cell.to(dtype)(x[0].to(dtype))
        assert torch.equal(state[0] if isinstance(state, tuple) else state, y)


@pytest.mark.slow
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_compiled_code_draws_the_same_masks(training: bool) -> None:
    torch.compiler.reset()
    torch.manual_seed(0)
    layer = nn.LSTM(4, 5, 2, zoneout=(0.3, 0.6)).train(training)
    x = torch.randn(6, 2, 4)
    expected = results(layer, x)
    torch.manual_seed(5)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")  # Inductor draws other seeds than PyTorch
    y, _ = compiled(x)
    assert torch.equal(y, expected[0])


def test_second_derivatives_use_the_same_masks() -> None:
    torch.manual_seed(0)
    layer, twice = nn.GRU(3, 5, zoneout=0.5), []
    x = torch.randn(4, 2, 3)
    for each in (layer, copy.deepcopy(layer).double()):
        torch.manual_seed(1)
        own = x.to(next(each.parameters()).dtype).requires_grad_()
        (first,) = torch.autograd.grad(each(own)[0].pow(2).sum(), own, create_graph=True)
        twice.append(torch.autograd.grad(first.pow(2).sum(), own)[0])
    torch.testing.assert_close(twice[0].double(), twice[1], rtol=1e-4, atol=1e-5)


OTHERS = [isa for isa in ("plain", "avx2", "avx512") if isa != engine.instruction_set()]


@pytest.mark.slow
@pytest.mark.parametrize("isa", OTHERS)
def test_other_instruction_sets_draw_the_masks_of_the_equations(isa: str) -> None:
    if not engine.runs_here(isa):
        pytest.skip(f"this machine has no {isa}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "the_engine_is_the_equations", __file__],
        env={**os.environ, "PENSTOCK_ISA": isa},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
