"""A saved model made by hand, without PyTorch."""

import numpy as np
import pytest

from penstock import bundle
from penstock.network import ClassHead, Embedding, Network, Recurrent
from penstock.text.features import TextFeatures

TEXTS = ["good food", "kind staff", "bad food", "rude staff", "很好", "不好"]
LABELS = ["good", "good", "bad", "bad", "good", "bad"]


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """A model folder with random weights, and a baseline that knows the commonest class."""
    features = TextFeatures(min_count=1).fit(TEXTS)
    network = Network(
        Embedding(features.vocabulary_size, 4), Recurrent(cell="gru", input_size=4, hidden_size=5), ClassHead(2, "max")
    )
    draw = np.random.default_rng(0)
    tensors = {name: draw.normal(size=shape).astype(np.float32) for name, shape in network.parameter_shapes().items()}
    folder = tmp_path_factory.mktemp("models") / "saved"
    bundle.save(
        folder,
        network,
        features.to_json(),
        ["bad", "good"],
        tensors,
        baseline={"class_counts": np.array([2, 4])},
        metrics={"valid": {"rows": 6, "accuracy": 0.75, "f1_macro": 0.7, "log_loss": 0.5}},
    )
    return folder


@pytest.fixture
def table(tmp_path):
    """A labelled CSV file."""
    path = tmp_path / "reviews.csv"
    rows = [f'"{text}",{label}\n' for text, label in zip(TEXTS, LABELS, strict=True)]
    path.write_text("text,label\n" + "".join(rows), encoding="utf-8")
    return path
