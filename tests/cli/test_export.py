"""`penstock export`: what it writes, and what it says."""

import re
import shutil
from pathlib import Path

import pytest

from penstock.convert.exporting import onnx_file
from penstock.convert.exporting.targets import TARGETS

MODEL = str(Path(__file__).parents[1] / "released" / "0.1.0" / "steps-rnn" / "model")


def test_the_file_is_verified_and_named(penstock, tmp_path, monkeypatch):
    monkeypatch.delitem(onnx_file.RUNTIMES, "OpenVINO")  # it takes seconds to compile a file
    found = penstock("export", MODEL, "--to", "onnx", "-o", str(tmp_path / "steps.onnx"), "--streaming")
    assert found.code == 0, found.err
    assert "ONNX Runtime: differs from the model by at most" in found.out
    assert "steps.onnx" in found.out.splitlines()[-1]
    assert (tmp_path / "steps.onnx").stat().st_size > 1000


@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler here")
def test_c_is_compared_with_the_model(penstock, tmp_path):
    found = penstock("export", MODEL, "--to", "c", "-o", str(tmp_path / "steps"), "--int8")
    assert found.code == 0, found.err
    assert "bytes of constants: " in found.out
    assert "compared on: 4 random sequences" in found.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["steps.c", "steps.h", "steps_main.c"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "onx"], "must be one of .*Did you mean onnx"),
        (["--to", "c", "--streaming"], "--to c has no option --streaming"),
        (["--to", "onnx", "--opset", "7"], "opset must be a whole number from 18 to 23; got 7"),
    ],
)
def test_wrong_options_are_named(penstock, tmp_path, words, message):
    found = penstock("export", MODEL, *words, "-o", str(tmp_path / "a"))
    assert found.code == 2
    assert re.search(message, found.err), found.err
    assert list(tmp_path.iterdir()) == []


def test_every_target_can_be_imported():
    assert all(callable(target.writer()) for target in TARGETS.values())
