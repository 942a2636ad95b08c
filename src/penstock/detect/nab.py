"""NAB's scoring of detectors (Lavin and Ahmad 2015, arXiv 1510.03336), with the weights of NAB 1.1.

An alarm inside a labelled window counts the more the earlier it comes, and only the best one of a window counts; a
missed window and each row of a false alarm cost. The threshold is the best one for all series together, and the sum is
scaled so that a detector without an alarm has 0, and one that finds each window in its first row has 100.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataError

__all__ = ["PROFILES", "Profile", "Scored", "best_threshold", "nab_parts", "probation", "row_weights"]

Array = NDArray[np.float64]
_SHARE, _MOST = 0.15, 750
_STEEPNESS, _FAR = 5.0, 3.0


@dataclass(frozen=True)
class Profile:
    """What one event counts.

    Attributes:
        found: an alarm in the first row of a window; less in later ones.
        missed: the cost of a window without an alarm.
        false: the cost of a row that is flagged long after a window, or before all of them; less soon after one.
    """

    found: float = 1.0
    missed: float = 1.0
    false: float = 0.11


PROFILES = {"nab_standard": Profile(), "nab_low_fp": Profile(false=0.22), "nab_low_fn": Profile(missed=2.0)}
"""NAB's profiles standard, reward_low_FP_rate and reward_low_FN_rate, by the names of their metrics."""


@dataclass(frozen=True, eq=False)
class Scored:
    """A series with its anomaly scores, and what is known of it.

    Args:
        scores: (steps,), larger means more anomalous; NaN is never flagged.
        windows: the first and last step of each labelled window, ascending, without overlap; None for an unlabelled
            series.
        start: the first step that is judged.
        flags: (steps,) bool, the detector's own alarms; None for none.
        weeks: the time from `start` to the end; NaN without times.
        examples: of a series that was cut into examples, the first step of each and the number of steps, (examples +
            1,), and the score of each, (examples,); None without examples.

    Raises:
        DataError: windows that overlap or lie outside the series.
    """

    scores: Array
    windows: Sequence[tuple[int, int]] | None = None
    start: int = 0
    flags: NDArray[np.bool_] | None = None
    weeks: float = float("nan")
    examples: tuple[NDArray[np.int64], Array] | None = None

    def __post_init__(self) -> None:
        windows = self.windows or ()
        for first, last in windows:
            if not 0 <= first <= last < len(self.scores):
                raise DataError(
                    f"a labelled window must lie inside its series of {len(self.scores)} steps; got {first} to {last}"
                )
        for (_, last), (first, _) in pairwise(windows):
            if first <= last:
                raise DataError(
                    f"labelled windows must ascend and not overlap; step {first} begins one, and {last} ends the one "
                    "before"
                )

    @property
    def judged_windows(self) -> list[tuple[int, int]]:
        """The windows that have a judged step."""
        return [window for window in self.windows or () if window[1] >= self.start]


def probation(steps: int) -> int:
    """Return how many steps at the begin of a series NAB does not judge: 15 %, at most 750."""
    return min(int(_SHARE * steps), _MOST)


def row_weights(steps: int, windows: Sequence[tuple[int, int]], profile: Profile) -> Array:
    """Return what an alarm in each step counts, (steps,): above 0 inside windows, below 0 outside."""
    weights = np.full(steps, -profile.false)
    ends = [first for first, _ in windows[1:]] + [steps]
    for (first, last), end in zip(windows, ends, strict=False):
        width = last - first + 1
        inside = np.arange(-width, 0) / width
        weights[first : last + 1] = profile.found * _scaled(inside) / _scaled(np.array(-1.0))
        after = np.arange(1, end - last) / max(width - 1, 1)
        weights[last + 1 : end] = profile.false * _scaled(after)
    return weights


def best_threshold(several: Sequence[Scored], profile: Profile) -> tuple[float, float]:
    """Return the threshold with the largest score over all series together, and that score from 0 to 100.

    Steps whose score is at least the threshold are flagged. It is infinite if no alarm at all is best. The score is NaN
    if there is no labelled window; it may be below 0 only for a fixed threshold.
    """
    scores, gains, windows = [], [], 0
    for each in several:
        judged, gained = _gains(each, profile)
        scores.append(judged)
        gains.append(gained)
        windows += len(each.judged_windows)
    found, gain = np.concatenate([np.zeros(0), *scores]), np.concatenate([np.zeros(0), *gains])
    order = np.argsort(-found, kind="stable")
    found, totals = found[order], np.cumsum(gain[order])
    # Rows of equal scores are flagged together.
    last = np.append(found[1:] != found[:-1], True)[: len(found)]
    thresholds, totals = np.append(np.inf, found[last]), np.append(0.0, totals[last])
    best = int(totals.argmax())
    return float(thresholds[best]), normalised(totals[best], windows, profile)


def normalised(gained: float, windows: int, profile: Profile) -> float:
    """Return what was gained over a detector without alarms, from 0 to 100; NaN without windows."""
    return 100 * float(gained) / (windows * (profile.found + profile.missed)) if windows else float("nan")


def nab_parts(scored: Scored, threshold: float, profile: Profile) -> Array:
    """Return what each stretch of a series gains over a detector without alarms, and its number of windows.

    A stretch is a window with the steps before it, up to the window before; the last one has all steps to the end.

    Returns:
        (stretches, 2); one stretch for a series without windows.
    """
    windows = scored.judged_windows
    weights = row_weights(len(scored.scores), scored.windows or (), profile)
    flagged = scored.scores >= threshold
    flagged[: scored.start] = False
    bounds = [scored.start, *(last + 1 for _, last in windows[:-1]), len(scored.scores)]
    parts = np.zeros((len(bounds) - 1, 2))
    outside = np.ones(len(flagged), bool)
    for place, (first, last) in enumerate(windows):
        outside[first : last + 1] = False
        hits = weights[first : last + 1][flagged[first : last + 1]]
        parts[place] = hits.max() + profile.missed if len(hits) else 0.0, 1
    for place, (begin, end) in enumerate(pairwise(bounds)):
        false = weights[begin:end][(flagged & outside)[begin:end]]
        parts[place, 0] += false.sum()
    return parts


def _gains(scored: Scored, profile: Profile) -> tuple[Array, Array]:
    """Return the scores of the judged steps, and what each adds if all steps with larger scores are flagged."""
    weights = row_weights(len(scored.scores), scored.windows or (), profile)
    scores = np.where(np.isnan(scored.scores), -np.inf, scored.scores)
    for first, last in scored.judged_windows:
        first = max(first, scored.start)
        order = first + np.argsort(-scores[first : last + 1], kind="stable")
        best = np.maximum.accumulate(weights[order])
        weights[order] = np.diff(best, prepend=-profile.missed)
    judged = np.flatnonzero(scores[scored.start :] > -np.inf) + scored.start
    return scores[judged], weights[judged]


def _scaled(place: Array) -> Array:
    """NAB's scaled sigmoid: near 1 a window's width before its end, 0 at the end, -1 three widths after it."""
    return np.where(place > _FAR, -1.0, 2 / (1 + np.exp(_STEEPNESS * np.minimum(place, _FAR))) - 1)
