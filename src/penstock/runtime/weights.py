"""Reading selected tensors of a safetensors file as float32 arrays, including bfloat16."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import safetensors
from numpy.typing import NDArray

from penstock.errors import BundleError, DtypeError

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


def tensor_names(path: str | Path) -> list[str]:
    """Return the names of the tensors in a safetensors file.

    Raises:
        BundleError: there is no such file, or it is not in the safetensors format.
    """
    try:
        with safetensors.safe_open(path, "np") as file:
            return list(file.keys())
    except OSError as error:
        raise BundleError(f"can't read {path}: {error.strerror or error}") from error
    except safetensors.SafetensorError as error:
        raise BundleError(
            f"{path} is not a safetensors file, or is damaged ({error}). "
            "Write one with safetensors.torch.save_file(module.state_dict(), path)."
        ) from error


def read_tensors(path: str | Path, wanted: Callable[[str], bool]) -> dict[str, NDArray[np.float32]]:
    """Return the tensors whose names are wanted, converted to float32.

    Raises:
        BundleError: there is no such file, or it is not in the safetensors format.
        DtypeError: a wanted tensor is not of a supported floating-point type.
    """
    names = [name for name in tensor_names(path) if wanted(name)]
    with open(path, "rb") as file:
        # tensor_names has checked the file: eight bytes with the header's length, the header in JSON, the data.
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        return {name: _read(file, 8 + size, name, header[name]) for name in names}


def _read(file: BinaryIO, data: int, name: str, entry: dict[str, Any]) -> NDArray[np.float32]:
    if entry["dtype"] not in _DTYPES:
        raise DtypeError(
            f"{name} must be of type {', '.join(_DTYPES)}; got {entry['dtype']}. "
            "Convert it before saving: tensor.float()"
        )
    begin, end = entry["data_offsets"]
    file.seek(data + begin)
    array = np.frombuffer(file.read(end - begin), _DTYPES[entry["dtype"]]).reshape(entry["shape"])
    if entry["dtype"] == "BF16":
        # A bfloat16 is the upper half of a float32.
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float32)
