"""Zoneout by the equations: its random words, its masks, and what they do to states and gradients."""

import numpy as np
import pytest
import torch

from penstock.cells import Draw, Zoneout, find, sweep
from penstock.cells.philox import philox
from penstock.errors import ConfigError


# The known answers of Random123 for philox4x32-10 (Salmon et al. 2011): counter, key, words.
@pytest.mark.parametrize(
    ("counter", "seed", "words"),
    [
        ([0] * 4, 0, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, 0xFFFFFFFFFFFFFFFF, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            0x299F31D0A4093822,
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
@pytest.mark.parametrize("array", [np.asarray, torch.tensor], ids=["numpy", "torch"])
def test_philox_gives_the_known_answers(counter, seed, words, array):
    found = philox(tuple(array([each]) for each in counter), seed)
    assert [int(each[0]) for each in found] == words


def kept(draw, share, batch, size, time=0, reverse=False, state=0):
    """Which units keep a state: those whose state stays 1 where the new one is 0."""
    shares = (share,) * (state + 1)
    before, new = (np.ones((batch, size)),) * (state + 1), (np.zeros((batch, size)),) * (state + 1)
    return Zoneout(shares, draw, reverse)(before, new, time)[state] == 1


def test_units_are_kept_as_often_as_the_share_says():
    mask = kept(Draw(3), 0.3, 1000, 70)
    assert abs(mask.mean() - 0.3) < 0.005  # four standard deviations of 70,000 draws are 0.007
    assert abs(np.corrcoef(mask[:, 0], mask[:, 1])[0, 1]) < 0.1
    assert kept(Draw(3), 0.999999, 10, 70).all()


def test_each_number_of_the_counter_gives_other_masks():
    masks = [
        kept(Draw(seed=1), 0.5, 4, 70),
        kept(Draw(seed=2), 0.5, 4, 70),
        kept(Draw(seed=1 + 2**32), 0.5, 4, 70),
        kept(Draw(seed=1, layer=1), 0.5, 4, 70),
        kept(Draw(seed=1, numbers=np.arange(4) + 4), 0.5, 4, 70),
        kept(Draw(seed=1), 0.5, 4, 70, time=1),
        kept(Draw(seed=1), 0.5, 4, 70, reverse=True),
        kept(Draw(seed=1), 0.5, 4, 70, state=1),
    ]
    for k, one in enumerate(masks):
        for other in masks[:k]:
            assert 0.3 < (one != other).mean() < 0.7


def test_masks_follow_the_sequence_and_the_time():
    whole = kept(Draw(1), 0.5, 5, 70, time=7)
    order = np.array([3, 0, 4])
    np.testing.assert_array_equal(kept(Draw(1, first_step=5, numbers=order), 0.5, 3, 70, time=2), whole[order])
    np.testing.assert_array_equal(kept(Draw(1), 0.5, 5, 33, time=7), whole[:, :33])


def test_the_lstm_is_that_of_the_article():
    """c' = d c + (1 - d) (f c + i g), h' = e h + (1 - e) o tanh(f c + i g): h' does not see whether c was kept."""
    rng = np.random.default_rng(0)
    cell, draw = find("lstm"), Draw(5)
    parameters = {name: rng.normal(size=shape) for name, shape in cell.parameter_shapes(3, 4).items()}
    x, h, c = rng.normal(size=(1, 2, 3)), rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    new_h, new_c = cell.step(x[0], (h, c), parameters)
    d, e = kept(draw, 0.5, 2, 4, state=1), kept(draw, 0.5, 2, 4)
    y, (last_h, last_c) = sweep(cell, x, (h, c), parameters, draw=draw, zoneout=0.5)
    np.testing.assert_array_equal(last_c, np.where(d, c, new_c))
    np.testing.assert_array_equal(last_h, np.where(e, h, new_h))
    np.testing.assert_array_equal(y[0], last_h)
    _, (mixed_h, mixed_c) = sweep(cell, x, (h, c), parameters, zoneout=(0.25, 0.5))
    np.testing.assert_allclose(mixed_h, 0.25 * h + 0.75 * new_h, rtol=1e-15)
    np.testing.assert_allclose(mixed_c, 0.5 * c + 0.5 * new_c, rtol=1e-15)


@pytest.mark.parametrize("drawn", [True, False], ids=["drawn", "expected"])
def test_gradients_are_the_slopes(variant, random_parameters, random_sequences, drawn):
    cell, options = variant(4)
    options |= {"zoneout": (0.3, 0.5) if len(cell.states) > 1 else 0.4}
    parameters = random_parameters(cell, 3, 4, **options)
    x, state = random_sequences(cell, 3, 2, 3, 4, **options)
    leaves = [torch.tensor(each, requires_grad=True) for each in (x, *state, *parameters.values())]

    def outputs(x, *rest):
        states, weights = rest[: len(state)], dict(zip(parameters, rest[len(state) :], strict=True))
        draw = Draw(7) if drawn else None
        y, final = sweep(cell, x, states, weights, torch.tensor([3, 2]), draw=draw, **options)
        return y, *final

    assert torch.autograd.gradcheck(outputs, leaves, fast_mode=True)


@pytest.mark.parametrize(
    ("cell", "zoneout", "message"),
    [
        ("lstm", 1.0, "zoneout must be a number from 0 to below 1, or one for each state; got 1.0"),
        ("lstm", -0.1, "got -0.1"),
        ("lstm", True, "got True"),
        ("gru", "much", "got 'much'"),
        ("gru", float("nan"), "got nan"),
        ("gru", (0.1, 0.2), r"one for each state \(h\); got \(0.1, 0.2\)"),
        ("lstm", [0.1, 0.2, 0.3], r"one for each state \(h, c\)"),
        ("lstm", [0.1, 2], r"got \[0.1, 2\]"),
        ("lstm", [], "got"),
    ],
)
def test_what_is_not_a_share_is_refused(cell, zoneout, message):
    with pytest.raises(ConfigError, match=message):
        find(cell).complete({"zoneout": zoneout})


@pytest.mark.parametrize(
    ("given", "kept"),
    [(0, 0.0), (np.float32(0.5), 0.5), ([0.1, 0.1], 0.1), (np.array([0.25, 0.5]), (0.25, 0.5)), ((0, 0.5), (0.0, 0.5))],
)
def test_shares_have_one_spelling(given, kept):
    found = find("lstm").complete({"zoneout": given})["zoneout"]
    assert found == kept
    assert type(found) is type(kept)
