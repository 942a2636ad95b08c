"""Models of every task predict the same on real data when their network runs in ONNX Runtime."""

import copy
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import penstock
from penstock.cli.columns import saved_columns
from penstock.convert.exporting.onnx_file import network_of
from penstock.convert.exporting.onnx_model import Form
from penstock.convert.exporting.onnx_window import Window
from penstock.convert.exporting.runtimes import onnx_runtime
from penstock.convert.exporting.verification import run_whole
from penstock.registry import find

MODELS = sorted(path.parent for path in Path(__file__).parents[1].glob("released/*/*/model"))
# A forecaster's carried state is read and used by two calls of its scorer, which one file does at once.
WITHOUT_CARRIED = [folder for folder in MODELS if folder.name != "forecast-carried"]


class Sequences:
    """Takes the place of a scorer of sequences."""

    def __init__(self, network, run, head):
        self._graph, self._run, self.head = network.exported.graph, run, head

    def scores(self, sequences):
        (found,) = run_whole(self._run, self._graph, {next(iter(self._graph.inputs)): sequences}).values()
        return found


class Windows:
    """Takes the place of a scorer of look-backs."""

    carries = False

    def __init__(self, network, run, head):
        self._function, self._run = network.function, run

    def __call__(self, values, covariates, known, identity):
        given = {"values": values, "covariates": covariates, "known": known, "identity": np.asarray(identity, np.int64)}
        read = {name: np.ascontiguousarray(given[name]) for name in self._function.inputs}
        return self._run(read)[self._function.output]


@pytest.mark.slow
@pytest.mark.parametrize("folder", WITHOUT_CARRIED, ids=lambda folder: folder.name)
def test_predictions_are_those_of_the_model(folder, monkeypatch):
    monkeypatch.chdir(folder)
    model = penstock.load("model")
    task = find(model.task)
    (source,) = [path for path in Path().iterdir() if path.name.startswith("input")]
    inputs = task.read(source, saved_columns(task, model, {}), False).inputs
    network = network_of(model)
    run = onnx_runtime(network.made(Form()).SerializeToString())
    elsewhere = copy.copy(model)
    elsewhere.scorer = (Windows if isinstance(network, Window) else Sequences)(network, run, model.scorer.head)
    for found, expected in zip(elsewhere.answers(inputs), model.answers(inputs), strict=True):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            if isinstance(value, float):
                assert_allclose(found[name], value, rtol=1e-4, atol=1e-5)
            else:
                assert found[name] == value
