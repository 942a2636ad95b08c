"""A training that goes wrong stops, says what was seen and what to try, and keeps the last good weights."""

import math

import numpy as np
import pytest
import torch

from penstock.errors import DivergedError
from penstock.training import Trainer
from penstock.training.divergence import Divergence


@pytest.fixture
def watch(make_recipe):
    return Divergence(make_recipe(learning_rate=0.25, clip=2.0))


def test_a_loss_that_is_not_finite_is_said_with_the_losses_before(watch):
    for step, loss in enumerate([0.7, 0.8, 1.5, 40.0], start=1):
        watch.note_loss(loss, 2, step)
    watch.note_gradient(3e5, 2, 4)
    with pytest.raises(DivergedError) as error:
        watch.note_loss(math.nan, 2, 5)
    assert str(error.value) == (
        "training diverged: the loss became nan in epoch 2, step 5. The losses before: 0.7 at first, 0.7, 0.8, 1.5, 40 "
        "at last, the last norm of the gradient 3e+05. Lower learning_rate (now 0.25) or clip (now 2), or raise warmup "
        "(now 0.1); look for extreme values in the data."
    )


def test_a_first_loss_that_is_not_finite_is_laid_to_the_data(watch):
    with pytest.raises(DivergedError, match=r"inf in epoch 1, step 1\. It was the first step: look for extreme values"):
        watch.note_loss(math.inf, 1, 1)


def test_a_loss_that_stays_a_hundred_times_higher_has_exploded(watch, make_recipe):
    for step in range(1, 21):
        watch.note_loss(0.5, 1, step)
    for step in range(21, 28):
        watch.note_loss(1e6, 1, step)
    resumed = Divergence(make_recipe())
    resumed.load_state_dict(watch.state_dict())
    with pytest.raises(DivergedError, match="over 100 times that of the first steps in epoch 1, step 28"):
        resumed.note_loss(1e6, 1, 28)


@pytest.mark.parametrize(
    "losses", [[0.5] * 16 + [1e6, 0.4, 0.4] * 40, [0.0] * 50 + [9.0] * 50, [-3.0] * 16 + [5.0] * 50]
)
def test_single_outliers_and_losses_without_a_scale_are_no_explosion(watch, losses):
    for step, loss in enumerate(losses, start=1):
        watch.note_loss(loss, 1, step)
    assert watch.state_dict()["last"] == losses[-16:]


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("where", ["gradient", "loss"])
def test_the_weights_of_the_best_epoch_are_kept(make_module, make_objective, make_recipe, where):
    objective, calls = make_objective(), [0]
    loss = type(objective).loss

    class Failing(type(objective)):
        def loss(self, module, batch):
            calls[0] += 1
            found, rows = loss(self, module, batch)
            if calls[0] < 12:
                return found, rows
            if where == "loss":
                return found * math.inf, rows
            return found + (module.head.weight.sum() * 0).sqrt(), rows  # finite, but its gradient is not

    object.__setattr__(objective, "__class__", Failing)
    module = make_module()
    found = Trainer(module, objective, make_recipe(), generator=np.random.default_rng(0))
    with pytest.raises(
        DivergedError, match=f"the {'loss' if where == 'loss' else 'norm of the gradient'} became (nan|inf)"
    ):
        found.fit()
    assert found.history.best_epoch == 2
    assert all(torch.isfinite(each).all() for each in module.state_dict().values())
    assert not module.training
