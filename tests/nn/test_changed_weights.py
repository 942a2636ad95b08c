"""A layer answers with what its tensors hold at the call, however they were changed; and what freezing one promises."""

import copy
import threading

import pytest
import torch
from torch.nn.utils import parametrizations, prune

from penstock import nn

HIDDEN = 20


def inputs(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


def outputs(layer, x):
    found = layer(x)
    return [found] if isinstance(found, torch.Tensor) else [found[0], *torch.utils._pytree.tree_leaves(found[1])]


def fresh(layer):
    """A layer that has never run, with the same weights: what any answer must be."""
    return copy.deepcopy(layer)


def behind_its_back(change):
    """`change` of each weight's `.data`, which no version counts."""
    return lambda layer: [change(weight.data) for weight in layer.parameters()]


def by_one_element(layer):
    for weight in layer.parameters():
        weight.detach().numpy()[(-1,) * weight.dim()] += 0.5


def by_set(layer):
    with torch.no_grad():
        for weight in layer.parameters():
            weight.set_((weight * 1.5).detach())


def by_swapping(layer):
    layer._flat_weight_refs = []  # PyTorch's own, because of which it would refuse
    for weight in layer.parameters():
        torch.utils.swap_tensors(weight, torch.nn.Parameter(weight.detach() * 1.5))
    if isinstance(layer, torch.nn.RNNBase):
        layer._init_flat_weights()


def by_resizing(layer):
    """As sharded training does it: the memory is given back, and filled again later."""
    for weight in layer.parameters():
        storage, kept = weight.untyped_storage(), weight.detach() * 2
        size = storage.nbytes()
        storage.resize_(0)
        storage.resize_(size)
        weight.data.copy_(kept)


@torch.enable_grad()
def by_an_optimiser(layer):
    x = inputs(3, 4) if isinstance(layer, torch.nn.RNNCellBase) else inputs(3, 2, 4)
    sum(each.sum() for each in outputs(layer, x)).backward()
    torch.optim.SGD(layer.parameters(), lr=0.5).step()


BEHIND = {
    "a-row-of-each-gate": behind_its_back(lambda data: data[::HIDDEN].add_(0.5)),
    "last-row": behind_its_back(lambda data: data[-1].add_(0.5)),
    "one-column": behind_its_back(lambda data: data[..., -1].zero_()),
    "all-but-a-column": behind_its_back(lambda data: data[..., 1:].mul_(1.5)),
    "clamped": behind_its_back(lambda data: data.clamp_(-0.1, 0.1)),
    "smallest-pruned": behind_its_back(lambda data: data.masked_fill_(data.abs() < 0.05, 0)),
    "not-a-number": behind_its_back(lambda data: data.view(-1)[-1:].fill_(torch.nan)),
    "one-element-by-numpy": by_one_element,
    "resized-storage": by_resizing,
}
COUNTED = {
    "set": by_set,
    "swapped": by_swapping,
    "data-assigned": lambda layer: [setattr(each, "data", each.data * 1.5) for each in layer.parameters()],
    "loaded": lambda layer: layer.load_state_dict({k: v * 1.5 for k, v in layer.state_dict().items()}),
    "optimiser": by_an_optimiser,
    "replaced": lambda layer: [
        setattr(layer, name, torch.nn.Parameter(each.detach() * 1.5)) for name, each in list(layer.named_parameters())
    ],
}


def assert_seen(make, x, change):
    for mode in (torch.no_grad, torch.inference_mode, torch.enable_grad):
        layer = make()
        with mode():
            before = [each.detach().clone() for each in outputs(layer, x)]
            assert all(map(torch.equal, outputs(layer, x), before))
        {**BEHIND, **COUNTED}[change](layer)
        with mode():
            after = outputs(layer, x)
            assert not all(map(torch.equal, after, before))
            for found, expected in zip(after, outputs(fresh(layer), x), strict=True):
                torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("change", [*BEHIND, *COUNTED])
def test_a_layer_sees_every_change(variant, change):
    assert_seen(lambda: variant(4, HIDDEN), inputs(3, 1, 4), change)


@pytest.mark.slow
@pytest.mark.parametrize("change", [*BEHIND, *COUNTED])
def test_a_stack_sees_every_change(variant, change):
    assert_seen(lambda: variant(4, HIDDEN, num_layers=2, bidirectional=True), inputs(3, 2, 4), change)


@pytest.mark.parametrize("change", [*BEHIND, *COUNTED])
def test_a_cell_sees_every_change(cell_variant, change):
    assert_seen(lambda: cell_variant(4, HIDDEN), inputs(3, 4), change)


def test_any_single_element_is_seen(variant):
    layer, x = variant(3, 5, bidirectional=True), inputs(4, 2, 3)
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            for k in range(weight.numel()):
                layer(x)
                weight.data.view(-1)[k] += 0.5
                assert torch.equal(layer(x)[0], fresh(layer)(x)[0]), f"{name}, element {k}"


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_pruned_and_parametrised_weights_are_computed_again(name):
    x = inputs(3, 2, 4)
    pruned = prune.l1_unstructured(getattr(nn, name)(4, HIDDEN), "weight_hh_l0", amount=0.5)
    normed = parametrizations.weight_norm(getattr(nn, name)(4, HIDDEN), "weight_hh_l0")
    with torch.no_grad():
        originals = pruned.weight_hh_l0_orig, normed.parametrizations.weight_hh_l0.original1
        for layer, weight in zip((pruned, normed), originals, strict=True):
            for frozen in (False, True):
                layer.freeze() if frozen else layer.unfreeze()
                before = layer(x)[0]
                weight.data.mul_(-1.5)
                after = layer(x)[0]
                assert not torch.equal(after, before)
                assert torch.equal(after, fresh(layer)(x)[0])


@pytest.mark.slow
@pytest.mark.parametrize("change", list(BEHIND))
def test_a_compiled_layer_sees_every_change(change):
    torch.compiler.reset()
    layer, x = nn.GRU(4, HIDDEN, bidirectional=True).freeze(), inputs(3, 2, 4)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    with torch.no_grad():
        compiled(x)
        BEHIND[change](layer)
        torch.testing.assert_close(compiled(x)[0], fresh(layer)(x)[0], rtol=0, atol=0, equal_nan=True)


@pytest.mark.slow
@pytest.mark.parametrize("change", list(COUNTED))
def test_a_frozen_layer_sees_what_is_counted(variant, change):
    assert_seen(lambda: variant(4, HIDDEN, num_layers=2, bidirectional=True).freeze(), inputs(3, 2, 4), change)


@pytest.mark.parametrize("change", [each for each in BEHIND if each != "resized-storage"])
def test_a_frozen_layer_keeps_its_weights_until_it_is_packed_again(change):
    """Which its documentation says: that the weights are not looked at is what freezing is for."""
    x = inputs(3, 2, 4)
    with torch.no_grad():
        for told in (nn.LSTM.repack, nn.LSTM.unfreeze, nn.LSTM.freeze):
            layer = nn.LSTM(4, HIDDEN).freeze()
            before = layer(x)[0]
            BEHIND[change](layer)
            assert torch.equal(layer(x)[0], before)
            told(layer)
            expected = fresh(layer)(x)[0]
            torch.testing.assert_close(layer(x)[0], expected, rtol=0, atol=0, equal_nan=True)


def test_a_frozen_cell_keeps_its_weights_until_it_is_packed_again(cell_variant):
    cell, x = cell_variant(4, HIDDEN), inputs(3, 4)
    with torch.inference_mode():
        before = outputs(cell.freeze(), x)
        cell.weight_hh.data.zero_(), cell.weight_ih.data.add_(1)
        assert all(map(torch.equal, outputs(cell, x), before))
        for told in (cell.repack, cell.unfreeze, cell.freeze):
            told()
            assert all(map(torch.equal, outputs(cell, x), outputs(fresh(cell), x)))


def test_training_a_frozen_layer_uses_the_weights_that_are_there():
    layer, x = nn.LSTM(4, HIDDEN).freeze(), inputs(3, 2, 4)
    with torch.no_grad():
        layer(x)
    layer.weight_hh_l0.data[3] += 0.5
    found = torch.autograd.grad(layer(x)[0].square().sum(), list(layer.parameters()))
    expected_layer = fresh(layer)
    expected = torch.autograd.grad(expected_layer(x)[0].square().sum(), list(expected_layer.parameters()))
    assert all(map(torch.equal, found, expected))


def test_weights_born_in_inference_mode_are_looked_at_even_if_frozen():
    with torch.inference_mode():
        layer, x = nn.GRU(4, HIDDEN).freeze(), inputs(3, 2, 4)
        before = layer(x)[0]
        layer.weight_hh_l0[5, 5] += 1
        assert not torch.equal(layer(x)[0], before)


def test_a_copy_is_not_frozen():
    layer = nn.RNN(4, HIDDEN).freeze()
    assert [each.layer.frozen for each in layer._bound] == [True]
    assert [each.layer.frozen for each in copy.deepcopy(layer)._bound] == [False]


def test_two_modules_with_weights_of_their_own_share_a_frozen_engine_layer():
    layers, x = [nn.GRU(8, HIDDEN), nn.GRU(8, HIDDEN)], inputs(5, 2, 8)
    with torch.no_grad():
        expected = [layer(x)[0] for layer in layers]
    layers[1]._bound = layers[0].freeze()._bound
    good = [0, 0]

    def work(k):
        with torch.no_grad():
            for _ in range(200):
                good[k] += torch.equal(layers[k](x)[0], expected[k])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert good == [200, 200]
