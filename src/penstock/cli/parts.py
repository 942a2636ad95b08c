"""The parts of the data that a training is given: files of their own, or shares of one."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import ConfigError

if TYPE_CHECKING:
    from penstock.datasets import TextTable

__all__ = ["PROPORTIONS", "read_parts"]

PROPORTIONS = "0.8/0.1/0.1"
Rows = tuple[list[str], list[Any]]


def read_parts(
    data: Path,
    valid: Path | None,
    test: Path | None,
    split: str | None,
    *,
    columns: tuple[str, str],
    random_state: int,
) -> tuple[tuple[Rows, Rows | None, Rows | None], dict[str, int]]:
    """Training, validation and test rows, and why rows were left out.

    Args:
        data: the file to train on.
        valid, test: files of the other parts; if there is neither, `data` is divided.
        split: its shares, like "0.8/0.1/0.1".
        columns: the names of the columns of texts and of labels.
        random_state: of the division.

    Raises:
        ConfigError: shares that make no sense, or beside files.
        DataError: a file that can't be used.
    """
    from penstock.datasets import read_texts

    if split is not None and (valid or test):
        raise ConfigError("--split divides DATA, so it can't go with --valid or --test. Give either.")
    tables = {path: read_texts(path, text=columns[0], label=columns[1]) for path in (data, valid, test) if path}
    dropped = sum((Counter(table.dropped) for table in tables.values()), Counter())
    if valid or test:
        rows = tuple(_rows(tables[path]) if path else None for path in (valid, test))
        return (_rows(tables[data]), rows[0], rows[1]), dict(dropped)
    return _split(tables[data], split or PROPORTIONS, random_state), dict(dropped)


def _rows(table: "TextTable") -> Rows:
    return table.texts, table.labels or []


def _split(table: "TextTable", proportions: str, random_state: int) -> tuple[Rows, Rows | None, Rows | None]:
    from penstock.datasets import class_counts, parse_proportions, stratified_split

    texts, labels = _rows(table)
    class_counts(labels)
    shares = parse_proportions(proportions)
    if len(shares) > 3:
        raise ConfigError(f"--split must have two or three shares (train/valid/test); got {proportions}")
    parts = stratified_split(labels, shares, random_state=random_state)
    rows = [([texts[row] for row in part], [labels[row] for row in part]) for part in parts]
    return rows[0], rows[1], rows[2] if len(rows) == 3 else None
