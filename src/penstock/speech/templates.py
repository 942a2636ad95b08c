"""Words recognised by templates, without training: dynamic time warping (Sakoe and Chiba 1978).

A template is the frames of one recording of a word. A path lays each frame of a sound on a frame of a template; from
one frame to the next its place in the template stays, or advances by one or two. Connected words are found by the
one-stage search (Ney 1984): behind the last frame of a template any other may begin. The words are those of the path
with the lowest sum of Euclidean distances between frames, with a penalty for each word.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataError
from penstock.sequences import Sequences

__all__ = ["Templates", "evenly"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class Templates:
    """Recordings of words that others are compared with.

    Args:
        frames: of each template, at least one, (frames, features).
        words: what each says; empty for silence.

    Raises:
        DataError: their numbers differ, there are none, or one has no frame.

    Examples:
        >>> steps = [np.array([[0.0], [1.0]], np.float32), np.array([[5.0]], np.float32)]
        >>> templates = Templates(Sequences.from_list(steps, np.float32), ["up", "high"])
        >>> templates.connected(np.array([[0.0], [0.9], [5.2]], np.float32), penalty=0.5)
        ['up', 'high']
    """

    def __init__(self, frames: Sequences, words: Sequence[str]) -> None:
        if len(frames) != len(words) or not len(words) or not frames.lengths.all():
            raise DataError(
                f"templates must have one word and at least one frame each; got {len(frames)} of frames and "
                f"{len(words)} words"
            )
        self.frames, self.words = frames, list(words)
        self._starts, self._ends = frames.offsets[:-1], frames.offsets[1:] - 1
        self._squares = (frames.values**2).sum(axis=1)
        places = np.arange(len(frames.values)) - np.repeat(self._starts, frames.lengths)
        self._steps = [np.where(places >= step, 0.0, np.inf) for step in (1, 2)]

    def isolated(self, frames: Floats) -> str:
        """Return the word whose template is closest to a whole sound (frames, features); empty if none can be laid on.

        A template can't be laid on a sound of less than about half its length.
        """
        path = self._path(frames, None)
        best = path.cost[self._ends]
        place = int(best.argmin()) if len(frames) else 0
        return self.words[place] if len(frames) and np.isfinite(best[place]) else ""

    def connected(self, frames: Floats, *, penalty: float) -> list[str]:
        """Return the words of a sound (frames, features), in order; none if no template can be laid on it.

        Args:
            frames: of the sound.
            penalty: what each word adds to the sum of distances; silence adds nothing.
        """
        path = self._path(frames, np.array([penalty if word else 0.0 for word in self.words]))
        found, step = [], len(frames) - 1
        if step < 0 or not np.isfinite(path.ended[step]):
            return []
        while step >= 0:
            found.append(self.words[path.template[step]])
            step = int(path.began[step]) - 1
        return [word for word in reversed(found) if word]

    def _path(self, frames: Floats, penalties: NDArray[np.float64] | None) -> "_Path":
        """Lay a sound on the templates: on one alone if there are no penalties."""
        found = _Path(
            np.full(len(self._squares), np.inf),
            np.full(len(frames), np.inf),
            np.zeros(len(frames), np.int64),
            np.zeros(len(frames), np.int64),
        )
        began = np.zeros(len(self._squares), np.int64)  # when the template of the path to each place began
        for step, frame in enumerate(frames):
            cost, before = found.cost, began
            kept, since = cost.copy(), began
            for ahead, closed in enumerate(self._steps, start=1):
                moved = np.roll(cost, ahead) + closed
                better = moved < kept
                kept = np.where(better, moved, kept)
                since = np.where(better, np.roll(before, ahead), since)
            if step == 0 or penalties is not None:
                entered = (found.ended[step - 1] if step else 0.0) + (0.0 if penalties is None else penalties)
                better = entered < kept[self._starts]
                kept[self._starts] = np.where(better, entered, kept[self._starts])
                since = since.copy()
                since[self._starts[better]] = step
            found.cost[:] = kept + self._distances(frame)
            began = since
            ends = found.cost[self._ends]
            place = int(ends.argmin())
            found.ended[step], found.template[step], found.began[step] = ends[place], place, began[self._ends[place]]
        return found

    def _distances(self, frame: Floats) -> NDArray[np.float64]:
        """Return the distance of a frame from each frame of the templates."""
        squares = self._squares - 2 * (self.frames.values @ frame) + frame @ frame
        return np.sqrt(np.maximum(squares, 0)).astype(np.float64)


class _Path(NamedTuple):
    """The best paths.

    cost: (template frames,) of that to each place, after the last frame of the sound.
    ended: (frames,) the cost of the best one that ends a template at each frame of the sound.
    template, began: (frames,) which template that is, and at which frame it began.
    """

    cost: NDArray[np.float64]
    ended: NDArray[np.float64]
    template: Ints
    began: Ints


def evenly(words: Sequence[str], most: int) -> Ints:
    """Return which recordings become templates: at most `most` of each word, evenly spread over its rows."""
    rows: dict[str, list[int]] = {}
    for row, word in enumerate(words):
        rows.setdefault(word, []).append(row)
    chosen = [
        each[place]
        for each in rows.values()
        for place in np.unique(np.linspace(0, len(each) - 1, min(most, len(each))).round().astype(int)).tolist()
    ]
    return np.sort(np.array(chosen, np.int64))
