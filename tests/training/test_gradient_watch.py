"""Warnings of vanishing and exploding gradients: given where they do by construction, and nowhere else."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from penstock.network import ClassHead, Network, Numbers, Recurrent
from penstock.nn import NetworkModule
from penstock.sequences import Sequences
from penstock.text.objective import TokenRegularization
from penstock.training import ClassObjective, Regularization, Trainer
from penstock.training.gradient_watch import GradientWatch, gradient_flow

STEPS = 40


@pytest.fixture
def objective():
    """The sign of the first number of sequences of STEPS."""
    draw = np.random.default_rng(0)
    values = draw.normal(size=(24 * STEPS, 1)).astype(np.float32)
    sequences = Sequences(values, np.arange(25) * STEPS)
    targets = (values[::STEPS, 0] > 0).astype(np.int64)
    return ClassObjective(
        sequences=sequences,
        targets=targets,
        valid_sequences=sequences,
        valid_targets=targets,
        weights=torch.ones(2),
        batch_size=8,
        regularization=Regularization(output_dropout=0.2, label_smoothing=0.0, prefix_share=0.0),
        generator=torch.Generator().manual_seed(0),
    )


def module_of(cell="rnn", pooling="last", factor=None, bias=None, **options):
    """A network whose recurrent matrix is `factor` times the identity."""
    torch.manual_seed(0)
    recurrent = Recurrent(cell=cell, input_size=1, hidden_size=4, **options)
    module = NetworkModule(Network(Numbers(1), recurrent, ClassHead(2, pooling)))
    with torch.no_grad():
        if factor is not None:
            module.encoder.weight_hh_l0.copy_(factor * torch.eye(4))
        if bias is not None:  # of the LSTM's forget gate
            module.encoder.bias_ih_l0[4:8] = bias
    return module


@pytest.mark.parametrize(
    ("network", "verdict"),
    [
        ({"factor": 0.3}, "vanishes"),
        ({"factor": 0.3, "pooling": "mean"}, "fine"),
        ({"factor": 1.0, "nonlinearity": "relu"}, "fine"),
        ({"factor": 1.5, "nonlinearity": "relu"}, "explodes"),
        ({"cell": "lstm", "bias": -2.0}, "vanishes"),
        ({"cell": "lstm", "bias": 6.0}, "fine"),
    ],
)
def test_verdict(objective, network, verdict):
    flow = gradient_flow(module_of(**network), objective, np.arange(8))
    assert flow.verdict == verdict
    assert flow.steps == STEPS
    assert (flow.reach < STEPS) == (verdict == "vanishes")


def test_the_gradient_of_a_linear_network_falls_by_its_factor_each_step(objective):
    module = module_of(factor=0.5, nonlinearity="relu")
    with torch.no_grad():
        module.encoder.bias_ih_l0.fill_(9)  # no unit is ever cut off
    flow = gradient_flow(module, objective, np.arange(8))
    assert flow.ratio == pytest.approx(0.5 ** (STEPS - 4), rel=1e-4)  # the largest of the first and last four steps
    assert flow.reach == 1 + int(np.log(1e-4) / np.log(0.5))


def test_short_sequences_are_fine(objective):
    short = Sequences(np.ones((16, 1), np.float32), np.arange(9) * 2)
    flow = gradient_flow(module_of(factor=0.0), replace(objective, sequences=short), np.arange(8))
    assert (flow.verdict, flow.steps) == ("fine", 2)


def fit(objective, recipe, module, **options):
    return Trainer(module, objective, recipe, generator=np.random.default_rng(0), **options).fit()


@pytest.mark.usefixtures("one_thread")
def test_a_training_warns_once_and_says_what_to_try(objective, make_recipe, caplog):
    history = fit(objective, make_recipe(epochs=3, learning_rate=1e-4, clip=0.25), module_of(factor=0.3), title="pupil")
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    message = warnings[0].getMessage()
    assert message.startswith("pupil: gradients vanish: the loss hardly depends on what lies more than ")
    for words in ("cell='lstm' or 'gru'", "pooling='max' or 'mean'", "init='orthogonal'", "shorter sequences"):
        assert words in message
    assert warnings[0].event == "gradients"
    assert warnings[0].fields["epoch"] == 1
    assert history.gradients["verdict"] == "vanishes"


@pytest.mark.usefixtures("one_thread")
def test_what_explodes_names_clipping(objective, make_recipe, caplog):
    recipe = make_recipe(epochs=1, learning_rate=1e-6, clip=0.25)
    fit(objective, recipe, module_of(factor=1.5, nonlinearity="relu"))
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "gradients explode" in warning
    assert "a smaller clip (now 0.25)" in warning
    assert "truncated backpropagation" in warning


@pytest.mark.usefixtures("one_thread")
def test_a_gated_network_is_told_of_its_gate(objective, make_recipe, caplog):
    fit(objective, make_recipe(epochs=1, learning_rate=1e-4), module_of("lstm", bias=-2.0))
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "init='chrono'" in warning
    assert "cell='lstm'" not in warning


@pytest.mark.usefixtures("one_thread")
def test_nothing_is_said_of_a_network_whose_gradients_arrive(objective, make_recipe, caplog):
    history = fit(objective, make_recipe(epochs=2), module_of("lstm", bias=6.0))
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert history.gradients["verdict"] == "fine"


@pytest.mark.usefixtures("one_thread")
def test_watching_changes_no_bit_of_the_training(make_objective, make_module, make_recipe, monkeypatch):
    noisy = TokenRegularization(
        word_dropout=0.1, embedding_dropout=0.1, output_dropout=0.2, label_smoothing=0.0, prefix_share=0.3,
        next_token_share=0.0,
    )  # fmt: skip
    weights = []
    for watched in (True, False):
        if not watched:
            monkeypatch.setattr(GradientWatch, "on_epoch", lambda self, epoch: None)
        module = make_module()
        fit(make_objective(noisy), make_recipe(), module)
        weights.append(module.state_dict())
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name]), name
