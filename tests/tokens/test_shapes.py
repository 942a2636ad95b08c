"""What the spelling of a word says of it."""

import pytest

from penstock.tokens.shapes import SHAPES, shape


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("house", ""),
        ("don't", ""),
        ("iPhone", ""),
        ("House", "Aa"),
        ("I", "Aa"),
        ("NASA", "AA"),
        ("O'NEIL", "AA"),
        ("McDonald", "Aa"),
        ("Ünlü", "Aa"),
        ("МИД", "AA"),
        ("中", ""),
        ("カ", ""),
        ("!", ""),
        ("", ""),
        ("7", "0"),
        ("1999", "0000"),
        ("12345", "00000"),
        ("1234567", "00000"),
        ("\u0967\u0968", "00"),
        ("3rd", "a0"),
        ("MP3", "a0"),
        ("x²", ""),
    ],
)
def test_shapes(word, expected):
    assert shape(word) == expected
    assert expected in ("", *SHAPES)
