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

_MOST_NUMBERS = 1 << 26
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
        ConfigError: another operator, or a result of more than 2**26 numbers.
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
    _check_size(node, list(given.values()))
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


def _check_size(node: Any, given: Sequence[NDArray[Any]]) -> None:
    if node.op_type in ("ConstantOfShape", "Expand") and given:
        numbers = math.prod(int(size) for size in given[-1].ravel()[:16])
    elif node.op_type == "Tile":
        numbers = math.prod(int(size) for size in given[1].ravel()[:16]) * given[0].size
    elif node.op_type == "Range":
        start, limit, delta = (float(each) for each in given)
        numbers = int(abs((limit - start) / delta)) if delta else 0
    else:
        numbers = math.prod(max(sizes) for sizes in zip(*(_padded(each.shape) for each in given), strict=True))
    if numbers > _MOST_NUMBERS:
        raise ConfigError(f"makes a constant of {numbers} numbers; at most {_MOST_NUMBERS} are read")


def _padded(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (16 - len(shape)) + shape
