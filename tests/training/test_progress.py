"""What a training says of itself."""

import io
import json
import logging

import numpy as np
import pytest

from penstock.console import JsonLines, Terminal, shown
from penstock.training import Checkpoint, Epoch, History, Trainer, TrainingLog


def trained(make_module, make_objective, recipe, **more):
    return Trainer(make_module(), make_objective(), recipe, generator=np.random.default_rng(0), **more).fit()


def test_a_line_for_the_start_each_epoch_and_the_end(make_module, make_objective, make_recipe, caplog):
    caplog.set_level(logging.INFO, "penstock")
    history = trained(make_module, make_objective, make_recipe(epochs=2, patience=1, learning_rate=1e-3))
    first, *epochs, last = caplog.messages
    assert first == "training: at most 2 epochs, until 1 in a row bring no lower validation loss"
    assert [line.split(":")[0] for line in epochs] == ["epoch 1/2", "epoch 2/2"]
    losses = [epoch.valid["loss"] for epoch in history.epochs]
    assert f"train loss {history.epochs[0].train_loss:.3f}, validation loss {losses[0]:.3f}, accuracy " in epochs[0]
    assert [line.endswith("best so far") for line in epochs] == [True, losses[1] < losses[0]]
    assert last == (
        f"stopped after epoch 2, the last one; kept epoch {history.best_epoch}, validation loss {min(losses):.3f}"
    )
    assert {record.name for record in caplog.records} == {"penstock.training"}


def test_programs_get_fields(make_module, make_objective, make_recipe):
    stream = io.StringIO()
    with shown(JsonLines(stream), logging.INFO):
        history = trained(make_module, make_objective, make_recipe(epochs=1), title="teacher 1 of 3")
    start, epoch, stop = map(json.loads, stream.getvalue().splitlines())
    assert (start["event"], start["stage"], start["epochs"]) == ("training", "teacher 1 of 3", 1)
    assert epoch["event"] == "epoch"
    assert {name: epoch[name] for name in history.rows()[0]} == history.rows()[0]
    assert epoch["best"] is True
    assert (stop["event"], stop["reason"], stop["best_epoch"]) == ("stopped", "finished", 1)
    assert stop["message"].startswith("teacher 1 of 3: stopped after epoch 1")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("finished", "stopped after epoch 2, the last one; kept epoch 1, validation loss 0.500"),
        ("no improvement", "stopped after epoch 2: no lower validation loss in 10 epochs; kept epoch 1"),
        ("time", "stopped at epoch 2: the time limit of 1 min 30 s has passed; kept epoch 1"),
        ("interrupted", "stopped in epoch 3 by Ctrl-C; kept epoch 1"),
    ],
)
def test_why_it_stopped(make_recipe, caplog, reason, words):
    caplog.set_level(logging.INFO, "penstock")
    epochs = [Epoch(number, 0.7, {"loss": loss}, 0.001, 1.0) for number, loss in ((1, 0.5), (2, 0.6))]
    TrainingLog(History(epochs, 1, reason), make_recipe(max_seconds=90)).on_stop()
    assert words in caplog.text


def test_no_early_stop_is_announced_where_the_last_weights_are_kept(make_recipe, caplog):
    caplog.set_level(logging.INFO, "penstock")
    TrainingLog(History(), make_recipe(epochs=3, patience=1, keep="last")).on_start(3)
    assert caplog.messages == ["training: at most 3 epochs"]


def test_how_far_it_is_and_how_long_the_rest_takes(make_recipe, clock):
    stream = io.StringIO()
    log = TrainingLog(History(), make_recipe(epochs=3))
    with shown(JsonLines(stream), logging.DEBUG):
        log.on_start(3)
        for step in range(1, 9):
            clock[0] += 1.0
            log.on_step(1, step, 10, 32, 0.6931)
        log.on_end(History())
    start, *told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert start["event"] == "training"
    assert [line["done"] for line in told] == [2, 3, 4, 5, 6, 7, 8]
    assert [line["seconds_left"] for line in told] == [28, 27, 26, 25, 24, 23, 22]
    assert told[0]["message"] == "training: epoch 1/3, batch 2/10, loss 0.693, 32 rows/s, about 28 s left"


def test_the_rest_takes_no_longer_than_the_time_limit(make_recipe, clock, caplog):
    caplog.set_level(logging.DEBUG, "penstock")
    done = [Epoch(1, 0.7, {"loss": 0.5}, 0.001, 20.0)]
    log = TrainingLog(History(done, 1), make_recipe(epochs=3, max_seconds=31.0))
    log.on_start(3)
    for step in range(1, 4):
        clock[0] += 5.0
        log.on_step(2, step, 10, 32, 0.6931)
    start, *told = caplog.records
    assert start.message == "training: at most 3 epochs and about 31 s; 1 are done"
    assert start.fields["max_seconds"] == 31.0
    assert [record.fields["seconds_left"] for record in told] == [6.0, 1.0, 0.0]


def test_a_bar_on_a_terminal_that_goes_in_the_end(make_recipe, clock):
    screen = io.StringIO()
    screen.isatty = lambda: True
    log = TrainingLog(History(), make_recipe(epochs=3), "teacher 1 of [3]")
    with shown(Terminal(screen), logging.DEBUG):
        log.on_start(3)
        clock[0] += 1.0
        log.on_step(1, 5, 10, 32, 0.6931)
        assert "epoch 1/3, batch 5/10" in screen.getvalue().replace("\n", " ")
        log.on_end(History())
    assert "teacher 1 of [3]" in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[2K")


def test_a_resumed_training_says_what_is_done(make_module, make_objective, make_recipe, tmp_path, caplog):
    kept = Checkpoint(tmp_path / "state", "a", every_seconds=0)
    trained(make_module, make_objective, make_recipe(epochs=1), checkpoint=kept)
    caplog.set_level(logging.INFO, "penstock")
    trained(make_module, make_objective, make_recipe(epochs=2), checkpoint=kept)
    assert "training: at most 2 epochs; 1 are done" in caplog.messages
    assert sum(message.startswith("epoch") for message in caplog.messages) == 1


def test_nothing_is_written_where_nobody_listens(make_module, make_objective, make_recipe, capfd):
    trained(make_module, make_objective, make_recipe(epochs=1))
    assert capfd.readouterr() == ("", "")
