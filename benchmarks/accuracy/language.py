"""Language models on Penn Treebank, Tiny Shakespeare, WikiText-2 and JSB Chorales, beside published figures.

    python benchmarks/accuracy/language.py --data shared/data --out language.json --only ptb

Each training is `penstock train language` with a checkpoint beside the results file, so that an interrupted one is
resumed. Runs are kept as in text.py. Penn Treebank, WikiText-2 and JSB Chorales have their published parts; of Tiny
Shakespeare the last tenth is the test part, and the twentieth from 80 to 85 % chooses the epoch: the play in which the
last tenth begins stays whole, so that training has read its first scenes, as with the usual split in 90 and 10 %.
"""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from runs import Runs, argument_parser, parsed


@dataclass(frozen=True)
class Case:
    """A data set.

    files: (data folder, folder for files made here) -> files to train on, validate and test with
    options: of the command
    figure: the metric that is published
    published: the figure, and where it is from
    """

    files: Callable[[Path, Path], list[Path]]
    options: tuple[str, ...]
    figure: str
    published: str


def _penn(data: Path, made: Path) -> list[Path]:
    return [data / "ptb" / name for name in ("ptb.train.txt.gz", "ptb.valid.txt", "ptb.test.txt")]


def _wiki(data: Path, made: Path) -> list[Path]:
    return [_text(data / "wikitext2" / f"wiki.{part}.tokens.gz", made) for part in ("train", "valid", "test")]


def _shakespeare(data: Path, made: Path) -> list[Path]:
    text = (data / "tiny_shakespeare" / "input.txt").read_text(encoding="utf-8")
    before, valid, after, test = (
        text[int(len(text) * start) : int(len(text) * end)]
        for start, end in ((0, 0.8), (0.8, 0.85), (0.85, 0.9), (0.9, 1))
    )
    parts = {"train": before + after, "valid": valid, "test": test}
    return [_put(made / f"shakespeare-{name}.txt", part) for name, part in parts.items()]


def _chorales(data: Path, made: Path) -> list[Path]:
    with gzip.open(data / "polyphonic_music" / "JSB_Chorales.json.gz") as file:
        pieces = json.load(file)
    return [_put(made / f"jsb-{part}.json", json.dumps(pieces[part])) for part in ("train", "valid", "test")]


def _text(path: Path, made: Path) -> Path:
    return _put(made / f"{path.name.removesuffix('.gz')}.txt", gzip.decompress(path.read_bytes()).decode())


def _put(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# The size of Zaremba et al.; dropout as little as suits twelve epochs.
_ZAREMBA = (
    *("--level", "word", "--hidden-size", "200", "--num-layers", "2", "--no-adaptive", "--epochs", "12"),
    *("--embedding-dropout", "0.1", "--layer-dropout", "0.15", "--output-dropout", "0.2"),
    *("--steps", "35", "--batch-size", "20"),
)
# AWD-LSTM's recipe with less dropout and a rate that falls, for 18 epochs in place of 500.
_AWD = (
    *("--level", "word", "--recipe", "awd", "--hidden-size", "400", "--num-layers", "2", "--epochs", "18"),
    *("--word-dropout", "0.05", "--embedding-dropout", "0.2", "--layer-dropout", "0.25", "--output-dropout", "0.35"),
    *("--weight-drop", "0.3", "--steps", "35", "--batch-size", "20", "--learning-rate", "20"),
    *("--hold", "10", "--decay", "0.6"),
)
_SHAKESPEARE = (
    *("--level", "char", "--hidden-size", "512", "--num-layers", "2", "--epochs", "20"),
    *("--layer-dropout", "0.4", "--output-dropout", "0.4", "--weight-drop", "0.2"),
    *("--steps", "100", "--batch-size", "32", "--learning-rate", "0.002"),
)
_NOTES = (
    *("--level", "notes", "--hidden-size", "256", "--batch-size", "16", "--learning-rate", "0.004"),
    *("--output-dropout", "0.3", "--embedding-dropout", "0.1", "--weight-drop", "0.2"),
    *("--epochs", "200", "--patience", "40"),
)
CASES = {
    "ptb": Case(_penn, _ZAREMBA, "perplexity", "114.5 (Zaremba et al. 2015, small)"),
    "ptb-awd": Case(
        _penn,
        _AWD,
        "perplexity",
        "57.3 (Merity et al. 2018, 24 million parameters, 500 epochs)",
    ),
    "shakespeare": Case(_shakespeare, _SHAKESPEARE, "nats", "1.48"),
    "wikitext2": Case(
        _wiki,
        ("--level", "word", "--hidden-size", "200", "--num-layers", "2"),
        "perplexity",
        "99.3 (Grave et al. 2017, 1,024 units)",
    ),
    "jsb": Case(_chorales, _NOTES, "nats", "8.43 (Bai et al. 2018, GRU)"),
}


def main() -> int:
    """Run the missing trainings, then print the table."""
    parser = argument_parser(__doc__, CASES)
    parser.add_argument("options", nargs="*", help="after --: further options for the command")
    arguments = parsed(parser)
    runs = Runs(arguments.out, "language", "ngrams", "tokens")
    lines = ["| set | figure | median | baseline | published |", "|---|---|---|---|---|"]
    for name in arguments.only or CASES:
        case, options = CASES[name], [*CASES[name].options, *arguments.options]
        run = partial(_run, name, case, options, arguments)
        found = runs(name, arguments.seeds, options, run)
        ours, theirs = (median(each[key] for each in found) for key in ("figure", "baseline_figure"))
        lines.append(f"| {name} | {case.figure} | {ours:.3f} | {theirs:.3f} | {case.published} |")
    print("\n".join(lines))
    return 0


def _run(name: str, case: Case, options: list[str], arguments: Any, seed: int) -> dict[str, Any]:
    """Train once; return figures from metrics.json."""
    made = arguments.out.with_name(f"{arguments.out.stem}-files")
    made.mkdir(exist_ok=True)
    train, valid, test = case.files(arguments.data, made)
    out = made / f"{name}-{seed}"
    command = [sys.executable, "-m", "penstock", "train", "language", str(train), "--valid", str(valid)]
    command += ["--test", str(test), "--out", str(out), "--overwrite", "--random-state", str(seed)]
    command += ["--checkpoint", f"{out}.checkpoint", *options]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    metrics = json.loads((out / "metrics.json").read_text())
    kept = ("valid", "test", "baseline", "best_epoch", "seconds", "training_seconds", "peak_mb", "parameters")
    baseline = metrics["baseline"][metrics["main_baseline"]]["test"]
    return {each: metrics[each] for each in kept} | {
        "figure": metrics["test"][case.figure],
        "baseline_figure": baseline[case.figure],
    }


if __name__ == "__main__":
    raise SystemExit(main())
