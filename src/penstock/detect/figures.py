"""Contents of `metrics.json` that only detectors have.

series      of the measured part, those with most missed windows first, then those with most false alarms: `series`,
            `target` (the one that deviated most), `labelled`, `windows`, `found`, `false`, `alarms`, and `chart`, see
            `_chart`
windows     of all its series together, by the model's own threshold: `windows`, `found`, `false`, `alarms`
cut         of series that were cut into examples: `window`, the most rows of one; `examples`, `flagged`, `labelled`,
            those that hold a labelled step, and `found`, those of them that were flagged
tails       `p`, and the share of the values outside labelled windows whose tail probability is at most that
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.conditions import CONDITIONS
from penstock.detect.judging import baseline_scored, judged, model_scored
from penstock.detect.nab import Scored
from penstock.detect.scores import alarms, labelled_examples
from penstock.panels.times import words_of
from penstock.tasks.measures import compare

if TYPE_CHECKING:
    from penstock.detect.data import DetectData
    from penstock.detect.model import Detections, DetectorModel

__all__ = ["detection_figures"]

Array = NDArray[np.float64]
_MOST_SERIES, _MOST_PLACES, _MOST_ALARMS = 12, 300, 60
_TAILS = (0.1, 0.01, 0.001, 0.0001)
_WITHIN = float(np.log(0.995 / 0.005))  # half the width of the interval of 99 %, in scales of a logistic distribution


def detection_figures(model: "DetectorModel", data: "DetectData") -> dict[str, Any]:
    """Return the metrics of a detector and of its baselines."""
    names = model.baselines.names if model.baselines else ()
    found: dict[str, Any] = {"valid": None, "test": None, "main_baseline": next(iter(names), None)}
    found["baseline"] = {name: {"valid": None, "test": None} for name in names}
    for part, series in data.measured().items():
        detections = model.predict(series)
        several = model_scored(detections, series)
        ours = judged(several)
        rows = sum(len(each.scores) - each.start for each in several)
        found[part] = {"rows": rows, **ours.metrics}
        others = {}
        for name in names:
            beside = judged(baseline_scored(model, series, name))
            found["baseline"][name][part] = {"rows": rows, **beside.metrics}
            others[name] = beside.sums
        compare(found, part, ours.sums, others)
    # The last part is the test data, or the validation data without any.
    cut = _cut(detections, several)
    return found | _told(detections, several) | ({"cut": {"window": model.features.window} | cut} if cut else {})


def _told(detections: Sequence["Detections"], several: Sequence[Scored]) -> dict[str, Any]:
    rows = [_series(found, each) for found, each in zip(detections, several, strict=True)]
    rows.sort(key=lambda row: (row["found"] - row["windows"], -row["false"], -row["alarms"]))
    totals = {name: sum(row[name] for row in rows) for name in ("windows", "found", "false", "alarms")}
    return {
        "series": rows[:_MOST_SERIES],
        "windows": totals | {"labelled": any(row["labelled"] for row in rows)},
        "tails": _tails(detections, several),
    }


def _cut(detections: Sequence["Detections"], several: Sequence[Scored]) -> dict[str, int]:
    """What became of examples; empty without examples."""
    found: Counter[str] = Counter()
    for each, scored in zip(detections, several, strict=True):
        if each.examples is not None:
            judged, marked = labelled_examples(scored)
            flags, marked = each.examples.anomaly[judged], marked[judged]
            found.update(examples=len(flags), flagged=int(flags.sum()), labelled=int(marked.sum()))
            found.update(found=int((flags & marked).sum()))
    return dict(found)


def _series(found: "Detections", each: Scored) -> dict[str, Any]:
    """What became of the windows of a series, and its chart."""
    assert each.flags is not None
    flags = each.flags.copy()
    flags[: each.start] = False
    runs = alarms(flags)
    inside = [bool(flags[max(first, each.start) : last + 1].any()) for first, last in each.judged_windows]
    right = [any(begin <= last and end >= first for first, last in each.judged_windows) for begin, end in runs.tolist()]
    distance = np.abs(found.series.values - found.expected) / np.maximum(found.high - found.expected, 1e-300)
    column = int(np.nan_to_num(distance[each.start :]).max(axis=0, initial=0).argmax())
    return {
        "series": found.series.name,
        "target": column,
        "labelled": each.windows is not None,
        "windows": len(inside),
        "found": sum(inside),
        "false": len(right) - sum(right) if each.windows is not None else 0,
        "alarms": len(right),
        "chart": _chart(found, each, column, list(zip(runs.tolist(), right, strict=True))),
    }


def _chart(found: "Detections", each: Scored, column: int, runs: Sequence[tuple[list[int], bool]]) -> dict[str, Any]:
    """The series in at most 300 places, each of several steps.

    times (places); low, high: the values' extremes; expected_low, expected_high: of the range; score and threshold
    where the score is highest; windows: first and last place of each; alarms: place, right (inside a window), time and
    condition.
    """
    steps = np.arange(each.start, len(each.scores))
    every = max(1, -(-len(steps) // _MOST_PLACES))
    pieces = [steps[begin : begin + every] for begin in range(0, len(steps), every)]
    series, times = found.series, found.series.times
    ratio = np.nan_to_num(found.score / found.threshold, nan=-1.0)
    top = [int(piece[ratio[piece].argmax()]) for piece in pieces]
    values, low, high = series.values[:, column], found.low[:, column], found.high[:, column]

    def of(step: int) -> str:
        return words_of(step if times is None else times[step])

    return {
        "times": [of(int(piece[0])) for piece in pieces],
        "low": [_least(values[piece]) for piece in pieces],
        "high": [_most(values[piece]) for piece in pieces],
        "expected_low": [_least(low[piece]) for piece in pieces],
        "expected_high": [_most(high[piece]) for piece in pieces],
        "score": [_most(found.score[[step]]) for step in top],
        "threshold": [_most(found.threshold[[step]]) for step in top],
        "windows": [
            [max(first - each.start, 0) // every, (last - each.start) // every] for first, last in each.judged_windows
        ],
        "alarms": [
            {
                "place": (begin - each.start) // every,
                "right": right,
                "time": of(begin),
                "condition": CONDITIONS[found.condition[begin]],
            }
            for (begin, _), right in runs[:_MOST_ALARMS]
        ],
    }


def _tails(detections: Sequence["Detections"], several: Sequence[Scored]) -> list[dict[str, Any]]:
    """Shares of ordinary values by their tail probability, which should be the probability itself."""
    tails = []
    for found, each in zip(detections, several, strict=True):
        ordinary = np.ones(len(each.scores), bool)
        ordinary[: each.start] = False
        for first, last in each.windows or ():
            ordinary[first : last + 1] = False
        half = np.maximum(found.high - found.expected, 1e-300)
        distance = _WITHIN * np.abs(found.series.values - found.expected)[ordinary] / half[ordinary]
        tails.append(-np.logaddexp(0.0, distance[~np.isnan(distance)]) + np.log(2))
    every = np.concatenate(tails)
    return [
        {"p": p, "share": float((every <= np.log(p)).mean()), "values": len(every)}
        for p in _TAILS
        if len(every) * p >= 1
    ]


def _least(values: Array) -> float | None:
    there = values[np.isfinite(values)]
    return float(there.min()) if len(there) else None


def _most(values: Array) -> float | None:
    there = values[np.isfinite(values)]
    return float(there.max()) if len(there) else None
