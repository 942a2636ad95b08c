"""`penstock inspect`: text, rows, sounds and series, as words, JSON and a file."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

RELEASED = Path(__file__).parents[1] / "released" / "0.1.0"


def test_a_trace_is_written(penstock, saved, table, tmp_path):
    result = penstock("inspect", saved, table, "--out", tmp_path / "trace.npz", "--row", 2)
    assert result.code == 0, result.err
    found = np.load(tmp_path / "trace.npz")
    assert found["update"].shape == (1, 1, 2, 5)
    assert found["coord.name"].tolist() == ["kind", "staff"]


def test_a_text_can_be_given_itself(penstock, saved, tmp_path):
    result = penstock("inspect", saved, "rude staff and food", "--out", tmp_path / "trace.npz")
    assert result.code == 0, result.err
    assert "depends on" in result.out
    assert np.load(tmp_path / "trace.npz")["coord.name"].tolist() == ["rude", "staff", "and", "food"]


@pytest.mark.parametrize("name", ["text-lstm", "audio-gru", "series-gru", "regress-lstm", "forecast-carried"])
def test_every_kind_of_model_is_inspected(penstock, name):
    (path,) = (RELEASED / name).glob("input*")
    result = penstock("inspect", RELEASED / name / "model", path)
    assert result.code == 0, result.err
    for words in ("A prediction of this model depends on", "Memory of the layers", "Saturation of the gates", "Dead"):
        assert words in result.out
    as_json = penstock("inspect", RELEASED / name / "model", path, "--json")
    figures = json.loads(as_json.out)
    assert set(figures) >= {"inputs", "memory", "saturation", "units"}
    assert figures["memory"]["layers"][0]["half_life"] > 0


def test_one_sound(penstock, tmp_path):
    sound = next((RELEASED / "audio-gru" / "input").rglob("*.wav"))
    shutil.copy(sound, tmp_path / "one.wav")
    result = penstock("inspect", RELEASED / "audio-gru" / "model", tmp_path / "one.wav", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["inputs"] == 1


def test_attribution_is_printed(penstock, saved):
    result = penstock("inspect", saved, "rude staff and food", "--attribution", "--explain", "good")
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[0].startswith("log-odds of 'good': ")
    assert lines[1].startswith("sum of the scores by occlusion: ")
    assert sorted(line.split()[-1] for line in lines[2:]) == ["and", "food", "rude", "staff"]
    result = penstock("inspect", saved, "rude staff", "--attribution", "integrated_gradients")
    assert "(complete)" in result.out
    result = penstock("inspect", saved, "rude staff", "--attribution", "--json")
    assert json.loads(result.out)["method"] == "occlusion"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["some words", "--attribution", "gradients"], "must be one of integrated_gradients, occlusion, gradient_x"),
        (["some words", "--attribution", "--explain", "goood"], "no label 'goood'. Did you mean 'good'"),
        (["some words", "--at", "2"], "--explain and --at belong to --attribution"),
        (["some words", "--attribution", "--out", "trace.npz"], "--out is for the trace"),
        (["reviews.csv"], "reviews.csv: can't be read"),
        (["data/reviews"], "data/reviews"),
        (["some words", "--out", "trace.csv"], "must end in .npz; got '.csv'"),
        (["some words", "--row", "2"], "--row must be from 1 to 1"),
    ],
)
def test_what_is_wrong_is_said(penstock, saved, arguments, message):
    result = penstock("inspect", saved, *arguments)
    assert result.code == 2
    assert message in result.err
