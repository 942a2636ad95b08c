"""The PyTorch module of a whole network."""

import numpy as np
import pytest
import torch

from penstock.heads import ClassReadout
from penstock.network import ClassHead, Embedding, Network, Numbers, Recurrent
from penstock.nn import NetworkModule

POOLINGS = ("last", "mean", "max", "mean_max")
LENGTHS = torch.tensor([3, 0, 6, 1])


def network(pooling="max", inputs=None, **encoder):
    return Network(
        inputs or Embedding(vocabulary_size=11, size=4),
        Recurrent(**{"cell": "lstm", "input_size": 4, "hidden_size": 5, **encoder}),
        ClassHead(classes=3, pooling=pooling),
    )


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_parameters_are_those_of_the_description(cell, bidirectional):
    described = network("mean_max", cell=cell, bidirectional=bidirectional, num_layers=2)
    module = NetworkModule(described)
    shapes = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    assert shapes == {name: tuple(shape) for name, shape in described.parameter_shapes().items()}


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_is_the_runtimes(pooling, bidirectional):
    described = network(pooling, bidirectional=bidirectional)
    module = NetworkModule(described)
    values = torch.randint(11, (4, 6))
    with torch.no_grad():
        y, _ = module.encoder(module.inputs(values), lengths=LENGTHS)
        found = module(values, LENGTHS).softmax(1).numpy()
    tensors = {name: value.numpy() for name, value in module.head.state_dict().items()}
    head = ClassReadout(described.head, tensors, features=y.shape[2], bidirectional=bidirectional)
    expected = head.forward(np.ascontiguousarray(y.numpy().swapaxes(0, 1)), LENGTHS.numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_and_order_do_not_matter(pooling):
    module = NetworkModule(network(pooling))
    values = torch.randint(11, (4, 6))
    found = module(values, LENGTHS)
    for k, length in enumerate(LENGTHS.tolist()):
        alone = module(values[k : k + 1, :length], [length])
        torch.testing.assert_close(found[k : k + 1], alone)
    assert torch.equal(found[1], module.head.bias)
    found.sum().backward()
    assert all(each.grad.isfinite().all() for each in module.parameters())


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_a_prefix_is_pooling_the_shorter_sequence(pooling):
    module = NetworkModule(network(pooling, cell="gru"))
    values = torch.randint(11, (4, 6))
    y, _ = module.encoder(module.inputs(values))
    prefix = torch.tensor([2, 1, 0, 5])
    torch.testing.assert_close(module.head.pool(y, prefix), module.head.pool(y[:, :5], prefix))
    torch.testing.assert_close(module.head(y, prefix), module(values, prefix))


def test_numbers_go_in_as_they_are():
    module = NetworkModule(network(inputs=Numbers(4), cell="rnn"))
    assert module(torch.randn(2, 6, 4)).shape == (2, 3)


def test_initial_values_reach_the_encoder():
    module = NetworkModule(network(), init="chrono", max_time=50)
    assert module.encoder.init == "chrono"
    assert (module.encoder.bias_ih_l0[5:10] > 0).all()


def test_lengths_none_means_all_steps():
    module = NetworkModule(network("last"))
    values = torch.randint(11, (4, 6))
    assert torch.equal(module(values), module(values, [6] * 4))
