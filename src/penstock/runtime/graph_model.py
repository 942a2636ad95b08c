"""Models that came from elsewhere: a graph of operations, from arrays to arrays."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock import bundle
from penstock.bundle import Bundle
from penstock.errors import BundleError, ConfigError, DataError, InputError
from penstock.model_card import published
from penstock.network import Graph, Value
from penstock.runtime.graph_reading import graph_reading
from penstock.runtime.graph_scorer import GraphScorer
from penstock.runtime.model import Baselines, Model
from penstock.runtime.parameters import real
from penstock.runtime.reading import Reading
from penstock.runtime.stream import Stream, Traces
from penstock.sequences import Sequences

__all__ = ["ArrayFeatures", "GraphModel", "GraphStream"]


class ArrayFeatures:
    """Arrays that a graph reads as they are."""

    kind = "arrays"

    def to_json(self) -> dict[str, Any]:
        """Return {"kind": "arrays"}."""
        return {"kind": self.kind}


class GraphModel(Model):
    """A network that was imported, and reads and returns arrays.

    An input is one sequence: an array (time, size) of numbers or (time,) of ids, or with several inputs a mapping from
    each input's name to such an array, all of the same length. A prediction is an array, (time, size) or (size,); with
    several outputs, a mapping from each output's name to one.

    Args:
        graph: the network.
        tensors: float32 arrays by the names in `graph.parameter_shapes()`.

    Examples:
        >>> import numpy as np
        >>> from penstock.network import Dense, GraphBuilder, Pool, Value
        >>> from penstock.runtime import GraphModel
        >>> builder = GraphBuilder({"x": Value(3)})
        >>> mean = builder.add(Pool("mean"), "x")
        >>> model = GraphModel(*builder.build(builder.add(Dense(3, 2, bias=False), mean, weight=np.ones((2, 3)))))
        >>> model.predict([np.ones((4, 3)), np.zeros((2, 3))])
        [array([3., 3.], dtype=float32), array([0., 0.], dtype=float32)]
    """

    task = "network"
    reads = "step"
    network: Graph  # type: ignore[assignment]
    scorer: GraphScorer  # type: ignore[assignment]

    def __init__(
        self,
        network: Graph,
        tensors: Mapping[str, NDArray[Any]],
        *,
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(network, ArrayFeatures(), [], tensors, metrics=metrics)  # type: ignore[arg-type]

    @classmethod
    def from_bundle(cls, saved: Bundle) -> Self:
        """Make the model of a loaded bundle; ConfigError if it holds no graph."""
        if not isinstance(saved.network, Graph):
            raise ConfigError("a model for arrays needs a graph; the bundle describes a network of three parts")
        return cls(saved.network, saved.tensors, metrics=saved.metrics)

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> ArrayFeatures:
        """Return the features, which nothing describes."""
        return ArrayFeatures()

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> Baselines:
        """Raise BundleError, because nothing was trained here that could be compared."""
        raise BundleError("an imported model has no baselines")

    def save(
        self,
        path: str | Path,
        *,
        overwrite: bool = False,
        license: str | None = None,
        datasets: Sequence[str] | None = None,
    ) -> Path:
        """Write the model's folder, all or nothing.

        Args:
            path: the folder.
            overwrite: replace an existing model.
            license, datasets: for the card, as the Hugging Face Hub writes them.

        Raises:
            BundleError: it can't be written.
            ConfigError: what can't be a licence or a data set.
        """
        contents = (self.network, self.features.to_json(), self.labels, self.tensors)
        metrics = {**self.metrics, **published(license, datasets)}
        return bundle.save(path, *contents, task=self.task, metrics=metrics, overwrite=overwrite)

    def encode(self, inputs: Iterable[Any]) -> dict[str, Sequences]:
        """Return the inputs of the graph by name, from one array or mapping for each sequence.

        Raises:
            DataError: an array has the wrong shape or values, or a name is missing or unknown.
        """
        rows = [self._named(item, f"input {number}") for number, item in enumerate(inputs)]
        return {
            name: Sequences.from_list([row[name] for row in rows])
            if rows
            else Sequences(np.zeros((0,) if value.ids else (0, value.size), _dtype(value)), np.zeros(1, np.int64))
            for name, value in self.network.inputs.items()
        }

    def predict(self, inputs: Iterable[Any]) -> list[Any]:
        """Return the prediction for each input.

        Raises:
            DataError: as in `encode`.
        """
        found = self.scorer.scores(self.encode(inputs))
        rows = list(map(list, found.values()))
        return [self._joined(dict(zip(found, row, strict=True))) for row in zip(*rows, strict=True)]

    def reading(self, item: Any) -> Reading:
        """Return a sequence as the recurrent layers read it, for networks with one stack of them.

        Raises:
            DataError: as in `encode`.
            ConfigError: the network has no such stack or several, or one with masks or initial states.
        """
        return graph_reading(self.scorer, self.tensors, self._named(item, "the input"))

    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """Raise ConfigError: what an imported network's outputs mean is not known here."""
        raise ConfigError(
            "an imported network has no task, so its outputs have no score. Call predict, and measure its arrays."
        )

    def answers(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """Yield, for each input, each output by its name as nested lists."""
        for prediction in self.predict(inputs):
            yield self.as_json(prediction)

    def stream(self) -> "GraphStream":
        """Start a stream; ConfigError if a node reads later steps before earlier ones."""
        return GraphStream(self)

    def item(self, line: str) -> Any:
        """Parse a step as JSON: a list of numbers, an id, or an object of these by input; DataError if it is none."""
        try:
            return json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"a step must be JSON, such as [0.5, 1]; got {line!r:.80}: {error}") from error

    def as_json(self, answer: Any) -> dict[str, Any]:
        """Return {output name: nested lists}."""
        named = answer if isinstance(answer, dict) else {self.network.outputs[0]: answer}
        return {name: array.tolist() for name, array in named.items()}

    @property
    def streams(self) -> bool:
        """Whether the model can be streamed."""
        return self.network.streams

    def _named(self, item: Any, where: str) -> dict[str, NDArray[Any]]:
        """Return the checked arrays of a sequence by name."""
        names = self.network.inputs
        given = item if isinstance(item, Mapping) else {next(iter(names)): item}
        if set(given) != set(names):
            raise DataError(f"{where} must be a mapping with the inputs {', '.join(names)}; got {_described(item)}")
        arrays = {name: _checked(given[name], value, f"{where}, {name}") for name, value in names.items()}
        if len({len(array) for array in arrays.values()}) > 1:
            steps = ", ".join(f"{name} has {len(array)}" for name, array in arrays.items())
            raise DataError(f"{where}: all inputs must have the same number of steps; {steps}")
        return arrays

    def _joined(self, outputs: dict[str, Any]) -> Any:
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs


class GraphStream(Stream):
    """A stream through an imported network.

    An item is one step: an array (size,), an id, or a mapping from input names to these. A prediction is the outputs
    for that step, (size,) each, for pooled outputs those of the steps so far; `finish` returns the last one.
    """

    def __init__(self, model: GraphModel) -> None:
        graph = model.network
        if graph.backward:
            raise ConfigError(
                f"{', '.join(graph.backward)} read each sequence from its end too, so this network can't be streamed. "
                "Call predict on whole sequences."
            )
        super().__init__("graph", model)
        self._scorer, self._memory_parts = model.scorer, model.scorer.memory(1)
        sizes = {name: graph.values[name].size for name in graph.outputs if graph.values[name].steps}
        self._last = {name: np.zeros((1, 1, size), np.float32) for name, size in sizes.items()}

    def _push(self, item: Any, traces: Traces | None) -> Any:
        if traces is not None:
            raise ConfigError("the gates of an imported network's steps can't be traced")
        named = item if isinstance(item, Mapping) else {next(iter(self._model.network.inputs)): item}
        step = self._model._named({name: [value] for name, value in named.items()}, "a step")
        for name, array in self._scorer.advance(self._memory_parts, {k: v[:, None] for k, v in step.items()}).items():
            self._last[name][...] = array
        return self._whole()

    def _whole(self) -> Any:
        pooled = self._scorer.read(self._memory_parts)
        outputs = {
            name: self._last[name][0, 0].copy() if name in self._last else pooled[name][0]
            for name in self._model.network.outputs
        }
        return self._model._joined(outputs)

    def _memory(self) -> dict[str, NDArray[Any]]:
        return self._scorer.arrays(self._memory_parts) | {f"output.{name}": array for name, array in self._last.items()}

    def _forget(self) -> None:
        self._scorer.reset(self._memory_parts)
        for array in self._last.values():
            array[...] = 0


def _dtype(value: Value) -> Any:
    return np.int64 if value.ids else np.float32


def _checked(array: ArrayLike, value: Value, where: str) -> NDArray[Any]:
    """Return one input of a sequence, after checks of its type, shape and values."""
    try:
        found = real(array, where)
    except InputError as error:
        raise DataError(str(error)) from error
    if found.shape == (0,):  # an empty list has neither a type nor a number of features
        return np.zeros((0,) if value.ids else (0, value.size), _dtype(value))
    if found.ndim != (1 if value.ids else 2) or (not value.ids and found.shape[1] != value.size):
        shape = "(time,) ids" if value.ids else f"(time, {value.size})"
        raise DataError(f"{where} must be {shape}; got {found.shape}")
    if not value.ids:
        if not np.isfinite(found).all():
            raise DataError(f"{where} must be finite; it holds NaN or infinity")
        return found
    ids = np.asarray(array)
    if ids.dtype.kind not in "iu" or (len(ids) and not 0 <= ids.min() <= ids.max() < value.size):
        raise DataError(f"{where} must be whole numbers from 0 to {value.size - 1}; got {ids!r:.80}")
    return ids.astype(np.int64)


def _described(item: Any) -> str:
    return f"a mapping with {', '.join(map(str, item))}" if isinstance(item, Mapping) else "one array"
