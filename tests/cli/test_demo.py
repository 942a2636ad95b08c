"""The demo: its two parts on a small scale, and what it does when something comes out otherwise."""

import dataclasses
import json
import re

import pytest
import torch

from penstock.cli import demo_adding, demo_forecast, demo_sentiment, demo_words
from penstock.cli.demo_adding import Settings, adding_batch, learn, verdict
from penstock.locks import held


def scores(model, **baselines):
    """A result of `Model.evaluate`."""
    return {
        "metrics": model,
        "baselines": baselines,
        "units": 9,
        "baseline_verdicts": {name: dict.fromkeys(model, "better") for name in baselines},
    }


SUNSPOTS = {
    "rows": {"train": 243, "test": 66},
    "horizon": 11,
    "origins": 56,
    "scores": scores(naive={"mae": 45.5}, model={"mae": 20.5}),
    "fan": {},
    "as_expected": True,
}
WORDS = {
    "rows": {"train": 9, "test": 3},
    "as_expected": True,
    "scores": scores(model={"accuracy": 0.5}, majority={"accuracy": 0.25}),
}
STREAM = {"keyword": "stop", "said": [], "heard": [], "seconds": [0.0], "scores": [0.0], "as_expected": True}
SMALL = Settings(steps=10, hidden_size=8, batch=8, updates=20, every=10, held_out=40)


@pytest.fixture
def quick(monkeypatch, saved):
    """A demo without training: a saved model, and a few updates of small cells."""
    from penstock.runtime import load

    model = load(saved)
    model.labels = ["negative", "positive"]
    monkeypatch.setattr(demo_sentiment, "learn", lambda folder: model)
    monkeypatch.setattr(demo_adding, "Settings", lambda: SMALL)
    for room in (demo_forecast, demo_words):
        monkeypatch.setattr(room, "learn", lambda folder: None)
    monkeypatch.setattr(demo_forecast, "measure", lambda _: SUNSPOTS)
    monkeypatch.setattr(demo_words, "measure", lambda _: dict(WORDS))
    monkeypatch.setattr(demo_words, "listen", lambda _: STREAM)


def test_the_sum_is_that_of_two_marked_numbers_one_in_each_half():
    x, target = adding_batch(11, 50, torch.Generator().manual_seed(0))
    assert tuple(x.shape) == (11, 50, 2)
    numbers, marks = x.unbind(-1)
    assert torch.equal(marks[:5].sum(0), torch.ones(50))
    assert torch.equal(marks[5:].sum(0), torch.ones(50))
    torch.testing.assert_close(target, (numbers * marks).sum(0))
    assert 0 <= numbers.min() < numbers.max() <= 1


@pytest.mark.parametrize("cell", demo_adding.CELLS)
def test_each_cell_learns_by_the_engine_and_says_how_it_went(cell):
    told = []
    found = learn(cell, SMALL, lambda *news: told.append(news))
    assert found["path"] == "native"
    assert [updates for updates, _ in found["curve"]] == [0, 10, 20]
    assert told == found["curve"][1:]
    assert found["curve"][-1][1] < found["curve"][0][1]
    for key in ("gradient_before", "gradient_after"):
        assert len(found[key]) == 10
        assert found[key][0] == 1.0
    again = learn(cell, SMALL)
    assert again["error"] == found["error"]


def test_who_is_good_enough_stops():
    found = learn("gru", dataclasses.replace(SMALL, enough=10.0))
    assert found["updates"] == 10


@pytest.mark.parametrize(
    ("errors", "expected"),
    [((0.16, 0.004, 0.003), (True, True, True)), ((0.09, 0.01, 0.2), (False, False, False))],
    ids=["as published", "otherwise"],
)
def test_verdict(errors, expected):
    results = {cell: {"error": error} for cell, error in zip(demo_adding.CELLS, errors, strict=True)}
    assert verdict(results, Settings()) == dict(zip(demo_adding.CELLS, expected, strict=True))


@pytest.mark.usefixtures("quick")
def test_an_expectation_that_fails_is_said_and_exits_with_1(penstock, tmp_path):
    out = tmp_path / "demo"
    result = penstock("demo", "--out", out)
    # Twenty updates can't solve the problem.
    assert result.code == 1
    assert "the LSTM's error on the adding problem is 0." in result.err
    assert result.err.count("\n") == 1
    assert str(out / "report.html") in result.out
    assert re.search(r"Last value +45\.5 +the model: better\n", result.out)
    assert result.said.startswith("penstock 0.1.0: starting\n")
    assert f"writing {out / 'report.html'}\n" in result.said
    results = json.loads((out / "demo.json").read_text())
    assert not results["adding"]["as_expected"]["lstm"]
    assert [stream["language"] for stream in results["reviews"]["streams"]] == ["en", "en", "en", "zh", "zh"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "beautifully<small>" in page
    # Again, over its own folder.
    assert penstock("demo", "--out", out).code == 1


@pytest.mark.usefixtures("quick")
def test_a_demo_that_comes_out_as_it_should_exits_with_0(penstock, tmp_path, monkeypatch):
    monkeypatch.setattr(demo_adding, "verdict", lambda cells, settings: dict.fromkeys(cells, True))
    measure = demo_sentiment.measure
    monkeypatch.setattr(demo_sentiment, "measure", lambda model: measure(model) | {"as_expected": True})
    assert penstock("demo", "--out", tmp_path / "demo").code == 0


def test_a_folder_of_somebody_else_is_left_alone(penstock, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    result = penstock("demo", "--out", tmp_path)
    assert result.code == 2
    assert "exists already" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_two_demos_into_one_folder_are_refused(penstock, tmp_path):
    with held(tmp_path / "demo", "in use"):
        result = penstock("demo", "--out", tmp_path / "demo")
    assert result.code == 2
    assert "another demo writes there now" in result.err
    assert list(tmp_path.iterdir()) == []


def test_reviews_are_read_whole():
    rows = demo_sentiment.reviews()
    assert {row.split for row in rows} == {"train", "test"}
    assert {row.label for row in rows} == {"negative", demo_sentiment.POSITIVE}
    assert len(rows) >= 400
