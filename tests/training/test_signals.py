"""What signals and numbers ask of the loop: mixtures, noise, errors, and the last weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from penstock.errors import ConfigError
from penstock.network import ClassHead, Network, Numbers, Recurrent, RegressionHead
from penstock.nn import NetworkModule
from penstock.sequences import Sequences
from penstock.signals.objective import SignalClassObjective, SignalRegressionObjective, SignalRegularization
from penstock.training import Trainer

pytestmark = pytest.mark.usefixtures("one_thread")

PLAIN = {
    "output_dropout": 0.0,
    "label_smoothing": 0.0,
    "prefix_share": 0.0,
    "input_dropout": 0.0,
    "noise": 0.0,
    "mixup": 0.0,
}
DRAW = np.random.default_rng(0)
SIGNALS = Sequences.from_list([DRAW.normal(size=(length, 2)) for length in (3, 7, 1, 5, 4, 6)], np.float32)
NUMBERS = np.array([signal.sum() for signal in SIGNALS], np.float32)[:, None]


def objective(head="class", error="squared", seed=0, **changed):
    regularization = SignalRegularization(**(PLAIN | changed))
    shared = {
        "sequences": SIGNALS,
        "valid_sequences": SIGNALS,
        "batch_size": 4,
        "regularization": regularization,
        "generator": torch.Generator().manual_seed(seed),
    }
    if head == "class":
        targets = (NUMBERS[:, 0] > 0).astype(np.int64)
        return SignalClassObjective(targets=targets, valid_targets=targets, weights=torch.ones(2), **shared)
    return SignalRegressionObjective(targets=NUMBERS, valid_targets=NUMBERS, error=error, **shared)


def module(head="class"):
    spec = ClassHead(2, "mean_max") if head == "class" else RegressionHead(1, "mean_max")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return NetworkModule(Network(Numbers(2), Recurrent(cell="gru", input_size=2, hidden_size=4), spec))


def scores(net, sequences=SIGNALS):
    values, lengths = sequences.pad()
    values, lengths = torch.from_numpy(values), torch.from_numpy(lengths)
    return net.head.project(net.head.pool(net.encoder(values, lengths=lengths)[0], lengths))


EVERYTHING = np.arange(len(SIGNALS))


@pytest.mark.parametrize("error", ["squared", "huber"])
def test_the_errors_are_pytorch_s(error):
    net = module("number")
    loss, rows = objective("number", error).loss(net, EVERYTHING)
    function = torch.nn.MSELoss() if error == "squared" else torch.nn.HuberLoss()
    expected = function(scores(net), torch.from_numpy(NUMBERS))
    assert rows == len(SIGNALS)
    torch.testing.assert_close(loss, expected)
    figures = objective("number", error).validate(net)
    assert figures["loss"] == pytest.approx(expected.item(), rel=1e-6)
    squared = torch.nn.functional.mse_loss(scores(net), torch.from_numpy(NUMBERS)).item()
    assert figures["r2"] == pytest.approx(1 - squared / NUMBERS.var(), rel=1e-5)


@pytest.mark.parametrize("head", ["class", "number"])
def test_a_mixture_is_of_signals_and_of_their_losses(head):
    net, made = module(head), objective(head, mixup=0.5)
    mixture = objective(head, mixup=0.5).mixture(len(SIGNALS))
    assert (mixture.share >= 0).all()
    assert (mixture.share <= 0.5).all()
    assert sorted(mixture.partner.tolist()) == EVERYTHING.tolist()
    loss, _ = made.loss(net, EVERYTHING)  # the same seed draws the same mixture
    values, lengths = SIGNALS.pad()
    share = mixture.share.numpy()[:, None, None]
    mixed = (1 - share) * values + share * values[mixture.partner]
    parts = Sequences.from_list([row[:length] for row, length in zip(mixed, lengths, strict=True)], np.float32)
    found = scores(net, parts)
    target = torch.from_numpy(made.targets)
    own, other = made.errors(found, target), made.errors(found, target[mixture.partner])
    torch.testing.assert_close(loss, ((1 - mixture.share) * own + mixture.share * other).mean())


def test_noise_and_dropout_change_the_loss_and_the_seed_decides():
    net = module()
    plain, _ = objective().loss(net, EVERYTHING)
    for changed in ({"noise": 0.3}, {"input_dropout": 0.3}, {"output_dropout": 0.3}):
        first, _ = objective(**changed).loss(net, EVERYTHING)
        again, _ = objective(**changed).loss(net, EVERYTHING)
        other, _ = objective(seed=1, **changed).loss(net, EVERYTHING)
        assert first == again
        assert len({plain.item(), first.item(), other.item()}) == 3


def test_validation_has_no_chance_in_it():
    net = module()
    augmented = objective(noise=0.5, mixup=0.5, output_dropout=0.5).validate(net)
    assert augmented == objective().validate(net)


def test_the_last_weights_are_kept_where_they_are_asked_for(make_recipe):
    made = objective()
    wrong = replace(made, valid_targets=1 - made.targets)  # the more is learned, the worse it gets
    for keep in ("best", "last"):
        net, recipe = module(), make_recipe(epochs=5, patience=2, keep=keep)
        history = Trainer(net, wrong, recipe, generator=np.random.default_rng(0)).fit()
        losses = [epoch.valid["loss"] for epoch in history.epochs]
        assert losses[-1] > losses[0]
        assert (len(losses), history.best_epoch) == ((5, 5) if keep == "last" else (3, 1))
        assert wrong.validate(net)["loss"] == pytest.approx(losses[history.best_epoch - 1])
    with pytest.raises(ConfigError, match="keep must be 'best' or 'last'; got 'first'"):
        make_recipe(keep="first")


def test_shares_are_checked():
    with pytest.raises(ConfigError, match="mixup must be from 0 to below 1"):
        objective(mixup=1.0)
