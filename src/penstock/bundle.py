"""A saved model: a folder with its description, tensors, baseline, metrics, model card and report.

    config.json           format, task, network, features, labels, the SHA-256 of itself and of all files but the card
    model.safetensors     the trained tensors, by the names of `Network.parameter_shapes`
    baseline.safetensors  the baseline as arrays
    metrics.json          the metrics measured in training
    README.md             the model card, which may be edited; report.html, epochs.jsonl, train.toml and what else was
                          passed

A folder appears at its target as a whole or not at all (`folders`). No file contains a
path except train.toml, whose paths are relative to the folder.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as decode_tensors
from safetensors.numpy import save as encode_tensors

from penstock import __version__
from penstock.errors import BundleError, ConfigError
from penstock.folders import readable, write_folder
from penstock.model_card import model_card
from penstock.network import Graph, Network, from_json

__all__ = ["FORMAT", "Bundle", "check_target", "decode", "encode", "json_line", "load", "plain", "save"]

FORMAT = 1
_CONFIG, _CARD = "config.json", "README.md"
_NAMED = 8  # names in a message, at most
_LONGEST_NAME = 255  # bytes of a file's name
_PARTS = _TENSORS, _BASELINE, _METRICS = "model.safetensors", "baseline.safetensors", "metrics.json"
# The task of a bundle that names none, from a time when there was only one.
_FIRST_TASK = "text-classification"
_Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Bundle:
    """The contents of a model folder.

    Attributes:
        task: the name of the model's task, a key of `penstock.registry.TASKS`.
        network: the description of the network, a `Network` or a `Graph`.
        features: the description of how data becomes numbers, for `TextFeatures.from_json` and similar.
        labels: the classes in the order of the head's outputs, with their original types; empty without classes.
        tensors: float32 arrays by name, with the names and shapes of `network.parameter_shapes()`.
        baseline: arrays of the baselines; empty if none was saved.
        metrics: the metrics measured in training; empty if none were saved.
    """

    task: str
    network: Any
    features: dict[str, Any]
    labels: list[Any]
    tensors: _Arrays
    baseline: _Arrays
    metrics: dict[str, Any]


def save(
    path: str | Path,
    network: Network | Graph,
    features: Mapping[str, Any],
    labels: Sequence[Any],
    tensors: Mapping[str, np.ndarray],
    *,
    task: str = _FIRST_TASK,
    baseline: Mapping[str, np.ndarray] | None = None,
    metrics: Mapping[str, Any] | None = None,
    files: Mapping[str, bytes | str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a model folder, all or nothing.

    Args:
        path: the folder, which must not exist; missing parents are created.
        network, features, labels, tensors, task, baseline, metrics, files: as for `encode`.
        overwrite: replace a model folder that exists. It is kept until the new one is complete.

    Raises:
        BundleError: the target cannot be written, or the arguments do not match each other.
    """
    target = check_target(path, overwrite=overwrite)
    about: dict[str, Any] = {"task": task, "baseline": baseline, "metrics": metrics, "files": files}
    write_folder(target, encode(network, features, labels, tensors, **about))
    return target


def encode(
    network: Network | Graph,
    features: Mapping[str, Any],
    labels: Sequence[Any],
    tensors: Mapping[str, np.ndarray],
    *,
    task: str = _FIRST_TASK,
    baseline: Mapping[str, np.ndarray] | None = None,
    metrics: Mapping[str, Any] | None = None,
    files: Mapping[str, bytes | str] | None = None,
) -> dict[str, bytes]:
    """Return the files of a model folder by name: what `save` writes and a pickled model holds.

    Args:
        network, features, labels, tensors, task, baseline, metrics: as in `Bundle`. In the metrics, NumPy numbers are
            converted to Python's, and values that are not finite to null.
        files: additional files by name, such as "report.html"; a "README.md" replaces the model card written here.

    Raises:
        BundleError: the arguments do not match each other.
    """
    checked = _fitting(network, tensors, "what is saved")
    described = {
        "format": FORMAT,
        "penstock": __version__,
        "task": task,
        "network": network.to_json(),
        "features": plain(features),
        "labels": _plain_labels(labels, network),
    }
    contents = _encoded(files or {})
    contents[_TENSORS] = encode_tensors(checked)
    contents[_BASELINE] = encode_tensors({k: np.ascontiguousarray(v) for k, v in sorted((baseline or {}).items())})
    contents[_METRICS] = _json(plain(metrics or {}))
    contents.setdefault(_CARD, model_card(described, metrics or {}))
    described["files"] = {name: _digest(content) for name, content in sorted(contents.items()) if name != _CARD}
    described["self"] = _own_digest(described)
    contents[_CONFIG] = _json(described)
    return contents


def load(path: str | Path) -> Bundle:
    """Read a model folder and check all of it.

    Raises:
            BundleError: there is no such folder, it is not a model or has a newer format, a file is missing or was
                changed, or the tensors do not match the network.
    """
    folder = readable(Path(path))
    if not folder.is_dir():
        raise BundleError(f"{folder}: {'is a file' if folder.exists() else 'no such folder'}; expected a model folder")
    if not (folder / _CONFIG).is_file():
        raise BundleError(f"{folder}: is not a model folder: it holds no {_CONFIG}")

    def content(name: str) -> bytes | None:
        return _read(folder / name) if (folder / name).is_file() else None

    return _decoded(content, str(folder))


def decode(contents: Mapping[str, bytes], where: str = "the saved model") -> Bundle:
    """Read and check the files that `encode` made.

    Args:
        contents: the files by name.
        where: the name for them in messages.

    Raises:
        BundleError: as in `load`.
    """
    return _decoded(contents.get, where)


def _decoded(content: Callable[[str], bytes | None], where: str) -> Bundle:
    """Read a bundle with a function from a file's name to its content, or None if there is no such file."""
    config = _config(content(_CONFIG), where)
    # A card is edited where models are published; earlier versions listed it, too.
    listed = {name: digest for name, digest in config["files"].items() if name != _CARD}
    contents = {name: _checked_file(content, where, name, digest) for name, digest in listed.items()}
    try:
        network = from_json(config["network"])
        tensors = decode_tensors(contents[_TENSORS])
        baseline = decode_tensors(contents[_BASELINE])
        metrics = json.loads(contents[_METRICS])
        task, features, labels = config.get("task", _FIRST_TASK), config["features"], config["labels"]
        if not isinstance(task, str) or not isinstance(features, dict) or not isinstance(metrics, dict):
            raise ValueError("task must be text, features and metrics JSON objects")
    except ConfigError as error:  # undamaged, but from a newer Penstock, or with a cell that is not registered
        raise BundleError(f"{where}: {error}") from error
    except (KeyError, ValueError, TypeError, RecursionError, SafetensorError) as error:
        raise BundleError(f"{where}: damaged: {_reason(error):.200}. Save the model again.") from error
    checked = _fitting(network, tensors, where)
    return Bundle(task, network, features, _plain_labels(labels, network), checked, baseline, metrics)


def check_target(path: str | Path, *, overwrite: bool = False) -> Path:
    """Return the folder that `save` will write, after checks that are useful before hours of training.

    Raises:
        BundleError: the folder exists and `overwrite` is False, is not a model folder, or cannot be created.
    """
    target = Path(os.path.realpath(path))
    if os.path.lexists(target):
        if not overwrite:
            raise BundleError(f"{path}: exists already. Choose another folder, or pass --overwrite (overwrite=True).")
        if not (target / _CONFIG).is_file():
            raise BundleError(f"{path}: is not a model folder, so it is not overwritten. Choose another folder.")
    above = target.parent
    while not os.path.lexists(above):
        above = above.parent
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        reason = "is not writable" if above.is_dir() else "is not a folder"
        raise BundleError(f"{path}: can't be written: {above} {reason}. Choose another folder.")
    return target


def _config(content: bytes | None, where: str) -> dict[str, Any]:
    try:
        config = json.loads(b"null" if content is None else content)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{where}: {_CONFIG} is damaged: {error}. Save the model again.") from error
    version = config.get("format") if isinstance(config, dict) else None
    if isinstance(version, bool) or not isinstance(version, int):
        raise BundleError(f"{where}: {_CONFIG} does not describe a Penstock model")
    if version > FORMAT:
        raise BundleError(
            f"{where}: was written in format {version}; this Penstock ({__version__}) reads up to {FORMAT}. "
            "Upgrade: pip install --upgrade penstock"
        )
    files = config.get("files")
    if version < 1 or config.get("self") != _own_digest(config) or not isinstance(files, dict):
        raise BundleError(f"{where}: {_CONFIG} is damaged or was changed. Save the model again.")
    if missing := set(_PARTS) - set(files):
        raise BundleError(f"{where}: {_CONFIG} does not list {', '.join(sorted(missing))}")
    return config


def _checked_file(found: Callable[[str], bytes | None], where: str, name: str, digest: object) -> bytes:
    if not _is_name(name):
        raise BundleError(f"{where}: {_CONFIG} lists {name!r:.80}, which is not a valid file name")
    content = found(name)
    if content is None:
        raise BundleError(f"{where}: {name} is missing. Copy the whole folder.")
    if _digest(content) != digest:
        raise BundleError(f"{where}: {name} is damaged or was changed: its SHA-256 is not the one in {_CONFIG}")
    return content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: can't be read: {_reason(error)}") from error


def _fitting(network: Network | Graph, tensors: Mapping[str, np.ndarray], where: str) -> _Arrays:
    """Return the tensors as float32, after checking names, shapes and values against the network."""
    shapes = network.parameter_shapes()
    if set(tensors) != set(shapes):
        missing, extra = sorted(set(shapes) - set(tensors)), sorted(set(tensors) - set(shapes))
        raise BundleError(
            f"{where}: tensors must be those of the network"
            + (f"; missing: {', '.join(missing[:_NAMED]):.200}" if missing else "")
            + (f"; unknown: {', '.join(extra[:_NAMED]):.200}" if extra else "")
        )
    result = {}
    for name, shape in shapes.items():
        if tensors[name].dtype.kind not in "fiu":
            raise BundleError(f"{where}: tensor {name} must be real numbers; got {tensors[name].dtype}")
        array = np.ascontiguousarray(tensors[name], np.float32)
        if array.shape != shape:
            raise BundleError(f"{where}: tensor {name} must be {shape!s:.60} for this network; got {array.shape!s:.60}")
        if not np.isfinite(array).all():
            raise BundleError(f"{where}: tensor {name} must be finite; it holds NaN or infinity. Did training diverge?")
        result[name] = array
    return result


def _plain_labels(labels: Sequence[Any], network: Network | Graph) -> list[Any]:
    if isinstance(labels, str) or not hasattr(labels, "__len__"):
        raise BundleError(f"labels must be a list; got {labels!r}")
    plain = [label.item() if isinstance(label, np.generic) else label for label in labels]
    if wrong := [label for label in plain if not isinstance(label, str | int | float) or label != label]:
        raise BundleError(f"labels must be str, int, bool or float; got {wrong[0]!r}")
    if len({(type(label), label) for label in plain}) != len(plain):
        raise BundleError(f"labels must differ from each other; got {plain!r:.200}")
    classes = getattr(getattr(network, "head", None), "classes", 0)  # a graph has no head
    if len(plain) != classes:
        raise BundleError(f"a head of {classes} classes needs {classes} labels; got {len(plain)}")
    return plain


def plain(value: Any) -> Any:
    """Convert to values that JSON can hold: NumPy values to Python's, non-finite numbers to None.

    Raises:
        BundleError: a value that JSON cannot hold.
    """
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    raise BundleError(f"metrics and features must be plain values that JSON can hold; got {value!r:.80}")


def json_line(value: Any) -> str:
    """Return a value, made `plain`, as a line of JSON.

    Raises:
        BundleError: a value that JSON cannot hold.
    """
    return json.dumps(plain(value), ensure_ascii=False) + "\n"


def _encoded(files: Mapping[str, bytes | str]) -> dict[str, bytes]:
    reserved = {_CONFIG, *_PARTS}
    if wrong := [name for name in files if name in reserved or not _is_name(name)]:
        raise BundleError(f"files must have plain names other than {', '.join(sorted(reserved))}; got {wrong[0]!r}")
    return {name: file.encode() if isinstance(file, str) else bytes(file) for name, file in files.items()}


def _is_name(name: str) -> bool:
    plain = name == os.path.basename(name) and "\\" not in name and name not in ("", ".", "..")
    return plain and len(name.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME


def _json(value: Any) -> bytes:
    # A lone surrogate, which UTF-8 cannot encode, is written as a JSON escape.
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _own_digest(config: Mapping[str, Any]) -> str:
    """Digest of the description without its own entry."""
    return _digest(json.dumps({k: v for k, v in config.items() if k != "self"}, sort_keys=True).encode())


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"no {error}" if isinstance(error, KeyError) else str(error)
