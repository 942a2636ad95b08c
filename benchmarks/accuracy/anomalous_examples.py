"""ROC AUC of `AnomalyDetector(kind="reconstruct")` on examples of the UCR archive, beside simple baselines.

    python benchmarks/accuracy/anomalous_examples.py --data shared/data --out examples.json

One class of a set counts as ordinary. A fifth of its training examples sets the threshold, the others are learned
from; all test examples are scored, and those of the other classes should have higher scores. Nothing is learned from
other classes, and no option was chosen by them: all are the defaults. That the network has one constant scale for its
errors was decided after an earlier design had been seen on ECG200; the other sets were first read with this one.
Beside it stand the detector's own baseline, the distance to the nearest training example, which has the same examples
to learn from; and an isolation forest on flattened examples and the distance to the mean training example, which learn
from all ordinary training examples.
"""

import csv
import gzip
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from runs import Runs, argument_parser, parsed
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from penstock import AnomalyDetector

SETS = {"ECG200": "1", "GunPoint": "1", "PowerCons": "1", "SyntheticControl": "1", "Trace": "1"}
"""The class that counts as ordinary: of ECG200 the normal heartbeat, of SyntheticControl the one without a trend."""


def main() -> int:
    """Run the missing seeds, then print the table."""
    arguments = parsed(argument_parser(__doc__, SETS))
    runs = Runs(arguments.out, "detect", "reconstruct", "panels")
    found = {
        name: runs(name, arguments.seeds, {}, lambda seed, name=name: _run(arguments.data / "ucr" / name, seed))
        for name in arguments.only or SETS
    }
    print(_table(found))
    return 0


def _run(folder: Path, seed: int) -> dict[str, Any]:
    """Train once; return the areas, and what was flagged at the default rate of false alarms."""
    ordinary = SETS[folder.name]
    (values, labels), (test, test_labels) = (_read(folder, part) for part in ("TRAIN", "TEST"))
    learned, odd = values[labels == ordinary], test_labels != ordinary
    detector = AnomalyDetector(kind="reconstruct", random_state=seed)
    detector.fit({str(row): each for row, each in enumerate(learned)})
    panel = {str(row): each for row, each in enumerate(test)}
    told = [each.examples for each in detector.predict(panel)]
    labels = {str(row): [(0, test.shape[1] - 1)] for row in np.flatnonzero(odd)}
    own = detector.model_.evaluate(panel, labels)["baselines"]["nearest_example"]["example_auc"]
    scores = {"network": np.array([each.score[0] for each in told])} | _baselines(learned, test, seed)
    flags = np.array([each.anomaly[0] for each in told])
    return {
        "auc": {name: float(roc_auc_score(odd, each)) for name, each in scores.items()}
        | {"distance to the nearest example": own},
        "flagged": {"odd": int(flags[odd].sum()), "ordinary": int(flags[~odd].sum())},
        "examples": {"learned": len(learned), "odd": int(odd.sum()), "ordinary": int((~odd).sum())},
        "seconds": detector.metrics_["seconds"],
    }


def _baselines(learned: NDArray[np.float64], test: NDArray[np.float64], seed: int) -> dict[str, NDArray[np.float64]]:
    """Scores of test examples (examples, steps) by what was learned of others."""
    forest = IsolationForest(random_state=seed).fit(learned)
    return {
        "isolation forest": -forest.score_samples(test),
        "distance to the mean example": np.linalg.norm(test - learned.mean(axis=0), axis=1),
    }


def _read(folder: Path, part: str) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Values (examples, steps) and labels of a part."""
    (path,) = folder.glob(f"{folder.name}_{part}.tsv*")
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt") as file:  # type: ignore[operator]
        rows = list(csv.reader(file, delimiter="\t"))
    return np.array([row[1:] for row in rows], np.float64), np.array([str(int(float(row[0]))) for row in rows])


def _table(found: Mapping[str, list[Mapping[str, Any]]]) -> str:
    detectors = list(next(iter(found.values()))[0]["auc"])
    lines = [
        f"| set | learned | {' | '.join(detectors)} | flagged: odd | ordinary |",
        f"|---|---|{'---|' * (len(detectors) + 2)}",
    ]
    for name, runs in found.items():
        cells = [_three([run["auc"][each] for run in runs]) for each in detectors]
        size = runs[0]["examples"]
        flagged = [
            f"{', '.join(str(run['flagged'][kind]) for run in runs)} of {size[kind]}" for kind in ("odd", "ordinary")
        ]
        lines.append(f"| {name} | {size['learned']} | {' | '.join([*cells, *flagged])} |")
    return "\n".join(lines)


def _three(values: list[float]) -> str:
    return f"{median(values):.3f}" + (f" ({', '.join(f'{value:.3f}' for value in values)})" if len(values) > 1 else "")


if __name__ == "__main__":
    raise SystemExit(main())
