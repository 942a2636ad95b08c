"""What a recogniser is measured against, and the n-grams of its training transcripts; from arrays alone.

Where every recording is of one word, and the words are few, as with digits and commands, it is measured against
templates of the training data too.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.errors import BundleError, DataError, PenstockError
from penstock.ngrams import NamedNGrams
from penstock.sequences import Sequences
from penstock.speech.templates import Templates, evenly

__all__ = ["SpeechBaselines", "baseline_arrays", "template_arrays"]

_NAMES, _MOST_FREQUENT = "ngram_names", "most_frequent"
_TEMPLATES = ("template_frames", "template_offsets", "template_words")
_MOST_WORDS, _MOST_TEMPLATES, _MOST_OF_A_WORD = 100, 200, 20


class Framed(Protocol):
    """What gives the scaled frames of inputs, such as `sounds.features.AudioFeatures`."""

    @property
    def size(self) -> int:
        """Number of features of a frame."""
        ...

    def apply(self, inputs: Sequence[Any], /) -> Sequences:
        """Return the frames of each input."""
        ...


class SpeechBaselines:
    """The most frequent transcript of the training data, its n-grams, and templates of its words.

    Args:
        arrays: `most_frequent` uint8, a text in UTF-8; all or none of `ngram_names` uint8, the names of the n-grams in
            UTF-8, each ended by a newline, and the arrays of `penstock.ngrams.NGrams`; and all or none of
            `template_frames` (frames, features), `template_offsets` and `template_words`, written like the names.
        frames: of the recogniser, which templates are compared with.

    Attributes:
        names: of the baselines, the main one first.
        ngrams: of words, None if there are none.

    Raises:
        BundleError: arrays are missing or damaged.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], frames: Framed) -> None:
        try:
            self._most_frequent = arrays[_MOST_FREQUENT].tobytes().decode()
            names = _lines(arrays[_NAMES]) if _NAMES in arrays else []
            self._templates = _templates(arrays, frames.size)
        except (KeyError, UnicodeDecodeError, PenstockError) as error:
            raise BundleError(f"the baselines of the recogniser are damaged: {error}") from error
        own = {name: array for name, array in arrays.items() if name not in (_NAMES, _MOST_FREQUENT, *_TEMPLATES)}
        self.ngrams = NamedNGrams(names, own) if names else None
        self.names = (*(("template_matching",) if self._templates else ()), "most_frequent_transcript")
        self._frames = frames

    def answers(self, name: str, inputs: Sequence[Any]) -> NDArray[Any]:
        """Return a baseline's transcript of each input, (inputs,) of str."""
        found = np.full(len(inputs), self._most_frequent, object)
        if name == "template_matching" and self._templates is not None:
            found[:] = [self._templates.isolated(self._frames.apply([each])[0]) for each in inputs]
        return found


def template_arrays(inputs: Sequence[Any], transcripts: Sequence[str], frames: Framed) -> dict[str, NDArray[Any]]:
    """Return the arrays of `SpeechBaselines` that are templates: none unless each input is one of a few words.

    Args:
        inputs, transcripts: the training data, transcripts as they are learned.
        frames: as there.
    """
    words = list(transcripts)
    if any(len(word.split()) != 1 for word in words) or len(set(words)) > _MOST_WORDS:
        return {}
    rows = evenly(words, min(max(_MOST_TEMPLATES // len(set(words)), 1), _MOST_OF_A_WORD))
    found = frames.apply([inputs[row] for row in rows])
    rows, found = rows[found.lengths > 0], found[np.flatnonzero(found.lengths)]
    if not len(rows):
        return {}
    values = (found.values, found.offsets, _bytes("".join(f"{words[row]}\n" for row in rows)))
    return dict(zip(_TEMPLATES, values, strict=True))


def _templates(arrays: Mapping[str, NDArray[Any]], size: int) -> Templates | None:
    if _TEMPLATES[0] not in arrays:
        return None
    values, offsets, words = (arrays[name] for name in _TEMPLATES)
    if values.ndim != 2 or values.shape[1] != size or not np.isfinite(values).all():
        raise DataError(f"templates must be finite numbers (frames, {size}); got {values.shape}")
    return Templates(Sequences(values, offsets), _lines(words))


def _lines(array: NDArray[Any]) -> list[str]:
    return array.tobytes().decode().split("\n")[:-1]


def baseline_arrays(transcripts: Sequence[str], *, order: int = 3) -> dict[str, NDArray[Any]]:
    """Return the arrays of `SpeechBaselines` that follow from transcripts as they are learned, see `features.written`.

    Args:
        transcripts: of the training data.
        order: of the longest n-grams of words.
    """
    texts = list(transcripts)
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    found = {_MOST_FREQUENT: _bytes(min(counts, key=lambda text: (-counts[text], text)))}
    if not any(texts):
        return found
    ngrams = NamedNGrams.fit(texts, order=order)
    return found | {_NAMES: _bytes("".join(f"{name}\n" for name in ngrams.names))} | ngrams.arrays


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
