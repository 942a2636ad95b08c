"""A text model without PyTorch: what it takes, what it answers, what it refuses."""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock.bundle
from penstock import runtime
from penstock.errors import BundleError, ConfigError, DataError
from penstock.network import ClassHead, Embedding, Network, Recurrent
from penstock.runtime import load
from penstock.text.features import TextFeatures
from penstock.text.model import TextModel

TEXTS = ["the ferry sailed", "", "早餐 didn't", "3.5 stars!", "the"]


@pytest.fixture(scope="module")
def model(text_parts):
    return TextModel(*text_parts())


@pytest.mark.parametrize("count", [0, 1, 4])
def test_any_number_of_texts(model, count):
    probabilities = model.predict_proba(TEXTS[:count])
    assert probabilities.shape == (count, 3)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-6)
    assert model.predict(TEXTS[:count]) == [model.labels[i] for i in probabilities.argmax(1)]


def test_columns_of_every_kind(model):
    pandas, polars, pyarrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    expected = model.predict(TEXTS)
    columns = [
        tuple(TEXTS),
        (text for text in TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, object),
        pandas.Series(TEXTS, index=range(9, 4, -1)),
        pandas.Series(TEXTS, dtype="string"),
        polars.Series(TEXTS),
        pyarrow.array(TEXTS),
        pyarrow.chunked_array([TEXTS[:2], TEXTS[2:]]),
    ]
    for column in columns:
        assert model.predict(column) == expected


def test_what_is_not_a_column_of_texts_is_refused(model):
    pandas = pytest.importorskip("pandas")
    with pytest.raises(DataError, match=r"got a single str. Write \[texts\]"):
        model.predict("a text")
    with pytest.raises(DataError, match=r"the table may have it in 'a' or 'b'. Pass the column itself, such as"):
        model.predict(pandas.DataFrame({"a": TEXTS, "b": TEXTS}))
    with pytest.raises(DataError, match="a whole table"):
        model.predict(np.array([TEXTS]))
    with pytest.raises(DataError, match=r"texts\[1\] is nan \(float\)"):
        model.predict(pandas.Series(["a", None], dtype="string").astype(object).fillna(np.nan))
    with pytest.raises(DataError, match=r"texts\[0\] is None"):
        model.predict([None])
    with pytest.raises(DataError, match="got int"):
        model.predict(3)


def test_a_long_text_is_read_in_spans_with_the_same_bits(model, monkeypatch):
    texts = ["the ferry sailed " * 30, "早餐", ""]
    whole = model.predict_proba(texts)
    monkeypatch.setattr(runtime.scorer, "_STEPS", 7)
    assert model.predict_proba(texts).tobytes() == whole.tobytes()


def test_texts_are_read_beyond_the_training_length(text_parts):
    network, features, labels, tensors = text_parts(pooling="last")
    short = TextFeatures.from_json(features.to_json() | {"max_length": 2})
    texts = ["the ferry sailed at dawn", "the ferry the"]
    expected = TextModel(network, features, labels, tensors).predict_proba(texts)
    assert TextModel(network, short, labels, tensors).predict_proba(texts).tobytes() == expected.tobytes()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_pieces_of_any_text_equal_the_joined_text(model, pieces):
    stream = model.stream()
    for piece in pieces:
        stream.push(piece)
    assert list(stream.finish().values()) == model.predict_proba(["\n".join(pieces)])[0].tolist()


def test_a_saved_model_answers_with_the_same_bits(model, text_parts, tmp_path):
    penstock.bundle.save(tmp_path / "model", *_saved(text_parts()), metrics={"valid": {"accuracy": 0.5}})
    loaded = load(tmp_path / "model")
    assert loaded.predict_proba(TEXTS).tobytes() == model.predict_proba(TEXTS).tobytes()
    assert loaded.fingerprint == model.fingerprint
    assert loaded.labels == ["bad", "middling", "good"]
    info = json.loads(json.dumps(loaded.info()))
    assert info["metrics"] == {"valid": {"accuracy": 0.5}}
    assert info["network"] == model.network.to_json()
    assert info["parameters"] == sum(array.size for array in text_parts()[3].values())
    assert info["streams"] is True


def test_a_folder_that_is_not_a_model_is_refused(text_parts, tmp_path):
    with pytest.raises(BundleError, match="no such folder"):
        load(tmp_path / "nothing")
    network, _, labels, tensors = _saved(text_parts())
    penstock.bundle.save(tmp_path / "odd", network, {"kind": "smell"}, labels, tensors)
    with pytest.raises(BundleError, match="features must be of kind 'text'"):
        load(tmp_path / "odd")


def test_parts_that_do_not_fit_are_refused(text_parts):
    network, features, labels, tensors = text_parts()
    with pytest.raises(ConfigError, match="needs 3 labels; got 2"):
        TextModel(network, features, labels[:2], tensors)
    with pytest.raises(ConfigError, match="a row for each of the features' 3 ids"):
        TextModel(network, TextFeatures(min_count=1).fit(["two words"]), labels, tensors)


def test_evaluate_measures_the_model_and_what_it_must_beat(text_parts):
    parts = text_parts()
    model = TextModel(*parts, baseline={"class_counts": np.array([2, 5, 3])})
    truth = ["good", "bad", "middling", "good", "bad"]
    found = model.evaluate(np.array(TEXTS), np.array(truth))
    right = [said == true for said, true in zip(model.predict(TEXTS), truth, strict=True)]
    assert found["metrics"]["accuracy"] == pytest.approx(np.mean(right))
    assert found["baseline"] == found["baselines"]["majority"]
    assert found["baseline"]["accuracy"] == pytest.approx(0.2)
    assert TextModel(*parts).evaluate(TEXTS, truth)["baseline"] == {}
    with pytest.raises(DataError, match="got 5 and 2"):
        model.evaluate(TEXTS, truth[:2])
    with pytest.raises(DataError, match="got 0 and 0"):
        model.evaluate([], [])
    with pytest.raises(DataError, match="'bad', 'middling', 'good'; got also 'awful'"):
        model.evaluate(TEXTS, [*truth[:4], "awful"])


def test_labels_are_known_by_their_spelling(text_parts):
    network, features, _, tensors = text_parts()
    model = TextModel(network, features, [0, 1, 2], tensors)
    assert all(type(answer) is int for answer in model.predict(TEXTS))
    truth = [0, 1, 2, 0, 1]
    assert model.evaluate(TEXTS, truth) == model.evaluate(TEXTS, [str(label) for label in truth])


def test_a_saved_model_answers_soon(tmp_path):
    words = [f"word{number}" for number in range(30_000)]
    features = TextFeatures(min_count=1).fit([" ".join(words[start : start + 200]) for start in range(0, 30_000, 200)])
    network = Network(
        Embedding(vocabulary_size=30_001, size=128),
        Recurrent(cell="lstm", input_size=128, hidden_size=128),
        ClassHead(classes=2, pooling="mean_max"),
    )
    tensors = {name: np.full(shape, 0.01, np.float32) for name, shape in network.parameter_shapes().items()}
    penstock.bundle.save(tmp_path / "model", network, features.to_json(), ["no", "yes"], tensors)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        assert load(tmp_path / "model").predict(["word3 word4 unseen"]) == ["no"]
        seconds.append(time.perf_counter() - start)
    # 0.35 s on a quiet machine; tests may share theirs.
    assert min(seconds) < 1.5


def _saved(parts):
    network, features, labels, tensors = parts
    return network, features.to_json(), labels, tensors


def test_only_models_that_spot_words_take_words_to_hear(text_parts, audio_model):
    text = TextModel(*text_parts())
    assert (text.reads, text.view, text.sample_rate) == ("text", "text", None)
    assert type(text.listen()) is type(text.stream())
    for options in ({"words": ["bad"]}, {"threshold": 0.5}):
        with pytest.raises(ConfigError, match="a model for text-classification does not spot words"):
            text.listen(**options)
    assert (audio_model.reads, audio_model.view, audio_model.sample_rate) == ("samples", "sound", 8000)
    assert audio_model.listen(["stop"]).save() == audio_model.spotter(["stop"], threshold=0.7).save()
    with pytest.raises(ConfigError, match="has no label 'go'"):
        audio_model.listen(["go"], 0.5)
