"""Writes features of rows to Arrow files of bounded size, in bounded memory."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

from penstock.datasets.rows import Rows
from penstock.errors import MissingExtraError
from penstock.sequences import Sequences

__all__ = ["ROWS", "Writer", "arrow", "kept_rows", "narrow"]

ROWS = "rows"
"""The part of training rows."""
_NUMBERS = 1 << 23
"""Numbers in a file: enough that a data set has few files, few enough that one fits in memory many times."""


class Writer:
    """Writes training rows, perhaps those of other parts, and a few rows that are kept as they are, into a new folder.

    Args:
        folder: the folder, which exists.

    Attributes:
        files: the names of the files that were written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, list[str]()
        self._open = dict[str, BinaryIO]()
        self._waiting: list[tuple[Sequences, np.ndarray]] = []
        self._part, self._numbers, self._written = ROWS, 0, 0

    def add(self, sequences: Sequences, targets: np.ndarray, part: str = ROWS) -> None:
        """Add rows: their features, and their targets (rows,), numbers; a part's rows follow each other."""
        if part != self._part:
            self.flush()
            self._part, self._written = part, 0
        self._waiting.append((sequences, targets))
        self._numbers += sequences.values.size
        if self._numbers >= _NUMBERS:
            self.flush()

    def append(self, name: str, array: np.ndarray) -> None:
        """Append the numbers of an array, and nothing else, to a file."""
        if name not in self._open:
            self._open[name] = (self.folder / name).open("xb")
            self.files.append(name)
        self._open[name].write(array.tobytes())

    def close(self) -> None:
        """Close the files of `append`, which happens also where writing failed."""
        for file in self._open.values():
            file.close()

    def flush(self) -> None:
        """Write the rows that wait to a file."""
        if not self._waiting:
            return
        values = np.concatenate([sequences.values for sequences, _ in self._waiting])
        lengths = np.concatenate([sequences.lengths for sequences, _ in self._waiting])
        pa = arrow()
        steps = pa.array(values.reshape(-1))
        if values.ndim == 2:
            steps = pa.FixedSizeListArray.from_arrays(steps, values.shape[1])
        offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int64())
        columns = {
            "steps": pa.LargeListArray.from_arrays(offsets, steps),
            "target": pa.array(np.concatenate([targets for _, targets in self._waiting])),
        }
        self._write(f"{self._part}-{self._written:05}.arrow", columns)
        self._waiting, self._numbers = [], 0
        self._written += 1

    def keep(self, part: str, rows: Rows) -> None:
        """Keep texts and their labels as they are, by the name of their part."""
        pa = arrow()
        columns = {
            "input": pa.array(list(rows.inputs), pa.large_string()),
            "answer": pa.array([json.dumps(answer) for answer in rows.answers or []], pa.large_string()),
        }
        self._write(f"{part}.arrow", columns)

    def _write(self, name: str, columns: dict[str, Any]) -> None:
        pa = arrow()
        batch = pa.record_batch(list(columns.values()), names=list(columns))
        with pa.OSFile(str(self.folder / name), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as file:
            file.write_batch(batch)
        self.files.append(name)


def narrow(sequences: Sequences, ids: int) -> Sequences:
    """Return ids in two bytes each where `ids`, their number, allows it."""
    return Sequences(sequences.values.astype(np.uint16), sequences.offsets) if ids <= 1 << 16 else sequences


def kept_rows(path: Path) -> Rows:
    """Return rows that `Writer.keep` wrote."""
    pa = arrow()
    with pa.OSFile(str(path)) as source:
        table = pa.ipc.open_file(source).read_all()
    return Rows(table["input"].to_pylist(), [json.loads(answer) for answer in table["answer"].to_pylist()])


def arrow() -> ModuleType:
    """Import and return PyArrow; MissingExtraError without it."""
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError as error:
        raise MissingExtraError("data larger than memory need PyArrow: pip install 'penstock[data]'") from error
    return pyarrow
