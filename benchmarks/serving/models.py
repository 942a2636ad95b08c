"""The models in these measurements: LSTMs of 128 units; random weights, because they don't affect the speed."""

from pathlib import Path

import numpy as np

from penstock import bundle
from penstock.network import ClassHead, Embedding, Network, Recurrent
from penstock.text.features import TextFeatures

WORDS = [f"w{number}" for number in range(5000)]


def save_model(folder: Path, *, bidirectional: bool = False) -> Path:
    """Write a model's folder unless it exists."""
    if folder.exists():
        return folder
    features = TextFeatures(min_count=1, max_length=len(WORDS)).fit([" ".join(WORDS)])
    network = Network(
        Embedding(features.vocabulary_size, 64),
        Recurrent(cell="lstm", input_size=64, hidden_size=128, bidirectional=bidirectional),
        ClassHead(2, "mean_max"),
    )
    draw = np.random.default_rng(0)
    tensors = {
        name: draw.normal(size=shape, scale=0.7 / shape[-1] ** 0.5).astype(np.float32)
        for name, shape in network.parameter_shapes().items()
    }
    baseline = {"class_counts": np.array([1, 1])}
    bundle.save(folder, network, features.to_json(), ["bad", "good"], tensors, baseline=baseline)
    return folder


def some_words(draw: np.random.Generator, count: int) -> str:
    """Draw words of the model's vocabulary."""
    return " ".join(f"w{number}" for number in draw.integers(len(WORDS), size=count))
