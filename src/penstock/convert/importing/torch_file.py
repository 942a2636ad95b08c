"""PyTorch's files: safetensors, state_dicts by the restricted unpickler, TorchScript and torch.export's archives.

No pickle is opened otherwise: a state_dict by `torch.load(weights_only=True)`, and of an exported program the pickled
example inputs are left out. A TorchScript archive's code is parsed by PyTorch, and not called.
"""

import json
import pickle
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.decoded import ZIP_ERRORS, Decoded, unzipped
from penstock.errors import BundleError, InputError, MissingExtraError
from penstock.runtime.weights import read_tensors, tensor_names

__all__ = ["read_torch_file"]

_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # what torch.save wrote first until 1.6


def read_torch_file(path: Path) -> Any:
    """Return what a file holds: a mapping of names to tensors or arrays, or an ExportedProgram.

    Raises:
        BundleError: there is no such file, or it is damaged, or a pickle of something else.
        DataError: it holds more than it may when decoded.
        MissingExtraError: PyTorch is not installed, which all but safetensors need.
    """
    if not path.is_file():
        raise BundleError(f"{path}: no such file")
    if path.suffix == ".safetensors":
        names = set(tensor_names(path))
        return read_tensors(path, names.__contains__)
    with path.open("rb") as file:
        begin = file.read(len(_LEGACY))
    if begin.startswith(b"PK"):
        return _archive(path)
    if begin != _LEGACY:
        kind = "a pickle, which could run code and is not opened" if begin[:1] == b"\x80" else "no file of PyTorch"
        raise BundleError(f"{path} is {kind}. Save model.state_dict() by torch.save, or as safetensors.")
    return _tensors(path)


def _archive(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename.partition("/")[2]: entry for entry in archive.infolist()}
            Decoded(path, path.stat().st_size).add(sum(entry.file_size for entry in archive.infolist()))
            if "archive_format" in entries:
                return _program(archive, path)
            _check_code(archive, path)
    except InputError:
        raise
    except (*ZIP_ERRORS, AttributeError, KeyError) as error:
        raise BundleError(f"{path} is damaged or cut off: {error}") from error
    if "constants.pkl" in entries:
        return _scripted(path)
    if "data.pkl" in entries:
        return _tensors(path)
    raise BundleError(f"{path} is a zip, but none of PyTorch's: it holds {', '.join(list(entries)[:5])}")


def _check_code(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse a class that restores itself: PyTorch calls its `__setstate__`, which may read and write files."""
    for entry in archive.infolist():
        if "/code/" in entry.filename and b"__setstate__" in unzipped(archive, entry):
            raise BundleError(
                f"{path} runs code of its own when it is loaded ({entry.filename:.80}: __setstate__), and is not "
                "opened. Save model.state_dict() instead."
            )


def _torch() -> Any:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "PyTorch's own files need PyTorch: pip install 'penstock[train]'. A .safetensors file does not."
        ) from error
    return torch


def _tensors(path: Path) -> Mapping[str, Any]:
    torch = _torch()
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = next((line for line in str(error).splitlines() if "GLOBAL" in line), _first_line(error))
        raise BundleError(
            f"{path} holds objects, not tensors alone, and is not opened ({reason.strip():.160}). "
            "Save model.state_dict() instead."
        ) from error
    except Exception as error:  # its readers raise errors of many kinds
        raise BundleError(f"{path} is damaged or cut off: {_first_line(error)}") from error
    if not isinstance(found, Mapping):
        raise BundleError(f"{path} holds {type(found).__name__}; expected a state_dict")
    _check_plain(found, path)
    return found


def _scripted(path: Path) -> Mapping[str, Any]:
    torch = _torch()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            found = dict(torch.jit.load(path, map_location="cpu").state_dict())
    except Exception as error:  # its readers raise errors of many kinds
        raise BundleError(f"{path} is damaged, or of another PyTorch: {_first_line(error)}") from error
    _check_plain(found, path)
    return found


def _check_plain(found: Mapping[Any, Any], path: Path) -> None:
    """Refuse tensors that are not numbers one by one; a few bytes can stand for many if a tensor repeats them."""
    torch, decoded = _torch(), Decoded(path, path.stat().st_size)
    waiting = [found]
    while waiting:
        for name, value in waiting.pop().items():
            if isinstance(value, Mapping):
                waiting.append(value)
            elif isinstance(value, torch.Tensor):
                if value.is_nested or value.layout is not torch.strided or value.is_quantized or value.is_meta:
                    raise BundleError(
                        f"{path}: {name!s:.80} is sparse, quantized, nested or without numbers; tensors must be dense. "
                        "Convert it before saving: tensor.to_dense(), tensor.dequantize()"
                    )
                decoded.add(value.numel() * value.element_size())


def _program(archive: zipfile.ZipFile, path: Path) -> Any:
    """An exported program, from a copy of its archive without what is pickled."""
    torch = _torch()
    for name in archive.namelist():
        pickled = name.endswith("_config.json") and _pickled(json.loads(unzipped(archive, name)))
        if pickled or "/custom_obj" in name or "/aotinductor/" in name:
            raise BundleError(f"{path} holds pickled objects or compiled code ({name}), which are not opened")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "program.pt2"
        with zipfile.ZipFile(copy, "w") as clean:
            for entry in archive.infolist():
                sample = "/sample_inputs/" in entry.filename
                clean.writestr(entry.filename, b"" if sample else unzipped(archive, entry))
        try:
            program = torch.export.load(copy)
        except Exception as error:  # its readers raise errors of many kinds
            raise BundleError(f"{path} can't be read: {_first_line(error)}") from error
        _check_plain({"state": program.state_dict, "constants": program.constants}, path)
        return program


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _pickled(config: Any) -> bool:
    return any(entry.get("use_pickle", True) for entry in config.get("config", {}).values())
