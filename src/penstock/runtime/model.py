"""The base class of all saved models at run time: description, fingerprint, prediction, evaluation. No PyTorch."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from penstock import bundle
from penstock.bundle import Bundle
from penstock.datasets.rows import Rows
from penstock.errors import BundleError, ConfigError
from penstock.network import Network
from penstock.registry import find, resolve
from penstock.runtime.charts import draw
from penstock.runtime.judged import Judged
from penstock.runtime.question import Question
from penstock.runtime.reading import Reading
from penstock.runtime.report_page import show_page, write_page
from penstock.runtime.scorer import Scorer, build
from penstock.runtime.stream import Stream
from penstock.runtime.summary import as_html, in_a_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from penstock.sounds.front import SoundFront

__all__ = ["Baselines", "Features", "Model"]


class Baselines(Protocol):
    """The baselines saved with a model, computed from arrays alone."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the baselines; the first is the main one, with which the model is compared."""
        ...

    def answers(self, name: str, inputs: Any, /) -> NDArray[Any]:
        """Return a baseline's predictions, in the same form as the model's."""
        ...


class Features(Protocol):
    """The conversion of data into numbers that training fitted."""

    kind: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to rebuild the features, as plain values."""
        ...


class Model(ABC):
    """A trained network together with everything needed to predict.

    It can be pickled, copied and sent to other processes. The pickle holds the files of the model's bundle, and loading
    it needs no PyTorch.

    Args:
        network: the network's description.
        features: the fitted conversion of data into the network's input.
        labels: the classes in the order of the head's outputs; empty if predictions are numbers.
        tensors: float32 arrays as in `model.safetensors`.
        baseline: arrays as in `baseline.safetensors`, if any.
        metrics: what training measured, if anything.

    Raises:
        ConfigError: the runtime cannot run this network, or its parts do not match each other.
    """

    task: ClassVar[str]
    """The name of the task, as in `penstock.registry.TASKS`."""
    reads: ClassVar[Literal["text", "step", "samples"]]
    """What a stream's `push` takes: a piece of text, one step of numbers, or samples of a sound."""
    view: str = ""
    """The view of the server's page: a row of `server/page/views.js`, such as "text"; "" if it has none."""
    batched: ClassVar[bool] = True
    """Whether `answers` computes many inputs at once; if not, it makes a row when it is asked for the next one."""
    names_files: ClassVar[bool] = False
    """Whether a table of inputs names other files, which a server must not read for a client."""
    most_characters: ClassVar[int | None] = None
    """The most characters of a text, or items of a list, that a server predicts for, where not all work on it can be
    divided, or it grows faster than the text; None for any."""
    sample_rate: int | None = None
    """Samples per second, for models that read samples."""
    front: "SoundFront | None" = None
    """How samples become the network's steps, for models that read samples."""
    scorer: Scorer
    """The network on the engine."""
    folder: Path | None = None
    """Where it was loaded from, if it was."""

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

    def __repr__(self) -> str:
        return in_a_line(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: network, data, and the scores beside the baseline's."""
        return as_html(self)

    def check(self) -> None:  # noqa: B027  # each parent class checks its own part
        """Raise ConfigError unless network, features and labels match each other."""

    @classmethod
    def from_bundle(cls, saved: Bundle) -> Self:
        """Make the model of a loaded bundle.

        Raises:
            ConfigError: the features cannot be read, or do not match the network.
        """
        features = cls.read_features(saved.features)
        return cls(saved.network, features, saved.labels, saved.tensors, baseline=saved.baseline, metrics=saved.metrics)

    @classmethod
    @abstractmethod
    def read_features(cls, described: Mapping[str, Any]) -> Any:
        """Read the features that a bundle describes; ConfigError if they are not of this model's kind."""

    @abstractmethod
    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> Baselines:
        """Read the baselines that a bundle holds; BundleError if they are damaged."""

    @abstractmethod
    def predict(self, inputs: Any) -> Any:
        """Return the prediction for each input."""

    @abstractmethod
    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """Measure the model and its baselines on inputs whose true answers are known.

        Returns:
            `metrics`; `baseline`, the same metrics of the main baseline; `baselines`, those of each baseline by name;
            `interval`, the 95 % confidence interval [low, high] of each metric, and `baseline_intervals`, those of each
            baseline; `verdict`, the comparison with the main baseline, {metric: "better", "worse" or "no clear
            difference"}; `difference`, the numbers behind it; `baseline_verdicts` and `baseline_differences`, the same
            for each baseline; `units`, the number of independent cases: see `runtime.resampling.compared`. The values
            about baselines are empty if no baseline was saved.
        """

    def evaluate_blocks(self, blocks: Iterable[Rows]) -> dict[str, Any]:
        """Measure as `evaluate` does, on rows that arrive in blocks and are not held, so that there may be any number.

        Args:
            blocks: rows with their answers, such as `Shards.rows` yields.

        Raises:
            ConfigError: models of this task measure only rows in memory.
            DataError: as for `evaluate`.
        """
        raise ConfigError(
            f"models for {self.task} are evaluated on rows in memory: their class has no method `evaluate_blocks`"
        )

    def pair(self, other: Any, inputs: Any, answers: Any = None, *, theirs: Any = None) -> tuple[Judged, Judged]:
        """Return the predictions of this model and another of its task for the same rows, as `evaluate` judges them.

        Args:
            other: the other model.
            inputs, answers: as for `evaluate`.
            theirs: the same inputs as the other model reads them, where it reads other columns; None for `inputs`.

        Raises:
            ConfigError: the models can't be compared.
            DataError: as for `evaluate`.
        """
        raise ConfigError(f"models for {self.task} cannot be compared: their class has no method `pair`")

    def timed(self, inputs: Any, most: int) -> Callable[[], int]:
        """Return a function that predicts for up to `most` of the inputs and returns for how many; as `pair`."""
        raise ConfigError(f"models for {self.task} cannot be compared: their class has no method `timed`")

    @abstractmethod
    def answers(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """Yield the rows that `penstock predict` writes: one or more flat rows for each input."""

    @abstractmethod
    def stream(self) -> Stream:
        """Start a stream for an input that arrives piece by piece; ConfigError if the network cannot be streamed."""

    def listen(self, words: Sequence[str] | None = None, threshold: float | None = None) -> Stream:
        """Start a stream for endless sound, for models that read samples: `stream()`, unless the model spots words.

        Args:
            words: the labels to detect; all if None.
            threshold: the score above which a word counts as detected.

        Raises:
            ConfigError: the model does not spot words, or does not know one of these.
        """
        if words is not None or threshold is not None:
            raise ConfigError(f"a model for {self.task} does not spot words. Leave words and threshold out.")
        return self.stream()

    @property
    def reads_blank_lines(self) -> bool:
        """Whether a blank line is an item for `penstock stream` like any other; otherwise it ends the input."""
        return False

    @abstractmethod
    def item(self, line: str) -> Any:
        """Parse a line for `penstock stream` to push; DataError if the line is invalid."""

    def piece(self, text: str) -> Any:
        """Parse a text that a client of a server pushes, by default as a line; DataError if it is invalid."""
        return self.item(text)

    @abstractmethod
    def as_json(self, answer: Any) -> dict[str, Any]:
        """Return a prediction of `Stream.push` as plain values, as `penstock stream` prints it."""

    def reading(self, item: Any) -> Reading:
        """Return one input as the layers read it, for `penstock.inspection`.

        Args:
            item: one input, of the kind that `predict` takes several of; a forecaster takes one series.

        Raises:
            DataError: the input is not of this model's kind.
            ConfigError: the model's class cannot be inspected.
        """
        raise ConfigError(f"a model for {self.task} cannot be inspected: its class has no method `reading`")

    def readings(self, inputs: Any) -> Iterator[Reading]:
        """Yield `reading` of each input; arguments as for `predict`."""
        return map(self.reading, inputs)

    def question(
        self, one: Any, *, target: Any = None, at: int | None = None, most_steps: int | None = None
    ) -> Question:
        """Return one input in the form that `penstock.inspection.attribute` explains.

        Args:
            one: one input, as an element of what `predict` takes.
            target: the label whose log-odds are explained, by default the predicted one; of a forecaster the target
                column, by default the first.
            at: the step whose prediction is explained, from 1, if each step has one, by default the last; of a
                forecaster the step ahead, by default the mean of all.
            most_steps: the most steps of the network for the input; None for any number.

        Raises:
            ConfigError: the model has no such target or step, or its inputs can't be explained.
            DataError: the input is empty, too long or not of this model's kind.
        """
        raise ConfigError(
            f"inputs of a model for {self.task} can't be explained: {type(self).__name__} has no question"
        )

    @property
    def streams(self) -> bool:
        """Whether the model can be streamed."""
        return not getattr(self.network.encoder, "bidirectional", False)

    @property
    def pools(self) -> bool:
        """Whether streams of the model can be advanced together, in `scorer.pool()`."""
        return self.scorer.pools

    def plot(self, kind: str | None = None, *, ax: "Axes | None" = None, **options: Any) -> "Axes":
        """Draw a figure of the training, by Matplotlib.

        Args:
            kind: "learning_curve" or, of a classifier, "calibration" or "confusion"; by default the last of these that
                there is.
            ax: where to draw; new axes if None.
            options: go to the function of that name in `penstock.plots`, like `metric="accuracy"`.

        Raises:
            ConfigError: the model's metrics hold no figures for such a chart; the error names those that they do.
            MissingExtraError: Matplotlib isn't installed.
        """
        return draw(self.metrics, self.labels, kind, ax, **options)

    def info(self) -> dict[str, Any]:
        """Return a description of the model: plain values that can be written to JSON."""
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

    def report(self, path: str | Path | None = None, *, language: str | None = None, show: bool = True) -> Path:
        """Open the report on the training in a browser: the saved one, or one that is written for it.

        Args:
            path: the HTML file to write; None for the one in the model's folder, if there is one and no `language` is
                asked for, else for a new temporary file.
            language: "en" or "zh"; None for that of the saved report, or else of the locale.
            show: whether to open it.

        Returns:
            Where it is.

        Raises:
            ConfigError: an unknown language, or a model without metrics.
            InputError: the file can't be written.
        """
        saved = self.folder / "report.html" if self.folder is not None else None
        if path is None and language is None and saved is not None and saved.is_file():
            target = saved
        else:
            target = write_page(self._report_page(language), path)
        if show:
            show_page(target)
        return target

    def _report_page(self, language: str | None) -> str:
        if not self.metrics:
            raise ConfigError("this model has no metrics, so there is nothing to report. Load one that was trained.")
        chosen = resolve("penstock.report:chosen_language")(language)  # of a higher layer
        name = self.folder.resolve().name if self.folder is not None else ""
        return resolve(find(self.task).report)(self.metrics, title=name, language=chosen)

    @cached_property
    def fingerprint(self) -> str:
        """A hash that identifies the model: of its description, features, labels and tensors."""
        described = [self.network.identity(), self.features.to_json(), self.labels]
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for name in sorted(self.tensors):
            digest.update(self.tensors[name].tobytes())
        return digest.hexdigest()

    def baseline_answers(self, inputs: Any) -> dict[str, NDArray[Any]]:
        """Return each baseline's predictions by name, the main one first; empty if no baseline was saved."""
        return {name: self.baselines.answers(name, inputs) for name in self.baselines.names} if self.baselines else {}


def _unpickled(kind: type[Model], files: Mapping[str, bytes]) -> Model:
    """Load the model from the bundle files of a pickle.

    Raises:
        BundleError: a newer Penstock wrote the files, they are damaged, or a cell is not registered here.
    """
    where = f"a pickled {kind.__name__}"
    try:
        return kind.from_bundle(bundle.decode(files, where))
    except ConfigError as error:
        raise BundleError(f"{where}: can't be used: {error}") from error
