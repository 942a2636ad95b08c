"""What training fitted for a detector that reproduces examples: their length, scales, and how errors are judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_fields
from penstock.detect.columns import DetectColumns
from penstock.detect.threshold import PEAKS
from penstock.detect.timelines import Timeline
from penstock.detect.units import FARTHEST
from penstock.errors import ConfigError

__all__ = ["OF_EXAMPLES", "OF_ROWS", "ReconstructionFeatures"]

Array = NDArray[np.float64]
OF_ROWS, OF_EXAMPLES = 0, 1
"""Places in the peaks."""
_MOST_ROWS = 1 << 20
"""Rows of an example, which a stream holds until it is complete."""


@dataclass(eq=False, kw_only=True)
class ReconstructionFeatures(DetectColumns):
    """The fitted properties of the training examples, and the settings of detection.

    Args:
        targets, covariates, time, id, time_format, dated: see `DetectColumns`; there are no covariates.
        window: the most rows of an example; a longer series is cut into so many.
        false_alarm_rate: the share of ordinary rows, and of ordinary examples, whose score exceeds the threshold.
        names: the training series, if examples are cut out of them; empty if each series is an example.
        location, spread: (1 + names, targets), of all training series together, and of each that has a name.
        peaks: the numbers of `threshold.PEAKS`, each (2,): of the surprise of rows, and of its mean over examples.
            Empty before they are known.
    """

    kind: ClassVar[str] = "reconstruction"
    calendar: ClassVar[tuple[str, ...]] = ()

    window: int
    false_alarm_rate: float = 1e-4
    names: tuple[str, ...] = ()
    location: Array
    spread: Array
    peaks: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (1 + len(self.names), len(self.targets))
        if not 2 <= self.window <= _MOST_ROWS:
            raise ConfigError(f"an example must have 2 to {_MOST_ROWS:,} rows; got {self.window!r:.20}")
        if self.location.shape != shape or self.spread.shape != shape or self.covariates:
            raise ConfigError(
                f"features of examples must have no covariates, and location and spread of shape {shape}; got "
                f"{self.covariates!r:.80}, {self.location.shape} and {self.spread.shape}"
            )
        if self.peaks and not all(
            name in self.peaks and self.peaks[name].shape == (2,) and np.isfinite(self.peaks[name]).all()
            for name in PEAKS
        ):
            raise ConfigError(f"peaks must hold {', '.join(PEAKS)} of rows and of examples; got {self.peaks!r:.80}")
        self._places = {name: place for place, name in enumerate(self.names)}

    @property
    def size(self) -> int:
        """The number of features of a step."""
        return 2 * len(self.targets)

    def identity(self, name: str) -> int:
        """Return a series' number, from 1; 0 if training did not know it, or if each series is an example."""
        return self._places.get(name, -1) + 1

    def standardised(self, series: Timeline) -> Array:
        """Return values (steps, targets) in units of a series."""
        return self.scaled(series.values, self.identity(series.name))

    def scaled(self, values: Array, identity: int) -> Array:
        """Return values (steps, targets) in units of the series with this number."""
        return (values - self.location[identity]) / self.spread[identity]

    def encode(self, values: Array, identity: int) -> NDArray[np.float32]:
        """Return what the network reads of values (steps, targets), (steps, size): 0 where missing, and what is there.

        A far value is read as one 30 spreads away.
        """
        scaled, there = self.scaled(values, identity), ~np.isnan(values)
        own = np.minimum(np.maximum(np.where(there, scaled, 0.0), -FARTHEST), FARTHEST)
        return np.concatenate([own, there], axis=1).astype(np.float32)

    def cuts(self, series: Timeline) -> NDArray[np.int64]:
        """Return the first step of each example of a series, and its number of steps last, (examples + 1,).

        A last example may be shorter. Steps to judge and the history before them share no example.
        """
        begins = [*range(0, series.begin, self.window), *range(series.begin, len(series), self.window)]
        return np.array([*begins, len(series)], np.int64)

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        plain = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        plain |= {"location": self.location.tolist(), "spread": self.spread.tolist(), "kind": self.kind}
        plain["peaks"] = {name: array.tolist() for name, array in self.peaks.items()}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ReconstructionFeatures":
        """Read features from the result of `to_json`; ConfigError if it is invalid."""
        if not isinstance(data, Mapping) or data.get("kind") != cls.kind:
            raise ConfigError(f"features must be of kind {cls.kind!r}; got {data!r:.80}")
        try:
            values: dict[str, Any] = {name: value for name, value in data.items() if name != "kind"}
            values |= {name: tuple(values[name]) for name in ("targets", "covariates", "names")}
            check_fields(cls, values)
            values |= {name: np.array(data[name], np.float64) for name in ("location", "spread")}
            values["peaks"] = {name: np.array(each, np.float64) for name, each in data["peaks"].items()}
            return cls(**values)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"features of a detector can't be read: {error}") from error
