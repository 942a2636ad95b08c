"""Reads what language models learn from: plain text, folders of it, a column of a table, or frames of notes in JSON."""

import io
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.datasets.changes import change, counted
from penstock.datasets.columns import text_table
from penstock.datasets.encodings import as_utf8
from penstock.datasets.files import all_bytes
from penstock.datasets.finding import find_column, holds_labels, holds_words, say_found
from penstock.datasets.layout import DETECT, Layout, layout_of
from penstock.datasets.lines import text_lines
from penstock.datasets.readers import first_rows, read_table
from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.registry import Columns

__all__ = ["Corpus", "read_corpus", "read_corpus_rows", "read_prompts"]

_LOGGER = logging.getLogger(__name__)

_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_PARTS = {"train": "train", "valid": "valid", "validation": "valid", "dev": "valid", "test": "test"}


@dataclass(frozen=True)
class Corpus(Rows):
    """Texts or pieces, and where the file itself divides them, each part: train, valid, test."""

    parts: Mapping[str, list[Any]] = field(default_factory=dict)


def read_corpus(
    path: str | Path, *, text: str | None = None, part: str | None = None, layout: Layout = DETECT
) -> Corpus:
    """Read texts: a plain text is one, a folder has one for each .txt file, a table one for each row.

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
    if path.is_dir():
        found = _folder(path, layout)
    elif ending.endswith(_TABLES):
        found = _table(path, text, layout)
    elif ending.endswith(".json"):
        found = _json(path, text, part, layout)
    else:
        found = Corpus([_plain(path, layout)])
    if part is not None and not found.parts:
        raise DataError(f"{path}: has no parts to choose from. Leave part out.")
    if not any(map(len, found.inputs)):
        raise DataError(f"{path}: has no text to learn from or to predict")
    return found


def read_prompts(path: str | Path, *, text: str | None = None, layout: Layout = DETECT) -> Rows:
    """Read what is to be continued: each line of a plain text, each row of a table, each piece of a JSON file."""
    path = Path(path)
    ending = path.name.lower().removesuffix(".gz")
    if path.is_dir() or ending.endswith((*_TABLES, ".json")):
        return read_corpus(path, text=text, layout=layout)
    return Rows(list(text_lines(io.BytesIO(as_utf8(path, all_bytes(path), layout.encoding)), str(path))))


def read_corpus_rows(path: Path, columns: Columns, answers: bool) -> Rows:
    """Read a corpus to learn from or to be evaluated on; without `answers` what is to be continued."""
    layout = layout_of(columns)
    if not answers:
        return read_prompts(path, text=columns["text"], layout=layout)
    return read_corpus(path, text=columns["text"], part=columns["part"], layout=layout)


def _plain(path: Path, layout: Layout) -> str:
    text = as_utf8(path, all_bytes(path), layout.encoding).decode()
    breaks = text.count("\r\n")
    if breaks:
        change(
            _LOGGER, "line breaks of Windows, read as plain ones", breaks, f"{path}: {breaks:,} line breaks are CR LF"
        )
        text = text.replace("\r\n", "\n")
    return text


def _folder(path: Path, layout: Layout) -> Corpus:
    files = sorted(each for each in path.rglob("*") if each.name.lower().endswith((".txt", ".txt.gz")))
    if not files:
        raise DataError(f"{path}: has no .txt files, plain or .gz")
    with counted() as changed:
        texts = [_plain(each, layout) for each in files]
        empty = sum(not text.strip() for text in texts)
    dropped = {"no text": empty} if empty else {}
    return Corpus([text for text in texts if text.strip()], dropped=dropped, changed=dict(changed))


def _table(path: Path, text: str | None, layout: Layout) -> Corpus:
    try:
        head = {} if text is not None else first_rows(path, layout)
        name = text or find_column(head, [], _holds_texts, usual="text", what="texts", flag="--text")
        with counted() as changed:
            rows = text_table(read_table(path, [name], layout)[name])
    except DataError as error:
        raise DataError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    if text is None:
        say_found(f"{path}: ", {"texts": name})
    return Corpus(rows.inputs, dropped=rows.dropped, columns={"text": name}, changed=dict(changed))


def _holds_texts(values: Sequence[Any]) -> bool:
    """Whether values are texts, and no labels: those recur."""
    return holds_words(values) and not holds_labels(values)


def _json(path: Path, text: str | None, part: str | None, layout: Layout) -> Corpus:
    try:
        found = json.loads(all_bytes(path))
    except ValueError as error:
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
