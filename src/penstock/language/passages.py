"""What a report shows of a language model: held-out passages with each token's surprisal, and generated samples."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.language.features import FrameFeatures, LanguageFeatures
from penstock.sequences import Sequences
from penstock.tokens import END, UNKNOWN

if TYPE_CHECKING:
    from penstock.language.model import SequenceGenerator

__all__ = ["LEVELS", "TEMPERATURES", "passages", "samples"]

LEVELS = (0.75, 0.9, 0.97)
"""Shares of the tokens that are less surprising than those of each colour."""
TEMPERATURES = (0.5, 0.8, 1.0)

_PASSAGES = 3
_TOKENS = {"char": 300, "byte": 300, "bpe": 90, "word": 70}
_PROMPT = {"char": 40, "byte": 40, "bpe": 10, "word": 6, "notes": 4}
_FRAMES = 32


def passages(
    features: LanguageFeatures | FrameFeatures, sequences: Sequences, log_probs: NDArray[Any]
) -> dict[str, Any]:
    """Return `passages`, each with `tokens`, the `gaps` before them and after the last, and their `surprisal` in nats.

    `surprisal_levels` has the surprisal above which a token is in each colour: see `LEVELS`. Music has no passages.

    Args:
        features: of the model.
        sequences: held-out texts.
        log_probs: (total,), of each token.
    """
    total = len(sequences.values)
    if isinstance(features, FrameFeatures) or not total:
        return {}
    length, found, after = _TOKENS[features.level], [], 0
    for number in range(_PASSAGES):
        start = max(int((number + 0.5) / _PASSAGES * total) - length // 2, after)
        if start >= total:
            break
        text = int(np.searchsorted(sequences.offsets, start, side="right")) - 1
        start = max(after, min(start, int(sequences.offsets[text + 1]) - length), int(sequences.offsets[text]))
        after = min(start + length, int(sequences.offsets[text + 1]))
        found.append(_passage(features, sequences.values[start:after], -log_probs[start:after]))
    levels = np.quantile(-np.asarray(log_probs, np.float64), LEVELS)
    return {"passages": found, "surprisal_levels": [float(f"{level:.4g}") for level in levels]}


def _passage(features: LanguageFeatures, ids: NDArray[np.int32], surprisal: NDArray[Any]) -> dict[str, Any]:
    names = features.names(ids)
    between = [" " if features.level == "word" else ""] * (len(names) + 1)
    between[0] = between[-1] = ""
    for place in np.flatnonzero(ids == END):
        names[place], between[place + 1] = "↵", "\n"
    return {"tokens": names, "gaps": between, "surprisal": [float(f"{each:.3g}") for each in surprisal]}


def samples(model: "SequenceGenerator", sequences: Sequences) -> list[dict[str, Any]]:
    """Return what the model generates after the begin of a held-out text: `temperature`, `prompt` and `text` of each.

    Args:
        model: the model.
        sequences: held-out texts, or pieces.
    """
    start = sequences[0][: _PROMPT[model.features.level]] if len(sequences) else sequences.values
    if isinstance(model.features, FrameFeatures):
        piece = [model.features.notes(frame) for frame in start]
        return [
            {
                "temperature": temperature,
                "prompt": _music(piece),
                "text": _music(model.generate(piece, _FRAMES, temperature=temperature)),
            }
            for temperature in TEMPERATURES
        ]
    prompt = "" if (start == UNKNOWN).all() else model.features.tokens.decode(start.tolist())
    length = _TOKENS[model.features.level]
    return [
        {
            "temperature": temperature,
            "prompt": prompt,
            "text": model.generate(prompt, length, temperature=temperature),
        }
        for temperature in TEMPERATURES
    ]


def _music(frames: list[list[int]]) -> str:
    """Return frames as text: the notes of each, and a bar after it."""
    return "".join(f"{' '.join(map(str, frame))} | " for frame in frames)
