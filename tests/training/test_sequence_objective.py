"""Targets for each step: a tagger written on the shared objective, whose batches and validation are ragged."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from penstock.sequences import Sequences
from penstock.training import Epoch, Regularization, SequenceObjective, Trainer
from penstock.training.sequence_objective import IGNORED, target_tensor

pytestmark = pytest.mark.usefixtures("one_thread")

PLAIN = Regularization(output_dropout=0.0, label_smoothing=0.0, prefix_share=0.0)


@dataclass(frozen=True, kw_only=True)
class Tagging(SequenceObjective):
    """Cross-entropy of every step."""

    def scores(self, module, y, lengths):
        inside = torch.arange(y.shape[1]) < lengths[:, None]
        return module.head.project(y)[inside]

    def scored_loss(self, module, y, lengths, target, mixture=None, weights=None):
        each = self.errors(self.scores(module, y, lengths), target[target != IGNORED])
        return each.sum() / max(1, len(each))  # a batch may hold empty sequences alone

    def predictions(self, lengths):
        return int(lengths.sum())

    def errors(self, scores, target):
        return functional.cross_entropy(scores, target, reduction="none")

    def figures(self, scores):
        target = torch.from_numpy(self.valid_targets.values)
        right = (scores.argmax(1) == target).double().mean().item()
        return {"loss": float(self.errors(scores, target).mean()), "accuracy": right}


def tagging(batch_size=8):
    """Is the id, or the one before it, above 6?"""
    draw = np.random.default_rng(0)
    ids = [draw.integers(1, 9, draw.integers(0, 9)) for _ in range(150)]
    tags = [(np.maximum(each, np.concatenate([[0], each[:-1]])) > 6).astype(np.int64) for each in map(np.array, ids)]
    return Tagging(
        sequences=Sequences.from_list(ids[:120], np.int32),
        targets=Sequences.from_list(tags[:120], np.int64),
        valid_sequences=Sequences.from_list(ids[120:], np.int32),
        valid_targets=Sequences.from_list(tags[120:], np.int64),
        batch_size=batch_size,
        regularization=PLAIN,
        generator=torch.Generator().manual_seed(0),
    )


def by_hand(module, ids, tags):
    """Loss and accuracy, sequence by sequence."""
    losses, right = [], []
    for one, target in zip(ids, tags, strict=True):
        if len(one):
            y, _ = module.encoder(module.inputs(torch.from_numpy(one).long()[None]))
            scores, target = module.head.project(y[0]), torch.from_numpy(target)
            losses += functional.cross_entropy(scores, target, reduction="none").tolist()
            right += (scores.argmax(1) == target).tolist()
    return np.mean(losses), np.mean(right)


def test_each_step_counts_once(make_module):
    module, goal, batch = make_module(), tagging(), np.arange(17)
    loss, steps = goal.loss(module, batch)
    assert steps == goal.sequences.lengths[batch].sum()
    np.testing.assert_allclose(
        loss.item(), by_hand(module, goal.sequences[batch], goal.targets[batch])[0], rtol=1e-5
    )  # float32, another order of sums
    with torch.no_grad():
        found = goal.validate(module)
        np.testing.assert_allclose(
            [found["loss"], found["accuracy"]], by_hand(module, goal.valid_sequences, goal.valid_targets), rtol=1e-5
        )


def test_training_data_is_measured_again_as_the_validation_data_is(make_module, make_recipe):
    module, plain = make_module(), tagging()
    goal = replace(plain, seen_sequences=plain.sequences[np.arange(9)], seen_targets=plain.targets[np.arange(9)])
    assert plain.validate_seen(module) == {}
    with torch.no_grad():
        found = goal.validate_seen(module.eval())
        expected = by_hand(module, goal.seen_sequences, goal.seen_targets)
    np.testing.assert_allclose([found["loss"], found["accuracy"]], expected, rtol=1e-5)
    trained = [
        Trainer(make_module(), each, make_recipe(epochs=2), generator=np.random.default_rng(0))
        for each in (plain, goal)
    ]
    rows = [trainer.fit().rows() for trainer in trained]
    assert [row["valid_loss"] for row in rows[0]] == [row["valid_loss"] for row in rows[1]]  # it changes nothing
    assert set(rows[1][0]) - set(rows[0][0]) == {"seen_loss", "seen_accuracy"}
    assert Epoch.from_row(rows[1][1]).row() == rows[1][1]


def test_a_tagger_learns(make_module, make_recipe):
    module, goal = make_module(), tagging()
    recipe = make_recipe(epochs=12, learning_rate=0.05, patience=12)
    history = Trainer(module, goal, recipe, generator=np.random.default_rng(0)).fit()
    assert history.best.valid["accuracy"] > 0.95


def test_targets_of_steps_are_padded_with_what_the_loss_ignores():
    labels = Sequences.from_list([[1, 2], [], [3]], np.int64)
    assert target_tensor(labels, np.array([0, 2])).tolist() == [[1, 2], [3, IGNORED]]
    numbers = Sequences.from_list([[[1.5], [2.5]], np.zeros((0, 1)), [[3.0]]], np.float32)
    assert target_tensor(numbers, np.array([2, 0])).tolist() == [[[3.0], [0.0]], [[1.5], [2.5]]]
    assert target_tensor(labels, np.array([1])).shape == (1, 0)
    assert target_tensor(np.array([4, 5, 6]), np.array([2, 0])).tolist() == [6, 4]
