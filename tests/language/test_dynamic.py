"""Dynamic evaluation beside the same rule with PyTorch's own layers, written out."""

import numpy as np
import pytest
import torch

from penstock.errors import ConfigError
from penstock.language.dynamic import DynamicEvaluation


def slow(model, text, rule):
    """The rule on `torch.nn` layers: a span is predicted, then learned from."""
    tensors = {name: torch.tensor(array) for name, array in model.tensors.items()}
    spec = model.network.encoder
    lstm = torch.nn.LSTM(spec.input_size, spec.hidden_size, spec.num_layers)
    lstm.load_state_dict({name: tensors[f"encoder.{name}"] for name, _ in lstm.named_parameters()})
    table = torch.nn.Parameter(tensors["inputs.weight"].clone())
    weight, bias = (torch.nn.Parameter(tensors[f"head.{name}"].clone()) for name in ("weight", "bias"))
    parameters = [*lstm.parameters(), table, weight, bias]
    trained = [each.detach().clone() for each in parameters]
    inputs, state, found = torch.tensor([model.features.first, *text[:-1]]), None, []
    for start in range(0, len(text), rule.steps):
        target = torch.tensor(text[start : start + rule.steps])
        y, state = lstm(table[inputs[start : start + rule.steps]][:, None], state)
        losses = torch.nn.functional.cross_entropy(y[:, 0] @ weight.T + bias, target.long(), reduction="none")
        found += (-losses).tolist()
        gradients = torch.autograd.grad(losses.mean(), parameters)
        with torch.no_grad():
            for each, gradient, first in zip(parameters, gradients, trained, strict=True):
                each -= rule.learning_rate * gradient
                each += rule.decay * (first - each)
        state = tuple(each.detach() for each in state)
    return found


@pytest.mark.parametrize("steps", [1, 4, 50])
def test_equals_the_rule(make_model, steps):
    model, rule = make_model(), DynamicEvaluation(learning_rate=0.5, decay=0.01, steps=steps)
    before = {name: array.copy() for name, array in model.tensors.items()}
    texts = model.sequences(["the cat sat", "on the mat"])
    expected = [value for text in texts for value in slow(model, text.tolist(), rule)]
    np.testing.assert_allclose(rule.log_probabilities(model, texts), expected, rtol=0, atol=2e-4)
    for name, array in before.items():
        np.testing.assert_array_equal(model.tensors[name], array)


@pytest.mark.parametrize(
    ("level", "text", "options"),
    [("word", "the cat sat on the mat " * 20, {"cutoffs": (4,)}), ("char", "the log " * 20, {"tied": True})],
)
def test_learns_from_a_text(make_model, level, text, options):
    model = make_model(level, **options)
    assert model.score([text], by=DynamicEvaluation(learning_rate=0.5))["nats"] < model.score([text])["nats"]


def test_learns_from_music(make_model):
    model = make_model("notes")
    piece = [[60, 64], [62]] * 40
    assert model.score([piece], by=DynamicEvaluation(learning_rate=0.2))["nats"] < model.score([piece])["nats"]


@pytest.mark.parametrize(
    ("option", "value"), [("steps", 0), ("steps", True), ("learning_rate", 0), ("decay", 1.0), ("decay", "no")]
)
def test_invalid_options_are_refused(option, value):
    with pytest.raises(ConfigError, match=f"{option} must be"):
        DynamicEvaluation(**{option: value})
