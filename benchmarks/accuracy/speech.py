"""Word error rates of speech recognition on AN4 and on connected digits, beside the targets.

    python benchmarks/accuracy/speech.py --data shared/data --out speech.json              # everything
    python benchmarks/accuracy/speech.py --data shared/data --out speech.json --only an4   # one set

`an4` trains on 948 utterances of AN4, cepstra with 100 frames a second, 3 layers of 320 units that read forward; tested
on 130 of other speakers.
`an4-ahead` has a look-ahead of 12 steps, of 30 ms each.
`an4-both` reads forward and backward, which can't be done as it is spoken.
`an4-words` writes whole words, of the 99 that training has, in place of characters, with a step for each 40 ms.
Names that end in `-ngram` search with these models and the trigrams of the training transcripts' words; weight and
bonus are chosen on the validation part.
`digits` trains on strings of 3 to 7 spoken digits of FSDD, each string of one speaker with short pauses, joined from
recordings 5 to 49; tested on strings joined from recordings 0 to 4.
`speakers` leaves each of the five speakers out in turn, and tests on strings of that one alone.
`digits-dtw` and `speakers-dtw` find the same strings without any training, by templates: four recordings of each digit
by each speaker, and of pauses. What a word costs is chosen on strings of the training data.
A run is written to the results file when it ends, its model beside that; one that the file has, with the same sources
and options, is not repeated. A training that was interrupted is resumed from its checkpoint there.
"""

import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from runs import Runs, argument_parser, parsed

import penstock
from penstock import SpeechRecognizer
from penstock.audio.readers import read_recordings
from penstock.datasets import Rows, random_split
from penstock.ngrams import NamedNGrams
from penstock.runtime.judged import Judged
from penstock.runtime.resampling import intervals
from penstock.sequences import Sequences
from penstock.sounds.features import AudioFeatures
from penstock.sounds.recordings import Recording
from penstock.speech.readers import read_speech
from penstock.speech.scores import judged
from penstock.speech.templates import Templates, evenly

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo")
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
AN4: dict[str, Any] = {"epochs": 60, "batch_size": 12, "validation_share": 0.05}
DIGITS: dict[str, Any] = {"epochs": 16, "level": "word", "hidden_size": 192, "num_layers": 2, "validation_share": 0.05}
SETS: dict[str, dict[str, Any]] = {
    "an4": AN4,
    "an4-ahead": AN4 | {"lookahead": 12},
    "an4-both": AN4 | {"bidirectional": True},
    "an4-words": AN4 | {"level": "word", "stack": 4, "subsampling": 4},
}
STRINGS, TEST_STRINGS = 1500, 200
MATCHED: dict[str, Any] = {"mel_bins": 40, "window_seconds": 0.025, "hop_seconds": 0.01, "delta_frames": ()}
TEMPLATES, PENALTIES, HELD = 4, (0.0, 25.0, 50.0, 100.0, 200.0), 40
TARGETS = {
    "an4": "20 %",
    "an4-ngram": "12 %",
    "an4-ahead": "20 %",
    "an4-ahead-ngram": "12 %",
    "an4-both": "20 %",
    "an4-both-ngram": "12 %",
    "an4-words": "20 %",
    "an4-words-ngram": "12 %",
    "digits": "3 %",
    "speakers": "",
    "digits-dtw": "",
    "speakers-dtw": "",
}
WEIGHTS, BONUSES, BEAM = (0.2, 0.3, 0.45, 0.6), (1.0, 2.0, 3.0, 4.0), 32


def main() -> int:
    """Run the missing trainings, then print the table."""
    parser = argument_parser(__doc__, TARGETS)
    parser.add_argument("--options", type=json.loads, default={}, help="JSON: arguments other than those here")
    parser.set_defaults(seeds=[0])
    arguments = parsed(parser)
    runs, found = Runs(arguments.out), {}
    for name in arguments.only or TARGETS:
        trained = name.removesuffix("-ngram")
        options = SETS.get(trained, DIGITS) | arguments.options
        for part in SPEAKERS if name.startswith("speakers") else ("",):
            run = partial(_run, arguments.data, arguments.out, name, part, options)
            if name.endswith("-dtw"):
                options = {"templates": TEMPLATES, "penalties": PENALTIES} | MATCHED
                run = partial(_matched, arguments.data, part)
            if trained != name:
                options |= {"weights": WEIGHTS, "bonuses": BONUSES, "beam": BEAM}
                run = partial(_searched, arguments.data, arguments.out, trained)
            found[f"{name} {part}".strip()] = runs(f"{name} {part}".strip(), arguments.seeds, options, run)
    print(_table(found))
    return 0


def _run(data: Path, out: Path, name: str, speaker: str, options: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Train once; return figures from the metrics."""
    if name.startswith("an4"):
        train, test = (read_speech(data / "an4" / f"an4_mfcc_{part}.npz") for part in ("train", "test"))
    else:
        train, test = _connected(data / "fsdd", speaker)
    place = out.with_suffix("") / f"{name}-{speaker or 'all'}-{seed}"
    place.parent.mkdir(parents=True, exist_ok=True)
    model = SpeechRecognizer(**options, random_state=seed, verbose=1, checkpoint=f"{place}.checkpoint")
    model.fit(train.inputs, train.answers, test_data=(test.inputs, test.answers))
    model.save(place, overwrite=True)
    kept = ("valid", "test", "interval", "baseline", "main_baseline", "best_epoch", "parameters", "seconds")
    kept += ("training_seconds", "peak_mb", "penstock")
    return {each: model.metrics_[each] for each in kept} | {"epochs": len(model.metrics_["curves"])}


def _searched(data: Path, out: Path, trained: str, seed: int) -> dict[str, Any]:
    """Search with the saved model of a set and n-grams of words; return figures of the test."""
    train, test = (read_speech(data / "an4" / f"an4_mfcc_{part}.npz") for part in ("train", "test"))
    model = penstock.load(out.with_suffix("") / f"{trained}-all-{seed}")
    rest, valid = random_split(len(train), (1 - AN4["validation_share"], AN4["validation_share"]), random_state=seed)
    texts, held = train.answers or [], train.take(valid)
    ngrams = NamedNGrams.fit([texts[row] for row in rest])
    found = {}
    for weight, bonus in product(WEIGHTS, BONUSES):
        how = {"ngrams": ngrams, "weight": weight, "word_bonus": bonus, "beam": BEAM}
        found[weight, bonus] = model.judged(held.inputs, model.predict(held.inputs, **how), held.answers).metrics["wer"]
    weight, bonus = min(found, key=lambda each: (found[each], each))
    how = {"ngrams": NamedNGrams.fit(texts), "weight": weight, "word_bonus": bonus, "beam": BEAM}
    started = time.perf_counter()
    read = model.judged(test.inputs, model.predict(test.inputs, **how), test.answers)
    about = {"weight": weight, "bonus": bonus, "seconds": time.perf_counter() - started, "training_seconds": 0}
    return about | {"test": dict(read.metrics), "interval": {"test": intervals(read.sums)}}


def _matched(data: Path, speaker: str, seed: int) -> dict[str, Any]:
    """Match strings of digits with templates; return figures of the test."""
    train, test = _connected(data / "fsdd", speaker)
    frames = AudioFeatures(**MATCHED).fit(train.inputs)
    templates = _templates(data / "fsdd", speaker, frames, np.random.default_rng(seed))
    held = train.take(np.arange(HELD))
    found = {each: _read(templates, frames, held, each).metrics["wer"] for each in PENALTIES}
    penalty = min(found, key=lambda each: (found[each], each))
    started = time.perf_counter()
    read = _read(templates, frames, test, penalty)
    about = {"penalty": penalty, "seconds": time.perf_counter() - started, "training_seconds": 0}
    return about | {"test": dict(read.metrics), "interval": {"test": intervals(read.sums)}}


def _templates(folder: Path, left_out: str, frames: AudioFeatures, draw: np.random.Generator) -> Templates:
    """Return templates of each digit by each speaker but one, and of pauses, a frame each."""
    inputs, words = [], []
    for recording in read_recordings(folder / "train.zip", answers=False).inputs:
        digit, speaker, _ = Path(recording.name).stem.split("_")
        if speaker != left_out:
            inputs.append(recording)
            words.append((NAMES[int(digit)], speaker))
    rows, rate = evenly([" ".join(each) for each in words], TEMPLATES).tolist(), inputs[0].sample_rate_hz
    pauses = frames.apply([Recording(_pause(draw, rate), rate) for _ in range(TEMPLATES)])
    values = [*frames.apply([inputs[row] for row in rows]), *(each[:1] for each in pauses)]
    return Templates(Sequences.from_list(values, np.float32), [*(words[row][0] for row in rows), *[""] * TEMPLATES])


def _read(templates: Templates, frames: AudioFeatures, rows: Rows, penalty: float) -> Judged:
    found = [" ".join(templates.connected(each, penalty=penalty)) for each in frames.apply(rows.inputs)]
    return judged(list(rows.answers or []), found)


def _connected(folder: Path, left_out: str) -> tuple[Rows, Rows]:
    """Return strings of digits to train on and to test on: all of the speaker who is left out, if any, for the test."""
    spoken: dict[str, dict[str, dict[str, list[Recording]]]] = {}
    for part in ("train", "test"):
        spoken[part] = defaultdict(lambda: defaultdict(list))
        for recording in read_recordings(folder / f"{part}.zip", answers=False).inputs:
            digit, speaker, _ = Path(recording.name).stem.split("_")
            spoken[part][speaker][digit].append(recording)
    draw = np.random.default_rng(0)
    if not left_out:
        return _strings(spoken["train"], STRINGS, draw), _strings(spoken["test"], TEST_STRINGS, draw)
    known = {speaker: digits for speaker, digits in spoken["train"].items() if speaker != left_out}
    return _strings(known, STRINGS, draw), _strings({left_out: spoken["train"][left_out]}, TEST_STRINGS, draw)


def _strings(spoken: Mapping[str, Mapping[str, Sequence[Recording]]], count: int, draw: np.random.Generator) -> Rows:
    """Join recordings to strings of 3 to 7 digits of one speaker, with pauses of faint noise before, between, after."""
    inputs, texts, speakers = [], [], sorted(spoken)
    for number in range(count):
        speaker = speakers[number % len(speakers)]
        digits = draw.integers(10, size=draw.integers(3, 8)).tolist()
        rate = spoken[speaker]["0"][0].sample_rate_hz
        parts = [_pause(draw, rate)]
        for digit in digits:
            several = spoken[speaker][str(digit)]
            parts += [several[draw.integers(len(several))].samples, _pause(draw, rate)]
        inputs.append(Recording(np.concatenate(parts), rate, f"{speaker}-{number}"))
        texts.append(" ".join(NAMES[digit] for digit in digits))
    return Rows(inputs, texts)


def _pause(draw: np.random.Generator, rate: int) -> np.ndarray:
    samples = int(rate * draw.uniform(0.05, 0.25))
    return draw.normal(0, 1e-4, samples).astype(np.float32)


def _table(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    lines = ["| set | WER | CER | 95 % interval of WER | minutes | WER to reach |", "|---|---|---|---|---|---|"]
    for name, runs in found.items():
        wer, cer = (100 * median(run["test"][metric] for run in runs) for metric in ("wer", "cer"))
        low, high = (100 * bound for bound in runs[0]["interval"]["test"]["wer"])
        minutes = median(run["training_seconds"] for run in runs) / 60
        lines.append(
            f"| {name} | {wer:.1f} % | {cer:.1f} % | {low:.1f}–{high:.1f} % | {minutes:.0f} "
            f"| {TARGETS[name.split()[0]] or '–'} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
