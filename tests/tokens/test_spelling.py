"""Tokens of many scripts."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.tokens.spelling import _tokens, in_pieces, spell, tokenize

# Characters that meet at the rules' borders: letters, marks, joiners, apostrophes, pictures, breaks.
tricky = st.text(
    st.sampled_from("aÉ'’.,_ \n\t09中のคน้éİΣक्ष\u0301\u200c\u200d\ufe0f\u20e3❤👍🏽🇨🇳ー！\u00ad\ufeff\x00"),
    max_size=12,
)
texts = tricky | st.text(max_size=12)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \n\t\u3000\x00\ufeff\u200b", []),
        ("Don't STOP, it’s 5 o'clock!", ["don't", "stop", ",", "it's", "5", "o'clock", "!"]),
        ("they wo n't 'quote' 's", ["they", "wo", "n't", "'", "quote", "'", "'", "s"]),
        ("re-imagining 3.5% a_b", ["re", "-", "imagining", "3", ".", "5", "%", "a", "_", "b"]),
        ("<br />:-)", ["<", "br", "/", ">", ":", "-", ")"]),
        ("房间很大，NLP真好。2023年", [*"房间很大，", "nlp", *"真好。", "2023", "年"]),
        ("カタカナとひらがなー々", list("カタカナとひらがなー々")),
        ("我love你don't", ["我", "love", "你", "don't"]),
        ("cafe\u0301 ÀÉ co\u00adop", ["café", "àé", "coop"]),
        ("ΟΔΥΣΣΕΥΣ straße ИЩУ", ["οδυσσευς", "straße", "ищу"]),
        ("हिन्दी में क्‍ष", ["हिन्दी", "में", "क्‍ष"]),
        ("العَرَبِيَّةُ، می‌خواهم", ["العَرَبِيَّةُ", "،", "می‌خواهم"]),
        ("ที่นี่ดี ๑๒", ["ที่", "นี่", "ดี", "๑๒"]),
        ("한국어 텍스트", ["한국어", "텍스트"]),
        ("👍🏽❤️👨‍👩‍👧🇨🇳🇫🇷😀😀", ["👍🏽", "❤️", "👨‍👩‍👧", "🇨🇳", "🇫🇷", "😀", "😀"]),
        ("1️⃣ ★☆ …—", ["1️⃣", "★", "☆", "…", "—"]),
    ],
)
def test_tokens(text, tokens):
    assert tokenize(text) == tokens


@pytest.mark.parametrize("part", ["a.b,c;d_e", "ไทยไม่มีช่องว่าง", "ひらがなカタカナ", "don't-stop!'", "好吃的饭菜"])
def test_long_texts_without_spaces_are_cut(part):
    text = part * 9
    pieces = list(in_pieces(text, 10))
    assert len(pieces) > 3
    assert "".join(pieces) == text
    assert [token for piece in pieces for token in spell(piece)] == spell(text)


def test_composed_and_decomposed_text_are_the_same():
    text = "Ångström 한국 がぎ é"
    assert tokenize(unicodedata.normalize("NFD", text)) == tokenize(text)


@settings(max_examples=150, deadline=None)
@given(texts)
def test_nothing_visible_is_lost_and_no_token_holds_space(text):
    tokens = tokenize(text)
    assert all(token and not any(map(str.isspace, token)) for token in tokens)
    # Letter by letter, as each token is brought to small letters by itself: a sigma's form depends on its neighbours.
    plain = unicodedata.normalize("NFC", text).lower().replace("’", "'").replace("ς", "σ")
    visible = [c for c in plain if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs")]
    kept = [c for c in "".join(tokens).replace("ς", "σ") if unicodedata.category(c) != "Cf"]
    assert kept == visible
    # Whatever the size of pieces, a long text has the same tokens.
    pieces = list(in_pieces(text, 2))
    assert "".join(pieces) == text
    assert [token for piece in pieces for token in spell(piece)] == spell(text)


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(max_codepoint=127), max_size=30))
def test_the_quick_way_for_ascii_finds_the_same(text):
    assert tokenize(text) == _tokens().findall(text.lower())


@settings(max_examples=150, deadline=None)
@given(texts.filter(lambda text: "Σ" not in text))  # which becomes ς or σ by what follows, within its token now
def test_capitals_do_not_change_where_tokens_end(text):
    plain = unicodedata.normalize("NFC", text).lower().replace("’", "'").replace("\u00ad", "")
    assert tokenize(text) == _tokens().findall(plain)
