"""Contract: the engine inside penstock.nn is the reference equations, in value and gradient, and exact in its bits."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import nn
from penstock.cells import VARIANTS

LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def _name(variant: tuple[str, dict[str, Any]]) -> str:
    return "-".join([variant[0], *(f"{name}={value}" for name, value in variant[1].items())])


every_variant = pytest.mark.parametrize("variant", VARIANTS, ids=_name)


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # unless a test says otherwise: the reference's tiny operators only lose by more
    yield
    torch.set_num_threads(threads)


def build(variant: tuple[str, dict[str, Any]], input_size: int, hidden_size: int, **arguments: Any) -> Any:
    cell, options = variant
    own = {name: max(1, hidden_size // 2) if value is None else value for name, value in options.items()}
    if hidden_size == 1:
        own.pop("proj_size", None)  # nothing is smaller than one unit
    return LAYERS[cell](input_size, hidden_size, **own, **arguments)


def state_of(layer: Any, batch: int) -> tuple[torch.Tensor, ...]:
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    return tuple(torch.randn(rows, batch, size) for size in layer._kinds[0].state_sizes)


def run(layer: Any, x: torch.Tensor, state: tuple[torch.Tensor, ...], lengths: Any = None) -> tuple[torch.Tensor, ...]:
    y, final = layer(x, state if len(state) > 1 else state[0], lengths)
    return (y, *final) if isinstance(final, tuple) else (y, final)


def values_and_gradients(
    layer: Any, x: torch.Tensor, state: tuple[torch.Tensor, ...], lengths: Any, loss_weights: list[torch.Tensor]
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    dtype = next(layer.parameters()).dtype
    x, *state = [each.detach().to(dtype).requires_grad_() for each in (x, *state)]
    outputs = run(layer, x, tuple(state), lengths)
    loss = sum((each * weight.to(dtype)).sum() for each, weight in zip(outputs, loss_weights, strict=True))
    return [each.detach() for each in outputs], list(torch.autograd.grad(loss, [x, *state, *layer.parameters()]))


def assert_close(found: list[torch.Tensor], expected: list[torch.Tensor], tolerance: float) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        scale = max(1.0, float(theirs.abs().max())) if theirs.numel() else 1.0
        assert torch.isfinite(ours).all()
        error = float((ours.double() - theirs).abs().max()) if theirs.numel() else 0.0
        assert error <= tolerance * scale, f"error {error:.3g} at scale {scale:.3g}"


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    steps, batch = draw(st.integers(1, 12)), draw(st.integers(1, 9))
    return {
        "input_size": draw(st.integers(1, 70)),
        "hidden_size": draw(st.integers(1, 70)),
        "steps": steps,
        "batch": batch,
        "lengths": draw(st.none() | st.lists(st.integers(0, steps), min_size=batch, max_size=batch)),
        "threads": draw(st.integers(1, 4)),
        "arguments": {
            "bidirectional": draw(st.booleans()),
            "batch_first": draw(st.booleans()),
            "bias": draw(st.booleans()),
            "num_layers": draw(st.integers(1, 2)),
        },
        "seed": draw(st.integers(0, 2**31)),
    }


@every_variant
@settings(max_examples=20, deadline=None, derandomize=True)
@given(call=calls())
def test_native_is_reference(variant: Any, call: dict[str, Any]) -> None:
    """1e-5 in value and 1e-4 in gradient, relative to the float64 reference's scale (float32 has 6e-8)."""
    torch.manual_seed(call["seed"])
    torch.set_num_threads(call["threads"])
    layer = build(variant, call["input_size"], call["hidden_size"], **call["arguments"])
    shape = (call["batch"], call["steps"]) if layer.batch_first else (call["steps"], call["batch"])
    x, state = torch.randn(*shape, call["input_size"]), state_of(layer, call["batch"])
    assert layer.path(x, state) == "native"
    weights = [torch.randn(each.shape) for each in run(layer, x, state, call["lengths"])]
    values, gradients = values_and_gradients(layer, x, state, call["lengths"], weights)
    torch.set_num_threads(1)
    exact = copy.deepcopy(layer).double()
    expected_values, expected_gradients = values_and_gradients(exact, x, state, call["lengths"], weights)
    assert_close(values, expected_values, 1e-5)
    assert_close(gradients, expected_gradients, 1e-4)


@every_variant
@pytest.mark.slow
def test_long_sequences_stay_within_the_same_bounds(variant: Any) -> None:
    """More rows than the engine's blocks of 256, lengths that end inside them."""
    torch.manual_seed(0)
    layer = build(variant, 17, 33, bidirectional=True)
    x, state, lengths = torch.randn(90, 9, 17), state_of(layer, 9), [90, 0, 61, 1, 33, 90, 12, 75, 64]
    weights = [torch.randn(each.shape) for each in run(layer, x, state, lengths)]
    values, gradients = values_and_gradients(layer, x, state, lengths, weights)
    expected = values_and_gradients(copy.deepcopy(layer).double(), x, state, lengths, weights)
    assert_close(values, expected[0], 1e-5)
    assert_close(gradients, expected[1], 1e-4)


@pytest.mark.parametrize("batch", [13, 3])  # of a few rows each direction has a thread
@every_variant
def test_bits_do_not_depend_on_threads(variant: Any, batch: int) -> None:
    """Outputs, states and all gradients, the weights' too."""
    torch.manual_seed(0)
    layer = build(variant, 40, 70, bidirectional=True, num_layers=2)
    lengths = [40, 0, 31, 1, 33, 39, 12, 7, 6, 40, 40, 2, 3][:batch]
    x, state = torch.randn(40, batch, 40), state_of(layer, batch)
    weights = [torch.randn(each.shape) for each in run(layer, x, state, lengths)]
    results = []
    for threads in (1, 2, 3, 4, 2):
        torch.set_num_threads(threads)
        values, gradients = values_and_gradients(layer, x, state, lengths, weights)
        results.append([*values, *gradients])
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


@every_variant
def test_bits_do_not_depend_on_company_padding_or_position(variant: Any) -> None:
    """Each sequence alone, and the batch reversed and padded: same outputs, states and gradients of the inputs."""
    torch.manual_seed(0)
    layer = build(variant, 9, 35, bidirectional=True)
    x, state, lengths = torch.randn(20, 7, 9), state_of(layer, 7), [20, 3, 0, 11, 20, 1, 7]
    weights = [torch.randn(each.shape) for each in run(layer, x, state, lengths)]
    values, gradients = values_and_gradients(layer, x, state, lengths, weights)
    inputs = 1 + len(state)
    for k, length in enumerate(lengths):
        if length == 0:
            continue
        own = [weights[0][:length, k : k + 1], *[each[:, k : k + 1] for each in weights[1:]]]
        alone = values_and_gradients(
            layer, x[:length, k : k + 1], tuple(each[:, k : k + 1] for each in state), None, own
        )
        assert torch.equal(values[0][:length, k : k + 1], alone[0][0])
        assert torch.equal(gradients[0][:length, k : k + 1], alone[1][0])
        for a, b in zip([*values[1:], *gradients[1:inputs]], [*alone[0][1:], *alone[1][1:inputs]], strict=True):
            assert torch.equal(a[:, k : k + 1], b)
    padded = torch.cat([x.flip(1), torch.full((5, 7, 9), torch.nan)])
    y, *finals = run(layer, padded, tuple(each.flip(1) for each in state), lengths[::-1])
    assert torch.equal(y[:20].flip(1), values[0])
    assert all(torch.equal(a.flip(1), b) for a, b in zip(finals, values[1:], strict=True))


@every_variant
def test_bits_do_not_depend_on_chunks_or_layout(variant: Any) -> None:
    """Time cut into pieces with the state carried on; batch first, packed, without a graph, and step by step."""
    torch.manual_seed(0)
    layer = build(variant, 9, 35, num_layers=2)
    x, state = torch.randn(70, 3, 9), state_of(layer, 3)
    y, *final = run(layer, x, state)
    for pieces in ([1] * 70, [33, 37], [64, 6]):
        carried, outputs = state, []
        with torch.no_grad():
            for piece in x.split(pieces):
                out, *rest = run(layer, piece, carried)
                outputs.append(out)
                carried = tuple(rest)
        assert torch.equal(torch.cat(outputs), y)
        assert all(torch.equal(a, b) for a, b in zip(carried, final, strict=True))
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, [70, 70, 70])
    assert torch.equal(layer(packed, state if len(state) > 1 else state[0])[0].data.view(70, 3, -1), y)
    layer.batch_first = True
    assert torch.equal(run(layer, x.transpose(0, 1), state)[0].transpose(0, 1), y)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_a_cell_step_by_step_is_the_layer(name: str) -> None:
    torch.manual_seed(0)
    layer, cell = getattr(nn, name)(9, 35), getattr(nn, f"{name}Cell")(9, 35)
    cell.load_state_dict({key.removesuffix("_l0"): value for key, value in layer.state_dict().items()})
    x = torch.randn(6, 4, 9)
    state, outputs = None, []
    for each in x:
        state = cell(each, state)
        outputs.append(state[0] if isinstance(state, tuple) else state)
    assert torch.equal(torch.stack(outputs), layer(x)[0])
