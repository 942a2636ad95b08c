"""Accuracy of `penstock.SeriesClassifier` with its defaults on real signals, beside its baselines and the targets.

    python benchmarks/accuracy/signals.py --data shared/data --out signals.json
    python benchmarks/accuracy/signals.py --data shared/data --out signals.json --only GunPoint --seeds 0

Each set is trained with the seeds 0, 1, 2 on its published training part and measured on its published test part. A
tenth of the training part is held back for early stopping. Each run is written to the results file when it ends; a run
that the file already has, with the same sources and options, is not repeated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from runs import Runs, argument_parser, parsed

import penstock
from penstock.signals.file_formats import read_ucr
from penstock.signals.readers import read_signals

Rows = tuple[Any, Any]


@dataclass(frozen=True)
class Case:
    """A data set: how its parts are read, the options of the estimator, and the target."""

    parts: Callable[[Path], tuple[Rows, Rows]]
    options: dict[str, Any] = field(default_factory=dict)
    target: float | None = None


def ucr(name: str, target: float | None = None) -> Case:
    """Make the case of a set of the UCR archive."""

    def parts(data: Path) -> tuple[Rows, Rows]:
        folder = data / "ucr" / name
        found = [read_ucr(next(folder.glob(f"{name}_{part}.tsv*"))) for part in ("TRAIN", "TEST")]
        return tuple((rows.inputs, rows.answers) for rows in found)  # type: ignore[return-value]

    return Case(parts, target=target)


def mnist1d(data: Path) -> tuple[Rows, Rows]:
    """Read MNIST-1D as arrays (signals, 40)."""
    with np.load(data / "mnist1d" / "mnist1d.npz") as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def long_form(folder: str, name: str) -> Callable[[Path], tuple[Rows, Rows]]:
    """Return a reader of a set in long form, one row per step."""

    def parts(data: Path) -> tuple[Rows, Rows]:
        found = []
        for part in ("TRAIN", "TEST"):
            path = data / folder / f"{name}_{part}.csv.gz"
            rows = read_signals(path, label="label", series=["c*"], id="case", time="t")
            found.append((rows.inputs, rows.answers))
        return found[0], found[1]

    return parts


def occupancy(test: str) -> Callable[[Path], tuple[Rows, Rows]]:
    """Read room occupancy, with a label for each minute."""

    def parts(data: Path) -> tuple[Rows, Rows]:
        columns = ["Temperature", "Humidity", "Light", "CO2", "HumidityRatio"]
        found = []
        for name in ("datatraining", test):
            path = data / "occupancy" / f"{name}.csv"
            rows = read_signals(path, label="Occupancy", series=columns, id=None, time="date")
            found.append((rows.inputs, rows.answers))
        return found[0], found[1]

    return parts


CASES = {
    "JapaneseVowels": Case(long_form("uea", "JapaneseVowels"), target=0.96),
    "MNIST-1D": Case(mnist1d, target=0.92),
    "MelbournePedestrian": ucr("MelbournePedestrian", 0.92),
    "Occupancy, first test": Case(occupancy("datatest"), {"window": 10}, 0.95),
    "Occupancy, second test": Case(occupancy("datatest2"), {"window": 10}, 0.95),
    "GunPoint": ucr("GunPoint"),
    "ECG200": ucr("ECG200"),
    "Trace": ucr("Trace"),
    "SyntheticControl": ucr("SyntheticControl"),
    "PowerCons": ucr("PowerCons"),
    "MedicalImages": ucr("MedicalImages"),
    "SwedishLeaf": ucr("SwedishLeaf"),
    "Strawberry": ucr("Strawberry"),
    "AllGestureWiimoteX": ucr("AllGestureWiimoteX"),
    "BasicMotions": Case(long_form("uea", "BasicMotions")),
}


def main() -> int:
    """Run the missing trainings, then print the table."""
    arguments = parsed(argument_parser(__doc__, CASES))
    runs = Runs(arguments.out, "signals")
    found = {
        name: runs(name, arguments.seeds, CASES[name].options, partial(_run, CASES[name], arguments.data))
        for name in arguments.only or CASES
    }
    print(_table(found))
    return 0


def _run(case: Case, data: Path, seed: int) -> dict[str, Any]:
    """Train once; return the accuracies on the test part, and the seconds."""
    train, test = case.parts(data)
    estimator = penstock.SeriesClassifier(random_state=seed, progress=False, **case.options)
    estimator.fit(*train, test_data=test)
    found = estimator.metrics_
    beside = {name: each["test"]["accuracy"] for name, each in found["baseline"].items()}
    return {"accuracy": found["test"]["accuracy"], "baselines": beside, "seconds": found["seconds"]}


def _table(found: Mapping[str, list[dict[str, Any]]]) -> str:
    lines = ["| set | median | each seed | baselines | target | seconds |", "|---|---|---|---|---|---|"]
    for name, own in found.items():
        case = CASES[name]
        figures = [run["accuracy"] for run in own]
        beside = ", ".join(f"{which} {value:.4f}" for which, value in own[0]["baselines"].items())
        target = "" if case.target is None else f"{case.target:.2f}"
        each, seconds = ", ".join(f"{value:.4f}" for value in figures), median(run["seconds"] for run in own)
        lines.append(f"| {name} | {median(figures):.4f} | {each} | {beside} | {target} | {seconds:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
