"""Why a detector that reproduces examples has no graph: the export side of its head."""

from typing import Any, NoReturn

from penstock.errors import ConfigError

__all__ = ["refuse_export"]


def refuse_export(builder: Any, spec: Any, tensors: Any, y: str, *, bidirectional: bool = False) -> NoReturn:
    """Raise ConfigError: a graph has one output for each step of its input as it arrives, and this head waits."""
    raise ConfigError(
        f"a head of kind {spec.kind!r} can't be exported: it writes an example backward once its last step was read, "
        "which no graph holds. Run the model with penstock.load, which needs no PyTorch."
    )
