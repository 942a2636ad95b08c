"""Tokens of a text: words, marks, and single characters in scripts without spaces.

A line break always ends a token, and no token depends on text beyond one: the tokens of a stream's pieces are those of
the pieces joined by line breaks.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import chain

from penstock.errors import DtypeError

__all__ = ["in_pieces", "spell", "spell_with_gaps", "tokenize"]

# Scripts written without spaces, for use in a character class: Han with its numbers and iteration marks, Kana; letters
# of Thai, Lao, Myanmar and Khmer (vowel signs that are combining marks stay with their letter).
_UNSPACED = (
    "\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff"
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0edc-\u0edf"
    "\u1000-\u102a\u103f\u104e\u1050-\u1055\u105a-\u105d\u1061\u1065\u1066\u106e-\u1070\u1075-\u1081\u108e"
    "\u1780-\u17b3\u17d7\u17dc"
)
# Ranges of Unicode that contain all combining marks and invisible characters.
_WITH_MARKS = [(0, 0x3130), (0xA600, 0xAC00), (0xFB00, 0x10000), (0x10100, 0x12000), (0x13400, 0x13480)]
_WITH_MARKS += [(0x16A00, 0x17000), (0x1BC00, 0x1F000), (0xE0000, 0xE0200)]
# Equivalent to `_tokens` for ASCII text, and three times as fast.
_ASCII_TOKENS = re.compile(r"[A-Za-z0-9]+(?:'[A-Za-z0-9]+)*|[!-/:-@\[-`{-~]")

# Where no token and no composed character can go on: after white space, between two characters that are tokens of their
# own, and between an ASCII mark, if it is no apostrophe, and another visible ASCII character.
_CUT = re.compile(rf"\s|[{_UNSPACED}](?=[{_UNSPACED}])|[!-&(-/:-@\[-`{{-~](?=[!-~])")
_PIECE = 1 << 14  # characters: some milliseconds


@cache
def _tokens() -> re.Pattern[str]:
    """Pattern of one token, compiled at the first use, because it looks up the category of many characters."""
    marks, hidden = _characters("M"), _characters("C") + "\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff"
    letter = rf"[^\W_{_UNSPACED}]"
    skin, regional = "\U0001f3fb-\U0001f3ff", "\U0001f1e6-\U0001f1ff"
    # Words: an apostrophe, or an invisible joiner as in Persian, is part of a word only between two letters.
    word = rf"{letter}+(?:(?:[{marks}]+|['\u200c\u200d](?={letter})){letter}*)*"
    character = rf"[{_UNSPACED}][{marks}]*"
    flag = rf"[{regional}]{{2}}"
    # A pictograph with its variants, or several joined into one.
    mark = rf"[^\w\s{hidden}][{marks}{skin}]*(?:\u200d[^\w\s{hidden}][{marks}{skin}]*)*|_"
    return re.compile(f"{word}|{character}|{flag}|{mark}")


def _characters(category: str) -> str:
    """Return the assigned characters of a Unicode category, as ranges for a character class."""
    ranges: list[list[int]] = []
    for code in chain.from_iterable(range(*span) for span in _WITH_MARKS):
        kind = unicodedata.category(chr(code))
        if kind[0] == category and kind not in ("Cn", "Cs", "Co"):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


def tokenize(text: str) -> list[str]:
    """Split a text into tokens: NFC, lower case; words, numbers and marks.

    A word is letters, digits and combining marks, with apostrophes inside ("don't"). Each Han or Kana character
    is a token, and each letter with its signs in Thai, Lao, Khmer and Myanmar. Every other visible character is its own
    token ("3.5" gives three), a pictograph together with its variants. White space and control characters are
    dropped.
    """
    return [word.lower() for word in spell(text)]


def spell(text: str) -> list[str]:
    """Return the tokens with their original case."""
    pattern, plain = _pattern_for(text)
    return pattern.findall(plain)


def in_pieces(text: str, size: int = _PIECE) -> Iterator[str]:
    """Cut a long text into pieces of `size` characters or a few more, whose tokens are those of the text.

    The text is cut at white space, or beside a character that is a token of its own. A longer token stays whole.
    """
    start, place = 0, size
    while isinstance(text, str) and place < len(text):
        if cut := _CUT.search(text, place, place + size + 1):  # with the character after the last one
            yield text[start : cut.end()]
            start = cut.end()
            place = start + size
        else:
            place += size
    yield text[start:] if start else text


def spell_with_gaps(text: str) -> tuple[list[str], list[str]]:
    """Return the tokens with their original case, and what stands before each and after the last one."""
    pattern, plain = _pattern_for(text)
    spans = [match.span() for match in pattern.finditer(plain)]
    edges = [0, *(edge for span in spans for edge in span), len(plain)]
    gaps = [plain[edges[at] : edges[at + 1]] for at in range(0, len(edges), 2)]
    return [plain[start:end] for start, end in spans], gaps


def _pattern_for(text: str) -> tuple[re.Pattern[str], str]:
    """Return the pattern of tokens, and the text as it is matched."""
    if not isinstance(text, str):
        raise DtypeError(f"texts must be str; got {type(text).__name__}. Leave missing texts out.")
    if text.isascii():
        return _ASCII_TOKENS, text
    return _tokens(), unicodedata.normalize("NFC", text).replace("\u2019", "'").replace("\u00ad", "")
