"""Train a word spotter, export it to C, compile it with examples/c/spot.c, and let it listen to WAV files."""

import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np

import penstock
from penstock.audio.synthetic_words import synthetic_word, synthetic_words
from penstock.convert import to_c
from penstock.sounds.features import FLOOR, AudioFeatures

WORDS = ["yes", "no", "stop"]
PREEMPHASIS = 0.97  # this and the window below are Kaldi's


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
        (folder / "spotter_features.h").write_text(features_in_c(model.features))
        sources = [str(Path(__file__).parent / "c" / "spot.c"), "spotter.c", "-lm"]
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
            assert abs(float(probability) - expected.max()) < 0.05  # int8 and another Fourier transform


def features_in_c(features: AudioFeatures) -> str:
    """Return the constants of log-mel energies as definitions in C."""
    size = 1 << (features.window - 1).bit_length()
    ramp = np.arange(features.window) / (features.window - 1)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * ramp)) ** 0.85
    mean, scale = features.scale
    numbers = {
        "WINDOW": features.window,
        "HOP": features.hop,
        "FFT": size,
        "BINS": features.mel_bins,
        "CHANGE": features.delta_frames[0],
        "PREEMPHASIS": f"{PREEMPHASIS}f",
        "LOWEST": f"{FLOOR}f",
    }
    tables = {
        "window[WINDOW]": window,
        "band_mean[BINS]": mean,
        "band_scale[BINS]": scale,
        "mel[BINS][FFT / 2]": mel_weights(features, size),
    }
    return "".join(f"#define {name} {value}\n" for name, value in numbers.items()) + "".join(
        f"static const float {name} = {table(np.asarray(values).tolist())};\n" for name, values in tables.items()
    )


def mel_weights(features: AudioFeatures, size: int) -> np.ndarray:
    """Return the weight of each frequency in each band, (bands, size / 2): triangles on the mel scale."""
    highest = features.highest_hz or features.rate / 2

    def mel(hertz: np.ndarray | float) -> np.ndarray:
        return 1127 * np.log(1 + np.asarray(hertz) / 700)

    corners = np.linspace(mel(features.lowest_hz), mel(highest), features.mel_bins + 2)
    places = mel(np.arange(size // 2) * features.rate / size)
    rising = (places - corners[:-2, None]) / (corners[1] - corners[0])
    return np.maximum(0, np.minimum(rising, 2 - rising))


def table(values: list) -> str:
    """Return numbers, or lists of numbers, as an initialiser in C."""
    return "{" + ", ".join(table(each) if isinstance(each, list) else f"{each:.9e}f" for each in values) + "}"


def write_wav(path: Path, samples: np.ndarray, rate: int) -> None:
    """Write samples from -1 to 1 as a WAV file of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
