"""The contents of metrics.json that are a speech recogniser's own.

valid, test                 rows, wer, cer, ser
speakers                    of the test data, else the validation data: scores of each speaker, if speakers are known
reliability                 of the same part: how often words of each confidence are right
errors                      of the test data, else the validation data: words and characters substituted, inserted, ...
worst                       of the same part, the recordings with the most wrong words: see `worst`
"""

from typing import Any

from penstock.runtime.probabilities import reliability_of
from penstock.speech.confidence import judged_words
from penstock.speech.model import SpeechModel
from penstock.speech.scores import error_counts, transcript_counts
from penstock.speech.worst import worst_recordings
from penstock.tasks.labelled import Labelled
from penstock.tasks.measures import compare

__all__ = ["speech_figures"]


def speech_figures(model: SpeechModel, data: Labelled) -> dict[str, Any]:
    """Measure a speech recogniser and its baselines on the validation and test data."""
    found: dict[str, Any] = {"valid": None, "test": None, "main_baseline": None, "baseline": {}}
    for name, part in data.measured().items():
        references = list(part.targets)
        words = model.transcribe(part.inputs)
        predicted = [" ".join(word.text for word in each) for each in words]
        ours = model.judged(part.inputs, predicted, references)
        others = {
            baseline: model.judged(part.inputs, theirs, references)
            for baseline, theirs in model.baseline_answers(part.inputs).items()
        }
        found[name] = {"rows": len(part), **ours.metrics}
        for baseline, theirs in others.items():
            beside = found["baseline"].setdefault(baseline, {"valid": None, "test": None})
            beside[name] = {"rows": len(part), **theirs.metrics}
        found["main_baseline"] = next(iter(others), None)
        compare(found, name, ours.sums, {baseline: theirs.sums for baseline, theirs in others.items()})
        texts = [model.reference(text) for text in references]
        sure, right = judged_words(texts, words)
        if len(right):
            stretch = -(-len(right) // len(part))  # words of one recording depend on each other
            found["reliability"] = {
                "part": name,
                "unit": "speech.words",
                **reliability_of(sure, right, stretch=stretch),
            }
        found["speakers"] = model.by_speaker(part.inputs, texts, predicted)
        found["errors"] = error_counts(transcript_counts(texts, predicted).sum(axis=0))
        found["worst"] = worst_recordings(part.inputs, texts, words, model.sample_rate)
    return found
