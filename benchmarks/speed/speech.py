"""Speed of a recogniser of speech on one thread: real-time factor, and the time from a word's end until it is shown.

    python benchmarks/speed/speech.py recogniser recordings.csv --audio path --text transcript
    python benchmarks/speed/speech.py recogniser recordings.csv --beam 16 --ngrams
    python benchmarks/speed/speech.py digits --fsdd shared/data/fsdd     # words whose ends are known

The real-time factor is the time of work over the length of the sound. A word is shown from the push after which its
place in the text no longer changes; the sound that a push waits for counts, and so does its work. A word's end is that
of the model's own alignment, which may be off: CTC may write a word before or after it ends. With `--fsdd`, strings of
five digits are joined from recordings of the test part, with pauses of 0.2 s between, and `shown_ms_after_true_end`
counts from where the recording of each digit ends, for those that are recognised.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

import penstock
from penstock import engine
from penstock.audio.readers import read_recordings
from penstock.sounds.recordings import Recording, resampled
from penstock.speech.alignment import EQUAL, align
from penstock.speech.readers import read_speech
from penstock.speech.transcriber import SpokenWord

_PIECE_SECONDS = 0.02
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PAUSE_SECONDS, _STRING = 0.2, 5

Spoken = Sequence[tuple[str, float]]
"""The words of a recording, each with the time of its end in seconds."""


class Told(NamedTuple):
    """The words of a stream, when each was shown, and the seconds of work of each push."""

    words: list[SpokenWord]
    shown: list[float]
    work: list[float]


def strings(folder: Path, most: int) -> tuple[list[Recording], list[Spoken]]:
    """Return strings of digits of one speaker each, and their words with their true ends."""
    spoken: dict[str, list[Recording]] = {}
    for each in read_recordings(folder / "test.zip", answers=False).inputs:
        spoken.setdefault(Path(each.name).stem.split("_")[1], []).append(each)
    draw, found, truth = np.random.default_rng(0), [], []
    for number in range(most):
        several = spoken[sorted(spoken)[number % len(spoken)]]
        rate = several[0].sample_rate_hz
        pause = draw.normal(0, 1e-4, round(_PAUSE_SECONDS * rate)).astype(np.float32)
        parts, words = [pause], []
        for row in draw.integers(len(several), size=_STRING).tolist():
            parts += [several[row].samples, pause]
            end = sum(map(len, parts[:-1])) / rate
            words.append((_DIGITS[int(Path(several[row].name).stem[0])], end))
        found.append(Recording(np.concatenate(parts), rate))
        truth.append(words)
    return found, truth


def pieces(model: Any, recording: Any) -> Iterator[tuple[Any, float]]:
    """Yield what a stream reads in each 20 ms, samples or frames, and when the last of it was said, in seconds."""
    rate = model.sample_rate or recording.frames_per_second
    values = resampled(recording, rate) if model.sample_rate else recording.samples
    size = round(_PIECE_SECONDS * rate)
    for start in range(0, len(values), size):
        piece = values[start : start + size]
        yield piece, (start + len(piece)) / rate


def told(model: Any, recording: Any, search: dict[str, Any]) -> Told:
    """Stream a recording."""
    stream, words, texts, times, work, now = model.stream(**search), [], [], [], [], 0.0
    for piece, now in pieces(model, recording):
        before = perf_counter()
        heard = stream.push(piece)
        work.append(perf_counter() - before)
        words += heard.words
        texts.append([word.text for word in [*words, *heard.current]])
        times.append(now + work[-1])
    before = perf_counter()
    words += stream.finish().words
    texts.append([word.text for word in words])
    times.append(now + perf_counter() - before)
    shown = []
    for place, word in enumerate(words):
        wrong = [push for push, text in enumerate(texts) if text[place : place + 1] != [word.text]]
        shown.append(times[wrong[-1] + 1 if wrong else 0])
    return Told(words, shown, work)


def after_true_ends(found: Told, truth: Spoken) -> list[float]:
    """Return the seconds from the true end of each word that is recognised until it was shown."""
    edits = align([word for word, _ in truth], [word.text for word in found.words])
    return [found.shown[edit.predicted] - truth[edit.reference][1] for edit in edits if edit.kind == EQUAL]


def measured(model: Any, recordings: list[Any], truth: list[Spoken], search: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a model on recordings."""
    seconds = sum(recording.seconds for recording in recordings)
    model.transcribe(recordings[:1], **search)  # the first one loads what is used
    start = perf_counter()
    for recording in recordings:
        model.transcribe([recording], **search)
    whole = perf_counter() - start
    found = [told(model, recording, search) for recording in recordings]
    work = [value for each in found for value in each.work]
    late = [shown - word.end for each in found for word, shown in zip(each.words, each.shown, strict=True)]
    true = [value for each, words in zip(found, truth, strict=False) for value in after_true_ends(each, words)]
    kinds = {"shown_ms_after_end": late, "shown_ms_after_true_end": true, "push_ms": work}
    percentiles = {
        name: dict(zip(("p50", "p95"), np.round(np.percentile(values, (50, 95)) * 1000, 2).tolist(), strict=True))
        for name, values in kinds.items()
        if values
    }
    factors = {"real_time_factor": whole / seconds, "streamed_real_time_factor": sum(work) / seconds}
    return {"recordings": len(recordings), "seconds": seconds, "words": len(late), **factors, **percentiles}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path, nargs="?", help="recordings, or features made elsewhere")
    parser.add_argument("--fsdd", type=Path, help="the folder of FSDD, in place of data")
    parser.add_argument("--audio")
    parser.add_argument("--text")
    parser.add_argument("--most", type=int, default=50, help="recordings to measure")
    parser.add_argument("--beam", type=int)
    parser.add_argument("--ngrams", action="store_true")
    given = parser.parse_args()
    if (given.data is None) == (given.fsdd is None):
        parser.error("give data, or --fsdd")
    engine.set_num_threads(1)
    model = penstock.load(given.model)
    if given.fsdd is None:
        rows = read_speech(given.data, audio=given.audio, text=given.text, answers=False)
        recordings, truth = rows.inputs[: given.most], []
    else:
        recordings, truth = strings(given.fsdd, given.most)
    search = {"beam": given.beam, "ngrams": given.ngrams or None}
    print(json.dumps(measured(model, model.checked(recordings), truth, search), indent=2))


if __name__ == "__main__":
    main()
