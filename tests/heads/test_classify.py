"""The class head: its fold over time, its answers' bits, and its PyTorch side."""

import numpy as np
import pytest

from penstock.heads import ClassReadout
from penstock.network import ClassHead

POOLINGS = ("last", "mean", "max", "mean_max")
LENGTHS = np.array([7, 0, 3, 9, 1, 9])


def make_head(pooling, bidirectional=False, features=6, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    spec = ClassHead(classes=classes, pooling=pooling)
    tensors = {
        name: rng.normal(size=shape).astype(np.float32) for name, shape in spec.parameter_shapes(features).items()
    }
    return ClassReadout(spec, tensors, features=features, bidirectional=bidirectional), tensors


def outputs(steps=9, features=6, seed=1):
    return np.random.default_rng(seed).normal(size=(steps, len(LENGTHS), features)).astype(np.float32)


def pooled(y, pooling, bidirectional):
    """The definition, one sequence y (length, features) at a time, in float64."""
    half = y.shape[1] // 2 if bidirectional else y.shape[1]
    parts = {
        "last": lambda: np.concatenate([y[-1, :half], y[0, half:]]),
        "mean": lambda: y.mean(0),
        "max": lambda: y.max(0),
        "mean_max": lambda: np.concatenate([y.mean(0), y.max(0)]),
    }
    if not len(y):
        return np.zeros(y.shape[1] * (2 if pooling == "mean_max" else 1))
    return parts[pooling]()


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_answers_are_those_of_the_definition(pooling, bidirectional):
    head, tensors = make_head(pooling, bidirectional)
    y = outputs()
    vectors = np.array([pooled(y[:n, i].astype(np.float64), pooling, bidirectional) for i, n in enumerate(LENGTHS)])
    scores = np.exp(vectors @ tensors["weight"].T.astype(np.float64) + tensors["bias"])
    # A float32 sum of nine steps and a product over at most twelve features.
    np.testing.assert_allclose(head.forward(y, LENGTHS), scores / scores.sum(1, keepdims=True), rtol=2e-6)


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_whole_stepwise_padded_and_alone_give_the_same_bits(pooling, bidirectional):
    head, _ = make_head(pooling, bidirectional)
    y = outputs()
    whole = head.forward(y, LENGTHS)
    padded = head.forward(np.concatenate([y, np.full_like(y, np.nan)]), LENGTHS)
    turned = head.forward(np.ascontiguousarray(y[:, ::-1]), LENGTHS[::-1].copy())[::-1]
    assert whole.tobytes() == padded.tobytes() == turned.tobytes()
    for i, length in enumerate(LENGTHS):
        carry = head.init(1)
        for time in range(length):
            carry = head.step(carry, y[time, i : i + 1])
        assert head.read(carry).tobytes() == whole[i].tobytes()
        assert head.read(carry).tobytes() == whole[i].tobytes(), "reading must not change what is carried"


@pytest.mark.parametrize("pooling", POOLINGS)
def test_an_empty_sequence_is_answered_by_the_bias(pooling):
    head, tensors = make_head(pooling)
    scores = np.exp(tensors["bias"])
    for empty in (head.read(head.init(2)), head.forward(np.zeros((0, 2, 6), np.float32))):
        np.testing.assert_allclose(empty, np.stack([scores / scores.sum()] * 2), rtol=1e-6)
    assert head.forward(np.zeros((4, 0, 6), np.float32)).shape == (0, 3)


def test_the_sign_of_zero_does_not_reach_what_is_carried():
    head, _ = make_head("max")
    zeros = np.zeros((1, 6), np.float32)
    carry = head.step(head.step(head.init(1), -zeros), zeros)
    other = head.step(head.step(head.init(1), zeros), -zeros)
    assert carry["maximum"].tobytes() == other["maximum"].tobytes()


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_pytorch_head_agrees(pooling, bidirectional):
    torch = pytest.importorskip("torch")
    from penstock.nn import ClassHeadModule

    head, tensors = make_head(pooling, bidirectional)
    module = ClassHeadModule(ClassHead(classes=3, pooling=pooling), features=6, bidirectional=bidirectional)
    module.load_state_dict({name: torch.tensor(array) for name, array in tensors.items()})
    y = outputs()
    with torch.no_grad():
        logits = module(torch.tensor(y).transpose(0, 1), torch.tensor(LENGTHS))
    # float32, with sums in another order.
    np.testing.assert_allclose(head.forward(y, LENGTHS), logits.softmax(1).numpy(), atol=1e-5)
