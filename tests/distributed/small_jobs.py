"""Trainings that take an instant, and ends of workers that need no clock."""

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from penstock import nn
from penstock.language.objective import LaneObjective, LanguageRegularization
from penstock.language.spec import NextTokenHead
from penstock.network import ClassHead, Embedding, Network, Numbers, Recurrent, StepClassHead
from penstock.sequences import Sequences
from penstock.server.replicas import Replica
from penstock.server.stream_reader import parsed
from penstock.text.features import TextFeatures
from penstock.text.model import TextModel
from penstock.text.objective import TokenObjective, TokenRegularization
from penstock.training import Job, Recipe, Regularization, StepClassObjective, random_scope


def kill(end):
    """End this process, and make a file that says so; also the one that started it with "node" in the file's name."""
    end.touch()
    if "node" in end.name:
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


RECIPE = Recipe(
    epochs=3, batch_size=13, learning_rate=0.02, weight_decay=0.01, warmup=0.1, clip=1.0, average=0.8, patience=9
)


def text():
    """A small classifier: 40 sequences in batches of 13, so that one batch has a single row; nothing is random."""
    draw = np.random.default_rng(0)
    ids = [draw.integers(1, 9, draw.integers(1, 7)) for _ in range(60)]
    targets = np.array([int(each.max() > 6) for each in ids])
    known = Sequences.from_list(ids[:40], np.int32)
    shares = ("word_dropout", "embedding_dropout", "output_dropout", "label_smoothing", "prefix_share")
    objective = TokenObjective(
        sequences=Sequences(np.stack([known.values, known.values], axis=1), known.offsets),
        targets=targets[:40],
        valid_sequences=Sequences.from_list(ids[40:], np.int32),
        valid_targets=targets[40:],
        weights=torch.tensor([1.0, 2.0]),
        batch_size=13,
        regularization=TokenRegularization(**dict.fromkeys(shares, 0.0), next_token_share=0.0),
        generator=torch.Generator().manual_seed(0),
    )
    return _job(
        Network(Embedding(9, 6), Recurrent(cell="gru", input_size=6, hidden_size=5), ClassHead(2, "max")), objective
    )


def steps():
    """A small labeller of each step, of ragged sequences; the parts of two processes differ in steps."""
    draw = np.random.default_rng(0)
    values = [draw.normal(size=(draw.integers(0, 9), 2)) for _ in range(60)]
    series = [Sequences.from_list(part, np.float32) for part in (values[:40], values[40:])]
    known, valid = (Sequences((each.values.sum(axis=1) > 0).astype(np.int64), each.offsets) for each in series)
    objective = StepClassObjective(
        sequences=series[0], targets=known, valid_sequences=series[1], valid_targets=valid, batch_size=13,
        weights=torch.tensor([1.0, 2.0]), generator=torch.Generator().manual_seed(0),
        regularization=Regularization(output_dropout=0.0, label_smoothing=0.0, prefix_share=0.0),
    )  # fmt: skip
    return _job(Network(Numbers(2), Recurrent(cell="gru", input_size=2, hidden_size=4), StepClassHead(2)), objective)


def language(ends=(), **regularization):
    """A small model of five lanes, six chunks an epoch, that carry their states; see `FragileObjective` for `ends`."""
    ids = np.random.default_rng(0).integers(3, 9, 303).astype(np.int32)
    one = Sequences(ids, np.array([0, len(ids)]))
    objective = FragileObjective(
        train=one, valid=one, first=2, batch_size=5, steps=10, ends=dict(ends),
        regularization=LanguageRegularization(**regularization), generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    return _job(
        Network(Embedding(9, 4), Recurrent(cell="lstm", input_size=4, hidden_size=5), NextTokenHead(9)), objective
    )


def _job(network, objective):
    with random_scope(0):
        return Job(module=nn.build(network), objective=objective, recipe=RECIPE, seed=5)


@dataclass(kw_only=True, eq=False)
class FragileObjective(LaneObjective):
    """Ends the worker with the last two of five lanes at some of its steps.

    ends: a file for each such step, counted from 1: it is made, and while it is there, the step ends nothing. "node" in
        its name ends the process that started the worker too.
    """

    ends: dict[int, Path]
    taken: int = field(default=0, init=False)

    def loss(self, module, batch):
        self.taken += len(batch.starts) == 2
        end = self.ends.get(self.taken)
        if end is not None and not end.exists():
            kill(end)
        return super().loss(module, batch)


@dataclass(frozen=True, kw_only=True)
class Several(Job):
    """Several trainings in the same processes, which take longer to start than to train."""

    first: tuple[Job, ...]

    def run(self, callbacks=(), strategy=None):
        for job in self.first:
            job.run(callbacks, strategy)
        return super().run(callbacks, strategy)


class Watched:
    """Notes what callbacks hear."""

    def __init__(self):
        self.starts, self.losses, self.epochs, self.ends = [], [], [], []

    def on_start(self, epochs):
        self.starts.append(epochs)

    def on_step(self, epoch, step, steps, rows, loss):
        self.losses.append((rows, loss))

    def on_epoch(self, epoch):
        self.epochs.append((epoch.epoch, epoch.train_loss, epoch.valid))

    def on_end(self, history):
        self.ends.append(history.stopped)


WORDS = [f"w{number}" for number in range(20)]


def model():
    """A text classifier with random weights."""
    features = TextFeatures(min_count=1).fit([" ".join(WORDS)])
    network = Network(
        Embedding(features.vocabulary_size, 4), Recurrent(cell="gru", input_size=4, hidden_size=5), ClassHead(2, "max")
    )
    draw = np.random.default_rng(0)
    tensors = {name: draw.normal(size=shape).astype(np.float32) for name, shape in network.parameter_shapes().items()}
    return TextModel(network, features, ["bad", "good"], tensors)


@dataclass
class FragileModel:
    """Ends the process at some texts; `ends` as those of `FragileObjective`, by text."""

    model: TextModel
    ends: dict[str, Path]

    def answers(self, inputs):
        for text in inputs:
            end = self.ends.get(text)
            if end is not None and not end.exists():
                kill(end)
        return self.model.answers(inputs)


class FragileReplica(Replica):
    """Ends its process at some texts that streams push; `ends` as those of `FragileObjective`, by text.

    It ends before it answers, or after that with "answered" in the name of the file, so that the answer is lost.
    """

    def __init__(self, models, ends):
        super().__init__(models, 8, 100)
        self._ends = ends

    async def turn(self, name, stream, place, stop):
        end = self._ends.get(parsed(place.message).get("push"))
        ends = end is not None and not end.exists()
        if ends and "answered" not in end.name:
            kill(end)
        answer = await super().turn(name, stream, place, stop)
        if ends:
            kill(end)
        return answer
