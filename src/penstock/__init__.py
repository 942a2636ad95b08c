"""Recurrent neural networks on sequences: trained, understood, streamed, on a native CPU engine.

Top-level names are imported when they are first used, so that `import penstock` stays quick and PyTorch is loaded
only by what needs it.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_NAMES = {
    "AudioClassifier": "penstock.tasks",
    "Client": "penstock.client",
    "Forecaster": "penstock.tasks",
    "SeriesClassifier": "penstock.tasks",
    "SeriesRegressor": "penstock.tasks",
    "TextClassifier": "penstock.tasks",
    "load": "penstock.runtime",
    "read_series": "penstock.datasets",
    "set_num_threads": "penstock.threads",
}
_ROOMS = ("cells", "engine", "functional", "nn", "runtime")

__all__ = [
    "AudioClassifier",
    "Client",
    "Forecaster",
    "SeriesClassifier",
    "SeriesRegressor",
    "TextClassifier",
    "__version__",
    "load",
    "read_series",
    "set_num_threads",
]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"penstock.{name}")
    raise AttributeError(f"module 'penstock' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_ROOMS})
