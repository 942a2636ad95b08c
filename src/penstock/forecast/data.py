"""Series split by time into training, validation and test parts, each with the preceding values as history."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from penstock.datasets import parse_proportions
from penstock.errors import ConfigError, DataError
from penstock.panels.epochs import drawn_in_an_epoch
from penstock.panels.frames import is_frame
from penstock.panels.panel import Panel
from penstock.panels.panel_columns import arrays_panel
from penstock.panels.readers import read_series
from penstock.tasks.options import check_validation_share

__all__ = ["ForecastData", "TrainingSeries", "as_panel", "parse_split", "prepare", "split_by_time"]


@dataclass(frozen=True, eq=False)
class TrainingSeries:
    """The training series; the length is the number of examples per epoch."""

    panel: Panel
    examples: int

    def __len__(self) -> int:
        return self.examples

    def digest(self) -> str:
        """Return a hash that identifies the series."""
        digest = hashlib.sha256(repr([self.panel.names, self.panel.targets]).encode())
        for series in self.panel:
            for each in (series.values, series.past, series.known):
                digest.update(each.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class ForecastData:
    """All data of a training.

    Attributes:
        train: the training series, with the number of examples per epoch.
        valid, test: panels with their history; test may be None.
        dropped: counts of dropped rows, by reason.
        changed: counts of changes to the data.
    """

    train: TrainingSeries
    valid: Panel
    test: Panel | None
    dropped: dict[str, int]
    changed: dict[str, int]

    labels = ()

    def measured(self) -> dict[str, Panel]:
        """Return the parts for evaluation by name."""
        return {"valid": self.valid} | ({} if self.test is None else {"test": self.test})

    def count(self, dropped: Mapping[str, int] | None, changed: Mapping[str, int] | None) -> None:
        """Add to the counts of dropped rows and of changes."""
        self.dropped.update(dropped or {})
        self.changed.update(Counter(self.changed) + Counter(changed or {}))


def as_panel(data: Any, what: str = "the data", columns: Mapping[str, Any] | None = None) -> Panel:
    """Convert a `Panel`, a path, a frame or arrays to a panel.

    Args:
        data: a `Panel`, a path or a frame as `read_series` reads it, or arrays.
        what: the name for messages.
        columns: as in training, by the names of `Panel.columns`; None to find them.

    Raises:
        DataError: it is none of these.
    """
    if isinstance(data, Panel):
        return data
    if isinstance(data, np.ndarray | list | tuple) or (
        isinstance(data, Mapping)
        and not is_frame(data)
        and not ({"y", "ds", "unique_id"} | _named(columns)) & set(data)
    ):
        return arrays_panel(data)
    try:
        return read_series(data, **(columns or {}))
    except DataError as error:
        raise DataError(
            f"{what}: {str(error).rstrip('.')}. Say which columns are which: "
            "penstock.read_series(data, time=..., target=...); or give an array"
        ) from error


def _named(columns: Mapping[str, Any] | None) -> set[str]:
    """Return all named columns."""
    found = columns or {}
    several = [name for kind in ("target", "past", "known") for name in found.get(kind, [])]
    return {*several, *filter(None, (found.get("time"), found.get("id")))}


def prepare(
    data: Any,
    validation_data: Any,
    test_data: Any,
    *,
    horizon: int,
    validation_share: float,
    joint: bool,
    batch_size: int,
) -> ForecastData:
    """Check the parts and add the history of each.

    Args:
        data: to learn from, and to stop by where there is no `validation_data`.
        validation_data, test_data: what comes after; rows that `data` has already are history. Or None.
        horizon: steps that are forecast.
        validation_share: of each series' steps, held back at its end without `validation_data`; a horizon at least.
        joint: whether an example has all targets together.
        batch_size: examples per training step.

    Raises:
        DataError: data that can't be used.
        ConfigError: a share that makes no sense.
    """
    check_validation_share(validation_share)
    train = as_panel(data)
    parts = {"validation_data": validation_data, "test_data": test_data}
    later = {name: as_panel(part, name, train.columns) for name, part in parts.items() if part is not None}
    changed: Counter[str] = Counter()
    for each in (train, *later.values()):
        changed.update(each.changed)
    if "validation_data" in later:
        valid = _after(later["validation_data"], train, "validation_data")
        history = valid
    else:
        history = train
        train, valid = _held_back(train, validation_share, horizon)
    test = _after(later["test_data"], history, "test_data") if "test_data" in later else None
    origins = sum(max(len(series) - horizon, 1) for series in train)
    drawn = drawn_in_an_epoch(origins * (1 if joint else len(train.targets)), batch_size)
    return ForecastData(TrainingSeries(train, drawn), valid, test, {}, dict(changed))


def split_by_time(panel: Panel, sizes: Sequence[float]) -> list[Panel]:
    """Split a panel by time into parts, each with the preceding values.

    Args:
        panel: whole series.
        sizes: shares of each series' steps whose sum is 1, or numbers of steps; steps beyond these are left out.
    """
    cuts = []
    for series in panel:
        ends = np.cumsum(sizes) * (1 if _are_steps(sizes) else len(series))
        ends = np.rint(ends).astype(int)
        if ends[-1] > len(series):
            raise ConfigError(f"--split asks for {ends[-1]} steps; series {series.name!r} has {len(series)}")
        cuts.append([0, *ends.tolist()])
    parts = [
        panel.with_series(
            [series.until(ends[k + 1], begin=ends[k]) for series, ends in zip(panel, cuts, strict=True) if ends[k + 1]]
        )
        for k in range(len(sizes))
    ]
    parts[0] = replace(parts[0], changed=panel.changed)
    return parts


def parse_split(text: str) -> tuple[float, ...]:
    """Parse shares such as 0.8/0.1/0.1, or numbers of steps such as 8640/2880/2880.

    Raises:
        ConfigError: neither.
    """
    words = text.split("/")
    if len(words) > 1 and all(word.strip().isdecimal() and int(word) > 0 for word in words):
        return tuple(float(int(word)) for word in words)
    return parse_proportions(text)


def _are_steps(sizes: Sequence[float]) -> bool:
    return min(sizes) >= 1


def _held_back(panel: Panel, share: float, horizon: int) -> tuple[Panel, Panel]:
    cuts = [len(series) - max(horizon, round(len(series) * share)) for series in panel]
    kept = [(series, cut) for series, cut in zip(panel, cuts, strict=True) if cut > 0]
    if not kept:
        raise DataError(
            f"the series must be longer than what is held back to validate, {horizon} steps at least; the longest has "
            f"{max(map(len, panel))}. Give more data, or a shorter horizon."
        )
    return (
        panel.with_series([series.until(cut) for series, cut in kept]),
        panel.with_series([series.until(len(series), begin=cut) for series, cut in kept]),
    )


def _after(part: Panel, history: Panel, what: str) -> Panel:
    """Return the part with its history, which parts made by `split_by_time` already have."""
    if any(series.begin for series in part):
        return part
    return part.after(history, what)
