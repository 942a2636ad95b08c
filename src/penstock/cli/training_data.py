"""The data of a training, its files and columns, as `penstock train` and `penstock tune` are given it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.cli.columns import remembered_columns
from penstock.cli.likely_tasks import check_no_model, hint
from penstock.cli.origin import sources
from penstock.cli.splits import read_parts
from penstock.errors import ConfigError, DataError
from penstock.tasks import Task

if TYPE_CHECKING:
    from penstock.tasks import Columns, Estimator

__all__ = ["TrainingData"]


@dataclass(frozen=True)
class TrainingData:
    """What the command line says of the data.

    Attributes:
        task: whose reader is used.
        data: the file or folder to train on.
        valid, test: those of the other parts; None to divide `data`.
        split: the shares of the division; None for the usual ones.
        named: the columns of `data` by role; unnamed ones are None.
        files: for "valid" and "test" the columns that are files.
    """

    task: Task
    data: Path
    valid: Path | None
    test: Path | None
    split: str | None
    named: dict[str, Any]
    files: dict[str, dict[str, Any]]

    @classmethod
    def given(
        cls, task: Task, data: Path, valid: Path | None, test: Path | None, split: str | None, options: dict[str, Any]
    ) -> "TrainingData":
        """Take the columns out of the options of a command; the others are left there."""
        named = {column.name: options.pop(column.name) for column in task.columns}
        files = {
            part: {column.name: options.pop(f"{part}_{column.name}") for column in task.columns if column.file}
            for part in ("valid", "test")
        }
        return cls(task, data, valid, test, split, named, files)

    def read(
        self, estimator: "Estimator", columns: "Columns", seed: int
    ) -> tuple[tuple[Any, Any, Any], dict[str, dict[str, int]], "Columns"]:
        """Read the parts; see `splits.read_parts`. The message on data of another task says which task it may be."""
        check_no_model(self.data)
        parts = self.data, self.valid, self.test, self.split
        try:
            return read_parts(self.task, estimator, *parts, columns, self.files, seed)
        except (ConfigError, DataError) as error:
            more = hint(self.task, self.data)
            if not more:
                raise
            raise type(error)(f"{error}{'' if str(error).endswith(('.', '?')) else '.'}{more}") from error

    def about(self, columns: "Columns") -> dict[str, Any]:
        """Return what a saved model tells of its data: the columns, so that other commands find them, and the files.

        Args:
            columns: those that were read.
        """
        return {
            "columns": remembered_columns(self.task, columns),
            "sources": sources(
                {
                    "train": [self.data, *(self.named[column.name] for column in self.task.columns if column.file)],
                    "valid": [self.valid, *self.files["valid"].values()],
                    "test": [self.test, *self.files["test"].values()],
                }
            ),
        }

    def command(
        self, out: Path, *, license: str | None, datasets: str | None, start: Path | None = None
    ) -> dict[str, dict[str, Any]]:
        """Return the options of the command for train.toml, by panel, beside those of the estimator.

        Args:
            out: the folder of the model; a repeated training writes beside it.
            license, datasets: of the model's card.
            start: the model whose training is continued.
        """
        beside = {f"{part}_{name}": path for part, several in self.files.items() for name, path in several.items()}
        data = {"data": self.data, **self.named, "valid": self.valid, "test": self.test, "split": self.split, **beside}
        output = {"out": out.with_name(f"{out.name}-again"), "license": license, "datasets": datasets}
        return {"data": data, "training": {"from": start}, "output": output}
