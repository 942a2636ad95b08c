"""A look into networks: gates and states, memory, gradients. Names are imported on first use; few of them need PyTorch.

`gradient_norms` needs PyTorch; everything else runs saved models by the engine alone.
"""

import importlib
from typing import Any

_NAMES = {
    "NamedArray": "arrays",
    "NetworkTrace": "traces",
    "gradient_norms": "gradients",
    "trace": "traces",
}

__all__ = sorted(_NAMES)


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"penstock.inspection.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'penstock.inspection' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
