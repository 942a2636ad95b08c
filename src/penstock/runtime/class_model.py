"""Models that say which class a sequence belongs to."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError, DataError
from penstock.labels import LabelIndex, label_texts
from penstock.network import ClassHead
from penstock.runtime.columns import column_list
from penstock.runtime.metrics import class_metrics, class_sums
from penstock.runtime.resampling import compared
from penstock.runtime.sequence_model import SequenceModel

__all__ = ["ClassModel"]


class ClassModel(SequenceModel):
    """A classifier of sequences without PyTorch; a kind of data makes a class of its own from it.

    Attributes:
        label_texts: how each class is written in columns and keys, in the order of `labels`; see `penstock.labels`.
    """

    def check(self) -> None:
        """As many labels as classes."""
        head = self.network.head
        classes = head.classes if isinstance(head, ClassHead) else 0
        if len(self.labels) != classes:
            raise ConfigError(f"a head of {classes} classes needs as many labels; got {len(self.labels)}")
        self.label_texts = label_texts(self.labels)

    def predict(self, inputs: Iterable[Any]) -> list[Any]:
        """The likeliest label of each input.

        Raises:
            DataError: as `predict_proba`.
        """
        return [self.labels[answer] for answer in self.predict_proba(inputs).argmax(axis=1)]

    def predict_proba(self, inputs: Iterable[Any]) -> NDArray[np.float32]:
        """The probability of each label, (inputs, labels), in the order of `labels`.

        Raises:
            DataError: not inputs of this kind of model.
        """
        return self.outputs(self.checked(inputs))

    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """accuracy, f1_macro and log_loss on labelled inputs, of the model and of each baseline; see `Model`.

        Raises:
            DataError: not as many labels as inputs, none at all, one that is missing, or one that the model doesn't
                know.
        """
        rows = self.checked(inputs)
        truth = self._places(column_list(answers, "labels"), len(rows))
        found, others = self.outputs(rows), self.baseline_answers(rows)
        beside = {name: class_metrics(each, truth) for name, each in others.items()}
        return {
            "metrics": class_metrics(found, truth),
            "baseline": next(iter(beside.values()), {}),
            "baselines": beside,
            **compared(class_sums(found, truth), {name: class_sums(each, truth) for name, each in others.items()}),
        }

    def answers(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """For each input its `prediction` and each label's `probability_<label>`."""
        for row in self.predict_proba(inputs):
            spread = {f"probability_{text}": float(p) for text, p in zip(self.label_texts, row, strict=True)}
            yield {"prediction": self.labels[int(row.argmax())], **spread}

    def decode(self, outputs: NDArray[np.float32]) -> dict[Any, float]:
        """Label to probability."""
        return dict(zip(self.labels, outputs.tolist(), strict=True))

    def as_json(self, answer: dict[Any, float]) -> dict[str, Any]:
        """{"prediction": label, "probabilities": {the label's text: p}}."""
        probabilities = dict(zip(self.label_texts, answer.values(), strict=True))
        return {"prediction": max(answer, key=answer.__getitem__), "probabilities": probabilities}

    def info(self) -> dict[str, Any]:
        """As `Model.info`, and `label_texts`."""
        return super().info() | {"label_texts": self.label_texts}

    def _places(self, labels: list[Any], rows: int) -> NDArray[np.int64]:
        if len(labels) != rows or not rows:
            raise DataError(f"inputs and labels must have the same length, at least 1; got {rows} and {len(labels)}")
        try:
            return np.array(LabelIndex(self.labels).places(labels, "labels"), np.int64)
        except DataError as error:
            raise DataError(f"{error} Is it another data set, or another column?") from error
