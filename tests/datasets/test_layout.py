"""Separators, headers and encodings: found by the stated rule, or as a person says."""

import logging

import pytest

from penstock.datasets import Layout, read_table
from penstock.datasets.layout import see
from penstock.datasets.readers import column_names, first_rows
from penstock.errors import ConfigError, DataError

ROWS = [["day", "note", "kWh"], ["2024-01-31", "warm, dry", "1,5"], ["2024-02-29", "", "2,25"]]
COLUMNS = {"day": ["2024-01-31", "2024-02-29"], "note": ["warm, dry", None], "kWh": ["1,5", "2,25"]}


def text_of(rows, separator):
    return "".join(separator.join(f'"{cell}"' if separator in cell else cell for cell in row) + "\n" for row in rows)


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
@pytest.mark.parametrize("first", ["", "sep={}\n"], ids=["plain", "declared"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_usual_separators_are_found(tmp_path, separator, first, ending):
    path = tmp_path / f"data{ending}"
    path.write_text(first.format(separator) + text_of(ROWS, separator), encoding="utf-8")
    assert column_names(path) == list(COLUMNS)
    assert first_rows(path) == COLUMNS
    assert read_table(path, list(COLUMNS)) == COLUMNS


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("text,label\nwell; at last; done,1\nfine,0\n", ","),  # marks in texts
        ("text;label\nwell, at last, done;1\nfine;0\n", ";"),
        ("day;kWh, net\n1.1.;1,5\n2.1.;2,5\n", ";"),  # as many columns by either
        ("id,tags|more,n\n1,a|b,3\n2,a|c,4\n", ","),  # the most columns
        ("text\nwell; at last\nfine\n", ","),  # one column
        ("text,label\na,b,c\nd;e,f\n", ","),  # the rows are wrong whatever it is
        ("a~b\n1~2\n", ","),
        ("", ","),
    ],
)
def test_other_characters_are_not_separators(tmp_path, text, separator):
    (tmp_path / "data.csv").write_text(text)
    assert see(tmp_path / "data.csv", Layout(), ".csv").separator == separator


def test_a_separator_of_ones_own(tmp_path):
    (tmp_path / "data.csv").write_text("a~b\n1~2\n")
    assert read_table(tmp_path / "data.csv", ["b"], Layout(separator="~")) == {"b": ["2"]}
    (tmp_path / "data.csv").write_text("a,x\tb\n1\t2\n")
    assert read_table(tmp_path / "data.csv", ["b"], Layout(separator="tab")) == {"b": ["2"]}


@pytest.mark.parametrize("first", ["", "sep=;\n"])
def test_without_a_header_columns_have_numbers(tmp_path, first):
    path = tmp_path / "data.csv"
    path.write_text(first + text_of(ROWS[1:], ";"))
    layout = Layout(header=False)
    numbered = {str(place): values for place, values in enumerate(COLUMNS.values(), start=1)}
    assert column_names(path, layout) == ["1", "2", "3"]
    assert first_rows(path, layout) == numbered
    assert read_table(path, ["1", "3"], layout) == {"1": numbered["1"], "3": numbered["3"]}
    with pytest.raises(DataError, match=r"has no column day; it has 1, 2, 3"):
        read_table(path, ["day"], layout)


@pytest.mark.parametrize("text", ["good,5\nbad,1\n", "fine,pos\npoor,neg\nbest,pos\n", "2024-01-01;a\n2024-01-02;b\n"])
def test_a_first_row_of_data_gives_no_names(tmp_path, text):
    (tmp_path / "data.csv").write_text(text)
    with pytest.raises(DataError, match=r"looks like data.* say so with --no-header .* called 1 to 2"):
        first_rows(tmp_path / "data.csv")


def test_a_head_is_the_first_bytes_alone(tmp_path):
    """The rest, 8 GiB of zero bytes, would be refused if it were read."""
    with (tmp_path / "data.csv").open("wb") as file:
        file.write(b"a;b\n1;2\n" + b"3;4\n" * 100_000)
        file.truncate(8 << 30)
    head = first_rows(tmp_path / "data.csv")
    assert {name: (len(values), values[0]) for name, values in head.items()} == {"a": (1000, "1"), "b": (1000, "2")}


def test_a_cell_that_is_longer_than_the_head_ends_it(tmp_path):
    (tmp_path / "data.csv").write_text("a,b\n1,2\n" + "x" * 200_000 + ",3\n4,5\n")
    assert first_rows(tmp_path / "data.csv") == {"a": ["1"], "b": ["2"]}


def test_an_index_without_a_name_is_a_column(tmp_path):
    (tmp_path / "data.csv").write_text(",a\n0,x\n1,\n")
    assert first_rows(tmp_path / "data.csv") == {"": ["0", "1"], "a": ["x", None]}


def test_what_is_unusual_is_said_in_a_line(tmp_path, caplog):
    caplog.set_level(logging.INFO, "penstock")
    (tmp_path / "usual.csv").write_text("a,b\n1,2\n")
    (tmp_path / "other.csv").write_text("a;b\n1;2\n", encoding="utf-16")
    read_table(tmp_path / "usual.csv", ["a"])
    read_table(tmp_path / "other.csv", ["a"])
    assert [record.message for record in caplog.records] == [
        f"{tmp_path / 'other.csv'}: separator ';', encoding utf-16-le"
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"separator": ";;"}, "must be one character"),
        ({"separator": ""}, "must be one character"),
        ({"separator": "x"}, "must be one character"),
        ({"separator": "；"}, "must be one character"),
        ({"encoding": "utf-9"}, "must be one that Python knows"),
        ({"encoding": "idna"}, "must be one that Python knows"),
        ({"encoding": "base64"}, "must be one that Python knows"),
        ({"encoding": "\0"}, "must be one that Python knows"),
        ({"decimal": "'"}, "decimal mark must be"),
    ],
)
def test_what_is_not_a_layout_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        Layout(**given)
