"""What mattered in the examples that a report shows: attribution by occlusion, within a second or two."""

import time
from typing import Any

from penstock.errors import InputError
from penstock.inspection.attribution import Attribution
from penstock.inspection.occlusion import occlusion
from penstock.runtime import Model

__all__ = ["Explainer"]

_SECONDS = 1.5
_MOST_STEPS = 1000  # of the network, for one input


class Explainer:
    """Explains the predictions for inputs until its time is up.

    Args:
        model: the trained model.
        seconds: the time for all inputs; the last one may exceed it.
    """

    def __init__(self, model: Model, seconds: float = _SECONDS) -> None:
        self._model, self._left = model, seconds

    def __call__(self, one: Any) -> Attribution | None:
        """Return the attribution of one input; None if there is no time left, or the input can't be explained."""
        if self._left <= 0:
            return None
        started = time.perf_counter()
        try:
            return occlusion(self._model.question(one, most_steps=_MOST_STEPS))
        except InputError:  # a model of another package, or an input that is empty or too long
            return None
        finally:
            self._left -= time.perf_counter() - started
