"""A classifier with few labels that starts from a language model, beside one from random weights and TF-IDF.

    python benchmarks/accuracy/transfer.py --data shared/data --out transfer.json --only hotel

For each set, a language model first reads the training texts without their labels; it is kept beside the results file,
and an interrupted training is resumed. Then for each number of labels and each seed, that many training rows are drawn
(stratified, a fifth of them for validation). A classifier is trained on them from the language model and another from
random weights; both are tested on the whole test part, and so is TF-IDF from the same rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from runs import Runs, argument_parser, parsed

from penstock import LanguageModel, TextClassifier
from penstock.datasets import read_table, stratified_split

LABELS = (100, 500)
_LANGUAGE_MODEL: dict[str, Any] = {"level": "word", "words": "text", "hidden_size": 128, "epochs": 6, "verbose": 1}
_CLASSIFIER: dict[str, Any] = {"validation_share": 0.2}
_PARTS = (0.8, 0.2)


@dataclass(frozen=True)
class Case:
    """A data set: its files below the data folder, its text column, and how many texts the language model reads.

    test: the file of the test part; None to hold back a fifth of the file, by seed 0
    """

    train: str
    test: str | None = None
    text: str = "text"
    texts: int = 10_000


CASES = {
    "hotel": Case("chnsenticorp_hotel/chnsenticorp_hotel.csv.gz", text="review"),
    "imdb": Case("imdb/train.csv.gz", "imdb/test.csv.gz"),
}


def main() -> int:
    """Run the missing trainings, then print the table."""
    arguments = parsed(argument_parser(__doc__, CASES))
    runs, lines = (
        Runs(arguments.out),
        ["| set | labels | language model | random weights | TF-IDF |", "|---|---|---|---|---|"],
    )
    for name in arguments.only or CASES:
        train, test = _read(CASES[name], arguments.data)
        encoder = _language_model(train[0][: CASES[name].texts], arguments.out.with_name(f"{name}-language-model"))
        for labels in LABELS:
            run = partial(_run, train, test, labels, str(encoder))
            found = runs(f"{name}, {labels} labels", arguments.seeds, [_LANGUAGE_MODEL, _CLASSIFIER], run)
            cells = [f"{median(each[way] for each in found):.3f}" for way in ("encoder", "scratch", "tfidf")]
            lines.append(f"| {name} | {labels} | {' | '.join(cells)} |")
    print("\n".join(lines))
    return 0


Rows = tuple[list[str], list[Any]]


def _read(case: Case, data: Path) -> tuple[Rows, Rows]:
    """Return texts and labels of the training and the test part."""
    rows = _rows(data / case.train, case.text)
    if case.test is not None:
        return rows, _rows(data / case.test, case.text)
    first, second = stratified_split(rows[1], _PARTS, random_state=0)
    return _taken(rows, first), _taken(rows, second)


def _rows(path: Path, text: str) -> Rows:
    table = read_table(path, [text, "label"])
    pairs = [(each, label) for each, label in zip(table[text], table["label"], strict=True) if each]
    return [each for each, _ in pairs], [label for _, label in pairs]


def _taken(rows: Rows, places: Any) -> Rows:
    return [rows[0][place] for place in places], [rows[1][place] for place in places]


def _language_model(texts: list[str], folder: Path) -> Path:
    if not folder.exists():
        checkpoint = str(folder.with_name(f"{folder.name}.checkpoint"))
        LanguageModel(**_LANGUAGE_MODEL, checkpoint=checkpoint).fit(texts).save(folder)
    return folder


def _run(train: Rows, test: Rows, labels: int, encoder: str, seed: int) -> dict[str, Any]:
    """Train both classifiers on the same rows; return their accuracies, and that of TF-IDF."""
    share = labels / len(train[1])
    few = _taken(train, stratified_split(train[1], (share, 1 - share), random_state=seed)[0])
    found: dict[str, Any] = {}
    for way, start in (("encoder", encoder), ("scratch", None)):
        metrics: Mapping[str, Any] = (
            TextClassifier(**_CLASSIFIER, encoder=start, random_state=seed).fit(*few, test_data=test).metrics_
        )
        found[way] = metrics["test"]["accuracy"]
        found["tfidf"] = metrics["baseline"]["tfidf"]["test"]["accuracy"]
        found[f"{way}_epochs"] = metrics["best_epoch"]
    return found


if __name__ == "__main__":
    raise SystemExit(main())
