"""Keras' files read as data: .keras (a zip of JSON and HDF5) and .h5, without Keras, so that nothing in them runs.

Links to other files are refused, and sizes are checked as declared, before anything is read.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.decoded import ZIP_ERRORS, Decoded, unzipped
from penstock.errors import BundleError, InputError, MissingExtraError

__all__ = ["KerasFile", "Weights", "read_keras_file"]


class Weights(Protocol):
    """The arrays of a model, or of one of its layers."""

    def layers(self, described: Sequence[Mapping[str, Any]]) -> dict[str, "Weights"]:
        """Return those of each layer by its name, for layers as the model's configuration lists them."""
        ...

    def arrays(self) -> list[NDArray[Any]]:
        """Return the layer's arrays in Keras' order."""
        ...


@dataclass(frozen=True)
class KerasFile:
    """A model as Keras saved it.

    Attributes:
        described: {"class_name": ..., "config": ...}; None if the file holds weights alone.
        weights: its arrays.
        version: Keras' version, such as "3.8.0"; "" if unknown.
        names: the layers that the file has weights for.
    """

    described: Mapping[str, Any] | None
    weights: Weights
    version: str
    names: tuple[str, ...]


@contextmanager
def read_keras_file(path: Path) -> Iterator[KerasFile]:
    """Open a file of Keras for reading.

    Raises:
        BundleError: there is no such file, or it is damaged, or of another kind.
        DataError: it holds more than it may when decoded.
        MissingExtraError: h5py is not installed.
    """
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise MissingExtraError("Keras' files need h5py: pip install 'penstock[keras]'") from error
    try:
        if zipfile.is_zipfile(path):
            described, version, source = _unzipped(path)
        elif h5py.is_hdf5(path):
            described, version, source = None, "", path
        else:
            raise BundleError(f"{path} is neither a .keras file nor HDF5, or it is cut off")
        with h5py.File(source, "r") as file:
            yield _opened(file, described, version, path)
    except InputError:
        raise
    except (*ZIP_ERRORS, AttributeError, KeyError, TypeError) as error:
        raise BundleError(f"{path}: can't be read as a model of Keras: {error}") from error


def _unzipped(path: Path) -> tuple[Mapping[str, Any], str, Any]:
    with zipfile.ZipFile(path) as archive:
        if missing := {"config.json", "metadata.json", "model.weights.h5"} - set(archive.namelist()):
            raise BundleError(f"{path} is no .keras file: it holds no {sorted(missing)[0]}")
        Decoded(path, path.stat().st_size).add(sum(entry.file_size for entry in archive.infolist()))
        described = json.loads(unzipped(archive, "config.json"))
        version = str(json.loads(unzipped(archive, "metadata.json")).get("keras_version", ""))
        return described, version, io.BytesIO(unzipped(archive, "model.weights.h5"))


def _opened(file: Any, described: Mapping[str, Any] | None, version: str, path: Path) -> KerasFile:
    if described is None and "model_config" in file.attrs:
        described = json.loads(_text(file.attrs["model_config"]))
        version = _text(file.attrs.get("keras_version", ""))
    budget = _Budget(path)
    if "model_weights" in file or "layer_names" in file.attrs:
        group = _child(file, "model_weights") if "model_weights" in file else file
        version = version or _text(group.attrs.get("keras_version", ""))
        items = [(name, item) for name in group for item in _listed(_child(group, name))]
        named = [(f"{name}/{inner}", array) for name, (inner, array) in items]
        return KerasFile(described, _Flat(named, budget, root=True), version, tuple(dict(items)))
    inner = _child(file, "layers") if "layers" in file else {}
    return KerasFile(described, _Nested(file, budget), version or "3", tuple(inner))


class _Budget:
    """Counts the bytes of arrays before they are read."""

    def __init__(self, path: Path) -> None:
        self._path, self._decoded = path, Decoded(path, path.stat().st_size)

    def read(self, dataset: Any) -> NDArray[Any]:
        """Return a dataset's numbers; BundleError if they are none or lie in other files, DataError if too many."""
        if dataset.dtype.kind not in "fiub" or dataset.external or dataset.is_virtual:
            raise BundleError(f"{self._path}: {dataset.name} does not hold numbers of its own")
        self._decoded.add(int(dataset.size) * dataset.dtype.itemsize)
        return np.asarray(dataset[()])


@dataclass(frozen=True)
class _Nested:
    """Keras 3's groups: layers/<class>_<number>/vars/<number>."""

    group: Any
    budget: _Budget

    def layers(self, described: Sequence[Mapping[str, Any]]) -> dict[str, Weights]:
        found, counts = dict[str, Weights](), dict[str, int]()
        groups = _child(self.group, "layers") if "layers" in self.group else {}
        for layer in described:
            name = _snake(str(layer.get("class_name")))
            number = counts[name] = counts.get(name, -1) + 1
            stored = f"{name}_{number}" if number else name
            if stored in groups:
                found[_name(layer)] = _Nested(_child(groups, stored), self.budget)
        return found

    def arrays(self) -> list[NDArray[Any]]:
        stored = _child(self.group, "vars") if "vars" in self.group else {}
        own = [self.budget.read(_child(stored, name)) for name in sorted(stored, key=int)]
        parts = [part for part in ("cell", "forward_layer", "backward_layer", "layer") if part in self.group]
        return own + [array for part in parts for array in _Nested(_child(self.group, part), self.budget).arrays()]


@dataclass(frozen=True)
class _Flat:
    """The older layout: a list of arrays for each layer, by paths such as lstm/lstm_cell/kernel:0."""

    items: list[tuple[str, Any]]
    budget: _Budget
    root: bool = False

    def layers(self, described: Sequence[Mapping[str, Any]]) -> dict[str, Weights]:
        found = dict[str, Weights]()
        for name in map(_name, described):
            inside = [
                item for item in self.items if name in (item[0].split("/")[:1] if self.root else item[0].split("/"))
            ]
            if inside:
                found[name] = _Flat(inside, self.budget)
        return found

    def arrays(self) -> list[NDArray[Any]]:
        return [self.budget.read(dataset) for _, dataset in self.items]


def _listed(group: Any) -> list[tuple[str, Any]]:
    """The arrays of a layer's group in the order of its attribute `weight_names`."""
    found = []
    for name in map(_text, group.attrs.get("weight_names", ())):
        item = group
        for part in name.split("/"):
            item = _child(item, part)
        found.append((name, item))
    return found


def _child(group: Any, name: str) -> Any:
    """An object of the file itself; links could lead to other files."""
    import h5py

    link = group.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        raise BundleError(f"{name} is missing, or is a link")
    return group[name]


def _name(layer: Mapping[str, Any]) -> str:
    return str(layer.get("config", {}).get("name", layer.get("name", "")))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _snake(name: str) -> str:
    """A class's name as Keras 3 writes it in files: ReLU is re_lu."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
