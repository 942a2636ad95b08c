"""Training on recordings that stay in their files: features are computed once, file by file, into a cache on disk.

What a training reads in each epoch is there: the features of the training and validation recordings. Everything else
reads a recording's file again when it needs the samples, one after the other.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from penstock.events import Steps
from penstock.sequences import Sequences
from penstock.shards import Cache, Writer, default_cache
from penstock.sounds.file_recording import FileRecording, in_files
from penstock.sounds.recordings import Recording
from penstock.tasks.labelled import Labelled, Part

__all__ = ["RecordedPart", "Store", "recorded"]

_LOGGER = logging.getLogger("penstock.tasks")

Store = Callable[[Any, list[Any]], Sequences]
"""(features, [recording]) -> the features of the recording, (frames, size)."""


@dataclass(frozen=True)
class RecordedPart(Part):
    """Training recordings whose features lie on disk, and those of the validation recordings too.

    Attributes:
        features: fitted to them.
        cache: has the rows of each part that was stored.
    """

    features: Any = field(kw_only=True)
    cache: Cache = field(kw_only=True)


def recorded(
    data: Labelled,
    folder: str | None,
    options: Mapping[str, Any],
    fitted: Callable[[], Any],
    read_features: Callable[[Any], Any],
    stores: Mapping[str, tuple[str, Store]],
) -> Labelled:
    """Put the features of recordings on disk, where they are not yet; return the data with a `RecordedPart`.

    Args:
        data: the parts. If their recordings are in memory, nothing is done.
        folder: of all caches; None for the user's.
        options: what features depend on beside the recordings, as JSON.
        fitted: returns features that are fitted to the training recordings, which it reads one after the other.
        read_features: reads these from the result of their `to_json`.
        stores: for each name in the cache, the part of the data and how its rows are computed.
    """
    if not in_files(data.train.inputs):
        return data
    parts = {"train": data.train, "valid": data.valid}
    key = {
        "recordings": {name: [_identity(each) for each in part.inputs] for name, part in parts.items()},
        "options": options,
        "stores": list(stores),
    }

    def make(writer: Writer) -> dict[str, Any]:
        features = fitted()
        with Steps(
            _LOGGER, "writing features", sum(len(parts[of]) for of, _ in stores.values()), "recordings"
        ) as steps:
            for name, (of, store) in stores.items():
                for recording in parts[of].inputs:
                    writer.add(store(features, [recording]), np.zeros(1, np.int8), name)
                    steps.advance()
        return {"features": features.to_json()}

    cache = Cache(default_cache() if folder is None else Path(folder), key, make)
    train = data.train
    part = RecordedPart(
        train.inputs, train.targets, train.weights, features=read_features(cache.about["features"]), cache=cache
    )
    return replace(data, train=part)


def _identity(recording: Recording) -> list[Any]:
    """Return what identifies a recording's samples: of its file, or their own where it is in memory."""
    if isinstance(recording, FileRecording):
        return [recording.digest, recording.sample_rate_hz]
    return [hashlib.sha256(recording.samples.tobytes()).hexdigest(), recording.sample_rate_hz]
