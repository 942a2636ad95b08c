"""Rows of many files: which files, which columns, which part each row belongs to."""

import gzip
import json
import logging
from pathlib import Path

import fsspec
import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from penstock.datasets.readers import read_table, stream_table
from penstock.datasets.remote import address
from penstock.errors import DataError
from penstock.shards import Shards, data_files, is_several
from penstock.shards.files import identities

TABLE = {"text": ["one", 'two, "too"', "three\nlines", "中", None], "label": ["1", "0", "1", "007", "0"]}
COLUMNS = {"text": "text", "label": "label"}
LOGGER = logging.getLogger("penstock.shards")


def write(path, table=TABLE):
    """Write a table in the form that the file's ending tells."""
    if path.suffix == ".parquet":
        parquet.write_table(pyarrow.table(table), path)
        return path
    if ".jsonl" in path.name:
        rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
        data = "".join(json.dumps(row) + "\n" for row in rows)
    else:
        cells = [
            ["" if one is None else '"' + one.replace('"', '""') + '"' for one in column] for column in table.values()
        ]
        data = "\n".join(",".join(row) for row in [list(table), *zip(*cells, strict=True)]) + "\n"
    path.write_bytes(gzip.compress(data.encode()) if path.suffix == ".gz" else data.encode())
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.parquet"])
def test_a_file_has_the_same_rows_whichever_way_it_is_read(tmp_path, name):
    path = write(tmp_path / name)
    whole = read_table(path, ["label", "text"])
    blocks = list(stream_table(path, ["label", "text"]))
    assert {column: [one for block in blocks for one in block[column]] for column in whole} == whole == TABLE


def test_files_of_one_kind_are_read_in_order_and_others_left_out(tmp_path, caplog):
    (tmp_path / "more").mkdir()
    for name in ("b.csv", "a.csv", "more/c.csv.gz", ".hidden.csv", "_SUCCESS", "notes.md"):
        write(tmp_path / name)
    with caplog.at_level("INFO"):
        assert [path.name for path in data_files(tmp_path)] == ["a.csv", "b.csv", "c.csv.gz"]
    assert "1 of other kinds are left out" in caplog.text
    write(tmp_path / "d.parquet")
    with pytest.raises(DataError, match=r"one kind; it has 3 of \.csv, 1 of \.parquet"):
        data_files(tmp_path)


def test_a_folder_without_tables_is_refused(tmp_path):
    (tmp_path / "picture.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"holds no tables .* it has \.png"):
        data_files(tmp_path)


def test_columns_that_differ_between_files_are_named_before_reading(tmp_path):
    files = (write(tmp_path / "a.csv"), write(tmp_path / "b.csv", {"Text": ["x"], "label": ["1"]}))
    with pytest.raises(DataError, match=r"b\.csv: has no column text \(did you mean 'Text'\?\).*found in .*a\.csv"):
        Shards(files, COLUMNS).check()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"text,label\nx,1\ny,1,2\n", r"a\.csv: Row #3: Expected 2 columns, got 3"),
        (b"text,label\nx,1\n\xff\xfe,0\n", r"a\.csv, line 3: must be text in UTF-8"),
        (b"text,label\n" + 5000 * b"x,1\n" + b"\xff\xfe,0\n", r"a\.csv: .*Row #5002.*invalid UTF8"),
        (b"text,label\nx,1\nx\0y,0\n", r"a\.csv: must be text; it has zero bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_row(tmp_path, content, said):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        list(stream_table(path, ["text", "label"]))


def test_a_column_that_no_line_of_json_has_is_refused(tmp_path):
    path = write(tmp_path / "a.jsonl", {"text": ["x"]})
    with pytest.raises(DataError, match="has no column label"):
        list(stream_table(path, ["text", "label"]))


def test_parts_are_disjoint_and_depend_on_the_seed_alone(tmp_path):
    files = tuple(write(tmp_path / f"{name}.csv", {"text": ["x"] * 300, "label": ["1"] * 300}) for name in "ab")
    whole = Shards(files, COLUMNS)
    assert whole.estimated_rows == 600
    parts = whole.split((0.8, 0.1, 0.1), 5)
    draws = np.concatenate([block.draws for block in parts[0].blocks("reading", LOGGER)])
    held = np.stack([part.holds(draws) for part in parts])
    assert (held.sum(axis=0) == 1).all()
    assert held.sum(axis=1) == pytest.approx([480, 60, 60], abs=25)  # three standard deviations of the binomial
    again = np.concatenate([block.draws for block in whole.split((0.8, 0.2), 5)[1].blocks("reading", LOGGER)])
    np.testing.assert_array_equal(again, draws)
    assert len(set(draws)) == 600


def test_files_behind_an_address_are_read_like_local_ones(tmp_path):
    system = fsspec.filesystem("memory")
    local = write(tmp_path / "a.csv.gz")
    for name in ("a.csv.gz", "b.csv.gz"):
        with system.open(f"/reviews/{name}", "wb") as file:
            file.write(local.read_bytes())
    try:
        place = Path("memory://reviews")  # of which `Path` makes memory:/reviews
        assert is_several(place)
        files = data_files(place)
        assert list(map(str, files)) == ["memory:///reviews/a.csv.gz", "memory:///reviews/b.csv.gz"]
        shards = Shards(tuple(files), COLUMNS)
        shards.check()
        texts = [one for block in shards.blocks("reading", LOGGER) for one in block.columns["text"]]
        assert texts == 2 * TABLE["text"]
        before = identities(files)
        with system.open("/reviews/a.csv.gz", "wb") as file:
            file.write(gzip.compress(b"text,label\nx,1\n"))
        assert identities(files)[0] != before[0]
    finally:
        system.rm("/reviews", recursive=True)


def test_an_address_that_leads_nowhere_says_why():
    assert address("s3:/bucket/x") == "s3://bucket/x"
    assert address("/here") is None
    with pytest.raises(DataError, match=r"memory://nothing: (can't be reached|holds no files)"):
        data_files(Path("memory:/nothing"))
    with pytest.raises(DataError, match="nokind://x: can't be reached"):
        data_files(Path("nokind:/x"))
