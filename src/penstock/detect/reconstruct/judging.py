"""Judges an example once it was reproduced: the arithmetic of every stream and prediction.

What is ordinary was learned in training and stays: the score of an example does not depend on others.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.detect.conditions import MISSING, OUTLIER
from penstock.detect.head import logistic, tail
from penstock.detect.monitor import ranges, together
from penstock.detect.reconstruct.features import OF_EXAMPLES, OF_ROWS, ReconstructionFeatures
from penstock.detect.threshold import PEAKS, rarity

__all__ = ["ExampleJudgement", "judge"]

Array = NDArray[np.float64]


class ExampleJudgement(NamedTuple):
    """What is said of an example.

    score, threshold, anomaly: (steps,), as for `monitor.Judgement`
    expected, low, high: (steps, targets), the reconstruction and its interval of 99 %
    condition: (steps,) int64, places in `conditions.CONDITIONS`
    evidence: (steps, 1), the surprise that the score follows from; NaN where no value was there
    whole: score and evidence, the mean of the rows', of the example itself
    """

    score: Array
    threshold: Array
    anomaly: NDArray[np.bool_]
    expected: Array
    low: Array
    high: Array
    condition: NDArray[np.int64]
    evidence: Array
    whole: tuple[float, float]


def judge(
    features: ReconstructionFeatures, identity: int, values: Array, scores: NDArray[np.float32]
) -> ExampleJudgement:
    """Judge an example.

    Args:
        features: of the model.
        identity: the number of its series.
        values: (steps, targets), NaN where missing.
        scores: (steps, 2 * targets), of the head.
    """
    location, spread = features.location[identity], features.spread[identity]
    middle, scale = logistic(scores, np.zeros(values.shape))
    surprise = together(tail((values - location) / spread, middle, scale))
    there = ~np.isnan(surprise)
    mean = float(surprise[there].mean()) if there.any() else float("nan")
    score = _rarity(features, OF_ROWS, surprise)
    threshold = np.where(there, -np.log10(features.false_alarm_rate), np.nan)
    anomaly = score > threshold
    condition = np.where(np.isnan(values).any(axis=1), MISSING, np.where(anomaly, OUTLIER, 0))
    low, expected, high = ranges(location, spread, middle, scale)
    whole = float(_rarity(features, OF_EXAMPLES, np.array([mean]))[0]), mean
    return ExampleJudgement(score, threshold, anomaly, expected, low, high, condition, surprise[:, None], whole)


def _rarity(features: ReconstructionFeatures, kind: int, evidence: Array) -> Array:
    """-log10 of the share of ordinary evidence that is as large; 0 before anything is known of it, NaN for none."""
    if not features.peaks:
        return np.where(np.isnan(evidence), np.nan, 0.0)
    return rarity({name: features.peaks[name][kind] for name in PEAKS}, evidence)
