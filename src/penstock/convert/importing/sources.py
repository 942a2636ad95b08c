"""The table of what `penstock import --from` can read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.errors import BundleError, ConfigError
from penstock.registry import resolve

__all__ = ["SOURCES", "Origin", "source_of"]


@dataclass(frozen=True)
class Origin:
    """A row of the table.

    Attributes:
        read: (path, check=, **options) -> GraphModel; "module:function", imported on first use.
        endings: of its files.
        options: the options of the command that it takes, besides `check`.
        summary: a few words for the help.
    """

    read: str
    endings: tuple[str, ...]
    options: tuple[str, ...]
    summary: str

    def reader(self) -> Callable[..., Any]:
        """Return the function that reads."""
        return resolve(self.read)


SOURCES = {
    "torch": Origin(
        "penstock.convert.importing.torch:from_torch",
        (".safetensors", ".pt", ".pth", ".pt2", ".ckpt", ".ts"),
        ("prefix", "pool"),
        "a state_dict, TorchScript or torch.export",
    ),
    "keras": Origin(
        "penstock.convert.importing.keras:from_keras",
        (".keras", ".h5", ".hdf5"),
        ("config", "start", "stop"),
        "Keras 2 and 3",
    ),
    "onnx": Origin("penstock.convert.importing.onnx:from_onnx", (".onnx",), (), "an ONNX model"),
}
"""Where a network can come from, by the name that `--from` takes."""


def source_of(path: Path) -> str:
    """Return the row for a file, by its ending.

    Raises:
        BundleError: there is no such file, or it is a pickle.
        ConfigError: the ending is unknown.
    """
    if not path.is_file():
        raise BundleError(f"{path}: {'is a folder; expected a file' if path.exists() else 'no such file'}")
    ending = path.suffix.lower()
    if ending in (".pkl", ".pickle", ".joblib"):
        raise BundleError(f"{path} is a pickle, which could run code and is not opened. Save the weights alone.")
    found = [name for name, source in SOURCES.items() if ending in source.endings]
    if not found:
        known = ", ".join(ending for source in SOURCES.values() for ending in source.endings)
        raise ConfigError(f"{path}: the ending {ending!r} is none of {known}. Say what it is by --from.")
    return found[0]
