"""Reads what language models learn from: plain text, folders of it, a column of a table, or frames of notes in JSON."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.datasets.changes import counted
from penstock.datasets.columns import text_table
from penstock.datasets.encodings import as_utf8
from penstock.datasets.files import all_bytes
from penstock.datasets.finding import find_column, holds_labels, holds_words, say_found
from penstock.datasets.layout import DETECT, Layout, layout_of
from penstock.datasets.lines import text_lines
from penstock.datasets.plain import stream_plain
from penstock.datasets.readers import first_rows, read_table, table_ending
from penstock.datasets.remote import address
from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.language.files import TextFiles
from penstock.registry import Columns
from penstock.shards import data_files, is_several

__all__ = [
    "MOST_IN_MEMORY",
    "Corpus",
    "find_corpus",
    "read_corpus",
    "read_corpus_rows",
    "read_prompts",
    "read_text_files",
]

MOST_IN_MEMORY = 1 << 26
"""Bytes, as stored, above which texts are read piece by piece: n-grams of all tokens would take much more memory."""

_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_PARTS = {"train": "train", "valid": "valid", "validation": "valid", "dev": "valid", "test": "test"}


@dataclass(frozen=True)
class Corpus(Rows):
    """Texts or pieces, and where the file itself divides them, each part: train, valid, test."""

    parts: Mapping[str, list[Any]] = field(default_factory=dict)


def read_corpus(
    path: str | Path, *, text: str | None = None, part: str | None = None, layout: Layout = DETECT
) -> Corpus:
    """Read texts into memory: a plain text is one, a table has one for each row, a folder those of all its files.

    A JSON file has pieces of music: a list of pieces, which are lists of frames, which are lists of the notes that
    sound; or such lists by the names train, valid and test.

    Args:
        path: a file, plain or .gz, or a folder.
        text: the column of a table; None for "text", or the only possible one.
        part: which of the parts of a JSON file to read; None for all, and `parts` has each.
        layout: the layout of a text table, and the encoding of plain text.

    Raises:
        DataError: the file can't be read, or has no text.
    """
    path = Path(path)
    ending = path.name.lower().removesuffix(".gz")
    if is_several(path):
        found = Corpus(**vars(read_text_files(path, text=text, layout=layout).loaded()))
    elif ending.endswith(_TABLES):
        found = _table(path, text, layout)
    elif ending.endswith(".json"):
        found = _json(path, text, part, layout)
    else:
        with counted() as changed:
            found = Corpus(["".join(stream_plain(path, layout.encoding))], changed=changed)
    return _checked(path, found, part)


def read_text_files(path: str | Path, *, text: str | None = None, layout: Layout = DETECT) -> TextFiles:
    """Find texts that may be larger than memory, for `LanguageModel.fit` in place of X; they stay on disk.

    Args:
        path: a folder of tables of one kind, or of .txt files; an address of such a folder that fsspec knows, such as
            "s3://bucket/books"; or one such file. Plain or .gz.
        text: the column of tables; None for "text", or the only possible one of the first file.
        layout: the layout of text tables, and the encoding of plain text.

    Raises:
        DataError: there are no files of one kind; or the first one has no such column.
        MissingExtraError: a package for such files or addresses is not installed.

    Examples:
        >>> from penstock import LanguageModel, read_text_files
        >>> train, valid = LanguageModel.split(read_text_files("books/"), (0.9, 0.1), 0)  # doctest: +SKIP
        >>> model = LanguageModel(cache="/scratch/penstock").fit(train, validation_data=valid)  # doctest: +SKIP
    """
    path = Path(path)
    files = tuple(data_files(path))
    columns = {} if table_ending(files[0]) is None else {"text": _text_column(files[0], text, layout)}
    return TextFiles(files, columns, layout)


def read_prompts(path: str | Path, *, text: str | None = None, layout: Layout = DETECT) -> Rows:
    """Read what is to be continued: each line of a plain text, each row of a table, each piece of a JSON file."""
    path = Path(path)
    ending = path.name.lower().removesuffix(".gz")
    if path.is_dir() or ending.endswith((*_TABLES, ".json")):
        return read_corpus(path, text=text, layout=layout)
    return Rows(list(text_lines(io.BytesIO(as_utf8(path, all_bytes(path), layout.encoding)), str(path))))


def read_corpus_rows(path: Path, columns: Columns, answers: bool) -> Rows | TextFiles:
    """Read a corpus to learn from or to be evaluated on; without `answers` what is to be continued."""
    layout = layout_of(columns)
    if not answers:
        return read_prompts(path, text=columns["text"], layout=layout)
    return find_corpus(path, text=columns["text"], part=columns["part"], layout=layout)


def find_corpus(
    path: str | Path, *, text: str | None = None, part: str | None = None, layout: Layout = DETECT
) -> Corpus | TextFiles:
    """Read texts as `read_corpus` does; those larger than `MOST_IN_MEMORY`, or behind an address, stay there."""
    path = Path(path)
    if is_several(path):
        files = read_text_files(path, text=text, layout=layout)
        large = address(path) is not None or sum(each.stat().st_size for each in files.files) > MOST_IN_MEMORY
        return files if large else _checked(path, Corpus(**vars(files.loaded())), part)
    if path.is_file() and path.stat().st_size > MOST_IN_MEMORY and table_ending(path) != ".json":
        return read_text_files(path, text=text, layout=layout)
    return read_corpus(path, text=text, part=part, layout=layout)


def _checked(path: Path, found: Corpus, part: str | None) -> Corpus:
    if part is not None and not found.parts:
        raise DataError(f"{path}: has no parts to choose from. Leave part out.")
    if not any(map(len, found.inputs)):
        raise DataError(f"{path}: has no text to learn from or to predict")
    return found


def _table(path: Path, text: str | None, layout: Layout) -> Corpus:
    name = _text_column(path, text, layout)
    try:
        with counted() as changed:
            rows = text_table(read_table(path, [name], layout)[name])
    except DataError as error:
        raise DataError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    return Corpus(rows.inputs, dropped=rows.dropped, columns={"text": name}, changed=dict(changed))


def _holds_texts(values: Sequence[Any]) -> bool:
    """Whether values are texts, and no labels: those recur."""
    return holds_words(values) and not holds_labels(values)


def _text_column(path: Path, text: str | None, layout: Layout) -> str:
    """Return the column of texts: the one named, the usual one, or the only one that is possible."""
    if text is not None:
        return text
    try:
        name = find_column(first_rows(path, layout), [], _holds_texts, usual="text", what="texts", flag="--text")
    except DataError as error:
        raise DataError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    say_found(f"{path}: ", {"texts": name})
    return name


def _json(path: Path, text: str | None, part: str | None, layout: Layout) -> Corpus:
    try:
        found = json.loads(all_bytes(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: can't be read as JSON: {error}") from error
    if isinstance(found, list) and found and isinstance(found[0], dict):
        return _table(path, text, layout)
    if isinstance(found, dict) and found and set(found) <= set(_PARTS):
        parts = {_PARTS[name]: _pieces(pieces, f"{path}: {name}") for name, pieces in found.items()}
        if part is not None:
            if part not in parts:
                raise DataError(f"{path}: has no part {part!r}; it has {', '.join(parts)}")
            return Corpus(parts[part], parts={part: parts[part]})
        return Corpus([piece for pieces in parts.values() for piece in pieces], parts=parts)
    return Corpus(_pieces(found, str(path)))


def _pieces(found: Any, where: str) -> list[Any]:
    """Check pieces, lists of frames, which are lists of whole numbers; empty pieces are refused."""
    if not isinstance(found, list) or not found:
        raise DataError(f"{where}: must be a list of pieces, such as [[[60, 64], [62]]]; got {found!s:.60}")
    for number, piece in enumerate(found, start=1):
        fits = isinstance(piece, list) and all(
            isinstance(frame, list) and all(type(note) is int for note in frame) for frame in piece
        )
        if not fits or not piece:
            raise DataError(f"{where}: piece {number} must be a list of frames, lists of notes; got {piece!s:.60}")
    return found
