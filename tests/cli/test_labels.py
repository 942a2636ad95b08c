"""Labels from file to answer: CSV holds text, JSON lines and Parquet hold values, and all mean the same classes."""

import json

import pandas
import pytest

TEXTS = ["great food", "kind staff", "rude staff", "cold soup"] * 6
QUICK = ("--epochs", "1", "--hidden-size", "4", "--embedding-size", "4", "--no-baseline")
KINDS = {
    "whole": [1, 1, 0, 0],
    "float": [1.0, 1.0, 0.0, 0.0],
    "boolean": [True, True, False, False],
    "text": ["good", "good", "bad", "bad"],
    "code": ["007", "007", "7.10", "7.10"],
}


def write(path, labels):
    frame = pandas.DataFrame({"text": TEXTS, "label": labels * (len(TEXTS) // len(labels))})
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    return path


def lines(path, labels):
    rows = [json.dumps({"text": text, "label": label}) for text, label in zip(TEXTS, labels, strict=True)]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize(
    "trained_on", ["csv", *(pytest.param(each, marks=pytest.mark.slow) for each in ("jsonl", "parquet"))]
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_trained_on_one_form_is_evaluated_on_every_other(penstock, tmp_path, kind, trained_on):
    files = {ending: write(tmp_path / f"data.{ending}", KINDS[kind]) for ending in ("csv", "jsonl", "parquet")}
    result = penstock("train", "classify", files[trained_on], "--out", tmp_path / "model", *QUICK)
    assert (result.code, result.err) == (0, "")
    found = [penstock("evaluate", tmp_path / "model", path, "--json") for path in files.values()]
    assert [each.code for each in found] == [0, 0, 0], found
    assert found[0].out == found[1].out == found[2].out


@pytest.mark.parametrize("kind", KINDS)
def test_columns_keys_and_classes_are_written_the_same_way(penstock, tmp_path, kind):
    data = write(tmp_path / "data.jsonl", KINDS[kind])
    assert penstock("train", "classify", data, "--out", tmp_path / "model", *QUICK).code == 0
    info = json.loads(penstock("info", tmp_path / "model", "--json").out)
    texts = info["label_texts"]
    assert texts == [str(label) for label in info["labels"]]
    assert set(texts) == {str(label) for label in KINDS[kind]}
    predicted = json.loads(penstock("predict", tmp_path / "model", data).out.splitlines()[0])
    assert [name for name in predicted if name != "prediction"] == [f"probability_{text}" for text in texts]
    streamed = json.loads(penstock("stream", tmp_path / "model", stdin=TEXTS[0].encode()).out)
    assert list(streamed["probabilities"]) == texts
    assert str(streamed["prediction"]) in texts
    assert list(info["metrics"]["data"]["train"]["classes"]) == texts


def test_equal_numbers_are_one_class_from_training_to_evaluation(penstock, tmp_path):
    data = lines(tmp_path / "data.jsonl", [1, 0, 1.0, 0] * 6)
    assert penstock("train", "classify", data, "--out", tmp_path / "model", *QUICK).code == 0
    assert json.loads(penstock("info", tmp_path / "model", "--json").out)["labels"] == [0, 1]
    assert penstock("evaluate", tmp_path / "model", data).code == 0


@pytest.mark.parametrize(
    ("pair", "named"),
    [((1, "1"), "1 (number"), ((True, 1), "True (boolean"), (("true", True), "'true' (text")],
    ids=str,
)
def test_two_ways_to_write_a_class_are_refused_before_training(penstock, tmp_path, pair, named):
    data = lines(tmp_path / "data.jsonl", [*pair, *pair] * 6)
    result = penstock("train", "classify", data, "--out", tmp_path / "model", *QUICK)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert named in result.err
    assert not (tmp_path / "model").exists()


def test_labels_that_look_alike_are_reported_in_a_line_and_stay_apart(penstock, tmp_path):
    data = write(tmp_path / "data.csv", ["good", "Good", "good ", "NaN"])
    result = penstock("train", "classify", data, "--out", tmp_path / "model", *QUICK)
    assert result.code == 0
    first, second = result.err.splitlines()
    assert first.startswith("penstock: warning: labels that differ only in case, blanks")
    assert second.startswith("penstock: warning: the text 'NaN'")
    assert json.loads(penstock("info", tmp_path / "model", "--json").out)["labels"] == ["Good", "NaN", "good", "good "]
    assert penstock("evaluate", tmp_path / "model", data).code == 0


def test_numbers_taken_for_labels_are_refused_before_training(penstock, tmp_path):
    path = tmp_path / "rides.csv"
    path.write_text("timestamp,value\n" + "".join(f"2014-07-01 {row:05},{row * 7 % 9001}\n" for row in range(3000)))
    words = ("train", "classify", path, "--text", "timestamp", "--label", "value", "--out", tmp_path / "model")
    result = penstock(*words, "--split", "0.9/0.1")
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    for each in ("few for a split", "look like numbers", "train regress", "train forecast"):
        assert each in result.err
    result = penstock(*words, "--valid", path)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    for each in ("3,000 different values", "max_classes=1000", "look like numbers", "--max-classes 3000"):
        assert each in result.err
    swapped = penstock("train", "classify", path, "--text", "value", "--label", "timestamp", "--out", tmp_path / "m")
    assert "is it a column of ids, names or dates?" in swapped.err


def test_a_model_with_both_1_and_its_text_still_answers(penstock, saved, tmp_path):
    from penstock import bundle

    before = bundle.load(saved)
    parts = (before.network, before.features, [1, "1"], before.tensors)
    bundle.save(tmp_path / "model", *parts, metrics=before.metrics)  # as an early version did
    data = lines(tmp_path / "data.jsonl", [1, "1"] * 12)
    predicted = json.loads(penstock("predict", tmp_path / "model", data).out.splitlines()[0])
    assert set(predicted) == {"prediction", "probability_1", "probability_'1'"}
    assert sum(value for name, value in predicted.items() if name != "prediction") == pytest.approx(1)
    assert penstock("evaluate", tmp_path / "model", data).code == 0


def test_class_weights_on_the_command_line_name_numbers_too(penstock, tmp_path):
    data = write(tmp_path / "data.jsonl", KINDS["whole"])
    words = ("train", "classify", data, "--class-weight", '{"1": 3}', *QUICK)
    assert penstock(*words, "--out", tmp_path / "model").code == 0
    more = ("train", "classify", data, "--from", tmp_path / "model", "--out", tmp_path / "more", "--epochs", "1")
    assert penstock(*more).code == 0
    metrics = json.loads((tmp_path / "more" / "metrics.json").read_text())
    assert metrics["configuration"]["class_weight"] == {"1": 3.0}
