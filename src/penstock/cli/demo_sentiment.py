"""Sentiment of short reviews in English and Chinese: training, comparison with baselines, streaming by word.

The reviews in demo_reviews.tsv were written for this demo.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from penstock.bundle import plain
from penstock.runtime.resampling import BETTER

if TYPE_CHECKING:
    from penstock.text.model import TextModel

__all__ = ["SENTENCES", "Review", "answers_as_they_come", "learn", "measure", "reviews"]

POSITIVE = "positive"

SENTENCES = (
    ("en", "The room was dirty and the staff was rude"),
    ("en", "I love this little place, the food is great"),
    ("en", "It looked cheap, but it works beautifully"),
    ("zh", "店员很热情，下次还会再来"),
    ("zh", "等了一个小时，菜还是凉的"),
)


@dataclass(frozen=True)
class Review:
    """A line of the file."""

    split: str
    language: str
    label: str
    text: str


def reviews() -> list[Review]:
    """Return all reviews: those for training (`train`) and those held back (`test`)."""
    text = (files("penstock.cli") / "demo_reviews.tsv").read_text(encoding="utf-8")
    rows = csv.reader(text.splitlines()[1:], delimiter="\t", quoting=csv.QUOTE_NONE)
    return [Review(*row) for row in rows]


def learn(folder: Path) -> "TextModel":
    """Train on the training reviews, save the model in a folder and load it without PyTorch."""
    from penstock.runtime import load
    from penstock.text.estimator import TextClassifier

    train = [review for review in reviews() if review.split == "train"]
    classifier = TextClassifier(random_state=0)
    classifier.fit([review.text for review in train], [review.label for review in train])
    classifier.save(folder, overwrite=True)
    return cast("TextModel", load(folder))


def measure(model: "TextModel") -> dict[str, Any]:
    """Score the model and the baselines on the held-back reviews; `scores` is the result of `TextModel.evaluate`."""
    test = [review for review in reviews() if review.split == "test"]
    found = model.evaluate([review.text for review in test], [review.label for review in test])
    return {
        "rows": {"train": len(reviews()) - len(test), "test": len(test)},
        "scores": plain(found),
        "languages": {
            language: _accuracy(model, [review for review in test if review.language == language])
            for language in ("en", "zh")
        },
        "as_expected": found["baseline_verdicts"]["majority"]["accuracy"] == BETTER,
    }


def answers_as_they_come(model: "TextModel", language: str, sentence: str) -> Iterator[tuple[str, float]]:
    """Yield each word (in Chinese: character) and the probability of a positive review after it."""
    stream = model.stream()
    for piece in sentence if language == "zh" else sentence.split():
        yield piece, stream.push(piece)[POSITIVE]


def _accuracy(model: "TextModel", rows: list[Review]) -> float:
    answers = model.predict([review.text for review in rows])
    return sum(answer == review.label for answer, review in zip(answers, rows, strict=True)) / len(rows)
