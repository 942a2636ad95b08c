"""The shipped arrays are what the scripts compute: a part of each figure is computed again and compared."""

import json

import numpy as np
import pytest
import torch

from penstock.lab.arrays import unpacked
from penstock.lab.building import source
from penstock.lab.compute import brackets, cliff, forgetting, gradients, memory, start, timing, truncation

# PyTorch's sums may differ in the last bits from machine to machine, and training multiplies that; 16 bits of
# quantisation are finer.
CLOSE = {"rtol": 0.02, "atol": 2e-3}


@pytest.fixture(scope="module")
def arrays():
    """The shipped arrays, packed, by figure."""
    return json.loads(source("arrays.json"))


def test_gradients(arrays):
    found, shipped = gradients.reach("rnn", gradients.SCALES[-2]), unpacked(arrays["gradients"]["rnn"])[-2]
    np.testing.assert_allclose(np.log(found), np.log(shipped), atol=0.01)
    bias = 2
    found, shipped = gradients.reach("gru", 1.0, gradients.BIASES[bias]), unpacked(arrays["gradients"]["gru"])
    np.testing.assert_allclose(np.log(found), np.log(shipped[gradients.SCALES.index(1.0), bias]), atol=0.01)


@pytest.mark.slow
def test_forget_bias(arrays):
    at = forgetting.BIASES.index(5.0)
    shipped = unpacked(arrays["forgetting"]["curves"])[at]
    np.testing.assert_allclose(forgetting.learning(5.0, updates=40), shipped[:2], **CLOSE)


def test_the_gate_alone_is_what_is_left_without_recurrent_weights():
    norms, gate = gradients.reach("lstm", 0.0, 2.0), 1 / (1 + np.exp(-2.0))
    # The forget gate moves with the input, by a few percent.
    np.testing.assert_allclose(norms[2:30] / norms[1:29], gate, rtol=0.03)


def test_the_gradient_lies_above_what_the_gate_alone_leaves(arrays):
    for bias, norms in zip(forgetting.BIASES, unpacked(arrays["forgetting"]["reach"]), strict=True):
        alone = norms[1] * (1 / (1 + np.exp(-bias))) ** np.arange(50)
        assert (norms[1:51] > 0.5 * alone).all(), bias


def test_orthogonal_start(arrays):
    shipped = unpacked(arrays["start"]["singular"]["orthogonal"])
    np.testing.assert_allclose(shipped, 1, atol=1e-4)
    found, shipped = start.singular_values("uniform"), unpacked(arrays["start"]["singular"]["uniform"])
    np.testing.assert_allclose(np.log(found[:5]), np.log(shipped[:5]), atol=0.01)
    shipped = unpacked(arrays["start"]["curves"])[1, 0]
    np.testing.assert_allclose(start.learning("orthogonal", 10, updates=40), shipped[:2], **CLOSE)


def test_the_wall(arrays):
    surface = unpacked(arrays["cliff"]["loss"])
    for row, column in [(0, 0), (20, 50), (48, 72)]:
        assert abs(cliff.loss(cliff.WEIGHTS[column], cliff.BIASES[row])[0] - surface[row, column]) < 1e-4
    paths = unpacked(arrays["cliff"]["paths"])
    at = cliff.THRESHOLDS.index(1.0)
    np.testing.assert_allclose(cliff.descent(1.0)[:8], paths[at, :8], rtol=1e-4)
    loss, norm = paths[..., 2], paths[..., 3]
    assert norm[-1].max() > 50  # on the wall
    assert paths[-1, -1, 1] > cliff.BIASES[-1]  # thrown out of the picture
    assert loss[-1, -1] > 0.4
    assert loss[at, -1] < 0.01  # clipped, it arrives


def test_the_gradient_of_the_wall_is_the_slope_of_the_loss():
    step = 1e-6
    _, by_weight, by_bias = cliff.loss(1.3, 0.1)
    slopes = [
        (cliff.loss(1.3 + dw, 0.1 + db)[0] - cliff.loss(1.3 - dw, 0.1 - db)[0]) / (2 * step)
        for dw, db in [(step, 0), (0, step)]
    ]
    np.testing.assert_allclose([by_weight, by_bias], slopes, rtol=1e-5)


def test_timing(arrays):
    errors = unpacked(arrays["timing"]["errors"])
    assert timing.learned(4, 1, True, 0, updates=30) > errors[0, 0, 1, 0]
    np.testing.assert_allclose(unpacked(arrays["timing"]["biases"])[9], timing.clock(12)["bias_ih"], rtol=1e-6)


@pytest.mark.slow
def test_truncation(arrays):
    shipped = unpacked(arrays["truncation"]["curves"])
    found = truncation.learning(1.0, truncation.STEPS, updates=40)
    np.testing.assert_allclose(found, shipped[0, truncation.BACK.index(truncation.STEPS), :2], **CLOSE)


def test_what_the_page_says_of_learning_is_so(arrays):
    learned = unpacked(arrays["truncation"]["curves"])[..., -1] < 0.1
    assert learned[0].tolist() == [back == truncation.STEPS for back in truncation.BACK]
    with_bias = unpacked(arrays["truncation"]["curves"])[1]
    assert with_bias[-1, -1] < 0.1
    assert (with_bias[:-1, -1] < 0.5).sum() >= 3  # in part
    learned = unpacked(arrays["forgetting"]["curves"])[:, -1] < 0.1
    assert not learned[forgetting.BIASES.index(1.0)]
    assert learned[forgetting.BIASES.index(5.0)]
    learned = unpacked(arrays["start"]["curves"])[..., -1] < 0.1
    assert learned.tolist()[0] == [True, False, False, False]
    assert learned[1:, :3].all()


def test_brackets(arrays):
    x, inside = brackets.sentences(60, 5, torch.Generator().manual_seed(0))
    assert torch.equal(x.sum(-1), torch.ones(60, 5))
    is_open = torch.zeros(5)
    for row, expected in zip(x.argmax(-1), inside, strict=True):
        is_open = torch.where(row == 0, 1.0, torch.where(row == 1, 0.0, is_open))
        assert torch.equal(is_open, expected)
    for cell in ("rnn", "lstm", "gru"):
        assert arrays["brackets"][cell]["accuracy"] > 0.999
    _, losses = brackets.train("gru", updates=6)
    assert losses[-1] < losses[0]
    again = brackets.train("gru", updates=6)[1]
    assert again == losses


def test_the_bit_is_the_first_number_and_the_only_marked_one():
    x, target = memory.bits(7, 50, torch.Generator().manual_seed(0))
    assert torch.equal(x[0, :, 0], target)
    assert set(target.tolist()) == {-1.0, 1.0}
    assert torch.equal(x[:, 0, 1], torch.tensor([1.0] + [0.0] * 6))


def test_a_truncated_gradient_does_not_reach_the_first_step():
    curves = {}
    for back in (4, 5):
        torch.manual_seed(0)
        curves[back] = memory.curve("rnn", 5, lambda layer: None, hidden=4, rate=0.01, seed=0, back=back, updates=20)
    whole = memory.curve("rnn", 5, lambda layer: None, hidden=4, rate=0.01, seed=0, updates=20)
    np.testing.assert_array_equal(curves[5], whole)
    assert curves[4] != whole
