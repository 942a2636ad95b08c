"""Train a word spotter, export it to C, compile it with examples/c/spot.c, and let it listen to WAV files."""

import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np

import penstock
from penstock.audio.synthetic_words import synthetic_word, synthetic_words
from penstock.convert import to_c

WORDS = ["yes", "no", "stop"]


def main() -> None:
    """Train, export, compile and compare."""
    recordings, labels = synthetic_words(20, np.random.default_rng(0), WORDS)
    options = {"num_layers": 1, "stretch": 0.0, "teachers": 0, "epochs": 20, "learning_rate": 0.01, "average": 0.95}
    model = penstock.AudioClassifier(hidden_size=24, random_state=0, **options).fit(recordings, labels).model_
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exported = to_c(model, folder / "spotter", int8=True)
        for what, measure in exported.measures.items():
            print(f"{what}: {measure}")
        sources = [str(Path(__file__).parent / "c" / "spot.c"), "spotter_listen.c", "spotter.c", "-lm"]
        subprocess.run(["cc", "-std=c99", "-O2", "-I.", *sources, "-o", "spot"], cwd=folder, check=True)
        generator = np.random.default_rng(1)
        for word in WORDS:
            sound = synthetic_word(word, generator)
            write_wav(folder / "word.wav", sound.samples, sound.sample_rate_hz)
            heard = subprocess.run(
                ["./spot", "word.wav"], cwd=folder, capture_output=True, text=True, check=True
            ).stdout
            label, probability = heard.split()
            expected = model.predict_proba([folder / "word.wav"])[0]
            print(f"{word}: C hears {label} ({probability}); Python {expected.max():.4f}")
            assert label == word == model.labels[int(expected.argmax())]
            assert abs(float(probability) - expected.max()) < 0.05  # int8


def write_wav(path: Path, samples: np.ndarray, rate: int) -> None:
    """Write samples from -1 to 1 as a WAV file of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
