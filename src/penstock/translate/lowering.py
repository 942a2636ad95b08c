"""Why a translator has no graph: the export side of its head."""

from typing import Any, NoReturn

from penstock.errors import ConfigError

__all__ = ["refuse_export"]


def refuse_export(builder: Any, spec: Any, tensors: Any, y: str, *, bidirectional: bool = False) -> NoReturn:
    """Raise ConfigError: a graph has one output for each step of its input, and a translation has steps of its own."""
    raise ConfigError(
        f"a head of kind {spec.kind!r} can't be exported: it writes token by token, by a search, what no graph holds. "
        "Run the model with penstock.load, which needs no PyTorch."
    )
