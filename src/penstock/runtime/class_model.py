"""Models that classify sequences."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.rows import Rows
from penstock.errors import ConfigError, DataError
from penstock.labels import LabelIndex, label_texts, same_labels
from penstock.network import ClassHead
from penstock.runtime.columns import column_list
from penstock.runtime.judged import Judged, evaluation, required
from penstock.runtime.metrics import Outcomes
from penstock.runtime.per_class import per_class
from penstock.runtime.question import Aim, label_place, log_odds, refuse_step
from penstock.runtime.sequence_model import SequenceModel

__all__ = ["ClassModel"]

_OWN = ""
"""The name of the model itself beside those of its baselines."""


class ClassModel(SequenceModel):
    """A sequence classifier that needs no PyTorch; each kind of data has a subclass.

    Attributes:
        label_texts: how each class is written in columns and keys, in the order of `labels`; see `penstock.labels`.
    """

    def check(self) -> None:
        """Check that there are as many labels as classes."""
        head = self.network.head
        classes = head.classes if isinstance(head, ClassHead) else 0
        if len(self.labels) != classes:
            raise ConfigError(f"a head of {classes} classes needs {classes} labels; got {len(self.labels)}")
        self.label_texts = label_texts(self.labels)

    def predict(self, inputs: Iterable[Any]) -> list[Any]:
        """Return the most likely label of each input.

        Raises:
            DataError: the inputs are not of this model's kind.
        """
        return [self.labels[place] for place in self.predict_proba(inputs).argmax(axis=1)]

    def predict_proba(self, inputs: Iterable[Any]) -> NDArray[np.float32]:
        """Return the probability of each label, (inputs, labels), in the order of `labels`.

        Raises:
            DataError: the inputs are not of this model's kind.
        """
        return self.outputs(self.checked(self.given(inputs)[0]))

    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """Return accuracy, f1_macro and log_loss on labelled inputs, of the model and of each baseline; see `Model`.

        `per_class` has a dict for each class: label, precision, recall, f1, rows and the 95 % intervals.

        Raises:
            DataError: inputs and labels differ in length or are empty, or a label is missing or unknown to the model.
        """
        inputs, answers = self.given(inputs, answers, labelled=True)
        rows = self.checked(inputs)
        truth = self._places(column_list(answers, "labels"), len(rows))
        others = self.baseline_answers(rows)
        return self._evaluation(
            self._judged(rows, truth, self.outputs(rows)),
            {name: self._judged(rows, truth, each) for name, each in others.items()},
        )

    def evaluate_blocks(self, blocks: Iterable[Rows]) -> dict[str, Any]:
        """Return what `evaluate` returns for the rows of all blocks together, bit for bit; see `Model`.

        Of a row, its true class is held, and its predicted class and its loss for the model and for each baseline.

        Raises:
            DataError: as `evaluate`.
        """
        found: dict[str, list[Outcomes]] = {}
        for block in filter(len, blocks):
            rows = self.checked(block.inputs)
            truth = self._places(block.answers or [], len(rows)).astype(np.int32)
            for name, each in {_OWN: self.outputs(rows), **self.baseline_answers(rows)}.items():
                found.setdefault(name, []).append(Outcomes.of(each, truth))
        if not found:
            raise DataError("there are no rows to evaluate. Is it the right file and column?")
        judged = {name: self._outcome_judged(Outcomes.joined(found.pop(name))) for name in list(found)}
        return self._evaluation(judged.pop(_OWN), judged)

    def pair(self, other: Any, inputs: Any, answers: Any = None, *, theirs: Any = None) -> tuple[Judged, Judged]:
        """See `Model.pair`; DataError as in `evaluate`, ConfigError if the models have other labels."""
        places = same_labels(self.labels, other.labels)
        rows, beside = self.checked_pair(other, inputs, theirs)
        truth = self._places(column_list(required(answers), "labels"), len(rows))
        outputs = other.outputs(beside)[:, places]
        return self._judged(rows, truth, self.outputs(rows)), self._judged(rows, truth, outputs)

    def _judged(self, rows: Sequence[Any], truth: NDArray[np.int64], probabilities: NDArray[Any]) -> Judged:
        judged = self._outcome_judged(Outcomes.of(probabilities, truth))
        return replace(judged, probabilities=probabilities, names=[self.named(each) for each in rows])

    def _outcome_judged(self, found: Outcomes) -> Judged:
        """Return what is judged without the rows and probabilities."""
        stretch = self.stretch(len(found.truth))
        return Judged(
            found.metrics(),
            found.sums(stretch=stretch),
            found.truth,
            found.predicted,
            self.labels,
            single=stretch == 1,
        )

    def _evaluation(self, ours: Judged, baselines: Mapping[str, Judged]) -> dict[str, Any]:
        stretch = self.stretch(len(ours.truth))
        return evaluation(ours, baselines) | {
            "per_class": per_class(ours.predicted, ours.truth, self.labels, stretch=stretch)
        }

    def answers(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """Yield `prediction` and each label's `probability_<label>` for each input."""
        for row in self.predict_proba(inputs):
            spread = {f"probability_{text}": float(p) for text, p in zip(self.label_texts, row, strict=True)}
            yield {"prediction": self.labels[int(row.argmax())], **spread}

    def decode(self, outputs: NDArray[np.float32]) -> dict[Any, float]:
        """Map each label to its probability."""
        return dict(zip(self.labels, outputs.tolist(), strict=True))

    def aim(self, outputs: NDArray[np.float32], target: Any, at: int | None) -> Aim:
        """Explain the log-odds of a label."""
        refuse_step(at)
        place = label_place(self, target, outputs)
        return Aim(target=self.labels[place], at=None, unit="log-odds", score=lambda scores: log_odds(scores, place))

    def linear(self, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the logarithms of probabilities, which differ from the logits by a constant."""
        return np.log(np.maximum(outputs.astype(np.float64), np.finfo(np.float32).tiny))

    def as_json(self, answer: dict[Any, float]) -> dict[str, Any]:
        """Return {"prediction": label, "probabilities": {the label's text: p}}."""
        probabilities = dict(zip(self.label_texts, answer.values(), strict=True))
        return {"prediction": max(answer, key=answer.__getitem__), "probabilities": probabilities}

    def info(self) -> dict[str, Any]:
        """Return `Model.info` with `label_texts` added."""
        return super().info() | {"label_texts": self.label_texts}

    def _places(self, labels: list[Any], rows: int) -> NDArray[np.int64]:
        if len(labels) != rows or not rows:
            raise DataError(f"inputs and labels must have the same length, at least 1; got {rows} and {len(labels)}")
        try:
            return np.array(LabelIndex(self.labels).places(labels, "labels"), np.int64)
        except DataError as error:
            raise DataError(f"{error} Is it another data set, or another column?") from error
