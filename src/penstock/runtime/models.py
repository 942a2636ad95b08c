"""From a saved folder to the model of its task, without PyTorch."""

from pathlib import Path

from penstock import bundle
from penstock.errors import BundleError, ConfigError
from penstock.registry import find
from penstock.runtime.model import Model

__all__ = ["load"]


def load(path: str | Path) -> Model:
    """The model that was saved in a folder, ready to predict, without PyTorch.

    Raises:
        BundleError: no such folder, damaged, of a task that isn't registered, or written by a newer Penstock.
    """
    saved = bundle.load(path)
    try:
        return find(saved.task).model_class().from_bundle(saved)
    except ConfigError as error:
        raise BundleError(f"{path}: can't be used: {error}") from error
