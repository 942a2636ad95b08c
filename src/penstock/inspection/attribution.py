"""What an attribution is: a score for each token, channel and frame of one input, and what the scores add up to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.question import Question

__all__ = ["Attribution", "Completeness", "attribution_of"]


@dataclass(frozen=True, kw_only=True)
class Completeness:
    """Whether the scores add up to what they explain.

    Attributes:
        total: the sum of all scores.
        difference: the explained number for the input, minus that for the baseline.
        tolerance: the largest distance of the two that counts as equal; None for methods that promise no equality.
    """

    total: float
    difference: float
    tolerance: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the two are equal within the tolerance; None without one."""
        return None if self.tolerance is None else abs(self.total - self.difference) <= self.tolerance


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Attribution:
    """How much each part of one input contributed to one number of the prediction.

    Attributes:
        values: the scores, one for each cell along `axes`; positive ones raise the number.
        inputs: what the network reads in each cell: ids of tokens, or standardised numbers.
        axes: ("token",), ("time", "channel"), ("time", "band") or ("time", "column").
        coordinates: the names along each axis: tokens, steps or times, channels, bands in Hz, columns.
        gaps: for texts, what stands before each token and after the last one, so that the text can be put together.
        method: "integrated_gradients", "occlusion" or "gradient_x_input".
        target: the label or column whose number is explained; None if there is only one number.
        at: the step whose prediction is explained, from 1, or the step ahead; None for the whole.
        unit: "log-odds" of the target, or "value" in the unit of the data.
        score, baseline_score: the explained number for the input, and for the baseline.
        prediction, baseline_prediction: the model's predictions for both, as `Model.as_json` gives them.
        window: cells along each axis that occlusion left out together; all 1 for gradients.
        completeness: the sum of the scores beside `score - baseline_score`.
    """

    values: NDArray[np.float64]
    inputs: NDArray[Any]
    axes: tuple[str, ...]
    coordinates: Mapping[str, Sequence[Any]]
    gaps: Sequence[str] = ()
    method: str
    target: Any
    at: int | None
    unit: str
    score: float
    baseline_score: float
    prediction: Mapping[str, Any]
    baseline_prediction: Mapping[str, Any]
    window: tuple[int, ...] = field(default=())
    completeness: Completeness

    def top(self, count: int = 10) -> list[dict[str, Any]]:
        """Return the cells with the largest scores, whatever their sign: their coordinates, and `value`."""
        order = np.argsort(-np.abs(self.values), axis=None, kind="stable")[:count]
        places = np.unravel_index(order, self.values.shape)
        return [
            {axis: self.coordinates[axis][place] for axis, place in zip(self.axes, cell, strict=True)}
            | {"value": float(self.values[tuple(cell)])}
            for cell in np.transpose(places).tolist()
        ]

    def along(self, axis: str) -> NDArray[np.float64]:
        """Return the scores by one axis, summed over the other.

        Raises:
            ValueError: there is no such axis.
        """
        kept = self.axes.index(axis)
        return self.values.sum(axis=tuple(place for place in range(len(self.axes)) if place != kept))

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        plain = {name: getattr(self, name) for name in ("method", "target", "at", "unit", "score", "baseline_score")}
        return plain | {
            "axes": list(self.axes),
            "coordinates": {axis: list(names) for axis, names in self.coordinates.items()},
            "gaps": list(self.gaps),
            "values": self.values.tolist(),
            "inputs": self.inputs.tolist(),
            "window": list(self.window),
            "prediction": dict(self.prediction),
            "baseline_prediction": dict(self.baseline_prediction),
            "completeness": {
                "total": self.completeness.total,
                "difference": self.completeness.difference,
                "tolerance": self.completeness.tolerance,
                "holds": self.completeness.holds,
            },
        }

    def __str__(self) -> str:
        """The explained number and the ten cells with the largest scores, a line each."""
        about = "" if self.target is None else f" of {self.target!r}"
        step = "" if self.at is None else f" at step {self.at}"
        cells = [
            f"{each['value']:+10.4g}  {', '.join(f'{axis} {each[axis]}' for axis in self.axes)}" for each in self.top()
        ]
        holds = {None: "", True: " (complete)", False: " (NOT complete)"}[self.completeness.holds]
        return "\n".join(
            [
                f"{self.unit}{about}{step}: {self.score:.4g}, of the baseline: {self.baseline_score:.4g}",
                f"sum of the scores by {self.method}: {self.completeness.total:.4g}, "
                f"difference: {self.completeness.difference:.4g}{holds}",
                *cells,
            ]
        )

    def __repr__(self) -> str:
        sizes = " × ".join(f"{size} {axis}" for size, axis in zip(self.values.shape, self.axes, strict=True))
        about = "" if self.target is None else f" of {self.target!r}"
        return (
            f"<Attribution by {self.method}: {sizes}, {self.unit}{about} {self.baseline_score:.3g} → {self.score:.3g}>"
        )


def attribution_of(
    question: Question,
    values: NDArray[Any],
    ends: NDArray[np.float64],
    *,
    method: str,
    window: tuple[int, ...] = (),
    tolerance: float | None = None,
) -> Attribution:
    """Make the result of a method.

    Args:
        question: what was explained.
        values: a score for each of its cells.
        ends: the explained number for the input and for the baseline, (2,).
        method, window: as in `Attribution`.
        tolerance: as in `Completeness`.
    """
    evidence, aim = question.evidence, question.aim
    score, baseline_score = ends.tolist()
    return Attribution(
        values=np.asarray(values, np.float64),
        inputs=evidence.values,
        axes=evidence.axes,
        coordinates=evidence.places,
        gaps=evidence.gaps,
        method=method,
        target=aim.target,
        at=aim.at,
        unit=aim.unit,
        score=score,
        baseline_score=baseline_score,
        prediction=question.answer(evidence.values),
        baseline_prediction=question.answer(evidence.baseline),
        window=window or (1,) * values.ndim,
        completeness=Completeness(total=float(values.sum()), difference=score - baseline_score, tolerance=tolerance),
    )
