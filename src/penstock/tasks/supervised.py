"""Base class of estimators with labelled rows: classifiers, regressors and step classifiers."""

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.exceptions import DataConversionWarning

from penstock.datasets import Rows
from penstock.datasets.changes import counted
from penstock.errors import DataError
from penstock.inspection.attribution import Attribution
from penstock.runtime import Model
from penstock.shards import Shards
from penstock.tasks.estimator import Estimator, seed_of, training_module
from penstock.tasks.examples import evenly
from penstock.tasks.explainer import Explainer
from penstock.tasks.labelled import Labelled, Part, prepare
from penstock.tasks.memory import EXAMPLES
from penstock.tasks.recorded import RecordedPart
from penstock.tasks.stored import StoredPart
from penstock.tasks.verbosity import say_data, verbose
from penstock.tasks.weights import sample_weights

if TYPE_CHECKING:
    from penstock.training import Callback

__all__ = ["Given", "Supervised"]

Given = tuple[Any, ...]
"""(X, y) or (X, y, sample_weight), as passed by the user."""


@dataclass(kw_only=True, eq=False, repr=False)
class Supervised(Estimator):
    """An estimator whose rows are inputs with targets. Its `data` is `Labelled`."""

    def _rows(self, inputs: Any, answers: Any) -> Rows:
        """Convert inputs and targets to usable rows; if some are dropped, `Rows.kept` has the indices of the others."""
        raise NotImplementedError

    def _held_back(self, inputs: Any, answers: Any, weights: Any) -> tuple[Given, Given | None]:
        """Split off validation data if none was given; None lets random rows be held back."""
        return (inputs, answers, weights), None

    def _column(self, answers: Any) -> Any:
        """Return the answers as given; a table of one column becomes that column, with a warning.

        Raises:
            DataError: there are none.
        """
        if answers is None:
            raise DataError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        if hasattr(answers, "__array__") and not isinstance(answers, Iterable):
            answers = np.asarray(answers)
        shape: tuple[int, ...] = getattr(answers, "shape", ())
        if self._has_step_answers() or len(shape) != 2 or shape[1] != 1:
            return answers
        warnings.warn(
            f"A column-vector y was passed when a 1d array was expected; got {shape}. Give the column alone.",
            DataConversionWarning,
            stacklevel=4,
        )
        return np.asarray(answers)[:, 0]

    def _has_step_answers(self) -> bool:
        """Whether each step of a sequence has an answer of its own."""
        return False

    def _each_row(self, inputs: Any, values: Any) -> Any:
        """Return weights or targets, one for each row that `_rows` makes of the inputs, dropped or not."""
        return values

    def _classes(self, answers: Sequence[Any]) -> list[Any]:
        """Return the classes in order, from the training targets; empty if targets are numbers."""
        raise NotImplementedError

    def _targets(self, answers: Sequence[Any], classes: Sequence[Any], where: str) -> np.ndarray:
        """Convert targets for `Part.targets`; DataError, which says where, if they are invalid."""
        raise NotImplementedError

    def _about(self, targets: np.ndarray, classes: Sequence[Any]) -> dict[str, Any]:
        """Return the description of a part's targets for metrics.json."""
        raise NotImplementedError

    def _amount(self, part: Part) -> dict[str, float]:
        """Return the amount of data of a part in addition to its rows, such as {"tokens": 12}."""
        return {}

    def _shown(self, part: Part, row: int) -> dict[str, Any]:
        """Return what a report shows of a row with a wrong prediction."""
        return {"row": row}

    def _marked(self, found: Attribution) -> dict[str, Any]:
        """Return what a report shows of the attribution of such a row; empty if the kind of data has no such form."""
        return {}

    def _explained(self, model: Model) -> Callable[[Part, int], dict[str, Any]]:
        """Return `_shown`, with the attribution of as many rows as there is time for."""
        explain = Explainer(model)

        def shown(part: Part, row: int) -> dict[str, Any]:
            found = explain(part.inputs[row])
            marked = {} if found is None else self._marked(found)
            return self._shown(part, row) | ({"attribution": marked} if marked else {})

        return shown

    def _example(self, part: Part, row: int) -> Any:
        """Return an input as JSON, for `_stored_examples`; None if the kind of data has no such form."""
        return None

    def _stored_examples(self, data: Labelled) -> list[Any]:
        part = data.test or data.valid
        rows = evenly(len(part), self.examples)
        return [example for row in rows if (example := self._example(part, row)) is not None]

    def _inspected(self, data: Labelled) -> list[Any] | None:
        return [data.valid.inputs[row] for row in evenly(len(data.valid), EXAMPLES)]

    def _score_weights(self, inputs: Any, weights: Any, rows: int) -> np.ndarray | None:
        """Check `sample_weight` of `score`."""
        return None if weights is None else sample_weights(self._each_row(inputs, weights), rows)

    def _objective_rows(
        self, data: Labelled, features: Any, seed: int, targets_of: Callable[[Any], Any] = lambda targets: targets
    ) -> dict[str, Any]:
        """Return the arguments that objectives of rows in memory share: all of the rows but `sequences`.

        Args:
            data: the parts.
            features: have `apply`.
            seed: of the objective's random numbers.
            targets_of: converts the targets of a part to those of the objective.
        """
        import torch

        seen = data.seen()
        return {
            "targets": targets_of(data.train.targets),
            "sample_weights": data.train.weights,
            "valid_sequences": self._valid_sequences(data, features),
            "valid_targets": targets_of(data.valid.targets),
            "valid_sample_weights": data.valid.weights,
            "seen_sequences": features.apply(seen.inputs),
            "seen_targets": targets_of(seen.targets),
            "seen_sample_weights": seen.weights,
            "batch_size": self.batch_size,
            "generator": torch.Generator().manual_seed(seed),
        }

    @verbose
    def _fit(
        self,
        given: Given,
        validation_data: Given | None,
        test_data: Given | None,
        callbacks: Sequence["Callback"],
        dropped: Mapping[str, int] | None,
        changed: Mapping[str, int] | None,
    ) -> Self:
        """Implementation of `fit`."""
        started = time.perf_counter()
        training_module()
        seed = seed_of(self.random_state)
        dropped_here: Counter[str] = Counter()
        with counted() as changes:
            if isinstance(given[0], Shards):
                data = self._stored_data(given, validation_data, test_data, seed)
            else:
                valid, test = (_loaded(pair, dropped_here) for pair in (validation_data, test_data))
                data = self._data_in_memory(given, valid, test, seed)
        data.count(dropped_here, changes)
        data.count(dropped, changed)
        tested = None if data.test is None else len(data.test)
        say_data("rows", len(data.train), len(data.valid), tested, data.dropped, data.changed)
        return self._train(data, seed=seed, started=started, callbacks=callbacks)

    def _stored_data(self, given: Given, validation_data: Given | None, test_data: Given | None, seed: int) -> Labelled:
        """Prepare rows that are larger than memory."""
        raise DataError(f"{type(self).__name__} reads rows in memory, not yet those of many files: give X and y")

    def _valid_sequences(self, data: Labelled, features: Any) -> Any:
        """Return the features of the validation rows, in memory or on disk."""
        if isinstance(data.train, RecordedPart):
            return data.train.cache.sequences("valid")
        return features.apply(data.valid.inputs)

    def _data_in_memory(
        self, given: Given, validation_data: Given | None, test_data: Given | None, seed: int
    ) -> Labelled:
        """Check rows in memory and split them."""
        if validation_data is None:
            given, validation_data = self._held_back(*given)
        train = self._weighed_rows(*given)
        classes = self._classes(train.answers or [])
        return prepare(
            train,
            validation_data,
            test_data,
            rows_of=self._weighed_rows,
            targets_of=lambda found, where: self._targets(found, classes, where),
            labels=classes,
            validation_share=self.validation_share,
            random_state=seed,
        )

    def _weighed_rows(self, inputs: Any, answers: Any, weights: Any = None) -> Rows:
        """Return `_rows` with weights; rows of weight 0 are dropped and counted."""
        rows = self._rows(inputs, self._column(answers))
        if weights is None:
            return rows
        if rows.kept is None and rows.dropped:
            raise DataError("sample_weight needs to know which rows were dropped: let _rows give Rows.kept")
        found = sample_weights(self._each_row(inputs, weights), len(rows) + sum(rows.dropped.values()))
        found = found if rows.kept is None else found[rows.kept]
        counting = np.flatnonzero(found)
        if not len(counting):
            raise DataError("sample_weight must not be zero for all rows that are left: nothing would be learned")
        zero = {"weight 0": len(found) - len(counting)} if len(counting) < len(found) else {}
        return replace(replace(rows, weights=found).take(counting), dropped=rows.dropped | zero)

    def _data_figures(self, data: Labelled, features: Any) -> dict[str, Any]:
        parts = {"train": data.train, "valid": data.valid, "test": data.test}
        return {
            name: None
            if part is None
            else {
                "rows": len(part),
                **({} if part.weights is None else {"weighted": True}),
                **(part.amount if isinstance(part, StoredPart) else self._amount(part)),
                **self._about(part.targets, data.labels),
            }
            for name, part in parts.items()
        }


def _loaded(pair: Given | None, dropped: Counter[str]) -> Given | None:
    """Return rows in memory, also of many or large files, beside training rows that are; count what was dropped."""
    if pair is None or not isinstance(pair[0], Shards):
        return pair
    rows = pair[0].loaded()
    dropped.update(rows.dropped)
    return rows.inputs, rows.answers
