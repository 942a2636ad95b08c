"""What every classifier of sequences does alike: classes and their weights, answers, figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import ClassifierMixin

from penstock.datasets import Rows, stratified_split
from penstock.errors import DataError
from penstock.labels import LabelIndex, class_counts, label_texts
from penstock.runtime import ClassModel
from penstock.tasks.classes import advice, class_weights, training_classes
from penstock.tasks.labelled import Labelled, check_lengths, class_numbers, known_places
from penstock.tasks.measures import class_figures
from penstock.tasks.supervised import Given, Supervised

if TYPE_CHECKING:
    from penstock.training import Callback

__all__ = ["Classifier"]


@dataclass(kw_only=True, eq=False, repr=False)
class Classifier(ClassifierMixin, Supervised):
    """An estimator that says which class a sequence belongs to.

    A kind of data fills in `_rows`, `_describe`, `_network`, `_objective`, `_fit_baselines` and `_amount`.

    Args:
        class_weight: what a row of each class counts: None for 1; "balanced" for rows / (classes * rows of the
            class); or a number per label.
        max_classes: most classes that training accepts. More is an error before training, as it mostly means that
            the labels are numbers, ids or texts; raise it for that many classes indeed.

    Attributes:
        classes_: the labels in order, (classes,).
    """

    panels: ClassVar[dict[str, tuple[str, ...]]] = {"data": ("max_classes",), "training": ("class_weight",)}

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
    ) -> Self:
        """Train on labelled sequences.

        Rows without an input or a label are left out and counted in `metrics_`. Ctrl-C ends the training with the
        best weights so far: the estimator is fitted when KeyboardInterrupt comes out of this method, if an epoch
        had been finished.

        Args:
            X: sequences, as the class says.
            y: as many labels: str, int, bool or float, see `penstock.labels`.
            validation_data: (X, y) or (X, y, sample_weight) to stop by; None holds back `validation_share` of the rows,
                with their weights.
            test_data: the same, of rows that have no part in training, only in `metrics_`.
            sample_weight: what each row counts in the loss, the baselines and the figures: numbers from 0 on, of which
                only the proportions matter; None for all alike. Weights multiply those of `class_weight`. A row of
                weight 0 is left out, as if it had not been given.
            callbacks: told how training goes, see `training.Callback`.
            dropped: rows left out before, by reason, to be counted too.

        Raises:
            DataError: not as many labels as inputs, one class only, more than `max_classes`, labels of different
                kinds that are the same class, no inputs, unknown classes in further data.
            ConfigError: an option that makes no sense.
            PenstockError: training diverged.
        """
        return self._fit((X, y, sample_weight), validation_data, test_data, callbacks, dropped)

    def predict(self, X: Iterable[Any]) -> np.ndarray:
        """The likeliest label of each sequence, (sequences,).

        Raises:
            NotFittedError: before `fit`.
            DataError: not inputs of this kind.
        """
        answers = self.predict_proba(X).argmax(axis=1)
        return self.classes_[answers]

    def predict_proba(self, X: Iterable[Any]) -> np.ndarray:
        """The probability of each class, (sequences, classes) float32, in the order of `classes_`.

        Raises:
            NotFittedError: before `fit`.
            DataError: not inputs of this kind.
        """
        model = self._fitted()
        assert isinstance(model, ClassModel)
        return model.predict_proba(X)

    def score(self, X: Iterable[Any], y: Iterable[Any], sample_weight: Any = None) -> float:
        """The accuracy: the share of the rows whose label is predicted. One that training never saw counts as missed.

        Args:
            X, y: as for `fit`.
            sample_weight: what each row counts; None for 1 each.

        Raises:
            NotFittedError: before `fit`.
            DataError: not as many labels as sequences, a label that is missing, or weights as `fit` refuses them.
        """
        predicted = self.predict_proba(X).argmax(axis=1)
        truth = known_places(self._each_row(X, y), self.model_.labels)
        check_lengths(len(predicted), len(truth))
        return float(np.average(predicted == truth, weights=self._score_weights(X, sample_weight, len(truth))))

    @staticmethod
    def split(rows: Rows, proportions: Sequence[float], random_state: int) -> list[Rows]:
        """The rows in parts in which every class has its share."""
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

    def _classes(self, answers: Sequence[Any]) -> list[Any]:
        known = self._known()
        return training_classes(answers, self.max_classes) if known is None else known.labels

    def _targets(self, answers: Sequence[Any], classes: Sequence[Any], where: str) -> np.ndarray:
        return class_numbers(answers, classes, where)

    def _about(self, targets: np.ndarray, classes: Sequence[Any]) -> dict[str, Any]:
        counts = np.bincount(targets, minlength=len(classes)).tolist()
        return {"classes": dict(zip(label_texts(classes), counts, strict=True))}

    def _weights(self, data: Labelled) -> np.ndarray:
        """What a row of each class counts, (classes,) float64."""
        return class_weights(self.class_weight, data)

    def _keep(self, model: Any) -> None:
        super()._keep(model)
        self.classes_ = _as_array(model.labels)

    def _measure(self, model: Any, data: Labelled) -> dict[str, Any]:
        return class_figures(model, data, self._shown)

    def _described(self) -> dict[str, Any]:
        plain = super()._described()
        if isinstance(plain["class_weight"], Mapping):
            plain["class_weight"] = {str(label): float(value) for label, value in plain["class_weight"].items()}
        return plain


def _as_array(labels: list[Any]) -> np.ndarray:
    """The labels as an array that keeps them as they are: of one type, or of objects."""
    if len({type(label) for label in labels}) == 1:
        plain = np.array(labels)
        # Neither rounded, as huge whole numbers are, nor cut, as a text that ends with a zero byte is.
        if plain.tolist() == labels and type(plain[0].item()) is type(labels[0]):
            return plain
    array = np.empty(len(labels), object)
    array[:] = labels
    return array
