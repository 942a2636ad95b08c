"""Reads sentences and their translations: two files with a sentence a line, or two columns of a table.

A column that nobody named is found by its usual name, `source` or `target`; else, if the table has just two columns of
words, the first one is the source, unless one of them has labels: few different texts.
"""

import logging
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from penstock.datasets.changes import change, counted
from penstock.datasets.columns import as_texts
from penstock.datasets.encodings import as_utf8
from penstock.datasets.files import all_bytes
from penstock.datasets.finding import Head, find_column, holds_words, is_index, say_found, usual_name
from penstock.datasets.layout import Layout, layout_of
from penstock.datasets.readers import column_names, first_rows, is_table, read_table
from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.registry import Columns
from penstock.translate.pairs import sentence_pairs

__all__ = ["read_lines", "read_pairs"]

_LOGGER = logging.getLogger(__name__)
_ROLES = ("source", "target")
_FEWEST_EACH = 10
"""Rows for each different text of a column from which on it holds labels."""


def read_pairs(path: Path, columns: Columns, answers: bool) -> Rows:
    """Read sentences, and their translations if `answers`; empty pairs are dropped and counted.

    Without `answers` nothing is dropped: prediction n belongs to line or row n.

    Args:
        path: a table, or a file with a sentence a line.
        columns: `source` and `target`, columns of a table; `target_file`, the path of the translations of a file with a
            sentence a line; and the layout.
        answers: whether to read translations.

    Raises:
        DataError: a file can't be read, the files have different numbers of lines or are the same one, a column is
            missing, or no pair is left.
    """
    path, layout = Path(path), layout_of(columns)
    beside = columns.get("target_file")
    with counted() as changed:
        if is_table(path):
            if answers and beside:
                raise DataError(
                    f"{path}: is a table, which holds the translations itself; got {beside} too. Name its columns with "
                    "--source and --target, or give two files with a sentence a line (.txt)."
                )
            rows = _table(path, columns, answers, layout)
        else:
            rows = _files(path, beside, layout) if answers else Rows(_filled(path, read_lines(path, layout)))
    return replace(rows, changed=dict(changed))


def read_lines(path: Path, layout: Layout) -> list[str]:
    """Read the lines of a file, plain or gzipped; only line feeds end a line.

    Raises:
        DataError: the file can't be read, is empty, or is in another encoding.
    """
    text = as_utf8(path, all_bytes(path), layout.encoding).decode()
    if not text.strip():
        raise DataError(f"{path}: must have a sentence on each line; it is empty")
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _files(path: Path, beside: Path | str | None, layout: Layout) -> Rows:
    if not beside:
        raise DataError(
            f"{path}: is read with a sentence on each line, so it needs a second file with the translation of each "
            "line, TARGET_FILE (or --valid-target-file, --test-target-file). A table (.csv, .tsv, .jsonl, .parquet) "
            "has both in two columns."
        )
    beside = Path(beside)
    if is_table(beside):
        raise DataError(f"{beside}: is a table. Give the table alone, or two files with a sentence a line.")
    sources, targets = read_lines(path, layout), read_lines(beside, layout)
    if os.path.samefile(path, beside):
        raise DataError(f"{path} and {beside} are the same file. Give the file of translations second.")
    if len(sources) != len(targets):
        raise DataError(
            f"{path} has {len(sources):,} lines and {beside} has {len(targets):,}; line n of one must be the "
            "translation of line n of the other. Is a line missing, or broken in two?"
        )
    if sources == targets:
        _LOGGER.warning("%s and %s hold the same text: a copy is what will be learned", path, beside)
    try:
        return sentence_pairs(sources, targets)
    except DataError as error:
        raise DataError(f"{path} and {beside}: {error}") from error


def _table(path: Path, columns: Columns, answers: bool, layout: Layout) -> Rows:
    named = {role: columns.get(role) for role in (_ROLES if answers else _ROLES[:1])}
    found = _columns(path, named, layout)
    table = read_table(path, list(found.values()), layout)
    try:
        if answers:
            rows = sentence_pairs(table[found["source"]], table[found["target"]])
        else:
            texts = as_texts(table[found["source"]], f"the column {found['source']}")
            rows = Rows(_filled(path, (text or "" for text in texts)))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return replace(rows, columns=found)


def _columns(path: Path, named: dict[str, str | None], layout: Layout) -> dict[str, str]:
    """The columns of sources and targets: those named, the usual ones, or the only two that are possible."""
    usual = {role: name or role for role, name in named.items()}
    if all(named.values()) or set(usual.values()) <= set(column_names(path, layout)):
        if len(set(usual.values())) < len(usual):
            raise DataError(f"{path}: --source and --target must be two columns; got {usual['source']} for both")
        return usual
    head = first_rows(path, layout)
    found = {role: name for role, name in named.items() if name}
    words = [name for name, values in head.items() if not is_index(name) and holds_words(values)]
    if not found and len(words) == 2 and not any(usual_name(role, head) for role in _ROLES):
        found = dict(zip(named, _names(path, words), strict=False))
        if len(found) == len(_ROLES):
            _check_no_labels(path, found, head)
    try:
        for role in named:
            found.setdefault(role, _found(head, role, found))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    say_found(f"{path}: ", {f"{role}s": found[role] for role in named})
    return {role: found[role] for role in named}


def _found(head: Head, role: str, found: dict[str, str]) -> str:
    if role in found:
        return found[role]
    return find_column(head, found.values(), holds_words, usual=role, what=f"{role}s", flag=f"--{role}")


def _names(path: Path, words: list[str]) -> list[str]:
    """Return names of columns; DataError if they are sentences, which a file without a header has in its first row."""
    if any(len(word.split()) > 2 or word[-1] in ".!?。！？" for word in words):
        raise DataError(
            f"{path}: its first row looks like a pair of sentences: {', '.join(words):.100}. If it is, pass "
            "--no-header (Layout(header=False)); if these are names, pass --source and --target."
        )
    return words


def _check_no_labels(path: Path, found: dict[str, str], head: Head) -> None:
    """Raise DataError if a column that nobody named has so few different texts that they are labels."""
    for name in found.values():
        different = len({value for value in head[name] if value})
        if different * _FEWEST_EACH <= len(head[name]):
            raise DataError(
                f"{path}: {name!r} has only {different} different texts in {len(head[name]):,} rows, as labels have. "
                f"If these are sentences, name the columns: --source {found['source']} --target {found['target']}"
            )


def _filled(path: Path, texts: Iterable[str]) -> list[str]:
    """Return the texts for prediction; empty ones stay and are counted."""
    several = list(texts)
    empty = sum(not text.strip() for text in several)
    said = f"{path}: {empty:,} empty lines are translated as empty texts"
    change(_LOGGER, "rows without a text, read as empty", empty, said)
    return several
