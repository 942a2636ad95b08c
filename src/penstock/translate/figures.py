"""The contents of metrics.json that are a translator's own; the report shows them.

valid, test                 rows, bleu, chrf, exact_match
signatures                  sacreBLEU's, of bleu and chrf: how they count
alignments                  of the first sentences of a part: source and target tokens, weights (target, source)
by_length                   of that part, groups of sentences by the tokens of their sources: shortest, longest, rows,
                            scores
sentences                   of that part, the worst and the best: source, target, prediction, chrf
"""

from typing import Any

import numpy as np

from penstock.tasks.labelled import Labelled, Part
from penstock.tasks.measures import compare
from penstock.translate.groups import best_and_worst, by_length
from penstock.translate.metrics import judged, sentence_counts, signatures
from penstock.translate.model import TranslationModel

__all__ = ["translation_figures"]

_ALIGNED = 6
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
    shown = parts[part]
    counts = sentence_counts(predicted[part], list(shown.targets))
    lengths = model.features.sources(shown.inputs).lengths - 1  # without the end token
    found["by_length"] = {"part": part, "bins": by_length(lengths, counts)}
    found["sentences"] = {"part": part} | best_and_worst(shown.inputs, predicted[part], shown.targets, counts)
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
