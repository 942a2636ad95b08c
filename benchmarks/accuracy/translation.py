"""BLEU and chrF of `penstock train translate` with its defaults on Multi30k, German to English.

    python benchmarks/accuracy/translation.py --data shared/data --out translation.json -- --epochs 20

Each seed is one training, in a separate process, judged on the Flickr part of the test of 2016 (Elliott et al. 2016); a
run is written to the results file when it ends, and one that the file has, with the same sources and options, is not
repeated. A training that was interrupted is resumed from its checkpoint, beside the results file.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from runs import Runs, argument_parser, parsed

SET, FOLDER = "Multi30k de-en, test 2016", "multi30k_de_en"
TARGET = 30.0
"""BLEU to reach."""


def main() -> int:
    """Run the missing trainings, then print the table."""
    parser = argument_parser(__doc__)
    parser.add_argument("options", nargs="*", help="after --: options for the command, to try other ones than defaults")
    arguments = parsed(parser)
    run = partial(_run, arguments.data / FOLDER, arguments.out, arguments.options)
    print(_table(Runs(arguments.out, "translate", "tokens")(SET, arguments.seeds, arguments.options, run)))
    return 0


def _run(data: Path, out: Path, options: list[str], seed: int) -> dict[str, Any]:
    """Train once; return figures from metrics.json."""
    files = {"": "train.{}.gz", "--valid": "val.{}", "--test": "test_2016_flickr.{}"}
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        command = [sys.executable, "-m", "penstock", "train", "translate", "--out", str(model)]
        for flag, name in files.items():
            source, target = (str(data / name.format(language)) for language in ("de", "en"))
            command += [flag, source, f"{flag}-target-file", target] if flag else [source, target]
        command += ["--checkpoint", str(out.with_suffix(f".{seed}.checkpoint")), "--random-state", str(seed), *options]
        done = subprocess.run(command, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\nended with {done.returncode}")
        metrics = json.loads((model / "metrics.json").read_text())
    kept = ("valid", "test", "interval", "baseline", "main_baseline", "signatures", "best_epoch", "parameters")
    kept += ("seconds", "training_seconds", "peak_mb", "penstock")
    return {name: metrics[name] for name in kept} | {"epochs": len(metrics["curves"])}


def _table(runs: list[Mapping[str, Any]]) -> str:
    lines = [
        f"| {SET} | median | each seed | baseline | to reach |",
        "|---|---|---|---|---|",
    ]
    for metric, target in (("bleu", f"{TARGET:.0f}"), ("chrf", ""), ("exact_match", "")):
        figures = [run["test"][metric] for run in runs]
        baselines = [run["baseline"][run["main_baseline"]]["test"][metric] for run in runs if run["main_baseline"]]
        beside = f"{median(baselines):.2f}" if baselines else "–"
        each = ", ".join(f"{figure:.2f}" for figure in figures)
        lines.append(f"| {metric} | {median(figures):.2f} | {each} | {beside} | {target} |")
    minutes, memory = median(run["seconds"] for run in runs) / 60, max(run["peak_mb"] for run in runs)
    return "\n".join([*lines, f"{minutes:.0f} minutes, {memory:.0f} MB; {runs[0]['signatures']['bleu']}"])


if __name__ == "__main__":
    raise SystemExit(main())
