"""What a task is to the commands, the server and `penstock.load`: its words, its columns, and where its parts are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.registry.references import resolve

__all__ = ["Column", "Columns", "Task"]

Columns = Mapping[str, Any]
"""What was chosen to read: the column's name, or several, for each `Column` of the task; None where nothing was."""


@dataclass(frozen=True)
class Column:
    """A flag that names what to read of the data: `--text COL`.

    name: of the flag, without dashes
    help: for people
    default: the column to read where the flag isn't given; None: nothing
    several: several names may be given, with commas between
    answer: it holds what is to be learned, so `predict` needs none
    """

    name: str
    help: str
    default: str | None = None
    several: bool = False
    answer: bool = False


def _no_claim(path: Path, columns: Columns) -> bool:
    return False


def _as_named(path: Path, columns: Columns) -> Columns:
    return columns


@dataclass(frozen=True)
class Task:
    """A row of the table of tasks. It names its parts, and they are imported when they are needed.

    name: the task's own, as bundles bear it
    command: the word after `penstock train`; tasks that share one are told apart by `claims`
    summary: one line for people
    example: what may follow `penstock train COMMAND`
    columns: what of the data is read
    read: (path, columns, answers) -> Rows, or another table with `inputs`, `answers` and `dropped`; with answers False
        the file may lack them and no row may be dropped
    estimator: a `tasks.Estimator`, which trains; needs PyTorch. "module:Class", or the class itself
    model: a `runtime.Model`, which predicts; needs the base install alone. "module:Class", or the class itself
    claims: (path, flags given) -> whether this data is of this task, among those of its command; where none says so, it
        is of the first
    parse: a line of `penstock predict DIR -` -> one input; None where lines make no inputs
    found: (path of the training data, columns) -> the columns that a saved model reads: names where patterns were given
    """

    name: str
    command: str
    summary: str
    example: str
    columns: tuple[Column, ...]
    read: Callable[[Path, Columns, bool], Any]
    estimator: Any
    model: Any
    claims: Callable[[Path, Columns], bool] = _no_claim
    parse: Callable[[str], Any] | None = None
    found: Callable[[Path, Columns], Columns] = _as_named

    def estimator_class(self) -> type[Any]:
        """The `tasks.Estimator`; MissingExtraError if a package that training needs isn't installed."""
        return resolve(self.estimator)

    def model_class(self) -> type[Any]:
        """The `runtime.Model`."""
        return resolve(self.model)
