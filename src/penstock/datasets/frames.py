"""Tables in memory: data frames of pandas and Polars, and Arrow's tables, each as named columns.

Arrow's tables are those of PyArrow, and all objects with `__arrow_c_stream__`, as DuckDB, nanoarrow and others have
them. pandas and Polars are recognised by name and not imported, so that a saved model can predict on their frames with
only the base installation.
"""

from collections.abc import Collection
from importlib import import_module
from typing import Any

from penstock.datasets.naming import absent_words
from penstock.errors import DataError, MissingExtraError

__all__ = ["is_table", "package_of", "table_column", "table_names", "tabular"]

_TABLES = {
    "pandas": ("DataFrame",),
    "polars": ("DataFrame", "LazyFrame"),
    "pyarrow": ("Table", "RecordBatch", "RecordBatchReader"),
}
_COLUMNS = {"pandas": ("Series", "Index"), "polars": ("Series",), "pyarrow": ("Array", "ChunkedArray")}


def package_of(data: Any) -> str:
    """The package of a table or column: "pandas", "polars" or "pyarrow"; empty for anything else."""
    return next((package for package in _TABLES if _is_of(data, package, _TABLES[package] + _COLUMNS[package])), "")


def is_table(data: Any) -> bool:
    """Whether data is a table of named columns."""
    if package := package_of(data):
        return _is_of(data, package, _TABLES[package])
    return hasattr(data, "__arrow_c_stream__")


def tabular(data: Any) -> Any:
    """Return a table as a DataFrame of pandas or Polars, or else as a `pyarrow.Table`; a stream is read to its end.

    Raises:
        DataError: the data can't be read as a table.
        MissingExtraError: PyArrow is needed, and isn't installed.
    """
    if type(data).__name__ == "LazyFrame" and package_of(data) == "polars":
        raise DataError("a LazyFrame has no rows yet: call collect() first")
    if package_of(data) in ("pandas", "polars"):
        return data
    try:
        pyarrow = import_module("pyarrow")
    except ImportError as error:
        raise MissingExtraError("Arrow's tables need PyArrow: pip install 'penstock[data]'") from error
    try:
        return data if isinstance(data, pyarrow.Table) else pyarrow.table(data)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        raise DataError(f"{type(data).__name__} can't be read as a table of Arrow: {error!s:.200}") from error


def table_names(table: Any) -> list[str]:
    """The names of a table's columns, as text."""
    return [str(name) for name in (table.column_names if package_of(table) == "pyarrow" else table.columns)]


def table_column(table: Any, name: str) -> Any:
    """The column with this name, as the table's package has it.

    Raises:
        DataError: no column, or more than one, has that name.
    """
    names = table_names(table)
    if name not in names:
        raise DataError(f"the table {absent_words([name], names)}")
    if names.count(name) > 1:
        raise DataError(f"the table has the column {name} more than once: {', '.join(names):.300}")
    place = names.index(name)
    if package_of(table) == "pandas":
        return table.iloc[:, place]
    return table.column(place) if package_of(table) == "pyarrow" else table.to_series(place)


def _is_of(data: Any, package: str, kinds: Collection[str]) -> bool:
    """Whether data is of one of a package's types, or of a type derived from one."""
    parents = type(data).__mro__
    return any(each.__name__ in kinds and each.__module__.split(".")[0] == package for each in parents)
