"""Recordings that stay in their files, where all of them together would be too large for memory.

A training computes the features of such recordings file by file, and keeps them on disk.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.decoded import Decoded
from penstock.errors import DataError
from penstock.sounds.recordings import Recording, decode

__all__ = ["LARGE_BYTES", "FileRecording", "in_files"]

LARGE_BYTES = 1 << 26
"""Recordings whose files are larger together stay in them."""


class FileRecording(Recording):
    """A recording whose samples are decoded from its file again whenever they are asked for.

    What else is known of it was found when it was made, by decoding it once.

    Args:
        content: returns the file's bytes.
        name: the name, such as the file's path.
        decoded: as for `decode`, for the first time.

    Attributes:
        digest: SHA-256 of the file.

    Raises:
        DataError: the file can't be read, or is no recording.
    """

    def __init__(self, content: Callable[[], bytes], name: str, decoded: Decoded | None = None) -> None:
        data = content()
        first = decode(data, name, decoded)
        found: dict[str, Any] = {
            "digest": hashlib.sha256(data).hexdigest(),
            "sample_rate_hz": first.sample_rate_hz,
            "name": name,
            "channels": first.channels,
            "speaker": "",
            "_content": content,
            "_length": first.length,
            "_peak": first.peak,
            "_clipped_share": first.clipped_share,
        }
        vars(self).update(found)  # the class is frozen

    digest: str
    _content: Callable[[], bytes]
    _length: int
    _peak: float
    _clipped_share: float

    def __reduce__(self) -> tuple[Any, ...]:
        return _in_memory, (self.loaded(),)  # another process may run where the file is not

    @property
    def samples(self) -> NDArray[np.float32]:
        """The samples, (time,) float32, decoded now.

        Raises:
            DataError: the file can't be read any more, or is another one now.
        """
        data = self._content()
        if hashlib.sha256(data).hexdigest() != self.digest:
            raise DataError(f"{self.name}: changed since it was read first. Leave it as it is, and start again.")
        return decode(data, self.name).samples

    @property
    def length(self) -> int:
        """See `Recording`, as for the other properties."""
        return self._length

    @property
    def peak(self) -> float:
        """The largest absolute value."""
        return self._peak

    @property
    def clipped_share(self) -> float:
        """Share at full scale."""
        return self._clipped_share

    def spoken_by(self, speaker: str) -> "FileRecording":
        """Return the recording with who speaks."""
        other = object.__new__(FileRecording)
        vars(other).update(vars(self) | {"speaker": speaker})
        return other

    def loaded(self) -> Recording:
        """Return it in memory."""
        return Recording(self.samples, self.sample_rate_hz, self.name, self.channels, self.speaker)


def _in_memory(recording: Recording) -> Recording:
    return recording


def in_files(recordings: Iterable[Any]) -> bool:
    """Whether one of the recordings stays in its file."""
    return any(isinstance(each, FileRecording) for each in recordings)
