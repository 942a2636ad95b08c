"""Accuracy of classifying spoken digits with the defaults, and of finding them in a stream, beside the targets.

    python benchmarks/accuracy/audio.py --data shared/data --out audio.json            # everything
    python benchmarks/accuracy/audio.py --data shared/data --out audio.json official   # one figure

The data are the Free Spoken Digit Dataset's five speakers, 50 recordings of each digit.
`official` trains on recordings 5 to 49 of each and tests on 0 to 4.
`speakers` leaves one speaker out, trains on all recordings of the others and tests on all recordings of that speaker; a
tenth of the training recordings is held back for early stopping.
`spotting` takes the model of `official`, joins its test recordings in random order into streams, with pauses of 0.1 to
0.4 s or with none, and detects every digit: a word counts as found if the spotter, with its default threshold, reports
it within 150 ms of the recording's end.
All use the seeds 0, 1, 2; a run that the results file already has, with the same sources and options, is not repeated.
"""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any, NamedTuple

import numpy as np
from runs import Runs, argument_parser, parsed

import penstock
from penstock.audio.readers import read_recordings
from penstock.sounds.recordings import Recording

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo")
TOLERANCE_SECONDS = 0.15
PAUSES = {"pauses of 0.1 to 0.4 s": (0.1, 0.4), "no pauses": (0.0, 0.0)}


class Digit(NamedTuple):
    """A recording, its digit and its speaker."""

    sound: Recording
    label: str
    speaker: str


def main() -> int:
    """Run the missing trainings, then print the table."""
    parser = argument_parser(__doc__)
    parser.add_argument("--options", type=json.loads, default={}, help="JSON: arguments other than the defaults")
    parser.add_argument("figures", nargs="*", help=", ".join(_FIGURES))
    arguments = parsed(parser)
    if unknown := [name for name in arguments.figures if name not in _FIGURES]:
        parser.error(f"figures are {', '.join(_FIGURES)}; got {unknown[0]}")
    runs, options = Runs(arguments.out, "audio"), arguments.options
    digits = {part: _digits(arguments.data / "fsdd" / f"{part}.zip") for part in ("train", "test")}
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for figure in arguments.figures or _FIGURES:
        found[figure] = {
            name: runs(
                f"{figure} {name}".strip(), arguments.seeds, options, partial(_FIGURES[figure], digits, name, options)
            )
            for name in (SPEAKERS if figure == "speakers" else ("",))
        }
    print(_table(found))
    return 0


def _digits(path: Path) -> list[Digit]:
    """Read the recordings of a zip file; their names are {digit}_{speaker}_{index}.wav."""
    found = []
    for sound in read_recordings(path, answers=False).inputs:
        digit, speaker, _ = Path(sound.name).stem.split("_")
        found.append(Digit(sound, digit, speaker))
    return found


def _fitted(train: list[Digit], test: list[Digit], seed: int, options: Mapping[str, Any]) -> penstock.AudioClassifier:
    classifier = penstock.AudioClassifier(random_state=seed, **options)
    inputs, labels = ([digit.sound for digit in train], [digit.label for digit in train])
    return classifier.fit(inputs, labels, test_data=([digit.sound for digit in test], [digit.label for digit in test]))


def _scores(found: penstock.AudioClassifier) -> dict[str, float]:
    metrics = found.metrics_
    return {
        "figure": metrics["test"]["accuracy"],
        "baseline": metrics["baseline"]["statistics"]["test"]["accuracy"],
        "seconds": metrics["training_seconds"],
        "peak_mb": metrics["peak_mb"],
    }


def _official(digits: Mapping[str, list[Digit]], _: str, options: Mapping[str, Any], seed: int) -> dict[str, float]:
    return _scores(_fitted(digits["train"], digits["test"], seed, options))


def _speaker(
    digits: Mapping[str, list[Digit]], speaker: str, options: Mapping[str, Any], seed: int
) -> dict[str, float]:
    everything = digits["train"] + digits["test"]
    train, test = ([each for each in everything if (each.speaker == speaker) is left] for left in (False, True))
    return _scores(_fitted(train, test, seed, options))


def _spotting(digits: Mapping[str, list[Digit]], _: str, options: Mapping[str, Any], seed: int) -> dict[str, float]:
    model = _fitted(digits["train"], digits["test"], seed, options).model_
    found: dict[str, float] = {}
    for name, pauses in PAUSES.items():
        samples, truth = _joined(digits["test"], pauses, np.random.default_rng(seed))
        spotter = model.spotter()
        heard = spotter.push(samples).words + spotter.finish().words
        errors = [
            min((abs(word.seconds - end) for word in heard if word.label == label), default=np.inf)
            for label, end in truth
        ]
        hits = sum(error <= TOLERANCE_SECONDS for error in errors)
        near = [error for error in errors if error <= 1]
        found |= {
            f"found, {name}": hits / len(truth),
            f"right of those heard, {name}": hits / max(len(heard), 1),
            f"median error in ms, {name}": 1000 * median(near),
        }
    return found


def _joined(
    digits: list[Digit], pauses: tuple[float, float], generator: np.random.Generator
) -> tuple[np.ndarray, list[tuple[str, float]]]:
    """Concatenate the recordings; return the samples (time,) and the end of each recording in seconds."""
    parts, truth, length = [np.zeros(4000, np.float32)], [], 4000
    for number in generator.permutation(len(digits)):
        sound = digits[number].sound
        pause = np.zeros(int(generator.uniform(*pauses) * sound.sample_rate_hz), np.float32)
        truth.append((digits[number].label, (length + len(sound.samples)) / sound.sample_rate_hz))
        length += len(sound.samples) + len(pause)
        parts += [sound.samples, pause]
    return np.concatenate([*parts, np.zeros(4000, np.float32)]), truth


_FIGURES = {"official": _official, "speakers": _speaker, "spotting": _spotting}


def _table(found: Mapping[str, Mapping[str, list[dict[str, Any]]]]) -> str:
    lines = ["| figure | median | each seed | baseline | target | seconds |", "|---|---|---|---|---|---|"]
    if "official" in found:
        lines.append(_line("official split", found["official"][""], "0.98"))
    if "speakers" in found:
        lines += [_line(f"without {name}", runs, "") for name, runs in found["speakers"].items()]
        seeds = [
            {key: mean(run[key] for run in of_seed) for key in ("figure", "baseline", "seconds")}
            for of_seed in zip(*found["speakers"].values(), strict=True)
        ]
        lines.append(_line("one speaker left out, mean of five", seeds, "0.90"))
    if "spotting" in found:
        runs = found["spotting"][""]
        for name in runs[0]:
            values = [run[name] for run in runs]
            each = ", ".join(f"{value:.4g}" for value in values)
            lines.append(f"| spotting: {name} | {median(values):.4g} | {each} | | | |")
    return "\n".join(lines)


def _line(words: str, runs: list[dict[str, Any]], target: str) -> str:
    figures, seconds = [run["figure"] for run in runs], median(run["seconds"] for run in runs)
    each = ", ".join(f"{value:.4f}" for value in figures)
    return (
        f"| {words} | {median(figures):.4f} | {each} | {median(run['baseline'] for run in runs):.4f} | "
        f"{target} | {seconds:.0f} |"
    )


if __name__ == "__main__":
    raise SystemExit(main())
