"""Recurrent neural networks on sequences: trained, understood, streamed, on a native CPU engine.

Top-level names are imported when they are first used, so that `import penstock` stays quick and PyTorch is loaded
only by what needs it.
"""

import importlib
import logging
from typing import Any

from penstock.registry import estimators

__version__ = "0.1.0"

_NAMES = {
    "Client": "penstock.client",
    "Layout": "penstock.datasets",
    "load": "penstock.runtime",
    "read_series": "penstock.panels.readers",
    "read_shards": "penstock.text.readers",
    "read_signals": "penstock.signals.readers",
    "read_text_files": "penstock.language.readers",
    "set_num_threads": "penstock.threads",
} | estimators()
_ROOMS = ("cells", "engine", "functional", "nn", "runtime")

__all__ = sorted(["__version__", *_NAMES])

# What the library does is told to `logging` and shown by whoever configures that, `verbose=` or the command line.
logging.getLogger("penstock").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"penstock.{name}")
    raise AttributeError(f"module 'penstock' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_ROOMS})
