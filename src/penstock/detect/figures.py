"""The figures of a detector for metrics.json."""

from typing import TYPE_CHECKING, Any

from penstock.detect.judging import alarm_scores

if TYPE_CHECKING:
    from penstock.detect.data import DetectData
    from penstock.detect.model import DetectorModel

__all__ = ["detection_figures"]


def detection_figures(model: "DetectorModel", data: "DetectData") -> dict[str, Any]:
    """Return the scores of each part of the data."""
    found: dict[str, Any] = {"test": None, "main_baseline": "", "baseline": {}}
    for part, series in data.measured().items():
        judged = alarm_scores([each.anomaly for each in model.predict(series)], list(series))
        rows = sum(len(each) - each.begin for each in series)
        found[part] = {"rows": rows, **judged.metrics}
    return found
