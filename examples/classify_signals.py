"""Classify two movements, save the model, and predict during a movement, without PyTorch."""

import tempfile
from pathlib import Path

import numpy as np

import penstock


def movements(count: int, seed: int) -> tuple[list[np.ndarray], list[str]]:
    """Generate two channels of a sensor: circles in either direction, of unequal lengths, with noise."""
    draw = np.random.default_rng(seed)
    signals, labels = [], []
    for number in range(count):
        steps = int(draw.integers(30, 60))
        angle = np.linspace(0, 4 * np.pi, steps) * (1 if number % 2 else -1) + draw.uniform(0, 2 * np.pi)
        circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        signals.append(circle + draw.normal(scale=0.3, size=circle.shape))
        labels.append("left" if number % 2 else "right")
    return signals, labels


def main() -> None:
    """Train, evaluate, save, load and stream."""
    clf = penstock.SeriesClassifier(hidden_size=32, epochs=20, learning_rate=0.005, random_state=0)
    clf.fit(*movements(120, 0), test_data=movements(60, 1))
    print("accuracy:", clf.metrics_["test"]["accuracy"])
    assert clf.metrics_["test"]["accuracy"] > 0.9
    with tempfile.TemporaryDirectory() as folder:
        clf.save(Path(folder) / "movements")
        model = penstock.load(Path(folder) / "movements")

    (signal, *_), (label, *_) = movements(1, 2)
    stream = model.stream()
    for number, step in enumerate(signal):
        answer = stream.push(step)
        if number % 10 == 0:
            print(f"after {number + 1} steps: right {answer['right']:.2f}, truth {label}")
    # The result is bit-identical to that of the whole signal.
    assert list(stream.finish().values()) == model.predict_proba([signal])[0].tolist()


if __name__ == "__main__":
    main()
