"""Readers of sentence pairs: two files, tables, and what can be wrong with them before any training."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.translate.readers import read_pairs

SOURCES, TARGETS = ["Ein Hund.", "Zwei Katzen\u2028hier", "Drei"], ["A dog.", "Two cats here", "Three"]


def two_files(folder: Path, sources: str, targets: str) -> tuple[Path, dict[str, Any]]:
    (folder / "a.de").write_text(sources, encoding="utf-8", newline="")
    (folder / "a.en").write_text(targets, encoding="utf-8", newline="")
    return folder / "a.de", {"target_file": folder / "a.en"}


def table(path: Path, sources: list[str], targets: list[str], names: tuple[str, str]) -> Path:
    rows = [dict(zip(names, pair, strict=True)) for pair in zip(sources, targets, strict=True)]
    ending = path.name.removesuffix(".gz")
    if ending.endswith(".parquet"):
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        return path
    if ending.endswith(".jsonl"):
        text = "\n".join(map(json.dumps, rows))
    else:
        between = "\t" if ending.endswith(".tsv") else ","
        text = "\n".join(between.join(row) for row in [names, *zip(sources, targets, strict=True)])
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_two_files_line_by_line(tmp_path: Path, end: str) -> None:
    rows = read_pairs(*two_files(tmp_path, end.join(SOURCES), end.join(TARGETS) + end), answers=True)

    assert rows == Rows(SOURCES, TARGETS)


def test_gzipped_files_and_other_encodings(tmp_path: Path) -> None:
    source, target = tmp_path / "a.zh.gz", tmp_path / "a.en.txt"
    source.write_bytes(gzip.compress("你好\n再见".encode("gb18030")))
    target.write_text("hello\nbye", encoding="gb18030")

    rows = read_pairs(source, {"target_file": target, "encoding": "gb18030"}, answers=True)

    assert rows == Rows(["你好", "再见"], ["hello", "bye"])
    with pytest.raises(DataError, match=r"must be text in UTF-8.*gb18030"):
        read_pairs(source, {"target_file": target}, answers=True)


@pytest.mark.parametrize("names", [("source", "target"), ("de", "en"), ("Source", "note")], ids=str)
@pytest.mark.parametrize("ending", [".csv", ".tsv.gz", ".jsonl", ".parquet"])
def test_tables(tmp_path: Path, ending: str, names: tuple[str, str]) -> None:
    path = table(tmp_path / f"pairs{ending}", ["Ein Hund.", "Zwei"], ["A dog.", "Two"], names)

    rows = read_pairs(path, {}, answers=True)

    assert rows == Rows(["Ein Hund.", "Zwei"], ["A dog.", "Two"])
    assert rows.columns == {"source": names[0], "target": names[1]}
    assert read_pairs(path, {"source": names[1]}, answers=False).inputs == ["A dog.", "Two"]


def test_a_table_without_a_header(tmp_path: Path) -> None:
    path = table(tmp_path / "pairs.tsv", ["Wo ist er?"], ["Where is he?"], ("Geh.", "Go."))

    with pytest.raises(DataError, match=r"first row looks like a pair of sentences.*--no-header"):
        read_pairs(path, {}, answers=True)
    assert read_pairs(path, {"header": False}, answers=True).answers == ["Go.", "Where is he?"]


def test_empty_sentences_are_dropped_and_counted(tmp_path: Path) -> None:
    path, columns = two_files(tmp_path, "a\n\nc\nd\n \n", "A\nB\nC\n\t\n\n")

    rows = read_pairs(path, columns, answers=True)

    assert (rows.inputs, rows.answers) == (["a", "c"], ["A", "C"])
    assert rows.dropped == {"no source": 2, "no target": 1}


def test_predictions_belong_to_lines(tmp_path: Path) -> None:
    path, _ = two_files(tmp_path, "a\n\nc\n", "A\n")

    rows = read_pairs(path, {}, answers=False)

    assert rows.inputs == ["a", "", "c"]
    assert rows.changed == {"rows without a text, read as empty": 1}
    lines = tmp_path / "x.jsonl"
    lines.write_text('{"source": "a"}\n{"source": null}\n')
    assert read_pairs(lines, {}, answers=False).inputs == ["a", ""]


def test_files_that_do_not_belong_together(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def refused(sources: str, targets: str, words: str) -> None:
        with pytest.raises(DataError, match=words):
            read_pairs(*two_files(tmp_path, sources, targets), answers=True)

    refused("a\nb\nc", "A\nB", r"a.de has 3 lines and .*a.en has 2; line n of one")
    refused("a\nb", "\n \n", r"a.en: must have a sentence on each line; it is empty")
    refused("a\n", "", "it is empty")
    refused("a\n\n", "\nB\n", "no pairs of sentences are left to use: 1 pairs with no target, 1 pairs with no source")
    path, _ = two_files(tmp_path, "a", "a")
    with pytest.raises(DataError, match="are the same file"):
        read_pairs(path, {"target_file": tmp_path / "." / "a.de"}, answers=True)
    with pytest.raises(DataError, match="second file with the translation of each line, TARGET_FILE"):
        read_pairs(path, {}, answers=True)
    assert read_pairs(*two_files(tmp_path, "a", "a"), answers=True).answers == ["a"]
    assert "hold the same text" in caplog.text


def test_tables_without_the_columns(tmp_path: Path) -> None:
    path = table(tmp_path / "pairs.csv", ["a"], ["b"], ("source", "target"))
    (tmp_path / "three.csv").write_text("de,en,fr\nein,one,un\n")

    with pytest.raises(DataError, match="has no column ru"):
        read_pairs(path, {"target": "ru"}, answers=True)
    with pytest.raises(DataError, match=r"sources may be 'de' or 'en' or 'fr'. Name it: --source"):
        read_pairs(tmp_path / "three.csv", {}, answers=True)
    with pytest.raises(DataError, match="two columns; got source for both"):
        read_pairs(path, {"target": "source"}, answers=True)
    with pytest.raises(DataError, match="is a table, which holds the translations itself"):
        read_pairs(path, {"target_file": tmp_path / "b"}, answers=True)
    with pytest.raises(DataError, match="Give the table alone"):
        read_pairs(tmp_path / "a.de", {"target_file": path}, answers=True)
