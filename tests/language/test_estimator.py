"""The estimator: it learns, says how well, goes on, and refuses what it can't use before it trains."""

import numpy as np
import pytest
from sklearn.base import clone

from penstock import LanguageModel, load
from penstock.errors import ConfigError, DataError, DtypeError
from penstock.language.recipes import RECIPES
from penstock.network import LANGUAGE

TEXT = "the cat sat on the mat\nthe dog sat on the log\n" * 30
QUICK = {"hidden_size": 6, "epochs": 1, "steps": 10, "batch_size": 4, "baseline": False}


def test_it_learns_what_comes_next(fitted):
    figures = fitted.metrics_["valid"]
    assert figures["perplexity"] == pytest.approx(np.exp(figures["nats"]))
    assert figures["bits_per_character"] == pytest.approx(figures["nats"] / np.log(2))
    assert figures["perplexity"] < 2.5 < fitted.metrics_["baseline"]["unigram"]["valid"]["perplexity"]
    assert set(fitted.generate("the ", 60, seed=1)) <= set(TEXT)
    assert "the " in fitted.generate("the cat sat on ", 12, temperature=0)
    assert fitted.history_[-1]["valid_loss"] == pytest.approx(figures["nats"], abs=0.05)  # in lanes


def test_its_score_is_that_of_its_predictions(fitted):
    (found,) = fitted.predict([TEXT[:50]])
    assert found.shape == (50,)
    assert fitted.score([TEXT[:50]]) == pytest.approx(float(found.mean()))
    assert fitted.perplexity([TEXT[:50]]) == pytest.approx(float(np.exp(-found.mean())))
    counts = fitted.model_.score([TEXT[:50], "É"])
    assert {name: counts[name] for name in ("texts", "tokens", "ends", "characters", "unknown")} == {
        "texts": 2, "tokens": 51, "ends": 0, "characters": 51, "unknown": 1,
    }  # fmt: skip


def test_a_saved_model_goes_on_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    model = load(tmp_path / "model")
    assert model.generate("the ", 20, seed=3) == fitted.generate("the ", 20, seed=3)
    assert model.info()["level"] == "char"
    again = LanguageModel.load(tmp_path / "model").set_params(epochs=1, baseline=False).fit([TEXT])
    assert again.model_.network == model.network
    assert again.metrics_["valid"]["nats"] < 1


@pytest.mark.parametrize(
    ("level", "options", "about"),
    [
        ("byte", {}, {"vocabulary_size": 259, "size": 6, "tied": False}),
        ("word", {}, {"vocabulary_size": 10, "size": 6, "tied": True}),
        (
            "word",
            {"words": "text", "tied": False, "embedding_size": 3},
            {"vocabulary_size": 10, "size": 3, "tied": False},
        ),
        ("word", {"embedding_size": 4}, {"vocabulary_size": 10, "size": 4, "tied": True}),
        ("bpe", {"max_vocabulary": 260}, {"vocabulary_size": 263, "size": 6, "tied": True}),
    ],
)
def test_levels(level, options, about):
    model = LanguageModel(level=level, **(QUICK | options)).fit([TEXT])
    network = model.model_.network
    assert network.wiring is LANGUAGE
    assert {name: getattr(network.inputs, name) for name in ("vocabulary_size", "size")} | {
        "tied": network.head.tied
    } == about
    assert model.metrics_["options"]["tied"] == about["tied"]
    assert isinstance(model.generate("the", 3), str)


def test_many_tokens_have_an_adaptive_softmax(monkeypatch):
    monkeypatch.setattr("penstock.language.fitting._ADAPTIVE_ABOVE", 9)
    monkeypatch.setattr("penstock.language.fitting._CUTOFFS", (5,))
    network = LanguageModel(level="word", **QUICK).fit([TEXT]).model_.network
    assert network.head.cutoffs == (5,)
    assert not network.head.tied
    with pytest.raises(ConfigError, match="set tied or adaptive, not both"):
        LanguageModel(level="word", tied=True, adaptive=True).fit([TEXT])


def test_short_texts_are_learned_one_by_one_with_their_ends():
    names = ["anna", "hanna", "johanna", "ann"] * 30
    model = LanguageModel(level="char", **(QUICK | {"epochs": 8, "learning_rate": 0.03})).fit(names)
    assert model.model_.features.ends
    assert model.predict(["anna"])[0].shape == (5,)
    drawn = {model.generate("", 50, seed=seed) for seed in range(5)}
    assert all(len(each) < 50 for each in drawn)
    assert model.metrics_["data"]["train"]["ends"] == model.metrics_["data"]["train"]["texts"] == 108


def test_music():
    scale = [[60], [62, 65], [64], [], [67]]
    pieces = [scale * 3, scale * 2] * 8
    model = LanguageModel(level="notes", **(QUICK | {"epochs": 6, "learning_rate": 0.05})).fit(pieces)
    assert model.model_.features.size == 88
    assert model.predict(pieces[:1])[0].shape == (15,)
    assert model.metrics_["valid"].keys() == {"rows", "nats"}
    assert model.metrics_["valid"]["nats"] < 88 * np.log(2) / 4
    assert len(model.generate(scale, 4)) == 4
    with pytest.raises(DataError, match="no perplexity"):
        model.perplexity(pieces[:1])


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_train_and_say_their_options(recipe):
    model = LanguageModel(level="char", recipe=recipe, **QUICK).fit([TEXT])
    options = model.metrics_["options"]
    assert options["optimizer"] == ("adamw" if recipe == "adam" else "sgd")
    assert options["learning_rate"] == {"adam": 0.002, "sgd": 10, "awd": 30}[recipe]
    assert options["clip"] == {"adam": 1, "sgd": 0.5, "awd": 0.25}[recipe]
    assert options["weight_drop"] == (0.5 if recipe == "awd" else 0)
    assert np.isfinite(model.metrics_["valid"]["nats"])


def test_the_same_seed_gives_the_same_bits_and_a_stopped_training_goes_on(tmp_path):
    options = QUICK | {"epochs": 3, "recipe": "awd", "learning_rate": 1.0, "num_layers": 2}
    once = LanguageModel(level="char", **options).fit([TEXT])
    torn = LanguageModel(level="char", checkpoint=str(tmp_path / "state"), checkpoint_seconds=0, **options)
    with pytest.raises(KeyboardInterrupt):
        torn.fit([TEXT], callbacks=[Interrupting()])
    again = clone(torn).fit([TEXT])
    for name, array in once.model_.tensors.items():
        np.testing.assert_array_equal(again.model_.tensors[name], array)


class Interrupting:
    """Ctrl-C in the second epoch."""

    def on_start(self, epochs):
        pass

    def on_step(self, epoch, step, steps, rows, loss):
        if (epoch, step) == (2, 5):
            raise KeyboardInterrupt

    def on_epoch(self, epoch):
        pass

    def on_end(self, history):
        pass


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": "syllable"}, "level must be one of char, byte, word, bpe, notes"),
        ({"words": "lines"}, "words must be one of space, text"),
        ({"recipe": "best"}, "recipe must be one of adam, sgd, awd"),
        ({"steps": 0}, "steps must be a whole number, at least 1"),
        ({"max_vocabulary": 1.5}, "max_vocabulary must be a whole number"),
        ({"embedding_dropout": 1}, "embedding_dropout must be a number, at least 0 and below 1"),
        ({"change": -1}, "change must be a number, at least 0"),
        ({"bidirectional": True}, "reads forward"),
        ({"decay": 0.0}, "decay must be above 0"),
        ({"optimizer": "adam"}, "optimizer must be 'adamw' or 'sgd'"),
        ({"validation_share": 1}, "validation_share must be a number between 0 and 1"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        LanguageModel(**options).fit([TEXT])


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ("the cat sat", DtypeError, "got a single text"),
        ([], DataError, "at least one text"),
        (["a", 3], DataError, "must all be texts"),
        ([[[60]], [[62]]], DataError, "set level='notes'"),
        (["ab"], DataError, "can't be divided into 2 parts"),
    ],
)
def test_what_is_no_text_is_refused(data, error, message):
    with pytest.raises(error, match=message):
        LanguageModel().fit(data)
    with pytest.raises(DataError, match="learns from pieces"):
        LanguageModel(level="notes").fit([TEXT])
