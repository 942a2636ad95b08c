"""Conversion of columns of texts and labels (lists, NumPy arrays, pandas, Polars, Arrow) to lists."""

import logging
from collections import Counter
from collections.abc import Iterable, KeysView, Mapping, Set
from importlib import import_module
from typing import Any

import numpy as np

from penstock.datasets.changes import change
from penstock.datasets.frames import package_of
from penstock.datasets.rows import Rows
from penstock.errors import DataError, MissingExtraError
from penstock.labels import as_label

__all__ = ["as_labels", "as_texts", "frame_column", "plain_column", "text_table"]

_LOGGER = logging.getLogger(__name__)


def text_table(texts: Any, labels: Any = None, *, may_be_empty: bool = False) -> Rows:
    """Return texts and their labels; rows without a text or a label are dropped and counted.

    Raises:
        DataError: the numbers of labels and texts differ, nothing is left unless it `may_be_empty`, or values are not
            texts or labels.
    """
    rows = as_texts(texts)
    answers = None if labels is None else as_labels(labels)
    if answers is not None and len(answers) != len(rows):
        raise DataError(f"texts and labels must have the same length; got {len(rows)} texts and {len(answers)} labels")
    reasons = [
        "no text" if text is None or not text.strip() else "no label" if answers is not None and label is None else ""
        for text, label in zip(rows, answers or [None] * len(rows), strict=True)
    ]
    kept = [position for position, reason in enumerate(reasons) if not reason]
    dropped = dict(Counter(filter(None, reasons)))
    if not kept and not may_be_empty:
        why = ", ".join(f"{count} rows with {reason}" for reason, count in dropped.items()) or "there are no rows"
        raise DataError(f"no rows are left to use: {why}. Is it the right file and column?")
    return Rows(
        [rows[position] or "" for position in kept],
        None if answers is None else [answers[position] for position in kept],
        dropped,
        np.array(kept, np.int64),
    )


def as_texts(values: Any, what: str = "texts") -> list[str | None]:
    """Return a column of texts as a list, None where one is missing.

    Raises:
        DataError: not a column, or a value is not a text.
    """
    texts = plain_column(values, what)
    for position, text in enumerate(texts):
        if text is not None and not isinstance(text, str):
            raise DataError(
                f"{what} must all be text; number {position} is {text!r:.40} ({type(text).__name__}). "
                "Choose another column, or turn it into text."
            )
    found = [None if text is None else _encodable(text) for text in texts]
    mended = sum(text != own for text, own in zip(found, texts, strict=True))
    change(_LOGGER, "texts with half characters, replaced", mended)
    return found


def as_labels(values: Any, what: str = "labels") -> list[Any]:
    """Return a column of labels as a list of str, int, bool or float; None where missing or blank, see `labels`.

    Raises:
        DataError: not a column, or a value is not a label.
    """
    labels: list[Any] = []
    if isinstance(values, list | tuple | np.ndarray) and (moment := _moment(values)) is not None:
        # Refused here, because some of them would be converted to an integer number of nanoseconds.
        raise DataError(f"{what} must be words or numbers; got dates or durations like {moment}. Turn them into text.")
    for position, value in enumerate(plain_column(values, what)):
        try:
            labels.append(as_label(value))
        except DataError as error:
            raise DataError(f"{what} must be words or numbers; number {position} is {error}") from error
    return labels


def _moment(values: Any) -> np.generic | None:
    """Return the first value that is a NumPy date or duration."""
    if isinstance(values, np.ndarray) and values.dtype.kind not in "mMO":
        return None
    return next((value for value in values if isinstance(value, np.datetime64 | np.timedelta64)), None)


def _encodable(text: str) -> str:
    """Return the text, with U+FFFD for lone surrogates, as in a truncated message."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def plain_column(values: Any, what: str) -> list[Any]:
    """Return any kind of column as a list of Python values, None where one is missing; DataError if not a column."""
    if isinstance(values, str | bytes):
        raise DataError(f"{what} must be a list or a column; got a single {type(values).__name__}. Put it into a list.")
    if isinstance(values, Set) and not isinstance(values, KeysView):
        raise DataError(f"{what} must be a list or a column; got {type(values).__name__}, which has no order.")
    if isinstance(values, Mapping) or getattr(values, "ndim", 1) != 1 or hasattr(values, "columns"):
        raise DataError(f"{what} must be one column; got {type(values).__name__}. Choose one of its columns.")
    if hasattr(values, "to_pylist"):  # Arrow
        values = values.to_pylist()
    elif hasattr(values, "to_series"):  # a pandas index
        values = frame_column(values.to_series())
    elif hasattr(values, "to_list") and hasattr(values, "dtype"):
        values = frame_column(values)
    elif hasattr(values, "tolist"):
        values = values.tolist()
    elif hasattr(values, "__array__"):
        return plain_column(np.asarray(values), what)
    elif not isinstance(values, Iterable):
        raise DataError(f"{what} must be a list or a column; got {type(values).__name__}")
    items = (value.item() if isinstance(value, np.generic) else value for value in values)
    return [None if isinstance(value, float) and value != value else value for value in items]


def frame_column(values: Any) -> list[Any]:
    """Return a pandas or Polars column, or one of their like, with None where it says that a value is missing."""
    package = package_of(values)
    if package in ("pandas", "polars"):
        missing = values.isna() if package == "pandas" else values.is_null()
        return [None if gone else value for value, gone in zip(values.to_list(), missing.to_list(), strict=True)]
    try:
        narwhals = import_module("narwhals")
    except ImportError as error:
        raise MissingExtraError("columns of frames need Narwhals: pip install 'penstock[data]'") from error
    column = narwhals.from_native(values, series_only=True)
    pairs = zip(column.to_list(), column.is_null().to_list(), strict=True)
    return [None if missing else value for value, missing in pairs]
