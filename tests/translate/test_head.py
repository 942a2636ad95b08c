"""The attending decoder: PyTorch ≡ the engine for every option, and its description."""

from itertools import product

import numpy as np
import pytest
import torch

from penstock import nn
from penstock.errors import ConfigError
from penstock.network import Embedding, Network, Recurrent
from penstock.runtime import scorer
from penstock.sequences import Sequences
from penstock.translate.spec import AttentionDecoder

SOURCES, TARGETS, WORDS = (3, 1, 5, 2), (4, 2, 6, 5), 7
WAYS = [
    pytest.param(attention, feeding, cell, layers, tied, id=f"{attention}-{cell}{layers}-fed{feeding}-tied{tied}")
    for attention, (feeding, cell, layers, tied) in product(
        ("luong", "bahdanau"), [(False, "gru", 1, True), (True, "lstm", 2, False), (True, "gru", 1, True)]
    )
]


def described(attention="luong", feeding=False, cell="gru", layers=1, tied=True):
    decoder = Recurrent(cell=cell, input_size=8 if feeding else 4, hidden_size=6, num_layers=layers)
    head = AttentionDecoder(WORDS, 4, decoder, attention, 5, feeding, tied)
    return Network(Embedding(9, 3), Recurrent(cell=cell, input_size=3, hidden_size=4, bidirectional=True), head)


def drawn(lengths, most, seed):
    ids = np.random.default_rng(seed).integers(most, size=sum(lengths)).astype(np.int32)
    return Sequences(ids, np.cumsum([0, *lengths]))


@pytest.mark.parametrize(("attention", "feeding", "cell", "layers", "tied"), WAYS)
def test_pytorch_and_the_engine_agree_and_a_sentence_does_not_depend_on_others(attention, feeding, cell, layers, tied):
    torch.manual_seed(0)
    network = described(attention, feeding, cell, layers, tied)
    module = nn.build(network).eval()
    tensors = {name: value.numpy() for name, value in module.state_dict().items()}
    assert {name: each.shape for name, each in tensors.items()} == network.parameter_shapes()
    engine = scorer.build(network, tensors)
    sources, targets = drawn(SOURCES, 9, 0), drawn(TARGETS, WORDS, 1)
    (values, lengths), tokens = sources.pad(), torch.tensor(targets.pad().values).long()
    with torch.no_grad():
        scores = module(torch.tensor(values).long(), torch.tensor(lengths), tokens[:, :-1]).log_softmax(-1)
    expected = scores.gather(2, tokens[:, 1:, None])[..., 0].numpy()
    found = engine.scores(sources, targets)
    for row, length in enumerate(TARGETS):
        # The same bits through the recurrence; sums in the head run in another order.
        np.testing.assert_allclose(found[row], expected[row, : length - 1], rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(engine.scores(sources[[row]], targets[[row]]).values, found[row])


@pytest.mark.parametrize("attention", ["luong", "bahdanau"])
def test_gradients_of_padded_sentences_are_those_of_each_alone(attention):
    torch.manual_seed(0)
    module = nn.build(described(attention)).train()
    sources, targets = drawn(SOURCES, 9, 0), drawn([4] * 4, WORDS, 1)
    (values, lengths), tokens = sources.pad(), torch.tensor(targets.pad().values).long()
    padded = torch.tensor(values).long(), torch.tensor(lengths)
    module(*padded, tokens).logsumexp(-1).sum().backward()
    together = {name: value.grad.clone() for name, value in module.named_parameters()}
    module.zero_grad()
    for row, length in enumerate(SOURCES):
        module(padded[0][row : row + 1, :length], padded[1][row : row + 1], tokens[row : row + 1]).logsumexp(
            -1
        ).sum().backward()
    for name, value in module.named_parameters():
        # Sums over a batch are in another order than sums of four batches of one.
        torch.testing.assert_close(value.grad, together[name], rtol=1e-4, atol=1e-5, msg=name)


def test_a_description_comes_back_from_json_and_says_what_is_wrong():
    network = described("bahdanau", True, "lstm", 2, False)
    assert Network.from_json(network.to_json()) == network
    head = network.to_json()["head"]
    for changed, said in [
        ({"decoder": 3}, "decoder must be a JSON object"),
        ({"attention": "other"}, "attention must be one of bahdanau, luong; got 'other'"),
        ({"input_feeding": False}, "layers that read forward, with input_size=4"),
        ({"colour": 1}, "has no colour"),
    ]:
        with pytest.raises(ConfigError, match=said):
            Network.from_json(network.to_json() | {"head": head | changed})
