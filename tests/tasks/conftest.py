"""A small, easy set of texts, and an estimator small enough to fit in a moment."""

import random

import pytest

from penstock import TextClassifier

GOOD = ["lovely", "wonderful", "great", "delicious", "kind", "perfect", "很好", "喜欢"]
BAD = ["awful", "horrible", "rude", "cold", "broken", "dirty", "很差", "讨厌"]
FILLER = ["the", "food", "was", "room", "and", "service", "we", "found", "it", "today"]
SMALL = {
    "embedding_size": 12,
    "hidden_size": 8,
    "epochs": 5,
    "batch_size": 8,
    "keep": "best",
    "learning_rate": 0.02,
    "word_dropout": 0.0,
    "embedding_dropout": 0.0,
    "output_dropout": 0.0,
    "min_count": 1,
}


def reviews(rows, seed, labels=("negative", "positive")):
    """Texts with one or two telling words among filler, and their labels."""
    draw = random.Random(seed)
    texts, truth = [], []
    for row in range(rows):
        words = [draw.choice(FILLER) for _ in range(draw.randint(2, 7))]
        for _ in range(draw.randint(1, 2)):
            words.insert(draw.randint(0, len(words)), draw.choice(GOOD if row % 2 else BAD))
        texts.append(" ".join(words))
        truth.append(labels[row % 2])
    return texts, truth


@pytest.fixture
def make_reviews():
    """A function (rows, seed, labels) that makes texts and labels."""
    return reviews


@pytest.fixture
def small():
    """A function that makes the small estimator, with settings changed."""

    def make(**changed):
        return TextClassifier(**(SMALL | changed))

    return make


@pytest.fixture(scope="session")
def fitted():
    """The small estimator, fitted with validation and test data; not to be changed."""
    estimator = TextClassifier(**SMALL)
    return estimator.fit(*reviews(200, 0), validation_data=reviews(30, 1), test_data=reviews(40, 2))
