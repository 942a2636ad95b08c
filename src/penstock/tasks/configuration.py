"""The options of a training as the file train.toml; `penstock train --config` repeats the training with it."""

import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock import __version__
from penstock.errors import MissingExtraError

if TYPE_CHECKING:
    from penstock.tasks.estimator import Estimator

__all__ = ["PANELS", "panels", "rare", "train_toml"]

PANELS = ("data", "network", "training", "output")
"""The groups of options: panels in the help of `penstock train`, tables in a configuration."""

_COMMENT = """# How this model was trained, by Penstock {version}. penstock train --config train.toml {data}repeats it.
# Paths are relative to this file. To change something, copy it first: a model with a changed file is refused.
"""


def panels(estimator: type) -> dict[str, str]:
    """Return the panel of each option that a class of the estimator assigns; the others belong to "network"."""
    found: dict[str, str] = {}
    for each in reversed(estimator.__mro__):
        found |= {name: panel for panel, names in vars(each).get("panels", {}).items() for name in names}
    return found


def rare(estimator: type) -> set[str]:
    """Return the options that few people need: those of classes with a list `everyday`, on which they are not."""
    listing = [each for each in estimator.__mro__ if "everyday" in vars(each)]
    added = {name for each in listing for name in inspect.get_annotations(each)}
    return added - {name for each in listing for name in vars(each)["everyday"]}


def train_toml(estimator: "Estimator", folder: Path, command: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of the file.

    Args:
        estimator: a fitted estimator; all its options are written, except those of the panel "output" and where it ran.
        folder: the folder of the model, which will contain the file.
        command: further options of `penstock train`, by panel; `Path`s become relative to the folder.

    Raises:
        MissingExtraError: tomli-w isn't installed.
    """
    try:
        from tomli_w import dumps
    except ModuleNotFoundError as error:
        raise MissingExtraError("training needs tomli-w: pip install 'penstock[train]'") from error
    tables, unfit = _tables(estimator, folder, command)
    data = "" if "data" in tables.get("data", {}) else "DATA --out DIR "
    comment = _COMMENT.format(version=__version__, data=data)
    comment += f"# Not here, as TOML can't hold them: {', '.join(unfit)}\n" if unfit else ""
    return f"{comment}\n{dumps({'task': estimator.task} | tables)}"


def _tables(
    estimator: "Estimator", folder: Path, command: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the non-empty panels, and the names of options that TOML can't represent."""
    where = panels(type(estimator))
    options = estimator.get_params()
    options["random_state"] = estimator.metrics_.get("random_state", options["random_state"])
    values: dict[str, dict[str, Any]] = {panel: dict(command.get(panel, {})) for panel in PANELS}
    for name, value in options.items():
        panel = where.get(name, "network")
        if panel != "output" and name not in ("on", "warm_start"):
            values[panel][name] = Path(value) if value is not None and name in estimator.paths else value
    found: dict[str, dict[str, Any]] = {}
    unfit = []
    for panel, table in values.items():
        for name, value in table.items():
            try:
                if value is not None:
                    found.setdefault(panel, {})[name.replace("_", "-")] = _plain(value, folder)
            except TypeError:
                unfit.append(name)
    return found, unfit


def _plain(value: Any, folder: Path) -> Any:
    """Convert a value to TOML types; raise TypeError if that is impossible."""
    if isinstance(value, Path):
        return os.path.relpath(os.path.realpath(value), os.path.realpath(folder))
    if isinstance(value, Mapping):
        return {str(name): _plain(one, folder) for name, one in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(one, folder) for one in value]
    plain = value.item() if isinstance(value, np.generic) else value
    if not isinstance(plain, bool | int | float | str):
        raise TypeError(f"TOML can't hold a {type(plain).__name__}")
    return plain
