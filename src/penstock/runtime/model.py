"""A saved text model at work: whole texts in, labels and probabilities out. PyTorch never enters."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import bundle, heads
from penstock.errors import BundleError, ConfigError, DataError
from penstock.features.text import TextFeatures
from penstock.network import Embedding, Network
from penstock.runtime.baseline import Baseline
from penstock.runtime.metrics import class_metrics
from penstock.runtime.stack import LayerState, Stack
from penstock.runtime.stream import TextStream
from penstock.runtime.texts import column_list, text_list

# Steps computed at once, over all texts of a batch: enough to keep the engine busy, a few tens of megabytes.
_STEPS = 16384
_BATCH = 128


def load(path: str | Path) -> "Model":
    """The model that was saved in a folder, ready to answer.

    Raises:
        BundleError: no such folder, damaged, or written by a newer Penstock.
    """
    saved = bundle.load(path)
    try:
        features = TextFeatures.from_json(saved.features)
    except ConfigError as error:
        raise BundleError(f"{path}: its features can't be read: {error}") from error
    return Model(
        saved.network,
        features,
        saved.labels,
        saved.tensors,
        baseline=saved.baseline,
        metrics=saved.metrics,
    )


class Model:
    """A text classifier without PyTorch.

    An answer's bits depend on the text alone: not on the other texts, their order, or the number of threads.

    Args:
        network: its description; the inputs must be an embedding.
        features: turns texts into ids.
        labels: the classes in the order of the head's outputs.
        tensors: float32 arrays as in `model.safetensors`.
        baseline: arrays as in `baseline.safetensors`, if any.
        metrics: what training measured, if anything.

    Raises:
        ConfigError: the runtime can't run this network.
    """

    def __init__(
        self,
        network: Network,
        features: TextFeatures,
        labels: Sequence[Any],
        tensors: Mapping[str, NDArray[Any]],
        *,
        baseline: Mapping[str, NDArray[Any]] | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(network.inputs, Embedding):
            raise ConfigError(f"a text model needs inputs of kind embedding; got {network.inputs.kind!r}")
        if network.inputs.vocabulary_size != features.vocabulary_size:
            raise ConfigError(
                f"the embedding must have a row for each of the features' {features.vocabulary_size} ids; "
                f"got {network.inputs.vocabulary_size}"
            )
        if len(labels) != network.head.classes:
            raise ConfigError(f"a head of {network.head.classes} classes needs as many labels; got {len(labels)}")
        self.network = network
        self.features = features
        self.labels = list(labels)
        self.metrics = dict(metrics or {})
        self.baseline = Baseline(baseline) if baseline else None
        self._tensors = {name: np.ascontiguousarray(array, np.float32) for name, array in tensors.items()}
        self.encoder = Stack(network.encoder, _under("encoder.", self._tensors))
        self.head = heads.build(
            network.head,
            self._tensors,
            features=network.encoder.output_size,
            bidirectional=network.encoder.bidirectional,
        )

    def predict(self, texts: Iterable[str]) -> list[Any]:
        """The likeliest label of each text.

        Raises:
            DataError: as `predict_proba`.
        """
        return [self.labels[answer] for answer in self.predict_proba(texts).argmax(axis=1)]

    def predict_proba(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """The probability of each label, (texts, labels), in the order of `labels`.

        Args:
            texts: any number of str, in a list, a NumPy array, or a pandas, Polars or Arrow column.

        Raises:
            DataError: a single str, or an element that isn't a str.
        """
        sequences = self.features.apply(text_list(texts))
        answers = np.empty((len(sequences), len(self.labels)), np.float32)
        for indices in _batches(sequences.lengths):
            answers[indices] = self._answer(*sequences.pad(indices))
        return answers

    def stream(self) -> TextStream:
        """A text that arrives piece by piece.

        Raises:
            ConfigError: the model is bidirectional.
        """
        return TextStream(self)

    def evaluate(self, texts: Iterable[str], labels: Iterable[Any]) -> dict[str, dict[str, float]]:
        """How well the model does on labelled texts, beside what it must beat.

        Returns:
            `metrics`, `baseline` (TF-IDF with logistic regression where the model has one, else the majority)
            and `majority`, each with `accuracy`, `f1_macro` and `log_loss`; empty without a saved baseline.

        Raises:
            DataError: not as many labels as texts, none at all, or a label that the model doesn't know.
        """
        rows = text_list(texts)
        truth = self._indices(column_list(labels, "labels"), len(rows))
        result = {"metrics": class_metrics(self.predict_proba(rows), truth), "baseline": {}, "majority": {}}
        if self.baseline is not None:
            result["baseline"] = class_metrics(self.baseline.predict_proba(rows), truth)
            result["majority"] = class_metrics(self.baseline.majority(len(rows)), truth)
        return result

    def info(self) -> dict[str, Any]:
        """What the model is, for people and programs: plain values that go into JSON."""
        return {
            "task": "text classification",
            "labels": self.labels,
            "network": self.network.to_json(),
            "parameters": sum(array.size for array in self._tensors.values()),
            "streams": not self.network.encoder.bidirectional,
            "fingerprint": self.fingerprint,
            "metrics": self.metrics,
        }

    @cached_property
    def fingerprint(self) -> str:
        """What tells this model from any other: a hash of its description, features, labels and tensors."""
        described = [self.network.to_json(), self.features.to_json(), self.labels]
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for name in sorted(self._tensors):
            digest.update(self._tensors[name].tobytes())
        return digest.hexdigest()

    def vectors(self, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        """The embedding's rows, (..., size) for ids of any shape."""
        return self._tensors["inputs.weight"][ids]

    def _answer(self, ids: NDArray[np.int32], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
        """Probabilities (batch, labels) for padded ids (batch, time)."""
        batch, longest = ids.shape
        # In spans, so that memory does not grow with a long text; a backward direction needs all of it at once.
        span = max(longest, 1) if self.network.encoder.bidirectional else max(_STEPS // max(batch, 1), 1)
        carry = self.head.init(batch)
        state: list[LayerState] | None = None
        for start in range(0, longest, span):
            piece = np.ascontiguousarray(ids[:, start : start + span].T)
            inside = np.clip(lengths - start, 0, len(piece))
            y, state = self.encoder(self.vectors(piece), state, inside)
            self.head.fold(carry, y, inside)
        return self.head.read(carry)

    def _indices(self, labels: list[Any], rows: int) -> NDArray[np.int64]:
        if len(labels) != rows or not rows:
            raise DataError(f"texts and labels must be as many, and at least one; got {rows} and {len(labels)}")
        # By their spelling: a label 1 comes back from a CSV file as "1".
        known = {str(label): index for index, label in enumerate(self.labels)}
        if unknown := sorted({str(label) for label in labels} - set(known)):
            raise DataError(
                f"labels must be among {', '.join(known)}; got also {', '.join(unknown[:5])}. "
                "Is it another data set, or another column?"
            )
        return np.array([known[str(label)] for label in labels])


def _under(prefix: str, tensors: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}


def _batches(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Indices of sequences of similar lengths, so that little is computed for padding."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        end = min(start + _BATCH, len(order))
        # Shrink to what the longest, the last one, allows.
        while end > start + 1 and lengths[order[end - 1]] * (end - start) > _STEPS:
            end -= 1
        yield order[start:end]
        start = end
