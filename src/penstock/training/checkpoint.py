"""The state of a training on disk, so that training can resume after an unexpected end.

It is one safetensors file: the tensors, and everything else as JSON in its header, with a SHA-256 of both. There is no
pickle. The previous file is kept too.
"""

import json
import os
import shutil
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from penstock.errors import BundleError
from penstock.locks import held
from penstock.training.recipe import at_least

__all__ = ["Checkpoint"]

_FORMAT = "4"
_TENSOR = "$tensor"
"""The only key of a JSON object that stands for a tensor; its value is the tensor's name."""
_SHARE = 0.02
"""The share of the time that regular writes may take."""
_SOON = 5.0
"""Seconds of training that are not worth a write."""


class _DamagedError(Exception):
    """The reason why a file cannot be used."""


class Checkpoint:
    """A file for the state of a training.

    A write replaces the file atomically and keeps the previous one as `<name>.previous`.

    Args:
        path: the file.
        key: identifies the training by its settings and data; only a file with the same key is resumed.
        every_steps: write after every this many steps in any case; None for no such writes.
        every_seconds: write after this many seconds, and after an epoch, but so seldom that writes take at most 2 % of
            the time, beside the first and the last one. What took less than 5 seconds is not worth a write, unless
            this is less.

    Raises:
        ConfigError: `every_steps` is not a whole number of 1 or more, or `every_seconds` not a number of 0 or more.
    """

    def __init__(
        self, path: str | Path, key: str, *, every_steps: int | None = None, every_seconds: float = 60.0
    ) -> None:
        if every_steps is not None:
            at_least("every_steps", every_steps, 1, whole=True)
        self.path, self.key, self.every_steps = Path(path), key, every_steps
        self.every_seconds = at_least("every_seconds", every_seconds, 0)
        self.previous = self.path.with_name(f"{self.path.name}.previous")
        self._least = min(self.every_seconds, _SOON)
        self._written, self._cost = time.perf_counter(), self._least * _SHARE

    def is_due(self, step: int) -> bool:
        """Return whether to write after this step of an epoch, counted from 1."""
        if self.every_steps is not None and step % self.every_steps == 0:
            return True
        return self._since() >= self.every_seconds and self.is_due_after_epoch()

    def is_due_after_epoch(self) -> bool:
        """Return whether to write after an epoch and its validation."""
        return self._since() * _SHARE >= self._cost

    def is_due_at_end(self) -> bool:
        """Return whether to write at the end: whether otherwise more than a few seconds of training would be lost."""
        return self._since() >= self._least

    def _since(self) -> float:
        """Seconds since the last write."""
        return time.perf_counter() - self._written

    def write(self, state: Mapping[str, Any]) -> None:
        """Replace the file.

        Args:
            state: by names (str): tensors, None, bool, int, float, str, lists and tuples of these, and mappings.

        Raises:
            BundleError: the file cannot be written.
            TypeError: the state holds another type.
        """
        self.put(_encoded(state, self.key))

    def content(self) -> bytes | None:
        """Return the state that was written last as the content of a file; None if there is no file.

        Raises:
            BundleError: as `read`.
        """
        state = self.read()
        return None if state is None else _encoded(state, self.key)

    def put(self, content: bytes) -> None:
        """Replace the file by the content of another one.

        Raises:
            BundleError: the file cannot be written.
        """
        temporary, began = self.path.with_name(f".{self.path.name}.new"), time.perf_counter()
        try:
            with open(temporary, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if self.path.exists():
                _keep(self.path, self.previous)
            os.replace(temporary, self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise BundleError(f"{self.path}: the checkpoint can't be written: {error.strerror or error}") from error
        finally:
            temporary.unlink(missing_ok=True)  # after success it has been renamed
            self._written = time.perf_counter()
            self._cost = self._written - began

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Context manager that reserves the file for one training.

        Raises:
            InputError: another training uses the file.
            BundleError: the folder does not exist.
        """
        self._check_folder()
        with held(self.path, "another training uses this checkpoint now. Wait for its end, or choose another file."):
            yield

    def read(self) -> dict[str, Any] | None:
        """Return the state that was written last, with lists for tuples; None if there is no file.

        If the file is damaged, the previous one is read instead, with a warning.

        Raises:
            BundleError: both files are damaged, the file is of another training, or the folder does not exist.
        """
        self._check_folder()
        if not self.path.exists():
            return None
        try:
            return self._read(self.path)
        except _DamagedError as damage:
            remedy = "Remove it to train from the start."
            if not self.previous.exists():
                raise BundleError(f"{self.path}: can't be read as a checkpoint: {damage}. {remedy}") from damage
            try:
                state = self._read(self.previous)
            except _DamagedError as second:
                raise BundleError(
                    f"{self.path}: can't be read as a checkpoint: {damage}; nor can {self.previous.name}: {second}. "
                    + remedy
                ) from second
            warnings.warn(
                f"{self.path}: can't be read as a checkpoint: {damage}. "
                f"Training resumes from the one before it, {self.previous.name}.",
                stacklevel=2,
            )
            return state

    def _check_folder(self) -> None:
        if not self.path.parent.is_dir():
            raise BundleError(f"{self.path}: the checkpoint can't be written: there is no folder {self.path.parent}")

    def _read(self, path: Path) -> dict[str, Any]:
        key, state = _decoded(path)
        if key != self.key:
            raise BundleError(
                f"{path}: is the checkpoint of a training with other settings or data. "
                "Remove it, or choose another file."
            )
        return state


def _encoded(state: Mapping[str, Any], key: str) -> bytes:
    tensors: dict[str, Tensor] = {}
    text = json.dumps({"key": key, "state": _plain(state, "", tensors)})
    return save(tensors, {"format": _FORMAT, "state": text, "sha256": _digest(text, tensors)})


def _decoded(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise _DamagedError(str(error)) from error
    if about.get("format") != _FORMAT or not {"state", "sha256"} <= about.keys():
        raise _DamagedError("this version of Penstock did not write it")
    if about["sha256"] != _digest(about["state"], tensors):
        raise _DamagedError("it was changed after it was written (its SHA-256 differs)")
    try:
        found = json.loads(about["state"])
        return found["key"], _restored(found["state"], tensors)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _DamagedError(f"its state is not as Penstock wrote it ({error!s:.80})") from error


def _plain(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """Convert a value for JSON; tensors are collected under their paths in the state, such as "optimizer/0/step"."""
    if isinstance(value, Tensor):
        tensors[name] = value.detach().clone(memory_format=torch.contiguous_format)
        return {_TENSOR: name}
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"a checkpoint's names must be str; {name or 'the state'} has {list(value)!r:.60}")
        return {key: _plain(each, f"{name}/{key}", tensors) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, f"{name}/{place}", tensors) for place, each in enumerate(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a checkpoint holds tensors and plain values; {name} is a {type(value).__name__}")


def _restored(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_TENSOR}:
            return tensors[value[_TENSOR]]
        return {key: _restored(each, tensors) for key, each in value.items()}
    return [_restored(each, tensors) for each in value] if isinstance(value, list) else value


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    digest = sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _keep(path: Path, previous: Path) -> None:
    """Keep the file under its second name, so that at any moment one of the two files is complete."""
    temporary = previous.with_name(f".{previous.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        os.link(path, temporary)
    except OSError:  # a file system without hard links
        shutil.copyfile(path, temporary)
    os.replace(temporary, previous)


def _sync_folder(folder: Path) -> None:
    """Make the renames durable in case of power loss; possible only on POSIX."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
