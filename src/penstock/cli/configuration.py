"""`penstock train --config FILE`: options from a TOML file, by the names of the command line."""

import csv
import io
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from penstock.cli.values import PATHS, TEXT, meant
from penstock.errors import ConfigError
from penstock.tasks import TASKS, Task
from penstock.tasks.configuration import PANELS

__all__ = ["Configuration", "config_path", "read_configuration"]

_FLAG = "--config"


@dataclass(frozen=True)
class Configuration:
    """The options in a TOML file.

    path: the file
    task: the name of a task, or of a command of `penstock train`; None if the file names none
    values: the TOML values by option name, with hyphens
    """

    path: Path
    task: str | None
    values: Mapping[str, Any]

    @property
    def command(self) -> str:
        """The name of the command after `penstock train`.

        Raises:
            ConfigError: the file names no task, or an unknown one.
        """
        known = {name: task.command for name, task in TASKS.items()} | {
            task.command: task.command for task in TASKS.values()
        }
        if self.task is None:
            raise ConfigError(f'{self.path}: has no task. Add one, such as task = "{next(iter(TASKS))}".')
        if self.task not in known:
            raise ConfigError(
                f"{self.path}: there is no task {self.task}; there are: {', '.join(known)}.{meant(self.task, known)}"
            )
        return known[self.task]

    def among(self, tasks: Sequence[Task]) -> list[Task]:
        """Return the tasks that the file applies to, out of the given ones.

        Raises:
            ConfigError: it applies to none of them.
        """
        if self.task is None:
            return list(tasks)
        found = [task for task in tasks if self.task in (task.name, task.command)]
        if not found:
            raise ConfigError(f"{self.path}: is for {self.task}. Use it with: penstock train {self.command}")
        return found

    def given(self) -> dict[str, Any]:
        """Return the values by parameter name, unchecked, with resolved paths; used to inspect the data."""
        found = {name.replace("-", "_"): value for name, value in self.values.items()}
        for name, written in (("data", "data"), ("start", "from")):
            if isinstance(path := self.values.get(written), str):
                found[name] = self._here(path)
        return found

    def defaults(self, command: click.Command) -> dict[str, Any]:
        """Return the checked values by the names of a command's parameters.

        Raises:
            ConfigError: the command lacks an option of the file, or a value is invalid.
        """
        known = {_key(parameter): parameter for parameter in command.params if parameter.expose_value}
        found = {}
        for name, value in self.values.items():
            if name not in known:
                raise ConfigError(f"{self.path}: there is no option {name}.{meant(name, known)}")
            try:
                found[known[name].name] = self._value(known[name], value)
            except click.BadParameter as error:
                raise ConfigError(f"{self.path}: {name} {error.message}") from error
        return found

    def _value(self, parameter: click.Parameter, value: Any) -> Any:
        kind = parameter.type
        if kind is click.BOOL:
            if not isinstance(value, bool):
                raise click.BadParameter(f"must be true or false; got {value!r:.80}")
            return value
        if kind is TEXT and isinstance(value, list) and all(isinstance(each, str) for each in value):
            line = io.StringIO()
            csv.writer(line, lineterminator="").writerow(value)
            return line.getvalue()
        if kind is TEXT or kind in PATHS:
            if not isinstance(value, str):
                raise click.BadParameter(f"must be text; got {value!r:.80}")
            return self._here(value) if kind in PATHS else value
        return kind.convert(value, parameter, None)

    def _here(self, path: str) -> str:
        """Resolve a path relative to the folder of the file."""
        return os.path.normpath(os.path.join(os.path.dirname(os.path.realpath(self.path)), path))


def read_configuration(path: Path) -> Configuration:
    """Read a file of options, either in one table per panel of the help or at the top level.

    Args:
        path: the file, or the folder of a model that contains train.toml.

    Raises:
        ConfigError: the file can't be read, is not TOML, or sets an option twice.
    """
    path = path / "train.toml" if path.is_dir() else path
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # of TOML, of UTF-8, a number of thousands of digits, too deep
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    task = found.pop("task", None)
    if task is not None and not isinstance(task, str):
        raise ConfigError(f"{path}: task must be text; got {task!r:.80}")
    values: dict[str, Any] = {}
    for name, value in found.items():
        table = value if name in PANELS and isinstance(value, dict) else {name: value}
        for key, one in table.items():
            plain = key.replace("_", "-")
            if plain in values:
                raise ConfigError(f"{path}: {plain} is there twice. Leave one of them out.")
            values[plain] = one
    return Configuration(path, task, values)


def config_path(words: Sequence[str]) -> Path | None:
    """Return the value of `--config` among the arguments of `penstock train`, or None."""
    for place, word in enumerate(words):
        if word == _FLAG and place + 1 < len(words):
            return Path(words[place + 1])
        if word.startswith(f"{_FLAG}="):
            return Path(word.removeprefix(f"{_FLAG}="))
    return None


def _key(parameter: click.Parameter) -> str:
    """Return the name of a parameter on the command line, with hyphens, but none in front."""
    if isinstance(parameter, click.Argument):
        return str(parameter.name).replace("_", "-")
    return parameter.opts[0].removeprefix("--")
