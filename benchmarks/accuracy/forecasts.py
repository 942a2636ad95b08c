"""Accuracy of `penstock.Forecaster` on real series, every origin counted, beside its baselines and the targets.

    python benchmarks/accuracy/forecasts.py --data shared/data --out forecasts.json
    python benchmarks/accuracy/forecasts.py --data shared/data --out forecasts.json --only "ETTh1, 96" --seeds 0

Each set is trained with the seeds 0, 1, 2. Each run is written to the results file when it ends; a run that the file
already has, with the same sources and options, is not repeated. ETTh1 is standardised, multivariate, split 8640 /
2880 / 2880 rows, with all test windows. Sunspots hold back the last 132 months, airline passengers the last 24. M4 has
its own test part, with one origin per series. The exchange rates hold back the last fifth.
"""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from runs import Runs, argument_parser, parsed

import penstock
from penstock.panels.panel import Panel
from penstock.panels.panel_columns import arrays_panel

_CHANNELS = ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
Parts = tuple[Any, Any, Any]


def etth1(data: Path) -> Parts:
    """Read ETTh1 with the usual split, multivariate."""
    panel = penstock.read_series(data / "ett" / "ETTh1.csv.gz", time="date", target=_CHANNELS)
    return _parts(panel, (8640, 2880, 2880))


def sunspots(data: Path) -> Parts:
    """Read the sunspots: the last 132 months are for test, the 264 before them for validation."""
    path = data / "monthly_sunspots" / "monthly_sunspots.csv"
    return _parts(penstock.read_series(path, time="Month", target="Sunspots"), (2424, 264, 132))


def airline(data: Path) -> Parts:
    """Read the passengers: the last 24 months are for test, the 24 before them for validation."""
    path = data / "airline_passengers" / "airline_passengers.csv"
    return _parts(penstock.read_series(path, time="Month", target="Passengers"), (96, 24, 24))


def m4(data: Path, period: str) -> Parts:
    """Read the competition's own parts; the end of the training part is for validation."""
    train, test = (_m4_rows(data / "m4" / f"{period}-{part}.csv.gz") for part in ("train", "test"))
    return arrays_panel(train), None, arrays_panel(test)


def exchange_rate(data: Path) -> Parts:
    """Read eight currencies, each as a separate series, split 60 / 20 / 20 % in order."""
    with gzip.open(data / "exchange_rate" / "exchange_rate.txt.gz", "rt") as lines:
        return _parts(arrays_panel(np.loadtxt(lines, delimiter=",")), (0.6, 0.2, 0.2))


@dataclass(frozen=True)
class Case:
    """A data set, its settings and its target.

    figure: the metric to compare
    target: the upper bound of the metric
    """

    parts: Callable[[Path], Parts]
    figure: str
    options: dict[str, Any] = field(default_factory=dict)
    target: float | None = None


def _ett_case(horizon: int, target: float, **options: Any) -> Case:
    shared = {"horizon": horizon, "context": 720, "metric_scale": "standardised"}
    return Case(etth1, "mse", shared | options, target)


CASES = {
    "ETTh1, 96": _ett_case(96, 0.39),
    "ETTh1, 96, options": _ett_case(
        96, 0.365, normalization="last", highway=0, dropout=0.5, quantiles=[0.5], hidden_size=256
    ),
    "ETTh1, 192": _ett_case(192, 0.405),
    "ETTh1, 336": _ett_case(336, 0.439),
    "ETTh1, 720": _ett_case(720, 0.472),
    "Sunspots": Case(sunspots, "mae", {"horizon": 12, "context": 132}, 20.0),
    "Sunspots, carried": Case(sunspots, "mae", {"horizon": 12, "context": 132, "memory": "carried"}),
    "Airline passengers": Case(airline, "mae", {"horizon": 12, "context": 24, "transform": "log"}),
    "M4 hourly": Case(
        lambda data: m4(data, "Hourly"),
        "smape",
        {"horizon": 48, "context": 336, "transform": "log", "season": 24, "epochs": 30},
        14.70,
    ),
    "M4 weekly": Case(
        lambda data: m4(data, "Weekly"), "smape", {"horizon": 13, "context": 52, "transform": "log", "season": 1}, 15.22
    ),
    "Exchange rates": Case(exchange_rate, "mae", {"horizon": 24, "context": 96}),
}


def main() -> int:
    """Run the missing trainings, then print the table."""
    parser = argument_parser(__doc__, CASES)
    parser.add_argument("--options", type=json.loads, default={}, help="JSON: options instead of those of the sets")
    arguments = parsed(parser)
    runs, found = Runs(arguments.out, "forecast"), {}
    for name in arguments.only or CASES:
        options = CASES[name].options | arguments.options
        found[name] = runs(name, arguments.seeds, options, partial(_run, CASES[name].parts, arguments.data, options))
    print(_table(found))
    return 0


def _parts(panel: Panel, sizes: tuple[float, ...]) -> Parts:
    train, valid, test = penstock.Forecaster.split(panel, sizes, 0)
    return train, valid, test


def _m4_rows(path: Path) -> dict[str, np.ndarray]:
    with gzip.open(path, "rt") as lines:
        rows = (line.strip().split(",") for line in lines)
        return {name: np.array(values, np.float64) for name, *values in rows}


def _run(parts: Callable[[Path], Parts], data: Path, options: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Train once; return figures from metrics.json."""
    metrics = penstock.Forecaster(**options, random_state=seed, progress=False).fit(*parts(data)).metrics_
    kept = ("valid", "test", "intervals", "baseline", "main_baseline", "best_epoch", "seconds", "peak_mb", "penstock")
    found = {name: metrics.get(name) for name in kept}
    return found | {"epochs": len(metrics["curves"]), "season": metrics["data"]["season"]}


def _table(found: Mapping[str, list[dict[str, Any]]]) -> str:
    lines = [
        "| set | figure | median | each seed | last value | season ago | ridge | target | coverage | seconds |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, own in found.items():
        case = CASES[name]
        figures = [run["test"][case.figure] for run in own]
        beside = [own[0]["baseline"][other]["test"][case.figure] for other in ("naive", "seasonal_naive", "ridge")]
        target = "" if case.target is None else f"{case.target:g}"
        lines.append(
            f"| {name} | {case.figure} | {median(figures):.4f} | {', '.join(f'{value:.4f}' for value in figures)} | "
            f"{' | '.join(f'{value:.4f}' for value in beside)} | {target} | "
            f"{median(run['test'].get('coverage_80', float('nan')) for run in own):.3f} | "
            f"{median(run['seconds'] for run in own):.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
