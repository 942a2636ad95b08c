"""Ids of tokens, and the promise that pieces of a stream give the tokens of the joined text."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import ConfigError, DtypeError, NotFittedError
from penstock.text.features import TextFeatures

# Characters that meet at the rules' borders: letters, marks, joiners, apostrophes, pictures, breaks.
tricky = st.text(
    st.sampled_from("aÉ'’.,_ \n\t09中のคน้éİΣक्ष\u0301\u200c\u200d\ufe0f\u20e3❤👍🏽🇨🇳ー！\u00ad\ufeff\x00"),
    max_size=12,
)
texts = tricky | st.text(max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(texts, max_size=5))
def test_pushed_pieces_are_the_lines_of_a_text(pieces):
    features = TextFeatures(min_count=1).fit([*pieces[:3], "a b 中 👍🏽"])
    pushed = [features.stream().push(piece) for piece in pieces]
    whole = features.apply(["\n".join(pieces)])
    assert np.concatenate([np.zeros(0, np.int32), *pushed]).tolist() == whole[0].tolist()
    assert whole.values.dtype == np.int32


def test_frequent_tokens_have_small_ids_and_the_rest_are_unknown():
    features = TextFeatures(min_count=2, max_vocabulary=3).fit(["b b b a a c c", "d c d d d", "e"])
    assert features.vocabulary == {"d": 1, "b": 2, "c": 3}
    assert features.vocabulary_size == 4
    assert features.stream().push("a B c e").tolist() == [0, 2, 3, 0]
    sequences = features.apply(["d d", "", "x c"])
    assert [ids.tolist() for ids in sequences] == [[1, 1], [], [0, 3]]


def test_unknown_words_are_distinguished_by_their_spelling():
    features = TextFeatures(min_count=2).fit(["see see Rome", "see Paris NASA", "see UNO in 1990 or 2001", "see 7"])
    assert features.vocabulary == {"see": 1}
    assert features.shapes == {"Aa": 2, "AA": 3, "0000": 4}, "a shape too must be met min_count times"
    assert features.vocabulary_size == 5
    assert features.apply(["See London LHR 1999 12 x3 small 中 !"])[0].tolist() == [1, 2, 3, 4, 0, 0, 0, 0, 0]
    assert features.stream().push("London, 1066").tolist() == [2, 0, 4]
    hidden = features.apply_unknown(["See SEE see 1999"], max_length=3)
    assert hidden[0].tolist() == [2, 3, 0]


def test_without_shapes_unknown_words_are_one():
    features = TextFeatures(min_count=2, word_shapes=False).fit(["see see Rome", "Paris 1990 2001"])
    assert features.vocabulary_size == 2
    assert features.apply(["see London 1999"])[0].tolist() == [1, 0, 0]
    assert features.apply_unknown(["see London 1999"])[0].tolist() == [0, 0, 0]
    with pytest.raises(ConfigError, match="word_shapes must be True or False; got 1"):
        TextFeatures(word_shapes=1)


def test_the_first_bundles_knew_no_shapes():
    old = TextFeatures(word_shapes=False).fit(["a a b", "B Paris Rome"]).to_json()
    del old["word_shapes"], old["shapes"]
    features = TextFeatures.from_json(old)
    assert not features.word_shapes
    assert features.apply(["a London b"])[0].tolist() == [1, 0, 2]


def test_equal_counts_stand_in_a_fixed_order():
    assert list(TextFeatures(min_count=1).fit(["z 中 a", "中 z a"]).vocabulary) == ["a", "z", "中"]


def test_length_is_limited_only_where_asked():
    features = TextFeatures(min_count=1, max_length=2).fit(["a b c"])
    assert features.vocabulary == {"a": 1, "b": 2}
    assert features.apply(["a b a b"]).lengths.tolist() == [4]
    assert features.apply(["a b a b"], max_length=features.max_length).lengths.tolist() == [2]


def test_json_holds_everything():
    features = TextFeatures(min_count=1, max_vocabulary=2, max_length=9).fit(["It’s 好 😀", "Zoe Zoe Zed"])
    twin = TextFeatures.from_json(json.loads(json.dumps(features.to_json())))
    assert twin.vocabulary_size == features.vocabulary_size == 4
    assert twin.vocabulary == features.vocabulary
    assert twin.to_json() == features.to_json()
    assert (twin.min_count, twin.max_vocabulary, twin.max_length) == (1, 2, 9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "bpe"}, "must be of kind 'text'; got"),
        ({"stemmer": 1}, "got .*stemmer"),
        ({"vocabulary": "abc"}, "must be a list of tokens"),
        ({"vocabulary": ["a", 3]}, "must be a list of tokens"),
        ({"vocabulary": ["a", "a"]}, "has a duplicate token"),
        ({"shapes": ["A"]}, "must be some of Aa, AA, a0"),
        ({"shapes": ["AA", "Aa"]}, "in order"),
        ({"shapes": 3}, "must be some of"),
        ({"min_count": 0}, "min_count must be a whole number, at least 1; got 0"),
    ],
)
def test_a_wrong_description_is_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        TextFeatures.from_json(TextFeatures().fit(["a a"]).to_json() | change)


@pytest.mark.parametrize("option", ["min_count", "max_vocabulary", "max_length"])
@pytest.mark.parametrize("value", [0, 1.5, True, "2"])
def test_options_must_be_whole_numbers(option, value):
    with pytest.raises(ConfigError, match=f"{option} must be a whole number"):
        TextFeatures(**{option: value})


def test_nothing_is_known_before_fit():
    for use in (
        lambda f: f.stream(),
        lambda f: f.apply(["a"]),
        lambda f: f.apply_unknown(["a"]),
        lambda f: f.to_json(),
        lambda f: f.vocabulary_size,
    ):
        with pytest.raises(NotFittedError, match="fit"):
            use(TextFeatures())


def test_what_is_not_text_is_refused():
    features = TextFeatures().fit(["a a"])
    for wrong in (["a", None], [3], "a text"):
        with pytest.raises(DtypeError, match="texts must be"):
            features.apply(wrong)
