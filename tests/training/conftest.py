"""A problem small enough to train in an instant: is there an id above 6 in the sequence?"""

import time

import numpy as np
import pytest
import torch

from penstock.network import ClassHead, Embedding, Network, Recurrent
from penstock.nn import NetworkModule
from penstock.sequences import Sequences
from penstock.text.objective import TokenObjective, TokenRegularization
from penstock.training import Recipe, random_scope

NETWORK = Network(Embedding(9, 6), Recurrent(cell="gru", input_size=6, hidden_size=5), ClassHead(2, "max"))
PLAIN = TokenRegularization(
    word_dropout=0.0,
    embedding_dropout=0.0,
    output_dropout=0.0,
    label_smoothing=0.0,
    prefix_share=0.0,
    next_token_share=0.0,
)


@pytest.fixture
def one_thread():
    """As in an estimator, one thread for PyTorch: several would wait for each other after every small operator."""
    with random_scope(0):
        yield


@pytest.fixture
def make_module():
    """A function that makes the module, with weights of a seed."""

    def make(seed=0):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return NetworkModule(NETWORK)

    return make


@pytest.fixture
def make_objective():
    """A function that makes the problem, with settings of `TokenObjective` changed."""

    def make(regularization=PLAIN, weights=(1.0, 1.0), batch_size=8, seed=0):
        draw = np.random.default_rng(seed)
        ids = [draw.integers(1, 9, draw.integers(1, 7)) for _ in range(60)]
        targets = np.array([int(each.max() > 6) for each in ids])
        known = Sequences.from_list(ids[:40], np.int32)
        return TokenObjective(
            sequences=Sequences(np.stack([known.values, known.values % 2], axis=1), known.offsets),
            targets=targets[:40],
            valid_sequences=Sequences.from_list(ids[40:], np.int32),
            valid_targets=targets[40:],
            weights=torch.tensor(weights),
            batch_size=batch_size,
            regularization=regularization,
            generator=torch.Generator().manual_seed(seed),
        )

    return make


@pytest.fixture
def make_recipe():
    """A function that makes a recipe, with settings changed."""

    def make(**changed):
        settings = {
            "epochs": 4,
            "batch_size": 8,
            "learning_rate": 0.02,
            "weight_decay": 0.0,
            "warmup": 0.1,
            "clip": 1.0,
            "average": 0.0,
            "patience": 10,
        }
        return Recipe(**(settings | changed))

    return make


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves: `clock[0] += 1.0`."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def slow(clock):
    """A function after which each batch of an objective takes a second of `clock`, and each validation two."""

    class Slow:
        def __init__(self, objective):
            self.objective = objective

        def __getattr__(self, name):
            return getattr(self.objective, name)

        def loss(self, module, batch):
            clock[0] += 1.0
            return self.objective.loss(module, batch)

        def validate(self, module):
            clock[0] += 2.0
            return self.objective.validate(module)

    return Slow
