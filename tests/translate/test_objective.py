"""The loss of a translator beside one computed sentence by sentence, and its random parts."""

import numpy as np
import pytest
import torch

from penstock import nn
from penstock.network import Embedding, Network, Recurrent
from penstock.sequences import Sequences
from penstock.translate.objective import TranslationObjective
from penstock.translate.spec import AttentionDecoder

SOURCES = Sequences.from_list([[3, 4, 2], [5, 2], [3, 3, 4, 2]], np.int32)
TARGETS = Sequences.from_list([[1, 3, 2], [1, 4, 3, 5, 2], [1, 2]], np.int32)


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(0)
    head = AttentionDecoder(6, 4, Recurrent(cell="gru", input_size=4, hidden_size=5))
    encoder = Recurrent(cell="gru", input_size=4, hidden_size=3, bidirectional=True)
    return nn.build(Network(Embedding(6, 4), encoder, head))


def objective(**changed):
    both = {"sources": SOURCES, "targets": TARGETS}
    data = both | {f"{part}_{name}": each for part in ("valid", "seen") for name, each in both.items()}
    shares = {"label_smoothing": 0.0, "word_dropout": 0.0, "sampling_share": 0.0}
    options = data | shares | {"batch_size": 2, "steps": 10, "unknown": 0}
    return TranslationObjective(**(options | {"generator": torch.Generator().manual_seed(0)} | changed))


def each_alone(module):
    """The log-probabilities of each sentence's tokens."""
    found = []
    for source, target in zip(SOURCES, TARGETS, strict=True):
        ids = torch.tensor(target).long()
        scores = module(torch.tensor(source).long()[None], [len(source)], ids[None, :-1])[0].log_softmax(-1)
        found.append(scores.gather(1, ids[1:, None])[:, 0])
    return found


def test_the_loss_is_the_mean_over_the_tokens_of_all_sentences(module):
    loss, tokens = objective().loss(module, np.arange(3))
    alone = each_alone(module)
    assert tokens == sum(map(len, alone)) == 7
    # Sums over a batch are in another order.
    torch.testing.assert_close(loss, -torch.cat(alone).mean(), rtol=1e-5, atol=1e-6)
    assert objective().validate(module)["loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert objective().validate_seen(module) == objective().validate(module)


def test_weights_count_the_tokens_of_their_sentences(module):
    weights = np.array([0.5, 2.0, 0.5])
    loss, total = objective(weights=weights).loss(module, np.arange(3))
    alone = each_alone(module)
    counts = torch.cat([torch.full_like(each, weight) for each, weight in zip(alone, weights.tolist(), strict=True)])
    torch.testing.assert_close(loss, -(torch.cat(alone) * counts).sum() / counts.sum(), rtol=1e-5, atol=1e-6)
    assert total == counts.sum()


def test_batches_hold_every_sentence_once():
    batches = objective().batches(np.random.default_rng(0))
    assert sorted(np.concatenate(batches).tolist()) == [0, 1, 2]


def test_sampling_begins_with_the_true_tokens_and_never_replaces_the_first(module):
    sampled = objective(sampling_share=0.999, steps=1)
    before = torch.tensor([[1, 4, 3, 5]])
    memory = module.memory(torch.tensor([[5, 2]]), [2])
    assert sampled._sampled(module, memory, before).tolist() == before.tolist()
    plain, _ = objective().loss(module, np.arange(3))
    assert sampled.loss(module, np.arange(3))[0].item() == plain.item()
    predicted = module.head(memory, before).argmax(-1)[0, :-1]
    assert sampled._sampled(module, memory, before)[0].tolist() == [1, *predicted.tolist()]


def test_word_dropout_hides_tokens_and_its_state_comes_back(module):
    hidden, seen = objective(word_dropout=0.5), objective(word_dropout=0.5)
    hidden.loss(module, np.arange(3))
    seen.load_state_dict(hidden.state_dict())
    assert seen.state_dict()["taken"] == 1
    after = [each.loss(module, np.arange(3))[0].item() for each in (hidden, seen)]
    assert after[0] == after[1] != objective().loss(module, np.arange(3))[0].item()
