"""Contents of `metrics.json` that only language models have.

valid, test     rows: tokens or frames; nats of each; for texts perplexity, bits_per_character, characters, unknown
passages        of the test data, or the validation data without any, see `language.passages`; with surprisal_levels
samples         generated after the begin of that data, see `language.passages`
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from penstock.language.data import LanguageData
from penstock.language.features import FrameFeatures, LanguageFeatures
from penstock.language.model import SequenceGenerator
from penstock.language.passages import passages, samples
from penstock.language.scores import language_counts, language_scores, language_sums
from penstock.tasks.examples import evenly
from penstock.tasks.measures import compare

__all__ = ["data_figures", "inspected_items", "language_figures", "stored_examples"]

_STORED_CHARACTERS, _INSPECTED_CHARACTERS = 200, 1000


def language_figures(model: SequenceGenerator, data: LanguageData) -> dict[str, Any]:
    """Return the metrics of a language model and of its baselines."""
    names = model.baselines.names if model.baselines else ()
    found: dict[str, Any] = {"valid": None, "test": None, "main_baseline": next(iter(names), None)}
    found["baseline"] = {name: {"valid": None, "test": None} for name in names}
    for part, items in data.measured().items():
        sequences = items.sequences
        ours = model.log_probabilities(sequences)
        found[part] = language_scores(model.features, sequences, ours)
        others = {}
        for name, theirs in model.baseline_answers(sequences).items():
            found["baseline"][name][part] = language_scores(model.features, sequences, theirs)
            others[name] = language_sums(model.features, sequences, theirs)
        compare(found, part, language_sums(model.features, sequences, ours), others)
    # The last part is the test data, or the validation data without any.
    return found | passages(model.features, sequences, ours) | {"samples": samples(model, sequences)}


def data_figures(data: LanguageData, features: LanguageFeatures | FrameFeatures) -> dict[str, Any]:
    """Return the description of the data."""
    parts = {"train": data.train, "valid": data.valid, "test": data.test}
    about: dict[str, Any] = {
        name: None if part is None else {"rows": len(part.sequences.values)} | language_counts(features, part.sequences)
        for name, part in parts.items()
    }
    return about | {"level": features.level, "vocabulary": features.size}


def stored_examples(items: Sequence[Any], most: int) -> list[Any]:
    """Return beginnings of texts, to be continued; of music the first frames."""
    return [items[row][:_STORED_CHARACTERS] for row in evenly(len(items), most)]


def inspected_items(items: Sequence[Any], most: int) -> list[Any]:
    """Return pieces of texts: their beginnings, or parts of a single one."""
    if len(items) > 1:
        return [items[row][:_INSPECTED_CHARACTERS] for row in evenly(len(items), most)]
    starts = np.linspace(0, max(0, len(items[0]) - _INSPECTED_CHARACTERS), most, dtype=int)
    return [items[0][start : start + _INSPECTED_CHARACTERS] for start in starts.tolist()]
