"""What the commands say while they work: in a pipe, on a terminal, as JSON, quietly."""

import contextlib
import json
import os
import pty
import subprocess
import sys
import threading

import pytest

from penstock.cli import main

QUICK = ["--epochs", "2", "--hidden-size", "4", "--embedding-size", "4", "--split", "0.8/0.2"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    rows = [f"{word} {thing},{word}\n" for word in ("good", "bad") for thing in "abcdefghij"] * 4
    path.write_text("text,label\n" + "".join(rows))
    return path


def test_a_training_says_what_it_does(penstock, data, tmp_path):
    result = penstock("train", "classify", data, "--out", tmp_path / "m", *QUICK)
    assert (result.code, result.err) == (0, "")
    lines = result.said.splitlines()
    starts = [
        "penstock 0.1.0: starting", f"reading {data}", "64 rows to train on, 16 to validate with", "making features",
        "fitting the baselines", "network: lstm, 1 layer of 4 units", "training: at most 2 epochs", "epoch 1/2: ",
        "epoch 2/2: ", "stopped after epoch 2", "measuring the network", f"writing {tmp_path / 'm'}",
    ]  # fmt: skip
    found = [next(place for place, line in enumerate(lines) if line.startswith(start)) for start in starts]
    assert found == sorted(found)
    assert "epoch" not in result.out
    assert not {"\x1b", "\r"} & set(result.said)


def test_json_lines_for_programs(penstock, data, tmp_path):
    result = penstock("train", "classify", data, "--out", tmp_path / "m", *QUICK, "--json")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out)["out"] == str(tmp_path / "m")
    lines = [json.loads(line) for line in result.said.splitlines()]
    events = [line["event"] for line in lines]
    assert events[:2] == ["start", "reading"]
    assert [event for event in events if event in ("training", "epoch", "stopped", "writing")] == [
        "training", "epoch", "epoch", "stopped", "writing",
    ]  # fmt: skip
    assert all(line["time"] and line["message"] for line in lines)


def test_a_time_limit_is_said_and_repeated(penstock, data, tmp_path):
    out = tmp_path / "m"
    result = penstock("train", "classify", data, "--out", out, *QUICK, "--max-seconds", "1e-6", "--json")
    stopped = next(line for line in map(json.loads, result.said.splitlines()) if line["event"] == "stopped")
    assert (stopped["reason"], stopped["epochs_done"]) == ("time", 1)
    assert json.loads((out / "metrics.json").read_text())["stopped"] == "time"
    assert "Training ended at its time limit" in (out / "report.html").read_text()
    assert "max-seconds = 1e-06" in (out / "train.toml").read_text()
    assert "--max-seconds 1e-06" in json.loads((out / "metrics.json").read_text())["command"]


def test_json_has_errors_too(penstock, tmp_path):
    result = penstock("evaluate", tmp_path / "none", tmp_path / "none.csv", "--json")
    error = json.loads(result.err)
    assert (result.code, error["event"], error["exit_code"]) == (2, "error", 2)
    assert error["message"].startswith(str(tmp_path / "none"))


def test_quiet(penstock, data, saved, table, tmp_path):
    trained = penstock("train", "classify", data, "--out", tmp_path / "m", *QUICK, "--quiet")
    assert (trained.code, trained.err, trained.said) == (0, "", "")
    evaluated = penstock("--quiet", "evaluate", saved, table)
    assert (evaluated.code, evaluated.err, evaluated.said) == (0, "", "")
    assert penstock("evaluate", saved, tmp_path / "none.csv", "--quiet").err.startswith("penstock: ")


def test_an_interrupt_while_measuring_writes_nothing_and_names_the_checkpoint(penstock, data, tmp_path, monkeypatch):
    from penstock.tasks import TextClassifier

    def figures(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(TextClassifier, "_figures", figures)
    words = ["train", "classify", data, "--out", tmp_path / "m", *QUICK, "--checkpoint", tmp_path / "state"]
    words += ["--checkpoint-seconds", "0"]
    result = penstock(*words)
    assert result.code == 130
    assert result.err == (
        f"penstock: warning: stopped early; {tmp_path / 'm'} was not written. "
        f"The same command resumes from {tmp_path / 'state'}.\npenstock: interrupted\n"
    )
    assert not (tmp_path / "m").exists()
    monkeypatch.undo()
    resumed = penstock(*words)
    assert resumed.code == 0
    assert "; 2 are done" in resumed.said


@pytest.mark.parametrize(
    ("command", "last"), [("evaluate", "measuring the network and its baselines"), ("predict", "predicting")]
)
def test_what_a_saved_model_does(penstock, saved, table, command, last):
    result = penstock(command, saved, table)
    assert (result.code, result.err) == (0, "")
    assert result.said == f"loading the model {saved}\nreading {table}\n{last}\n"


def test_the_first_line_comes_before_the_imports():
    """PyTorch and scikit-learn take seconds; nothing of them, nor Click, is loaded when the first line is written."""
    code = (
        "import sys\n"
        "from penstock.cli import main\n"
        "class Watched:\n"
        "    def isatty(self): return False\n"
        "    def flush(self): pass\n"
        "    def write(self, text):\n"
        "        if 'starting' in text: print({'torch', 'sklearn', 'click'} & sys.modules.keys())\n"
        "sys.stderr = Watched()\n"
        "main(['train', 'classify', 'none.csv', '--out', 'none'])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def on_a_terminal(monkeypatch, *words):
    """The exit code, and what the command writes to standard error, which is a terminal."""
    monkeypatch.setenv("TERM", "xterm")
    master, slave = pty.openpty()
    written = []

    def read():
        with contextlib.suppress(OSError):  # so Linux says that the other side is closed
            while block := os.read(master, 65536):
                written.append(block)
        os.close(master)

    reader = threading.Thread(target=read)
    reader.start()
    with open(slave, "w", encoding="utf-8") as screen, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", screen)
        code = main(list(map(str, words)))
    reader.join(timeout=10)
    return code, b"".join(written).decode()


def test_a_bar_on_a_terminal(monkeypatch, data, tmp_path):
    # Long enough for a bar, which comes after a quarter of a second.
    long = ["--epochs", "2", "--hidden-size", "128", "--no-baseline", "--split", "0.8/0.2", "--batch-size", "1"]
    code, text = on_a_terminal(monkeypatch, "train", "classify", data, "--out", tmp_path / "m", *long)
    assert code == 0
    assert "epoch 2/2: train loss" in text
    assert "batch" in text
    assert "left" in text
    assert "\x1b[?25l" in text  # the cursor is hidden while there is a bar
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
