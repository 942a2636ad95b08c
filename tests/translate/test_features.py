"""The tokens of both languages: ids with their begin and end, and the description in a bundle."""

import pytest

from penstock.errors import ConfigError
from penstock.tokens import BEGIN, END
from penstock.translate.features import TranslationFeatures

FEATURES = TranslationFeatures.fit(["ab", "Ba"], ["xyz", "z"], level="char", max_vocabulary=9, lower=True)


def test_sources_end_and_targets_begin_and_end():
    (source,), (target,) = FEATURES.sources(["AB"]), FEATURES.targets(["z"])
    assert source.tolist() == [*FEATURES.source.encode("ab"), END]
    assert target.tolist() == [BEGIN, *FEATURES.target.encode("z"), END]
    assert FEATURES.source_tokens("AB") == ["a", "b", "</s>"]
    assert FEATURES.sources([""])[0].tolist() == [END]
    assert FEATURES.longest == 3


def test_a_description_comes_back_from_json_and_says_what_is_wrong():
    described = FEATURES.to_json()
    again = TranslationFeatures.from_json(described)
    assert again.to_json() == described
    for changed, said in [
        ({"kind": "text"}, "features must be of kind 'translation'"),
        ({"colour": 1}, "translation features have .*; got .*colour"),
        ({"lower": 1}, "lower must be True or False; got 1"),
        ({"longest": 0}, "max_length must be a whole number, at least 1; got 0"),
        ({"source": {"level": "syllable"}}, "the level of tokens must be one of"),
    ]:
        with pytest.raises(ConfigError, match=said):
            TranslationFeatures.from_json(described | changed)
