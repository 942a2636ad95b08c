"""Models that label each step of a sequence, such as words, moments or events."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.errors import ConfigError, DataError
from penstock.heads import ArgMax, Decoder
from penstock.labels import LabelIndex, label_texts, same_labels
from penstock.network import STEPWISE
from penstock.runtime.judged import Judged, evaluation, required
from penstock.runtime.metrics import label_metrics, label_sums
from penstock.runtime.model import Baselines
from penstock.runtime.question import Aim, label_place, log_odds, step_place
from penstock.runtime.scorer import StepScorer
from penstock.runtime.sequence_model import SequenceModel
from penstock.runtime.step_stream import StepLabels, StepStream
from penstock.sequences import Sequences

__all__ = ["StepModel", "labels_of_steps"]


class StepModel(SequenceModel):
    """A step labeller that needs no PyTorch; each kind of data has a subclass.

    The scorer gives each step a row of scores, and `decoder` turns them into labels.
    Attributes:
        label_texts: how each class is written in columns and keys, in the order of `labels`; see `penstock.labels`.
    """

    scorer: StepScorer
    view = "steps"

    @cached_property
    def decoder(self) -> Decoder:
        """Turns scores into labels; by default takes the most likely label of each step. Tasks may override it."""
        return ArgMax()

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> Baselines:
        """Read the baselines, by default the most frequent class from `class_counts`; tasks may override this."""
        return _Majority(arrays["class_counts"], lambda inputs: len(self.encode(inputs).values))

    def check(self) -> None:
        """Check that the head is stepwise and has as many classes as there are labels."""
        head = self.network.head
        if self.network.wiring != STEPWISE:
            raise ConfigError(f"a model that labels steps needs a stepwise head; got one of kind {head.kind!r}")
        if len(self.labels) != head.classes:
            raise ConfigError(f"a head of {head.classes} classes needs {head.classes} labels; got {len(self.labels)}")
        self.label_texts = label_texts(self.labels)

    def outputs(self, inputs: Sequence[Any]) -> Sequences:
        """Return the head's scores for checked inputs, one row per step."""
        return self.scorer.scores(self.encode(inputs))

    def predict(self, inputs: Iterable[Any]) -> list[list[Any]]:
        """Return the labels of each input's steps.

        Raises:
            DataError: the inputs are not of this model's kind.
        """
        return [self.decode(scores) for scores in self.outputs(self.checked(inputs))]

    def predict_proba(self, inputs: Iterable[Any]) -> list[NDArray[np.float32]]:
        """Return the softmax of each step's scores, (steps, labels) for each input; decoders may choose other labels.

        Raises:
            DataError: as `predict`.
        """
        return [engine.softmax(scores) for scores in self.outputs(self.checked(inputs))]

    def decode(self, outputs: NDArray[np.float32]) -> list[Any]:
        """Return the labels for the scores (steps, outputs) of one sequence."""
        return [self.labels[place] for place in self.decoder.whole(outputs)]

    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """Return accuracy and f1_macro over all steps, of the model and of each baseline; see `Model`.

        Args:
            inputs: as for `predict`.
            answers: the labels of each input's steps.

        Raises:
            DataError: the numbers of inputs and lists, or of steps and labels, differ; there is no input; or the model
                does not know a label.
        """
        rows = self.checked(inputs)
        scores = self.outputs(rows)
        truth = self._truth(answers, scores.lengths)
        others = {name: each.argmax(axis=1) for name, each in self.baseline_answers(rows).items()}
        return evaluation(
            self._judged(truth, self.places(scores), scores),
            {name: self._judged(truth, each, scores) for name, each in others.items()},
        )

    def pair(self, other: Any, inputs: Any, answers: Any = None, *, theirs: Any = None) -> tuple[Judged, Judged]:
        """See `Model.pair`; DataError as in `evaluate`, ConfigError if the models have other labels."""
        order = np.argsort(same_labels(self.labels, other.labels))  # our place of each of their labels
        rows, beside = self.checked_pair(other, inputs, theirs)
        scores, outputs = self.outputs(rows), other.outputs(beside)
        if not np.array_equal(scores.lengths, outputs.lengths):
            raise ConfigError("the models give other numbers of labels for an input, so they can't be compared")
        truth = self._truth(required(answers), scores.lengths)
        ours = self._judged(truth, self.places(scores), scores)
        return ours, self._judged(truth, order[other.places(outputs)], scores)

    def _truth(self, answers: Any, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.array(LabelIndex(self.labels).places(labels_of_steps(answers, lengths.tolist()), "labels"), np.int64)

    def _judged(self, truth: NDArray[np.int64], places: NDArray[np.int64], scores: Sequences) -> Judged:
        if len(places) != len(truth):
            raise DataError("evaluation needs a decoder that gives every step exactly one label")
        classes, lengths = len(self.labels), scores.lengths
        return Judged(
            label_metrics(places, truth, classes),
            label_sums(places, truth, classes, lengths),
            truth,
            places,
            self.labels,
            names=[{"input": k + 1, "step": step + 1} for k, n in enumerate(lengths.tolist()) for step in range(n)],
            single=False,
        )

    def places(self, scores: Sequences) -> NDArray[np.int64]:
        """Return the indices in `labels` of all sequences' labels, concatenated."""
        return np.concatenate([np.zeros(0, np.int64), *map(self.decoder.whole, scores)])

    def answers(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """Yield `step` (counted from 1) and `prediction` for each label of each input.

        If labels depend on their own steps alone, each row also has `probability_<label>` of each label.
        """
        for scores in self.outputs(self.checked(inputs)):
            labelled = self.step_labels(self.decoder.whole(scores), scores)
            for step, label in enumerate(labelled.labels):
                row = {"step": step + 1, "prediction": label}
                if labelled.probabilities is not None:
                    spread = labelled.probabilities[step].tolist()
                    row |= {f"probability_{text}": p for text, p in zip(self.label_texts, spread, strict=True)}
                yield row

    @property
    def _around(self) -> bool:
        return bool(self.network.encoder.bidirectional)

    def _recall(self, values: NDArray[Any], steps: Sequence[int]) -> NDArray[np.float32]:
        """Return the probabilities of the last step's labels; of the middle step's, if the model is bidirectional."""
        if self._around:
            middle = len(values) // 2
            around = [values[max(0, middle - n) : middle + n + 1] for n in steps]
            found = self.scorer.scores(Sequences.from_list(around))
            return engine.softmax(np.stack([each[min(n, middle)] for each, n in zip(found, steps, strict=True)]))
        scores: Any = super()._recall(values, steps)  # the scorer's `Sequences`
        nothing = self.scorer.head(np.zeros((1, self.network.encoder.output_size), np.float32))[0]
        return engine.softmax(np.stack([each[-1] if len(each) else nothing for each in scores]))

    def step_labels(self, places: NDArray[np.int64], scores: NDArray[np.float32]) -> StepLabels:
        """Return decoded labels, with probabilities from `scores` if labels depend on their own steps alone."""
        immediate = self.decoder.immediate
        return StepLabels([self.labels[place] for place in places], engine.softmax(scores) if immediate else None)

    def aim(self, outputs: NDArray[np.float32], target: Any, at: int | None) -> Aim:
        """Explain the log-odds of a label at a step."""
        step = step_place(at, len(outputs))
        place = label_place(self, target, outputs[step])
        return Aim(
            target=self.labels[place],
            at=step + 1,
            unit="log-odds",
            score=lambda scores: log_odds(scores[:, step], place),
        )

    def explained(self, outputs: NDArray[np.float32], aim: Aim) -> dict[str, Any]:
        """Return the prediction at the step, with the softmax of its scores."""
        assert aim.at is not None
        spread = engine.softmax(outputs[aim.at - 1 : aim.at])[0]
        probabilities = dict(zip(self.label_texts, spread.tolist(), strict=True))
        return {"prediction": self.labels[int(spread.argmax())], "probabilities": probabilities}

    def stream(self) -> StepStream:
        """Start a stream for a sequence that arrives piece by piece; each piece returns the labels that became final.

        Raises:
            ConfigError: the model is bidirectional.
        """
        return StepStream(self)

    def as_json(self, answer: StepLabels) -> dict[str, Any]:
        """Return {"steps": [{"prediction": label, "probabilities": {label text: p}}, ...]}; see `StepLabels`."""
        steps: list[dict[str, Any]] = [{"prediction": label} for label in answer.labels]
        if answer.probabilities is not None:
            for step, spread in zip(steps, answer.probabilities.tolist(), strict=True):
                step["probabilities"] = dict(zip(self.label_texts, spread, strict=True))
        return {"steps": steps}

    def info(self) -> dict[str, Any]:
        """Return `Model.info` with `label_texts` added."""
        return super().info() | {"label_texts": self.label_texts}


class _Majority:
    """Predicts, at every step, the share of each class in the training data."""

    names = ("majority",)

    def __init__(self, counts: NDArray[Any], steps_of: Callable[[Any], int]) -> None:
        self._shares, self._steps_of = counts / counts.sum(), steps_of

    def answers(self, name: str, inputs: Any) -> NDArray[np.float64]:
        return np.tile(self._shares, (self._steps_of(inputs), 1))


def labels_of_steps(labels: Any, lengths: Sequence[int] | None = None) -> list[Any]:
    """Return the labels of all steps of all sequences, concatenated.

    Args:
        labels: a list of step labels for each sequence.
        lengths: the number of steps of each sequence; None if unknown.

    Raises:
        DataError: an element is not a list, the numbers of sequences or steps differ, or there are no steps.
    """
    several = list(labels) if labels is not None else []
    if lengths is not None and len(several) != len(lengths):
        raise DataError(f"there must be a list of labels for each of {len(lengths)} inputs; got {len(several)}")
    for number, sequence_labels in enumerate(several):
        if isinstance(sequence_labels, str) or not hasattr(sequence_labels, "__len__"):
            raise DataError(
                f"input {number} must have a list of labels, one for each step; got {sequence_labels!r:.60}"
            )
        if lengths is not None and len(sequence_labels) != lengths[number]:
            raise DataError(
                f"input {number} has {lengths[number]} steps and {len(sequence_labels)} labels; give one for each step"
            )
    flat = [label for sequence_labels in several for label in sequence_labels]
    if not flat:
        raise DataError("there must be at least one step with a label; got none")
    return flat
