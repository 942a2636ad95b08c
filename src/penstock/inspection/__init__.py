"""A look into networks: gates and states, memory, attribution, gradients. Names are imported on first use.

`gradient_norms` and the gradient methods of `attribute` need PyTorch; everything else runs saved models by the engine
alone.
"""

import importlib
from typing import Any

_NAMES = {
    "Attribution": "attribution",
    "Comparison": "comparison",
    "Completeness": "attribution",
    "NamedArray": "arrays",
    "NetworkTrace": "traces",
    "attribute": "attributing",
    "compare": "comparison",
    "followed_units": "following",
    "gradient_norms": "gradients",
    "memory_horizon": "memory",
    "saturation": "units",
    "trace": "traces",
}

__all__ = sorted(_NAMES)


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"penstock.inspection.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'penstock.inspection' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
