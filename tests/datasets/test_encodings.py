"""Texts in other encodings are read where a mark or a person says which; else the error offers them."""

import codecs

import pytest

from penstock.datasets import Layout, read_table
from penstock.datasets.encodings import as_utf8
from penstock.datasets.readers import column_names, first_rows
from penstock.errors import DataError

TEXT = "评论,label\n很好，推荐,好\nnaïve,坏\n"
TABLE = {"评论": ["很好，推荐", "naïve"], "label": ["好", "坏"]}
MARKED = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
    "gb18030": b"\x84\x31\x95\x33",
}


@pytest.mark.parametrize("given", [None, "latin-1"])
@pytest.mark.parametrize("name", MARKED)
def test_a_mark_says_the_encoding_whatever_else_is_said(tmp_path, name, given):
    path = tmp_path / "data.csv"
    path.write_bytes(MARKED[name] + TEXT.encode(name))
    layout = Layout(encoding=given)
    assert column_names(path, layout) == list(TABLE)
    assert first_rows(path, layout) == TABLE
    assert read_table(path, list(TABLE), layout) == TABLE


@pytest.mark.parametrize("name", ["gb18030", "GBK", "utf-16-le", "utf-16-be", "UTF8", "utf_8_sig"])
@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_an_encoding_that_is_given(tmp_path, name, ending):
    path, table = tmp_path / f"data{ending}", {"评论": ["很好", "差"]}
    path.write_bytes(('{"评论": "很好"}\n{"评论": "差"}\n' if ending == ".jsonl" else "评论\n很好\n差\n").encode(name))
    layout = Layout(encoding=name)
    assert column_names(path, layout) == ["评论"]
    assert first_rows(path, layout) == table
    assert read_table(path, ["评论"], layout) == table


@pytest.mark.parametrize(
    ("data", "offered"),
    [
        (
            "a,b\n好吃的菜,1\n".encode("gb18030"),
            "line 2: must be .* UTF-8; got the byte 0xba.* gb18030: '好吃的菜",
        ),
        ("a,b\nélan,1\n".encode("latin-1"), "cp1252: 'élan,1'"),
        ("a,b\n1,2\n".encode("utf-16-be"), r"a zero byte.* utf-16-be: 'a,b"),
        (("a,b\n" * 400_000 + "ü,1\n").encode("cp1252"), "line 400001: .* cp1252: 'ü,1'"),
    ],
)
def test_other_encodings_are_offered_with_what_the_line_reads_in_them(data, offered):
    with pytest.raises(DataError, match=offered):
        as_utf8("data.csv", data)


def test_utf_16_without_a_mark_is_little_endian():
    assert as_utf8("data.csv", "a,好\n".encode("utf-16-le"), "UTF_16").decode() == "a,好\n"


def test_what_is_not_text_has_no_encoding_to_offer():
    with pytest.raises(DataError, match="no text in any usual encoding"):
        as_utf8("data.csv", bytes(range(256)) * 9)


def test_the_wrong_encoding_is_refused_too():
    with pytest.raises(DataError, match=r"line 1: must be text in GB18030; got the byte 0x\w\w"):
        as_utf8("data.csv", b"\xff\xff", "gb18030")
