"""What estimators of an answer for each sequence do alike, be it a class or a number."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from penstock.datasets import Rows
from penstock.tasks.estimator import Estimator, seed_of, training_room
from penstock.tasks.labelled import Labelled, Part, prepare

if TYPE_CHECKING:
    from penstock.training import Callback

__all__ = ["Supervised"]


@dataclass(kw_only=True, eq=False, repr=False)
class Supervised(Estimator):
    """An estimator whose rows are an input and its answer. Its `data` is `Labelled`."""

    def _rows(self, inputs: Any, answers: Any) -> Rows:
        """What people hold, as rows fit for use."""
        raise NotImplementedError

    def _classes(self, answers: Sequence[Any]) -> list[Any]:
        """The classes in order, from the answers to train on; none where answers are numbers."""
        raise NotImplementedError

    def _targets(self, answers: Sequence[Any], classes: Sequence[Any], where: str) -> np.ndarray:
        """Answers as `Part.targets`; DataError, which says where, if they can't be used."""
        raise NotImplementedError

    def _about(self, targets: np.ndarray, classes: Sequence[Any]) -> dict[str, Any]:
        """What metrics.json says of a part's answers."""
        raise NotImplementedError

    def _amount(self, part: Part) -> dict[str, float]:
        """How much data a part holds, beside its rows: {"tokens": 12}."""
        return {}

    def _shown(self, part: Part, row: int) -> dict[str, Any]:
        """What a report shows of a row that was answered badly."""
        return {"row": row}

    def _fit(
        self,
        inputs: Any,
        answers: Any,
        validation_data: tuple[Any, Any] | None,
        test_data: tuple[Any, Any] | None,
        callbacks: Sequence["Callback"],
        dropped: Mapping[str, int] | None,
    ) -> Self:
        """What `fit` does, in the words of each."""
        started = time.perf_counter()
        training_room()
        if validation_data is None:
            (inputs, answers), validation_data = self._held_back(inputs, answers)
        seed = seed_of(self.random_state)
        train = self._rows(inputs, answers)
        classes = self._classes(train.answers or [])
        data = prepare(
            train,
            validation_data,
            test_data,
            rows_of=self._rows,
            targets_of=lambda found, where: self._targets(found, classes, where),
            labels=classes,
            validation_share=self.validation_share,
            random_state=seed,
        )
        data.count_dropped(dropped or {})
        return self._train(data, seed=seed, started=started, callbacks=callbacks)

    def _data_figures(self, data: Labelled, features: Any) -> dict[str, Any]:
        parts = {"train": data.train, "valid": data.valid, "test": data.test}
        return {
            name: None
            if part is None
            else {"rows": len(part), **self._amount(part), **self._about(part.targets, data.labels)}
            for name, part in parts.items()
        }
