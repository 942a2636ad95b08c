"""Files of arrays for imported models: .npy, .npz and JSON lines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from penstock.errors import DataError

__all__ = ["Arrays", "parse_sequence", "read_arrays"]


@dataclass(frozen=True)
class Arrays:
    """Sequences for an imported model: the table that `Task.read` returns.

    inputs: an array, or a mapping from input names to arrays, for each sequence
    answers: always None
    dropped: always empty
    """

    inputs: list[Any]
    answers: None = None
    dropped: Mapping[str, int] = field(default_factory=dict)


def read_arrays(path: Path, columns: Mapping[str, Any], answers: bool) -> Arrays:
    """Read sequences from a file.

    Args:
        path: .npy with (sequences, time, size) or (time, size) numbers, or (time,) ids; .npz with one sequence in each
            array; or .jsonl with a sequence as JSON in each line.
        columns: ignored.
        answers: ignored; there are none.

    Raises:
        DataError: the file can't be read as one of these.
    """
    try:
        if path.suffix == ".npy":
            array = np.load(path, allow_pickle=False)
            return Arrays(list(array) if array.ndim == 3 else [array])
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return Arrays([arrays[name] for name in arrays.files])
        with path.open(encoding="utf-8") as lines:
            return Arrays([parse_sequence(line) for line in lines if line.strip()])
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: can't be read as arrays: {error}. Give a .npy, .npz or .jsonl file.") from error


def parse_sequence(line: str) -> Any:
    """Read one sequence from a line of JSON: [[0.5, 1], ...], ids [3, 7], or an object of these by input name."""
    try:
        return json.loads(line)
    except ValueError as error:
        raise DataError(f"a sequence must be JSON, such as [[0.5, 1], [0, 2]]; got {line!r:.80}: {error}") from error
