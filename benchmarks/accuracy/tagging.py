"""Accuracy of `penstock train tag` on real data, beside its baseline and published figures.

    python benchmarks/accuracy/tagging.py --data shared/data --out tagging.json

The command trains each set with the seeds 0, 1, 2, in a separate process. MSRA, which has no validation data, holds
back a tenth of its training part. Each run is written to the results file when it ends; one that the file has, with the
same sources and options, is not repeated. A run that is interrupted goes on from its last epoch.
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
    """A data set: its files below the data folder, its column, what is compared, and what others have published.

    published: the figure and its source; without vectors or a language model, where there is such a figure
    """

    train: str
    valid: str | None
    test: str
    column: str | None = None
    figure: str = "f1"
    published: str = ""


CASES = {
    "UD English EWT, UPOS": Case(
        "ud_english_ewt/en_ewt-ud-train.conllu.gz",
        "ud_english_ewt/en_ewt-ud-dev.conllu.gz",
        "ud_english_ewt/en_ewt-ud-test.conllu.gz",
        "upos",
        "accuracy",
        "0.954 with vectors, UD 2.5 (Qi et al. 2020)",
    ),
    "CoNLL-2003 English": Case(
        "conll2003/eng.train.gz",
        "conll2003/eng.testa.gz",
        "conll2003/eng.testb.gz",
        "ner",
        published="0.837 without vectors (Lample et al. 2016)",
    ),
    "Resume NER (Chinese)": Case(
        "resume_ner/train.char.bmes",
        "resume_ner/dev.char.bmes",
        "resume_ner/test.char.bmes",
        published="0.945 with a lexicon (Zhang and Yang 2018)",
    ),
    "Weibo NER (Chinese)": Case(
        "weibo_ner/weiboNER_2nd_conll.train",
        "weibo_ner/weiboNER_2nd_conll.dev",
        "weibo_ner/weiboNER_2nd_conll.test",
        published="0.588 with a lexicon (Zhang and Yang 2018)",
    ),
    "MSRA NER (Chinese)": Case(
        "msra_ner/train.txt.gz",
        None,
        "msra_ner/test.txt.gz",
        published="0.932 with a lexicon, sentences cut differently (Zhang and Yang 2018)",
    ),
}


def main() -> int:
    """Run the missing trainings, then print the table."""
    parser = argument_parser(__doc__, CASES)
    parser.add_argument("options", nargs="*", help="after --: options for the command, to try other ones than defaults")
    arguments = parsed(parser)
    runs, options = Runs(arguments.out, "tagging"), arguments.options
    found = {
        name: runs(name, arguments.seeds, options, partial(_run, CASES[name], arguments, options))
        for name in arguments.only or CASES
    }
    print(_table(found))
    return 0


def _run(case: Case, arguments: Any, options: list[str], seed: int) -> dict[str, Any]:
    """Train once; return figures from metrics.json."""
    data, checkpoint = arguments.data, arguments.out.with_suffix(f".{Path(case.train).parent.name}-{seed}.checkpoint")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        command = [sys.executable, "-m", "penstock", "train", "tag", str(data / case.train), "--out", str(out)]
        command += ["--test", str(data / case.test), "--random-state", str(seed), "--checkpoint", str(checkpoint)]
        command += ["--valid", str(data / case.valid)] if case.valid else []
        command += ["--column", case.column] if case.column else []
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\nended with {done.returncode}: {done.stderr}")
        metrics = json.loads((out / "metrics.json").read_text())
    for left in checkpoint.parent.glob(f"*{checkpoint.name}*"):
        left.unlink()
    kept = ("valid", "test", "baseline", "best_epoch", "seconds", "training_seconds", "peak_mb", "penstock")
    return {name: metrics[name] for name in kept} | {"epochs": len(metrics["curves"])}


def _table(found: Mapping[str, list[dict[str, Any]]]) -> str:
    lines = [
        "| set | figure | median | each seed | CRF by hand | most frequent tag | published | seconds | peak MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, own in found.items():
        case = CASES[name]
        figures = [run["test"][case.figure] for run in own]
        others = [
            median(run["baseline"][baseline]["test"][case.figure] for run in own)
            for baseline in ("crf", "most_frequent_tag")
        ]
        lines.append(
            f"| {name} | {case.figure} | {median(figures):.4f} | {', '.join(f'{value:.4f}' for value in figures)} | "
            f"{others[0]:.4f} | {others[1]:.4f} | {case.published} | {median(run['seconds'] for run in own):.0f} | "
            f"{max(run['peak_mb'] for run in own):.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
