"""Runs of an ONNX model in the runtimes that people have, to verify what is written."""

import io
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError, MissingExtraError

__all__ = ["RUNTIMES", "Run", "onnx_runtime", "openvino", "openvino_package"]

Arrays = Mapping[str, NDArray[Any]]


class Run(Protocol):
    """A model in a runtime."""

    def __call__(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Return the outputs by name."""
        ...


def onnx_runtime(content: bytes) -> Run:
    """Open a model in ONNX Runtime.

    Raises:
        MissingExtraError: it isn't installed.
        ConfigError: it can't read the model.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("the check of an export needs ONNX Runtime: pip install 'penstock[onnx]'") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of many types, without a common base class
        raise ConfigError(f"ONNX Runtime can't read the export: {error}") from error
    names = [each.name for each in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, dict(inputs)), strict=True))


def openvino(content: bytes) -> Run:
    """Open a model in OpenVINO, which reads it for each size of its inputs anew.

    With sizes that are known only at run time, its CPU plugin ignores the lengths of sequences.

    Raises:
        MissingExtraError: it isn't installed.
        ConfigError: it can't read the model.
    """
    return openvino_model(openvino_read(content), fixed=True)


def openvino_package() -> Any:
    """Import and return `openvino`; MissingExtraError if it isn't installed."""
    try:
        import openvino
    except ImportError as error:
        raise MissingExtraError("export to OpenVINO needs openvino: pip install 'penstock[openvino]'") from error
    return openvino


def openvino_read(content: bytes) -> Any:
    """Read an ONNX model as OpenVINO's; ConfigError if it can't."""
    package = openvino_package()
    try:
        return package.convert_model(io.BytesIO(content))
    except Exception as error:  # OpenVINO's own types are private
        raise ConfigError(f"OpenVINO can't read the export: {error}") from error


def openvino_model(model: Any, *, fixed: bool = False) -> Run:
    """Open a model of OpenVINO.

    Args:
        model: what OpenVINO converted.
        fixed: whether to compile it anew for the sizes of each call.
    """
    package = openvino_package()
    # The hint keeps float32 on processors that have bfloat16.
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    read = {name for each in model.inputs for name in each.names}  # without inputs that nothing reads

    @cache
    def compiled(shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> Any:
        own = model.clone()
        if shapes:
            own.reshape({name: list(shape) for name, shape in shapes})
        return package.compile_model(own, "CPU", settings)

    def run(inputs: Arrays) -> dict[str, NDArray[Any]]:
        given = {name: array for name, array in inputs.items() if name in read}
        shapes = ((name, np.shape(array)) for name, array in given.items()) if fixed else ()
        now = compiled(tuple(shapes))
        found = now(given)
        return {name: np.asarray(found[output]) for output in now.outputs for name in output.names}

    return run


RUNTIMES: dict[str, Callable[[bytes], Run]] = {"ONNX Runtime": onnx_runtime, "OpenVINO": openvino}
"""What verifies an export, by name."""
