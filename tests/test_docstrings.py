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


ROOMS = [*MODULES, "penstock.convert", "penstock.inspection", "penstock.runtime"]
_BASE = "a base class: penstock.load, which has an example, returns its subclasses"
_RESULT = "a result: the function that returns it has an example"
WITHOUT_EXAMPLES = {
    "penstock.Client": "needs a server; the tests of the server use it",
    "penstock.convert.to_openvino": "needs OpenVINO, which only the tests of exports require",
    "penstock.cells.Zoneout": "what `sweep` passes on to itself",
    "penstock.cells.register": "would add a cell for the rest of the process; docs/cells/of-your-own.md registers one",
    "penstock.nn.AnyCell": "needs a cell of your own; docs/cells/of-your-own.md has one",
    "penstock.runtime.ClassModel": _BASE,
    "penstock.runtime.Model": _BASE,
    "penstock.runtime.RegressionModel": _BASE,
    "penstock.runtime.SequenceModel": _BASE,
    "penstock.runtime.StepModel": _BASE,
    "penstock.runtime.Stream": "a base class: SequenceStream and RecurrenceStream have examples",
    "penstock.runtime.StepStream": "needs a task that labels steps; examples/task_of_your_own.py is one",
    "penstock.runtime.PooledStream": "of the server, which passes many streams to one StreamPool",
    "penstock.runtime.GraphStream": "needs an imported network; penstock.convert has an example",
    "penstock.inspection.Attribution": _RESULT,
    "penstock.inspection.Comparison": _RESULT,
    "penstock.inspection.Completeness": _RESULT,
    "penstock.inspection.NetworkTrace": _RESULT,
}
"""Public names without an example, each with the reason."""


def in_rooms():
    for module in ROOMS:
        for name in importlib.import_module(module).__all__:
            thing = getattr(importlib.import_module(module), name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield f"{module}.{name}"


def test_the_names_without_an_example_are_public():
    assert set(WITHOUT_EXAMPLES) <= set(in_rooms())


@pytest.mark.parametrize("name", [name for name in in_rooms() if name not in WITHOUT_EXAMPLES])
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
