"""Where the tests find real data, text models with random weights, and a way to run commands in this process."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

# Real data sets are not part of the project: they lie in PENSTOCK_DATA, or in `shared/data` beside the checkout.
_DATA = Path(os.environ.get("PENSTOCK_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is absent."""
    if not _DATA.is_dir():
        pytest.skip(f"no real data at {_DATA}: set PENSTOCK_DATA to the folder that holds it")
    return _DATA


@pytest.fixture
def cells_as_before() -> Iterator[None]:
    """After the test, the cells that there were before it."""
    from penstock.cells import CELLS

    kept = dict(CELLS)
    yield
    CELLS.clear()
    CELLS.update(kept)


@pytest.fixture(scope="session")
def text_parts() -> Callable[..., tuple[Any, ...]]:
    """A function that makes (network, features, labels, tensors) of a text model with random weights."""
    from penstock.features.text import TextFeatures
    from penstock.network import ClassHead, Embedding, Network, Recurrent

    words = ["the ferry sailed at dawn, didn't it?", "我们喜欢这家旅馆的早餐!", "naïve — 3.5 stars"]
    features = TextFeatures(min_count=1).fit(words)

    def make(cell: str = "lstm", *, pooling: str = "mean_max", size: int = 5, hidden_size: int = 12, **options: Any):
        network = Network(
            Embedding(vocabulary_size=features.vocabulary_size, size=size),
            Recurrent(cell=cell, input_size=size, hidden_size=hidden_size, **options),
            ClassHead(classes=3, pooling=pooling),
        )
        rng = np.random.default_rng(0)
        tensors = {
            # Small enough that relu layers do not run away.
            name: rng.normal(size=shape, scale=0.7 / shape[-1] ** 0.5).astype(np.float32)
            for name, shape in network.parameter_shapes().items()
        }
        return network, features, ["bad", "middling", "good"], tensors

    return make


@pytest.fixture(scope="session")
def spoken() -> tuple[list[Any], list[str]]:
    """Synthetic recordings of three words, eight of each, at 8 kHz, and their labels."""
    from penstock.datasets.synthetic_words import synthetic_words

    return synthetic_words(8, np.random.default_rng(0), ["yes", "no", "stop"])


@pytest.fixture(scope="session")
def audio_model(spoken) -> Any:
    """An audio model with random weights, of the labels of `spoken`."""
    from penstock.features import AudioFeatures
    from penstock.network import ClassHead, Network, Numbers, Recurrent
    from penstock.runtime import AudioModel

    features = AudioFeatures(mel_bins=8).fit(spoken[0])
    recurrent = Recurrent(cell="gru", input_size=features.size, hidden_size=12)
    network = Network(Numbers(features.size), recurrent, ClassHead(classes=3, pooling="max"))
    draw = np.random.default_rng(0)
    tensors = {
        name: draw.normal(size=shape, scale=2 / shape[-1] ** 0.5).astype(np.float32)
        for name, shape in network.parameter_shapes().items()
    }
    return AudioModel(network, features, ["no", "stop", "yes"], tensors)


class Result(NamedTuple):
    """What a command did: exit code and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture
def penstock(capsys, monkeypatch):
    """Runs `penstock WORDS...` in this process, with bytes on standard input."""
    from penstock.cli import main

    def run(*words: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Result(code, *capsys.readouterr())

    return run
