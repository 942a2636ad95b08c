"""`penstock inspect`."""

import numpy as np
import pytest


def test_a_trace_is_written(penstock, saved, table, tmp_path):
    result = penstock("inspect", saved, table, "--out", tmp_path / "trace.npz")
    assert result.code == 0, result.err
    found = np.load(tmp_path / "trace.npz")
    assert found["update"].shape == (1, 1, 2, 5)
    assert found["coord.name"].tolist() == ["good", "food"]


def test_a_text_can_be_given_itself(penstock, saved, tmp_path):
    result = penstock("inspect", saved, "rude staff and food", "--out", tmp_path / "trace.npz")
    assert result.code == 0, result.err
    assert np.load(tmp_path / "trace.npz")["coord.name"].tolist() == ["rude", "staff", "and", "food"]


def test_attribution_is_printed(penstock, saved):
    result = penstock("inspect", saved, "rude staff and food", "--attribution", "--explain", "good")
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[0].startswith("log-odds of 'good': ")
    assert lines[1].startswith("sum of the scores by occlusion: ")
    assert sorted(line.split()[-1] for line in lines[2:]) == ["and", "food", "rude", "staff"]
    result = penstock("inspect", saved, "rude staff", "--attribution", "integrated_gradients")
    assert "(complete)" in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["some words", "--attribution", "gradients"], "must be one of integrated_gradients, occlusion, gradient_x"),
        (["some words", "--attribution", "--explain", "goood"], "no label 'goood'. Did you mean 'good'"),
        (["some words", "--at", "2"], "--explain and --at belong to --attribution"),
        (["some words", "--attribution", "--out", "trace.npz"], "--out is for the trace"),
        (["reviews.csv"], "reviews.csv"),
        (["some words", "--out", "trace.csv"], "must end in .npz; got '.csv'"),
    ],
)
def test_what_is_wrong_is_said(penstock, saved, arguments, message):
    result = penstock("inspect", saved, *arguments)
    assert result.code == 2
    assert message in result.err
