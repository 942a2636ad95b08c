"""The contents of metrics.json that are a speech recogniser's own.

valid, test                 rows, wer, cer, ser
errors                      of a part, the recordings with the most wrong words: file, text, prediction, wer
"""

from typing import Any

from penstock.speech.model import SpeechModel
from penstock.tasks.labelled import Labelled
from penstock.tasks.measures import compare

__all__ = ["speech_figures"]


def speech_figures(model: SpeechModel, data: Labelled) -> dict[str, Any]:
    """Measure a speech recogniser and its baselines on the validation and test data."""
    found: dict[str, Any] = {"valid": None, "test": None, "main_baseline": None, "baseline": {}}
    for name, part in data.measured().items():
        references = list(part.targets)
        ours = model.judged(part.inputs, model.predict(part.inputs), references)
        others = {
            baseline: model.judged(part.inputs, predicted, references)
            for baseline, predicted in model.baseline_answers(part.inputs).items()
        }
        found[name] = {"rows": len(part), **ours.metrics}
        for baseline, theirs in others.items():
            beside = found["baseline"].setdefault(baseline, {"valid": None, "test": None})
            beside[name] = {"rows": len(part), **theirs.metrics}
        found["main_baseline"] = next(iter(others), None)
        compare(found, name, ours.sums, {baseline: theirs.sums for baseline, theirs in others.items()})
    return found
