"""The cache beside its equation, written out token by token."""

import numpy as np
import pytest

from penstock.errors import ConfigError
from penstock.language.cache import NeuralCache
from penstock.sequences import Sequences


def slow(model, texts, cache):
    """The equation of Grave et al. (2017), one token and one remembered token at a time."""
    found = []
    for text in texts:
        step, seen = model.scorer.encoder.step(), []
        before = np.array([model.features.first], np.int32)
        for token in text:
            y = step(model.scorer.vectors(before))[0].copy()
            scores = model.scorer.head.scores(y[None])[0].astype(np.float64)
            plain = np.exp(scores[token] - scores.max()) / np.exp(scores - scores.max()).sum()
            weights = [(np.exp(cache.flatness * float(y @ other)), known) for other, known in seen[-cache.window :]]
            total = sum(weight for weight, _ in weights)
            own = sum(weight for weight, known in weights if known == token)
            found.append(np.log((1 - cache.share) * plain + cache.share * own / total if weights else plain))
            seen.append((y, token))
            before[:] = token
    return found


@pytest.mark.parametrize("window", [1, 7, 400])
@pytest.mark.parametrize("tied", [False, True])
def test_equals_the_equation(make_model, window, tied):
    model = make_model(tied=tied)
    texts = model.sequences(["the cat sat on the mat\n" * 15, "", "dog", "log on the log"])  # longer than a span
    cache = NeuralCache(window=window, share=0.3, flatness=0.8)
    # float32 products of a few features, in another order
    np.testing.assert_allclose(cache.log_probabilities(model, texts), slow(model, texts, cache), rtol=0, atol=2e-5)


def test_without_a_share_it_changes_nothing(make_model):
    model = make_model("word")
    texts = model.sequences(["the cat sat on the mat"])
    found = NeuralCache(share=0.0).log_probabilities(model, texts)
    np.testing.assert_allclose(found, model.log_probabilities(texts), rtol=0, atol=1e-6)


def test_helps_where_a_text_repeats_itself(make_model):
    model = make_model()
    texts = model.sequences(["xyzzy " * 40])
    plain = model.score(["the log " * 40])["nats"]
    assert model.score(["the log " * 40], by=NeuralCache(share=0.5, flatness=1.0))["nats"] < plain
    assert len(NeuralCache().log_probabilities(model, texts)) == len(texts.values)


@pytest.mark.parametrize(
    ("option", "value"),
    [("window", 0), ("window", 2.5), ("share", 1.0), ("share", -0.1), ("flatness", -1), ("flatness", float("inf"))],
)
def test_invalid_options_are_refused(option, value):
    with pytest.raises(ConfigError, match=f"{option} must be"):
        NeuralCache(**{option: value})


def test_notes_have_no_cache(make_model):
    model = make_model("notes")
    with pytest.raises(ConfigError, match="a model of notes has none"):
        NeuralCache().log_probabilities(model, Sequences(np.zeros((3, 5), np.float32), np.array([0, 3])))
