"""JSON as people have it: lines, arrays, columns; the same rows from each, and errors that name the place."""

import gzip
import json
import logging

import pandas
import pytest

from penstock.datasets import json_tables, read_table
from penstock.datasets.readers import column_names, first_rows
from penstock.errors import DataError
from penstock.text.readers import read_texts

ROWS = [{"text": "good 好", "label": 1}, {"text": "bad", "label": "x"}, {"text": "so\nso", "label": True}]
COLUMNS = {name: [row[name] for row in ROWS] for name in ("text", "label")}
FRAME = pandas.DataFrame(COLUMNS)
FORMS = {
    "lines": "\n".join(map(json.dumps, ROWS)),
    "array": json.dumps(ROWS),
    "array over lines": json.dumps(ROWS, indent=2, ensure_ascii=False),
    "objects over lines": "\n".join(json.dumps(row, indent=1) for row in ROWS),
    "columns": json.dumps(COLUMNS),
    "columns over lines": json.dumps(COLUMNS, indent="\t"),
    "pandas": FRAME.to_json(),
    "records of pandas": FRAME.to_json(orient="records"),
    "an index of pandas": FRAME.set_index(pandas.Index(["c", "a", "b"])).to_json(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["data.json", "data.json.gz"])
def test_every_form_gives_the_same_rows(tmp_path, form, name):
    data = FORMS[form].encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert column_names(tmp_path / name) == ["text", "label"]
    assert first_rows(tmp_path / name) == COLUMNS
    assert read_table(tmp_path / name, ["label", "text"]) == COLUMNS
    assert read_texts(tmp_path / name).answers == COLUMNS["label"]


@pytest.mark.parametrize(("form", "said"), [("array", ["one JSON array"]), ("lines", [])])
def test_the_form_is_said_if_it_is_not_lines(tmp_path, caplog, form, said):
    caplog.set_level(logging.INFO, "penstock")
    (tmp_path / "data.jsonl").write_text(FORMS[form])
    read_table(tmp_path / "data.jsonl", ["text"])
    assert [record.message for record in caplog.records] == [f"{tmp_path / 'data.jsonl'}: {words}" for words in said]


def test_a_row_of_lists_is_a_row_in_json_lines(tmp_path):
    """One line may be a row with a signal in each cell, or columns: the file's ending decides."""
    for ending, x in (("jsonl", [[1, 2]]), ("json", [1, 2])):
        (tmp_path / f"data.{ending}").write_text('{"x": [1, 2], "y": [3, 4]}\n')
        assert read_table(tmp_path / f"data.{ending}", ["x"]) == {"x": x}
    (tmp_path / "data.json").write_text('{"x": [1, 2], "y": [3]}')
    assert read_table(tmp_path / "data.json", ["x"]) == {"x": [[1, 2]]}


def test_one_object_of_values_is_a_row(tmp_path):
    (tmp_path / "data.json").write_text('{\n  "x": 1,\n  "y": null\n}\n')
    assert read_table(tmp_path / "data.json", ["x", "y"]) == {"x": [1], "y": [None]}


def test_a_row_may_lack_a_column(tmp_path):
    (tmp_path / "data.json").write_text('[{"a": 1}, {"b": 2, "a": null}, {}]')
    assert read_table(tmp_path / "data.json", ["a", "b"]) == {"a": [1, None, None], "b": [None, 2, None]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[\n{"a": 1},\n{"a": 2,}]', r"line 3: row 2 must be an object on each line, .* for each column: "),
        ('[\n{"a": 1},\n\n3]', "line 4: row 2 must be a JSON object; got 3"),
        ('[\n{"a": 1}\n{"a": 2}]', "line 3: an array must have commas between its rows, and end with ]; got"),
        ('[{"a": 1}', "line 1: an array must have commas .* after row 1"),
        ('[{"a": 1}, {"a":', "line 1: row 2 must be"),
        ('[{"a": 1}]\n[{"a": 2}]', "line 1: an array must have commas"),
        ("[]", "has no column a; it has"),
        ('[\n{"a": 1, "a": 2}]', "line 2: row 1 .*: an object has the key 'a' twice"),
        ('{"a": 1, "a": 2}\n{"a": 3}', "line 1: .* an object has the key 'a' twice"),
        ('{"a": [1, 2],\n "b": [3]}', "columns must all have the same length; got 2 of a, 1 of b"),
        ('{"a": {"0": 1},\n "b": {"1": 3}}', "must all have the same rows; b has none called '0'"),
        ('{"data": [{"a": 1}],\n "version": 2}', r"got one with the keys data, version. In pandas: .*'records'"),
        ('{"columns": ["a"],\n "index": [0],\n "data": [[1]]}', "got one with the keys columns, index, data"),
        ('{"a": [1,\n 2', "line 2: row 1 must be"),
        ("[" * 100_000, "row 1 must be an object"),
        ('"a"', "line 1: must be a JSON object on one line"),
    ],
)
@pytest.mark.parametrize("read", [lambda path: read_table(path, ["a"]), first_rows], ids=["read", "head"])
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, message, read):
    path = tmp_path / "data.json"
    path.write_text(text)
    if read is first_rows and text == "[]":
        assert read(path) == {}
        return
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value)) < 400 + len(str(path))


def test_the_head_of_an_array_is_read_as_far_as_needed(tmp_path, monkeypatch):
    path = tmp_path / "data.json"
    path.write_text("[" + ", ".join(['{"a": 1}'] * 40_000) + ", broken")
    assert first_rows(path) == {"a": [1] * 1000}
    assert column_names(path) == ["a"]
    monkeypatch.setattr(json_tables, "_LARGEST", 1000)
    assert column_names(path) == ["a"]
    with pytest.raises(DataError, match=r"at most 1,000 bytes to be read as one JSON array.*\.jsonl"):
        read_table(path, ["a"])


def test_lines_of_any_size_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(json_tables, "_LARGEST", 10)
    (tmp_path / "data.json").write_text('{"a": 1, "b": 2}\n' * 3)
    assert read_table(tmp_path / "data.json", ["b"]) == {"b": [2, 2, 2]}
