"""A language model of characters, a network, in the search: shallow fusion (Gulcehre et al. 2015)."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.runtime.pointwise import FUNCTIONS
from penstock.tokens import END

__all__ = ["NetworkFusion", "language_network"]


class _State(NamedTuple):
    """After some characters: the layers' states, and the log-probabilities of the next character (tokens,)."""

    layers: list[tuple[NDArray[np.float32], ...]]
    next: NDArray[np.float64]
    space: bool


class NetworkFusion:
    """Weighted log-probabilities of characters by a language model of a bundle; all prefixes advance together.

    Args:
        model: a model of `LanguageModel` with characters as tokens, as `penstock.load` returns it.
        pieces: the text of each token of the recogniser, the blank's first.
        weight: of the logarithms.
        bonus: for each character.

    Raises:
        ConfigError: the model is of another kind, or knows none of the tokens' characters.
    """

    def __init__(self, model: Any, pieces: Sequence[str], *, weight: float, bonus: float) -> None:
        if getattr(model, "task", "") != "language-model" or model.features.level != "char":
            got = f"one of {model.features.level}" if getattr(model, "task", "") == "language-model" else repr(model)
            raise ConfigError(f"a language model of characters is needed, LanguageModel(level='char'); got {got:.80}")
        tokens = model.features.tokens
        self._ids = [tokens.ids(piece).tolist() for piece in pieces]
        if not any(any(ids) for ids in self._ids):
            raise ConfigError(
                "the language model knows no character that the recogniser writes. Do they differ in upper and lower "
                "case?"
            )
        self._pieces, self._weight, self._bonus = pieces, weight, bonus
        self._scorer, self._ends = model.scorer, model.features.ends
        self._streams = model.scorer.encoder.streams()
        self._first = model.features.first

    def begin(self) -> _State:
        """See `beam.Fusion`."""
        layers = [tuple(array[0] for array in states) for states in self._streams.slabs(1)]
        nothing = _State(layers, np.zeros(0), True)
        (state,) = self._step([nothing], np.array([self._first]), [True])
        return state

    def added(self, state: _State, token: int) -> float:
        """See `beam.Fusion`; of a token with several characters, the first is judged here and the rest in `after`."""
        ids = self._ids[token]
        if not ids or (state.space and self._pieces[token].isspace()):
            return 0.0
        found = float(state.next[ids[0]])
        for before, after in pairwise(ids):
            (state,) = self._step([state], np.array([before]), [False])
            found += float(state.next[after])
        return self._weight * found + self._bonus * len(ids)

    def after(self, states: Sequence[_State], tokens: Sequence[int]) -> list[_State]:
        """See `beam.Fusion`."""
        found = list(states)
        for place in range(max((len(self._ids[token]) for token in tokens), default=0)):
            rows = [
                row
                for row, token in enumerate(tokens)
                if place < len(self._ids[token]) and not (found[row].space and self._pieces[token].isspace())
            ]
            if rows:
                ids = np.array([self._ids[tokens[row]][place] for row in rows])
                spaces = [self._pieces[tokens[row]][place].isspace() for row in rows]
                for row, state in zip(rows, self._step([found[row] for row in rows], ids, spaces), strict=True):
                    found[row] = state
        return found

    def ended(self, state: _State) -> float:
        """See `beam.Fusion`; 0 where the model has not learned ends."""
        return self._weight * float(state.next[END]) if self._ends else 0.0

    def _step(self, states: Sequence[_State], ids: NDArray[Any], spaces: Sequence[bool]) -> list[_State]:
        """Read a character after each state."""
        slabs = [
            tuple(
                np.ascontiguousarray(np.stack(parts))
                for parts in zip(*(state.layers[layer] for state in states), strict=True)
            )
            for layer in range(len(states[0].layers))
        ]
        x = np.ascontiguousarray(self._scorer.vectors(ids.astype(np.int32)))
        y = self._streams.step(np.arange(len(states)), x, slabs)
        log_probs = FUNCTIONS["log_softmax"](self._scorer.head.scores(y)).astype(np.float64)
        return [
            _State([tuple(array[row].copy() for array in layer) for layer in slabs], log_probs[row], spaces[row])
            for row in range(len(states))
        ]


def language_network(model: Any) -> Any:
    """Return a language model, after loading it where a folder is named."""
    if isinstance(model, str | Path):
        from penstock.runtime import load

        return load(model)
    return model
