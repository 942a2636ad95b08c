"""Train on synthetic spoken words, save the model, and detect one of the words in a stream of samples."""

import tempfile
from pathlib import Path

import numpy as np

import penstock
from penstock.audio.synthetic_words import synthetic_word, synthetic_words

WORDS = ["yes", "no", "stop"]
STREAM = ["no", "stop", "yes", "no", "stop"]


def main() -> None:
    """Train, save, load and detect."""
    recordings, labels = synthetic_words(20, np.random.default_rng(0), WORDS)
    options = {"num_layers": 1, "stretch": 0.0, "teachers": 0, "epochs": 30, "learning_rate": 0.01, "average": 0.95}
    clf = penstock.AudioClassifier(hidden_size=32, random_state=0, **options)
    clf.fit(recordings, labels)
    with tempfile.TemporaryDirectory() as folder:
        clf.save(Path(folder) / "words")
        model = penstock.load(Path(folder) / "words")  # from here on, PyTorch is not used

    generator = np.random.default_rng(1)
    said = [synthetic_word(word, generator).samples for word in STREAM]
    sound = np.concatenate([part for samples in said for part in (samples, np.zeros(2000, np.float32))])

    spotter = model.spotter(["stop"])
    found = []
    for start in range(0, len(sound), 800):  # 100 ms at a time, as from a microphone
        found += spotter.push(sound[start : start + 800]).words
    found += spotter.finish().words  # needed if the sound ends before the score of a word has fallen
    for word in found:
        print(f"{word.label} at {word.seconds:.2f} s, score {word.score:.2f}")
    assert [word.label for word in found] == ["stop", "stop"]


if __name__ == "__main__":
    main()
