"""A served model: the loaded model, what computes for it, and a check whether its files have changed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.errors import ConfigError
from penstock.runtime import Model, load
from penstock.server.backend import Backend
from penstock.server.failures import RequestError

__all__ = ["ServedModel", "load_all"]


class ServedModel:
    """One model of a server.

    Args:
        name: the name in URLs.
        path: the model's folder.

    Attributes:
        model: the loaded model.
        backend: what computes, to be set before the first request.
    """

    backend: Backend

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self._state = _state_on_disk(path)  # first, so that a change while loading is not missed
        self.model: Model = load(path)
        self.changed = False

    async def answers(self, inputs: Any, options: Mapping[str, Any], *, long: bool) -> str:
        """Return what `penstock predict` writes for these inputs, a list of rows as JSON.

        Args:
            inputs: as `Model.answers` takes them.
            options: checked ones of the model's task.
            long: whether the inputs are many or large.

        Raises:
            InputError: the inputs are invalid.
            RequestError: an input or the answer is too large.
        """
        self._check_lengths(inputs)
        return await self.backend.answers(inputs, options, long=long)

    def _check_lengths(self, inputs: Any) -> None:
        most = self.model.most_characters
        if most is None:
            return
        for number, each in enumerate(inputs):
            if isinstance(each, str | list) and len(each) > most:
                unit = "characters" if isinstance(each, str) else "tokens"
                words = f"an input may have at most {most} {unit}; number {number} has {len(each)}. Split it."
                raise RequestError(422, "DataError", words)

    def check_files(self) -> bool:
        """Whether the folder has changed since the last check. The loaded model is still served."""
        before, self.changed = self.changed, _state_on_disk(self.path) != self._state
        return self.changed and not before

    def entry(self) -> dict[str, Any]:
        """Return the model's entry in the list of models."""
        model = self.model
        return {
            "name": self.name,
            "task": model.task,
            "labels": model.labels,
            "streams": model.streams,
            "fingerprint": model.fingerprint,
        }

    def info(self) -> dict[str, Any]:
        """Return all information about the model."""
        more = {"name": self.name, "changed_on_disk": self.changed, "report": self.report is not None}
        return {**self.model.info(), **more}

    @property
    def report(self) -> Path | None:
        """Path of the training report; None if there is none."""
        path = self.path / "report.html"
        return path if path.is_file() else None


def load_all(folders: Sequence[str]) -> dict[str, ServedModel]:
    """Load models by name: the folder's name, or NAME in NAME=DIR.

    Raises:
            ConfigError: two models have the same name.
            BundleError: a folder is not a usable model.
    """
    models: dict[str, ServedModel] = {}
    for folder in folders:
        name, path = _named(folder)
        if name in models:
            raise ConfigError(f"two models have the name {name!r}. Name one of them: other={folder}")
        models[name] = ServedModel(name, path)
    return models


def _named(folder: str) -> tuple[str, Path]:
    name, equals, rest = folder.partition("=")
    if equals and not Path(folder).exists() and name and "/" not in name:
        return name, Path(rest)
    return Path(folder).resolve().name, Path(folder)


def _state_on_disk(path: Path) -> tuple[Any, ...] | None:
    """Return values that change whenever the folder is rewritten; None if it is gone."""
    try:
        files = sorted(entry for entry in path.iterdir() if entry.suffix in (".json", ".safetensors"))
        return tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size, file.stat().st_ino) for file in files)
    except OSError:
        return None
