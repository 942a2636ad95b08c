"""Where the tests find real data, text models with random weights, and a way to run commands in this process."""

import copy
import gc
import io
import json
import logging
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from penstock.runtime import StepModel
from penstock.signals.model import SignalSequenceModel
from penstock.text.model import TextSequenceModel

# Real data sets are not part of the project: they lie in PENSTOCK_DATA, or in `shared/data` beside the checkout.
_DATA = Path(os.environ.get("PENSTOCK_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def pytest_collection_finish() -> None:
    """Leave what is imported by now out of garbage collection, which would take a tenth of the tests' time."""
    gc.freeze()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is absent."""
    if not _DATA.is_dir():
        pytest.skip(f"no real data at {_DATA}: set PENSTOCK_DATA to the folder that holds it")
    return _DATA


def unpickled(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))  # noqa: S301  # our own bytes


@pytest.fixture(params=[unpickled, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
def duplicate(request) -> Callable[[Any], Any]:
    """A function that gives another object like its argument: by way of pickle, or as a copy."""
    return request.param


@pytest.fixture
def three_threads() -> Iterator[int]:
    """PyTorch has three threads, as a person may have set: what changes their number has to give them back."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


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
    from penstock.network import ClassHead, Embedding, Network, Recurrent
    from penstock.text.features import TextFeatures

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


class Delayed:
    """The likeliest label of each step and the one before it, told `delay` steps later: a decoder that remembers."""

    immediate = False

    def __init__(self, delay: int = 2, outputs: int = 3) -> None:
        self.delay, self.outputs = delay, outputs

    def whole(self, scores: Any) -> Any:
        before = np.concatenate([np.zeros((1, self.outputs), np.float32), scores])[:-1]
        return (scores + before).argmax(axis=1)

    def stream(self) -> Any:
        return DelayedStream(self.delay, self.outputs)


class DelayedStream:
    """`Delayed` for scores that arrive."""

    def __init__(self, delay: int, outputs: int) -> None:
        self._before, self._waiting = np.zeros(outputs, np.float32), np.zeros(delay, np.int64)
        self._seen = np.zeros(1, np.int64)

    def push(self, scores: Any) -> Any:
        told = []
        for row in scores:
            if self._seen[0] >= len(self._waiting):
                told.append(self._waiting[0])
            self._waiting[:-1] = self._waiting[1:]
            self._waiting[-1] = (row + self._before).argmax()
            self._before[:] = row
            self._seen += 1
        return np.array(told, np.int64)

    def finish(self) -> Any:
        return self._waiting[len(self._waiting) - min(int(self._seen[0]), len(self._waiting)) :].copy()

    def reset(self) -> None:
        for array in self.arrays().values():
            array[:] = 0

    def arrays(self) -> dict[str, Any]:
        return {"before": self._before, "waiting": self._waiting, "seen": self._seen}

    def bounds(self) -> dict[str, tuple[int, int]]:
        return {"waiting": (0, len(self._before) - 1)}


class Counts:
    """The commonest class of each word."""

    names = ("majority",)

    def __init__(self, arrays: Any) -> None:
        self.shares = arrays["class_counts"] / arrays["class_counts"].sum()

    def answers(self, name: str, inputs: Any) -> Any:
        return np.tile(self.shares, (sum(len(each.split()) for each in inputs), 1))


class TextLabels(TextSequenceModel, StepModel):
    task = "text-labels"
    read_baselines = staticmethod(Counts)


class SignalLabels(SignalSequenceModel, StepModel):
    task = "signal-labels"
    read_baselines = staticmethod(Counts)


class DelayedTextLabels(TextLabels):
    decoder = cached_property(lambda self: Delayed())


class DelayedSignalLabels(SignalLabels):
    decoder = cached_property(lambda self: Delayed())


@pytest.fixture(scope="session")
def step_model(text_parts) -> Callable[..., Any]:
    """A function that makes a model with random weights that labels each token of a text, or step of a signal."""
    from penstock.network import Embedding, Network, Numbers, Recurrent, StepClassHead
    from penstock.signals.features import SignalFeatures

    kinds = {"text": (TextLabels, DelayedTextLabels), "step": (SignalLabels, DelayedSignalLabels)}

    def make(reads: str = "text", *, delayed: bool = False, baseline: Any = None, **encoder: Any) -> Any:
        words = text_parts()[1]
        signals = SignalFeatures(stride=1, width=2).fit([np.random.default_rng(0).normal(3, 2, (20, 2))])
        features, inputs = (words, Embedding(words.vocabulary_size, 4)) if reads == "text" else (signals, Numbers(4))
        options = {"cell": "lstm", "hidden_size": 9, "num_layers": 2} | encoder
        network = Network(inputs, Recurrent(input_size=4, **options), StepClassHead(3))
        draw = np.random.default_rng(2)
        tensors = {name: draw.normal(size=shape, scale=0.8) for name, shape in network.parameter_shapes().items()}
        return kinds[reads][delayed](network, features, ["O", "PER", 3], tensors, baseline=baseline)

    return make


@pytest.fixture(scope="session")
def spoken() -> tuple[list[Any], list[str]]:
    """Synthetic recordings of three words, eight of each, at 8 kHz, and their labels."""
    from penstock.audio.synthetic_words import synthetic_words

    return synthetic_words(8, np.random.default_rng(0), ["yes", "no", "stop"])


@pytest.fixture(scope="session")
def audio_model(spoken) -> Any:
    """An audio model with random weights, of the labels of `spoken`."""
    from penstock.audio.model import AudioModel
    from penstock.network import ClassHead, Network, Numbers, Recurrent
    from penstock.sounds.features import AudioFeatures

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
    """Standard error without the lines that say what is being done."""


class Talking(Result):
    """Equal to a `Result` that says nothing."""

    said: str
    """The lines of standard error that say what is being done."""


class Said(logging.Handler):
    """Keeps what a command says of its work."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.INFO:
            self.lines.append(record.getMessage())

    def said(self, line: str) -> bool:
        """Whether a line of standard error, plain or JSON, says what is being done."""
        if line.startswith('{"time"'):
            return json.loads(line)["event"] not in ("warning", "error")
        return line.rstrip("\n") in self.lines


@pytest.fixture
def penstock(capsys, monkeypatch):
    """Runs `penstock WORDS...` in this process, with bytes on standard input."""
    from penstock.cli import main

    def run(*words: object, stdin: bytes = b"") -> Talking:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capsys.readouterr()
        told = Said()
        logging.getLogger("penstock").addHandler(told)
        try:
            code = main([str(word) for word in words])
        finally:
            logging.getLogger("penstock").removeHandler(told)
        out, err = capsys.readouterr()
        lines = err.splitlines(keepends=True)
        said = [line for line in lines if told.said(line)]
        result = Talking(code, out, "".join(line for line in lines if not told.said(line)))
        result.said = "".join(said)
        return result

    return run
