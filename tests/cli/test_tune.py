"""`penstock tune` from end to end: a file of texts, the best model with the search's record, the same command again."""

import json

import pytest
from small_trainings import texts

WORDS = ("--hidden-size", "4", "--embedding-size", "4", "--epochs", "1", "--no-baseline", "--random-state", "3")


@pytest.mark.slow
def test_a_search_writes_the_best_model_and_goes_on(penstock, tmp_path):
    rows = zip(*texts(0), strict=True)
    (tmp_path / "data.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    out = tmp_path / "best"
    command = ("tune", "classify", tmp_path / "data.csv", "--out", out, "--search", "cell,pooling", *WORDS)
    wrong = penstock(*command, "--metric", "f2")
    assert (wrong.code, "metric must be one of loss, accuracy; got 'f2'" in wrong.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]
    said = penstock(*command, "--trials", "2", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert found["states"] == {"complete": 2}
    assert found["defaults"] == {"cell": "lstm", "pooling": "max"}
    trials = [json.loads(line) for line in (out / "trials.jsonl").read_text("utf-8").splitlines()]
    assert [each["number"] for each in trials] == [0, 1]
    assert trials[found["best"]]["params"] == found["params"]
    assert trials[0]["epochs"][0]["valid_accuracy"] == trials[0]["value"]
    metrics = json.loads((out / "metrics.json").read_text("utf-8"))
    assert metrics["search"]["value"] == metrics["curves"][0]["valid_accuracy"] == found["value"]
    assert metrics["options"]["cell"] == found["params"]["cell"]
    assert metrics["command"].startswith("penstock tune classify data.csv --trials 2 --search cell,pooling")
    assert 'lang="en"' in (out / "search.html").read_text("utf-8")
    assert f'cell = "{found["params"]["cell"]}"' in (out / "train.toml").read_text("utf-8")
    again = penstock(*command, "--trials", "2")
    assert (again.code, "exists already" in again.err) == (2, True)
    other = penstock(*command, "--trials", "3", "--overwrite", "--metric", "loss")
    assert (other.code, "differs from this search in its metric" in other.err) == (2, True)
