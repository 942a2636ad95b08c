"""Levels of tokens: what each must keep, and what it makes of a text."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import ConfigError, DtypeError
from penstock.tokens import BEGIN, END, LEVELS, SPECIAL, BpeTokens, CharTokens, WordTokens, read_tokens, train_tokens
from penstock.tokens.bpe import _parts

TEXTS = ["the cat sat\non the mat\n", "中文 and néé 😀, the end"]
OPTIONS = {"char": {}, "byte": {}, "word": {}, "bpe": {"max_vocabulary": 280}}


@pytest.fixture(scope="module", params=LEVELS)
def tokens(request):
    return train_tokens(request.param, TEXTS, **OPTIONS[request.param])


def test_ids_and_text_say_the_same(tokens):
    for text in TEXTS:
        ids = tokens.encode(text)
        assert ids.dtype == np.int32
        assert tokens.decode(ids) == text
        assert 0 <= ids.min() <= ids.max() < len(tokens)
        assert len(tokens.names(ids)) == len(ids)
    assert tokens.encode("").tolist() == []
    assert tokens.names([0, BEGIN, END]) == list(SPECIAL)


def test_text_arrives_id_by_id(tokens):
    for text in TEXTS:
        pieces, memory = [], b""
        for position in tokens.encode(text):
            decoder = tokens.decoder()  # another one each time, so that nothing but the memory goes over
            decoder.memory = memory
            pieces.append(decoder.push([position]))
            memory = decoder.memory
        assert "".join(pieces) == text


def test_json_holds_everything(tokens):
    described = json.loads(json.dumps(tokens.to_json()))
    twin = read_tokens(described)
    assert type(twin) is type(tokens)
    assert twin.to_json() == tokens.to_json()
    assert len(twin) == len(tokens)
    for text in (*TEXTS, "something new: ßü\n\n 中"):
        np.testing.assert_array_equal(twin.encode(text), tokens.encode(text))


def test_several_texts_are_sequences(tokens):
    plain = tokens.encode_all(TEXTS)
    assert [ids.tolist() for ids in plain] == [tokens.encode(text).tolist() for text in TEXTS]
    framed = tokens.encode_all(TEXTS, begin=True, end=True)
    assert [ids.tolist() for ids in framed] == [[BEGIN, *ids.tolist(), END] for ids in plain]
    assert framed.values.dtype == np.int32
    assert len(tokens.encode_all([])) == 0


def test_what_is_no_text_is_refused(tokens):
    with pytest.raises(DtypeError, match="texts must be str; got NoneType"):
        tokens.encode(None)
    with pytest.raises(DtypeError, match="got a single text 'abc'"):
        tokens.encode_all("abc")


@pytest.mark.parametrize("level", ["byte", "bpe"])
def test_every_text_comes_back(level):
    tokens = train_tokens(level, TEXTS, **OPTIONS[level])

    @settings(max_examples=60, deadline=None)
    @given(st.text(max_size=20))
    def check(text):
        assert tokens.decode(tokens.encode(text)) == text

    check()


def test_half_a_surrogate_pair_harms_nothing(tokens):
    ids = tokens.encode("the \ud800 end")
    assert tokens.decode(ids).encode()
    assert len(train_tokens("char", ["a\ud800"])) == len(SPECIAL) + 1


def test_frequent_tokens_come_first_and_the_rest_are_unknown():
    tokens = CharTokens.train(["bbbaacc", "dcddd", "e"], max_vocabulary=3, min_count=2)
    assert tokens.vocabulary == ("d", "b", "c")
    assert tokens.encode("aé d\U0010ffff").tolist() == [0, 0, 0, 3, 0]
    assert tokens.decode([0, 3]) == "\ufffdd"


def test_words_end_at_white_space_and_lines_at_the_end_token():
    tokens = WordTokens.train([" no it was n't <unk> \n the N\n"])
    assert "<unk>" not in tokens.vocabulary
    assert tokens.names(tokens.encode("it  was\tnew\r\n<unk> N")) == ["it", "was", "<unk>", "</s>", "<unk>", "N"]
    assert tokens.decode(tokens.encode("it was\nit")) == "it was\nit"


def test_words_of_texts_are_those_of_text_classifier():
    tokens = WordTokens.train(["It's good, good!"], split="text")
    assert tokens.names(tokens.encode("GOOD\nit's it!")) == ["good", "it's", "<unk>", "!"]
    assert read_tokens(tokens.to_json()).split == "text"
    with pytest.raises(ConfigError, match="split must be one of space, text; got 'lines'"):
        WordTokens([], split="lines")


def test_byte_pairs_keep_special_words_of_a_text_as_text():
    tokens = BpeTokens.train(["</s> a </s> b"] * 4, max_vocabulary=300)
    ids = tokens.encode("</s>")
    assert END not in ids
    assert tokens.decode(ids) == "</s>"
    assert tokens.names(tokens.encode("a 中"))[0] == "a"


def test_a_long_text_has_the_same_tokens_in_parts(monkeypatch):
    text = "the cat\n\n sat \n on\nthe mat \n\n" * 5
    tokens = BpeTokens.train([text], max_vocabulary=270)
    whole = tokens.encode(text)
    monkeypatch.setattr("penstock.tokens.bpe._AT_ONCE", 7)
    monkeypatch.setattr("penstock.tokens.char._AT_ONCE", 7)
    assert len(list(_parts(text))) > 10
    np.testing.assert_array_equal(tokens.encode(text), whole)
    letters = CharTokens.train([text])
    assert letters.decode(letters.encode(text)) == text


@pytest.mark.parametrize(
    ("level", "change", "message"),
    [
        ("char", {"level": "syllable"}, "level of tokens must be one of char, byte, word, bpe; got 'syllable'"),
        ("char", {"case": True}, "char tokens have level, vocabulary; got case"),
        ("char", {"vocabulary": ["ab"]}, "must be single characters"),
        ("char", {"vocabulary": ["a", "a"]}, "has a duplicate token"),
        ("char", {"vocabulary": "abc"}, "must be a list of tokens"),
        ("byte", {"vocabulary": ["a"]}, "must be the 256 bytes in order"),
        ("bpe", {"vocabulary": ["a"]}, "must have all 256 bytes"),
        ("bpe", {"merges": [["a"]]}, "a merge must be two tokens"),
        ("bpe", {"merges": None}, "bpe tokens can't be read"),
        ("bpe", {"merges": [["a", "€"]]}, "a merge must be two tokens"),
    ],
)
def test_a_wrong_description_is_refused(level, change, message):
    described = train_tokens(level, TEXTS, **OPTIONS[level]).to_json()
    with pytest.raises(ConfigError, match=message):
        read_tokens(described | change)


def test_byte_pairs_need_room_for_the_bytes():
    with pytest.raises(ConfigError, match="at least 256, the bytes; got 100"):
        BpeTokens.train(TEXTS, max_vocabulary=100)
