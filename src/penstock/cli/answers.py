"""Writes predictions as JSON lines, CSV, TSV or Parquet, by the file's ending."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from penstock.cli.paths import check_new_file
from penstock.errors import InputError
from penstock.folders import whole_file
from penstock.locks import held

__all__ = ["Answer", "check_answer_file", "is_text_file", "write_answers", "written_whole"]

_ROWS = 10_000
"""Predictions that are held in memory before they are written to Parquet."""
Answer = dict[str, Any]
"""`prediction`, and for each label its `probability_<label>`."""


def check_answer_file(path: Path | None, *, text: bool = False) -> None:
    """Check, before any work is done, that predictions can be written there; None is standard output.

    Args:
        path: the file.
        text: whether they can also be written as text.

    Raises:
        InputError: an unknown ending, or a place that can't be written.
    """
    if path is not None:
        endings = [*_WRITERS, *(_TEXTS if text else [])]
        if path.suffix.lower() not in endings:
            raise InputError(f"{path} must end in one of {', '.join(endings)}; got {path.suffix or 'no ending'!r}.")
        check_new_file(path)


def is_text_file(path: Path | None) -> bool:
    """Whether predictions written there may be text: a file of text, or standard output, None."""
    return path is None or path.suffix.lower() in _TEXTS


def write_answers(answers: Iterable[Any], path: Path | None, as_text: Callable[[Any], str] | None = None) -> None:
    """Write predictions to a file atomically, or to standard output.

    Args:
        answers: the predictions.
        path: the file, whose ending gives the format; None for standard output.
        as_text: for files of text and standard output, what is written for a prediction; None for JSON lines on
            standard output.

    Raises:
        InputError: the file can't be written.
    """
    if path is None:
        _write_lines(answers, sys.stdout, as_text or _json_line)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as new:
            if is_text_file(path) and as_text is not None:
                _lines_file(as_text)(answers, new)
            else:
                _WRITERS[path.suffix.lower()](answers, new)
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror or error}. Choose another -o.") from error


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes `path` in the end if nothing went wrong.

    Raises:
        InputError: another command writes it now.
    """
    in_use = "another command writes this file now. Wait for its end, or choose another one."
    with held(path, in_use), whole_file(path, alone=True) as new:
        yield new


def _json_line(answer: Answer) -> str:
    return json.dumps(answer, ensure_ascii=False)


def _write_lines(answers: Iterable[Answer], to: TextIO, line: Callable[[Answer], str]) -> None:
    for answer in answers:
        print(line(answer), file=to)


def _lines_file(line: Callable[[Answer], str]) -> Callable[[Iterable[Answer], Path], None]:
    def write(answers: Iterable[Answer], path: Path) -> None:
        with path.open("w", encoding="utf-8") as to:
            _write_lines(answers, to, line)

    return write


def _separated(delimiter: str) -> Callable[[Iterable[Answer], Path], None]:
    def write(answers: Iterable[Answer], path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as to:
            writer = None
            for answer in answers:
                if writer is None:
                    writer = csv.DictWriter(to, list(answer), delimiter=delimiter, lineterminator="\n")
                    writer.writeheader()
                writer.writerow({name: _cell(value) for name, value in answer.items()})

    return write


def _cell(value: Any) -> Any:
    """A list as JSON, so that other programs can read it."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def _parquet(answers: Iterable[Answer], path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    several = iter(answers)
    first = pyarrow.Table.from_pylist(list(islice(several, _ROWS)))
    with parquet.ParquetWriter(path, first.schema) as file:
        file.write_table(first)
        while some := list(islice(several, _ROWS)):
            file.write_table(pyarrow.Table.from_pylist(some, first.schema))


_TEXTS = (".txt", ".conll", ".conllu")
_WRITERS: dict[str, Callable[[Iterable[Answer], Path], None]] = {
    ".jsonl": _lines_file(_json_line),
    ".ndjson": _lines_file(_json_line),
    ".csv": _separated(","),
    ".tsv": _separated("\t"),
    ".parquet": _parquet,
}
