"""A training on files larger than memory has the bits of one on the same rows in memory."""

import csv

import numpy as np
import pytest

from penstock import TextClassifier
from penstock.errors import DataError
from penstock.text.readers import read_text_rows

TINY = {"hidden_size": 3, "embedding_size": 3, "epochs": 2, "batch_size": 8, "baseline": False, "min_count": 1}
VALID = (["good", "bad room", "bad bad"], ["good", "bad", "bad"])


@pytest.fixture(scope="module")
def rows():
    draw = np.random.default_rng(0)
    words = np.array(["Good", "bad", "room", "1999", "food", "很好"])
    texts = [" ".join(draw.choice(words, size)) for size in draw.integers(1, 12, 40)]
    return texts, ["good" if "Good" in text else "bad" for text in texts]


@pytest.fixture(scope="module")
def folder(rows, tmp_path_factory):
    """The rows in two files, with one that has no label."""
    path = tmp_path_factory.mktemp("reviews")
    pairs = list(zip(*rows, strict=True))
    for name, some in (("a", pairs[:25]), ("b", [("no label", ""), *pairs[25:]])):
        with (path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "label"), *some])
    return path


def shards(folder):
    return read_text_rows(folder, {"text": "text", "label": None}, True)


@pytest.fixture(scope="module")
def stored(folder, tmp_path_factory):
    options = TINY | {"cache": str(tmp_path_factory.mktemp("cache"))}
    return TextClassifier(**options).fit(shards(folder), None, VALID), options


def same_weights(one, other):
    assert one.model_.tensors.keys() == other.model_.tensors.keys()
    for name, tensor in one.model_.tensors.items():
        np.testing.assert_array_equal(tensor, other.model_.tensors[name])


def test_weights_curves_and_features_are_those_of_rows_in_memory(stored, rows):
    found, _ = stored
    truth = TextClassifier(**TINY).fit(*rows, VALID)
    same_weights(found, truth)
    assert found.model_.features.to_json() == truth.model_.features.to_json()
    for one, other in zip(found.history_, truth.history_, strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}
    figures = found.metrics_["data"]
    assert figures["dropped"] == {"no label": 1}
    assert figures["train"] == truth.metrics_["data"]["train"]
    assert 0 <= found.metrics_["input"]["share"] <= 1
    assert truth.metrics_["input"] is None


def test_a_training_cut_within_an_epoch_resumes_with_the_same_bits(stored, folder, tmp_path):
    truth, options = stored
    options = options | {"checkpoint": str(tmp_path / "state")}
    cut = TextClassifier(**options, max_seconds=1e-6).fit(shards(folder), None, VALID)
    assert cut.metrics_["stopped"] == "time"
    same_weights(TextClassifier(**options).fit(shards(folder), None, VALID), truth)


def test_parts_of_one_folder_are_drawn_and_their_labels_known(stored, folder):
    _, options = stored
    train, valid = TextClassifier.split(shards(folder), (0.7, 0.3), 1)
    found = TextClassifier(**options).fit(train, None, (valid, None))
    figures = found.metrics_["data"]
    assert figures["train"]["rows"] + figures["valid"]["rows"] + figures["dropped"].get("no label", 0) == 41
    assert found.metrics_["valid"]["rows"] == figures["valid"]["rows"] > 0


def test_labels_beside_shards_are_refused(stored, folder):
    _, options = stored
    with pytest.raises(DataError, match="leave y out"):
        TextClassifier(**options).fit(shards(folder), ["good"], VALID)
