"""Declaration of a task: its names, columns and classes, as the commands, the server and `penstock.load` need them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.registry.references import resolve

__all__ = ["Column", "Columns", "Setting", "Task"]

Columns = Mapping[str, Any]
"""The columns chosen for each `Column` of the task: one name, several names, or None if nothing was chosen."""


@dataclass(frozen=True)
class Column:
    """A command-line flag that names a column of the data, such as `--text COL`.

    Attributes:
        name: name of the flag, without dashes.
        help: help text.
        default: the column to read if the flag is not given; None for no column. A boolean makes the flag a switch.
        several: whether the flag takes several names, separated by commas.
        answer: whether the column holds the targets, which `predict` does not need.
        everyday: whether `penstock train --help` lists it; otherwise only `--help-all` does.
        remembered: whether a saved model uses the value for other files too; False for what describes one file.
        file: whether it is not a column, but the path of a file that belongs to the data row by row. It is then an
            argument after DATA, and an option `--valid-<name>` and `--test-<name>` for those files.
    """

    name: str
    help: str
    default: str | bool | None = None
    several: bool = False
    answer: bool = False
    everyday: bool = True
    remembered: bool = True
    file: bool = False


@dataclass(frozen=True)
class Setting:
    """An option that is no column, passed by name if it is given: of `penstock predict` to `Model.answers`, of
    `penstock evaluate` to `Model.evaluate`.

    Attributes:
        name: name of the argument; the flag has hyphens.
        help: help text.
        type: int, float or str, or bool for a switch.
        least: the lowest number that is allowed.
        most: the highest number that a server lets a client ask for, because work and memory grow with it; None for
            any.
        local: whether a server leaves it out, because it names a file.
    """

    name: str
    help: str
    type: type = int
    least: float = 1
    most: float | None = None
    local: bool = False


def _no_claim(path: Path, columns: Columns) -> bool:
    return False


@dataclass(frozen=True)
class Task:
    """A row of the table of tasks. Its classes and functions are imported on first use.

    Attributes:
        name: the name of the task, as stored in bundles.
        command: the word after `penstock train`; `claims` decides between tasks with the same command.
        summary: one line of help.
        example: example arguments of `penstock train COMMAND`.
        columns: the columns that are read from the data.
        read: (path, columns, answers) -> Rows, or another table with `inputs`, `answers` and `dropped`. If `answers` is
            False, the file may lack the targets and no row may be dropped. If the table has `columns`, a saved model
            reads these from other files.
        estimator: a `tasks.Estimator`, which trains and needs PyTorch; "module:Class", or the class itself.
        model: a `runtime.Model`, which predicts and needs only the base install; "module:Class", or the class itself.
        models: the models of other kinds of features than those of `model`, by kind.
        report: (metrics, title=, language=) -> the report as HTML; "module:function", or the function itself.
        words: "module:TABLE", the words of its report and names of its metrics, {key: {language: text}}; "" if it needs
            none besides those of `report`.
        claims: (path, columns) -> whether the data belongs to this task; of the tasks with the same command, the first
            is used if none claims the data.
        folder: whether `read` takes a folder as one data set, such as of recordings; a folder of other tasks has files
            that each are one.
        blocks: (path, columns) -> the inputs, as `read` gives them without answers, some rows at a time and in constant
            memory: of a folder for tasks that read one, else of a file; None to read it as a whole.
        parse: turns a line of `penstock predict DIR -` into one input; None if lines are not inputs.
        settings: the options of `penstock predict` besides the columns.
        measuring: the options of `penstock evaluate` besides the columns.
        pipeline: the Hugging Face Hub's word for the task, such as "text-classification"; "" if it has none.
        as_text: turns an answer of `penstock predict` into text, which is written for inputs that are text themselves,
            and not a table; None to write JSON lines for these too.
        rewrite: (path, columns, answers) -> the lines of such a file with the answers in it; None to write what
            `as_text` makes of each.
    """

    name: str
    command: str
    summary: str
    example: str
    columns: tuple[Column, ...]
    read: Callable[[Path, Columns, bool], Any]
    estimator: Any
    model: Any
    report: Any = "penstock.report:render"
    models: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    claims: Callable[[Path, Columns], bool] = _no_claim
    folder: bool = False
    blocks: Callable[[Path, Columns], Iterator[Any]] | None = None
    parse: Callable[[str], Any] | None = None
    settings: tuple[Setting, ...] = ()
    measuring: tuple[Setting, ...] = ()
    pipeline: str = ""
    as_text: Callable[[Mapping[str, Any]], str] | None = None
    rewrite: Callable[[Path, Columns, Iterable[Mapping[str, Any]]], Iterator[str]] | None = None

    def estimator_class(self) -> type[Any]:
        """Return the `tasks.Estimator` class; MissingExtraError if a package that training needs is not installed."""
        return resolve(self.estimator)

    def model_class(self, kind: Any = None) -> type[Any]:
        """Return the `runtime.Model` class for features of a kind, which may be anything that a bundle says."""
        return resolve(self.models.get(kind, self.model) if isinstance(kind, str) else self.model)
