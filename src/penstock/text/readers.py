"""Texts and labels from files."""

import io
from pathlib import Path

from penstock.datasets.columns import as_texts, text_table
from penstock.datasets.encodings import as_utf8
from penstock.datasets.files import all_bytes
from penstock.datasets.layout import DETECT, Layout, layout_of
from penstock.datasets.lines import text_lines
from penstock.datasets.readers import read_table
from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.registry import Columns

__all__ = ["read_inputs", "read_text_rows", "read_texts"]


def read_texts(path: str | Path, *, text: str = "text", label: str | None = "label", layout: Layout = DETECT) -> Rows:
    """The texts and labels of a file; label None: texts alone. Labels of CSV and TSV are str, as they stand there.

    Raises:
        DataError: as `read_table`; or a column that holds no texts, no labels, or nothing at all.
    """
    table = read_table(path, [text] if label is None else [text, label], layout)
    try:
        return text_table(table[text], None if label is None else table[label])
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def read_inputs(path: str | Path, *, text: str = "text", layout: Layout = DETECT) -> Rows:
    """The texts of a file to answer, one for each row of a table or line of a .txt file; a missing one is empty.

    A row in, a row out: answers must stay beside their rows, so none is dropped.

    Raises:
        DataError: the file can't be read, or the column holds no texts.
    """
    path = Path(path)
    if path.suffix.lower() == ".txt":
        return Rows(list(text_lines(io.BytesIO(as_utf8(path, all_bytes(path), layout.encoding)), str(path))))
    texts = as_texts(read_table(path, [text], layout)[text], f"the column {text} of {path}")
    return Rows([each or "" for each in texts])


def read_text_rows(path: Path, columns: Columns, answers: bool) -> Rows:
    """Texts and their labels."""
    layout = layout_of(columns)
    if answers:
        return read_texts(path, text=columns["text"], label=columns["label"], layout=layout)
    return read_inputs(path, text=columns["text"], layout=layout)
