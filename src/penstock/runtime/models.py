"""Loading a saved model, without PyTorch."""

from pathlib import Path

from penstock import bundle
from penstock.errors import BundleError, ConfigError, PenstockError
from penstock.registry import find
from penstock.runtime.model import Model

__all__ = ["load"]

# What Python and NumPy raise where a description holds values of other types, lengths or sizes than `save` writes.
_UNFIT = (AttributeError, ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError)


def load(path: str | Path) -> Model:
    """Load the model that was saved in a folder, without PyTorch.

    Args:
        path: the folder, as `save` of an estimator or `penstock train --out` wrote it.

    Returns:
        The model: it predicts, streams and evaluates as its task says.

    Raises:
        BundleError: the folder does not exist or is damaged, its task is not registered, or a newer Penstock wrote it.

    Examples:
        >>> import penstock
        >>> texts, labels = ["good food", "bad room"] * 8, ["good", "bad"] * 8
        >>> clf = penstock.TextClassifier(hidden_size=8, epochs=1).fit(texts, labels)
        >>> folder = clf.save("sentiment", overwrite=True)
        >>> penstock.load(folder).labels
        ['bad', 'good']
    """
    saved = bundle.load(path)
    try:
        model = find(saved.task).model_class(saved.features.get("kind")).from_bundle(saved)
    except ConfigError as error:
        raise BundleError(f"{path}: cannot be used: {error!s:.400}") from error
    except PenstockError:
        raise
    except _UNFIT as error:  # undamaged, but no Penstock wrote it
        raise BundleError(f"{path}: cannot be used: {type(error).__name__}: {error!s:.200}") from error
    model.folder = Path(path)
    return model
