"""What is measured of a tagger: its scores beside its baselines', types or tags, confusions, and the worst sentences.

Beside what `tasks.measures` lists, `metrics.json` of a tagger has

chunked     whether tags mark chunks; then `per_class` has a row for each of their types, and counts chunks
confusion   its `labels`: types of chunks without the place in them, or tags
sentences   those of the measured part with the most errors: row, tokens, truth and predicted (tags, or of chunks type,
            start and stop), errors
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.per_class import per_class
from penstock.tagging.entities import entity_table
from penstock.tagging.judging import TagTruth
from penstock.tagging.schemes import chunks
from penstock.tasks.labelled import Labelled, Part
from penstock.tasks.measures import compare, confusion

if TYPE_CHECKING:
    from penstock.tagging.model import TaggerModel

__all__ = ["tag_figures"]

_WORST, _MOST_TOKENS = 20, 80


def tag_figures(model: "TaggerModel", data: Labelled, unseen: Sequence[Any]) -> dict[str, Any]:
    """Measure a tagger and its baselines.

    Args:
        model: the trained model.
        data: its parts `valid` and `test` are measured.
        unseen: tags that occur in these alone, see `judging.tag_places`.
    """
    chunked = model.features.scheme is not None
    judged = "test" if data.test is not None else "valid"
    found: dict[str, Any] = {"labels": data.labels, "valid": None, "test": None, "baseline": {}, "main_baseline": None}
    found |= {"chunked": chunked, "per_class": {}, "per_class_baseline": {}, "mistakes": []}
    for name, part in data.measured().items():
        offsets, unknown = part.targets.offsets, model.unknown(part.inputs)
        truth = TagTruth(part.targets.values, data.labels, unseen, offsets, unknown, chunked=chunked)
        predicted = model.places(model.outputs(part.inputs))
        ours = truth.judged(predicted, part.weights)
        found[name] = {"rows": len(part), **ours.metrics}
        found["per_class"][name] = _table(truth, predicted)
        if name == judged:
            found["confusion"] = _confusion(name, truth, predicted)
            found["sentences"] = _worst(part, truth, predicted)
        others = {}
        for baseline, places in model.baseline_answers(part.inputs).items():
            theirs = truth.judged(places, part.weights)
            others[baseline] = theirs.sums
            kept = found["baseline"].setdefault(baseline, {"valid": None, "test": None})
            kept[name] = {"rows": len(part), **theirs.metrics}
            if found["main_baseline"] in (None, baseline):
                found["main_baseline"] = baseline
                found["per_class_baseline"][name] = _table(truth, places)
        compare(found, name, ours.sums, others)
    return found


def _table(truth: TagTruth, predicted: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Return the scores of each type of chunk, or of each tag."""
    if truth.chunked:
        return entity_table(truth.sentences, truth.tags(predicted))
    known = truth.places >= 0
    return per_class(predicted[known], truth.places[known], truth.labels)


def _confusion(part: str, truth: TagTruth, predicted: NDArray[np.int64]) -> dict[str, Any]:
    """Count which tag, or type of chunk, is taken for which; tags that are unseen in training are left out."""
    names = [str(label)[2:] or "O" if truth.chunked else label for label in truth.labels]
    if truth.chunked and names.count("O") == len(names):
        names = list(truth.labels)  # places in words, which have no type
    kinds = list(dict.fromkeys(names))
    place = np.array([kinds.index(name) for name in names])
    known = truth.places >= 0
    counted = confusion(part, place[predicted[known]], place[truth.places[known]], kinds)
    return counted | {"labels": kinds}


def _worst(part: Part, truth: TagTruth, predicted: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Return the sentences with the most errors, of several the shorter first; chunks or tags that are wrong count."""
    pairs = list(zip(truth.sentences, truth.tags(predicted), strict=True))
    if truth.chunked:
        pairs = [(chunks(true), chunks(said)) for true, said in pairs]
        errors = [len(set(true) ^ set(said)) for true, said in pairs]
    else:
        errors = [sum(map(_differ, true, said)) for true, said in pairs]
    order = sorted(range(len(errors)), key=lambda row: (-errors[row], len(part.inputs[row])))[:_WORST]
    found = []
    for row in order:
        if errors[row]:
            true, said = (_shown(each, chunked=truth.chunked) for each in pairs[row])
            tokens = list(part.inputs[row])[:_MOST_TOKENS]
            found.append({"row": row, "errors": errors[row], "tokens": tokens, "truth": true, "predicted": said})
    return found


def _shown(found: Sequence[Any], *, chunked: bool) -> list[Any]:
    """The chunks, or the tags, of the tokens that are shown."""
    if not chunked:
        return list(found[:_MOST_TOKENS])
    return [[kind, start, min(stop, _MOST_TOKENS)] for kind, start, stop in found if start < _MOST_TOKENS]


def _differ(tag: Any, other: Any) -> bool:
    return bool(tag != other)
