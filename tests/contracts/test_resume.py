"""Every task: a training that ends after any drawn batch resumes with the same weights, bit for bit."""

import numpy as np
import pytest
from small_trainings import TRAININGS

from penstock.registry import TASKS
from penstock.training import Trainer, checkpoint

IN_SHORT = ("series-classification", "language-model")
"""Those that run at each change; the rest is slow."""


class PowerCut(Exception):  # noqa: N818  (it is not an error of the training)
    pass


@pytest.fixture
def cut(monkeypatch):
    """A function: trainings end at their nth batch in all, drawn and not yet used, and each step before is saved."""
    monkeypatch.setattr(checkpoint, "_SHARE", 1e9)
    step = Trainer._step

    def after(batches):
        left = [batches]

        def ending(self, *given):
            left[0] -= 1
            if left[0] < 0:
                raise PowerCut
            step(self, *given)

        monkeypatch.setattr(Trainer, "_step", ending)

    return after


def test_every_task_has_a_row():
    assert {training.name.split()[0] for training in TRAININGS} >= TASKS.keys()


@pytest.mark.parametrize(
    "training",
    [pytest.param(each, id=each.name, marks=() if each.name in IN_SHORT else pytest.mark.slow) for each in TRAININGS],
)
def test_a_training_cut_in_the_middle_of_epochs_ends_with_the_same_bits(training, tmp_path, cut):
    data = training.data(0)
    whole = training.make().fit(*data)
    file = tmp_path / "state"
    for batches in (3, 4, 10**6):  # within the first epoch, then later; the last one to the end
        cut(batches)
        resumed = training.make(checkpoint=str(file), checkpoint_seconds=0)
        if batches < 10**6:
            with pytest.raises(PowerCut):
                resumed.fit(*data)
            assert any(tmp_path.iterdir())
    resumed.fit(*data)
    for name, array in whole.model_.tensors.items():
        np.testing.assert_array_equal(resumed.model_.tensors[name], array, err_msg=name)
    timeless = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in each.history_] for each in (whole, resumed)
    ]
    assert timeless[0] == timeless[1]
