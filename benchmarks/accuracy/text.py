"""Accuracy of `penstock train classify` with its defaults on real data, beside the baseline and the targets.

    python benchmarks/accuracy/text.py --data shared/data --out accuracy.json

The command trains each set with the seeds 0, 1, 2, in a separate process. Sets without a published
split are split 80/10/10 by the seed; sets without validation data hold back a tenth of the training part. Each run is
written to the results file when it ends; one that the file has, with the same sources and options, is not repeated.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from runs import Runs, argument_parser, parsed


@dataclass(frozen=True)
class Case:
    """A data set: its files below the data folder, its columns, and its target.

    figure: "accuracy", or the label whose F1 is compared
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
    """Run the missing trainings, then print the table."""
    parser = argument_parser(__doc__, CASES)
    parser.add_argument("options", nargs="*", help="after --: options for the command, to try other ones than defaults")
    arguments = parsed(parser)
    runs, options = Runs(arguments.out, "text", "tokens"), arguments.options
    found = {
        name: runs(name, arguments.seeds, options, partial(_run, CASES[name], arguments.data, options))
        for name in arguments.only or CASES
    }
    print(_table(found))
    return 0


def _run(case: Case, data: Path, options: list[str], seed: int) -> dict[str, Any]:
    """Train once; return figures from metrics.json."""
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


def _table(found: Mapping[str, list[dict[str, Any]]]) -> str:
    lines = [
        "| set | figure | median | each seed | TF-IDF | target | seconds | peak MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, own in found.items():
        case = CASES[name]
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
