"""Base class of sequence classifiers: classes and their weights, predictions, metrics."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import ClassifierMixin

from penstock.datasets import stratified_split
from penstock.errors import DataError
from penstock.labels import LabelIndex, class_counts, label_texts
from penstock.runtime import ClassModel
from penstock.shards import Shards
from penstock.tasks.classes import advice, class_weights, training_classes
from penstock.tasks.continuing import with_new_classes
from penstock.tasks.labelled import Labelled, check_lengths, class_numbers, known_places
from penstock.tasks.measures import class_figures
from penstock.tasks.supervised import Given, Supervised

if TYPE_CHECKING:
    from penstock.training import Callback

__all__ = ["Classifier"]


@dataclass(kw_only=True, eq=False, repr=False)
class Classifier(ClassifierMixin, Supervised):
    """An estimator that classifies sequences.

    Subclasses implement `_rows`, `_describe`, `_network`, `_objective`, `_fit_baselines` and `_amount`.

    Args:
        class_weight: weight of a row of each class: "balanced" for rows / (classes * rows of the class), or a number
            per label; None for 1.
        max_classes: maximum number of classes; more are an error before training, because the labels are then usually
            numbers, ids or texts. Raise it if there really are more.

    Attributes:
        classes_: the labels in order, (classes,).
    """

    panels: ClassVar[dict[str, tuple[str, ...]]] = {"data": ("max_classes",), "training": ("class_weight",)}
    everyday: ClassVar[tuple[str, ...]] = ()
    tuned_by: ClassVar[str] = "accuracy"

    class_weight: Literal["balanced"] | dict[Any, float] | None = None
    max_classes: int = 1000

    def fit(
        self,
        X: Iterable[Any],
        y: Iterable[Any],
        validation_data: Given | None = None,
        test_data: Given | None = None,
        *,
        sample_weight: Any = None,
        callbacks: Sequence["Callback"] = (),
        dropped: Mapping[str, int] | None = None,
        changed: Mapping[str, int] | None = None,
    ) -> Self:
        """Train on labelled sequences.

        Rows without an input or a label are dropped and counted in `metrics_`. Ctrl-C ends the training with the best
        weights so far: KeyboardInterrupt is raised, and the estimator is fitted if at least one epoch was completed.

        Args:
            X: sequences, in the form that the class describes; or `Shards`, where the class reads them, whose labels
                are in a column of their own, so that y is None.
            y: labels of the sequences: str, int, bool or float, see `penstock.labels`.
            validation_data: (X, y) or (X, y, sample_weight) for early stopping; None holds back `validation_share` of
                the rows, with their weights.
            test_data: the same, for rows that are used only in `metrics_`.
            sample_weight: weight of each row in the loss, the baselines and the metrics: numbers of at least 0, of
                which only the proportions matter; None for equal weights. They are multiplied with `class_weight`. A
                row of weight 0 is dropped.
            callbacks: called during training, see `training.Callback`.
            dropped: counts of rows dropped earlier, by reason, to include.
            changed: counts of changes made earlier, by kind, to include: `Rows.changed`.

        Raises:
            DataError: the numbers of labels and inputs differ, there are no inputs, only one class, more than
                `max_classes`, labels of different types that are the same class, or unknown classes in other data.
            ConfigError: an option is invalid.
            DivergedError: the loss or the gradient became infinite or NaN, or the loss exploded.
        """
        return self._fit((X, y, sample_weight), validation_data, test_data, callbacks, dropped, changed)

    def predict(self, X: Iterable[Any]) -> np.ndarray:
        """Return the most likely label of each sequence, (sequences,).

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the inputs are invalid.
        """
        answers = self.predict_proba(X).argmax(axis=1)
        return self.classes_[answers]

    def predict_proba(self, X: Iterable[Any]) -> np.ndarray:
        """Return the probability of each class, (sequences, classes) float32, in the order of `classes_`.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the inputs are invalid.
        """
        model = self._fitted()
        assert isinstance(model, ClassModel)
        return model.predict_proba(X)

    def score(self, X: Iterable[Any], y: Iterable[Any], sample_weight: Any = None) -> float:
        """Return the accuracy, the share of correct predictions. Labels unknown to the model count as errors.

        Args:
            X, y: as for `fit`.
            sample_weight: weight of each row; None for equal weights.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the numbers of labels and sequences differ, a label is missing, or weights are invalid.
        """
        predicted = self.predict_proba(X).argmax(axis=1)
        truth = known_places(self._each_row(X, self._column(y)), self.model_.labels)
        check_lengths(len(predicted), len(truth))
        return float(np.average(predicted == truth, weights=self._score_weights(X, sample_weight, len(truth))))

    @staticmethod
    def split(rows: Any, proportions: Sequence[float], random_state: int) -> list[Any]:
        """Split the rows, stratified by class; those of many files row by row at random, see `Shards.split`."""
        if isinstance(rows, Shards):
            return rows.split(proportions, random_state)
        labels = rows.answers or []
        counts = class_counts(labels)
        try:
            parts = stratified_split(labels, proportions, random_state=random_state)
        except DataError as error:
            raise DataError(f"{error} {advice(counts)}".strip()) from error
        return [rows.take(part) for part in parts]

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """See `Estimator.load`."""
        loaded = super().load(path)
        if isinstance(loaded.class_weight, dict):
            labels = loaded.model_.labels
            places = LabelIndex(labels).places(list(loaded.class_weight), "class_weight")
            values = loaded.class_weight.values()
            loaded.class_weight = {labels[place]: value for place, value in zip(places, values, strict=True)}
        return loaded

    def _classes(self, answers: Iterable[Any]) -> list[Any]:
        known = self._known()
        if known is not None:
            return with_new_classes(known.labels, answers, self.max_classes)
        return training_classes(answers, self.max_classes)

    def _targets(self, answers: Sequence[Any], classes: Sequence[Any], where: str) -> np.ndarray:
        return class_numbers(answers, classes, where)

    def _about(self, targets: np.ndarray, classes: Sequence[Any]) -> dict[str, Any]:
        counts = np.bincount(targets, minlength=len(classes)).tolist()
        return {"classes": dict(zip(label_texts(classes), counts, strict=True))}

    def _weights(self, data: Labelled) -> np.ndarray:
        """Return the weight of a row of each class, (classes,) float64."""
        return class_weights(self.class_weight, data)

    def _keep(self, model: Any) -> None:
        super()._keep(model)
        self.classes_ = _as_array(model.labels)

    def _measure(self, model: Any, data: Labelled) -> dict[str, Any]:
        return class_figures(model, data, self._explained(model))

    def _described(self) -> dict[str, Any]:
        plain = super()._described()
        if isinstance(plain["class_weight"], Mapping):
            plain["class_weight"] = {str(label): float(value) for label, value in plain["class_weight"].items()}
        return plain


def _as_array(labels: list[Any]) -> np.ndarray:
    """Return the labels as an array that preserves them: of their common type, or of objects."""
    if len({type(label) for label in labels}) == 1:
        plain = np.array(labels)
        # Only if nothing changes: NumPy rounds huge integers and removes trailing zero bytes of texts.
        if plain.tolist() == labels and type(plain[0].item()) is type(labels[0]):
            return plain
    array = np.empty(len(labels), object)
    array[:] = labels
    return array
