"""A translator that has learned to spell short words backwards in capitals."""

import random

import pytest

from penstock import Translator

SMALL = {
    "level": "char",
    "embedding_size": 16,
    "hidden_size": 24,
    "epochs": 10,
    "batch_size": 16,
    "learning_rate": 0.01,
    "average": 0.9,
    "dropout": 0.0,
    "word_dropout": 0.0,
    "patience": 10,
}


def words(rows, seed):
    """Words of three letters, and the same backwards in capitals."""
    draw = random.Random(seed)
    sources = ["".join(draw.choices("abcd", k=draw.randint(1, 4))) for _ in range(rows)]
    return sources, [source[::-1].upper() for source in sources]


@pytest.fixture(scope="session")
def make_words():
    """A function (rows, seed) that makes words and what they become."""
    return words


@pytest.fixture
def small():
    """A function that makes the small estimator, with options changed."""

    def make(**changed):
        return Translator(**(SMALL | changed))

    return make


@pytest.fixture(scope="session")
def fitted():
    """The small estimator, fitted with validation and test data; not to be changed."""
    return Translator(**SMALL).fit(*words(300, 0), validation_data=words(40, 1), test_data=words(40, 2))
