"""The columns that training read, which every detector's features hold, and whether other series have them."""

from dataclasses import dataclass
from typing import Any

from penstock.detect.timelines import Timelines
from penstock.errors import DataError

__all__ = ["DetectColumns", "columns_of"]


@dataclass(eq=False, kw_only=True)
class DetectColumns:
    """The columns of the training series.

    Args:
        targets, covariates: columns.
        time, id: the columns that times and names came from; None without.
        time_format: how times are read, as `panels.times.parse_times` takes it.
        dated: whether times are dates; None without times.
    """

    targets: tuple[str, ...]
    covariates: tuple[str, ...] = ()
    time: str | None = None
    id: str | None = None
    time_format: str | None = None
    dated: bool | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of the training data, by the argument names of the reader."""
        several = {"target": list(self.targets), "covariates": list(self.covariates)}
        return {"time": self.time, "id": self.id, "time_format": self.time_format} | several

    def check(self, data: Timelines, what: str = "the data") -> None:
        """Raise DataError unless the series have the columns and the kind of times of training."""
        for kind, own, ours in (
            ("target", data.targets, self.targets),
            ("covariate", data.covariates, self.covariates),
        ):
            if own != ours:
                raise DataError(
                    f"{what} must have the {kind} columns {', '.join(ours) or '(none)'}, as in training; got "
                    f"{', '.join(own) or 'none'}"
                )
        for series in data:
            dated = None if series.times is None else series.times.dtype.kind == "M"
            if self.dated is not None and dated != self.dated:
                wanted = "dates" if self.dated else "whole numbers"
                raise DataError(f"{what} must have times that are {wanted}, as in training. Name their column.")


def columns_of(data: Timelines) -> dict[str, Any]:
    """Return the arguments of `DetectColumns` for training series."""
    times = data.series[0].times
    return {
        "targets": data.targets,
        "covariates": data.covariates,
        "time": data.time,
        "id": data.id,
        "time_format": data.time_format,
        "dated": None if data.time is None or times is None else times.dtype.kind == "M",
    }
