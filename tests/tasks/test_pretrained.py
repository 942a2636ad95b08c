"""A classifier that starts from a language model."""

import numpy as np
import pytest

from penstock import Tagger, TextClassifier, bundle
from penstock.errors import BundleError, ConfigError
from penstock.network import Embedding, Network, Recurrent, StepClassHead
from penstock.tokens import BpeTokens, ByteTokens, CharTokens, WordTokens

STILL = {"epochs": 1, "learning_rate": 1e-9, "baseline": False, "layer_decay": 1.0, "unfreeze": 0}


@pytest.fixture
def language_model(tmp_path):
    """A function that saves what a language model's bundle has of embedding and layers, with random weights."""

    def make(name="lm", *, tokens=None, task="language-model", kind="language", **encoder):
        tokens = WordTokens.train(["lovely food awful room we found it"], split="text") if tokens is None else tokens
        recurrent = Recurrent(**({"cell": "lstm", "input_size": 5, "hidden_size": 7, "num_layers": 2} | encoder))
        network = Network(Embedding(len(tokens), 5), recurrent, StepClassHead(len(tokens)))
        draw = np.random.default_rng(0)
        shapes = network.parameter_shapes().items()
        tensors = {name: draw.normal(size=shape, scale=0.3).astype(np.float32) for name, shape in shapes}
        features = {"kind": kind, "tokens": tokens.to_json()}
        folder = bundle.save(tmp_path / name, network, features, list(range(len(tokens))), tensors, task=task)
        return str(folder), tokens, tensors

    return make


def test_vocabulary_embedding_and_layers_are_taken_over(language_model, small, make_reviews, tmp_path):
    folder, tokens, tensors = language_model()
    estimator = small(**STILL, encoder=folder, hidden_size=64).fit(*make_reviews(30, 0))
    model = estimator.model_
    assert tuple(model.features.vocabulary) == tokens.vocabulary
    assert model.network.encoder == Recurrent(cell="lstm", input_size=5, hidden_size=7, num_layers=2)
    for name in ("lovely", "room"):
        ours, theirs = model.features.vocabulary[name], int(tokens.encode(name)[0])
        np.testing.assert_allclose(model.tensors["inputs.weight"][ours], tensors["inputs.weight"][theirs], atol=1e-6)
    unknown = [model.features.shapes[each] for each in model.features.shapes] + [0]
    for row in unknown:
        np.testing.assert_allclose(model.tensors["inputs.weight"][row], tensors["inputs.weight"][0], atol=1e-6)
    for name in (each for each in tensors if each.startswith("encoder.")):
        np.testing.assert_allclose(model.tensors[name], tensors[name], atol=1e-6)
    assert estimator.metrics_["configuration"]["encoder"] == "lm"
    assert {"hidden_size": 7, "num_layers": 2, "embedding_size": 5}.items() <= estimator.metrics_["options"].items()
    again = TextClassifier.load(estimator.save(tmp_path / "saved"))
    assert (again.encoder, again.hidden_size, again.embedding_size) == (None, 7, 5)


LEARNED = ["lovely food", "awful room é 中"]


@pytest.mark.parametrize(
    "tokens",
    [CharTokens.train(LEARNED), ByteTokens(), WordTokens.train(LEARNED), BpeTokens.train(LEARNED, max_vocabulary=260)],
    ids=lambda tokens: tokens.level,
)
def test_a_classifier_reads_the_tokens_of_its_language_model(language_model, small, make_reviews, tmp_path, tokens):
    folder, _, tensors = language_model(tokens=tokens)
    texts, labels = make_reviews(30, 0)
    estimator = small(**STILL, encoder=folder, max_length=20, pooling="mean").fit(texts, labels)
    model = estimator.model_
    assert model.features.tokens.vocabulary == tokens.vocabulary
    np.testing.assert_allclose(model.tensors["inputs.weight"], tensors["inputs.weight"], atol=1e-6)
    again = TextClassifier.load(estimator.save(tmp_path / "saved"))
    text = "lovely, awful\né"
    np.testing.assert_array_equal(again.predict_proba([text]), estimator.predict_proba([text]))
    stream = again.stream()
    stream.push(text)
    assert list(stream.finish().values()) == estimator.predict_proba([text])[0].tolist()
    assert again.max_length == 20
    evidence, ids = model.evidence(text), tokens.encode(text)
    assert evidence.values.tolist() == ids.tolist()
    assert evidence.baseline.tolist() == [0] * len(ids)
    assert len(evidence.places["token"]) == len(evidence.gaps) - 1 == len(ids)
    data = estimator.metrics_["data"]
    assert data["train"]["tokens"] + data["valid"]["tokens"] == sum(len(tokens.encode(text)) for text in texts)
    assert data["vocabulary"] == len(tokens)
    assert model.reading(text).names == tuple(evidence.places["token"])


def test_the_head_trains_first(language_model, small, make_reviews):
    folder, _, tensors = language_model()
    estimator = small(encoder=folder, epochs=1, baseline=False, average=0.0).fit(*make_reviews(30, 0))
    np.testing.assert_array_equal(estimator.model_.tensors["encoder.weight_hh_l1"], tensors["encoder.weight_hh_l1"])
    assert not np.array_equal(
        small(encoder=folder, epochs=1, baseline=False, unfreeze=0)
        .fit(*make_reviews(30, 0))
        .model_.tensors["encoder.weight_hh_l1"],
        tensors["encoder.weight_hh_l1"],
    )


@pytest.mark.parametrize(
    ("saved", "asked", "match"),
    [
        ({"cell": "gru"}, {}, "of the cell 'gru', but cell is 'lstm'. Set cell='gru'"),
        ({}, {"bidirectional": True}, "reads forward"),
        ({"task": "text-labels"}, {}, "is a model for text-labels; encoder takes a language model"),
        ({"kind": "frames"}, {}, "is a model of music; encoder takes a language model of texts"),
        ({}, {"vectors": "glove.txt"}, "leave one of them out"),
        ({}, {"layer_decay": 0.0}, "layer_decay must be above 0"),
        ({}, {"unfreeze": -1}, "unfreeze must be"),
    ],
    ids=["cell", "direction", "task", "music", "vectors", "decay", "unfreeze"],
)
def test_another_encoder_is_refused_before_training(language_model, small, make_reviews, saved, asked, match):
    class Started:
        def on_start(self, epochs):
            raise AssertionError("training started")

    folder, _, _ = language_model(**saved)
    with pytest.raises(ConfigError, match=match):
        small(encoder=folder, **asked).fit(*make_reviews(30, 0), callbacks=[Started()])


def test_a_folder_without_a_model_is_refused(small, make_reviews, tmp_path):
    with pytest.raises(BundleError, match="nothing"):
        small(encoder=str(tmp_path / "nothing")).fit(*make_reviews(30, 0))


def test_a_tagger_of_characters_takes_a_language_model_of_characters(language_model):
    tokens = CharTokens.train(["我们去北京"])
    folder, _, tensors = language_model(tokens=tokens)
    tagger = Tagger(encoder=folder, **TAGGER).fit([list("我去"), list("北京好")] * 6, [["B", "E"], ["B", "I", "E"]] * 6)
    words = tagger.model_.tensors["inputs.words.weight"]
    assert tuple(tagger.model_.features.vocabulary) == tokens.vocabulary
    np.testing.assert_allclose(words, tensors["inputs.weight"][[0, *range(3, len(tokens))]], atol=1e-6)


SENTENCES = [["lovely", "food", "it"], ["awful", "room"], ["we", "found"]] * 6
TAGS = [["A", "N", "P"], ["A", "N"], ["P", "V"]] * 6
TAGGER = {"normalize": False, "epochs": 1, "learning_rate": 1e-9, "baseline": False, "character_hidden_size": 2}


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("spelling", [False, True])
def test_a_tagger_takes_the_forward_direction(language_model, bidirectional, spelling):
    tokens = WordTokens.train(["lovely food awful room we found"])
    folder, _, tensors = language_model(tokens=tokens)
    tagger = Tagger(encoder=folder, bidirectional=bidirectional, spelling=spelling, **TAGGER).fit(SENTENCES, TAGS)
    model = tagger.model_
    assert tuple(model.features.vocabulary) == tokens.vocabulary
    encoder = model.network.encoder
    assert (encoder.hidden_size, encoder.num_layers, encoder.bidirectional) == (7, 2, bidirectional)
    assert tagger.metrics_["options"]["word_size"] == 5
    for name, word in enumerate(tokens.vocabulary, start=3):
        own = model.tensors["inputs.words.weight"][model.features.vocabulary[word]]
        np.testing.assert_allclose(own, tensors["inputs.weight"][name], atol=1e-6)
    for name in (each for each in tensors if each.startswith("encoder.")):
        own = model.tensors[name]
        np.testing.assert_allclose(own[..., : tensors[name].shape[-1]], tensors[name], atol=1e-6)


@pytest.mark.parametrize(
    ("saved", "asked", "match"),
    [
        ({}, {}, "its tokens are of level 'word', in lower case, but those of the sentences of level 'word'"),
        ({"tokens": CharTokens.train(["good"])}, {}, "level 'char' but those of the sentences of level 'word'"),
        ({"tokens": ByteTokens()}, {}, "level 'byte' but those of the sentences of level 'word'"),
        ({"cell": "gru"}, {}, "of the cell 'gru'"),
        ({}, {"normalize": True}, "set normalize=False"),
    ],
    ids=["split", "characters", "bytes", "cell", "normalize"],
)
def test_another_encoder_of_a_tagger_is_refused(language_model, saved, asked, match):
    folder, _, _ = language_model(**saved)
    with pytest.raises(ConfigError, match=match):
        Tagger(**(TAGGER | {"encoder": folder} | asked)).fit(SENTENCES, TAGS)
