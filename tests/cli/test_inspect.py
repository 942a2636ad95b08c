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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["reviews.csv"], "reviews.csv"),
        (["some words", "--out", "trace.csv"], "must end in .npz; got '.csv'"),
    ],
)
def test_what_is_wrong_is_said(penstock, saved, arguments, message):
    result = penstock("inspect", saved, *arguments)
    assert result.code == 2
    assert message in result.err
