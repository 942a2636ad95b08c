"""Reads signal files of two archives: UCR's tables without a header, and the `.ts` files of UEA and sktime."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.changes import change
from penstock.datasets.layout import DETECT, Layout
from penstock.datasets.numbers import plain_number
from penstock.datasets.readers import first_line, read_text
from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.signals.arrays import PADDING, signal_list

__all__ = ["is_ucr", "read_ts", "read_ucr"]

_LOGGER = logging.getLogger(__name__)


def is_ucr(path: Path, layout: Layout = DETECT) -> bool:
    """Whether a file is a table of the UCR archive: no header, numbers from the first line on.

    Raises:
        DataError: it cannot be read. Only about its first 64 KiB are read.
    """
    line, whole = first_line(path, layout)
    cells = line.split()
    if not whole:
        del cells[-1:]  # it may be a part of a number
    try:
        np.array(cells[1:], np.float64)
    except ValueError:
        return False
    return len(cells) > 2


def read_ucr(path: Path, *, numbers: bool = False, layout: Layout = DETECT) -> Rows:
    """Read a file with a signal in each line: label, then values, separated by tabs or blanks; trailing NaN is padding.

    Raises:
        DataError: a line is invalid; the message has its number.
    """
    signals, answers = [], []
    for number, line in enumerate(read_text(path, layout).splitlines(), start=1):
        if not line.strip():
            continue
        label, *cells = line.split("\t") if "\t" in line else line.split()
        signals.append(_cut(_values(cells, f"{path}, line {number}")[:, None]))
        answers.append(_answer(label, numbers, f"{path}, line {number}"))
    return _rows(path, signals, answers)


def read_ts(path: Path, *, answers: bool = True, numbers: bool = False, layout: Layout = DETECT) -> Rows:
    """Read a `.ts` file: lines `@name value`, then `@data` and a signal in each line.

    Channels are separated by colons and values by commas; ? is a missing value. The label, or the number to predict,
    comes last.

    Raises:
        DataError: a line is invalid; the message has its number.
    """
    header: dict[str, str] = {}
    signals: list[NDArray[np.float64]] = []
    found: list[Any] = []
    in_data = False
    for number, line in enumerate(map(str.strip, read_text(path, layout).splitlines()), start=1):
        where = f"{path}, line {number}"
        if not line or line.startswith(("#", "%")):
            continue
        if line.startswith("@"):
            name, _, value = line[1:].partition(" ")
            header[name.lower()] = value.strip()
            in_data = name.lower() == "data"
            if in_data and answers and not _has_answers(header):
                raise DataError(
                    f"{where}: there are no labels: '@classLabel true' or '@targetLabel true' is missing above"
                )
        elif not in_data:
            raise DataError(f"{where}: expected lines like '@problemName Name', then '@data'; got {line[:40]!r}")
        else:
            signal, answer = _ts_line(line, header, numbers, where)
            signals.append(signal)
            found.append(answer)
    if not in_data:
        raise DataError(f"{path}: has no line '@data'; is it a .ts file of sktime or the UEA archive?")
    return _rows(path, signals, found if answers else None)


def _has_answers(header: dict[str, str]) -> bool:
    return any(header.get(name, "false").lower().startswith("true") for name in ("classlabel", "targetlabel"))


def _ts_line(line: str, header: dict[str, str], numbers: bool, where: str) -> tuple[NDArray[np.float64], Any]:
    if header.get("timestamps", "false").lower() == "true" or line.startswith("("):
        raise DataError(f"{where}: has a time with each value, which is not supported. Write only values.")
    parts = line.split(":")
    if _has_answers(header) and len(parts) < 2:
        raise DataError(
            f"{where}: expected values, a colon and a label or number, as the header says; got {line[:40]!r}"
        )
    answer = _answer(parts.pop(), numbers, where) if _has_answers(header) else None
    channels = [_values(part.split(","), where) for part in parts]
    if len({len(channel) for channel in channels}) > 1:
        lengths = ", ".join(str(len(channel)) for channel in channels)
        raise DataError(f"{where}: all channels of a signal must have the same number of values; got {lengths}")
    return _cut(np.stack(channels, axis=1)), answer


def _values(cells: list[str], where: str) -> NDArray[np.float64]:
    plain = ["nan" if cell.strip() in ("?", "") else cell for cell in cells]
    try:
        values = np.array([plain_number(cell) for cell in plain], np.float64)
    except ValueError as error:
        raise DataError(f"{where}: a signal must be numbers: {error}") from error
    if np.isinf(values).any():
        raise DataError(f"{where}: a signal must be finite numbers, or NaN where one is missing; got an infinite one")
    return values


def _cut(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Remove trailing steps at which every channel is NaN."""
    present = np.flatnonzero(~np.isnan(signal).all(axis=1))
    length = int(present[-1]) + 1 if len(present) else 0
    change(_LOGGER, PADDING, len(signal) - length, "")
    return signal[:length]


def _answer(text: str, numbers: bool, where: str) -> Any:
    plain = text.strip()
    try:
        value = plain_number(plain)
    except ValueError:
        if numbers:
            raise DataError(f"{where}: must have a number to predict; got {plain[:40]!r}") from None
        return plain or None
    if value != value:
        return None
    if numbers:
        return value
    # 1, 1.0 and 1.0000000e+00 are the same class.
    label = str(int(value)) if value.is_integer() else plain
    change(_LOGGER, "labels that are whole numbers, written without a point", int(label != plain), "")
    return label


def _rows(path: Path, signals: list[NDArray[np.float64]], answers: list[Any] | None) -> Rows:
    if not signals:
        raise DataError(f"{path}: has no signals")
    channels = [signal.shape[1] for signal in signals]
    if len(set(channels)) > 1:
        other = next(number for number, count in enumerate(channels) if count != channels[0])
        raise DataError(
            f"{path}: all signals must have the same number of channels; the first has {channels[0]}, "
            f"signal {other + 1} {channels[other]}"
        )
    return Rows(signal_list(signals), answers)
