"""Train a small translator from dates in words to ISO dates, translate without PyTorch, and see what it attended to."""

import tempfile
from pathlib import Path

import numpy as np

import penstock
from penstock.translate.synthetic_dates import date_pairs


def main() -> None:
    """Train, save, load and translate."""
    generator = np.random.default_rng(0)
    train, valid, test = (date_pairs(count, generator) for count in (2000, 100, 100))
    translator = penstock.Translator(
        level="char",
        embedding_size=32,
        hidden_size=64,
        dropout=0.0,
        word_dropout=0.0,
        label_smoothing=0.0,
        learning_rate=0.01,
        batch_size=16,
        average=0.9,
        epochs=6,
        random_state=0,
    )
    translator.fit(*train, validation_data=valid)
    with tempfile.TemporaryDirectory() as folder:
        translator.save(Path(folder) / "dates")
        model = penstock.load(Path(folder) / "dates")

    found = model.evaluate(*test)
    print(
        f"right as a whole: {found['metrics']['exact_match']:.1%}; word by word: {found['baseline']['chrf']:.1f} chrF"
    )
    assert found["metrics"]["exact_match"] > 0.9

    best, second = model.translate(["Tuesday, 17 Jun 1952"], n_best=2)[0]
    print(f"{best.text} {best.score:.3f}, then {second.text} {second.score:.3f}")
    for token, weights in zip(best.alignment.target, best.alignment.weights, strict=True):
        print(f"{token:<5} read {best.alignment.source[int(weights.argmax())]!r}")


if __name__ == "__main__":
    main()
