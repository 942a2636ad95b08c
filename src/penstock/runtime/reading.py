"""What a network reads of one input, for inspection: its steps, their names and unit, predictions after forgetting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reading"]

Recall = Callable[[Sequence[int]], NDArray[Any]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Reading:
    """One input as the layers read it. `Model.reading` makes it; `penstock.inspection` uses it.

    Attributes:
        x: (steps, rows, input) float32, the input of the first layer; one row, or one of each target if a forecaster
            reads them one by one.
        recall: (steps,) -> (steps, outputs): the prediction at the end of the input if only the last n steps are
            remembered, for each n from 0, which forgets everything, to all.
        around: whether `recall` gives the prediction of the middle step instead, remembering n steps on either side, as
            for a bidirectional network that labels steps.
        rows: the names of the rows if there are several.
        names: the name of each step, such as its token; empty if steps have only numbers.
        unit: the unit of distances: "word", "character", "step", "second", "day", ...
        step: units from one step to the next.
        span: units that the vector of a single step covers.
        direct: units that the head reads directly, past the layers.
        properties: properties of the input at each step that units may follow, such as the depth of brackets: by name,
            (steps, columns); several columns for what goes in a circle, such as the hour of the day.
    """

    x: NDArray[np.float32]
    recall: Recall
    around: bool = False
    rows: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    unit: str = "step"
    step: float = 1.0
    span: float = 1.0
    direct: float = 0.0
    properties: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.x)
