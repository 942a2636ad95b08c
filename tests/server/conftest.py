"""Servers as they are run: processes of their own on free ports of 127.0.0.1."""

import asyncio
import contextlib
import inspect
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock
from penstock import bundle
from penstock.network import ClassHead, Embedding, Network, Numbers, Recurrent, RegressionHead
from penstock.signals.features import SignalFeatures
from penstock.text.features import TextFeatures

WORDS = [f"w{number}" for number in range(50)]


def _save_model(folder: Path, *, cell: str = "lstm", seed: int = 0, bidirectional: bool = False) -> Path:
    """A text classifier with random weights."""
    features = TextFeatures(min_count=1).fit([" ".join(WORDS)])
    network = Network(
        Embedding(features.vocabulary_size, 8),
        Recurrent(cell=cell, input_size=8, hidden_size=16, bidirectional=bidirectional),
        ClassHead(2, "mean_max"),
    )
    draw = np.random.default_rng(seed)
    tensors = {name: draw.normal(size=shape).astype(np.float32) for name, shape in network.parameter_shapes().items()}
    bundle.save(folder, network, features.to_json(), ["bad", "good"], tensors, baseline={"class_counts": [1, 1]})
    return folder


@pytest.fixture(scope="session")
def save_model() -> Callable[..., Path]:
    """Writes the folder of a text classifier with random weights."""
    return _save_model


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> dict[str, Path]:
    """Two models that stream and one that does not."""
    folder = tmp_path_factory.mktemp("served")
    return {
        "words": _save_model(folder / "words"),
        "other": _save_model(folder / "other", cell="gru", seed=1),
        "both-ways": _save_model(folder / "both-ways", bidirectional=True),
    }


@pytest.fixture(scope="session")
def words(folders) -> Any:
    """The first model, loaded here: what it answers, the server must answer."""
    return penstock.load(folders["words"])


def _save_signal_model(folder: Path, *, window: int | None = None, number: bool = False) -> Path:
    """A model of signals of two channels with random weights: of three classes, or of a number."""
    features = SignalFeatures(stride=1, width=2, window=window).fit([np.random.default_rng(0).normal(3, 2, (20, 2))])
    encoder = Recurrent(cell="gru", input_size=features.size, hidden_size=6)
    head = RegressionHead(pooling="mean_max") if number else ClassHead(3, "mean_max")
    network = Network(Numbers(features.size), encoder, head)
    draw = np.random.default_rng(1)
    tensors = {name: draw.normal(size=shape).astype(np.float32) for name, shape in network.parameter_shapes().items()}
    labels, task = ([], "series-regression") if number else (["a", "b", "c"], "series-classification")
    return bundle.save(folder, network, features.to_json(), labels, tensors, task=task)


@pytest.fixture(scope="session")
def models(tmp_path_factory, audio_model) -> dict[str, Any]:
    """A model of each other task, by the name it is served under: as loaded here; and their `folder`."""
    from penstock.tasks import Forecaster

    folder = tmp_path_factory.mktemp("tasks")
    _save_signal_model(folder / "gestures")
    _save_signal_model(folder / "each-step", window=4)
    _save_signal_model(folder / "level", number=True)
    sounds = audio_model
    parts = (sounds.network, sounds.features.to_json(), sounds.labels, sounds.tensors)
    bundle.save(folder / "sounds", *parts, task=sounds.task)
    series = 10 + np.sin(np.arange(80)) + np.random.default_rng(0).normal(size=80)
    small: dict[str, Any] = {"horizon": 3, "context": 8, "hidden_size": 4, "epochs": 1}
    Forecaster(**small).fit(series).save(folder / "sales")
    return {path.name: penstock.load(path) for path in folder.iterdir()} | {"folder": folder}


class Process:
    """A running server.

    Args:
        words: what follows `penstock serve`.
        port: a free one if 0.
        program: what Python runs.

    Attributes:
        log: what it has written so far.
        url: its address.
    """

    def __init__(
        self, *words: object, port: int = 0, program: tuple[object, ...] = ("-m", "penstock"), **environment: str
    ) -> None:
        command = [sys.executable, "-W", "error", *map(str, [*program, "serve", *words, "--port", port])]
        self.log: list[dict[str, Any]] = []
        self._ready = threading.Event()
        self.process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PENSTOCK_NUM_THREADS": "1", **environment},
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        if not self._ready.wait(30) or not self.events("ready"):
            self.kill()
            raise AssertionError(f"the server did not start: {self.log}")
        self.url = self.events("ready")[0]["url"]
        self.port = int(self.url.rpartition(":")[2])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, read the rest of the log: the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        self._reader.join()
        return code

    def kill(self) -> None:
        """End it, if it has not ended."""
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of the log about this."""
        return [line for line in self.log if line["event"] == name]

    def memory(self) -> int:
        """Bytes that lie in its memory now."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def _read(self) -> None:
        with self.process.stderr as lines:  # type: ignore[union-attr]
            for line in lines:
                self.log.append(json.loads(line) if line.startswith("{") else {"event": "text", "text": line})
                if self.log[-1]["event"] == "ready":
                    self._ready.set()
        self._ready.set()


@pytest.fixture(scope="session")
def running() -> Callable[..., contextlib.AbstractContextManager[Process]]:
    """Runs `penstock serve WORDS...` for the time of a test: `with running(folder) as server:`."""

    @contextlib.contextmanager
    def run(*words: object, **options: Any) -> Iterator[Process]:
        server = Process(*words, **options)
        try:
            yield server
        finally:
            server.kill()

    return run


@pytest.fixture(scope="module")
def server(folders, running) -> Iterator[Process]:
    """All models, as served by default."""
    with running(*folders.values()) as process:
        process.folders = folders
        yield process


@pytest.fixture
def client(server) -> Iterator[penstock.Client]:
    """A client of it."""
    with penstock.Client(server.url, timeout=30) as found:
        yield found


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutines."""
    if not inspect.iscoroutinefunction(pyfuncitem.function):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**arguments), 60))
    return True
