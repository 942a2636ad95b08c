"""Scores of detectors: NAB's three, VUS-PR, alarms a week, and the AUC of examples; beside labelled windows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.nab import PROFILES, Scored, best_threshold, nab_parts
from penstock.detect.volume import vus_pr
from penstock.runtime.resampling import Sums

__all__ = ["alarms", "best_thresholds", "detection_scores", "detection_sums", "labelled_examples"]

Array = NDArray[np.float64]


def alarms(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the first and last step of each alarm, (alarms, 2): flagged steps in a row are one alarm."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    return edges - np.array([0, 1])


def best_thresholds(several: Sequence[Scored]) -> dict[str, float]:
    """Return the threshold that NAB's optimisation finds for each profile; empty without a labelled window."""
    labelled = _labelled(several)
    if not any(each.judged_windows for each in labelled):
        return {}
    return {name: best_threshold(labelled, profile)[0] for name, profile in PROFILES.items()}


def detection_scores(several: Sequence[Scored]) -> dict[str, float]:
    """Return all scores by name.

    Args:
        several: the series, judged together.

    Returns:
        `nab_standard`, `nab_low_fp`, `nab_low_fn` (0 for a detector without alarms, 100 for a perfect one; with the
        threshold that is best for all series, as NAB does it) and `vus_pr` if there is a labelled window;
        `alarms_per_week` by the detector's own flags if there are some, `alarms_per_1000` (steps) for series without
        times. `example_auc` of series that were cut into examples, if some of these hold a labelled step and others
        none: the probability that one that does has a higher score than one that doesn't.
    """
    sums = detection_sums(several, best_thresholds(several))
    found = {name: float(value) for name, value in sums.scores(sums.values.sum(axis=0)).items()}
    volume, auc = vus_pr(several), _example_auc(several)
    further = {name: value for name, value in (("vus_pr", volume), ("example_auc", auc)) if not np.isnan(value)}
    return {**_nab(found), **further, **_rates(found)}


def labelled_examples(scored: Scored) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which examples of a series are judged, and which hold a labelled step, both (examples,)."""
    if scored.examples is None:
        return np.zeros(0, bool), np.zeros(0, bool)
    firsts, ends = scored.examples[0][:-1], scored.examples[0][1:]
    marked = np.zeros(len(firsts), bool)
    for first, last in scored.windows or ():
        marked |= (firsts <= last) & (ends > first)
    return firsts >= scored.start, marked


def detection_sums(several: Sequence[Scored], thresholds: dict[str, float]) -> Sums:
    """Return what the scores but VUS-PR follow from; a unit is a labelled window with the steps before it.

    Args:
        several: the series, judged together.
        thresholds: of each profile, from `best_thresholds`; they stay fixed when units are resampled.
    """
    flagged = all(each.flags is not None for each in several)
    timed = all(np.isfinite(each.weeks) for each in several)
    values = np.concatenate([_stretches(each, thresholds, flagged=flagged, timed=timed) for each in several])
    names = list(thresholds)

    @np.errstate(invalid="ignore", divide="ignore")  # of resamples without a window
    def scores(sums: Array) -> dict[str, Array]:
        found = {}
        for place, name in enumerate(names):
            profile = PROFILES[name]
            found[name] = 100 * sums[..., place] / (sums[..., -3] * (profile.found + profile.missed))
        if flagged:
            found["alarms_per_week" if timed else "alarms_per_1000"] = sums[..., -2] / sums[..., -1]
        return found

    return Sums(values, scores, len(values))


def _stretches(scored: Scored, thresholds: dict[str, float], *, flagged: bool, timed: bool) -> Array:
    """Gains of each profile, windows, alarms and duration of each stretch, (stretches, profiles + 3)."""
    ends = [last + 1 for _, last in scored.judged_windows[:-1]]
    bounds = np.array([scored.start, *ends, len(scored.scores)])
    values = np.zeros((len(bounds) - 1, len(thresholds) + 3))
    if scored.windows is not None:
        for place, (name, threshold) in enumerate(thresholds.items()):
            parts = nab_parts(scored, threshold, PROFILES[name])
            values[:, place], values[:, -3] = parts[:, 0], parts[:, 1]
    if flagged and scored.flags is not None:
        begins = scored.start + alarms(scored.flags[scored.start :])[:, 0]
        values[:, -2] = np.histogram(begins, bounds)[0]
    steps = np.diff(bounds)
    values[:, -1] = steps / steps.sum() * scored.weeks if timed else steps / 1000
    return values


def _example_auc(several: Sequence[Scored]) -> float:
    """The area under the ROC curve of examples' scores; NaN without labels, or if all examples are of one kind."""
    scores, kinds = [np.zeros(0)], [np.zeros(0, bool)]
    for each in _labelled(several):
        if each.examples is not None:
            judged, marked = labelled_examples(each)
            own = each.examples[1][judged]
            scores.append(np.where(np.isnan(own), -np.inf, own))
            kinds.append(marked[judged])
    every, positive = np.concatenate(scores), np.concatenate(kinds)
    if not positive.any() or positive.all():
        return float("nan")
    # Mann and Whitney's: equal scores share the mean of their ranks.
    _, places, counts = np.unique(every, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    found, others = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - found * (found + 1) / 2) / (found * others))


def _labelled(several: Sequence[Scored]) -> list[Scored]:
    return [each for each in several if each.windows is not None]


def _nab(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name in PROFILES}


def _rates(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in PROFILES}
