"""Accuracy of `penstock train classify` with its defaults on real data, beside the baseline and the targets.

    python benchmarks/accuracy/text.py --data shared/data --out accuracy.json

Each set is trained with the seeds 0, 1, 2 by the command itself, in a process of its own. Sets without a published
split are split 80/10/10 by the seed; sets without validation data hold back a tenth of the training part. Each run is
written to the results file when it ends, and one that is there, by the same sources and options, is not repeated.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import penstock

SEEDS = (0, 1, 2)
# The rooms whose sources decide what a training comes to.
_DECIDES = ("datasets", "features", "nn", "tasks", "training")


@dataclass(frozen=True)
class Case:
    """A data set: its files below the data folder, its columns, and what is aimed at.

    figure: "accuracy", or the label whose F1 counts
    """

    train: str
    valid: str | None = None
    test: str | None = None
    text: str = "text"
    label: str = "label"
    figure: str = "accuracy"
    target: float | None = None


CASES = {
    "SST-2": Case("sst2/train.tsv", "sst2/dev.tsv", "sst2/test.tsv", target=0.81),
    "TREC coarse": Case("trec/train.tsv", test="trec/test.tsv", label="coarse", target=0.89),
    "Hotel reviews (Chinese)": Case("chnsenticorp_hotel/chnsenticorp_hotel.csv.gz", text="review", target=0.885),
    "SMS spam": Case("sms_spam/sms_spam.tsv", figure="spam", target=0.94),
    "Reuters R8": Case("reuters_r8/train.tsv.gz", test="reuters_r8/test.tsv.gz", target=0.94),
    "AG News, 10,000": Case("ag_news_10k/train.csv.gz", test="ag_news_10k/test.csv.gz"),
    "Customer reviews": Case("customer_reviews/customer_reviews.tsv"),
    "Irony in tweets": Case("tweeteval_irony/train.tsv", "tweeteval_irony/dev.tsv", "tweeteval_irony/test.tsv"),
}


def main() -> int:
    """Run what is missing, then print the table."""
    arguments = _arguments()
    chosen = {name: case for name, case in CASES.items() if not arguments.only or name in arguments.only}
    results = _read(arguments.out)
    for name, case in chosen.items():
        for seed in arguments.seeds:
            key = _key(name, seed, arguments.options)
            if key not in results["runs"]:
                results["runs"][key] = _run(case, arguments.data, seed, arguments.options)
                _write(results, arguments.out)
            print(f"{key}: {_line(results['runs'][key])}", file=sys.stderr, flush=True)
    print(_table(chosen, arguments.seeds, arguments.options, results["runs"]))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=os.environ.get("PENSTOCK_DATA"), help="the folder of data sets")
    parser.add_argument("--out", type=Path, required=True, help="the results, JSON; taken up if it is there")
    parser.add_argument("--only", nargs="*", default=[], choices=list(CASES), metavar="SET", help="some sets only")
    parser.add_argument("--seeds", nargs="*", type=int, default=list(SEEDS))
    parser.add_argument("options", nargs="*", help="after --: options for the command, to try other ones than defaults")
    arguments = parser.parse_args()
    if arguments.data is None or not Path(arguments.data).is_dir():
        parser.error("--data, or PENSTOCK_DATA, must be the folder of data sets")
    arguments.data = Path(arguments.data)
    return arguments


def _key(name: str, seed: int, options: list[str]) -> str:
    """What tells a run from others: the set, the seed, the options, and the sources, which hold the defaults."""
    digest = hashlib.sha256(json.dumps(options).encode())
    for file in sorted(Path(penstock.__file__).parent.rglob("*.py")):
        if file.parent.name in _DECIDES:
            digest.update(file.read_bytes())
    return f"{name}, seed {seed}, sources {digest.hexdigest()[:8]}"


def _run(case: Case, data: Path, seed: int, options: list[str]) -> dict[str, Any]:
    """Train once; what metrics.json says of it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        parts = {"valid": case.valid, "test": case.test}
        command = [sys.executable, "-m", "penstock", "train", "classify", str(data / case.train), "--out", str(out)]
        command += ["--text", case.text, "--label", case.label, "--random-state", str(seed), *options]
        for name, file in parts.items():
            command += [f"--{name}", str(data / file)] if file else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\nended with {done.returncode}: {done.stderr}")
        metrics = json.loads((out / "metrics.json").read_text())
    kept = ("valid", "test", "baseline", "best_epoch", "seconds", "training_seconds", "peak_mb", "penstock")
    found = {name: metrics[name] for name in kept}
    found["epochs"] = len(metrics["curves"])
    found["figure"] = _figure(case, metrics["test"], metrics["per_class"])
    baseline = metrics["baseline"]["tfidf"]["test"]
    found["baseline_figure"] = _figure(case, baseline, metrics["per_class_baseline"])
    return found


def _figure(case: Case, scores: Mapping[str, float], per_class: Mapping[str, list[dict[str, Any]]]) -> float:
    if case.figure == "accuracy":
        return scores["accuracy"]
    return next(row["f1"] for row in per_class["test"] if str(row["label"]) == case.figure)


def _read(path: Path) -> dict[str, Any]:
    if path.exists():
        return json.loads(path.read_text())
    return {"machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}", "runs": {}}


def _write(results: Mapping[str, Any], path: Path) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    beside.replace(path)


def _line(run: Mapping[str, Any]) -> str:
    return f"{run['figure']:.4f}, epoch {run['best_epoch']} of {run['epochs']}, {run['seconds']:.0f} s"


def _table(
    cases: Mapping[str, Case], seeds: list[int], options: list[str], runs: Mapping[str, Mapping[str, Any]]
) -> str:
    lines = [
        "| set | figure | median | each seed | TF-IDF | target | seconds | peak MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, case in cases.items():
        own = [runs[_key(name, seed, options)] for seed in seeds]
        figures = [run["figure"] for run in own]
        baselines = [run["baseline_figure"] for run in own]
        figure = case.figure if case.figure == "accuracy" else f"F1 of {case.figure}"
        target = "" if case.target is None else f"{case.target:.3f}"
        lines.append(
            f"| {name} | {figure} | {median(figures):.4f} | {', '.join(f'{value:.4f}' for value in figures)} | "
            f"{median(baselines):.4f} | {target} | {median(run['seconds'] for run in own):.0f} | "
            f"{max(run['peak_mb'] for run in own):.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
