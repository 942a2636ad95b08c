"""Standard input and output that are closed or full, and text that a terminal would obey."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from penstock import bundle
from penstock.cli import main
from penstock.network import ClassHead, Embedding, Network, Recurrent
from penstock.text.features import TextFeatures


@pytest.mark.parametrize("words", [("predict", "-"), ("stream",)], ids=["predict", "stream"])
def test_a_closed_standard_input_is_said(saved, capsys, monkeypatch, words):
    monkeypatch.setattr(sys, "stdin", None)
    command, *rest = words
    assert main([command, str(saved), *rest, "--quiet"]) == 2
    assert capsys.readouterr() == (
        "",
        "penstock: standard input is closed, and this command reads it. Redirect a file or a pipe to it.\n",
    )


@pytest.mark.parametrize("words", [["info"], ["--version"], ["stream"]], ids=" ".join)
def test_a_closed_standard_output_is_said(saved, capsys, monkeypatch, words):
    monkeypatch.setattr(sys, "stdout", None)
    assert main([*words, str(saved)]) == 2
    assert capsys.readouterr().err.startswith("penstock: standard output is closed.")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_standard_output_is_said_once(saved):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "penstock", "info", saved],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    words = "penstock: standard output can't be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, words)


def test_labels_of_a_bundle_can_not_steer_the_terminal(penstock, tmp_path):
    features = TextFeatures(min_count=1).fit(["good food"])
    network = Network(
        Embedding(features.vocabulary_size, 2), Recurrent(cell="rnn", input_size=2, hidden_size=2), ClassHead(2)
    )
    tensors = {name: np.zeros(shape, np.float32) for name, shape in network.parameter_shapes().items()}
    labels = ["\x1b[31mred\x1b]0;title\x07", "\u202elaudatory"]
    bundle.save(tmp_path / "m", network, features.to_json(), labels, tensors)
    result = penstock("info", tmp_path / "m")
    assert (result.code, result.err) == (0, "")
    assert r"\x1b[31mred\x1b]0;title\x07, \u202elaudatory" in "".join(result.out.split("\n"))
    assert all(letter.isprintable() or letter == "\n" for letter in result.out)
