"""Texts as ids of the tokens of a language model."""

import json

import numpy as np
import pytest

from penstock.errors import ConfigError, DtypeError
from penstock.text.features import TextFeatures
from penstock.text.token_features import TokenFeatures, read_text_features
from penstock.tokens import LEVELS, train_tokens

TEXTS = ["the cat sat", "中 é the mat", ""]


@pytest.fixture(params=list(LEVELS))
def features(request):
    """Features of each level; words are split at white space."""
    return TokenFeatures(train_tokens(request.param, TEXTS, max_vocabulary=300), max_length=4)


def test_ids_are_those_of_the_tokens(features):
    expected = [features.tokens.encode(text).tolist() for text in TEXTS]
    assert [ids.tolist() for ids in features.apply(TEXTS)] == expected
    assert [ids.tolist() for ids in features.apply(TEXTS, max_length=2)] == [ids[:2] for ids in expected]
    assert features.lengths(TEXTS).tolist() == [len(ids) for ids in expected]
    unknown = features.apply_unknown(TEXTS, max_length=2)
    assert [ids.tolist() for ids in unknown] == [[0] * len(ids[:2]) for ids in expected]
    assert features.apply(TEXTS).values.dtype == unknown.values.dtype == np.int32
    assert features.vocabulary_size == len(features.tokens)


def test_a_stream_reads_the_tokens_of_each_piece(features):
    stream = features.stream()
    assert [stream.push(text).tolist() for text in TEXTS] == [ids.tolist() for ids in features.apply(TEXTS)]
    assert stream.finish().tolist() == []
    assert stream.arrays() == {}
    with pytest.raises(DtypeError, match="must be str"):
        stream.push(3)


def test_tokens_and_gaps_make_the_text(features):
    tokens, gaps = features.spelled("the cat")
    assert len(gaps) == len(tokens) + 1
    if features.tokens.level != "byte":  # a byte is named by its number where it is not printed
        assert "".join(gap + token for gap, token in zip(gaps, [*tokens, ""], strict=True)) == "the cat"
    assert features.spelled("") == ([], [""])
    assert features.unit(tokens) == {"char": "character", "bpe": "token"}.get(
        features.tokens.level, features.tokens.level
    )


def test_json_holds_everything(features):
    twin = read_text_features(json.loads(json.dumps(features.to_json())))
    assert isinstance(twin, TokenFeatures)
    assert twin.to_json() == features.to_json()
    assert twin.max_length == 4


def test_words_learned_from_texts_are_read_too():
    learned = TextFeatures(min_count=1).fit(TEXTS)
    assert read_text_features(learned.to_json()).to_json() == learned.to_json()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stemmer": 1}, "have max_length and tokens; got"),
        ({"max_length": 0}, "max_length must be a whole number, at least 1; got 0"),
        ({"tokens": {"level": "stem"}}, "the level of tokens must be one of char, byte, word, bpe; got 'stem'"),
        ({"kind": "bpe"}, "must be of kind 'text'"),
    ],
)
def test_a_wrong_description_is_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        read_text_features(TokenFeatures(train_tokens("char", TEXTS)).to_json() | change)
