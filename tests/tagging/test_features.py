"""From tokens to ids of words and of their characters, and what an untrusted description may hold."""

import json

import numpy as np
import pytest

from penstock.errors import ConfigError, DtypeError, NotFittedError
from penstock.tagging.features import TokenFeatures
from penstock.tagging.schemes import SCHEMES

SENTENCES = [["The", "ferry", "left", "at", "1045"], ["the", "Ferry", "1912"], ["café"]]


def test_words_are_looked_up_in_lower_case_and_characters_keep_theirs():
    features = TokenFeatures().fit(SENTENCES)
    assert list(features.vocabulary) == ["0000", "ferry", "the", "at", "café", "left"]
    rows = features.apply([["the", "THE", "The"], [], ["9999", "zebra"]])
    assert rows.lengths.tolist() == [3, 0, 2]
    assert rows.values.dtype == np.int32
    assert rows.values[:, 0].tolist() == [3, 3, 3, 1, 0]
    spelled = rows.values[:, 1:]
    assert len({row.tobytes() for row in spelled[:3]}) == 3
    assert (spelled[1] == [1, 1, 1, 0, 0]).sum() == 4, "H and E never occurred; T did"
    assert spelled[3].tolist() == [*[spelled[3, 0]] * 4, 0]
    assert features.apply(SENTENCES).values.max() < features.alphabet_size


def test_options_change_what_is_known():
    assert list(TokenFeatures(normalize=False, min_count=2).fit([*SENTENCES, ["at"]]).vocabulary) == ["at"]
    few = TokenFeatures(max_vocabulary=2).fit(SENTENCES)
    assert few.vocabulary_size == 3
    plain = TokenFeatures(spelling=False).fit(SENTENCES)
    assert (plain.alphabet_size, plain.apply(SENTENCES).values.shape) == (0, (9, 1))


def test_a_long_token_is_cut_and_counted():
    features = TokenFeatures(max_word_length=6).fit([["a" * 10_000, "abcdef", "b"]])
    assert features.cut([["a" * 10_000, "abcdef"], ["c" * 7]]) == 2
    assert features.apply([["a" * 10_000]]).values.shape == (1, 7)
    assert features.looked_up("A" * 7) not in features.vocabulary


def test_single_characters_have_no_spelling_besides_and_texts_are_read_by_character():
    features = TokenFeatures().fit([list("我在北京"), list("3 月")])
    assert features.by_character
    assert features.alphabet_size == 0
    assert features.tokens("我 在\n3") == ["我", "在", "3"]
    assert TokenFeatures().fit(SENTENCES).tokens(" the  ferry\n") == ["the", "ferry"]


def test_pieces_are_tokens_or_texts():
    features = TokenFeatures().fit(SENTENCES)
    pieces, expected = features.stream(), features.apply([["the", "ferry"]]).values
    np.testing.assert_array_equal(pieces.push("the ferry"), expected)
    np.testing.assert_array_equal(pieces.push(["the", "ferry"]), expected)
    assert len(pieces.push("")) == len(pieces.finish()) == 0
    for wrong in (3, ["a", 3], None):
        with pytest.raises(DtypeError, match=r"text \(str\) or a list of tokens"):
            pieces.push(wrong)


def test_a_few_longer_tokens_do_not_make_words_of_characters():
    features = TokenFeatures().fit([list("中国人民" * 25), ["2026"]])
    assert features.by_character
    assert not TokenFeatures().fit([list("中国人民"), ["2026"]]).by_character


def test_features_of_earlier_versions_have_no_pairs():
    described = TokenFeatures().fit(SENTENCES).to_json()
    earlier = {
        name: value for name, value in described.items() if name not in ("neighbours", "min_pair_count", "pairs")
    }
    found = TokenFeatures.from_json(earlier)
    np.testing.assert_array_equal(found.apply(SENTENCES).values, TokenFeatures().fit(SENTENCES).apply(SENTENCES).values)


def test_they_come_back_from_json():
    for scheme in (None, SCHEMES["BMES"]):
        features = TokenFeatures(min_count=1, max_word_length=5, scheme=scheme).fit(SENTENCES)
        again = TokenFeatures.from_json(json.loads(json.dumps(features.to_json())))
        assert again.to_json() == features.to_json()
        assert again.scheme == scheme
        np.testing.assert_array_equal(again.apply(SENTENCES).values, features.apply(SENTENCES).values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "text"}, "of kind 'tokens'"),
        ({"more": 1}, "features of tokens have"),
        ({"vocabulary": [1]}, "vocabulary of features of tokens must be a list of str"),
        ({"characters": ["a", "a"]}, "characters of features of tokens has a duplicate"),
        ({"by_character": 1}, "by_character must be true or false"),
        ({"scheme": {"name": "XYZ", "separator": "-"}}, "known name and separator"),
        ({"scheme": "BIO"}, "known name and separator"),
        ({"min_count": 0}, "min_count must be a whole number, at least 1"),
        ({"spelling": 1}, "spelling must be True or False"),
        ({"neighbours": 3}, "neighbours must be 0, 1 or 2"),
        ({"pairs": "ab"}, "pairs of features of tokens must be a list"),
        ({"pairs": [3, 3]}, "codes of pairs must ascend"),
        ({"pairs": [-1]}, "codes of pairs must ascend from 0"),
        ({"pairs": [0.5]}, "codes of pairs must be a list of integers"),
    ],
)
def test_a_damaged_description_is_refused(change, message):
    described = TokenFeatures().fit(SENTENCES).to_json()
    with pytest.raises(ConfigError, match=message):
        TokenFeatures.from_json(described | change)


def test_without_fit_there_is_no_vocabulary():
    with pytest.raises(NotFittedError):
        TokenFeatures().apply(SENTENCES)
