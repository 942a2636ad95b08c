"""A pool of thousands of detector streams, which advance together."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.detect.memory import Memory
from penstock.detect.monitor import Adapt, Judgement, Monitor
from penstock.detect.season import PROFILE
from penstock.errors import DataError, ShapeError

if TYPE_CHECKING:
    from penstock.detect.model import DetectorModel

__all__ = ["DetectorPool"]


class DetectorPool:
    """A fixed number of streams whose memory lies in shared arrays; any subset of them advances in one call.

    A stream's answers are, bit for bit, those of `DetectorStream`. Made by `DetectorModel.pool()`. Not thread-safe.

    Args:
        model: the model.
        adapt: as for `DetectorModel.stream`.

    Examples:
        >>> import numpy as np
        >>> from penstock import AnomalyDetector
        >>> detector = AnomalyDetector(hidden_size=4, epochs=1, baseline=False).fit(np.sin(np.arange(300.0)))
        >>> pool = detector.model_.pool()
        >>> pool.step(pool.open(1000), np.zeros((1000, 1))).anomaly.sum()
        np.int64(0)
    """

    def __init__(self, model: "DetectorModel", *, adapt: Adapt = False) -> None:
        self._features, size = model.features, model.network.encoder.output_size
        self._monitor = Monitor(model.features, model.scorer.head, adapt, size=size)
        self._streams = model.scorer.encoder.streams()
        self._memory: Memory = self._monitor.memory(np.zeros(0, np.int64))
        self._slabs, self._mark = self._streams.slabs(0), np.zeros(0, np.int64)

    def __len__(self) -> int:
        """Number of streams."""
        return len(self._memory["rows"])

    def open(self, count: int, series: str | None = None) -> NDArray[np.int64]:
        """Open streams and return their numbers, (count,).

        Args:
            count: how many.
            series: as for `DetectorModel.stream`; None: the only training series, or unknown ones.
        """
        features, before = self._features, len(self)
        if series is not None and not features.identity(series):
            raise DataError(f"there is no series {series!r} in the model; leave it out for unknown ones")
        identity = int(len(features.names) == 1) if series is None else features.identity(series)
        fresh = self._monitor.memory(np.full(count, identity))
        self._memory = {name: np.concatenate([array, fresh[name]]) for name, array in self._memory.items()}
        self._slabs = [
            tuple(np.concatenate(pair) for pair in zip(old, new, strict=True))
            for old, new in zip(self._slabs, self._streams.slabs(count), strict=True)
        ]
        self._mark = np.zeros(len(self), np.int64)
        return np.arange(before, before + count)

    def step(self, streams: ArrayLike, values: ArrayLike, times: Any = None, covariates: Any = None) -> Judgement:
        """Judge the next row of each of these streams.

        Args:
            streams: (n,) numbers from `open`, all different.
            values: (n, targets), NaN where missing.
            times: (n,) datetime64 or whole numbers, in the order of time for each stream; None without times.
            covariates: (n, covariates); None without covariates.

        Raises:
            ShapeError: numbers that are not open or occur twice, or arrays of other shapes; no stream has advanced.
            DataError: times that are missing, or before the last ones.
        """
        features, places = self._features, np.asarray(streams, np.int64)
        is_open = (places >= 0) & (places < len(self))
        if places.ndim != 1 or not is_open.all() or self._twice(places):
            raise ShapeError(f"streams must be (n,) different numbers from open(), below {len(self)}")
        rows = np.asarray(values, np.float64)
        others = np.zeros((len(places), 0)) if covariates is None else np.asarray(covariates, np.float64)
        for what, array, width in (("values", rows, features.targets), ("covariates", others, features.covariates)):
            if array.shape != (len(places), len(width)):
                raise ShapeError(f"{what} must be ({len(places)}, {len(width)}); got {array.shape}")
        mine = {name: array if name in PROFILE else array[places] for name, array in self._memory.items()}
        moments = self._times(mine, times)
        advance = partial(self._streams.step, places, slabs=self._slabs)
        found = self._monitor.judge(mine, rows, others, moments, advance, places)
        for name in mine.keys() - set(PROFILE):  # profiles are changed where they are
            self._memory[name][places] = mine[name]
        return found

    def _twice(self, places: NDArray[np.int64]) -> bool:
        """Whether a number occurs twice; quicker than to sort them."""
        order = np.arange(len(places))
        self._mark[places] = order
        return bool((self._mark[places] != order).any())

    def _times(self, mine: Memory, times: Any) -> NDArray[Any] | None:
        if times is None:
            if self._features.calendar:
                raise DataError("rows must have their times: the model reads the calendar")
            return None
        found = np.asarray(times)
        found = found.astype("datetime64[s]") if found.dtype.kind == "M" else found.astype(np.int64)
        if (found.astype(np.int64) < mine["time"]).any():
            raise DataError("rows must come in the order of their times; one is before the last row of its stream")
        return found
