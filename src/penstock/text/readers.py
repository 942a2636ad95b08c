"""Reads texts and labels from files.

A column of texts that nobody named is found by its usual name; else as the only column of texts that mostly differ;
else, if there is none and no columns of numbers that may be signals, as the only column of words beside the labels. If
the labels aren't named either, there must be two columns of words, and only the texts' may have several words in most
rows.
"""

import io
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from penstock.datasets.changes import change, counted
from penstock.datasets.columns import as_texts, text_table
from penstock.datasets.encodings import as_utf8
from penstock.datasets.files import all_bytes, opened
from penstock.datasets.finding import (
    Head,
    find_column,
    holds_labels,
    holds_numbers,
    holds_phrases,
    holds_texts,
    holds_words,
    is_index,
    say_found,
    usual_name,
)
from penstock.datasets.layout import DETECT, Layout, layout_of
from penstock.datasets.lines import text_lines
from penstock.datasets.readers import column_names, first_rows, read_table, stream_table
from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.events import say
from penstock.registry import Columns
from penstock.shards import Shards, data_files, is_large, is_several

__all__ = ["read_inputs", "read_shards", "read_text_rows", "read_texts", "stream_inputs"]

_LOGGER = logging.getLogger(__name__)
_LINES = 1000


def read_texts(
    path: str | Path,
    *,
    text: str | None = None,
    label: str | None = None,
    answers: bool = True,
    layout: Layout = DETECT,
) -> Rows:
    """Read the texts and labels of a file. Labels of CSV and TSV are unchanged str.

    Args:
        path: a table, as `read_table` reads it.
        text, label: the columns; None for "text" and "label", or the only possible ones.
        answers: False to read only texts.
        layout: the layout of a text table.

    Raises:
        DataError: as in `read_table`; or a column has invalid values or none.
    """
    path = Path(path)
    columns = _columns(path, text, label, answers, layout)
    with counted() as changed:
        table = read_table(path, list(columns.values()), layout)
        try:
            rows = text_table(table[columns["text"]], table[columns["label"]] if answers else None)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
    return replace(rows, columns=columns, changed=dict(changed))


def read_inputs(path: str | Path, *, text: str | None = None, layout: Layout = DETECT) -> Rows:
    """Read the texts of a file for prediction: a text for each row, or line of a .txt file; a missing text is empty.

    No row is dropped, so that predictions match the rows.

    Raises:
        DataError: the file cannot be read, or the column has no texts.
    """
    path = Path(path)
    if path.suffix.lower() == ".txt":
        return Rows(list(text_lines(io.BytesIO(as_utf8(path, all_bytes(path), layout.encoding)), str(path))))
    name = _columns(path, text, None, False, layout)["text"]
    with counted() as changed:
        rows = _inputs(path, name, read_table(path, [name], layout)[name])
    return replace(rows, changed=dict(changed))


def _inputs(path: Path, name: str, values: Sequence[Any]) -> Rows:
    """Return the texts of a column, an empty one for each that is missing, which is counted."""
    texts = as_texts(values, f"the column {name} of {path}")
    missing = sum(each is None or not each.strip() for each in texts)
    said = f"{path}: {missing} rows without a text are predicted as empty texts"
    change(_LOGGER, "rows without a text, read as empty", missing, said)
    return Rows([each or "" for each in texts])


def read_shards(
    path: str | Path, *, text: str | None = None, label: str | None = None, layout: Layout = DETECT
) -> Shards:
    """Find the texts and labels of many files, which stay on disk, for `TextClassifier.fit` in place of X.

    Args:
        path: a folder or a file, or an address that fsspec knows, such as "s3://bucket/reviews".
        text, label: the columns; None for "text" and "label", or the only possible ones of the first file.
        layout: the layout of text tables.

    Raises:
        DataError: there are no files of one kind; or the first one has no such columns.
        MissingExtraError: a package for such files or addresses is not installed.

    Examples:
        >>> from penstock import TextClassifier, read_shards
        >>> rows = read_shards("reviews/")  # doctest: +SKIP
        >>> train, valid = TextClassifier.split(rows, (0.9, 0.1), random_state=0)  # doctest: +SKIP
        >>> classifier = TextClassifier().fit(train, None, validation_data=(valid, None))  # doctest: +SKIP
    """
    files = data_files(Path(path))
    return Shards(tuple(files), _columns(files[0], text, label, True, layout), layout)


def stream_inputs(path: Path, columns: Columns) -> Iterator[Rows]:
    """Yield the texts of a file as `read_inputs` returns them, some at a time, in constant memory.

    Raises:
        DataError: as `read_inputs`, once the rows before the fault were yielded.
    """
    layout = layout_of(columns)
    if path.name.lower().removesuffix(".gz").endswith(".txt"):
        with opened(path) as file:
            lines = text_lines(file, str(path))
            while some := list(islice(lines, _LINES)):
                yield Rows(some)
        return
    name = _columns(path, columns["text"], None, False, layout)["text"]
    for table in stream_table(path, [name], layout):
        yield _inputs(path, name, table[name])


def read_text_rows(path: Path, columns: Columns, answers: bool) -> Rows | Shards:
    """Read texts and their labels; those of a folder, an address or a large file stay there, see `Shards`."""
    layout = layout_of(columns)
    if answers and is_large(path):
        size = path.stat().st_size
        say(_LOGGER, "reading", f"{path} ({size / 1e6:,.0f} MB) stays on disk, like a folder of one file", bytes=size)
    if answers and (is_several(path) or is_large(path)):
        return read_shards(path, text=columns["text"], label=columns["label"], layout=layout)
    if answers:
        return read_texts(path, text=columns["text"], label=columns["label"], layout=layout)
    return read_inputs(path, text=columns["text"], layout=layout)


def _columns(path: Path, text: str | None, label: str | None, answers: bool, layout: Layout) -> dict[str, str]:
    """The columns of texts and labels: those named, the usual ones, or the only ones that are possible."""
    named = {"text": text} | ({"label": label} if answers else {})
    usual = {kind: name or kind for kind, name in named.items()}
    if all(named.values()) or set(usual.values()) <= set(column_names(path, layout)):
        return usual
    head = first_rows(path, layout)
    found: dict[str, str] = {kind: name for kind, name in named.items() if name}
    by_name = {kind: usual_name(kind, head) for kind in ("text", "label") if kind not in found}
    by_label = not answers or label is not None or by_name.get("label") is not None
    try:
        for kind in named:
            if kind not in found:
                taken = [*found.values(), *(name for other, name in by_name.items() if name and other != kind)]
                fits = _text_test(head, taken, by_label=by_label) if kind == "text" else holds_labels
                found[kind] = find_column(head, taken, fits, usual=kind, what=f"{kind}s", flag=f"--{kind}")
    except DataError as error:
        raise DataError(f"{path}: {error}{_recurring(head, found)}{_signals(head)}") from error
    say_found(f"{path}: ", {f"{kind}s": found[kind] for kind in named})
    if by_name.get("text", "") is None and not holds_texts(texts := head[found["text"]]):
        count = len({text for text in texts if text})
        _LOGGER.info(
            "%s: texts in %r recur: %d different ones; --text names another column", path, found["text"], count
        )
    return {kind: found[kind] for kind in named}


def _text_test(head: Head, taken: Collection[str], *, by_label: bool) -> Callable[[Sequence[Any]], bool]:
    """Choose the test for a column of texts by the rules above.

    Args:
        head: the first rows.
        taken: columns with another role.
        by_label: whether the column of labels is known, or not needed.
    """
    left = [values for name, values in head.items() if name not in taken and not is_index(name)]
    if any(map(holds_texts, left)) or sum(map(holds_numbers, left)) > 1:  # several columns of numbers may be signals
        return holds_texts
    if by_label:
        return holds_words
    return holds_phrases if sum(map(holds_words, left)) == 2 else holds_texts


def _recurring(head: Head, found: Collection[str]) -> str:
    """The hint for a file without a column of texts that mostly differ, but with columns of words."""
    words = [name for name, values in head.items() if name not in found and not is_index(name) and holds_words(values)]
    if any(holds_texts(head[name]) for name in words) or not words:
        return ""
    return f" Words that recur are in {', '.join(words):.100}: texts, or labels?"


def _signals(head: Head) -> str:
    numbers = [name for name, values in head.items() if holds_numbers(values)]
    return f" For signals, name the columns of numbers: --series {','.join(numbers[:4])}" if len(numbers) > 1 else ""
