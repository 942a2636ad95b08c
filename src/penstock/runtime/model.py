"""What every saved model is when it is at work: described, told apart from others, asked, measured. Without PyTorch."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from penstock import bundle
from penstock.bundle import Bundle
from penstock.errors import BundleError, ConfigError
from penstock.network import Network
from penstock.runtime.scorer import Scorer, build
from penstock.runtime.stream import Stream

__all__ = ["Baselines", "Features", "Model"]


class Baselines(Protocol):
    """What a model must beat, from arrays alone."""

    @property
    def names(self) -> tuple[str, ...]:
        """The main one, by which the model is judged, first."""
        ...

    def answers(self, name: str, inputs: Any, /) -> NDArray[Any]:
        """A baseline's answers, of the same form as the model's."""
        ...


class Features(Protocol):
    """What training learned of how data becomes numbers."""

    kind: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """Everything that makes them again, as plain values."""
        ...


class Model(ABC):
    """A trained network with all that it needs to answer.

    It can be pickled, copied and sent to other processes. The pickle holds the files of the model's bundle, and loading
    it needs no PyTorch.

    Args:
        network: its description.
        features: turn data into the network's input.
        labels: the classes in the order of the head's outputs; empty where the answers are numbers.
        tensors: float32 arrays as in `model.safetensors`.
        baseline: arrays as in `baseline.safetensors`, if any.
        metrics: what training measured, if anything.

    Raises:
        ConfigError: the runtime can't run this network, or its parts do not fit each other.
    """

    task: ClassVar[str]
    """The name of the task, as in `penstock.registry.TASKS`."""
    reads: ClassVar[Literal["text", "step", "samples"]]
    """What a stream is pushed: pieces of a text, single steps of numbers, or samples of a sound."""
    view: str = ""
    """How the server's page shows the model: "text", "signal", "sound", "forecast", "steps"; "" where it can't."""
    sample_rate: int | None = None
    """Samples a second, of models that read samples."""
    scorer: Scorer
    """The network on the engine."""

    def __init__(
        self,
        network: Network,
        features: Any,
        labels: Sequence[Any],
        tensors: Mapping[str, NDArray[Any]],
        *,
        baseline: Mapping[str, NDArray[Any]] | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        self.network = network
        self.features = features
        self.labels = list(labels)
        self.metrics = dict(metrics or {})
        self.tensors = {name: np.ascontiguousarray(array, np.float32) for name, array in tensors.items()}
        self.baseline = dict(baseline or {})
        self.check()
        self.scorer = build(network, self.tensors)
        self.baselines = self.read_baselines(baseline) if baseline else None

    def __reduce__(self) -> tuple[Any, ...]:
        files = bundle.encode(
            self.network,
            self.features.to_json(),
            self.labels,
            self.tensors,
            task=self.task,
            baseline=self.baseline,
            metrics=self.metrics,
        )
        return _unpickled, (type(self), files)

    def check(self) -> None:  # noqa: B027  # each parent of a model checks its own part
        """Whether network, features and labels fit each other; ConfigError if they do not."""

    @classmethod
    def from_bundle(cls, saved: Bundle) -> Self:
        """The model of a saved bundle.

        Raises:
            ConfigError: its features can't be read, or do not fit its network.
        """
        features = cls.read_features(saved.features)
        return cls(saved.network, features, saved.labels, saved.tensors, baseline=saved.baseline, metrics=saved.metrics)

    @classmethod
    @abstractmethod
    def read_features(cls, described: Mapping[str, Any]) -> Any:
        """The features that a bundle describes; ConfigError if they are none of this model's."""

    @abstractmethod
    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> Baselines:
        """The baselines that a bundle holds; BundleError if they are damaged."""

    @abstractmethod
    def predict(self, inputs: Any) -> Any:
        """The answer to each input."""

    @abstractmethod
    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """How well the model does where the answers are known, beside what it must beat.

        Returns:
            `metrics`; `baseline`, the same figures of the main baseline; `baselines`, those of each by its name;
            `interval`, the 95 % interval of each figure, [low, high], and `baseline_intervals`, of each baseline's;
            `verdict` beside the main baseline, {metric: "better", "worse" or "no clear difference"}; `difference`,
            what it rests on; `units`, how many independent cases there were: see `runtime.resampling.compared`. What is
            said of baselines is empty without one.
        """

    @abstractmethod
    def answers(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """What `penstock predict` writes: a flat row or more for each input."""

    @abstractmethod
    def stream(self) -> Stream:
        """An input that arrives piece by piece; ConfigError if the network can't be streamed."""

    def listen(self, words: Sequence[str] | None = None, threshold: float | None = None) -> Stream:
        """The stream of a sound that does not end, of models that read samples: `stream()`, unless they spot words.

        Args:
            words: the labels to hear; all if None.
            threshold: the score from which on a word counts as heard.

        Raises:
            ConfigError: there are no words to spot, or none of these.
        """
        if words is not None or threshold is not None:
            raise ConfigError(f"a model for {self.task} spots no words. Leave words and threshold out.")
        return self.stream()

    @abstractmethod
    def item(self, line: str) -> Any:
        """What `penstock stream` pushes for a line; DataError if the line is no such thing."""

    @abstractmethod
    def as_json(self, answer: Any) -> dict[str, Any]:
        """What `penstock stream` prints for an answer of `Stream.push`."""

    @property
    def streams(self) -> bool:
        """Whether `stream` works."""
        return not getattr(self.network.encoder, "bidirectional", False)

    @property
    def pools(self) -> bool:
        """Whether its streams may be advanced together, in `scorer.pool()`."""
        return self.scorer.pools

    def info(self) -> dict[str, Any]:
        """What the model is, for people and programs: plain values that go into JSON."""
        return {
            "task": self.task,
            "labels": self.labels,
            "network": self.network.to_json(),
            "parameters": sum(array.size for array in self.tensors.values()),
            "streams": self.streams,
            "reads": self.reads,
            "view": self.view,
            "fingerprint": self.fingerprint,
            "metrics": self.metrics,
        }

    @cached_property
    def fingerprint(self) -> str:
        """What tells this model from any other: a hash of its description, features, labels and tensors."""
        described = [self.network.identity(), self.features.to_json(), self.labels]
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for name in sorted(self.tensors):
            digest.update(self.tensors[name].tobytes())
        return digest.hexdigest()

    def baseline_answers(self, inputs: Any) -> dict[str, NDArray[Any]]:
        """The answers of each baseline, the main one first; none without a saved baseline."""
        return {name: self.baselines.answers(name, inputs) for name in self.baselines.names} if self.baselines else {}


def _unpickled(kind: type[Model], files: Mapping[str, bytes]) -> Model:
    """The model whose bundle a pickle holds.

    Raises:
        BundleError: written by a newer Penstock, damaged, or with a cell that isn't registered in this process.
    """
    where = f"a pickled {kind.__name__}"
    try:
        return kind.from_bundle(bundle.decode(files, where))
    except ConfigError as error:
        raise BundleError(f"{where}: can't be used: {error}") from error
