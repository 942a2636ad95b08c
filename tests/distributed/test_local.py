"""A training that two processes share: the losses of one process on whole batches, also if one of them is killed."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_jobs import Several, Watched, language, steps, text

from penstock import TextClassifier
from penstock.datasets import shard
from penstock.distributed import MOST_LOSSES, local
from penstock.distributed.reception import Reception
from penstock.distributed.training import train
from penstock.errors import ConfigError, WorkerError
from penstock.training import Checkpoint, Epoch, History


def found(job, watched):
    """The weights that two processes end with."""
    assert train(job, 2, None, [watched]).stopped == "finished"
    return {name: each.numpy() for name, each in job.module.state_dict().items()}


@pytest.fixture(scope="module")
def together():
    """What two processes find that nobody disturbs."""
    watched, job = Watched(), language(output_dropout=0.5)
    return found(Several(**vars(job), first=(text(), steps())), watched), watched


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(together):
    alone = Watched()
    for job in (text(), steps()):
        job.run([alone])
    assert [rows for rows, _ in alone.losses].count(1) == 6  # one of the two then has no row of its own
    losses = together[1].losses[: len(alone.losses)]
    np.testing.assert_allclose(losses, alone.losses, rtol=1e-4)  # float32, summed in another order
    # Each number of an epoch is told once, and so the epochs of the first training alone.
    for (_, _, valid), (_, _, expected) in zip(together[1].epochs, alone.epochs[:3], strict=True):
        assert valid == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_a_killed_worker_changes_no_bit(together, tmp_path, caplog, capfd):
    weights, undisturbed = together
    watched, job = Watched(), language({8: tmp_path / "killed"}, output_dropout=0.5)  # in the second epoch
    job = replace(job, checkpoint=Checkpoint(tmp_path / "state", "a", every_steps=1))
    with caplog.at_level(logging.INFO, "penstock"):
        again = found(job, watched)
    for name, expected in weights.items():
        np.testing.assert_array_equal(again[name], expected)
    assert watched.losses[-3:] == undisturbed.losses[-3:]
    assert (watched.starts, watched.ends) == ([3], ["finished"])
    assert [number for number, _, _ in watched.epochs] == [1, 2, 3]
    assert "worker 2 was ended by SIGKILL; the training goes on from the last checkpoint" in caplog.text
    assert "Warning" not in capfd.readouterr().err  # DistributedDataParallel's, of what networks here need


def test_lanes_that_are_parted_have_the_loss_of_all():
    whole, *parts = (language().objective for _ in range(3))
    module = language().module
    for batch in whole.batches(np.random.default_rng(0)):
        several = [each.loss(module, shard(batch, rank, 2)[0]) for rank, each in enumerate(parts)]
        mean = sum(loss.item() * rows for loss, rows in several) / sum(rows for _, rows in several)
        assert mean == pytest.approx(whole.loss(module, batch)[0].item(), rel=1e-5)


@pytest.mark.parametrize("workers", [0, 1.5, 33])
def test_workers_that_can_not_share_a_batch_are_refused(workers):
    with pytest.raises(ConfigError, match="workers must be"):
        TextClassifier(workers=workers, batch_size=32).fit(["a", "b"] * 9, ["x", "y"] * 9)


class Lost:
    """Processes of which one is lost each time."""

    codes = (0, -9)

    def __init__(self, *_):
        pass

    def follow(self, reception):
        pass

    def kill(self):
        pass

    def lost(self):
        return "worker 2 was ended by SIGKILL"


def test_after_too_many_losses_the_training_ends(monkeypatch, caplog):
    monkeypatch.setattr(local, "_Processes", lambda *_: Lost())
    with pytest.raises(WorkerError, match="SIGKILL, and 3 times before"):
        train(text(), 2)
    assert caplog.text.count("goes on") == MOST_LOSSES


def interrupted():
    raise KeyboardInterrupt


def test_interrupted_workers_leave_the_best_weights_of_the_checkpoint(tmp_path):
    job, checkpoint, watched = text(), Checkpoint(tmp_path / "state", "a"), Watched()
    reception = Reception(job, [watched])
    reception.take(("start", 3))
    with pytest.raises(KeyboardInterrupt):
        reception.finish(interrupted, checkpoint)
    best = {name: torch.full_like(each, 2.0) for name, each in job.module.state_dict().items()}
    epoch = Epoch(1, 0.5, {"loss": 0.4}, 0.1, 2.0)
    checkpoint.write({"best": best, "epochs": [epoch.row()], "best_epoch": 1})
    history = reception.finish(interrupted, checkpoint)
    assert history == History([epoch], 1, "interrupted", 2.0)
    assert all((each == 2.0).all() for each in job.module.state_dict().values())
    assert watched.ends == ["finished", "interrupted"]
