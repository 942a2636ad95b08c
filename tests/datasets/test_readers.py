"""Files of every kind, and what can be wrong in them."""

import gzip
import json
import os
import sys

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from penstock.datasets import read_table
from penstock.datasets.readers import column_names
from penstock.errors import DataError, MissingExtraError
from penstock.signals.file_formats import is_ucr
from penstock.text.readers import read_texts

ROWS = [("a, \"b\"\n'c'", "1"), ("好吃，推荐", "null"), ("NA", "007"), ("x" * 5000, "1")]


def csv_bytes(rows, end="\n"):
    quoted = ['"' + text.replace('"', '""') + '",' + label for text, label in rows]
    return end.join(["text,label", *quoted, ""]).encode()


def tsv_bytes(rows):
    return "\n".join(["label\ttext", *(f"{label}\t{text}" for text, label in rows), ""]).encode()


def json_bytes(rows):
    return "\n".join(json.dumps({"text": text, "label": label}) for text, label in rows).encode()


def parquet_bytes(rows):
    sink = pyarrow.BufferOutputStream()
    table = pyarrow.table({"text": [text for text, _ in rows], "label": [label for _, label in rows], "n": range(4)})
    pyarrow.parquet.write_table(table, sink)
    return sink.getvalue().to_pybytes()


ONE_LINE = [(text.replace("\n", " "), label) for text, label in ROWS]
KINDS = [
    ("data.csv", csv_bytes(ROWS), ROWS),
    ("data.tsv", tsv_bytes(ONE_LINE), ONE_LINE),
    ("DATA.TSV", tsv_bytes(ONE_LINE), ONE_LINE),
    ("data.jsonl", json_bytes(ROWS), ROWS),
    ("data.json", json_bytes(ROWS), ROWS),
    ("data.parquet", parquet_bytes(ROWS), ROWS),
]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("name", "data", "rows"), KINDS, ids=[kind[0] for kind in KINDS])
def test_every_kind_of_file_gives_its_rows(tmp_path, name, data, rows, packed):
    path = tmp_path / (name + ".gz" if packed else name)
    path.write_bytes(gzip.compress(data) if packed else data)
    table = read_texts(path)
    assert list(zip(table.inputs, table.answers, strict=True)) == rows
    assert table.dropped == {}
    assert read_table(path, ["label"]) == {"label": [label for _, label in rows]}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_and_line_ends_of_other_systems(tmp_path, mark, end):
    (tmp_path / "data.csv").write_bytes(mark + csv_bytes([("a", "1"), ("b", "2")], end))
    assert read_table(tmp_path / "data.csv", ["text", "label"]) == {"text": ["a", "b"], "label": ["1", "2"]}


@pytest.mark.parametrize("some", [1, 2, 3, 7, 8])
def test_cells_are_taken_from_arrow_some_at_a_time(tmp_path, monkeypatch, some):
    monkeypatch.setattr("penstock.datasets.delimited._SOME", some)
    (tmp_path / "data.csv").write_bytes(csv_bytes([(f"t{row}", "1") for row in range(7)]))
    assert read_table(tmp_path / "data.csv", ["text"]) == {"text": [f"t{row}" for row in range(7)]}


def test_quotes_mean_nothing_in_a_tsv(tmp_path):
    (tmp_path / "data.tsv").write_bytes(b'label\ttext\n1\t"a\n0\tb" "c\n')
    assert read_texts(tmp_path / "data.tsv").inputs == ['"a', 'b" "c']


def test_a_row_may_be_long(tmp_path):
    (tmp_path / "data.csv").write_bytes(csv_bytes([("好" * 700_000, "1"), ("b", "2")]))
    assert [len(text) for text in read_texts(tmp_path / "data.csv").inputs] == [700_000, 1]


def test_labels_keep_the_types_of_json_and_parquet(tmp_path):
    (tmp_path / "data.jsonl").write_text('{"text": "a", "label": 1}\n{"text": "b", "label": true}\n{"text": "c"}')
    table = read_texts(tmp_path / "data.jsonl")
    assert table.answers == [1, True]
    assert table.answers[1] is True
    assert table.dropped == {"no label": 1}
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a", "b"], "label": [3, 4]}), tmp_path / "data.parquet")
    assert read_texts(tmp_path / "data.parquet").answers == [3, 4]


def test_rows_without_text_or_label_are_dropped_and_counted(tmp_path):
    (tmp_path / "data.csv").write_text('text,label\na,1\n,1\n"  ",0\n"",0\nb,\nc,0\n')
    table = read_texts(tmp_path / "data.csv")
    assert (table.inputs, table.answers) == (["a", "c"], ["1", "0"])
    assert table.dropped == {"no text": 3, "no label": 1}
    assert read_texts(tmp_path / "data.csv", answers=False).inputs == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("data.csv", b"", "is empty; expected names of columns, and rows"),
        ("data.csv", b"\n  \n", "is empty"),
        ("data.csv.gz", gzip.compress(b"", mtime=0), "is empty"),
        ("data.csv", b"text,label\n", "has columns, but no rows"),
        ("data.csv", b"a,b,label\nx,y,1\nz,w,1\n", "the column of texts may be 'a' or 'b'. Name it: --text COL"),
        ("data.csv", b"x,y,label\n1,2.5,1\n3,4.5,1\n", "none that looks like texts.* For signals, .*--series x,y"),
        ("data.csv", b"text;stars\na;1\n", "has no column label, and none that looks like labels; it has text, stars"),
        ("data.csv", b"Text,labels\na,1\n", "no column label .did you mean 'labels'"),
        ("data.csv", b"good,5\nbad,1\n", "its first row looks like data.*: '5'. .* --no-header"),
        ("data.csv", b"text,text,label\na,b,1\n", "has the column text more than once"),
        (
            "data.csv",
            b"text,label\na,1\nb,1,2\n",
            "Row #3: Expected 2 columns, got 3: b,1,2. .* ','. Quote texts",
        ),
        ("data.csv", b"text,label\na,1\nb\n", "Row #3: Expected 2 columns, got 1"),
        ("data.csv", b'text,label\na,1\n"b,1\nc,1\n', "Row #3"),
        ("data.tsv", b"label\ttext\n1\ta\tb\n", "Row #2: Expected 2 columns, got 3.*can't hold tabs"),
        (
            "data.csv",
            b"text,label\na,1\ncaf\xe9,1\n",
            "line 3: must be text in UTF-8; got the byte 0xe9.* cp1252: 'café,1'",
        ),
        ("data.csv", "text,label\na,1\n".encode("utf-16-le"), "got a zero byte.* in utf-16-le: 'text,label"),
        ("data.csv", b"text,label\na,1\n\0\0,1\n", "line 3: .* zero byte"),
        ("data.csv", b"text,label\n,1\n ,1\n", "no rows are left to use: 2 rows with no text"),
        ("data.jsonl", b'{"text": "a", "label": 1}\n\n{"text": \n', "line 3: must be a JSON object on one line"),
        ("data.jsonl", b"[1]\n", r"line 1: row 1 must be a JSON object; got 1"),
        ("data.jsonl", b"[" * 100_000, "line 1: row 1 must be an object on each line"),
        ("data.jsonl", b'{"text": "a"}', "has no column label, and none that looks like labels; it has text"),
        ("data.jsonl", b'{"text": "a\xff"}', "line 1: must be text in UTF-8"),
        ("data.jsonl", b'{"text": 3, "label": 1}', "texts must all be text; number 0 is 3 .int."),
        ("data.jsonl", b'{"text": "a", "label": [1]}', r"labels must be words or numbers.* number 0 is \[1\]"),
        ("data.parquet", b"PAR1 and then nothing", "can't be read as Parquet"),
        ("data.parquet", parquet_bytes(ROWS)[:-60], "can't be read as Parquet"),
        ("data.csv.gz", b"text,label\na,1\n", "can't be read: Not a gzipped file"),
        ("data.csv.gz", gzip.compress(csv_bytes(ROWS), mtime=0)[:-20], "can't be read"),
        ("data.xlsx", b"PK", "must end in one of .csv, .tsv, .jsonl.* Save the sheet as CSV"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=message) as caught:
        read_texts(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))


@pytest.mark.parametrize("name", ["data.csv", "data.tsv", "data.jsonl", "data.parquet", "data.csv.gz"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_binary_noise_is_refused(tmp_path, name, seed):
    (tmp_path / name).write_bytes(np.random.default_rng(seed).bytes(3000))
    with pytest.raises(DataError, match=name):
        read_texts(tmp_path / name)


def test_an_absent_file_a_folder_and_a_missing_column_in_parquet(tmp_path):
    with pytest.raises(DataError, match=r"absent.csv: can't be read: No such file"):
        read_texts(tmp_path / "absent.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"folder.csv: is a folder; expected a file"):
        read_texts(tmp_path / "folder.csv")
    (tmp_path / "data.parquet").write_bytes(parquet_bytes(ROWS))
    with pytest.raises(DataError, match=r"has no column review; it has text, label, n"):
        read_texts(tmp_path / "data.parquet", text="review")


@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
def test_without_pyarrow_the_message_says_what_to_install(tmp_path, monkeypatch, name):
    (tmp_path / name).write_bytes(csv_bytes(ROWS))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'penstock\[data\]'"):
        read_texts(tmp_path / name)


@pytest.mark.parametrize(
    ("file", "text", "label", "rows", "classes", "dropped"),
    [
        ("sst2/train.tsv", "text", "label", 6920, 2, {}),
        ("trec/train.tsv", "text", "coarse", 5452, 6, {}),
        ("sms_spam/sms_spam.tsv", "text", "label", 5574, 2, {}),
        ("reuters_r8/train.tsv.gz", "text", "label", 5485, 8, {}),
        ("tweeteval_irony/train.tsv", "text", "label", 2862, 2, {}),
        ("chnsenticorp_hotel/chnsenticorp_hotel.csv.gz", "review", "label", 7765, 2, {"no text": 1}),
        ("online_shopping_10_cats/online_shopping_10_cats.csv.gz", "review", "cat", 62773, 10, {"no text": 1}),
        ("ag_news_10k/train.csv.gz", "text", "label", 10_000, 4, {}),
    ],
)
def test_real_files(data_dir, file, text, label, rows, classes, dropped):
    if not os.path.isfile(data_dir / file):
        pytest.skip(f"no {file} in {data_dir}")
    table = read_texts(data_dir / file, text=text, label=label)
    assert len(table.inputs) == rows
    assert len(set(table.answers)) == classes
    assert table.dropped == dropped


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("name", "data", "rows"), KINDS, ids=[kind[0] for kind in KINDS])
def test_every_kind_of_file_gives_its_columns(tmp_path, name, data, rows, packed):
    path = tmp_path / (name + ".gz" if packed else name)
    path.write_bytes(gzip.compress(data) if packed else data)
    assert set(column_names(path)) - {"n"} == {"text", "label"}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("name", "data", "names"),
    [
        ("data.csv", b'\n"a\nb",c\n1,2\n', ["a\nb", "c"]),
        ("data.tsv", b'"a\tc\r\n1\t2\r\n', ['"a', "c"]),
        ("data.jsonl", b'\n{"a": 1, "c": 2}\n', ["a", "c"]),
    ],
)
def test_names_of_columns_come_from_the_first_row_alone(tmp_path, name, data, names, mark):
    """The rest, 8 GiB of zero bytes, would be refused if it were read."""
    with (tmp_path / name).open("wb") as file:
        file.write(mark + data + b"\n" * 70_000)
        file.truncate(8 << 30)
    assert column_names(tmp_path / name) == names


@pytest.mark.parametrize("name", ["data.csv.gz", "data.jsonl.gz"])
def test_a_gzipped_file_is_unpacked_as_far_as_it_is_read(tmp_path, name):
    first = b"a,b\n" if "csv" in name else b'{"a": 1, "b": 2}\n'
    whole = gzip.compress(first + np.random.default_rng(0).bytes(1 << 20).hex().encode())
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    assert column_names(tmp_path / name) == ["a", "b"]
    with pytest.raises(DataError, match="can't be read: Compressed file ended"):
        read_table(tmp_path / name, ["a"])


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("data.csv", b"", "is empty; expected names of columns"),
        ("data.csv", b"\n  \n", "is empty"),
        ("data.jsonl", b" \n", "is empty"),
        ("data.parquet", b"", "is empty"),
        ("data.parquet", b"PAR1 and then nothing", "can't be read as Parquet"),
        ("data.csv", b"a,b\xff\n", "line 1: must be text in UTF-8; got the byte 0xff"),
        ("data.tsv", b"a\tb\0\n", "line 1: .* zero byte"),
        ("data.jsonl", b'\n{"a": "\xff"}\n', "line 2: must be text in UTF-8"),
        ("data.jsonl", b"[1]\n", "line 1: row 1 must be a JSON object"),
        ("data.csv", b"a,b" * (6 << 20), "its first line holds no names of columns"),
        ("data.tsv", b"ab\t" * (6 << 20), "its first line holds no names of columns"),
        ("data.csv.gz", b"a,b\n", "can't be read: Not a gzipped file"),
        ("absent.csv", None, "can't be read: No such file"),
    ],
)
def test_what_is_wrong_with_the_first_row_is_said(tmp_path, name, data, message):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=message):
        column_names(tmp_path / name)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"\n" * 100_000 + b"1\t0.5\t1.5\n", True),
        (b"1\t" + b"0.123456789\t" * 20_000, True),  # longer than what is read
        (b"1\t" + b"0.123456789\t" * 20 + b"end\t" * 20_000, False),
        (b"label\ttext\n", False),
        (b"text in \xff\xfe bytes\n", False),
    ],
)
def test_a_table_of_the_ucr_archive_is_known_by_its_first_bytes(tmp_path, start, expected):
    with (tmp_path / "data.tsv").open("wb") as file:
        file.write(start)
        file.truncate(8 << 30)
    assert is_ucr(tmp_path / "data.tsv") == expected
