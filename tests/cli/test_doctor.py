"""`penstock doctor` finds what is missing, and what computes wrong."""

import json
import sys
from importlib import metadata

import numpy as np
import pytest

from penstock import __version__, engine
from penstock.cli import self_test
from penstock.cli.installed import extras


@pytest.fixture
def needs(monkeypatch):
    """Sets what this installation says that it needs, and what is there."""

    def there(requirements, versions):
        def version(name):
            if name not in versions:
                raise metadata.PackageNotFoundError(name)
            return versions[name]

        monkeypatch.setattr(metadata, "requires", lambda name: requirements)
        monkeypatch.setattr(metadata, "version", version)

    return there


NEEDS = [
    "numpy>=2.0",
    'pyarrow>=17; extra == "data"',
    'penstock[data]; extra == "train"',
    "torch >=2.5 ; extra == 'train'",
    "uvicorn<0.55,>=0.54; extra == 'serve'",
    'ruff; extra == "dev"',
]
ALL = {"numpy": "2.4.6", "pyarrow": "26.0.1", "torch": "2.13.0+cpu", "uvicorn": "0.54.0"}


def test_all_is_well_here(penstock):
    result = penstock("doctor")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Penstock {__version__}, Python {sys.version.split()[0]}, ")
    assert f"Engine: {engine.instruction_set()} " in result.out
    assert result.out.endswith("All is well.\n")
    assert "numpy " in result.out


def test_json_for_programs(penstock, needs):
    needs(NEEDS, ALL)
    result = penstock("doctor", "--json")
    assert (result.code, result.err) == (0, "")
    found = json.loads(result.out)
    assert found["penstock"] == __version__
    assert found["engine"]["threads"] == engine.get_num_threads()
    assert found["extras"]["base"] == {"installed": {"numpy": "2.4.6"}, "missing": [], "install": None}
    assert list(found["extras"]) == ["base", "data", "train", "serve"]
    assert found["problems"] == []


def test_a_missing_extra_is_reported_and_is_not_a_failure(penstock, needs):
    needs(NEEDS, {"numpy": "2.4.6"})
    result = penstock("doctor")
    assert (result.code, result.err) == (0, "")
    assert "not installed: torch. To install: pip install 'penstock[train]'" in result.out


@pytest.mark.parametrize(
    ("versions", "problem"),
    [
        (ALL | {"numpy": "1.26.4"}, "numpy is 1.26.4; it must be >=2.0"),
        (ALL | {"uvicorn": "0.55.0"}, "uvicorn is 0.55.0; it must be <0.55, >=0.54. pip install 'penstock[serve]'"),
        ({name: version for name, version in ALL.items() if name != "numpy"}, "numpy is missing"),
    ],
    ids=["too old", "too new", "missing"],
)
def test_what_can_not_work_is_wrong(penstock, needs, versions, problem):
    needs(NEEDS, versions)
    result = penstock("doctor")
    assert result.code == 1
    assert f"wrong: {problem}" in result.out
    assert "All is well" not in result.out


def test_what_the_project_needs_is_understood():
    found = {part.name: part for part in extras()}
    assert set(found[""].installed) == {"numpy", "safetensors", "array-api-compat"}
    assert "torch" in found["train"].installed
    assert not {"dev", "all", "bench"} & set(found)


@pytest.mark.parametrize("what", ["engine", "stream", "broken"])
def test_an_engine_that_computes_wrong_is_found(penstock, monkeypatch, what):
    class Wrong(self_test.Layer):
        def __call__(self, *arguments):
            y, state = super().__call__(*arguments)
            return y * np.float32(1.001), state

    class Off(self_test.Streams):
        def step(self, *arguments):
            return np.nextafter(super().step(*arguments), np.float32(2))

    def broken(*arguments, **options):
        raise RuntimeError("illegal instruction")

    name, instead = {"engine": ("Layer", Wrong), "stream": ("Streams", Off), "broken": ("Layer", broken)}[what]
    monkeypatch.setattr(self_test, name, instead)
    result = penstock("doctor", "--json")
    assert (result.code, result.err) == (1, "")
    problems = json.loads(result.out)["problems"]
    words = {
        "engine": "lstm: the engine is 0.000",
        "stream": "gru: a stream has other bits than the engine",
        "broken": "the engine does not run: RuntimeError: illegal instruction",
    }[what]
    assert any(words in problem for problem in problems), problems


def test_every_form_that_the_engine_knows_is_tried(monkeypatch):
    tried = []
    monkeypatch.setattr(
        self_test, "_problems", lambda name, options: tried.append(self_test.find(name).form(options)) or []
    )
    assert self_test.self_test() == []
    assert set(tried) == engine.FORMS


def test_the_version_is_shown_with_the_engine(penstock):
    result = penstock("--version")
    engine_words = f"(engine: {engine.instruction_set()}, threads: {engine.get_num_threads()})"
    assert (result.code, result.out) == (0, f"penstock {__version__} {engine_words}\n")
