"""The regression head: the class head's fold, its own reading, and its PyTorch side."""

import numpy as np
import pytest
import torch

from penstock.errors import ConfigError
from penstock.heads import RegressionReadout
from penstock.network import Network, Numbers, Recurrent, RegressionHead
from penstock.nn import NetworkModule

LENGTHS = np.array([7, 0, 3, 9, 1, 9])


def drawn(spec, features=6):
    rng = np.random.default_rng(0)
    shapes = spec.parameter_shapes(features)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "mean_max"])
def test_whole_stepwise_and_pytorch_agree(pooling, bidirectional):
    spec = RegressionHead(outputs=2, pooling=pooling)
    tensors = drawn(spec)
    head = RegressionReadout(spec, tensors, features=6, bidirectional=bidirectional)
    y = np.random.default_rng(1).normal(size=(9, len(LENGTHS), 6)).astype(np.float32)
    whole = head.forward(y, LENGTHS)
    for row, length in enumerate(LENGTHS):
        carry = head.init(1)
        for time in range(length):
            head.step(carry, y[time, row : row + 1])
        np.testing.assert_array_equal(head.read(carry)[0], whole[row])
    network = Network(Numbers(4), Recurrent(input_size=4, hidden_size=6 // (1 + bidirectional)), spec)
    if bidirectional:
        network = Network(Numbers(4), Recurrent(input_size=4, hidden_size=3, bidirectional=True), spec)
    side = NetworkModule(network).head
    side.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})
    with torch.no_grad():
        expected = side(torch.from_numpy(y.transpose(1, 0, 2)), torch.from_numpy(LENGTHS))
    # float32 sums of nine steps and of at most twelve products, then the scale.
    np.testing.assert_allclose(whole, expected, rtol=1e-5, atol=1e-5)


def test_the_scale_and_the_offset_are_the_data_s_unit():
    spec = RegressionHead(pooling="last")
    plain = drawn(spec) | {"scale": np.ones(1, np.float32), "offset": np.zeros(1, np.float32)}
    scaled = plain | {"scale": np.array([8.0], np.float32), "offset": np.array([100.0], np.float32)}
    y = np.ones((3, 2, 6), np.float32)
    before, after = (RegressionReadout(spec, tensors, features=6).forward(y) for tensors in (plain, scaled))
    np.testing.assert_array_equal(after, before * np.float32(8) + np.float32(100))


def test_invalid_descriptions_are_refused():
    with pytest.raises(ConfigError, match="outputs must be a whole number, at least 1"):
        RegressionHead(outputs=0)
    with pytest.raises(ConfigError, match="pooling must be one of"):
        RegressionHead(pooling="median")
