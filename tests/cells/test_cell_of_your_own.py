"""A cell from outside, of which there are equations alone: estimators, streams and layers take it all the same."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock import bundle, cells, engine
from penstock.cells import CELLS
from penstock.errors import BundleError, ConfigError
from penstock.network import Recurrent
from penstock.runtime import Recurrence

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TEXTS, LABELS = ["good food", "bad food", "kind staff", "rude staff"] * 10, ["good", "bad"] * 20

pytestmark = pytest.mark.usefixtures("cells_as_before")


@pytest.fixture
def mgu():
    """The cell of the example."""
    return runpy.run_path(str(EXAMPLES / "cell_of_your_own.py"))["MGU"]


def test_the_example_does_what_it_says(capsys):
    runpy.run_path(str(EXAMPLES / "cell_of_your_own.py"), run_name="__main__")
    assert "kind staff" in capsys.readouterr().out


def test_it_is_short():
    assert len((EXAMPLES / "cell_of_your_own.py").read_text().splitlines()) <= 80


@pytest.fixture
def model(mgu, tmp_path):
    made = penstock.TextClassifier(cell=mgu.name, hidden_size=6, num_layers=2, epochs=1)
    return made.fit(TEXTS, LABELS).save(tmp_path / "model")


def test_a_saved_model_streams_the_bits_of_the_whole_and_continues_from_a_saved_state(model):
    loaded = penstock.load(model)
    whole = loaded.predict_proba(["good food\nrude staff"])[0]
    stream = loaded.stream()
    stream.push("good food")
    saved = stream.save()
    stream.push("rude staff")
    assert np.array_equal(list(stream.finish().values()), whole)
    other = loaded.stream().load(saved)
    other.push("rude staff")
    assert np.array_equal(list(other.finish().values()), whole)
    assert np.array_equal(loaded.predict_proba(["good food\nrude staff", "bad"])[0], whole)
    assert np.array_equal(penstock.TextClassifier.load(model).predict_proba(["good food\nrude staff"])[0], whole)


def test_a_model_whose_cell_is_not_registered_is_refused_by_name(model):
    del CELLS["mgu"]
    with pytest.raises(
        BundleError, match=r"model: cell must be one of.*got 'mgu'.*registered first.*penstock\.cells\.register"
    ):
        bundle.load(model)


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("batch", [1, 5], ids="B{}".format)
def test_without_pytorch_it_is_what_it_is_in_pytorch(mgu, batch, bidirectional):
    torch = pytest.importorskip("torch")
    from penstock import nn

    torch.manual_seed(0)
    layer = nn.AnyCell("mgu", 3, 7, num_layers=2, bidirectional=bidirectional)
    arrays = {name: each.detach().numpy() for name, each in layer.state_dict().items()}
    network = Recurrence(arrays, "mgu")
    assert network.spec == Recurrent(cell="mgu", input_size=3, hidden_size=7, num_layers=2, bidirectional=bidirectional)
    x, lengths = torch.randn(9, batch, 3), torch.arange(batch) * 2
    expected, last = layer(x, lengths=lengths)
    y, state = network(x.numpy(), lengths=lengths.numpy())
    # float32, sums in another order, over at most 9 steps of 2 layers
    np.testing.assert_allclose(y, expected.detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(state, last.detach().numpy(), atol=1e-5)


def test_what_is_missing_is_said(mgu):
    assert mgu.form({}) not in engine.FORMS  # the header is built where PENSTOCK_CELL says so
    with pytest.raises(ConfigError, match="the engine has no kernels for 'mgu'"):
        engine.Layer("mgu", 3, 4)
    assert engine.backend(mgu, {}).layer is engine.EquationLayer


@pytest.mark.slow
def test_options_of_a_cell_become_arguments_and_flags():
    program = (
        "from penstock import cells\n"
        "from penstock.cells import Option, find\n"
        "import dataclasses, inspect\n"
        "cells.register(dataclasses.replace(find('rnn'), name='mine', torch_options=None,\n"
        "    options={**find('rnn').options, 'speed': Option(False, 'mine only: how fast.')},\n"
        "    parameter_shapes=lambda i, h, bias=True, *, nonlinearity='tanh', speed=False:\n"
        "        find('rnn').parameter_shapes(i, h, bias)))\n"
        "import penstock\n"
        "from penstock.cli.options import estimator_options\n"
        "options = {option.name: option for option in estimator_options(penstock.TextClassifier)}\n"
        "assert (options['speed'].help, options['speed'].panel) == ('Mine only: how fast.', 'network')\n"
        "assert '\"mine\"' in options['cell'].help\n"
        "assert options['cell'].type.words == ['rnn', 'lstm', 'gru', 'mine']\n"
        "assert penstock.TextClassifier(cell='mine', speed=True).recurrent(3).options['speed'] is True\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr


def test_the_table_of_the_package_is_as_it_was():
    assert list(cells.CELLS) == ["rnn", "lstm", "gru"]
