"""The loss of classes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from penstock.errors import ConfigError
from penstock.sequences import Sequences


def logits_of(module, sequences, batch, lengths=None):
    values, own = sequences.pad(batch)
    values = values[..., 0] if values.ndim == 3 else values
    y, _ = module.encoder(module.inputs(torch.from_numpy(values).long()), lengths=torch.from_numpy(own))
    return module.head(y, torch.from_numpy(own if lengths is None else lengths))


def test_the_plain_loss_is_cross_entropy(make_module, make_objective):
    module, objective, batch = make_module(), make_objective(), np.arange(7)
    loss, rows = objective.loss(module, batch)
    logits = logits_of(module, objective.sequences, batch)
    assert rows == 7
    torch.testing.assert_close(loss, functional.cross_entropy(logits, torch.from_numpy(objective.targets[batch])))


def test_prefixes_are_whole_steps_of_each_sequence(make_module, make_objective):
    module = make_module()
    objective = make_objective(replace(make_objective().regularization, prefix_share=0.9999999))
    batch = np.arange(30)
    loss, _ = objective.loss(module, batch)
    lengths = objective.sequences.lengths[batch]
    drawn = (torch.rand(30, generator=torch.Generator().manual_seed(0)) * torch.from_numpy(lengths)).long() + 1
    assert (drawn >= 1).all()
    assert (drawn.numpy() <= lengths).all()
    logits = logits_of(module, objective.sequences, batch, drawn.numpy())
    target = torch.from_numpy(objective.targets[batch])
    torch.testing.assert_close(loss, functional.cross_entropy(logits, target), rtol=1e-5, atol=1e-5)


def test_class_weights_weigh_the_loss(make_module, make_objective):
    module, batch = make_module(), np.arange(12)
    losses = [
        make_objective(weights=weights).loss(module, batch)[0] for weights in ((1.0, 0.0), (0.0, 1.0), (2.0, 3.0))
    ]
    torch.testing.assert_close(losses[2], 2 * losses[0] + 3 * losses[1])


def test_dropout_changes_the_loss_and_repeats(make_module, make_objective):
    module, plain = make_module(), make_objective().regularization
    for name in ("word_dropout", "embedding_dropout", "output_dropout"):
        noisy = replace(plain, **{name: 0.5})
        first, second = (make_objective(noisy).loss(module, np.arange(9))[0] for _ in range(2))
        assert torch.equal(first, second), name
        assert not torch.equal(first, make_objective().loss(module, np.arange(9))[0]), name


def test_hidden_words_become_what_they_are_where_unknown(make_module, make_objective):
    module, objective = make_module(), make_objective()
    objective = replace(objective, regularization=replace(objective.regularization, word_dropout=0.9999999))
    batch = np.arange(9)
    loss, _ = objective.loss(module, batch)
    hidden = Sequences(objective.sequences.values[:, 1], objective.sequences.offsets)
    logits = logits_of(module, hidden, batch)
    torch.testing.assert_close(loss, functional.cross_entropy(logits, torch.from_numpy(objective.targets[batch])))


def test_validation_counts_every_row_once(make_module, make_objective):
    module, objective = make_module(), make_objective(weights=(1.0, 3.0))
    found = objective.validate(module)
    logits = logits_of(module, objective.valid_sequences, np.arange(20)).detach()
    target = torch.from_numpy(objective.valid_targets)
    expected = functional.cross_entropy(logits, target, weight=torch.tensor([1.0, 3.0]))
    assert found["loss"] == pytest.approx(float(expected.detach()), rel=1e-5)
    assert found["accuracy"] == pytest.approx(float((logits.argmax(1) == target).float().mean()))


def test_shares_are_below_one(make_objective):
    with pytest.raises(ConfigError, match="word_dropout must be from 0 to below 1"):
        replace(make_objective().regularization, word_dropout=1.0)


def test_next_token_loss_is_cross_entropy_among_the_ids_of_the_batch(make_module, make_objective, monkeypatch):
    monkeypatch.setattr("penstock.text.objective._NEXT_TOKEN_DROPOUT", 0.0)
    module, batch = make_module(), np.arange(9)
    module.next_token = torch.nn.Linear(5, 6)
    plain, _ = make_objective().loss(module, batch)
    objective = make_objective(replace(make_objective().regularization, next_token_share=0.5))
    loss, _ = objective.loss(module, batch)

    sequences = [torch.from_numpy(objective.sequences[i][:, 0]).long() for i in batch]
    candidates = torch.cat([ids[1:] for ids in sequences]).unique()
    each = []
    for ids in sequences:
        y, _ = module.encoder(module.inputs(ids)[None])
        for step in range(len(ids) - 1):
            scores = module.next_token(y[0, step]) @ module.inputs(candidates).T
            each.append(functional.cross_entropy(scores[None], (candidates == ids[step + 1]).nonzero()[0]))
    torch.testing.assert_close(loss - plain, 0.5 * torch.stack(each).mean(), rtol=1e-5, atol=1e-5)


def test_next_token_loss_of_a_large_batch_takes_a_sample(make_module, make_objective, monkeypatch):
    module, batch = make_module(), np.arange(40)
    module.next_token = torch.nn.Linear(5, 6)
    setting = replace(make_objective().regularization, next_token_share=0.5)
    whole = make_objective(setting).loss(module, batch)[0]
    monkeypatch.setattr("penstock.text.objective._NEXT_TOKENS", 10)
    first, second = (make_objective(setting).loss(module, batch)[0] for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, whole)
    first.backward()
    assert module.next_token.weight.grad.abs().sum() > 0
