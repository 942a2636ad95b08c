"""Baselines of language models, from arrays alone: n-grams of tokens; of frames of notes, each note by itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import BundleError
from penstock.ngrams import NGrams
from penstock.sequences import Sequences

__all__ = ["LanguageBaselines", "NoteBaselines", "read_baselines"]


class LanguageBaselines:
    """The baselines of a model of tokens: "kneser_ney", n-grams, if there are any; "unigram", each token's frequency.

    Args:
        arrays: `unigram` float32 (vocabulary,), log-probabilities; and all or none of those of `NGrams`.

    Raises:
        BundleError: arrays are missing or do not match.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        if "unigram" not in arrays:
            raise BundleError("the baseline lacks unigram. Train the model again, or copy its folder again.")
        self._unigram = arrays["unigram"].astype(np.float64)
        self.ngrams = NGrams(arrays) if "log_probs_1" in arrays else None
        self.names: tuple[str, ...] = ("unigram",) if self.ngrams is None else ("kneser_ney", "unigram")

    def answers(self, name: str, sequences: Sequences) -> NDArray[np.float64]:
        """Return a baseline's log-probability of each id after those before it in its sequence, (total,)."""
        if name == "kneser_ney" and self.ngrams is not None:
            return self.ngrams.log_probs(sequences)
        return self._unigram[sequences.values]


class NoteBaselines:
    """The baselines of a model of frames: "repeat", each note by itself one frame before; "frequencies", each alone.

    Args:
        arrays: `frequencies` float32 (notes,), the probability that a note sounds; `repeat` float32 (2, notes), the
            same after a frame without it, and after one with it.

    Raises:
        BundleError: arrays are missing or do not match.
    """

    names: tuple[str, ...] = ("repeat", "frequencies")

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        if missing := [name for name in self.names if name not in arrays]:
            raise BundleError(
                f"the baseline lacks {', '.join(missing)}. Train the model again, or copy its folder again."
            )
        self._frequencies = arrays["frequencies"].astype(np.float64)
        self._repeat = arrays["repeat"].astype(np.float64)
        if self._repeat.shape != (2, *self._frequencies.shape):
            raise BundleError(f"repeat must be (2, notes={len(self._frequencies)}); got {self._repeat.shape}")

    def answers(self, name: str, sequences: Sequences) -> NDArray[np.float64]:
        """Return a baseline's log-probability of each frame, the sum over its notes, (total,).

        Args:
            name: one of `names`.
            sequences: frames (total, notes), 1 where a note sounds. The first of each has no frame before it, and its
                notes have their frequencies.
        """
        on = sequences.values > 0
        chances = np.broadcast_to(self._frequencies, on.shape)
        if name == "repeat":
            before = np.roll(on, 1, axis=0)
            chances = np.where(before, self._repeat[1], self._repeat[0])
            chances[sequences.offsets[:-1][sequences.lengths > 0]] = self._frequencies
        return np.log(np.where(on, chances, 1 - chances)).sum(axis=1)


def read_baselines(arrays: Mapping[str, NDArray[Any]]) -> LanguageBaselines | NoteBaselines:
    """Read what `baseline_training` made, of tokens or of frames.

    Raises:
        BundleError: arrays are missing or do not match.
    """
    return NoteBaselines(arrays) if "frequencies" in arrays else LanguageBaselines(arrays)
