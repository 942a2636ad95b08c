"""The figures of a model that labels steps."""

from typing import TYPE_CHECKING, Any

import numpy as np

from penstock.runtime.metrics import label_metrics, label_sums
from penstock.runtime.per_class import per_class
from penstock.runtime.resampling import stretch_of
from penstock.tasks.labelled import Labelled
from penstock.tasks.measures import compare, confusion

if TYPE_CHECKING:
    from penstock.runtime import StepModel

__all__ = ["step_figures"]


def step_figures(model: "StepModel", data: Labelled) -> dict[str, Any]:
    """The figures of a model that labels steps beside those of its baselines, over all steps.

    Args:
        model: the model that will predict.
        data: its parts `valid` and `test` are measured; targets are `Sequences`.
    """
    parts = data.measured()
    judged = "test" if data.test is not None else "valid"
    found: dict[str, Any] = {"labels": data.labels, "valid": None, "test": None, "baseline": {}, "main_baseline": None}
    found |= {"per_class": {}, "per_class_baseline": {}, "mistakes": []}
    for name, part in parts.items():
        truth, classes = part.targets.values, len(data.labels)
        predicted = model.places(model.outputs(part.inputs))
        counts = None if part.weights is None else np.repeat(part.weights, part.targets.lengths)
        found[name] = {"rows": len(part), **label_metrics(predicted, truth, classes, counts)}
        stretch = stretch_of(len(truth))
        found["per_class"][name] = per_class(predicted, truth, data.labels, counts, stretch)
        if name == judged:
            found["confusion"] = confusion(name, predicted, truth, data.labels)
        lengths, others = part.targets.lengths, {}
        for baseline, spread in model.baseline_answers(part.inputs).items():
            said = spread.argmax(axis=1)
            others[baseline] = label_sums(said, truth, classes, lengths, part.weights)
            place = found["baseline"].setdefault(baseline, {"valid": None, "test": None})
            place[name] = {"rows": len(part), **label_metrics(said, truth, classes, counts)}
            if found["main_baseline"] in (None, baseline):
                found["main_baseline"] = baseline
                found["per_class_baseline"][name] = per_class(said, truth, data.labels, counts, stretch)
        compare(found, name, label_sums(predicted, truth, classes, lengths, part.weights), others)
    return found
