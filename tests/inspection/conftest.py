"""Tiny trained models whose answer follows from one planted feature; networks with random weights, of every cell."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from penstock import AudioClassifier, Forecaster, SeriesClassifier, TextClassifier, cells
from penstock.network import Recurrent
from penstock.panels.panel_columns import panel
from penstock.runtime import Recurrence


class Planted(NamedTuple):
    """A model, an input, and which cells hold the feature, as {axis: names}."""

    model: Any
    input: Any
    cells: dict[str, Any]
    options: dict[str, Any]


def _text(rng: np.random.Generator) -> Planted:
    """The class follows from one word of twelve."""
    words = [f"w{number}" for number in range(8)]
    texts, labels = [], ["no", "yes"] * 60
    for label in labels:
        text = rng.choice(words, 12).tolist()
        text[rng.integers(12)] = {"no": "alpha", "yes": "omega"}[label]
        texts.append(" ".join(text))
    model = TextClassifier(
        hidden_size=8, embedding_size=8, num_layers=1, epochs=20, batch_size=12, learning_rate=0.02,
        next_token_share=0.0, prefix_share=0.0, embedding_dropout=0.0, output_dropout=0.0, baseline=False,
        random_state=0,
    ).fit(texts, labels)  # fmt: skip
    return Planted(model, texts[1], {"token": ["omega"]}, {})


def _signal(rng: np.random.Generator) -> Planted:
    """The class follows from a bump in channel 2 at steps 21 to 24; every signal has one in channel 1 earlier."""
    signals, labels = rng.normal(size=(120, 32, 3)) / 2, [0, 1] * 60
    signals[:, 4:8, 0] += 3
    signals[1::2, 20:24, 1] += 3
    model = SeriesClassifier(
        hidden_size=8, num_layers=1, stride=1, width=2, epochs=8, batch_size=12, learning_rate=0.03, baseline=False,
        random_state=0,
    ).fit(signals, labels)  # fmt: skip
    return Planted(model, signals[1], {"time": range(21, 25), "channel": ["2"]}, {})


def _sound(rng: np.random.Generator) -> Planted:
    """The class follows from the frequency of a burst from 0.2 to 0.3 s."""
    time, sounds, labels = np.arange(4000) / 8000, [], ["low", "high"] * 30
    burst = (time >= 0.2) & (time < 0.3)
    for label in labels:
        hertz = {"low": 400, "high": 2000}[label]
        sounds.append(0.01 * rng.normal(size=4000) + burst * 0.3 * np.sin(2 * np.pi * hertz * time))
    model = AudioClassifier(
        hidden_size=8, num_layers=1, mel_bins=12, sample_rate=8000, pooling="mean", epochs=3, batch_size=12,
        learning_rate=0.03, teachers=0, mixup=0.0, noise_share=0.0, shift_seconds=0.0, context_share=0.0,
        spot_share=0.0, output_dropout=0.0, label_smoothing=0.0, baseline=False, random_state=0,
    ).fit(sounds, labels)  # fmt: skip
    # A frame of 30 ms sees the burst up to 30 ms before it, its change two frames after it.
    return Planted(model, sounds[1], {"time": np.arange(0.18, 0.35, 0.02).round(2), "band": range(1100, 3000)}, {})


def _series(rng: np.random.Generator, memory: str) -> Planted:
    """The value is the covariate two steps before it: two steps ahead, it follows from the last row."""
    rows = 220
    load, other = rng.normal(size=(2, rows))
    value = np.concatenate([[0.0, 0.0], 2 * load[:-2]]) + 0.05 * rng.normal(size=rows)
    data = panel({"y": value, "load": load, "other": other}, targets=["y"], past=["load", "other"])
    model = Forecaster(
        horizon=2, context=6, hidden_size=12, memory=memory, normalization="none", highway=0, epochs=12, batch_size=16,
        learning_rate=0.03, baseline=False, random_state=0,
    ).fit(data)  # fmt: skip
    return Planted(model, data, {"time": [str(rows - 1)], "column": ["load"]}, {"at": 2})


@pytest.fixture(scope="session", params=["text", "signal", "sound", "window", "carried"])
def planted(request) -> Planted:
    """One for each kind of data, and both kinds of forecasters."""
    rng = np.random.default_rng(2)
    makers = {"text": _text, "signal": _signal, "sound": _sound}
    return makers[request.param](rng) if request.param in makers else _series(rng, request.param)


_FORMS = [
    pytest.param((cell, {name: 2 if value is None else value for name, value in form.items()}), id=f"{cell}-{form}")
    for cell, form in (*cells.VARIANTS, ("lstm", {"zoneout": (0.3, 0.1)}))
]


@pytest.fixture(params=_FORMS)
def variant(request) -> tuple[str, dict[str, Any]]:
    """A cell's name, and its options in one of its forms."""
    return request.param


@pytest.fixture(scope="session")
def network() -> Callable[..., Recurrence]:
    """A function that makes a network of 3 inputs and 5 units with random weights."""

    def make(cell: str, options: Any = None, *, layers: int = 1, bidirectional: bool = False, bias: bool = True) -> Any:
        own = options or {}
        spec = Recurrent(
            cell=cell, input_size=3, hidden_size=5, num_layers=layers, bidirectional=bidirectional, bias=bias, **own
        )
        draw = np.random.default_rng(3)
        arrays = {name: draw.normal(size=shape).astype(np.float32) for name, shape in spec.parameter_shapes().items()}
        shown = spec.declaration.shown({name.removesuffix("_l0"): array for name, array in arrays.items()})
        return Recurrence(arrays, cell, **{name: value for name, value in own.items() if name not in shown})

    return make
