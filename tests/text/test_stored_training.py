"""Training on texts that stay on disk: the same bits as with the same parts in memory, whatever files they lie in."""

import gzip
import json

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from penstock import TextClassifier, read_shards
from penstock.datasets import Rows
from penstock.errors import DataError
from penstock.shards import Shards, files
from penstock.text.readers import read_text_rows

QUICK = {"hidden_size": 6, "embedding_size": 5, "epochs": 2, "batch_size": 16, "random_state": 0}
COLUMNS = {"text": "text", "label": "label"}


def rows_of(count):
    draw = np.random.default_rng(0)
    words = ["good", "bad", "kind", "rude", "food", "staff", "很好", "room"]
    texts = [" ".join(draw.choice(words, draw.integers(1, 12))) for _ in range(count)]
    return texts, ["good" if "good" in text or "很好" in text else "bad" for text in texts]


def write(path, texts, labels):
    """Write a table in the form that the file's ending tells."""
    plain = path.name.removesuffix(".gz")
    if plain.endswith(".parquet"):
        parquet.write_table(pyarrow.table({"text": texts, "label": labels}), path)
        return path
    if plain.endswith(".jsonl"):
        pairs = zip(texts, labels, strict=True)
        data = "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in pairs)
    else:
        mark = "\t" if plain.endswith(".tsv") else ","
        lines = [f"{text}{mark}{label}\n" for text, label in zip(texts, labels, strict=True)]
        data = f"text{mark}label\n" + "".join(lines)
    path.write_bytes(gzip.compress(data.encode()) if path.name.endswith(".gz") else data.encode())
    return path


def fitted(train, valid, test, cache):
    stored = isinstance(train, Shards)
    pairs = [(each, None) if isinstance(each, Shards) else (each.inputs, each.answers) for each in (train, valid, test)]
    estimator = TextClassifier(**QUICK, cache=str(cache))
    estimator.fit(*pairs[0], validation_data=pairs[1], test_data=pairs[2])
    assert (estimator.metrics_["input"] is not None) is stored
    return estimator


def same(one, other):
    for name, tensor in one.model_.tensors.items():
        np.testing.assert_array_equal(tensor, other.model_.tensors[name], err_msg=name)
    assert one.metrics_["test"] == other.metrics_["test"]
    assert one.metrics_["baseline"] == other.metrics_["baseline"]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv", ".jsonl", ".parquet"])
def test_a_large_file_has_the_bits_of_a_folder_and_of_its_parts_in_memory(tmp_path, monkeypatch, ending):
    (tmp_path / "folder").mkdir()
    path = write(tmp_path / "folder" / f"reviews{ending}", *rows_of(300))
    assert isinstance(read_text_rows(path, COLUMNS, True), Rows)
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    large = read_text_rows(path, COLUMNS, True)
    assert isinstance(large, Shards)
    assert isinstance(read_text_rows(path, COLUMNS, False), Rows)
    parts = TextClassifier.split(large, (0.7, 0.15, 0.15), 0)
    folder = TextClassifier.split(read_shards(tmp_path / "folder"), (0.7, 0.15, 0.15), 0)
    alone = fitted(*parts, tmp_path / "cache")
    same(alone, fitted(*folder, tmp_path / "other"))
    same(alone, fitted(*(part.loaded() for part in parts), tmp_path / "none"))
    assert not (tmp_path / "none").exists()
    assert alone.model_.evaluate_blocks(parts[2].rows())["metrics"] == {
        name: value for name, value in alone.metrics_["test"].items() if name != "rows"
    }


def test_a_large_validation_file_beside_a_small_training_file_is_read_into_memory(tmp_path, monkeypatch):
    texts, labels = rows_of(120)
    train = read_text_rows(write(tmp_path / "train.csv", texts, labels), COLUMNS, True)
    path = write(tmp_path / "valid.csv", [*texts[:40], ""], [*labels[:40], "bad"])
    small = TextClassifier(**QUICK).fit_rows(train, read_text_rows(path, COLUMNS, True), None)
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    large = TextClassifier(**QUICK).fit_rows(train, read_text_rows(path, COLUMNS, True), None)
    assert small.metrics_["valid"] == large.metrics_["valid"]
    assert large.metrics_["valid"]["rows"] == 40
    assert large.metrics_["data"]["dropped"] == {"no text": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("text,label\n", "no rows are left|no training rows"),
        ("text,label\ngood food,good\n", "no rows are left|at least two classes"),
        ("text,label\ngood food,good\nbad,bad,worse\n", "Expected 2 columns"),
        ("review,label\ngood food,good\nbad food,bad\n", "has no column text"),
    ],
)
def test_a_large_file_that_is_of_no_use_is_refused(tmp_path, monkeypatch, content, said):
    monkeypatch.setattr(files, "LARGE_BYTES", -1)
    path = tmp_path / "reviews.csv"
    path.write_text(content)
    rows = read_text_rows(path, COLUMNS, True)
    with pytest.raises(DataError, match=said):
        fitted(*TextClassifier.split(rows, (0.6, 0.2, 0.2), 0), tmp_path / "cache")
    assert list((tmp_path / "cache").glob("*")) == []


def test_the_command_trains_and_evaluates_a_large_file(penstock, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    path = write(tmp_path / "reviews.csv", *rows_of(300))
    quick = ("--hidden-size", "6", "--epochs", "1", "--random-state", "0", "--cache", tmp_path / "cache")
    assert penstock("train", "classify", path, "--out", tmp_path / "model", *quick).code == 0
    assert len(list((tmp_path / "cache").iterdir())) == 1
    found = penstock("evaluate", tmp_path / "model", path, "--json")
    monkeypatch.setattr(files, "LARGE_BYTES", 1 << 28)
    assert found == penstock("evaluate", tmp_path / "model", path, "--json")
    assert json.loads(found.out)["units"] == 300
