"""The memory horizon of a trained model, for metrics.json."""

import logging
from typing import Any

from penstock.errors import ConfigError
from penstock.events import say
from penstock.inspection import memory_horizon
from penstock.report import memory_sentence
from penstock.runtime import Model

__all__ = ["EXAMPLES", "memory_of"]

_LOGGER = logging.getLogger("penstock.tasks")

EXAMPLES = 8
"""The number of inputs that are looked at."""


def memory_of(model: Model, inputs: Any) -> dict[str, Any]:
    """Measure and log how far back predictions depend on the input; see `inspection.memory_horizon`.

    Returns:
        The figures; empty for a model that cannot be inspected, and for inputs of less than two steps.
    """
    say(_LOGGER, "inspecting", "measuring how far back the network remembers")
    try:
        found = memory_horizon(model, inputs, examples=EXAMPLES)
    except ConfigError as error:
        say(_LOGGER, "inspecting", f"its memory was not measured: {error}")
        return {}
    if found:
        say(_LOGGER, "memory", memory_sentence(found), **{name: found[name] for name in ("reach", "horizon", "unit")})
    return found
