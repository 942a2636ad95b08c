"""Units that follow something: found where they were planted, and not by chance."""

from dataclasses import replace

import numpy as np
import pytest

from penstock.inspection import followed_units, saturation
from penstock.inspection.following import followed_figures
from penstock.inspection.subject import subject
from penstock.network import ClassHead, Embedding, Network, Recurrent
from penstock.runtime import Recurrence
from penstock.text.features import TextFeatures
from penstock.text.model import TextModel

PLANTED = 3


def texts(count, seed):
    """Texts of words, opening and closing brackets, and numbers."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        depth, tokens = 0, []
        for _ in range(40):
            kind = draw.choice(["word", "(", ")", "7"], p=[0.4, 0.25, 0.25, 0.1])
            kind = "word" if kind == ")" and not depth else str(kind)
            depth += (kind == "(") - (kind == ")")
            tokens.append(f"w{draw.integers(9)}" if kind == "word" else kind)
        found.append(" ".join([*tokens, *[")"] * depth]))
    return found


def text_model(sign=1, units=8):
    """A network whose unit PLANTED counts open brackets, in hundredths; its other units are random."""
    features = TextFeatures(min_count=1, word_shapes=False).fit(texts(20, 0))
    draw = np.random.default_rng(1)
    embedding = draw.normal(size=(features.vocabulary_size, 4)).astype(np.float32)
    embedding[:, 0] = 0
    embedding[features.vocabulary["("], 0], embedding[features.vocabulary[")"], 0] = 0.01 * sign, -0.01 * sign
    network = Network(
        Embedding(features.vocabulary_size, 4),
        Recurrent(cell="rnn", input_size=4, hidden_size=units),
        ClassHead(2, "last"),
    )
    tensors = {name: draw.normal(size=shape, scale=0.3) for name, shape in network.parameter_shapes().items()}
    tensors["inputs.weight"] = embedding
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        tensors[f"encoder.{name}_l0"][PLANTED] = 0
    tensors["encoder.weight_ih_l0"][PLANTED, 0] = tensors["encoder.weight_hh_l0"][PLANTED, PLANTED] = 1
    return TextModel(network, features, ["a", "b"], tensors)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_unit_that_counts_brackets_is_found(sign):
    found = followed_units(text_model(sign), texts(30, 2))
    best = next(each for each in found["followed"] if each["property"] == "brackets")
    assert (best["state"], best["layer"], best["direction"], best["unit"]) == ("h", 1, "forward", PLANTED)
    assert best["score"] == pytest.approx(sign, abs=3e-3)  # tanh bends a little
    assert found["pairs"] == 8 * 5
    assert not found["too_few"]


def test_chance_is_not_reported():
    """Hundreds of units and properties that are noise: the best correlation is large, but does not hold."""
    draw = np.random.default_rng(0)
    shapes = {"weight_ih_l0": (256, 4), "weight_hh_l0": (256, 256)}
    network = Recurrence({name: draw.normal(size=shape) * 0.1 for name, shape in shapes.items()}, cell="rnn")
    found = []
    for _ in range(4):
        one = subject(network, draw.normal(size=(15, 4)))
        noise = {f"noise {k}": draw.normal(size=(15, 1)) for k in range(20)}
        found.append(replace(one, reading=replace(one.reading, properties=noise)))
    figures = followed_figures(found)
    assert figures["pairs"] == 256 * 20
    assert figures["followed"] == []


def test_one_long_text_is_split_in_the_middle():
    found = followed_units(text_model(), [" ".join(texts(20, 5))])
    assert abs(found["steps"][0] - found["steps"][1]) <= 1
    assert any(each["unit"] == PLANTED and each["property"] == "brackets" for each in found["followed"])


def test_too_few_steps_are_said():
    for inputs in ([], [""], ["a ( b )"], ["a b", "c d"]):
        found = followed_units(text_model(), inputs)
        assert found["too_few"]
        assert found["followed"] == []


def gates_of(found, name):
    return next(each for each in found["gates"] if each["gate"] == name)


def test_saturated_and_stuck_gates():
    draw = np.random.default_rng(0)
    shapes = {"weight_ih_l0": (16, 3), "weight_hh_l0": (16, 4), "bias_ih_l0": (16,), "bias_hh_l0": (16,)}
    weights = {name: draw.normal(size=shape) * 0.1 for name, shape in shapes.items()}
    weights["bias_ih_l0"][4:8] = [9, 9, 0, 0]  # the forget gate of two units is open
    weights["bias_ih_l0"][12:16] = -9  # the output gate is closed
    found = saturation(Recurrence(weights, cell="lstm"), [draw.normal(size=(20, 3)) for _ in range(3)])
    assert found["steps"] == 60
    forget, output = gates_of(found, "forget"), gates_of(found, "output")
    assert (forget["open"], forget["closed"], forget["stuck"]) == (0.5, 0, [0, 1])
    assert (output["open"], output["closed"], output["stuck"]) == (0, 1, [0, 1, 2, 3])
    assert gates_of(found, "input")["stuck"] == []


def test_dead_units():
    weights = {"weight_ih_l0": np.eye(3), "weight_hh_l0": np.zeros((3, 3)), "bias_ih_l0": np.array([0, -99, 0.0])}
    weights["bias_hh_l0"] = np.zeros(3)
    network = Recurrence(weights, cell="rnn", nonlinearity="relu")
    found = saturation(network, [np.random.default_rng(0).normal(size=(30, 3))])
    assert found["dead"] == [{"layer": 1, "direction": "forward", "units": [1], "of": 3}]
    assert found["gates"] == []
    assert saturation(network, [np.ones((0, 3))]) == {}
