"""train.toml: what a training was, as TOML."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from penstock import TextClassifier, load
from penstock.tasks import StepClassifier
from penstock.tasks.configuration import panels, train_toml


@dataclass(kw_only=True, eq=False, repr=False)
class Mine(StepClassifier):
    """With options of every kind.

    Args:
        size, rate, words, weights, file, thing: of the test.
    """

    task: ClassVar[str] = "mine"
    paths: ClassVar[tuple[str, ...]] = ("file",)
    panels: ClassVar[dict[str, tuple[str, ...]]] = {"data": ("words",)}

    size: Any = None
    rate: Any = None
    words: Any = ("a", "b")
    weights: Any = None
    file: Any = None
    thing: Any = None


def written(tmp_path, command=None, **options):
    mine = Mine(**options)
    mine.metrics_ = {"random_state": 5}
    return train_toml(mine, tmp_path / "model", command or {})


def test_options_stand_in_their_panels():
    found = panels(Mine)
    assert found["words"] == "data"
    assert found["epochs"] == "training"
    assert found["max_classes"] == "data"
    assert {name: found.get(name) for name in ("size", "cell")} == {"size": None, "cell": None}


def test_values_are_toml(tmp_path):
    found = tomllib.loads(
        written(
            tmp_path, size=np.int64(3), rate=np.float32(0.5), weights={1: 2.0, "b": np.float64(1.5)}, clip=float("inf")
        )
    )
    assert found["task"] == "mine"
    assert found["network"]["size"] == 3
    assert found["network"]["rate"] == 0.5
    assert found["network"]["weights"] == {"1": 2.0, "b": 1.5}
    assert found["data"]["words"] == ["a", "b"]
    assert found["training"]["clip"] == float("inf")
    assert found["training"]["random-state"] == 5
    assert not {"warm-start", "checkpoint", "progress"} & {name for table in found.values() for name in table}


def test_paths_are_seen_from_the_folder(tmp_path):
    command = {"data": {"data": tmp_path / "here" / "x.csv", "test": None}}
    found = tomllib.loads(written(tmp_path, command, file=str(tmp_path / "vectors.txt")))
    assert found["data"]["data"] == str(Path("..") / "here" / "x.csv")
    assert found["network"]["file"] == str(Path("..") / "vectors.txt")
    assert "test" not in found["data"]


@pytest.mark.parametrize("thing", [object(), [None], {"a": object()}], ids=["object", "none", "within"])
def test_what_toml_can_not_hold_is_said_in_the_file_and_stops_nothing(tmp_path, thing):
    text = written(tmp_path, thing=thing)
    assert "# Not here, as TOML can't hold them: thing\n" in text
    assert "thing" not in tomllib.loads(text)["network"]


def test_a_model_whose_metrics_say_nothing_can_be_saved_again(tmp_path):
    texts, labels = ["great food", "rude staff"] * 12, ["good", "bad"] * 12
    options = {"epochs": 1, "hidden_size": 3, "embedding_size": 3, "baseline": False, "random_state": 3}
    fitted = TextClassifier(**options).fit(texts, labels)
    fitted.metrics_.pop("random_state")
    fitted.save(tmp_path / "m")
    assert tomllib.loads((tmp_path / "m" / "train.toml").read_text())["training"]["random-state"] == 3
    assert load(tmp_path / "m").labels == ["bad", "good"]
