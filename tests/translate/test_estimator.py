"""The translator from texts to a saved model: what it learns, says and refuses."""

import numpy as np
import pandas as pd
import pytest

import penstock
from penstock import Translator
from penstock.errors import ConfigError, DataError
from penstock.training import Callback


def test_it_learns_writes_and_attends_to_what_it_writes(fitted):
    assert fitted.metrics_["test"]["exact_match"] > 0.9
    assert fitted.metrics_["verdict"]["test"]["chrf"] == "better"
    assert fitted.predict(["abc", "d"]).tolist() == ["CBA", "D"]
    ((best, *others),) = fitted.translate(["abcd"], n_best=3)
    assert best.text == "DCBA"
    assert len(others) == 2
    assert best.score >= others[0].score >= others[1].score
    assert best.score == pytest.approx(best.log_probability / 5)
    aligned = best.alignment
    assert (aligned.source, aligned.target) == ([*"abcd", "</s>"], [*"DCBA", "</s>"])
    assert aligned.weights.argmax(1)[:4].tolist() == [3, 2, 1, 0]


def test_the_score_of_a_translation_is_the_log_probability_that_the_search_gave(fitted):
    sources = ["abc", "dd", "cab"]
    best = [several[0] for several in fitted.translate(sources)]
    found = fitted.model_.score(sources, [each.text for each in best])
    # Sums of the same numbers, in NumPy's order here.
    np.testing.assert_allclose(found, [each.log_probability for each in best], rtol=1e-12)


def test_a_translation_does_not_depend_on_what_is_translated_beside_it(fitted, make_words):
    sources, _ = make_words(70, 5)
    together = fitted.translate(sources, n_best=2)
    for source, several in zip(sources[::10], together[::10], strict=True):
        (alone,) = fitted.translate([source], n_best=2)
        assert [each.text for each in alone] == [each.text for each in several]
        assert [each.log_probability for each in alone] == [each.log_probability for each in several]
        np.testing.assert_array_equal(alone[0].alignment.weights, several[0].alignment.weights)


def test_a_saved_model_translates_evaluates_and_describes_itself_alike(fitted, make_words, tmp_path):
    fitted.save(tmp_path / "model")
    model = penstock.load(tmp_path / "model")
    sources, targets = make_words(40, 2)
    np.testing.assert_array_equal(model.predict(sources), fitted.predict(sources))
    found = model.evaluate(sources, targets)
    assert found["metrics"] == {name: fitted.metrics_["test"][name] for name in found["metrics"]}
    assert next(iter(found["baselines"])) == fitted.metrics_["main_baseline"]
    assert model.evaluate(pd.DataFrame({"source": sources, "target": targets}))["metrics"] == found["metrics"]
    assert model.info()["search"] == {"beam": 5, "normalization": 1.0, "longest": 4}
    again = Translator.load(tmp_path / "model")
    assert again.get_params() == fitted.get_params() | {"warm_start": True}


def test_rows_of_predict_number_several_translations(fitted):
    assert [row["prediction"] for row in fitted.model_.answers(["ab", "c"])] == ["BA", "C"]
    rows = list(fitted.model_.answers(["ab", "c"], n_best=2, beam=2))
    assert [(row["row"], row["rank"]) for row in rows] == [(1, 1), (1, 2), (2, 1), (2, 2)]


@pytest.mark.parametrize(
    "options",
    [
        {"attention": "bahdanau", "cell": "lstm", "tied": False, "num_layers": 2},
        {"input_feeding": True, "sampling_share": 0.5, "bidirectional": False, "decoder_size": 5, "lower": True},
        {"level": "bpe", "max_vocabulary": 270},
        {"level": "word"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_every_option_trains(options, small, make_words):
    estimator = small(epochs=1, hidden_size=6, baseline=False, **options)
    sources, targets = make_words(40, 0)
    estimator.fit(sources, targets, sample_weight=np.linspace(0.5, 2, 40))
    assert np.isfinite(estimator.history_[-1]["valid_loss"])
    assert len(estimator.predict(["ab", "xyz", ""])) == 3
    forward = "" if estimator.bidirectional else ", although its encoder reads forward"
    with pytest.raises(ConfigError, match=f"a translator can't be streamed{forward}: its decoder attends"):
        estimator.stream()


def test_a_training_that_is_resumed_ends_with_the_same_weights(small, make_words, tmp_path):
    sources, targets = make_words(60, 0)
    options = {"hidden_size": 6, "dropout": 0.2, "word_dropout": 0.1, "sampling_share": 0.3, "baseline": False}
    whole = small(epochs=2, **options).fit(sources, targets)

    class Stop(Callback):
        def on_epoch(self, epoch):
            raise RuntimeError("stopped")

    estimator = small(epochs=2, checkpoint=str(tmp_path / "state"), checkpoint_seconds=0, **options)
    with pytest.raises(RuntimeError, match="stopped"):
        estimator.fit(sources, targets, callbacks=[Stop()])
    estimator.fit(sources, targets)
    for name, array in whole.model_.tensors.items():
        np.testing.assert_array_equal(estimator.model_.tensors[name], array)


def test_a_stream_is_refused_by_what_it_would_need(fitted):
    assert fitted.model_.streams is False
    with pytest.raises(ConfigError, match="a translator can't be streamed: its decoder attends to the whole source"):
        fitted.stream()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((["a", "b"], ["A"]), "the same length; got 2 sources and 1 targets"),
        ((["", " "], ["A", "B"]), "no pairs of sentences are left to use: 2 pairs with no source"),
        ((["a" * 200] * 40, ["A"] * 40), "all training pairs have more than max_length=100 tokens"),
        ((["a", 3], ["A", "B"]), "sources must all be text; number 1 is 3"),
    ],
    ids=["length", "empty", "long", "number"],
)
def test_bad_pairs_are_answered_before_training(given, said, small):
    with pytest.raises(DataError, match=said):
        small().fit(*given)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"level": "syllable"}, "the level of tokens must be one of"),
        ({"dropout": 1.0}, "dropout must be from 0 to below 1"),
        ({"attention": "none"}, "attention must be one of bahdanau, luong"),
        ({"beam": 0}, "beam must be a whole number"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_options_are_answered_before_training(options, said, small, make_words):
    with pytest.raises(ConfigError, match=said):
        small(**options).fit(*make_words(20, 0))


def test_a_search_that_cannot_be_is_refused(fitted):
    with pytest.raises(ConfigError, match="n_best must be a whole number from 1 to beam, which is 2; got 3"):
        fitted.translate(["ab"], n_best=3, beam=2)
    with pytest.raises(ConfigError, match="normalization must be a number"):
        fitted.predict(["ab"], normalization=-1)


def test_long_pairs_are_left_out_of_training_and_counted(small, make_words, caplog):
    sources, targets = make_words(40, 0)
    with caplog.at_level("INFO", "penstock"):
        estimator = small(epochs=1, max_length=3, baseline=False).fit(sources, targets)
    assert "pairs with more than 3 tokens are left out" in caplog.text
    assert "memory" not in caplog.text  # a translator has none to measure
    long = sum(len(source) > 3 for source in sources)  # some of them are held back for validation
    assert 0 < estimator.metrics_["data"]["dropped"]["more tokens than max_length"] <= long
