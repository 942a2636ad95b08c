"""Operations with masks: steps that are not read, against the same sequence without them; whole and streamed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from penstock.errors import ConfigError
from penstock.network import (
    Differs,
    GraphBuilder,
    Lookup,
    Pool,
    Recurrent,
    RecurrentLayers,
    Standardize,
    Value,
    from_json,
)
from penstock.runtime import GraphModel, Recurrence

RANDOM = np.random.default_rng(11)
MASKS = ([], [0], [1], [0, 0, 1], [1, 0, 0, 1, 1, 0], [0, 1, 1, 0, 1, 0, 0, 1, 0])


def draw(shapes):
    return {name: RANDOM.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


def sequences():
    """Steps (time, 3) that are -1 throughout where the mask is 0."""
    return [np.where(np.array(mask, bool)[:, None], RANDOM.normal(size=(len(mask), 3)), -1.0) for mask in MASKS]


def repeated(y, kept, *, backward=False):
    """The outputs of the steps that were read at their own steps; at others the last one that was read, or 0."""
    if backward:
        return repeated(y[::-1], kept[::-1])[::-1]
    rows, last = iter(y), np.zeros(y.shape[1], np.float32)
    found = []
    for step in kept:
        last = next(rows) if step else last
        found.append(last)
    return np.array(found).reshape(len(kept), y.shape[1])


@pytest.mark.parametrize("at_masked", ["repeat", "zero"])
@pytest.mark.parametrize("direction", ["forward", "reverse", "both", "both, reverse"])
def test_masked_steps_are_not_read(direction, at_masked):
    both, reverse = "both" in direction, "reverse" in direction
    stack = Recurrent(cell="gru", input_size=3, hidden_size=4, num_layers=2, bidirectional=both)
    operation = RecurrentLayers(stack, reverse=reverse, masked=True, at_masked=at_masked)
    tensors = draw(operation.parameter_shapes())
    builder = GraphBuilder({"x": Value(3)})
    mask = builder.add(Differs(-1), "x")
    model = GraphModel(*builder.build(builder.add(operation, "x", mask, **tensors)))
    assert from_json(model.network.to_json()) == model.network
    network = Recurrence(tensors, "gru")
    for x, found in zip(inputs := sequences(), model.predict(inputs), strict=True):
        kept = (x != -1).any(axis=1)
        read = x[kept][::-1] if reverse else x[kept]
        y = network(read)[0] if len(read) else np.zeros((0, 8 if both else 4), np.float32)
        y = y[::-1] if reverse else y
        if at_masked == "zero":
            expected = np.zeros((len(x), y.shape[1]), np.float32)
            expected[kept] = y
        elif both:
            expected = np.hstack([repeated(y[:, :4], kept), repeated(y[:, 4:], kept, backward=True)])
        else:
            expected = repeated(y, kept, backward=reverse)
        assert_array_equal(found, expected)
    if direction == "forward":
        stream = model.stream()
        for x, whole in zip(inputs, model.predict(inputs), strict=True):
            stream.reset()
            assert_array_equal(np.array([stream.push(step) for step in x]).reshape(-1, 4), whole)


@pytest.mark.parametrize("over", ["first", "last", "sum", "mean", "max"])
def test_masked_steps_do_not_count(over):
    builder = GraphBuilder({"x": Value(3)})
    model = GraphModel(*builder.build(builder.add(Pool(over, masked=True), "x", builder.add(Differs(-1), "x"))))
    plain = GraphBuilder({"x": Value(3)})
    reference = GraphModel(*plain.build(plain.add(Pool(over), "x")))
    inputs = sequences()
    kept = [x[(x != -1).any(axis=1)] for x in inputs]
    for x, found, expected in zip(inputs, model.predict(inputs), reference.predict(kept), strict=True):
        assert_array_equal(found, expected)
        stream = model.stream()
        for step in x:
            stream.push(step)
        assert_array_equal(stream.finish(), expected)


def test_ids_are_masked_by_their_number():
    builder = GraphBuilder({"ids": Value(4, ids=True)})
    x = builder.add(Lookup(4, 1), "ids", weight=[[9], [1], [2], [3]])
    model = GraphModel(*builder.build(builder.add(Pool("mean", masked=True), x, builder.add(Differs(0), "ids"))))
    assert_array_equal(np.ravel(model.predict([[1, 0, 3, 0], [0], [2]])), [2, 0, 2])


def test_standardized_features_are_pytorchs():
    torch = pytest.importorskip("torch", reason="PyTorch is the reference")
    builder = GraphBuilder({"x": Value(5)})
    model = GraphModel(*builder.build(builder.add(Standardize(1e-3), "x")))
    x = np.vstack([RANDOM.normal(3, 2, (9, 5)), np.ones((1, 5))]).astype(np.float32)
    (found,) = model.predict([x])
    assert_allclose(found, torch.nn.functional.layer_norm(torch.tensor(x), (5,), eps=1e-3).numpy(), atol=1e-6)
    stream = model.stream()
    assert_array_equal([stream.push(step) for step in x], found)


def test_masks_that_do_not_fit_are_named():
    layers = Recurrent(cell="gru", input_size=3, hidden_size=4)
    builder = GraphBuilder({"x": Value(3), "mask": Value(2)})
    name = builder.add(Pool("mean", masked=True), "x", "mask")
    with pytest.raises(ConfigError, match="takes its input and a mask, one number for each step"):
        builder.build(name)
    with pytest.raises(ConfigError, match="starts from zero states"):
        RecurrentLayers(layers, masked=True, initial=True)
    with pytest.raises(ConfigError, match="at_masked must be"):
        RecurrentLayers(layers, masked=True, at_masked="keep")
    with pytest.raises(ConfigError, match="epsilon must be a number"):
        Standardize(-1)
    with pytest.raises(ConfigError, match="value must be a number"):
        Differs("0")
