"""The bar on a terminal."""

import io
import subprocess
import sys

from rich.console import Console

from penstock.training import Bar, Epoch, History, terminal_bar


def test_shows_loss_metric_rate_and_time_left():
    screen = io.StringIO()
    bar = Bar(Console(file=screen, force_terminal=True, width=140))
    bar.on_start(3)
    bar.on_step(1, 5, 10, 32, 0.6931)
    bar.on_epoch(Epoch(1, 0.69, {"loss": 0.5, "accuracy": 0.875}, 0.001, 1.0))
    bar.on_end(History())
    shown = screen.getvalue()
    assert "epoch 1/3" in shown
    assert "loss 0.693" in shown
    assert "accuracy 0.875" in shown
    assert "/s" in shown
    assert ":" in shown


def test_says_which_of_several_trainings_it_is():
    screen = io.StringIO()
    bar = Bar(Console(file=screen, force_terminal=True, width=140), title="teacher 1 of [3]")
    bar.on_start(3)
    bar.on_end(History())
    assert "teacher 1 of [3] epoch" in screen.getvalue()


def test_no_bar_where_there_is_no_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert terminal_bar() == []


def test_training_does_not_load_rich_by_itself():
    code = "import sys, penstock.training as t; t.terminal_bar(); sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, check=False).returncode == 0
