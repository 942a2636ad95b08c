"""Everything public says what it takes, by name, and shows an example that runs."""

import doctest
import importlib
import inspect

import pytest

import penstock
from penstock import tasks

MODULES = ["penstock", "penstock.cells", "penstock.engine", "penstock.functional", "penstock.nn", "penstock.plots"]


def public():
    for module in MODULES:
        for name in importlib.import_module(module).__all__:
            thing = getattr(importlib.import_module(module), name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield pytest.param(thing, id=f"{module}.{name}")


@pytest.mark.parametrize("thing", list(public()))
def test_each_parameter_is_described(thing):
    described = inspect.getdoc(thing) or ""
    assert described, "no docstring"
    for name, parameter in inspect.signature(thing).parameters.items():
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            assert name in described, f"{name} is not described"


ESTIMATORS = [getattr(penstock, name) for name in penstock.__all__ if hasattr(getattr(penstock, name), "fit")]


@pytest.mark.parametrize("estimator", [*ESTIMATORS, tasks.StepClassifier], ids=lambda each: each.__name__)
def test_help_lists_every_option_with_type_and_default(estimator):
    lines = {line.strip().split(" (")[0]: line for line in estimator.__doc__.splitlines() if line.startswith("    ")}
    options = inspect.signature(estimator).parameters
    assert len(options) > 10
    for name, option in options.items():
        assert name in lines, f"{name} is not described"
        assert f"default {option.default!r}" in " ".join(estimator.__doc__.split()), name


WITH_EXAMPLES = [
    *(f"penstock.{name}" for name in penstock.__all__ if name not in ("Client", "__version__")),
    *("penstock.functional.rnn_cell", "penstock.functional.lstm_cell", "penstock.functional.gru_cell"),
    *("penstock.engine.Layer", "penstock.engine.StackStep", "penstock.engine.Linear", "penstock.engine.softmax"),
    *("penstock.runtime.Recurrence", "penstock.cells.find"),
    *(
        f"penstock.nn.{name}"
        for name in ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell", "replace", "to_torch")
    ),
    *(f"penstock.plots.{name}" for name in ("learning_curve", "confusion", "calibration", "forecast")),
]


# `penstock.Client` needs a server; the tests of the server use it.
@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_example_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module, _, attribute = name.rpartition(".")
    thing = getattr(importlib.import_module(module), attribute)
    found = doctest.DocTestFinder(recurse=False).find(thing, name, globs={})
    assert sum(len(each.examples) for each in found) > 0, "no example"
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    for each in found:
        runner.run(each, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)
