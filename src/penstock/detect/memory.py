"""What is known of each series while its rows arrive: the memory of a stream, of a pool, of a prediction."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.features import DetectFeatures
from penstock.detect.season import PROFILE, PROFILE_NEAR
from penstock.detect.units import spread_of

__all__ = ["NEVER", "Memory", "new_memory"]

Array = NDArray[np.float64]
Memory = dict[str, NDArray[Any]]
"""What is known of each series, by name; the first axis of each array is the series."""
NEVER = -(1 << 49)
"""The time of no row."""


def new_memory(features: DetectFeatures, identities: NDArray[np.int64]) -> Memory:
    """Return the memory of new series by number (series,): from 1, or 0 for one that training did not know."""
    count, targets, known = len(identities), len(features.targets), identities > 0
    shape = (count, targets)

    def fitted(name: str, usual: Any = 0.0) -> Array:
        found = features.scales[name][np.maximum(identities - 1, 0)]
        return np.where(known.reshape(-1, *[1] * (found.ndim - 1)), found, usual)

    peaks = features.peaks or _no_peaks(features)
    found = {
        "rows": np.zeros(count, np.int64),
        "time": np.full(count, NEVER, np.int64),
        "last": np.full(shape, np.nan),
        "before": np.full(shape, np.nan),
        "there": np.zeros(shape),
        "counts": np.where(known[:, None], features.probation, np.zeros(shape, np.int64)),
        "location": fitted("location"),
        "variance": fitted("variance"),
        "gaps": np.where(known, features.probation, 0),
        "gap": fitted("gap"),
        "gap_variance": fitted("gap_variance"),
        "season_share": fitted("season_share", np.median(features.scales["season_share"], axis=0)),
        "smoothed": np.zeros((count, 2)),
        **{name: array[identities] for name, array in peaks.items()},
    }
    usual_points, usual_span = _usual_season(features)
    found["points"] = fitted("points", usual_points).astype(np.int64)
    found["span"] = fitted("span", usual_span).astype(np.int64)
    found["origin"] = fitted("origin", 0 if features.time is None else NEVER).astype(np.int64)
    found["until"] = fitted("until", NEVER).astype(np.int64)
    return found | _profiles(features, identities, found)


def _profiles(features: DetectFeatures, identities: NDArray[np.int64], memory: Memory) -> Memory:
    """The profiles of the seasons in the unit of the values; those of unknown series are empty."""
    location, spread = memory["location"][:, None], spread_of(memory["variance"])[:, None]
    own = [features.profile[name][np.maximum(identities - 1, 0)] for name in PROFILE]
    found = (own[0] * spread + location, own[1] * spread * spread, *own[2:])
    known = (identities > 0)[:, None, None]
    return {name: np.where(known, each, float(name == PROFILE_NEAR)) for name, each in zip(PROFILE, found, strict=True)}


def _no_peaks(features: DetectFeatures) -> dict[str, Array]:
    """Peaks that give no alarm."""
    usual = {"level": np.inf, "scores": 1.0, "peaks": 1.0, "excess": 1.0, "squares": 2.0}
    return {name: np.full((len(features.names) + 1, features.kinds), value) for name, value in usual.items()}


def _usual_season(features: DetectFeatures) -> tuple[int, int]:
    """The points and the length of the season that most training series have."""
    seasons = list(zip(*(features.scales[name].astype(int).tolist() for name in ("points", "span")), strict=True))
    return max(set(seasons), key=lambda season: (seasons.count(season), season))
