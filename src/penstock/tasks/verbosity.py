"""What `fit` says of its data, and `verbose=`, which shows on standard error what it says."""

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
    """The method, which shows what it does if `self.verbose` says so."""

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


def say_data(unit: str, train: int, valid: int, test: int | None, dropped: Mapping[str, int]) -> None:
    """Say how much data there is in each part.

    Args:
        unit: what is counted, like "rows".
        train, valid, test: how many; None where there is no such part.
        dropped: why some were left out, and how many.
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
    )


def say_network(network: Network) -> None:
    """Say what is trained."""
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
