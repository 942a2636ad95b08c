"""The figures of a detector for metrics.json."""

from typing import TYPE_CHECKING, Any

from penstock.detect.judging import baseline_scored, judged, model_scored
from penstock.tasks.measures import compare

if TYPE_CHECKING:
    from penstock.detect.data import DetectData
    from penstock.detect.model import DetectorModel

__all__ = ["detection_figures"]


def detection_figures(model: "DetectorModel", data: "DetectData") -> dict[str, Any]:
    """Return the scores of each part of the data, beside those of the baselines."""
    names = model.baselines.names if model.baselines else ()
    found: dict[str, Any] = {"test": None, "main_baseline": next(iter(names), "")}
    found["baseline"] = {name: {"test": None} for name in names}
    for part, series in data.measured().items():
        ours = judged(model_scored(model, series))
        rows = sum(len(each) - each.begin for each in series)
        found[part] = {"rows": rows, **ours.metrics}
        others = {}
        for name in names:
            beside = judged(baseline_scored(model, series, name))
            found["baseline"][name][part] = {"rows": rows, **beside.metrics}
            others[name] = beside.sums
        compare(found, part, ours.sums, others)
    return found
