"""One small tagger of names, trained once, for all tests of tagging."""

import random
from pathlib import Path

import pytest

NAMES = ("Ada", "Kurt", "Emmy", "Sofja")
PLACES = ("Rome", "New York", "Oslo")

Tagged = tuple[list[list[str]], list[list[str]]]


def tagged_sentences(count: int, seed: int) -> Tagged:
    """Sentences such as "Ada sings in New York ." with BIO tags."""
    pick = random.Random(seed)
    sentences, tags = [], []
    for _ in range(count):
        place = pick.choice(PLACES).split()
        sentences.append([pick.choice(NAMES), pick.choice(("sings", "sleeps")), "in", *place, "."])
        tags.append(["B-PER", "O", "O", *["B-LOC", "I-LOC"][: len(place)], "O"])
    return sentences, tags


@pytest.fixture(scope="session")
def test_sentences() -> Tagged:
    """Sentences that the tagger is tested with; one has a tag that does not occur in training, and a new word."""
    sentences, tags = tagged_sentences(12, 1)
    sentences[0][0], tags[0][0] = "Mars", "B-GOD"
    return sentences, tags


@pytest.fixture(scope="session")
def tagger(test_sentences: Tagged):
    """Reads forward alone, so that it can be streamed; its training data has one broken chunk."""
    from penstock.tagging.estimator import Tagger

    sentences, tags = tagged_sentences(48, 0)
    tags[0][0] = "I-PER"
    sizes = {"hidden_size": 12, "word_size": 12, "character_size": 4, "character_hidden_size": 4}
    return Tagger(**sizes, bidirectional=False, epochs=6, learning_rate=0.05, batch_size=8, random_state=0).fit(
        sentences, tags, tagged_sentences(12, 2), test_sentences
    )


@pytest.fixture(scope="session")
def saved_tagger(tagger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tagger."""
    path = tmp_path_factory.mktemp("tagger") / "names"
    tagger.save(path)
    return path
