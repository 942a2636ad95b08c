"""Inputs of speech recognisers, as users hold them: recordings, or features that were made elsewhere."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from penstock.errors import DataError, PenstockError
from penstock.missing import is_missing
from penstock.sounds.recordings import Recording, recording_list
from penstock.speech.frames import Frames, GivenFrames, frame_array

__all__ = ["frame_line", "frame_list", "speech_list", "spoken_by"]

_SINGLE = (str, bytes, Recording, Frames, np.ndarray)


def speech_list(inputs: Any, sample_rate_hz: int | None) -> list[Any]:
    """Return inputs as a list of `Recording` or, if all are, of `Frames`.

    Args:
        inputs: any number of values that `recording_list` takes, or of `Frames`.
        sample_rate_hz: the rate of samples that have none; None if unknown.

    Raises:
        DataError: some inputs are recordings and some are features, or one is neither.
    """
    several = list(inputs) if isinstance(inputs, Iterable) and not isinstance(inputs, _SINGLE) else inputs
    if isinstance(several, list) and any(isinstance(each, Frames) for each in several):
        if not all(isinstance(each, Frames) for each in several):
            raise DataError("inputs must all be recordings, or all features made elsewhere; got both")
        return several
    return recording_list(several, sample_rate_hz)


def frame_list(inputs: Any, frames: GivenFrames) -> list[Frames]:
    """Return inputs of a model that reads features made elsewhere as a list.

    Args:
        inputs: any number of `Frames`, or of arrays (frames, features).
        frames: what the model reads.

    Raises:
        DataError: an input is a recording, or has another rate.
        ShapeError: an input has another number of features.
    """
    size, rate = frames.size, frames.frames_per_second
    wanted = f"features made elsewhere, {size} a frame and {rate:g} frames a second"
    if not isinstance(inputs, Iterable) or isinstance(inputs, str | bytes | Recording | Frames):
        raise DataError(f"inputs must be a list; got {type(inputs).__name__}. Put a single one into a list.")
    found = []
    for position, each in enumerate(inputs):
        name = getattr(each, "name", "") or f"input number {position}"
        if isinstance(each, str | bytes | Recording | tuple):
            raise DataError(f"{name}: this model reads {wanted}, which a recording is not. Give Frames or arrays.")
        one = each if isinstance(each, Frames) else Frames(frame_array(each, name), rate)
        frame_array(one.samples, name, size)
        if one.frames_per_second != rate:
            raise DataError(f"{name}: this model reads {wanted}; got {one.frames_per_second:g} frames a second")
        found.append(one)
    return found


def spoken_by(inputs: Iterable[Recording | Frames], speakers: Iterable[Any]) -> list[Any]:
    """Return recordings or frames with who speaks each: any value that is not missing, as text."""
    return [one if is_missing(who) else one.spoken_by(str(who)) for one, who in zip(inputs, speakers, strict=True)]


def frame_line(line: str, frames: GivenFrames) -> Any:
    """Parse a line with a frame, a JSON list of numbers, as an array (1, features); DataError if it is none."""
    try:
        return frame_array(json.loads(line), "the line", frames.size)
    except (ValueError, RecursionError, PenstockError) as error:
        raise DataError(f"a line must be a JSON list of {frames.size} numbers, a frame; got {line!r:.60}") from error
