"""Contents of `metrics.json` that only language models have.

valid, test     rows: tokens or frames; nats of each; for texts perplexity, bits_per_character, characters, unknown
passages        of the test data, or the validation data without any, see `language.passages`; with surprisal_levels
samples         generated after the begin of that data, see `language.passages`
"""

from typing import Any

from penstock.language.data import LanguageData
from penstock.language.model import SequenceGenerator
from penstock.language.passages import passages, samples
from penstock.language.scores import language_scores, language_sums
from penstock.tasks.measures import compare

__all__ = ["language_figures"]


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
