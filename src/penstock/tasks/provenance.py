"""Where a model comes from: when, with which versions, on which machine, and the call that makes it again."""

import datetime
import platform
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock import __version__, engine
from penstock.cells import all_options
from penstock.network import Network, Recurrent

if TYPE_CHECKING:
    from penstock.tasks.estimator import Estimator

__all__ = ["call", "made", "used"]


def made() -> dict[str, Any]:
    """When and with what: date in UTC, versions, and what of the machine decides on the time it takes.

    Results do not depend on the machine's threads and instruction set.
    """
    import torch

    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": {
            "penstock": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "engine": f"native, {engine.instruction_set()}",
            "threads": engine.get_num_threads(),
            "torch_threads": torch.get_num_threads(),
        },
    }


def used(options: Mapping[str, Any], network: Network) -> dict[str, Any]:
    """The options without those of cells that the network does not have."""
    encoder = network.encoder.arguments() if isinstance(network.encoder, Recurrent) else {}
    of_other_cells = set(all_options()) - encoder.keys()
    return {name: value for name, value in options.items() if name not in of_other_cells}


def call(estimator: "type[Estimator]", options: Mapping[str, Any]) -> str:
    """The constructor's call that gives these options: what differs from the defaults, and the seed."""
    defaults = {field.name: field.default for field in fields(estimator)}
    given = [
        f"{name}={value!r}" for name, value in options.items() if name == "random_state" or value != defaults.get(name)
    ]
    return f"{estimator.__name__}({', '.join(given)})"
