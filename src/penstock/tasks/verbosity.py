"""The messages of `fit` on its data and network, and `verbose=`, which shows them on standard error."""

import logging
import math
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from penstock.console import Lines, output, shown
from penstock.errors import ConfigError
from penstock.events import say
from penstock.network import Network

__all__ = ["say_data", "say_network", "verbose"]

_LOGGER = logging.getLogger("penstock.tasks")

Own = TypeVar("Own", bound=Any)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def verbose(method: Callable[Concatenate[Own, Arguments], Result]) -> Callable[Concatenate[Own, Arguments], Result]:
    """Wrap a method so that it shows its messages on standard error if `self.verbose` is above 0."""

    @wraps(method)
    def wrapped(self: Own, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        level = self.verbose
        if not isinstance(level, int) or level < 0:
            raise ConfigError(f"verbose must be 0, 1 or 2; got {level!r:.60}")
        if not level:
            return method(self, *args, **kwargs)
        handler, least = (output(sys.stderr), logging.DEBUG) if level > 1 else (Lines(sys.stderr), logging.INFO)
        with shown(handler, least, own_thread=True):
            return method(self, *args, **kwargs)

    return wrapped


def say_data(
    unit: str, train: int, valid: int, test: int | None, dropped: Mapping[str, int], changed: Mapping[str, int]
) -> None:
    """Log the size of each part of the data.

    Args:
        unit: the counted unit, such as "rows".
        train, valid, test: the sizes; test is None without test data.
        dropped: the number of dropped units by reason.
        changed: the number of changes by kind; readers have logged them.
    """
    tested = "" if test is None else f", {test:,} to test with"
    left_out = "; left out: " if dropped else ""
    left_out += ", ".join(f"{count:,} ({reason})" for reason, count in dropped.items())
    say(
        _LOGGER,
        "data",
        f"{train:,} {unit} to train on, {valid:,} to validate with{tested}{left_out}",
        unit=unit,
        train=train,
        valid=valid,
        test=test,
        dropped=dict(dropped),
        changed=dict(changed),
    )


def say_network(network: Network) -> None:
    """Log the cell, layers and size of the network."""
    encoder = network.encoder
    layers = f"{encoder.num_layers} {'layer' if encoder.num_layers == 1 else 'layers'}"
    parameters = sum(math.prod(shape) for shape in network.parameter_shapes().values())
    say(
        _LOGGER,
        "network",
        f"network: {encoder.cell}, {layers} of {encoder.hidden_size} units, {parameters:,} parameters",
        cell=encoder.cell,
        num_layers=encoder.num_layers,
        hidden_size=encoder.hidden_size,
        parameters=parameters,
    )
