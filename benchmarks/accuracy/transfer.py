"""The learning curve of a classifier that starts from a language model, beside one from random weights and TF-IDF.

    python benchmarks/accuracy/transfer.py --data shared/data --out transfer.json --only hotel --labels 100 500

For each set, a language model first reads the training texts without their labels; it is kept beside the results file,
and an interrupted training is resumed. Then for each number of labels and each seed, so many training rows are drawn,
stratified. A classifier learns from them, once from the language model and once, with the default options, from random
weights, and so does TF-IDF with logistic regression; the test part is the same for all.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from runs import Runs, argument_parser, parsed

from penstock import LanguageModel, TextClassifier
from penstock.datasets import read_table, stratified_split

LABELS = (50, 100, 200, 500, 2000)
_WAYS = {"encoder": "language model", "scratch": "random weights", "tfidf": "TF-IDF"}
_LANGUAGE_MODEL: dict[str, Any] = {
    "level": "word", "words": "text", "hidden_size": 200, "batch_size": 16, "baseline": False, "verbose": 1,
}  # fmt: skip
# A language model has learned from whole texts: less noise, a higher rate for the output layer, more of its outputs.
_FROM_LANGUAGE_MODEL: dict[str, Any] = {
    "pooling": "mean_max", "learning_rate": 0.005, "word_dropout": 0.05, "embedding_dropout": 0.1,
    "output_dropout": 0.2,
}  # fmt: skip
_PARTS = (0.8, 0.2)


@dataclass(frozen=True)
class Case:
    """A data set: its files below the data folder, and the language model that reads its training texts.

    test: the file of the test part; None to hold back a fifth of the file, by seed 0
    text: the column of texts
    texts: how many of the training texts the language model reads
    tested: the most test rows, drawn by seed 0
    language_model: options of the language model
    """

    train: str
    language_model: dict[str, Any]
    test: str | None = None
    text: str = "text"
    texts: int = 10_000
    tested: int = 2_000


CASES = {
    "hotel": Case(
        "chnsenticorp_hotel/chnsenticorp_hotel.csv.gz", {"epochs": 10, "max_vocabulary": 3_000}, text="review"
    ),
    "imdb": Case("imdb/train.csv.gz", {"epochs": 4, "max_vocabulary": 8_000}, "imdb/test.csv.gz", texts=5_000),
}
Rows = tuple[list[str], list[Any]]


def main() -> int:
    """Run the missing trainings, then print the table."""
    parser = argument_parser(__doc__, CASES)
    parser.add_argument("--labels", nargs="*", type=int, default=list(LABELS), help="numbers of labels")
    arguments = parsed(parser)
    runs = Runs(arguments.out, "text", "language", "tokens")
    lines = [f"| set | labels | {' | '.join(_WAYS.values())} |", "|---|---|---|---|---|"]
    for name in arguments.only or CASES:
        case = CASES[name]
        train, test = _read(case, arguments.data)
        encoder = _language_model(case, train[0], arguments.out.with_name(f"{name}-language-model"))
        for labels in arguments.labels:
            run = partial(_run, train, test, labels, str(encoder))
            options = [_LANGUAGE_MODEL, case.language_model, _FROM_LANGUAGE_MODEL]
            found = runs(f"{name}, {labels} labels", arguments.seeds, options, run)
            lines.append(f"| {name} | {labels} | {' | '.join(_cell([each[way] for each in found]) for way in _WAYS)} |")
    print("\n".join(lines))
    return 0


def _cell(values: Sequence[float]) -> str:
    return f"{median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def _read(case: Case, data: Path) -> tuple[Rows, Rows]:
    """Return texts and labels of the training part and of the rows to test with."""
    train = _rows(data / case.train, case.text)
    if case.test is not None:
        test = _rows(data / case.test, case.text)
    else:
        first, second = stratified_split(train[1], _PARTS, random_state=0)
        train, test = _taken(train, first), _taken(train, second)
    return train, _taken(test, np.random.default_rng(0).permutation(len(test[0]))[: case.tested])


def _rows(path: Path, text: str) -> Rows:
    table = read_table(path, [text, "label"])
    pairs = [(each, label) for each, label in zip(table[text], table["label"], strict=True) if each]
    return [each for each, _ in pairs], [label for _, label in pairs]


def _taken(rows: Rows, places: Any) -> Rows:
    return [rows[0][place] for place in places], [rows[1][place] for place in places]


def _language_model(case: Case, texts: list[str], folder: Path) -> Path:
    """Train the language model unless it is there; return its folder."""
    if not folder.exists():
        checkpoint = str(folder.with_name(f"{folder.name}.checkpoint"))
        model = LanguageModel(**_LANGUAGE_MODEL, **case.language_model, checkpoint=checkpoint)
        model.fit(texts[: case.texts]).save(folder)
        print(f"{folder.name}: {model.metrics_['valid']}", file=sys.stderr, flush=True)
    return folder


def _run(train: Rows, test: Rows, labels: int, encoder: str, seed: int) -> dict[str, Any]:
    """Train both classifiers on the same rows; return their accuracies, and that of TF-IDF."""
    share = labels / len(train[1])
    few = _taken(train, stratified_split(train[1], (share, 1 - share), random_state=seed)[0])
    found: dict[str, Any] = {}
    started: dict[str, dict[str, Any]] = {"encoder": _FROM_LANGUAGE_MODEL | {"encoder": encoder}, "scratch": {}}
    for way, options in started.items():
        estimator = TextClassifier(**options, baseline=way == "scratch", random_state=seed)
        metrics = estimator.fit(*few, test_data=test).metrics_
        found[way] = metrics["test"]["accuracy"]
        found[f"{way}_epochs"] = metrics["best_epoch"]
    return found | {"tfidf": metrics["baseline"]["tfidf"]["test"]["accuracy"]}


if __name__ == "__main__":
    raise SystemExit(main())
