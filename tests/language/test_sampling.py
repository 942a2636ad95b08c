"""The draw of the next token follows the probabilities that its rules leave."""

import numpy as np
import pytest

from penstock import engine
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


@pytest.fixture(scope="module")
def quick_draws():
    """The engine's draws from scores that never change: the output layer's bias, after a layer of zeros."""
    layer = engine.Layer("rnn", 1, 1)
    layer.load({name: np.zeros(shape, np.float32) for name, shape in layer.parameter_shapes.items()})

    def drawn(scores, chances, how):
        zeros = np.zeros((len(scores), 1), np.float32)
        tokens, about = engine.Step([layer]).generate(zeros, engine.Linear(zeros, scores), chances, **vars(how))
        best = scores.argmax()
        expected = [[scores[token], scores[best], engine.softmax(scores[None])[0, best]] for token in tokens]
        np.testing.assert_array_equal(about, np.array(expected, np.float32))
        return tokens.tolist()

    return drawn


@pytest.mark.parametrize("spread", [0.0, 0.1, 3.0, 40.0])
@pytest.mark.parametrize("count", [1, 15, 33, 700])
def test_the_engine_draws_as_the_slow_form_does(quick_draws, count, spread):
    random = np.random.default_rng(count)
    smooth = (random.standard_normal(count) * spread).astype(np.float32)
    chances = np.concatenate([[0.0, 1 - 2**-53], random.random(4)])
    for scores in (smooth, smooth.round(), np.sort(smooth)):  # rounded, many are equally likely
        for temperature in (1.0, 0.6):
            for top_k in (0, 20, 699, 10_000):
                for top_p in (1.0, 1 - 2**-53, 1 - 1e-8, 0.9, 1e-9):
                    how = Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
                    slow = [draw(scores, chance, how) for chance in chances]
                    assert quick_draws(scores, chances, how) == slow, how
