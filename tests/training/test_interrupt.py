"""Ctrl-C in a training: after the step at hand, with a state that can be resumed."""

import os
import signal
import threading

import numpy as np
import pytest
import torch

from penstock.training import Checkpoint, Trainer
from penstock.training.interrupt import held_back


def press_ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


def pressed(times, done):
    with held_back():
        for _ in range(times):
            press_ctrl_c()
        done.append(times)


def test_the_block_is_done_before_the_interrupt():
    done = []
    with pytest.raises(KeyboardInterrupt):
        pressed(1, done)
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_one_is_not_held_back():
    done = []
    with pytest.raises(KeyboardInterrupt):
        pressed(2, done)
    assert done == []


def test_an_error_inside_passes():
    with pytest.raises(ValueError, match="wrong"), held_back():
        raise ValueError("wrong")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_programs_own_stays():
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:
        with held_back():
            press_ctrl_c()
        assert seen == [1]
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_does_not_touch_signals():
    done = []

    def work():
        with held_back():
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [1]


class Press:
    """Presses Ctrl-C within a step or a validation of an objective: the `at`-th call of a method."""

    def __init__(self, objective, method, at):
        self.objective, self.method, self.left = objective, method, at

    def __getattr__(self, name):
        found = getattr(self.objective, name)
        if name != self.method:
            return found

        def pressed(*arguments):
            self.left -= 1
            if self.left == 0:
                press_ctrl_c()
            return found(*arguments)

        return pressed


@pytest.mark.parametrize(("method", "at"), [("loss", 2), ("loss", 8), ("validate", 2)], ids=str)
def test_resumes_where_it_was_interrupted(make_module, make_objective, make_recipe, tmp_path, method, at):
    """Equal bits, also from within the first epoch and from before a validation."""

    def trainer(objective, checkpoint=None):
        generator = np.random.default_rng(0)
        return Trainer(make_module(), objective, make_recipe(epochs=2), generator=generator, checkpoint=checkpoint)

    whole = trainer(make_objective())
    whole.fit()
    kept = Checkpoint(tmp_path / "state", "a", every_seconds=0)
    stopped = trainer(Press(make_objective(), method, at), kept)
    if (method, at) == ("loss", 2):  # there is no epoch yet to keep
        with pytest.raises(KeyboardInterrupt):
            stopped.fit()
    else:
        assert stopped.fit().stopped == "interrupted"
    resumed = trainer(make_objective(), kept)
    assert resumed.fit().stopped == "finished"
    for name, tensor in whole.module.state_dict().items():
        assert torch.equal(tensor, resumed.module.state_dict()[name]), name
    assert [epoch.valid for epoch in resumed.history.epochs] == [epoch.valid for epoch in whole.history.epochs]
