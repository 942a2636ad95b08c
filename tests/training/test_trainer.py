"""The trainer: it learns, keeps the best weights, stops in time, repeats itself, and fails in words."""

import math

import numpy as np
import pytest
import torch

from penstock.errors import PenstockError
from penstock.training import Trainer

pytestmark = pytest.mark.usefixtures("one_thread")


class Scripted:
    """An objective whose validation losses are written down beforehand; the one weight counts the steps."""

    def __init__(self, losses, fail_at=None, error=KeyboardInterrupt):
        self.losses, self.fail_at, self.error, self.validated = losses, fail_at, error, 0
        self.expected = []

    def batches(self, generator):
        return [np.full(3, number) for number in range(2)]

    def expect(self, batches):
        self.expected.append([int(batch[0]) for batch in batches])

    def loss(self, module, batch):
        number = int(batch[0])
        assert self.expected[-1][0] == number  # what comes was read ahead
        if self.fail_at == (self.validated, number):
            raise self.error
        return module.weight.sum(), 3

    def validate(self, module):
        self.validated += 1
        return {"loss": self.losses[self.validated - 1], "accuracy": 0.5, "weight": float(module.weight.detach())}

    def validate_seen(self, module):
        return {}

    def state_dict(self):
        return {"validated": self.validated}

    def load_state_dict(self, state):
        self.validated = state["validated"]


def run(module, objective, recipe, **more):
    return Trainer(module, objective, recipe, generator=np.random.default_rng(0), **more).fit()


def one_weight():
    module = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.ones_(module.weight)
    return module


class Recorder:
    def __init__(self):
        self.told = []

    def on_start(self, epochs):
        self.told.append(("start", epochs))

    def on_step(self, epoch, step, steps, rows, loss):
        self.told.append(("step", epoch, step, steps, rows))

    def on_epoch(self, epoch):
        self.told.append(("epoch", epoch.epoch))

    def on_end(self, history):
        self.told.append(("end", history.stopped))


def test_learns(make_module, make_objective, make_recipe):
    module, objective = make_module(), make_objective()
    before = objective.validate(module)
    history = run(module, objective, make_recipe(epochs=20, patience=20))
    after = objective.validate(module)
    assert after["loss"] < 0.8 * before["loss"]
    assert after == history.best.valid
    assert history.epochs[-1].train_loss < 0.5 * history.epochs[0].train_loss


def test_batches_are_expected_before_their_step(make_recipe):
    objective = Scripted([2.0, 1.0])
    run(one_weight(), objective, make_recipe(epochs=2))
    assert objective.expected == 2 * [[0, 1], [1]]


def test_keeps_the_weights_of_the_best_epoch(make_recipe):
    module = one_weight()
    history = run(module, Scripted([3.0, 1.0, 2.0, 2.5]), make_recipe())
    assert history.best_epoch == 2
    assert float(module.weight.detach()) == history.epochs[1].valid["weight"]
    assert history.epochs[1].valid["weight"] != history.epochs[3].valid["weight"]
    assert history.stopped == "finished"


def test_stops_when_nothing_improves(make_recipe):
    history = run(one_weight(), Scripted([1.0, 2.0, 1.5, 0.5]), make_recipe(patience=2))
    assert len(history.epochs) == 3
    assert history.stopped == "no improvement"


def test_records_each_epoch(make_recipe):
    history = run(one_weight(), Scripted([3.0, 1.0, 2.0, 2.5]), make_recipe())
    rows = history.rows()
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert [row["valid_loss"] for row in rows] == [3.0, 1.0, 2.0, 2.5]
    assert set(rows[0]) == {
        "epoch", "train_loss", "valid_loss", "valid_accuracy", "valid_weight", "learning_rate", "seconds"
    }  # fmt: skip
    assert all(row["seconds"] >= 0 for row in rows)
    assert history.seconds >= sum(row["seconds"] for row in rows)


def test_tells_its_callbacks(make_recipe):
    recorder = Recorder()
    run(one_weight(), Scripted([1.0, 0.5]), make_recipe(epochs=2), callbacks=[recorder])
    steps = [[("step", epoch, step, 2, 3) for step in (1, 2)] for epoch in (1, 2)]
    expected = [("start", 2), *steps[0], ("epoch", 1), *steps[1], ("epoch", 2), ("end", "finished")]
    assert recorder.told == expected


def test_an_interrupt_keeps_the_best_weights(make_recipe):
    module = one_weight()
    history = run(module, Scripted([1.0, 2.0], fail_at=(2, 1)), make_recipe())
    assert history.stopped == "interrupted"
    assert history.best_epoch == 1
    assert float(module.weight.detach()) == history.epochs[0].valid["weight"]


def test_an_interrupt_in_the_first_epoch_passes_and_leaves_the_weights(make_recipe):
    module, recorder = one_weight(), Recorder()
    with pytest.raises(KeyboardInterrupt):
        run(module, Scripted([1.0], fail_at=(0, 1)), make_recipe(), callbacks=[recorder])
    assert float(module.weight.detach()) == 1.0
    assert recorder.told[-1][0] == "end"


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_a_number_is_an_error(make_recipe, bad):
    with pytest.raises(PenstockError, match=r"diverged: the validation loss became (nan|inf) in epoch 2.*Lower"):
        run(one_weight(), Scripted([1.0, bad]), make_recipe())


def test_the_gradient_is_clipped(make_recipe):
    class Steep(Scripted):
        def loss(self, module, batch):
            return module.weight.sum() * 1e6, 1

    norms = []
    module = one_weight()
    module.weight.register_post_accumulate_grad_hook(lambda weight: norms.append(float(weight.grad)))
    original = torch.optim.AdamW.step
    seen = []

    def spy(self, *arguments, **named):
        seen.append(float(module.weight.grad))
        return original(self, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", spy)
        run(module, Steep([1.0]), make_recipe(epochs=1, clip=0.5))
    assert norms == [1e6, 1e6]
    assert seen == pytest.approx([0.5, 0.5], rel=1e-3)


def test_equal_seeds_give_equal_bits(make_module, make_objective, make_recipe):
    results = []
    for _ in range(2):
        module = make_module()
        history = run(module, make_objective(), make_recipe(average=0.9))
        results.append((module.state_dict(), [(row["train_loss"], row["valid_loss"]) for row in history.rows()]))
    (first, first_rows), (second, second_rows) = results
    assert first_rows == second_rows
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("decay", [0.5, 0.0])
def test_validates_and_keeps_the_averaged_weights(make_recipe, decay):
    """The average is held beside its definition, step by step."""
    seen, module = [], one_weight()

    class Watched(Recorder):
        def on_step(self, *news):
            seen.append(float(module.weight.detach()))

    history = run(module, Scripted([3.0, 2.0, 1.0, 0.5]), make_recipe(average=decay), callbacks=[Watched()])
    expected, averages = 1.0, []
    for step, weight in enumerate(seen, start=1):
        share = min(decay, (1 + step) / (10 + step))
        expected = share * expected + (1 - share) * weight
        averages.append(expected)
    found = [epoch.valid["weight"] for epoch in history.epochs]
    np.testing.assert_allclose(found, averages[1::2], rtol=1e-6)  # float32 weights
    assert float(module.weight.detach()) == found[-1]
    assert len(set(seen)) == 8


def test_the_module_is_in_evaluation_mode_at_the_end(make_module, make_objective, make_recipe):
    module = make_module()
    run(module, make_objective(), make_recipe(epochs=1, average=0.9))
    assert not module.training
    assert not module.encoder.training


def test_trains_on_after_an_interrupt(make_recipe):
    module = one_weight()
    trainer = Trainer(
        module, Scripted([1.0, 2.0, 0.5, 3.0], fail_at=(1, 0)), make_recipe(), generator=np.random.default_rng(0)
    )
    assert trainer.fit().stopped == "interrupted"
    trainer.objective.fail_at = None
    history = trainer.fit()
    assert (history.stopped, len(history.epochs), history.best_epoch) == ("finished", 4, 3)
    assert history.epochs[1].valid["weight"] < history.epochs[0].valid["weight"]


@pytest.mark.parametrize(
    ("limit", "steps", "epochs"),
    [(0.1, 1, 1), (1.5, 2, 1), (2.0, 2, 1), (4.0, 2, 1), (4.5, 3, 2), (6.0, 4, 2), (9.0, 5, 3), (99.0, 8, 4)],
)
def test_stops_after_the_batch_in_which_the_limit_passes(make_recipe, slow, limit, steps, epochs):
    """An epoch has two batches of a second each, and a validation of two."""
    recorder, objective = Recorder(), slow(Scripted([4.0, 3.0, 2.0, 1.0]))
    history = run(one_weight(), objective, make_recipe(max_seconds=limit), callbacks=[recorder])
    told = [each[0] for each in recorder.told]
    assert (told.count("step"), told.count("epoch"), len(history.epochs)) == (steps, epochs, epochs)
    assert history.stopped == ("time" if limit < 99 else "finished")
    assert history.best_epoch == epochs
    assert history.seconds == steps + 2 * epochs


@pytest.mark.parametrize(("losses", "best"), [([1.0, 2.0], 1), ([2.0, 1.0], 2)])
def test_the_weights_of_the_last_batch_are_kept_only_if_they_are_the_best(make_recipe, slow, losses, best):
    module = one_weight()
    history = run(module, slow(Scripted(losses)), make_recipe(max_seconds=4.5))
    assert history.best_epoch == best
    assert float(module.weight.detach()) == history.epochs[best - 1].valid["weight"]
    assert history.epochs[0].valid["weight"] != history.epochs[1].valid["weight"]
