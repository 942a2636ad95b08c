"""Loading a saved model, without PyTorch."""

from pathlib import Path

from penstock import bundle
from penstock.errors import BundleError, ConfigError
from penstock.registry import find
from penstock.runtime.model import Model

__all__ = ["load"]


def load(path: str | Path) -> Model:
    """Load the model that was saved in a folder, without PyTorch.

    Raises:
        BundleError: the folder does not exist or is damaged, its task is not registered, or a newer Penstock wrote it.
    """
    saved = bundle.load(path)
    try:
        return find(saved.task).model_class().from_bundle(saved)
    except ConfigError as error:
        raise BundleError(f"{path}: cannot be used: {error}") from error
