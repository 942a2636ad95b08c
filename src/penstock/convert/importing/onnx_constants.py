"""ONNX's operators on constants, such as a shape that a model computes: evaluated while it is read."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.importing.onnx_reading import Reading, onnx_package
from penstock.convert.importing.onnx_symbols import Symbol
from penstock.errors import ConfigError

__all__ = ["evaluated"]

_MOST_NUMBERS = 1 << 27
"""Numbers that all constants of a model may have together which are computed while it is read."""
_MOST_AXES = 64
_EVALUATED = {
    *("Add", "And", "Cast", "Ceil", "Concat", "Constant", "ConstantOfShape", "Div", "Equal", "Expand", "Floor"),
    *("Gather", "Greater", "Identity", "Less", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Range", "ReduceProd"),
    *(
        "Reshape",
        "Shape",
        "Size",
        "Slice",
        "Split",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Tile",
        "Transpose",
        "Unsqueeze",
        "Where",
    ),
}
"""The operators on constants that are computed while a model is read."""


def evaluated(reading: Reading, node: Any) -> list[NDArray[Any]]:
    """Compute a node whose inputs are constants, or that asks for a symbol's shape.

    Raises:
        ConfigError: another operator, one that fails, or more numbers than all constants may have.
    """
    onnx = onnx_package()
    from onnx.reference import ReferenceEvaluator

    if node.op_type not in _EVALUATED or node.domain not in ("", "ai.onnx"):
        raise ConfigError(f"of constants alone is not read; expected one of {', '.join(sorted(_EVALUATED))}")
    given = {name: reading.values[name] for name in node.input if name}
    if node.op_type in ("Shape", "Size"):
        # A value with the symbol's shape, which needs no memory.
        given = {
            name: np.broadcast_to(np.float32(0), value.shape) if isinstance(value, Symbol) else value
            for name, value in given.items()
        }
    else:
        _count(reading, node, [given[name] for name in node.input if name])
    typed = [
        onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in given.items()
    ]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output]
    graph = onnx.helper.make_graph([node], "constants", typed, outputs)
    model = onnx.helper.make_model(graph, opset_imports=reading.model.opset_import)
    try:
        return [np.asarray(each) for each in ReferenceEvaluator(model).run(None, given)]
    except (ValueError, IndexError, TypeError) as error:
        raise ConfigError(f"can't be computed: {error}") from error


def _count(reading: Reading, node: Any, given: Sequence[NDArray[Any]]) -> None:
    """Count the numbers of a result before it is computed."""
    try:
        numbers = _most(node, given)
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise ConfigError(f"can't be computed: {error}") from error
    reading.computed += numbers
    if reading.computed > _MOST_NUMBERS:
        raise ConfigError(
            f"makes a constant of {numbers} numbers; at most {_MOST_NUMBERS} of all constants together are computed"
        )


def _most(node: Any, given: Sequence[NDArray[Any]]) -> int:
    """At least as many numbers as the result has."""
    match node.op_type:
        case "ConstantOfShape":
            return math.prod(_sizes(given[0]))
        case "Expand":
            return _broadcast(given[0].shape, _sizes(given[1]))
        case "Tile":
            return math.prod(_sizes(given[1])) * given[0].size
        case "Range":
            start, limit, delta = (float(each) for each in given)
            return int(abs((limit - start) / delta)) if delta else 0
        case "Gather":
            axis = next((each.i for each in node.attribute if each.name == "axis"), 0)
            return given[1].size * (given[0].size // max(given[0].shape[axis], 1))
        case "Concat":
            return sum(each.size for each in given)
    return _broadcast(*(each.shape for each in given))


def _sizes(shape: NDArray[Any]) -> tuple[int, ...]:
    if shape.size > _MOST_AXES:
        raise ValueError(f"a shape has at most {_MOST_AXES} axes; got {shape.size}")
    return tuple(int(size) for size in shape.ravel())


def _broadcast(*shapes: tuple[int, ...]) -> int:
    """The size of what arrays of these shapes become together."""
    padded = ((1,) * (_MOST_AXES - len(shape)) + shape for shape in shapes)
    return math.prod(max(sizes) for sizes in zip(*padded, strict=True))
