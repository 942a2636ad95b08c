"""ARPA files of n-grams (Doug Paul's format, as SRILM, KenLM and others write it), read and written.

A file says how many n-grams each order has, then lists for each its base-10 log-probability, its words and, if longer
ones begin with it, the weight of the lower orders after it.
"""

import io
from collections.abc import Iterator
from math import isfinite, log
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.files import opened
from penstock.errors import DataError
from penstock.folders import whole_file
from penstock.ngrams.named import BEGIN_NAME, END_NAME, UNKNOWN_NAME, NamedNGrams

__all__ = ["read_arpa", "write_arpa"]

_LN10 = log(10)
_MOST_DIGITS = 18  # of a number of n-grams
_NEVER = -99.0  # what the format writes for a probability of 0, in base 10


class _Section(NamedTuple):
    """The n-grams of one order: (n-grams, order) names, and natural logarithms of probabilities and weights."""

    names: list[tuple[str, ...]]
    log_probs: list[float]
    backoffs: list[float]


def read_arpa(path: str | Path) -> NamedNGrams:
    """Read a file, also one compressed by gzip (`.gz`).

    Raises:
        DataError: there is no such file, it is cut short or damaged (the line is named), or holds more than it may.
    """
    path = Path(path)
    try:
        with opened(path) as stored, io.TextIOWrapper(stored, encoding="utf-8") as file:
            sections = _sections(_Lines(path, file))
    except UnicodeDecodeError as error:
        raise DataError(f"{path} can't be read as an ARPA file: {error}") from error
    return _model(path, sections)


def write_arpa(ngrams: NamedNGrams, path: str | Path) -> None:
    """Write n-grams as a file that other tools read."""
    names = [*ngrams.names, BEGIN_NAME]
    arrays, order = ngrams.arrays, ngrams.order
    grams: list[tuple[str, ...]] = [(name,) for name in names]
    lines = ["", "\\data\\", *(f"ngram {each}={len(arrays[f'log_probs_{each}'])}" for each in range(1, order + 1))]
    for each in range(1, order + 1):
        if each > 1:
            parents = np.repeat(np.arange(len(grams)), np.diff(arrays[f"offsets_{each}"])).tolist()
            last = arrays[f"tokens_{each}"].tolist()
            grams = [(*grams[parent], names[token]) for parent, token in zip(parents, last, strict=True)]
        log_probs = np.maximum(arrays[f"log_probs_{each}"].astype(np.float64) / _LN10, _NEVER).tolist()
        weights = arrays[f"backoffs_{each}"].astype(np.float64) / _LN10 if each < order else np.zeros(len(grams))
        lines += ["", f"\\{each}-grams:"]
        for gram, value, weight in zip(grams, log_probs, weights.tolist(), strict=True):
            shown = _NEVER if gram == (BEGIN_NAME,) else value
            lines.append(f"{shown:.9g}\t{' '.join(gram)}" + (f"\t{weight:.9g}" if each < order else ""))
    with whole_file(Path(path)) as new:
        new.write_text("\n".join([*lines, "", "\\end\\", ""]), encoding="utf-8")


class _Lines:
    """The lines of a file that are not empty, and where they stand."""

    def __init__(self, path: Path, file: Any) -> None:
        self.path, self.number = path, 0
        self._file = file

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            self.number += 1
            if line.strip():
                yield line.strip()
        raise DataError(f"{self.path} is cut short: it has no line \\end\\ after line {self.number}. Copy it again.")

    def error(self, what: str) -> DataError:
        return DataError(f"{self.path}, line {self.number}: {what}")


def _sections(lines: _Lines) -> list[_Section]:
    counts: list[int] = []
    found: list[_Section] = []
    rows = iter(lines)
    for line in rows:  # whatever stands before the data is a comment
        if line == "\\data\\":
            break
    for line in rows:
        if line == "\\end\\":
            _check_count(lines, found, counts)
            if not found or len(found) != len(counts):
                raise lines.error(f"the file names {len(counts)} orders and has {len(found)}")
            return found
        if line.startswith("ngram ") and not found:
            counts.append(_count(lines, line, len(counts) + 1))
        elif line.startswith("\\"):
            _check_count(lines, found, counts)
            if line != f"\\{len(found) + 1}-grams:" or len(found) == len(counts):
                raise lines.error(f"expected the n-grams of order {len(found) + 1} or \\end\\; got {line!r:.60}")
            found.append(_Section([], [], []))
        else:
            _add(lines, line, found)
    raise AssertionError("unreachable: the lines end with an error")


def _count(lines: _Lines, line: str, order: int) -> int:
    name, _, number = line.removeprefix("ngram ").partition("=")
    if name.strip() != str(order) or not number.strip().isdecimal() or len(number) > _MOST_DIGITS:
        raise lines.error(f"expected the number of n-grams of order {order}, 'ngram {order}=...'; got {line!r:.60}")
    return int(number)


def _check_count(lines: _Lines, found: list[_Section], counts: list[int]) -> None:
    if found and len(found[-1].names) != counts[len(found) - 1]:
        raise lines.error(
            f"the file says that there are {counts[len(found) - 1]} n-grams of order {len(found)}, and has "
            f"{len(found[-1].names)}. It was cut or changed: copy or make it again."
        )


def _add(lines: _Lines, line: str, found: list[_Section]) -> None:
    order, parts = len(found), line.split()
    if not order or len(parts) not in (order + 1, order + 2):
        raise lines.error(f"expected a log-probability, {order or 1} words and perhaps a weight; got {line!r:.60}")
    try:
        value, weight = float(parts[0]), float(parts[order + 1]) if len(parts) > order + 1 else 0.0
    except ValueError as error:
        raise lines.error(f"log-probability and weight must be numbers; got {line!r:.60}") from error
    if not isfinite(weight) or not value <= 1e-6:
        raise lines.error(f"a log-probability must be at most 0, and a weight finite; got {line!r:.60}")
    found[-1].names.append(tuple(parts[1 : order + 1]))
    found[-1].log_probs.append(max(value, _NEVER) * _LN10)
    found[-1].backoffs.append(weight * _LN10)


def _model(path: Path, sections: list[_Section]) -> NamedNGrams:
    given = [names[0] for names in sections[0].names]
    for name in (END_NAME, BEGIN_NAME):
        if name not in given:
            raise DataError(f"{path} has no {name} among its words: it must say how sentences begin and end")
    names = [UNKNOWN_NAME, END_NAME, *(name for name in given if name not in (UNKNOWN_NAME, END_NAME, BEGIN_NAME))]
    ids = {name: place for place, name in enumerate([*names, BEGIN_NAME])}
    arrays: dict[str, NDArray[Any]] = {"vocabulary": np.array([len(names)]), "begin": np.array([len(names)])}
    keys = np.zeros((0, 0), np.int64)
    for order, section in enumerate(sections, start=1):
        try:
            rows = np.array([[ids[name] for name in each] for each in section.names], np.int64).reshape(-1, order)
        except KeyError as error:
            raise DataError(f"{path} has n-grams of order {order} with {error}, which is not among its words") from None
        values = np.array(section.log_probs), np.array(section.backoffs)
        if order == 1 and UNKNOWN_NAME not in given:
            rows = np.concatenate([rows, [[ids[UNKNOWN_NAME]]]])
            values = np.append(values[0], _NEVER * _LN10), np.append(values[1], 0.0)
        sort = np.lexsort(rows.T[::-1])
        rows = rows[sort]
        if (rows[1:] == rows[:-1]).all(axis=1).any():
            raise DataError(f"{path} lists an n-gram of order {order} twice")
        if order > 1:
            arrays[f"tokens_{order}"] = rows[:, -1].astype(np.int32)
            arrays[f"offsets_{order}"] = _offsets(path, keys, rows[:, :-1])
        arrays[f"log_probs_{order}"] = values[0][sort].astype(np.float32)
        if order < len(sections):
            arrays[f"backoffs_{order}"] = values[1][sort].astype(np.float32)
        keys = rows
    return NamedNGrams(names, arrays)


def _offsets(path: Path, shorter: NDArray[np.int64], begins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where the n-grams that extend each shorter one start, (shorter + 1,); both are in order."""
    places = {row: place for place, row in enumerate(map(tuple, shorter.tolist()))}
    try:
        parents = np.array([places[row] for row in map(tuple, begins.tolist())], np.int64)
    except KeyError:
        order = begins.shape[1] + 1
        raise DataError(f"{path} has n-grams of order {order} whose first {order - 1} words are not listed") from None
    return np.searchsorted(parents, np.arange(len(shorter) + 1))
