"""The draw of the next token follows the probabilities that its rules leave."""

import numpy as np
import pytest

from penstock.language.sampling import Sampling, draw, sounding

SCORES = np.log(np.array([0.1, 0.4, 0.2, 0.05, 0.25], np.float32))


@pytest.mark.parametrize(
    ("how", "shares"),
    [
        (Sampling(), [0.1, 0.4, 0.2, 0.05, 0.25]),
        (Sampling(temperature=0.5), np.array([0.01, 0.16, 0.04, 0.0025, 0.0625]) / 0.275),
        (Sampling(top_k=2), [0, 0.4 / 0.65, 0, 0, 0.25 / 0.65]),
        (Sampling(top_p=0.6), [0, 0.4 / 0.65, 0, 0, 0.25 / 0.65]),
        (Sampling(top_p=0.7), [0, 0.4 / 0.85, 0.2 / 0.85, 0, 0.25 / 0.85]),
        (Sampling(top_k=3, top_p=0.4), [0, 1, 0, 0, 0]),
        (Sampling(temperature=0), [0, 1, 0, 0, 0]),
        (Sampling(temperature=1e-300), [0, 1, 0, 0, 0]),
        (Sampling(top_p=1e-9), [0, 1, 0, 0, 0]),
    ],
)
def test_shares(how, shares):
    count = 1000
    found = [draw(SCORES, (each + 0.5) / count, how) for each in range(count)]
    np.testing.assert_allclose(np.bincount(found, minlength=5) / count, shares, atol=1.5 / count)


def test_equal_tokens_are_kept_in_order_and_rounding_leads_nowhere():
    assert {draw(np.zeros(9, np.float32), chance, Sampling(top_k=2)) for chance in (0.0, 0.4, 0.6, 1 - 2**-53)} == {
        0,
        1,
    }
    assert draw(np.array([0, -200], np.float32), 1 - 2**-53, Sampling()) == 0


def test_notes_sound_by_the_logistic_function_without_overflow():
    found = sounding(np.array([-1000, -2, 0, 2, 1000], np.float32), 0.5)
    np.testing.assert_allclose(found, [0, 1 / (1 + np.exp(4)), 0.5, 1 / (1 + np.exp(-4)), 1], atol=1e-15)
    assert np.isfinite(sounding(np.array([-1000, 1000], np.float32), 1e-6)).all()
