"""Models that released versions wrote: each loads and gives the predictions that its own version gave.

A folder `<version>/<name>` holds the model, an input, and what that version's commands printed for it. They are never
made anew: a change that breaks one breaks the models of users.
"""

import json
import re
from pathlib import Path

import pytest

import penstock

MODELS = sorted(path.parent for path in Path(__file__).parent.glob("*/*/model"))
STREAMED = [folder for folder in MODELS if (folder / "stream.txt").exists()]

# Engine and features give the same bits everywhere; NumPy's own exponentials differ by processor, in the last place.
RELATIVE = 1e-5


def _named(folders):
    return [pytest.param(folder, id=f"{folder.parent.name}-{folder.name}") for folder in folders]


def _lines(text):
    return [json.loads(line) for line in text.splitlines()]


def _assert_alike(found, expected):
    """Equal, but numbers may differ by rounding; what a newer version adds to an object is no difference."""
    if isinstance(expected, dict):
        assert expected.keys() <= found.keys()
        for name, value in expected.items():
            _assert_alike(found[name], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            _assert_alike(one, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=RELATIVE, abs=1e-7)
    else:
        assert found == expected


def test_there_are_two_models_of_each_task():
    tasks = [json.loads((folder / "model" / "config.json").read_text(encoding="utf-8"))["task"] for folder in MODELS]
    assert len(MODELS) >= 10
    assert all(tasks.count(task) >= 2 for task in tasks)


@pytest.mark.parametrize("folder", _named(MODELS))
def test_it_predicts_and_measures_as_it_did(folder, penstock, monkeypatch):
    monkeypatch.chdir(folder)
    (source,) = [path.name for path in folder.iterdir() if path.name.startswith("input")]
    predicted = penstock("predict", "model", source)
    assert predicted.code == 0, predicted.err
    _assert_alike(_lines(predicted.out), _lines(Path("predicted.jsonl").read_text(encoding="utf-8")))
    evaluated = penstock("evaluate", "model", source, "--json")
    assert evaluated.code == 0, evaluated.err
    _assert_alike(json.loads(evaluated.out), json.loads(Path("evaluated.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("folder", _named(STREAMED))
def test_it_streams_as_it_did(folder, penstock, monkeypatch):
    monkeypatch.chdir(folder)
    streamed = penstock("stream", "model", stdin=Path("stream.txt").read_bytes())
    assert streamed.code == 0, streamed.err
    _assert_alike(_lines(streamed.out), _lines(Path("streamed.jsonl").read_text(encoding="utf-8")))


@pytest.mark.parametrize("folder", _named(MODELS))
def test_its_report_can_be_written_again(folder, tmp_path):
    """From figures that know nothing of what newer reports show."""
    page = penstock.load(folder / "model").report(tmp_path / "report.html", language="zh", show=False)
    text = page.read_text(encoding="utf-8")
    assert "<h1>model：" in text
    assert "得分与基线对比" in text
    assert "nan" not in re.sub("<[^>]*>", " ", text).split()
