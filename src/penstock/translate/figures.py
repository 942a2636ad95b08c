"""The contents of metrics.json that are a translator's own; the report shows them.

valid, test                 rows, bleu, chrf, exact_match
signatures                  sacreBLEU's, of bleu and chrf: how they count
alignments                  of the first sentences of a part: source and target tokens, weights (target, source)
sentences                   of that part, the lowest chrF first: source, target, prediction, chrf
"""

from typing import Any

import numpy as np

from penstock.tasks.labelled import Labelled, Part
from penstock.tasks.measures import compare
from penstock.translate.metrics import judged, sentence_chrf, sentence_counts, signatures
from penstock.translate.model import TranslationModel

__all__ = ["translation_figures"]

_ALIGNED, _WORST = 6, 20
_LONGEST_ALIGNED = 40  # tokens of a source that can be drawn


def translation_figures(model: TranslationModel, data: Labelled) -> dict[str, Any]:
    """Measure a translator and its baselines on the validation and test data."""
    parts = data.measured()
    part = "test" if data.test is not None else "valid"
    found: dict[str, Any] = {"valid": None, "test": None, "main_baseline": None, "baseline": {}}
    predicted = {name: model.predict(each.inputs).tolist() for name, each in parts.items()}
    for name, each in parts.items():
        ours = judged(each.inputs, predicted[name], list(each.targets))
        found[name] = {"rows": len(each), **ours.metrics}
        others = {
            baseline: judged(each.inputs, answers.tolist(), list(each.targets))
            for baseline, answers in model.baseline_answers(each.inputs).items()
        }
        for baseline, theirs in others.items():
            beside = found["baseline"].setdefault(baseline, {"valid": None, "test": None})
            beside[name] = {"rows": len(each), **theirs.metrics}
        found["main_baseline"] = next(iter(others), None)
        compare(found, name, ours.sums, {baseline: theirs.sums for baseline, theirs in others.items()})
    found["signatures"] = signatures(list(parts[part].targets))
    found["alignments"] = {"part": part, "sentences": _alignments(model, parts[part])}
    found["sentences"] = {"part": part, "worst": _worst(parts[part], predicted[part])}
    return found


def _alignments(model: TranslationModel, part: Part) -> list[dict[str, Any]]:
    """What some sentences attended to, spread over a part."""
    rows = np.linspace(0, len(part) - 1, min(3 * _ALIGNED, len(part)), dtype=int).tolist()
    several = model.translate([part.inputs[row] for row in rows])
    drawn = [best.alignment for (best,) in several if len(best.alignment.source) <= _LONGEST_ALIGNED][:_ALIGNED]
    return [
        {"source": each.source, "target": each.target, "weights": np.round(each.weights.astype(float), 4).tolist()}
        for each in drawn
    ]


def _worst(part: Part, predicted: list[str]) -> list[dict[str, Any]]:
    references = list(part.targets)
    scores = sentence_chrf(sentence_counts(predicted, references))
    return [
        {
            "source": part.inputs[row],
            "target": references[row],
            "prediction": predicted[row],
            "chrf": float(scores[row]),
        }
        for row in np.argsort(scores, kind="stable")[:_WORST].tolist()
    ]
