"""The loss of classes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from penstock.errors import ConfigError
from penstock.network import Network, Numbers, Recurrent, StepClassHead
from penstock.nn import NetworkModule
from penstock.sequences import Sequences
from penstock.training import Mixture, Regularization, StepClassObjective


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


LABELLED = Network(Numbers(2), Recurrent(cell="lstm", input_size=2, hidden_size=5), StepClassHead(3))


@pytest.fixture
def labelled():
    """A function that makes sequences whose steps have random classes."""

    def make(*, lengths=(4, 0, 7, 1, 3), weights=(1.0, 1.0, 1.0), **shares):
        draw = np.random.default_rng(0)
        values = draw.normal(size=(sum(lengths), 2)).astype(np.float32)
        offsets = np.cumsum([0, *lengths])
        sequences, targets = Sequences(values, offsets), Sequences(draw.integers(0, 3, len(values)), offsets)
        rules = {"output_dropout": 0.0, "label_smoothing": 0.0, "prefix_share": 0.0} | shares
        return StepClassObjective(
            sequences=sequences,
            targets=targets,
            valid_sequences=sequences,
            valid_targets=targets,
            weights=torch.tensor(weights),
            batch_size=2,
            regularization=Regularization(**rules),
            generator=torch.Generator().manual_seed(0),
        )

    return make


def step_logits(module, objective, batch):
    """The logits of the steps of a batch, one sequence alone after the other."""
    alone = [torch.from_numpy(objective.sequences[row])[None] for row in batch]
    found = [module(each)[0] for each in alone if each.shape[1]]
    return torch.cat(found), torch.from_numpy(np.concatenate([objective.targets[row] for row in batch]))


def test_the_loss_of_steps_is_cross_entropy_over_all_of_them(labelled):
    module = NetworkModule(LABELLED)
    batch = np.array([2, 1, 0, 3])
    for weights in ((1.0, 1.0, 1.0), (0.0, 2.0, 0.5)):
        objective = labelled(weights=weights)
        loss, steps = objective.loss(module, batch)
        logits, target = step_logits(module, objective, batch)
        each = functional.cross_entropy(logits, target, reduction="none") * torch.tensor(weights)[target]
        assert steps == 12
        torch.testing.assert_close(loss, each[target >= 0].mean(), rtol=1e-5, atol=1e-6)


def test_figures_of_steps_are_those_of_all_in_order(labelled):
    module, objective = NetworkModule(LABELLED), labelled()
    found = objective.validate(module)
    logits, target = step_logits(module, objective, np.arange(5))
    assert found["accuracy"] == pytest.approx((logits.argmax(1) == target).double().mean().item())
    assert found["loss"] == pytest.approx(functional.cross_entropy(logits, target).item(), rel=1e-5)


def test_a_batch_without_steps_has_no_loss_and_a_mixture_none_at_all(labelled):
    module = NetworkModule(LABELLED)
    loss, _ = labelled().loss(module, np.array([1]))
    assert loss.item() == 0
    loss.backward()
    assert all(each.grad is None or each.grad.isfinite().all() for each in module.parameters())
    objective = labelled()
    values, lengths = map(torch.from_numpy, objective.sequences.pad())
    mixture = Mixture(torch.arange(5), torch.ones(5))
    with pytest.raises(ConfigError, match="whose steps have labels can't be mixed"):
        objective.scored_loss(module, module.encoder(values, lengths=lengths)[0], lengths, torch.zeros(5, 7), mixture)


def test_dropout_and_smoothing_change_the_loss_of_steps_and_repeat(labelled):
    module, batch = NetworkModule(LABELLED), np.arange(5)
    plain = labelled().loss(module, batch)[0]
    for name in ("output_dropout", "label_smoothing"):
        one, two = (labelled(**{name: 0.4}).loss(module, batch)[0] for _ in range(2))
        assert torch.equal(one, two), name
        assert not torch.equal(one, plain), name
