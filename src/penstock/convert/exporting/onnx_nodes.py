"""The nodes and constants of an ONNX graph, collected in the order in which they run."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import MissingExtraError

__all__ = ["Nodes", "onnx_package"]

Given = str | NDArray[Any] | np.generic | None
"""What a node reads: the name of a value, a constant, or None for an optional input that is left out."""


class Nodes:
    """Collects nodes, and gives each value a name that is free.

    Args:
        scope: what the names of values and constants start with.
    """

    def __init__(self, scope: str = "") -> None:
        self._scope, self._count = scope, 0
        self._nodes: list[Any] = []
        self._constants: dict[str, NDArray[Any]] = {}
        self._known: dict[tuple[Any, ...], str] = {}
        self.read: list[tuple[NDArray[Any], str]] = []
        """The arrays that became constants, as they were given, and the names of these."""

    def add(self, kind: str, *inputs: Given, **attributes: Any) -> str:
        """Add a node with one output and return its name."""
        return self.several(kind, inputs, 1, **attributes)[0]

    def several(
        self, kind: str, inputs: Sequence[Given], outputs: int, *, names: Mapping[int, str] | None = None, **more: Any
    ) -> list[str]:
        """Add a node and return the names of its outputs.

        Args:
            kind: the operator's name in ONNX.
            inputs: what it reads.
            outputs: the number of its outputs.
            names: names for outputs by their place; others get free ones.
            more: the attributes; those that are None are left out.
        """
        made = [(names or {}).get(place) or self.free(kind) for place in range(outputs)]
        read = ["" if each is None else each if isinstance(each, str) else self.constant(each) for each in inputs]
        while read and not read[-1]:
            read.pop()
        node = onnx_package().helper.make_node(kind, read, made, name=made[0], **more)
        self._nodes.append(node)
        return made

    def named(self, value: str, name: str) -> None:
        """Give a value a second name, such as that of an output."""
        self.several("Identity", [value], 1, names={0: name})

    def constant(self, array: NDArray[Any] | np.generic, name: str = "") -> str:
        """Return the name of a constant; equal unnamed ones share a name."""
        array = np.asarray(array)
        key = (array.dtype.str, array.shape, array.tobytes()) if not name else (name,)
        if key not in self._known:
            self._known[key] = f"{self._scope}{name}" if name else self.free("constant")
            self._constants[self._known[key]] = array
        self.read.append((array, self._known[key]))
        return self._known[key]

    def free(self, word: str) -> str:
        """Return a name that nothing has yet."""
        self._count += 1
        return f"{self._scope}/{word}/{self._count}"

    def graph(self, name: str, inputs: Sequence[Any], outputs: Sequence[Any], about: str = "") -> Any:
        """Return the nodes as a GraphProto with these inputs and outputs."""
        onnx = onnx_package()
        constants = [onnx.numpy_helper.from_array(array, key) for key, array in self._constants.items()]
        return onnx.helper.make_graph(self._nodes, name, inputs, outputs, constants, doc_string=about)


def onnx_package() -> Any:
    """Import and return `onnx`; MissingExtraError if it isn't installed."""
    try:
        import onnx
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise MissingExtraError("export to ONNX needs onnx: pip install 'penstock[onnx]'") from error
    return onnx
