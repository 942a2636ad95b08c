"""Language models with random weights, and one that was fitted."""

import numpy as np
import pytest

from penstock import LanguageModel
from penstock.language.features import FrameFeatures, LanguageFeatures
from penstock.language.model import SequenceGenerator
from penstock.language.spec import BernoulliHead, NextTokenHead
from penstock.network import Embedding, Network, Numbers, Recurrent
from penstock.tokens import train_tokens

LINES = "the cat sat on the mat\nthe dog sat on the log\n" * 30


def drawn(network, features, scale=0.5):
    draw = np.random.default_rng(0)
    shapes = network.parameter_shapes().items()
    tensors = {name: draw.normal(size=shape, scale=scale).astype(np.float32) for name, shape in shapes}
    return SequenceGenerator(network, features, [], tensors)


@pytest.fixture(scope="session")
def make_model():
    """A function that makes a model of a level with random weights."""

    def make(level="char", *, ends=False, tied=False, cutoffs=(), hidden_size=16, **tokens):
        recurrent = Recurrent(cell="lstm", input_size=5, hidden_size=hidden_size, num_layers=2)
        if level == "notes":
            features = FrameFeatures(60, 64)
            return drawn(Network(Numbers(5), recurrent, BernoulliHead(5)), features)
        features = LanguageFeatures(train_tokens(level, [LINES, "né 中"], **tokens), ends=ends, lines=True)
        head = NextTokenHead(features.size, tied, 5 if tied else 0, cutoffs)
        return drawn(Network(Embedding(features.size, 5), recurrent, head), features)

    return make


@pytest.fixture(scope="session")
def fitted():
    """A fitted language model of characters."""
    options = {"hidden_size": 24, "epochs": 12, "steps": 20, "batch_size": 4, "learning_rate": 0.02}
    return LanguageModel(level="char", random_state=0, **options).fit([LINES])
