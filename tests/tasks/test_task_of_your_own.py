"""A task from outside the package, in at most 80 lines, gets everything that the commands offer."""

import json
from pathlib import Path

import pytest

from penstock import runtime, tasks
from penstock.errors import BundleError
from penstock.server.uploads import Upload, json_inputs

OUTSIDE = Path(__file__).resolve().parents[2] / "examples" / "task_of_your_own.py"
NAMES = {
    "english": ["Baker", "Cooper", "Walker", "Fisher", "Turner"],
    "italian": ["Rossi", "Ricci", "Moretti", "Conti"],
}
ROWS = [(name, language) for language, names in NAMES.items() for name in names] * 12
QUICK = ("--epochs", "6", "--hidden-size", "16", "--learning-rate", "0.01")


@pytest.fixture
def names(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("name,label\n" + "".join(f"{name},{language}\n" for name, language in ROWS))
    return path


@pytest.fixture
def outside(monkeypatch):
    """The task, there for one test."""
    before = dict(tasks.TASKS)
    monkeypatch.syspath_prepend(OUTSIDE.parent)
    import task_of_your_own

    tasks.register(task_of_your_own.TASK)  # imported once only, and each test has it anew
    yield task_of_your_own
    tasks.TASKS.clear()
    tasks.TASKS.update(before)


def test_it_is_short():
    assert len(OUTSIDE.read_text().splitlines()) <= 80


@pytest.mark.usefixtures("outside")
def test_it_gets_everything(penstock, names, tmp_path):
    out = tmp_path / "model"
    trained = json.loads(penstock("train", "names", names, "--out", out, *QUICK, "--json").out)
    assert trained["test"]["accuracy"] > trained["baseline"]["accuracy"]
    found = json.loads(penstock("evaluate", out, names, "--json").out)
    assert found["metrics"]["accuracy"] > 0.9
    assert found["baseline"]["accuracy"] == pytest.approx(5 / 9)
    answers = [json.loads(line) for line in penstock("predict", out, names).out.splitlines()]
    assert len(answers) == len(ROWS)
    assert set(answers[0]) == {"prediction", "probability_english", "probability_italian"}
    info = json.loads(penstock("info", out, "--json").out)
    assert (info["task"], info["streams"], info["reads"], info["view"]) == ("names", False, "text", "text")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<h1>Names</h1>" in page
    assert 'data-metric="/test/accuracy"' in page
    assert "Learning curves" in page
    help_text = penstock("train", "names", "--help").out
    assert "--hidden-size" in help_text
    assert "Say which language a name is of." in help_text


def test_a_server_takes_its_texts_and_files(outside, tmp_path):
    """What a model reads decides, not the name of its features."""
    estimator = outside.NameClassifier(epochs=1, hidden_size=4, progress=False)
    estimator.fit([name for name, _ in ROWS], [language for _, language in ROWS]).save(tmp_path / "model")
    model = runtime.load(tmp_path / "model")
    assert json_inputs(b'{"inputs": ["Rossini"]}', model) == ["Rossini"]
    assert list(Upload("names.csv", b"name\nRossini\n").inputs(model)) == ["Rossini"]


def test_without_it_its_models_are_refused_by_name(outside, tmp_path):
    estimator = outside.NameClassifier(epochs=1, hidden_size=4, progress=False)
    estimator.fit([name for name, _ in ROWS], [language for _, language in ROWS]).save(tmp_path / "model")
    assert runtime.load(tmp_path / "model").predict(["Rossini"])[0] in NAMES
    del tasks.TASKS["names"]
    with pytest.raises(BundleError, match="there is no task 'names'"):
        runtime.load(tmp_path / "model")
