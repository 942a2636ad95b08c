"""Decoders: whole ≡ in pieces, and what each of them means."""

import numpy as np
import pytest

from penstock.heads import ArgMax, Chain, FixedLag, LabelByLabel


class Changing(LabelByLabel):
    """The likeliest label that is not the one before it."""

    def choose(self, scores, before):
        return int(np.argsort(-scores)[0 if before != scores.argmax() else 1])


CHAIN = Chain(*(np.random.default_rng(1).normal(size=shape) for shape in ((4, 4), 4, 4)))
SCORES = np.random.default_rng(0).normal(size=(17, 4)).astype(np.float32)


@pytest.mark.parametrize("cuts", [(), (0,), (1, 2, 3), (8, 8), (16,), tuple(range(18))], ids=str)
@pytest.mark.parametrize(
    "decoder",
    [ArgMax(), Changing(4), *(FixedLag(CHAIN, lookahead) for lookahead in (0, 1, 5, 30))],
    ids=lambda each: f"{type(each).__name__}{getattr(each, 'lookahead', '')}",
)
def test_scores_in_pieces_give_the_labels_of_the_whole(decoder, cuts):
    stream = decoder.stream()
    for _ in range(2):
        told = [stream.push(piece) for piece in np.split(SCORES, cuts)]
        twice = stream.finish(), stream.finish()
        np.testing.assert_array_equal(*twice)
        np.testing.assert_array_equal(np.concatenate([*told, twice[0]]), decoder.whole(SCORES))
        assert all(each.dtype == np.int64 for each in (*told, *twice))
        stream.reset()


def test_the_likeliest_label_of_each_step_the_first_of_equals():
    found = ArgMax().whole(np.array([[1, 3, 3], [0, 0, 0], [-1, -2, 5]], np.float32))
    assert found.tolist() == [1, 0, 2]
    assert ArgMax().whole(np.zeros((0, 3), np.float32)).shape == (0,)
    assert ArgMax().immediate


def test_labels_one_by_one_remember_the_label_before_and_nothing_else():
    scores = np.array([[3, 2, 1]] * 4, np.float32)
    decoder = Changing(3)
    assert decoder.whole(scores).tolist() == [0, 1, 0, 1]
    stream = decoder.stream()
    assert stream.push(scores[:1]).tolist() == [0]
    other = decoder.stream()
    other.arrays()["before"][...] = stream.arrays()["before"]
    assert stream.push(scores[1:]).tolist() == other.push(scores[1:]).tolist() == [1, 0, 1]
    assert decoder.whole(scores[:1]).tolist() == [0], "the decoder itself remembers nothing"
    assert stream.bounds() == {"before": (-1, 2)}
    assert not decoder.immediate
