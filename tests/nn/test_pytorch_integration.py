"""Every way in which PyTorch code uses a layer: transforms, compilers, copies, dtypes, devices, changed weights."""

import copy
import pickle
import threading

import pytest
import torch
from torch.func import functional_call, jacrev, jvp, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.utils import parametrizations, prune
from torch.nn.utils.rnn import pack_padded_sequence

from penstock import nn
from penstock.nn import cudnn, operator
from penstock.nn.layer_spec import Layout

LENGTHS = [3, 0, 2]


def flat(layer, x, **more):
    """All that a layer returns, as a tuple of tensors."""
    y, state = layer(x, **more)
    return (y, *state) if isinstance(state, tuple) else (y, state)


def inputs(*shape, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(5), dtype=dtype)


def by_name(layer):
    """A function of x and the layer's parameters, as gradcheck and the transforms want it."""
    names = [name for name, _ in layer.named_parameters()]

    def run(x, *parameters, **more):
        y, state = functional_call(layer, dict(zip(names, parameters, strict=True)), (x,), more)
        return (y, *state) if isinstance(state, tuple) else (y, state)

    return run, tuple(layer.parameters())


def reference(layer):
    """The same layer in float64, which the equations compute."""
    return copy.deepcopy(layer).double()


def test_gradcheck(variant):
    layer = variant(2, 4, bidirectional=True, dtype=torch.float64)
    run, parameters = by_name(layer)
    x = inputs(3, 3, 2, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda *all: run(*all, lengths=LENGTHS), (x, *parameters), fast_mode=True)


def test_gradgradcheck(variant):
    layer = variant(2, 2, dtype=torch.float64)
    run, parameters = by_name(layer)
    x = inputs(2, 2, 2, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradgradcheck(run, (x, *parameters), fast_mode=True)


def test_double_backward_of_the_engine_is_that_of_the_equations(variant):
    """gradgradcheck needs float64, which the engine leaves to the equations; this is its float32 graph."""

    def second(layer, x):
        x = x.requires_grad_()
        outputs = flat(layer, x, lengths=LENGTHS)
        first = torch.autograd.grad(sum(each.square().sum() for each in outputs), x, create_graph=True)[0]
        return torch.autograd.grad(first.square().sum(), [x, *layer.parameters()])

    layer = variant(4, 5, num_layers=2)
    assert layer.path(inputs(3, 3, 4)) == "native"
    found = second(layer, inputs(3, 3, 4))
    expected = second(reference(layer), inputs(3, 3, 4).double())
    for ours, theirs in zip(found, expected, strict=True):
        scale = theirs.abs().max().clamp(min=1)
        assert (ours - theirs).abs().max() < 1e-4 * scale


def test_a_state_that_depends_on_the_input_is_counted_once():
    layer = nn.GRU(4, 4)
    x = inputs(3, 2, 4).requires_grad_()
    found = torch.autograd.grad(layer(x, x[:1] * 2)[0].sum(), x, create_graph=True)[0]
    expected = torch.autograd.grad(layer(x, x[:1] * 2)[0].sum(), x)[0]
    torch.testing.assert_close(found, expected)


def test_vmap(variant):
    layer = variant(4, 5)
    x = inputs(3, 6, 2, 4)
    mapped = vmap(lambda each: flat(layer, each))(x)
    for k in range(3):
        torch.testing.assert_close(tuple(each[k] for each in mapped), flat(layer, x[k]))


def test_vmap_over_weights(variant):
    layers = [variant(4, 5) for _ in range(2)]
    layers[1].reset_parameters()
    stacked, _ = torch.func.stack_module_state(layers)
    x = inputs(3, 2, 4)
    mapped = vmap(lambda parameters: functional_call(layers[0], parameters, (x,))[0])(stacked)
    torch.testing.assert_close(mapped[1], layers[1](x)[0])


def test_jacrev(variant):
    layer = variant(4, 5)
    found = jacrev(lambda each: layer(each)[0])(inputs(2, 2, 4))
    expected = torch.autograd.functional.jacobian(lambda each: layer(each)[0], inputs(2, 2, 4))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    vectorised = torch.autograd.functional.jacobian(lambda x: layer(x)[0], inputs(2, 2, 4), vectorize=True)
    torch.testing.assert_close(vectorised, expected, rtol=1e-4, atol=1e-5)


# PyTorch's forward mode compiles its decompositions with torch.jit.script at first use.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is:DeprecationWarning")  # deprecated; not supported by 3.14
def test_forward_mode(variant):
    layer = variant(4, 5)
    x, tangent = inputs(3, 2, 4), torch.ones(3, 2, 4)
    _, found = jvp(lambda each: layer(each)[0], (x,), (tangent,))
    jacobian = jacrev(lambda each: layer(each)[0])(x)
    torch.testing.assert_close(found, jacobian.sum((3, 4, 5)), rtol=1e-4, atol=1e-5)
    with torch.autograd.forward_ad.dual_level():
        y, _ = layer(torch.autograd.forward_ad.make_dual(x, tangent))
        torch.testing.assert_close(torch.autograd.forward_ad.unpack_dual(y).tangent, found)


def test_functional_call(variant):
    layer, other = variant(4, 5, num_layers=2), variant(4, 5, num_layers=2)
    other.reset_parameters()
    before = flat(layer, inputs(3, 2, 4))
    swapped = functional_call(layer, dict(other.named_parameters()), (inputs(3, 2, 4),))
    assert torch.equal(swapped[0], other(inputs(3, 2, 4))[0])
    assert torch.equal(layer(inputs(3, 2, 4))[0], before[0])


# The Inductor backend compiles C++ for each variant, which takes minutes; aot_eager has the same graphs, with
# fake tensors and the traced backward, and runs them operator by operator.
@pytest.mark.slow
def test_compile_fullgraph(variant):
    torch.compiler.reset()
    lengths = torch.tensor(LENGTHS)
    layer = variant(4, 5, num_layers=2, bidirectional=True)
    compiled = torch.compile(lambda each, own: flat(layer, each, lengths=own), fullgraph=True, backend="aot_eager")
    x = inputs(6, 3, 4)
    results, gradients = [], []
    for function in (compiled, lambda each, own: flat(layer, each, lengths=own)):
        own = x.clone().requires_grad_()
        outputs = function(own, lengths)
        results.append(outputs)
        gradients.append(torch.autograd.grad(sum(each.square().sum() for each in outputs), [own, *layer.parameters()]))
    assert all(torch.equal(*each) for each in zip(*results, strict=True))
    torch.testing.assert_close(gradients[0], gradients[1])
    with torch.no_grad():
        assert torch.equal(compiled(x, lengths)[0], results[0][0])


def test_compile_with_symbolic_sizes():
    torch.compiler.reset()
    layer = nn.LSTM(4, 5)
    compiled = torch.compile(layer, fullgraph=True, dynamic=True, backend="aot_eager")
    for steps, batch in ((3, 2), (5, 4), (7, 3)):
        x = inputs(steps, batch, 4)
        y, _ = compiled(x)
        torch.testing.assert_close(y, layer(x)[0])
        y.sum().backward()
    assert torch.isfinite(layer.weight_hh_l0.grad).all()


def test_compiled_layers_see_changed_weights():
    torch.compiler.reset()
    layer, x = nn.LSTM(4, 16), inputs(3, 2, 4)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    with torch.no_grad():
        compiled(x)
        for change in (_multiply_data, _load, _numpy, _assign_data):
            change(layer)
            assert torch.equal(compiled(x)[0], layer(x)[0])


@pytest.mark.slow
def test_compile_of_a_cell(cell_variant):
    torch.compiler.reset()
    cell = cell_variant(4, 5)
    compiled = torch.compile(cell, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(inputs(3, 4)), cell(inputs(3, 4)))


def test_the_compiled_operator_keeps_its_promises():
    """Schema, fake implementation, gradient and aliasing, by PyTorch's own checks."""
    layer = nn.LSTM(3, 4)
    weights = [each.detach().clone().requires_grad_() for each in layer.parameters()]
    arguments = (inputs(5, 2, 3).requires_grad_(), [], weights, None, None, 0, 5, 2, layer._bound[0].spec, True)
    torch.library.opcheck(
        operator._sweep, arguments, test_utils=("test_schema", "test_faketensor", "test_autograd_registration")
    )


def test_vmap_inside_compile():
    torch.compiler.reset()
    layer = nn.GRU(4, 5)
    compiled = torch.compile(lambda x: vmap(lambda each: layer(each)[0])(x), fullgraph=True, backend="eager")
    x = inputs(3, 6, 2, 4)
    torch.testing.assert_close(compiled(x), torch.stack([layer(each)[0] for each in x]))


def test_deepcopy(variant):
    layer = variant(4, 5, num_layers=2, bidirectional=True)
    y = layer(inputs(3, 2, 4))[0]
    twin = copy.deepcopy(layer)
    assert torch.equal(twin(inputs(3, 2, 4))[0], y)
    with torch.no_grad():
        twin.weight_ih_l0.mul_(2)
    assert torch.equal(layer(inputs(3, 2, 4))[0], y)
    assert not torch.equal(twin(inputs(3, 2, 4))[0], y)


def test_pickle(variant):
    layer, x = variant(4, 5), inputs(3, 2, 4)
    twin = pickle.loads(pickle.dumps(layer))  # noqa: S301 - a module of the user's own, their choice of format
    assert torch.equal(twin(x)[0], layer(x)[0])
    assert repr(twin) == repr(layer)


def test_pickle_of_a_cell(cell_variant):
    cell, x = cell_variant(4, 5), inputs(3, 4)
    twin = pickle.loads(pickle.dumps(cell))  # noqa: S301 - as above
    torch.testing.assert_close(twin(x), cell(x), rtol=0, atol=0)
    assert repr(twin) == repr(cell)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_conversion(variant, dtype):
    layer = variant(4, 5, bidirectional=True)
    expected = layer(inputs(3, 2, 4))[0]
    assert layer.to(dtype).path(inputs(3, 2, 4).to(dtype)) == "reference"
    y, _ = layer(inputs(3, 2, 4).to(dtype))
    assert y.dtype == dtype
    # float16 has 11 bits, bfloat16 8; three steps add up a few of their roundings
    tolerance = {torch.float64: 1e-5, torch.float16: 1e-2, torch.bfloat16: 5e-2}[dtype]
    torch.testing.assert_close(y.float(), expected, rtol=tolerance, atol=tolerance)
    assert layer.float().path(inputs(3, 2, 4)) == "native"


def test_autocast_keeps_the_layers_own_accuracy(variant):
    layer = variant(4, 5)
    expected = layer(inputs(3, 2, 4))[0]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(inputs(3, 2, 4))[0], expected)
        half = inputs(3, 2, 4).bfloat16()
        assert torch.equal(layer(half)[0], layer(half.float())[0])


def test_autocast_of_a_cell(cell_variant):
    cell, x = cell_variant(4, 5), inputs(2, 4).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = cell(x)
    torch.testing.assert_close(found, cell(x.float()), rtol=0, atol=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device at hand: the GPU paths are untested here")
def test_cuda(variant):
    layer = variant(4, 5, num_layers=2, bidirectional=True)
    x = inputs(6, 3, 4)
    expected = [flat(layer, x, lengths=lengths) for lengths in (None, LENGTHS)]
    layer.cuda()
    assert layer.path(x.cuda()) == ("cudnn" if layer._kinds[0].is_torch else "reference")
    for lengths, results in zip((None, LENGTHS), expected, strict=True):
        found = tuple(each.cpu() for each in flat(layer, x.cuda(), lengths=lengths))
        torch.testing.assert_close(found, results, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("batch_first", [False, True])
def test_lengths_on_the_way_to_cudnn(batch_first):
    """What a GPU does with lengths, run here by PyTorch's own layer on the CPU."""
    layer = nn.LSTM(4, 5, num_layers=2, bidirectional=True, batch_first=batch_first)
    x = inputs(3, 6, 4) if batch_first else inputs(6, 3, 4)
    state = (inputs(4, 3, 5), inputs(4, 3, 5))
    for own in ((), state):
        layout = Layout(int(batch_first), 6, 3, torch.tensor(LENGTHS))
        y, final = cudnn.run(layer, x, own, layout)
        expected_y, expected = layer(x, own or None, lengths=LENGTHS)
        torch.testing.assert_close((y, final), (expected_y, expected))
    packed = pack_padded_sequence(x, [6, 5, 2], batch_first)
    y, _ = cudnn.run(layer, packed.data, (), Layout(2, 6, 3, None, packed.batch_sizes))
    torch.testing.assert_close(y, layer(packed)[0].data)


def _optimiser(layer):
    layer(inputs(3, 2, 4))[0].sum().backward()
    torch.optim.SGD(layer.parameters(), lr=0.5).step()


def _numpy(layer):
    layer.weight_hh_l0.detach().numpy()[:] += 0.25


def _assign_data(layer):
    layer.weight_hh_l0.data = layer.weight_hh_l0.data + 0.25


def _multiply_data(layer):
    layer.weight_hh_l0.data.mul_(2)


def _load(layer):
    layer.load_state_dict({name: value + 0.25 for name, value in layer.state_dict().items()})


def _replace_parameter(layer):
    layer.weight_hh_l0 = torch.nn.Parameter(layer.weight_hh_l0.detach() + 0.25)


def _transpose_in_place(layer):
    layer.weight_hh_l0.data = layer.weight_hh_l0.data.flip(0).contiguous().view_as(layer.weight_hh_l0)


def _poke(layer):
    layer.weight_hh_l0.detach().numpy()[1, 1] += 0.25


@pytest.mark.parametrize(
    "change",
    [_optimiser, _numpy, _assign_data, _multiply_data, _load, _replace_parameter, _transpose_in_place, _poke],
    ids=lambda each: each.__name__.strip("_"),
)
def test_changed_weights_are_seen(variant, change):
    layer = variant(4, 16, num_layers=2)
    with torch.no_grad():
        before = layer(inputs(3, 2, 4))[0]
        assert layer(inputs(3, 2, 4))[0].equal(before)
    change(layer)
    with torch.no_grad():
        after = layer(inputs(3, 2, 4))[0]
    assert not after.equal(before)
    torch.testing.assert_close(after.double(), reference(layer)(inputs(3, 2, 4).double())[0], rtol=1e-5, atol=1e-5)


def test_changed_weights_of_a_cell_are_seen(cell_variant):
    cell = cell_variant(4, 5)
    with torch.inference_mode():
        cell(inputs(3, 4))
        cell.weight_hh.data.mul_(3)
        found = cell(inputs(3, 4))
        torch.testing.assert_close(copy.deepcopy(cell)(inputs(3, 4)), found, rtol=0, atol=0)


def test_weights_born_in_inference_mode_are_seen_too():
    with torch.inference_mode():
        layer = nn.GRU(4, 64)
        before = layer(inputs(3, 2, 4))[0]
        layer.weight_hh_l0[5, 5] += 1
        assert not torch.equal(layer(inputs(3, 2, 4), inputs(1, 2, 64))[0], before)
        torch.testing.assert_close(layer(inputs(3, 2, 4))[0], reference(layer)(inputs(3, 2, 4).double())[0].float())


def test_transposed_weights_are_read_as_they_are():
    layer = nn.RNN(5, 5)
    with torch.no_grad():
        layer(inputs(3, 2, 5))
        layer.weight_hh_l0.data = layer.weight_hh_l0.data.t()  # same address, same version, other strides
        found = layer(inputs(3, 2, 5))[0]
    torch.testing.assert_close(found, reference(layer)(inputs(3, 2, 5).double())[0].float())


def test_changing_a_weight_between_forward_and_backward_is_an_error():
    layer = nn.LSTM(4, 5)
    y, _ = layer(inputs(3, 2, 4))
    with torch.no_grad():
        layer.weight_hh_l0.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_parametrised_and_pruned_weights():
    layer = nn.LSTM(4, 5)
    expected = layer(inputs(3, 2, 4))[0]
    parametrizations.weight_norm(layer, "weight_hh_l0")
    torch.testing.assert_close(layer(inputs(3, 2, 4))[0], expected)
    pruned = prune.l1_unstructured(nn.GRU(4, 5), "weight_ih_l0", amount=0.5)
    y, _ = pruned(inputs(3, 2, 4))
    y.sum().backward()
    assert (pruned.weight_ih_l0_orig.grad != 0).sum() == 30


def test_path(variant):
    layer, x = variant(4, 5), inputs(3, 2, 4)
    assert layer.path(x) == layer.path(pack_padded_sequence(x, [3, 2])) == "native"
    assert layer.path(x.double()) == layer.path(x.to("meta")) == "reference"
    seen = []
    vmap(lambda each: seen.append(layer.path(each)) or each)(x[None])
    assert seen == ["reference"]


def test_path_of_a_cell(cell_variant):
    cell, x = cell_variant(4, 5), inputs(2, 4)
    assert cell.path(x) == "native"
    assert cell.path(x.double()) == "reference"


def test_no_graph_when_none_is_needed(variant):
    layer = variant(4, 5)
    with torch.no_grad():
        assert layer(inputs(3, 2, 4))[0].grad_fn is None
    layer.requires_grad_(False)
    assert layer(inputs(3, 2, 4))[0].grad_fn is None
    x = inputs(3, 2, 4).requires_grad_()
    layer(x)[0].sum().backward()
    assert x.grad is not None
    assert all(each.grad is None for each in layer.parameters())


def test_strided_input(variant):
    layer = variant(4, 5)
    wide = inputs(2, 3, 8)
    strided = wide.transpose(0, 1)[..., ::2]
    assert torch.equal(layer(strided)[0], layer(strided.contiguous())[0])
    negative = torch.view_as_complex(wide.view(2, 3, 4, 2)).conj().imag
    assert torch.equal(layer(negative)[0], layer(negative.clone())[0])


def test_several_threads_share_a_layer():
    layer, x = nn.LSTM(16, 32, num_layers=2), inputs(9, 4, 16)
    with torch.no_grad():
        expected = copy.deepcopy(layer)(x)[0]
    found = [None] * 4

    def work(k):
        with torch.no_grad():
            found[k] = all(torch.equal(layer(x)[0], expected) for _ in range(50))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4


def test_symbolic_tracers_get_the_equations():
    layer = nn.GRU(4, 5)
    graph = make_fx(lambda x: layer(x)[0])(inputs(2, 2, 4))
    torch.testing.assert_close(graph(inputs(2, 2, 4)), layer(inputs(2, 2, 4))[0])
    assert len(list(graph.graph.nodes)) > 10


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"])
def test_shapes_alone_on_the_meta_device(name):
    x = torch.zeros(4, 5, device="meta")
    first = getattr(nn, name)(5, 7, device="meta")(x)
    first = first[0] if isinstance(first, tuple) else first
    assert first.device.type == "meta"
    assert first.shape == (4, 7)
