"""Files of arrays for imported models: .npy, .npz and JSON lines."""

import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.decoded import ZIP_ERRORS, Decoded, unzipped
from penstock.errors import DataError

__all__ = ["Arrays", "parse_sequence", "read_arrays", "read_npz"]


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
            array = _array(path.read_bytes())
            return Arrays(list(array) if array.ndim == 3 else [array])
        if path.suffix == ".npz":
            return Arrays(list(read_npz(path).values()))
        with path.open(encoding="utf-8") as lines:
            return Arrays([parse_sequence(line) for line in lines if line.strip()])
    except DataError:
        raise
    except ZIP_ERRORS as error:
        raise DataError(f"{path}: can't be read as arrays: {error}. Give a .npy, .npz or .jsonl file.") from error


def parse_sequence(line: str) -> Any:
    """Read one sequence from a line of JSON: [[0.5, 1], ...], ids [3, 7], or an object of these by input name."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"a sequence must be JSON, such as [[0.5, 1], [0, 2]]; got {line!r:.80}: {error}") from error


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a .npz file by name.

    Raises:
        DataError: the file can't be read, is damaged, or holds more than it may when decoded.
    """
    try:
        decoded = Decoded(path, path.stat().st_size)
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            for entry in entries:
                decoded.add(entry.file_size)
            return {entry.filename.removesuffix(".npy"): _array(unzipped(archive, entry)) for entry in entries}
    except DataError:
        raise
    except ZIP_ERRORS as error:
        raise DataError(f"{path}: can't be read as arrays of NumPy: {error}") from error


def _array(data: bytes) -> NDArray[Any]:
    """Return the array of a .npy file; ValueError unless the numbers that its header declares are there.

    NumPy's own reader takes memory for what the header declares before it looks.
    """
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"its version of the format is {version}")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, by_columns, dtype = read(file)
    except (SyntaxError, TypeError, RecursionError, TokenError) as error:  # the header is written in Python
        raise ValueError(f"its header is damaged: {error}") from error
    if dtype.hasobject or dtype.itemsize * math.prod(shape) != len(data) - file.tell():
        raise ValueError(f"its header declares {shape} of {dtype}, which is not what follows")
    return np.ndarray(shape, dtype, data, file.tell(), order="F" if by_columns else "C").copy()
