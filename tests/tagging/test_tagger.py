"""Tagger: what it learns, saves, streams and refuses; whole ≡ one by one, bit for bit."""

import numpy as np
import pytest
from sklearn.base import clone

import penstock
from penstock import Tagger
from penstock.convert.exporting.exported import encoded, of_model
from penstock.errors import ConfigError, DataError
from penstock.inspection import attribute
from penstock.runtime.graph_scorer import GraphScorer

NAMES, PLACES, VERBS = ["Ada", "Grace Hopper", "Alan"], ["Rome", "New York", "Oslo"], ["saw", "left", "likes"]
TINY = {"hidden_size": 12, "word_size": 8, "character_size": 4, "character_hidden_size": 4, "learning_rate": 0.02}
TINY |= {"batch_size": 16, "epochs": 6, "baseline": False, "average": 0.8}


def drawn(count=60, seed=0):
    """Sentences, and their tags of the scheme IOB1."""
    draw, sentences, tags = np.random.default_rng(seed), [], []
    for _ in range(count):
        name, place = draw.choice(NAMES).split(), draw.choice(PLACES).split()
        sentences.append([*name, str(draw.choice(VERBS)), *place, "."])
        tags.append([*["I-PER"] * len(name), "O", *["I-LOC"] * len(place), "O"])
    return sentences, tags


@pytest.fixture(scope="module")
def fitted():
    return Tagger(**TINY | {"epochs": 15}).fit(*drawn())


@pytest.fixture(scope="module")
def forward():
    return Tagger(**TINY | {"epochs": 3}, bidirectional=False, lookahead=1).fit(*drawn(30))


def test_it_learns_chunks_and_writes_tags_as_they_were(fitted):
    sentences, tags = drawn(9, seed=1)
    assert fitted.predict(sentences) == tags
    model = fitted.model_
    assert model.labels == ["O", *(f"{place}-{kind}" for kind in ("LOC", "PER") for place in "BIES")]
    assert (model.info()["scheme"], model.info()["lookahead"], model.streams) == ("IOB1", None, False)
    assert fitted.metrics_["data"]["scheme"] == "IOB1"
    with pytest.raises(ConfigError, match="bidirectional"):
        fitted.stream()


def test_bits_depend_on_the_sentence_alone(fitted):
    sentences = drawn(9, seed=1)[0] + [["unheard-of", "x" * 10_000, "Ümläut", "日本"], [], ["."]]
    together = fitted.model_.predict_proba(sentences)
    alone = [fitted.model_.predict_proba([sentence])[0] for sentence in sentences]
    for one, other, sentence in zip(together, alone, sentences, strict=True):
        assert one.shape == (len(sentence), 9)
        np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(one.sum(axis=1), 1, rtol=1e-5)
    assert fitted.predict(sentences) == [fitted.predict([sentence])[0] for sentence in sentences]


def test_a_text_is_split_by_white_space(fitted):
    assert fitted.predict(["Ada saw Rome ."]) == fitted.predict([["Ada", "saw", "Rome", "."]])


def test_a_saved_one_predicts_and_goes_on_training(forward, tmp_path):
    sentences, _ = drawn(5, seed=2)
    model = penstock.load(forward.save(tmp_path / "model"))
    assert model.predict(sentences) == forward.predict(sentences)
    for one, other in zip(model.predict_proba(sentences), forward.model_.predict_proba(sentences), strict=True):
        np.testing.assert_array_equal(one, other)
    again = Tagger.load(tmp_path / "model")
    assert {name: again.get_params()[name] for name in ("word_size", "lookahead", "crf", "bidirectional")} == {
        "word_size": 8,
        "lookahead": 1,
        "crf": True,
        "bidirectional": False,
    }
    again.set_params(epochs=1, learning_rate=1e-6).fit(*drawn(30))
    assert again.predict(sentences) == forward.predict(sentences)
    assert clone(forward).get_params() == forward.get_params()


def test_tags_of_chunks_that_are_no_texts_are_refused(forward, tmp_path):
    model = penstock.load(forward.save(tmp_path / "model"))
    model.labels = [True, *model.labels[1:]]
    with pytest.raises(ConfigError, match=r"tags that mark chunks must be texts; got \[True, "):
        model.check()


def test_a_tag_is_told_one_token_later(forward):
    (tokens, *_), _ = drawn(1, seed=3)
    stream = forward.stream()
    told = [stream.push([token]).labels for token in tokens]
    assert [len(labels) for labels in told] == [0, *[1] * (len(tokens) - 1)]
    assert [label for labels in [*told, stream.finish().labels] for label in labels] == forward.predict([tokens])[0]


def test_many_tokens_are_read_in_parts_with_the_same_tags(forward, monkeypatch):
    monkeypatch.setattr("penstock.runtime.stream._PART", 2)
    (tokens, *_), _ = drawn(1, seed=3)
    one, other = forward.stream(), forward.stream()
    parts = other.push_in_parts(tokens)
    for _ in range((len(tokens) - 1) // 2):
        assert next(parts) is None
    with pytest.raises(StopIteration) as end:
        next(parts)
    assert end.value.value.labels == one.push(tokens).labels
    assert one.finish().labels == other.finish().labels


def test_the_same_seed_gives_the_same_bits():
    sentences, tags = drawn(20)
    one, other = (Tagger(**TINY | {"epochs": 1}, word_dropout=0.3).fit(sentences, tags) for _ in range(2))
    for name, array in one.model_.tensors.items():
        np.testing.assert_array_equal(array, other.model_.tensors[name])


def test_softmax_and_characters():
    sentences = [list("我在北京"), list("他在上海")] * 8
    tags = [["S", "S", "B", "E"], ["S", "S", "B", "E"]] * 8
    tagger = Tagger(**TINY | {"epochs": 12}, crf=False).fit(["".join(each) for each in sentences], tags)
    assert tagger.predict(["我在上海"]) == [["S", "S", "B", "E"]]
    assert tagger.model_.network.inputs.characters == 0
    assert tagger.model_.network.inputs.neighbours == 2
    assert tagger.model_.network.head.crf is False
    (probabilities,) = tagger.model_.predict_proba(["我在"])
    assert probabilities.shape == (2, len(tagger.model_.labels))
    exported = of_model(tagger.model_)  # words without a spelling have a graph, which gives the scores of tags
    found = GraphScorer(exported.graph, exported.tensors).scores(encoded(tagger.model_, exported, ["我在上海"]))
    expected = tagger.model_.outputs(tagger.model_.checked(["我在上海"]))
    np.testing.assert_array_equal(found["scores"].values, expected.values)


def test_pairs_of_characters_are_streamed_and_saved(tmp_path):
    sentences, tags = [list("我在北京"), list("他在上海")] * 4, [["S", "S", "B", "E"]] * 8
    tagger = Tagger(**TINY | {"epochs": 2}, bidirectional=False, lookahead=1, pair_size=3).fit(sentences, tags)
    assert tagger.model_.network.inputs.neighbours == 1
    model = penstock.load(tagger.save(tmp_path / "model"))
    for sentence in ("我在北京上海", "新北京", ""):
        stream = model.stream()
        told = [label for piece in sentence for label in stream.push(piece).labels]
        assert told + list(stream.finish().labels) == model.predict([sentence])[0]
    again = Tagger.load(tmp_path / "model").get_params()
    assert (again["pairs"], again["pair_size"], again["min_pair_count"]) == (True, 3, 2)
    alone = Tagger(**TINY | {"epochs": 1}, pairs=False).fit(sentences, tags)
    assert alone.model_.network.inputs.pairs == 0


def test_parts_of_speech_are_taken_as_they_are():
    sentences, tags = [["Ada", "sails"], ["they", "sail"]] * 8, [["NAME", 3], ["PRON", 3]] * 8
    tagger = Tagger(**TINY | {"epochs": 12}).fit(sentences, tags)
    assert tagger.predict([["Ada", "sail"]]) == [["NAME", 3]]
    assert tagger.model_.info()["scheme"] is None


def test_words_start_from_vectors(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("ada 1 2 3 4 5 6 7 8\nrome 8 7 6 5 4 3 2 1\n")
    still = TINY | {"epochs": 1, "learning_rate": 1e-9, "average": 0.0}
    tagger = Tagger(**still, vectors=str(path)).fit(*drawn(20))
    words, table = tagger.model_.features.vocabulary, tagger.model_.tensors["inputs.words.weight"]
    expected = np.array([np.arange(1, 9), np.arange(8, 0, -1)]) * 0.1 / np.arange(1, 9).std()
    np.testing.assert_allclose(table[[words["ada"], words["rome"]]], expected, rtol=1e-4)
    path.write_text(path.read_text() + "bern 1 2 3 4 5 6 7 8\nBern 0 0 0 0 0 0 0 1\n")
    model = Tagger(**still, vectors=str(path)).fit(*drawn(20)).model_
    assert len(model.features.vocabulary) == len(words) + 1
    rows = model.tensors["inputs.words.weight"][model.features.rows(["Bern", "Ada"])[:, 0]]
    np.testing.assert_array_equal(rows[0], rows[1])
    with pytest.raises(ConfigError, match=r"have size 8, but word_size is 7. Set word_size=8"):
        Tagger(**still | {"word_size": 7}, vectors=str(path)).fit(*drawn(20))


@pytest.mark.parametrize(
    ("sentences", "tags", "message"),
    [
        ([["a", "b"]], [["X"]], "input 0 has 2 steps and 1 labels"),
        ([["a", ""]], [["X", "Y"]], "a token must be a str of at least one character; sentence 0 has ''"),
        ([["a", 3]], [["X", "Y"]], r"sentence 0 has 3 \(int\)"),
        ([3], [["X"]], "a sentence must be a list of tokens; number 0 is 3"),
        ("ab", [["X"]], "sentences must be a list"),
        ([["a"], ["b"]], [["X"], ["X"]], "at least two classes; got only 'X'"),
        ([["a"]], [["B-X"], ["O"]], "for each of 1 inputs; got 2"),
    ],
)
def test_bad_data_is_refused_before_training(sentences, tags, message):
    with pytest.raises(DataError, match=message):
        Tagger(**TINY).fit(sentences, tags)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheme": "XYZ"}, "scheme must be one of"),
        ({"lookahead": -1, "bidirectional": False}, "lookahead must be a whole number"),
        ({"word_dropout": 1.0}, "word_dropout must be from 0 to below 1"),
        ({"character_hidden_size": 0}, "character_hidden_size must be"),
        ({"vectors": "/nowhere.txt"}, "/nowhere.txt"),
    ],
)
def test_invalid_options_are_refused(options, message):
    with pytest.raises((ConfigError, DataError), match=message):
        Tagger(**TINY | options).fit(*drawn(10))


def test_what_a_tag_depends_on_is_explained_token_by_token(fitted):
    model, tokens = fitted.model_, ["Ada", "saw", "New", "York", "."]
    found = attribute(model, tokens, at=3, method="occlusion")
    assert (found.target, found.at, found.prediction["prediction"]) == ("B-LOC", 3, "I-LOC")
    assert found.prediction["probabilities"]["B-LOC"] == model.predict_proba([tokens])[0][2, 1]
    assert found.coordinates["token"] == tokens
    assert found.top(1)[0]["token"] == "New"
    text = attribute(model, "Ada saw New York .", at=3, target="B-LOC", method="integrated_gradients")
    assert text.completeness.holds
    assert text.score == found.score


def test_tags_unseen_in_training_are_errors_and_have_no_loss():
    sentences, tags = drawn(20)
    others = [*sentences[:4], ["Ada", "saw"]], [*tags[:4], ["I-ORG", "O"]]
    quick = Tagger(**TINY | {"epochs": 1}, random_state=1)
    with_unseen = quick.fit(sentences, tags, validation_data=others, test_data=([["Rome"]], [["I-ORG"]]))
    loss, accuracy = (with_unseen.history_[-1][f"valid_{name}"] for name in ("loss", "accuracy"))
    assert with_unseen.metrics_["test"]["accuracy"] == 0
    assert with_unseen.metrics_["data"]["changed"]["tags unseen in training, counted as errors"] == 2
    plain = clone(quick).fit(sentences, tags, validation_data=(sentences[:4], tags[:4]))
    assert loss == pytest.approx(plain.history_[-1]["valid_loss"])
    assert accuracy < plain.history_[-1]["valid_accuracy"]
