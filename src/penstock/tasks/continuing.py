"""A training that continues from a model: old classes keep their weights, new ones get their own."""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock.errors import ConfigError, DataError
from penstock.events import say
from penstock.labels import class_counts, label_key, listed
from penstock.network import Network

if TYPE_CHECKING:
    import torch

__all__ = ["check_network", "digest", "put", "say_continued", "with_new_classes"]

_LOGGER = logging.getLogger("penstock.tasks")
_GROWING = {"head": "classes", "inputs": "identities"}
"""What new rows may add to: sizes of a network by its part. Old ones keep their places, new ones follow."""


def with_new_classes(known: Sequence[Any], labels: Iterable[Any], max_classes: int) -> list[Any]:
    """Return the classes of a model, and after them those of `labels` that it does not have.

    Raises:
        DataError: two labels of different types are the same class, or there are more than `max_classes`.
    """
    keys = {label_key(label) for label in known}
    classes = [*known, *(label for label in class_counts([*known, *labels]) if label_key(label) not in keys)]
    if len(classes) > max_classes:
        raise DataError(
            f"with the new labels there are {len(classes)} classes, more than max_classes={max_classes}: "
            f"{listed(classes[len(known) :], 4)}. If they are classes, set max_classes={len(classes)}."
        )
    return classes


def check_network(asked: Network, known: Network) -> None:
    """Check that a network is that of a model whose training continues, but for what new rows add.

    Raises:
        ConfigError: it is another one.
    """
    before, now = _grown(known, asked).to_json(), asked.to_json()
    differ = [
        f"{name} is {value!r}, was {before[part].get(name)!r}"
        for part, values in now.items()
        for name, value in values.items()
        if before[part].get(name) != value
    ]
    if differ:
        raise ConfigError(
            f"warm_start continues the existing network, but the arguments describe another: {', '.join(differ)}. "
            "Change them back, or set warm_start=False for a new model."
        )


def put(module: "torch.nn.Module", tensors: Mapping[str, np.ndarray]) -> None:
    """Load weights into a module; what they lack keeps its initial values.

    That is an auxiliary loss, and in larger tensors what lies beyond the known part, which comes first in each axis.
    """
    import torch

    state = module.state_dict()
    assert not tensors.keys() - state.keys(), tensors.keys() - state.keys()
    with torch.no_grad():
        for name, array in tensors.items():
            state[name][tuple(slice(size) for size in array.shape)] = torch.tensor(array)
    module.load_state_dict(state)


def say_continued(what: str, known: Sequence[Any], now: Sequence[Any], seen: Sequence[Any]) -> None:
    """Log how the classes or series of a continued training differ from those of the model.

    Args:
        what: "classes" or "series".
        known: those of the model.
        now: those that the model will have, new ones last.
        seen: those in the new rows.
    """
    new, keys = list(now[len(known) :]), {label_key(each) for each in seen}
    absent = [each for each in known if label_key(each) not in keys]
    changes = [f"{len(new):,} new: {listed(new, 4)}"] if new else []
    changes += [f"{len(absent):,} without new rows, which may be forgotten: {listed(absent, 4)}"] if absent else []
    message = f"{what}: {len(known):,} as before{''.join(f'; {each}' for each in changes)}"
    say(_LOGGER, "continued", message, what=what, known=len(known), new=list(new), without_rows=absent)


def digest(tensors: Mapping[str, np.ndarray]) -> str:
    """Return a SHA-256 of a model's weights."""
    found = hashlib.sha256()
    for name, array in sorted(tensors.items()):
        found.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _grown(known: Network, now: Network) -> Network:
    """Return the known network with the sizes of `now` where new rows may add to them."""
    parts = {}
    for part, name in _GROWING.items():
        one, other = getattr(known, part), getattr(now, part)
        if type(one) is type(other) and name in {field.name for field in fields(one)}:
            parts[part] = replace(one, **{name: max(getattr(one, name), getattr(other, name))})
    return replace(known, **parts)
