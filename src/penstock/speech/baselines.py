"""What a recogniser is measured against, and the n-grams of its training transcripts; from arrays alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import BundleError
from penstock.ngrams import NamedNGrams

__all__ = ["SpeechBaselines", "baseline_arrays"]

_NAMES, _MOST_FREQUENT = "ngram_names", "most_frequent"


class SpeechBaselines:
    """The most frequent transcript of the training data, and its n-grams.

    Args:
        arrays: `most_frequent` uint8, a text in UTF-8; and all or none of `ngram_names` uint8, the names of the n-grams
            in UTF-8, each ended by a newline, and the arrays of `penstock.ngrams.NGrams`.

    Attributes:
        names: of the baselines.
        ngrams: of words, None if there are none.

    Raises:
        BundleError: arrays are missing or damaged.
    """

    names: tuple[str, ...] = ("most_frequent_transcript",)

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        try:
            self._most_frequent = arrays[_MOST_FREQUENT].tobytes().decode()
            names = arrays[_NAMES].tobytes().decode().split("\n")[:-1] if _NAMES in arrays else []
        except (KeyError, UnicodeDecodeError) as error:
            raise BundleError(f"the baselines of the recogniser are damaged: {error}") from error
        own = {name: array for name, array in arrays.items() if name not in (_NAMES, _MOST_FREQUENT)}
        self.ngrams = NamedNGrams(names, own) if names else None

    def answers(self, name: str, inputs: Sequence[Any]) -> NDArray[Any]:
        """Return a baseline's transcript of each input, (inputs,) of str."""
        return np.array([self._most_frequent] * len(inputs), object)


def baseline_arrays(transcripts: Sequence[str], *, order: int = 3) -> dict[str, NDArray[Any]]:
    """Return the arrays of `SpeechBaselines`, with n-grams of words up to `order`."""
    texts = [" ".join(text.split()) for text in transcripts]
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
