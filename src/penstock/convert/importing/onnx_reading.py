"""The state of reading an ONNX model, and what each operator's reader asks of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.importing.onnx_symbols import Symbol
from penstock.errors import BundleError, ConfigError, MissingExtraError
from penstock.network import GraphBuilder

if TYPE_CHECKING:
    import onnx

__all__ = ["Reading", "attributes", "initializers", "onnx_package"]


@dataclass
class Reading:
    """A model that is being read.

    model: the model
    builder: makes the graph
    values: what is known of each value by ONNX's name: an array where it does not depend on the input, else a symbol
    consumers: the nodes that read each value
    computed: how many numbers the constants have that were computed so far
    """

    model: "onnx.ModelProto"
    builder: GraphBuilder
    values: dict[str, Any] = field(default_factory=dict)
    consumers: dict[str, list[Any]] = field(default_factory=dict)
    computed: int = 0

    def given(self, node: Any, place: int) -> Any:
        """The value of an input of a node, None if it has none at that place."""
        return self.values[node.input[place]] if place < len(node.input) and node.input[place] else None

    def constant(self, node: Any, place: int, default: Any = None) -> Any:
        """The array at an input; ConfigError if it depends on the model's input."""
        found = self.given(node, place)
        if found is None:
            return default
        if not isinstance(found, np.ndarray):
            raise ConfigError(f"input {place} must be a constant")
        return found

    def symbol(self, node: Any, place: int) -> Symbol:
        """The symbol at an input; ConfigError if it is something else."""
        found = self.given(node, place)
        if not isinstance(found, Symbol):
            raise ConfigError(f"input {place} must be a value that depends on the model's input")
        return found

    @property
    def opset(self) -> int:
        """The version of ONNX's own operators."""
        return next((each.version for each in self.model.opset_import if each.domain in ("", "ai.onnx")), 1)


def attributes(node: Any) -> dict[str, Any]:
    """The attributes of a node by name."""
    return {each.name: onnx_package().helper.get_attribute_value(each) for each in node.attribute}


def initializers(graph: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the stored tensors of a graph by name; BundleError for one whose bytes do not fit its shape."""
    for each in graph.initializer:
        try:
            yield each.name, onnx_package().numpy_helper.to_array(each)
        except (KeyError, TypeError, ValueError) as error:  # KeyError: of a type that there is not
            raise BundleError(f"the file is damaged: its tensor {each.name!r:.60} can't be read ({error})") from error


def onnx_package() -> Any:
    """Return the package onnx; MissingExtraError if it is not installed."""
    try:
        import onnx
        import onnx.inliner
    except ModuleNotFoundError as error:
        raise MissingExtraError("reading ONNX needs the package onnx: pip install penstock[onnx]") from error
    return onnx
