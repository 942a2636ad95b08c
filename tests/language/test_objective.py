"""Training: lanes carry their states over the whole corpus, and dropout has one mask for all steps."""

import numpy as np
import pytest
import torch

from penstock import nn
from penstock.language.objective import LaneObjective, LanguageRegularization, PieceObjective
from penstock.language.spec import BernoulliHead, NextTokenHead
from penstock.network import Embedding, Network, Numbers, Recurrent
from penstock.sequences import Sequences

IDS = np.random.default_rng(0).integers(3, 9, 103).astype(np.int32)


def module(hidden=5, layers=2, **head):
    torch.manual_seed(0)
    recurrent = Recurrent(cell="lstm", input_size=4, hidden_size=hidden, num_layers=layers)
    return nn.build(Network(Embedding(9, 4), recurrent, NextTokenHead(9, **head)))


def lanes(batch_size=3, steps=10, varied=False, **regularization):
    one = Sequences(IDS, np.array([0, len(IDS)]))
    return LaneObjective(
        train=one, valid=one, first=2, batch_size=batch_size, steps=steps, varied=varied,
        regularization=LanguageRegularization(**regularization), generator=torch.Generator().manual_seed(0),
    )  # fmt: skip


@pytest.mark.parametrize("varied", [False, True])
def test_lanes_read_the_corpus_once_and_in_order(varied):
    objective = lanes(varied=varied)
    chunks = objective.batches(np.random.default_rng(0))
    read = [objective._chunk(IDS, chunk.starts, chunk.stops) for chunk in chunks]
    targets = torch.cat([each.view(3, -1) for _, each in read], 1).numpy()
    inputs = torch.cat([each for each, _ in read], 1).numpy()
    np.testing.assert_array_equal(targets.ravel(), IDS[:102])  # 34 steps in each of 3 lanes; the last id is left
    np.testing.assert_array_equal(inputs.ravel(), [2, *IDS[:101]])
    assert [chunk.fresh.all() for chunk in chunks] == [True] + [False] * (len(chunks) - 1)
    lengths = {int(chunk.stops[0] - chunk.starts[0]) for chunk in chunks[:-1]}
    assert (lengths == {10}) != varied


def test_chunks_are_made_when_they_are_needed():
    chunks = lanes().batches(np.random.default_rng(0))
    assert [chunk.stops.tolist() for chunk in chunks] == [[10, 44, 78], [20, 54, 88], [30, 64, 98], [34, 68, 102]]
    assert [chunk.starts[0] for chunk in chunks[1:9]] == [10, 20, 30]
    assert chunks[-1].starts[0] == 30
    with pytest.raises(IndexError):
        chunks[4]


def test_the_losses_of_carried_chunks_are_those_of_the_whole():
    objective, network = lanes(batch_size=1), module()
    network.eval()
    chunks = objective.batches(np.random.default_rng(0))
    with torch.no_grad():
        found = [(objective.loss(network, chunk)[0].item(), int(chunk.stops[0] - chunk.starts[0])) for chunk in chunks]
        y, _ = network.encode(network.vectors(torch.tensor([[2, *IDS[:-1].tolist()]])))
        expected = network.head.losses(y[0], torch.tensor(IDS.astype(np.int64))).mean().item()
    assert sum(loss * steps for loss, steps in found) / len(IDS) == pytest.approx(expected, rel=1e-6)
    assert objective.validate(network)["loss"] == pytest.approx(expected, rel=1e-6)


def test_a_state_repeats_the_next_losses():
    objective, network = lanes(output_dropout=0.5, weight_drop=0.5), module()
    chunks = objective.batches(np.random.default_rng(0))
    objective.loss(network, chunks[0])
    state = objective.state_dict()
    expected = objective.loss(network, chunks[1])[0].item()
    again = lanes(output_dropout=0.5, weight_drop=0.5)
    again.load_state_dict(state)
    assert again.loss(network, chunks[1])[0].item() == expected


def test_dropout_has_one_mask_for_all_steps():
    objective = lanes(embedding_dropout=0.5)
    dropped = objective._locked(torch.ones(4, 6, 50), 0.5)
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert (dropped == dropped[:, :1]).all()
    assert not (dropped[0] == dropped[1]).all()


def test_dropped_words_have_no_vector_in_a_batch():
    objective, network = lanes(word_dropout=0.5), module()
    ids = torch.arange(9).repeat(2, 3)
    x = objective._embedded(network, ids)
    gone = (x == 0).all(-1)
    assert (gone == gone[0, :9].repeat(2, 3)).all()
    assert 0 < gone[0, :9].sum() < 9


def test_locked_dropout_between_layers():
    layers = nn.LSTM(3, 40, 2, batch_first=True)
    with torch.no_grad():
        layers.weight_ih_l1.zero_()
        layers.weight_ih_l1[:40] = torch.eye(40)
        layers.weight_hh_l1.zero_()
    x = torch.randn(1, 7, 3).expand(2, 7, 3)
    torch.manual_seed(0)
    plain, _ = layers(x)
    layers.locked_dropout = 0.5
    first, _ = layers(x)
    same = (first - plain).abs() < 1e-7
    assert not same.all(), "some inputs of the second layer are changed"
    assert not torch.equal(first[0], first[1]), "each sequence has a mask of its own"
    layers.eval()
    torch.testing.assert_close(layers(x)[0], plain, rtol=0, atol=0)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor([7, 7]), batch_first=True)
    with pytest.raises(ValueError, match="locked dropout needs padded sequences"):
        layers.train()(packed)


def test_weight_drop_keeps_the_weights_and_gives_them_a_gradient():
    network = module(hidden=20)
    weight = network.encoder.weight_hh_l0
    before = weight.detach().clone()
    x = torch.randn(2, 5, 4)
    plain, _ = network.encode(x)
    y, _ = network.encode_dropped(x, None, weight_drop=0.5, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(y, plain)
    y.sum().backward()
    assert torch.equal(weight, before)
    share = float((weight.grad == 0).float().mean())
    assert 0.4 < share < 0.6, "dropped weights have no gradient"


def test_penalties_are_those_of_the_paper():
    network = module()
    objective, plain = lanes(activation=2.0, change=1.0), lanes()
    chunk = plain.batches(np.random.default_rng(0))[0]
    inputs, _ = plain._chunk(IDS, chunk.starts, chunk.stops)
    with torch.no_grad():
        y, penalty, _ = objective.penalized(network, inputs, None)
        expected = 2 * (y**2).mean() + ((y[:, 1:] - y[:, :-1]) ** 2).mean()
        assert penalty.item() == pytest.approx(expected.item())
        difference = objective.loss(network, chunk)[0] - plain.loss(network, chunk)[0]
    assert difference.item() == pytest.approx(expected.item(), rel=1e-5)


def test_pieces_are_learned_whole_without_padding():
    torch.manual_seed(0)
    frames = (np.random.default_rng(0).random((9, 4)) < 0.4).astype(np.float32)
    pieces = Sequences(frames, np.array([0, 2, 2, 9]))
    recurrent = Recurrent(cell="gru", input_size=4, hidden_size=5)
    network = nn.build(Network(Numbers(4), recurrent, BernoulliHead(4))).eval()
    objective = PieceObjective(
        train=pieces, valid=pieces, first=np.zeros(4, np.float32), batch_size=3,
        regularization=LanguageRegularization(), generator=torch.Generator(),
    )  # fmt: skip
    total = 0.0
    with torch.no_grad():
        for piece in pieces:
            if len(piece):
                read = torch.tensor(np.concatenate([np.zeros((1, 4), np.float32), piece[:-1]]))
                y, _ = network.encode(read[None])
                total += network.head.losses(y[0], torch.tensor(piece)).sum().item()
        (batch,) = objective.batches(np.random.default_rng(0))
        assert objective.loss(network, batch)[0].item() == pytest.approx(total / 9, rel=1e-6)
    assert objective.validate(network)["loss"] == pytest.approx(total / 9, rel=1e-6)
