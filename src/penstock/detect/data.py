"""Series to learn from, to validate and to test with: divided by time, and what is left out of training."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from penstock.detect.building import array_timelines, as_windows, frame_timelines
from penstock.detect.timelines import Timeline, Timelines
from penstock.errors import DataError
from penstock.panels.frames import is_frame
from penstock.tasks.options import check_validation_share

__all__ = [
    "DetectData",
    "TrainingTimelines",
    "as_timelines",
    "check_change",
    "prepare",
    "split_by_time",
    "unlabelled",
]

_FEWEST = 20
"""Steps without which nothing can be learned of a series."""


@dataclass(frozen=True, eq=False)
class TrainingTimelines:
    """The training series; the length is the number of chunks, or examples, that an epoch draws."""

    data: Timelines
    examples: int

    def __len__(self) -> int:
        return self.examples

    def digest(self) -> str:
        """Return a hash that identifies the series."""
        return self.data.digest()


@dataclass(frozen=True, eq=False)
class DetectData:
    """All data of a training; `valid` and `test` have their history, test may be None."""

    train: TrainingTimelines
    valid: Timelines
    test: Timelines | None
    dropped: dict[str, int]
    changed: dict[str, int]

    labels = ()

    def measured(self) -> dict[str, Timelines]:
        """Return the parts for evaluation by name."""
        return {"valid": self.valid} | ({} if self.test is None else {"test": self.test})


def as_timelines(data: Any, windows: Any = None, columns: Any = None) -> Timelines:
    """Convert `Timelines`, a path, a frame or arrays to series, with labelled windows if there are some.

    Raises:
        DataError: it is none of these, or the windows are not of these series.
    """
    if isinstance(data, Timelines):
        found = data
    elif is_frame(data) or isinstance(data, str | Path):
        if columns is not None and is_frame(data):
            found = frame_timelines(data, columns)
        else:
            from penstock.detect.readers import read_timelines

            found = read_timelines(data, **(columns or {}))
    else:
        found = array_timelines(data, (columns or {}).get("target"))
    return found if windows is None else found.labelled(as_windows(windows, found))


def prepare(train: Timelines, valid: Timelines | None, test: Timelines | None, share: float) -> DetectData:
    """Divide the training series if there are none to validate with, and leave labelled windows out of training.

    Raises:
        DataError: series that are too short, or whose values never change.
        ConfigError: a share that makes no sense.
    """
    check_validation_share(share)
    changed = sum((Counter(part.changed) for part in (train, valid, test) if part is not None), Counter())
    dropped = sum((Counter(part.dropped) for part in (train, valid, test) if part is not None), Counter())
    if valid is None:
        train, valid = split_by_time(train, (1 - share, share))
    kept = [series for series in train if len(series) >= _FEWEST]
    if not kept:
        raise DataError(
            f"a series to learn from must have at least {_FEWEST} steps; the longest has {max(map(len, train))}. Give "
            "more data, or a smaller share to validate with."
        )
    if len(kept) < len(train):
        dropped[f"series of less than {_FEWEST} steps"] = len(train) - len(kept)
    learned, marked = unlabelled(train.with_series(kept))
    if marked:
        changed["steps in labelled windows, left out of training"] = marked
    check_change(learned)
    return DetectData(TrainingTimelines(learned, 0), valid, test, dict(dropped), dict(changed))


def split_by_time(data: Timelines, shares: Sequence[float]) -> list[Timelines]:
    """Split each series by time; a part has the steps before it as history."""
    parts: list[list[Timeline]] = [[] for _ in shares]
    for series in data:
        ends = [0, *np.rint(np.cumsum(shares) * len(series)).astype(int).tolist()]
        for part, begin, end in zip(parts, ends[:-1], ends[1:], strict=True):
            if end > begin:
                part.append(series.until(end, begin))
    if not all(parts):
        raise DataError(f"series of at most {max(map(len, data))} steps can't be divided into {len(parts)} parts")
    found = [data.with_series(part) for part in parts]
    found[0] = replace(found[0], changed=data.changed, dropped=data.dropped)
    return found


def unlabelled(data: Timelines) -> tuple[Timelines, int]:
    """Return the series with labelled steps missing, and their number."""
    marked = data.marked()
    series = [
        replace(each, values=np.where(mask[:, None], np.nan, each.values))
        for each, mask in zip(data, marked, strict=True)
    ]
    return replace(data, series=series), int(sum(mask.sum() for mask in marked))


def check_change(data: Timelines) -> None:
    """Raise DataError if a target has no values, or the same value throughout."""
    for column, name in enumerate(data.targets):
        values = np.concatenate([series.values[:, column] for series in data])
        values = values[~np.isnan(values)]
        if not len(values):
            raise DataError(f"the target {name} must have values to learn from; all are missing or labelled")
        if all(_constant(series.values[:, column]) for series in data):
            raise DataError(
                f"the target {name} must vary, or there is nothing to learn; it is {values[0]:g} throughout"
                f"{'' if len(data) == 1 else ' each series'}. Leave it out, or give data in which it changes."
            )


def _constant(values: Any) -> bool:
    there = values[~np.isnan(values)]
    return len(there) == 0 or bool((there == there[0]).all())
