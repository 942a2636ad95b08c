"""Models that give each step of a sequence a label: words, moments, events."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.errors import ConfigError, DataError
from penstock.heads import ArgMax, Decoder
from penstock.labels import LabelIndex, label_texts
from penstock.network import STEPWISE
from penstock.runtime.metrics import label_metrics, label_sums
from penstock.runtime.model import Baselines
from penstock.runtime.resampling import compared
from penstock.runtime.scorer import StepScorer
from penstock.runtime.sequence_model import SequenceModel
from penstock.runtime.step_stream import StepLabels, StepStream
from penstock.sequences import Sequences

__all__ = ["StepModel", "labels_of_steps"]


class StepModel(SequenceModel):
    """A labeller of steps without PyTorch; a kind of data makes a class of its own from it.

    The scorer gives each step a row of scores, and `decoder` says which labels they mean.

    Attributes:
        label_texts: how each class is written in columns and keys, in the order of `labels`; see `penstock.labels`.
    """

    scorer: StepScorer
    view = "steps"

    @cached_property
    def decoder(self) -> Decoder:
        """From scores to labels: the likeliest of each step. A task with another decoder gives it here."""
        return ArgMax()

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> Baselines:
        """The commonest class, from `class_counts`; a task with other baselines gives them here."""
        return _Majority(arrays["class_counts"], lambda inputs: len(self.encode(inputs).values))

    def check(self) -> None:
        """A stepwise head with as many classes as there are labels."""
        head = self.network.head
        if self.network.wiring != STEPWISE:
            raise ConfigError(f"a model that labels steps needs a stepwise head; got one of kind {head.kind!r}")
        if len(self.labels) != head.classes:
            raise ConfigError(f"a head of {head.classes} classes needs as many labels; got {len(self.labels)}")
        self.label_texts = label_texts(self.labels)

    def outputs(self, inputs: Sequence[Any]) -> Sequences:
        """The head's scores for checked inputs, a row for each step."""
        return self.scorer.scores(self.encode(inputs))

    def predict(self, inputs: Iterable[Any]) -> list[list[Any]]:
        """The labels of each input's steps.

        Raises:
            DataError: not inputs of this kind of model.
        """
        return [self.decode(scores) for scores in self.outputs(self.checked(inputs))]

    def predict_proba(self, inputs: Iterable[Any]) -> list[NDArray[np.float32]]:
        """The softmax of each step's scores, (steps, labels) for each input; a decoder may decide otherwise.

        Raises:
            DataError: as `predict`.
        """
        return [engine.softmax(scores) for scores in self.outputs(self.checked(inputs))]

    def decode(self, outputs: NDArray[np.float32]) -> list[Any]:
        """The labels that the scores (steps, outputs) of one sequence mean."""
        return [self.labels[place] for place in self.decoder.whole(outputs)]

    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """accuracy and f1_macro over all steps, of the model and of each baseline; see `Model`.

        Args:
            inputs: as for `predict`.
            answers: for each input the labels of its steps.

        Raises:
            DataError: not as many lists as inputs or labels as steps, none at all, or a label that the model does not
                know.
        """
        rows = self.checked(inputs)
        scores = self.outputs(rows)
        truth = np.array(
            LabelIndex(self.labels).places(labels_of_steps(answers, scores.lengths.tolist()), "labels"), np.int64
        )
        places = self.places(scores)
        if len(places) != len(truth):
            raise DataError("accuracy over steps needs a decoder that gives every step one label")
        classes, lengths = len(self.labels), scores.lengths
        others = {name: each.argmax(axis=1) for name, each in self.baseline_answers(rows).items()}
        beside = {name: label_metrics(each, truth, classes) for name, each in others.items()}
        return {
            "metrics": label_metrics(places, truth, classes),
            "baseline": next(iter(beside.values()), {}),
            "baselines": beside,
            **compared(
                label_sums(places, truth, classes, lengths),
                {name: label_sums(each, truth, classes, lengths) for name, each in others.items()},
            ),
        }

    def places(self, scores: Sequences) -> NDArray[np.int64]:
        """The places in `labels` of what each sequence's scores mean, end to end."""
        return np.concatenate([np.zeros(0, np.int64), *map(self.decoder.whole, scores)])

    def answers(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """For each label of each input its `step` in the input, from 1, and `prediction`.

        Where a label follows from its step alone also each label's `probability_<label>`.
        """
        for scores in self.outputs(self.checked(inputs)):
            found = self.step_labels(self.decoder.whole(scores), scores)
            for step, label in enumerate(found.labels):
                row = {"step": step + 1, "prediction": label}
                if found.probabilities is not None:
                    spread = found.probabilities[step].tolist()
                    row |= {f"probability_{text}": p for text, p in zip(self.label_texts, spread, strict=True)}
                yield row

    def step_labels(self, places: NDArray[np.int64], scores: NDArray[np.float32]) -> StepLabels:
        """Labels, as a decoder settled them, with their probabilities where these are those of `scores`."""
        immediate = self.decoder.immediate
        return StepLabels([self.labels[place] for place in places], engine.softmax(scores) if immediate else None)

    def stream(self) -> StepStream:
        """A sequence that arrives piece by piece, and the labels that each piece settles.

        Raises:
            ConfigError: the model is bidirectional.
        """
        return StepStream(self)

    def as_json(self, answer: StepLabels) -> dict[str, Any]:
        """{"steps": [{"prediction": label, "probabilities": {the label's text: p}}, ...]}; see `StepLabels`."""
        steps: list[dict[str, Any]] = [{"prediction": label} for label in answer.labels]
        if answer.probabilities is not None:
            for step, spread in zip(steps, answer.probabilities.tolist(), strict=True):
                step["probabilities"] = dict(zip(self.label_texts, spread, strict=True))
        return {"steps": steps}

    def info(self) -> dict[str, Any]:
        """As `Model.info`, and `label_texts`."""
        return super().info() | {"label_texts": self.label_texts}


class _Majority:
    """For every step the training's share of each class."""

    names = ("majority",)

    def __init__(self, counts: NDArray[Any], steps_of: Callable[[Any], int]) -> None:
        self._shares, self._steps_of = counts / counts.sum(), steps_of

    def answers(self, name: str, inputs: Any) -> NDArray[np.float64]:
        return np.tile(self._shares, (self._steps_of(inputs), 1))


def labels_of_steps(labels: Any, lengths: Sequence[int] | None = None) -> list[Any]:
    """The labels of all steps of all sequences, end to end.

    Args:
        labels: for each sequence a list of the labels of its steps.
        lengths: the steps of each sequence; None where they are not known.

    Raises:
        DataError: something that is no list, not as many lists as sequences or labels as steps, or no step at all.
    """
    several = list(labels) if labels is not None else []
    if lengths is not None and len(several) != len(lengths):
        raise DataError(f"there must be a list of labels for each of {len(lengths)} inputs; got {len(several)}")
    for number, own in enumerate(several):
        if isinstance(own, str) or not hasattr(own, "__len__"):
            raise DataError(f"input {number} must have a list of labels, one for each step; got {own!r:.60}")
        if lengths is not None and len(own) != lengths[number]:
            raise DataError(f"input {number} has {lengths[number]} steps and {len(own)} labels; give one for each step")
    flat = [label for own in several for label in own]
    if not flat:
        raise DataError("there must be at least one step with a label; got none")
    return flat
