"""`penstock compare`: text, JSON, the page and the table of disagreements."""

import csv
import json

import numpy as np
import pytest

from penstock import bundle


@pytest.fixture
def other(saved, tmp_path):
    """Another model of the same labels."""
    found = bundle.load(saved)
    draw = np.random.default_rng(5)
    tensors = {name: draw.normal(size=array.shape).astype(np.float32) for name, array in found.tensors.items()}
    bundle.save(tmp_path / "other", found.network, found.features, found.labels, tensors)
    return tmp_path / "other"


def test_says_what_was_found(penstock, saved, other, table, tmp_path):
    out, page = tmp_path / "apart.csv", tmp_path / "new" / "compare.html"
    result = penstock("compare", saved, other, table, "--out", out, "--report", page, "--language", "zh")
    assert (result.code, result.err) == (0, "")
    assert f"A: {saved}, " in result.out
    assert "accuracy" in result.out
    assert "McNemar: p = " in result.out
    assert "measuring both models" in result.said
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert f"the models disagree on {len(rows)} of 6 rows: {out}" in result.out
    assert rows
    assert all(row["prediction_a"] != row["prediction_b"] for row in rows)
    html = page.read_text(encoding="utf-8")
    assert 'lang="zh-Hans"' in html
    assert "两个模型预测不同之处" in html
    assert [path.name for path in page.parent.iterdir()] == ["compare.html"]


def test_json(penstock, saved, other, table):
    result = penstock("compare", saved, other, table, "--json")
    found = json.loads(result.out)
    assert found["rows"] == 6
    assert set(found["metrics"]["b"]) == {"accuracy", "f1_macro", "log_loss"}
    alone = json.loads(penstock("evaluate", saved, table, "--json").out)
    assert found["metrics"]["a"] == pytest.approx(alone["metrics"])


def test_refusals(penstock, saved, other, table, tmp_path):
    unlabelled = tmp_path / "texts.csv"
    unlabelled.write_text("text\ngood food\n")
    assert "label" in penstock("compare", saved, other, unlabelled).err
    result = penstock("compare", saved, other, table, "--out", tmp_path / "apart.xlsx")
    assert result.code == 2
    assert "must end in one of" in result.err
    assert penstock("compare", saved, other, table, "--report", tmp_path).code == 2


def test_models_of_other_tasks_and_labels(penstock, saved, table, tmp_path):
    found = bundle.load(saved)
    bundle.save(tmp_path / "renamed", found.network, found.features, ["bad", "fine"], found.tensors)
    result = penstock("compare", saved, tmp_path / "renamed", table)
    assert result.code == 2
    assert "only the first knows 'good'; only the second knows 'fine'" in result.err
