"""Texts and labels from the files that a command is given."""

from pathlib import Path
from typing import TYPE_CHECKING

from penstock.cli.lines import text_lines
from penstock.errors import DataError

if TYPE_CHECKING:
    from penstock.runtime import Model

__all__ = ["column_name", "texts_to_answer"]


def column_name(model: "Model", kind: str, given: str | None) -> str:
    """The column to read: the one that was asked for, else that of the training data.

    Args:
        model: a saved model; its metrics name the columns of its training data.
        kind: "text" or "label", also the name where the model doesn't say.
        given: what the user asked for, if anything.
    """
    return given or model.metrics.get("data", {}).get("columns", {}).get(kind, kind)


def texts_to_answer(path: Path, column: str) -> list[str]:
    """One text for each row of a table, or for each line of a .txt file; a missing one is an empty text.

    Raises:
        DataError: the file can't be read, or the column holds no texts.
    """
    from penstock.datasets import as_texts, read_table

    if path.suffix.lower() == ".txt":
        try:
            with path.open("rb") as lines:
                return list(text_lines(lines, str(path)))
        except OSError as error:
            raise DataError(f"{path}: can't be read: {error.strerror}") from error
    # A row in, a row out: answers must stay beside their rows, so none is dropped.
    return [text or "" for text in as_texts(read_table(path, [column])[column], f"the column {column} of {path}")]
