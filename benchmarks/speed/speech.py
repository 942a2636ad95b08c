"""Speed of a recogniser of speech on one thread: real-time factor, and the time from a word's end until it is shown.

python benchmarks/speed/speech.py recogniser recordings.csv --audio path --text transcript
python benchmarks/speed/speech.py recogniser recordings.csv --beam 16 --ngrams

The real-time factor is the time of work over the length of the sound. A word's end is that of the model's own
alignment; it is shown from the push after which its place in the text no longer changes. The sound that a push waits
for counts, and so does its work.
"""

import argparse
import json
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import penstock
from penstock import engine
from penstock.sounds.recordings import resampled
from penstock.speech.readers import read_speech

_PIECE_SECONDS = 0.02


def shown_after(model: Any, recording: Any, search: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Return the seconds from each word's end until it is shown, and the seconds of work of each push."""
    stream, rate = model.stream(**search), model.sample_rate
    samples, size = resampled(recording, rate), round(_PIECE_SECONDS * rate)
    words, texts, times, work = [], [], [], []
    for start in range(0, len(samples), size):
        before = perf_counter()
        heard = stream.push(samples[start : start + size])
        work.append(perf_counter() - before)
        words += heard.words
        texts.append([word.text for word in [*words, *heard.current]])
        times.append(min(start + size, len(samples)) / rate + work[-1])
    before = perf_counter()
    words += stream.finish().words
    texts.append([word.text for word in words])
    times.append(len(samples) / rate + perf_counter() - before)
    late = []
    for place, word in enumerate(words):
        wrong = [push for push, text in enumerate(texts) if text[place : place + 1] != [word.text]]
        late.append(times[wrong[-1] + 1 if wrong else 0] - word.end)
    return late, work


def measured(model: Any, recordings: list[Any], search: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a model on recordings."""
    seconds = sum(recording.seconds for recording in recordings)
    model.transcribe(recordings[:1], **search)  # the first one loads what is used
    start = perf_counter()
    for recording in recordings:
        model.transcribe([recording], **search)
    whole = perf_counter() - start
    found = [shown_after(model, recording, search) for recording in recordings]
    late, work = ([value for part in found for value in part[side]] for side in (0, 1))
    percentiles = {
        name: dict(zip(("p50", "p95"), np.round(np.percentile(values, (50, 95)) * 1000, 2).tolist(), strict=True))
        for name, values in (("shown_ms_after_end", late), ("push_ms", work))
        if values
    }
    factors = {"real_time_factor": whole / seconds, "streamed_real_time_factor": sum(work) / seconds}
    return {"recordings": len(recordings), "seconds": seconds, "words": len(late), **factors, **percentiles}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--audio")
    parser.add_argument("--text")
    parser.add_argument("--most", type=int, default=50, help="recordings to measure")
    parser.add_argument("--beam", type=int)
    parser.add_argument("--ngrams", action="store_true")
    given = parser.parse_args()
    engine.set_num_threads(1)
    rows = read_speech(given.data, audio=given.audio, text=given.text, answers=False)
    model = penstock.load(given.model)
    recordings = model.checked(rows.inputs[: given.most])
    search = {"beam": given.beam, "ngrams": given.ngrams or None}
    print(json.dumps(measured(model, recordings, search), indent=2))


if __name__ == "__main__":
    main()
