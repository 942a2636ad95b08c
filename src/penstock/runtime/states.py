"""Saved stream states: arrays as safetensors, with a version, the model's fingerprint and a checksum."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from penstock.errors import StateError

VERSION = 2
_ENTRY = "penstock_state"
_LARGEST = 1 << 53
_DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "I64": np.dtype("<i8")}


def pack(arrays: Mapping[str, NDArray[Any]], *, kind: str, model: str, notes: Mapping[str, int] | None = None) -> bytes:
    """Return the state as bytes.

    Args:
        arrays: float32, float64 or int64, by name.
        kind: the kind of stream.
        model: the fingerprint of the stream's model.
        notes: integers to store with the state, which the function `notes` reads.
    """
    # Copies: the state may hold views, and safetensors wants dense memory.
    tensors = {name: array.copy() for name, array in arrays.items()}
    about: dict[str, Any] = {"version": VERSION, "kind": kind, "model": model}
    if notes:
        about["notes"] = dict(notes)
    about["sha256"] = _checksum(tensors, about)
    # One metadata entry, because safetensors writes several in arbitrary order; this way equal states are equal bytes.
    return safetensors.numpy.save(tensors, {_ENTRY: json.dumps(about, sort_keys=True)})


def notes(data: bytes) -> dict[str, int]:
    """Return the integers stored with a saved state, by name.

    Raises:
        StateError: `data` is not a saved state, or a damaged one.

    Examples:
        >>> import numpy as np
        >>> from penstock.runtime import Recurrence, notes
        >>> network = Recurrence({"weight_ih_l0": np.ones((12, 3)), "weight_hh_l0": np.ones((12, 4))}, cell="gru")
        >>> notes(network.stream().save(line=17))
        {'line': 17}
    """
    tensors, about = _parse(data)
    _check_sum(tensors, about)
    stored = about.get("notes", {})
    # The checksum does not protect against a forged state, so the values are checked too.
    if not isinstance(stored, dict) or not all(
        type(number) is int and 0 <= number <= _LARGEST for number in stored.values()
    ):
        raise StateError(f"a saved state's notes must be whole numbers from 0 to 2**53; got {stored!r:.60}")
    return stored


def unpack(
    data: bytes,
    *,
    kind: str,
    model: str,
    like: Mapping[str, NDArray[Any]],
    bounds: Mapping[str, tuple[int, int]] | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the arrays of a saved state.

    Args:
        data: the result of `pack`.
        kind: the kind of stream that loads the state.
        model: the fingerprint of that stream's model.
        like: arrays with the names, shapes and dtypes that the stream needs.
        bounds: the least and greatest value that an int64 array may hold, if not 0 to 2**53.

    Raises:
        StateError: the state is damaged, out of bounds, or of another version, stream kind, model or size.
    """
    tensors, about = _parse(data)
    _check_version(about.get("version"))
    _check_sum(tensors, about)
    if about.get("kind") != kind:
        raise StateError(f"expected the state of a {kind} stream; got the state of a {about.get('kind')!s:.40} stream")
    if about.get("model") != model:
        raise StateError(
            f"the state belongs to another model ({about.get('model', '')!s:.12}, this one is {model:.12}). "
            "Load the model that saved it."
        )
    _check_arrays(tensors, like)
    _check_bounds(tensors, bounds or {})
    return tensors


def _parse(data: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise StateError(f"a saved state must be bytes; got {type(data).__name__}")
    data = bytes(data)
    try:
        entries = safetensors.deserialize(data)
    except safetensors.SafetensorError as error:
        raise StateError(
            f"the saved state is damaged or cut short ({len(data)} bytes: {error}). Save it again."
        ) from error
    # deserialize has checked the header: eight bytes with its length, then JSON.
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    tensors = {}
    for name, tensor in entries:
        if tensor["dtype"] not in _DTYPES:
            raise StateError(f"the saved state is damaged: {name} is of type {tensor['dtype']}")
        dtype = _DTYPES[tensor["dtype"]]
        tensors[name] = np.frombuffer(tensor["data"], dtype).reshape(tensor["shape"])
    try:
        about = json.loads((header.get("__metadata__") or {}).get(_ENTRY, "null"))
    except (ValueError, RecursionError) as error:
        raise StateError(f"the saved state is damaged: {error}. Save it again, or start a new stream.") from error
    if not isinstance(about, dict):
        raise StateError("expected a state saved by a stream's save(); got other safetensors data")
    return tensors, about


def _check_version(version: Any) -> None:
    if type(version) is not int or version < 1:
        raise StateError(f"the saved state is damaged: its version is {version!r:.40}. Save it again.")
    if version > VERSION:
        raise StateError(
            f"the state has version {version!s:.12}, this Penstock reads version {VERSION}. Update Penstock."
        )
    if version < VERSION:
        raise StateError(
            f"the state has version {version}, from an older Penstock; this one reads version {VERSION}. "
            "Start a new stream."
        )


def _check_sum(tensors: Mapping[str, NDArray[Any]], about: dict[str, Any]) -> None:
    if about.pop("sha256", None) != _checksum(tensors, about):
        raise StateError("the saved state is damaged: its checksum does not match. Save it again.")


def _checksum(tensors: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name, array in sorted(tensors.items()):
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _check_arrays(tensors: Mapping[str, NDArray[Any]], like: Mapping[str, NDArray[Any]]) -> None:
    expected = {name: (array.shape, array.dtype) for name, array in like.items()}
    got = {name: (array.shape, array.dtype) for name, array in tensors.items()}
    if differing := sorted(name for name in expected | got if expected.get(name) != got.get(name)):
        name = differing[0]
        raise StateError(
            f"the state does not match this stream: {name} must be {_words(expected.get(name))}; "
            f"got {_words(got.get(name))}. Was it saved with another batch?"
        )


def _check_bounds(tensors: Mapping[str, NDArray[Any]], bounds: Mapping[str, tuple[int, int]]) -> None:
    """Check counters: a value that no stream can have reached would be used as a position in memory or time."""
    for name, array in tensors.items():
        low, high = bounds.get(name, (0, _LARGEST))
        if array.dtype == np.int64 and not ((array >= low) & (array <= high)).all():
            raise StateError(f"the saved state is damaged: {name} must be from {low} to {high}. Start a new stream.")


def _words(array: tuple[tuple[int, ...], np.dtype[Any]] | None) -> str:
    return "absent" if array is None else f"{array[1].name} {array[0]}"
