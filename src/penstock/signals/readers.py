"""Reads signals and their answers from files and tables; see `signals.tables` for the forms of tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from penstock.datasets.changes import counted
from penstock.datasets.columns import plain_column
from penstock.datasets.finding import Head, find_column, holds_labels, holds_numbers, say_found
from penstock.datasets.frames import is_table, table_column, table_names, tabular
from penstock.datasets.layout import DETECT, Layout, layout_of
from penstock.datasets.naming import absent_words
from penstock.datasets.readers import column_names, first_rows, read_table
from penstock.datasets.rows import Rows
from penstock.errors import ConfigError, DataError
from penstock.registry import Columns
from penstock.signals.file_formats import is_ucr, read_ts, read_ucr
from penstock.signals.tables import matching_columns, signal_table

__all__ = ["claims_signals", "read_parts", "read_signal_rows", "read_signals"]

_HEAD_ROWS = 1000


def read_signals(
    source: Any,
    *,
    series: Sequence[str] | None = None,
    label: str | None = None,
    target: str | None = None,
    id: str | None = None,
    time: str | None = None,
    layout: Layout = DETECT,
    time_format: str | None = None,
) -> Rows:
    """Read signals, each (steps, channels) float64, and their labels or numbers to predict.

    With `id` or `time`, rows are steps, and rows with the same id are one signal. Without, each row is a signal: the
    columns are the steps of one channel, or one column holds lists.

    Args:
        source: a table of pandas, Polars or Arrow, or a dict of columns; or the path of a table (CSV, TSV, JSON,
            Parquet), or, without naming columns, of a `.ts` file of sktime and the UEA archive, or a `.tsv` of the UCR
            archive: no header, the label first. All files may be gzipped.
        series: the columns of values; a name may be a pattern such as "v*".
        label: the column of labels; None without labels.
        target: the column of numbers to predict, instead of labels.
        id: the column of signal ids. Signals are in the order of their first rows.
        time: the column by which the steps of a signal are sorted: numbers, or dates.
        layout: the layout of a text file.
        time_format: the format of dates, such as "%d.%m.%y"; None to detect it.

    Returns:
        Rows: `inputs`, a list of signals; `answers`, a label or number of each; if those of a signal's steps differ, a
        list with one for each step.

    Raises:
        DataError: the source can't be read, a column is missing, or has text instead of a number; the message says
            where.
        ConfigError: `label` and `target` are both given, or `series` is needed and missing.

    Examples:
        >>> import penstock
        >>> table = {"case": ["a", "a", "b", "b"], "x": [1, 2, 3, 4], "mood": ["up", "up", "down", "down"]}
        >>> rows = penstock.read_signals(table, series=["x"], id="case", label="mood")
        >>> [signal.shape for signal in rows.inputs], rows.answers
        ([(2, 1), (2, 1)], ['up', 'down'])
    """
    if label is not None and target is not None:
        raise ConfigError("signals have labels or numbers to predict, not both: give label or target")
    answer, numbers = (label, False) if target is None else (target, True)
    source, where = _source(source)
    if isinstance(source, Path) and not series:
        plain = source.name.lower().removesuffix(".gz")
        if plain.endswith(".ts"):
            return _counted(read_ts, source, answers=answer is not None, numbers=numbers, layout=layout)
        if plain.endswith((".tsv", ".txt")) and is_ucr(source, layout):
            return _counted(read_ucr, source, numbers=numbers, layout=layout)
    if not series:
        numeric = [name for name, values in _head(source, layout).items() if holds_numbers(values)]
        shown = f"; numbers are in {', '.join(numeric):.200}" if numeric else ""
        raise ConfigError(
            f"{where}name the columns of the series: --series COL,COL or --series 'v*' (series=['COL', 'COL']){shown}"
        )
    others = [name for name in (answer, id, time) if name is not None]
    columns = matching_columns(series, _names(source, layout), others)
    try:
        return _counted(
            lambda: signal_table(
                read_table(source, [*columns, *others], layout) if isinstance(source, Path) else source,
                series=columns,
                answer=answer,
                id=id,
                time=time,
                numbers=numbers,
                decimal=layout.decimal,
                time_format=time_format,
            )
        )
    except DataError as error:
        raise error if not where or str(error).startswith(where[:-2]) else DataError(f"{where}{error}") from error


def read_signal_rows(source: Any, columns: Columns, answers: bool, *, answer: str, numbers: bool) -> Rows:
    """Read the signals of a file or table by named columns, with a label or a number each, or one for each step.

    Args:
        source: as for `read_signals`.
        columns: the columns by the names of the task's options; an unnamed one of answers is found.
        answers: whether to read the answers.
        answer: the option that names the column of answers: "label" or "target".
        numbers: whether the answers are numbers.
    """
    named = {name: columns.get(name) for name in ("series", "id", "time")}
    layout = layout_of(columns)
    source, where = _source(source)
    wanted = _answer_column(source, where, columns, answer, numbers, layout) if answers else None
    rows = read_signals(source, **{answer: wanted}, layout=layout, time_format=columns.get("time_format"), **named)
    found: dict[str, Any] = {} if wanted is None else {answer: wanted}
    if named["series"] and (named["id"] or named["time"]):
        # Store channel names, because a pattern may match another order in another file; not if rows are signals.
        others = [name for name in (wanted or columns.get(answer), named["id"], named["time"]) if name is not None]
        found["series"] = matching_columns(named["series"], _names(source, layout), others)
    return replace(rows, columns=found)


def read_parts(
    parts: Mapping[str, Any], columns: Columns, answer: str
) -> tuple[dict[str, Any], dict[str, Any], Counter[str]]:
    """Read the parts of a `fit` that are tables, all by the same columns.

    Args:
        parts: name of an argument -> (X, y) or (X, y, sample_weight) as given, a table, or None; "X" comes first.
        columns, answer: as for `read_signal_rows`.

    Returns:
        The parts with signals and ground truth instead of tables; the columns that were read; the counts of changes.

    Raises:
        DataError: "X" is not a table, a table has its ground truth beside it, or can't be read.
    """
    found: dict[str, Any] = {}
    changed: Counter[str] = Counter()
    for where, part in parts.items():
        table, *more = part if isinstance(part, tuple | list) else (part, None)
        if table is None or not (is_table(table) or isinstance(table, Mapping)):
            if where == "X":
                raise DataError(f"series, id, time and {answer} name columns of a table; got {type(table).__name__}")
            found[where] = part
            continue
        if more[0] is not None:
            raise DataError(f"{where}: the ground truth is a column of the table: {answer}={answer!r}. Leave y out.")
        rows = read_signal_rows(table, columns, True, answer=answer, numbers=answer == "target")
        columns = {**columns, **rows.columns}
        changed.update(rows.changed)
        found[where] = (rows.inputs, rows.answers, *more[1:])
    return found, {role: name for role, name in columns.items() if name is not None}, changed


def _answer_column(source: Any, where: str, columns: Columns, answer: str, numbers: bool, layout: Layout) -> str:
    """Return the column of answers: the named one, the default, or the only possible one."""
    named = columns.get(answer)
    if named is not None or not columns.get("series") or answer in _names(source, layout):
        return named or answer
    head = _head(source, layout)
    ids = [name for kind in ("id", "time") if (name := columns.get(kind)) is not None]
    taken = [*ids, *matching_columns(columns["series"], head, [])]
    if missing := [name for name in taken if name not in head]:
        raise DataError(f"{where}{absent_words(missing, list(head))}")
    what = "numbers to predict" if numbers else "labels"
    fits = holds_numbers if numbers else holds_labels
    try:
        found = find_column(head, taken, fits, usual=answer, what=what, flag=f"--{answer}")
    except DataError as error:
        raise DataError(f"{where}{error}") from error
    say_found(where, {what: found})
    return found


def _source(source: Any) -> tuple[Any, str]:
    """Return a path, a dict of columns or a table, and the prefix of its messages."""
    if isinstance(source, str | Path):
        return Path(source), f"{source}: "
    if not isinstance(source, Mapping) and not is_table(source):
        raise DataError(f"signals are read from a path, a table or a dict of columns; got {type(source).__name__}")
    return (source if isinstance(source, Mapping) else tabular(source)), ""


def _names(source: Any, layout: Layout) -> list[str]:
    if isinstance(source, Path):
        return column_names(source, layout)
    return list(source) if isinstance(source, Mapping) else table_names(source)


def _head(source: Any, layout: Layout) -> Head:
    """The first rows of a file or table."""
    if isinstance(source, Path):
        return first_rows(source, layout)
    columns = {
        name: source[name] if isinstance(source, Mapping) else table_column(source, name)
        for name in _names(source, layout)
    }
    return {name: plain_column(column[:_HEAD_ROWS], f"the column {name}") for name, column in columns.items()}


def _counted(read: Any, *args: Any, **options: Any) -> Rows:
    """Call a reader, and let its rows say what it changed."""
    with counted() as changed:
        rows: Rows = read(*args, **options)
    return replace(rows, changed=dict(changed))


def claims_signals(path: Path, columns: Columns) -> bool:
    """Whether a file holds signals, by its ending or its columns."""
    name = path.name.lower().removesuffix(".gz")
    if columns.get("series") or name.endswith(".ts"):
        return True
    return name.endswith((".tsv", ".txt")) and path.is_file() and is_ucr(path, layout_of(columns))
