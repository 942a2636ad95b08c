"""Training, validation and test data: separate files, or shares of one file."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.cli.inputs import read_data
from penstock.errors import ConfigError

if TYPE_CHECKING:
    from penstock.tasks import Columns, Estimator, Task

__all__ = ["PROPORTIONS", "read_parts"]

PROPORTIONS = "0.8/0.1/0.1"


def read_parts(
    task: "Task",
    estimator: "Estimator",
    data: Path,
    valid: Path | None,
    test: Path | None,
    split: str | None,
    columns: "Columns",
    files: Mapping[str, "Columns"],
    random_state: int,
) -> tuple[tuple[Any, Any, Any], dict[str, dict[str, int]], "Columns"]:
    """Training, validation and test rows, the last two perhaps None; what was dropped and changed; the columns read.

    Those that the reader finds in `data` are read in the other files too.

    Args:
        task: whose reader is used.
        estimator: by whose options the data is split.
        data: the file to train on.
        valid, test: files of the other parts; if there is neither, `data` is divided.
        split: its shares, like "0.8/0.1/0.1".
        columns: what is read.
        files: for "valid" and "test", the columns that are files and differ from those of `data`.
        random_state: of the division.

    Raises:
        ConfigError: shares that make no sense, or beside files or data with parts of its own.
        DataError: a file that can't be used.
    """
    if split is not None and (valid or test):
        raise ConfigError("--split divides DATA, so it can't be combined with --valid or --test. Use one of them.")
    for part, path in (("valid", valid), ("test", test)):
        if path is None and any(files[part].values()):
            raise ConfigError(f"the data that belongs to --{part} is given, but --{part} is not. Give both.")
    first = read_data(task, data, columns, answers=True)
    columns = {**columns, **getattr(first, "columns", {})}
    tables = {data: first} | {
        path: read_data(task, path, {**columns, **files[part]}, answers=True)
        for part, path in (("valid", valid), ("test", test))
        if path
    }
    counts = {
        name: dict(sum((Counter(getattr(table, name, {})) for table in tables.values()), Counter()))
        for name in ("dropped", "changed")
    }
    if valid or test:
        return (tables[data], *(tables[path] if path else None for path in (valid, test))), counts, columns
    own = getattr(first, "parts", {})
    if split is not None and len(own) > 1:
        raise ConfigError(
            f"--split divides DATA, but {data} has parts of its own: {', '.join(own)}. Leave --split out, or "
            "choose the part to divide with --part."
        )
    shares = estimator.parse_split(split or PROPORTIONS)
    if len(shares) > 3:
        raise ConfigError(f"--split must have two or three shares (train/valid/test); got {split}")
    parts = estimator.split(tables[data], shares, random_state)
    return (parts[0], parts[1], parts[2] if len(parts) == 3 else None), counts, columns
