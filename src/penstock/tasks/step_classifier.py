"""Base class of step classifiers: classes, network, objective, predictions, metrics."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from penstock.errors import DataError
from penstock.labels import label_texts
from penstock.network import Network, StepClassHead
from penstock.runtime import StepModel
from penstock.runtime.step_model import labels_of_steps
from penstock.sequences import Sequences
from penstock.tasks.classes import training_classes
from penstock.tasks.continuing import with_new_classes
from penstock.tasks.labelled import Labelled, Part, class_numbers, known_places
from penstock.tasks.options import CellOptions
from penstock.tasks.space import Between, Searched
from penstock.tasks.step_measures import step_figures
from penstock.tasks.supervised import Given, Supervised

if TYPE_CHECKING:
    from penstock.training import Callback, Objective

__all__ = ["StepClassifier"]


@dataclass(kw_only=True, eq=False, repr=False)
class StepClassifier(CellOptions, Supervised):
    """An estimator that labels each step of a sequence.

    Subclasses implement `_rows`, whose targets are lists with a label for each step, `_features` and `_inputs`. Their
    features have `apply`, `stream` and `to_json`, like `TextFeatures`; their model is a `runtime.StepModel`.

    Args:
        output_dropout: dropout probability of the layers' outputs (Srivastava et al. 2014).
        label_smoothing: share of the target that is spread evenly over all classes (Szegedy et al. 2016).
        max_classes: maximum number of classes.

    Attributes:
        classes_: the labels in order.
    """

    panels: ClassVar[dict[str, tuple[str, ...]]] = {
        "data": ("max_classes",),
        "training": ("output_dropout", "label_smoothing"),
    }
    everyday: ClassVar[tuple[str, ...]] = ()
    tuned_by: ClassVar[str] = "accuracy"
    searched: ClassVar[Searched] = {"output_dropout": Between(0.0, 0.7)}

    output_dropout: float = 0.3
    label_smoothing: float = 0.0
    max_classes: int = 1000

    def __sklearn_tags__(self) -> Any:
        """Declare targets: a list of step labels for each sequence."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required, tags.target_tags.single_output = True, False
        return tags

    def _has_step_answers(self) -> bool:
        return True

    def _features(self, data: Labelled) -> Any:
        """Return features, fitted to the training data."""
        raise NotImplementedError

    def _inputs(self, features: Any) -> Any:
        """Return the description of the network's inputs, such as `network.Embedding`."""
        raise NotImplementedError

    def _head(self, data: Labelled) -> Any:
        """Return the description of the stepwise head; the objective must be able to train it."""
        return StepClassHead(len(data.labels))

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
        """Train on sequences whose steps have labels.

        Args:
            X: sequences.
            y: for each sequence a list of its steps' labels; labels are str, int, bool or float.
            validation_data: (X, y) or (X, y, sample_weight) for early stopping; None holds back `validation_share` of
                the sequences.
            test_data: the same, for sequences that are used only in `metrics_`.
            sample_weight: weight of each sequence, with all its steps; see `Classifier.fit`.
            callbacks: called during training, see `training.Callback`.
            dropped: counts of rows dropped earlier, by reason, to include.
            changed: counts of changes made earlier, by kind, to include: `Rows.changed`.

        Raises:
            DataError: the numbers of labels and steps differ, there is only one class, more than `max_classes`, or
                unknown classes in other data.
            ConfigError: an option is invalid.
            DivergedError: the loss or the gradient became infinite or NaN, or the loss exploded.
        """
        return self._fit((X, y, sample_weight), validation_data, test_data, callbacks, dropped, changed)

    def predict(self, X: Iterable[Any]) -> list[list[Any]]:
        """Return the labels of each sequence's steps.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the inputs are invalid.
        """
        return self._fitted().predict(X)

    def score(self, X: Iterable[Any], y: Iterable[Any], sample_weight: Any = None) -> float:
        """Return the accuracy over all steps; see `Classifier.score`.

        Args:
            X, y: as for `fit`.
            sample_weight: weight of each sequence, with all its steps; None for equal weights.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the numbers of labels and steps differ, a label is missing, or weights are invalid.
        """
        model = self._fitted()
        assert isinstance(model, StepModel)
        scores = model.outputs(model.checked(X))
        lengths = scores.lengths.tolist()
        truth = known_places(labels_of_steps(self._column(y), lengths), model.labels)
        weights = self._score_weights(X, sample_weight, len(lengths))
        each = None if weights is None else np.repeat(weights, lengths)
        return float(np.average(model.places(scores) == truth, weights=each))

    def _classes(self, answers: Sequence[Any]) -> list[Any]:
        known = self._known()
        if known is not None:
            return with_new_classes(known.labels, labels_of_steps(answers), self.max_classes)
        return training_classes(labels_of_steps(answers), self.max_classes)

    def _targets(self, answers: Sequence[Any], classes: Sequence[Any], where: str) -> Any:
        try:
            labels = labels_of_steps(answers)
        except DataError as error:
            raise DataError(f"{where}: {error}") from error
        return Sequences(class_numbers(labels, classes, where), np.cumsum([0, *map(len, answers)]))

    def _about(self, targets: Any, classes: Sequence[Any]) -> dict[str, Any]:
        counts = np.bincount(targets.values, minlength=len(classes)).tolist()
        return {"classes": dict(zip(label_texts(classes), counts, strict=True))}

    def _amount(self, part: Part) -> dict[str, float]:
        return {"steps": len(part.targets.values)}

    def _describe(self, data: Labelled) -> tuple[Any, Network]:
        features = self._features(data)
        return features, self._network(data, features)

    def _network(self, data: Labelled, features: Any) -> Network:
        inputs = self._inputs(features)
        return Network(inputs, self.recurrent(inputs.size), self._head(data))

    def _objective(self, data: Labelled, features: Any, network: Network, seed: int) -> "Objective":
        import torch

        from penstock.training import Regularization, StepClassObjective

        if data.test is not None:
            _with_steps(features, data.test, "the test data")  # report invalid data before training
        seen = data.seen()
        return StepClassObjective(
            sequences=_with_steps(features, data.train, "the training data"),
            targets=data.train.targets,
            sample_weights=data.train.weights,
            valid_sequences=_with_steps(features, data.valid, "the validation data"),
            valid_targets=data.valid.targets,
            seen_sequences=features.apply(seen.inputs),
            seen_targets=seen.targets,
            valid_sample_weights=data.valid.weights,
            seen_sample_weights=seen.weights,
            weights=torch.ones(len(data.labels)),
            batch_size=self.batch_size,
            regularization=Regularization(
                output_dropout=self.output_dropout, label_smoothing=self.label_smoothing, prefix_share=0.0
            ),
            generator=torch.Generator().manual_seed(seed),
        )

    def _fit_baselines(self, data: Labelled, features: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {"class_counts": data.train.class_counts(len(data.labels))}, {}

    def _measure(self, model: Any, data: Labelled) -> dict[str, Any]:
        return step_figures(model, data)

    def _keep(self, model: StepModel) -> None:
        super()._keep(model)
        self.classes_ = model.labels


def _with_steps(features: Any, part: Part, where: str) -> Sequences:
    """Return a part's features; DataError if an input's numbers of steps and labels differ."""
    sequences = features.apply(part.inputs)
    different = np.flatnonzero(sequences.lengths != part.targets.lengths)
    if len(different):
        row = int(different[0])
        raise DataError(
            f"{where}: input {row} has {sequences.lengths[row]} steps and {part.targets.lengths[row]} labels; "
            "give one for each step"
        )
    return sequences
