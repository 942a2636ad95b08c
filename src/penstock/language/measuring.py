"""Scores of texts that are larger than memory, from their pieces."""

from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.language.features import LanguageFeatures
from penstock.language.scores import counts_from, scores_from, scores_of, sums_of, token_counts
from penstock.runtime.resampling import Sums, compared
from penstock.sequences import Sequences
from penstock.tokens import END

if TYPE_CHECKING:
    from penstock.language.model import SequenceGenerator

__all__ = ["evaluate_blocks"]

Ids = NDArray[np.int32]

_AT_ONCE = 1 << 18
"""Tokens of short texts that are predicted together."""
_REACH = 64
"""Tokens before a piece from which n-grams predict its first ones; none are as long."""
_STRETCH, _GROUPS = 1000, 2000
"""Tokens that are resampled together, and groups of such stretches, as `runtime.resampling` has for 10^9 tokens."""


class _Predicted(NamedTuple):
    """Some tokens in order: their ids, the log-probability of each by the model ("") and by its baselines, and texts.

    `texts` is the number of texts that begin here.
    """

    ids: Ids
    log_probabilities: dict[str, NDArray[Any]]
    texts: int


def evaluate_blocks(model: "SequenceGenerator", blocks: Iterable[Rows]) -> dict[str, Any]:
    """Return what `SequenceGenerator.evaluate` returns, in memory that does not grow with the texts.

    Intervals come from other stretches of tokens.

    Args:
        model: a model of texts.
        blocks: pieces of all texts in order, whose answers are the texts' numbers.

    Raises:
        DataError: there is no token.
    """
    features = model.features
    assert isinstance(features, LanguageFeatures)
    values = {name: np.zeros((_GROUPS, 3)) for name in ("", *(model.baselines.names if model.baselines else ()))}
    counts, steps, texts = np.zeros(features.size, np.int64), 0, 0
    pieces = (piece for rows in blocks for piece in zip(rows.answers or [], rows.inputs, strict=True))
    for some in _predicted(model, features, pieces):
        group = _groups(steps, len(some.ids))
        for name, log_probabilities in some.log_probabilities.items():
            values[name] += sums_of(features, some.ids, log_probabilities, group, _GROUPS)
        counts += token_counts([some.ids], features.size)
        steps, texts = steps + len(some.ids), texts + some.texts
    if not steps:
        raise DataError(f"there must be at least one {features.unit} to predict; got none")
    used = values[""][:, 1] > 0
    sums = {name: Sums(each[used], scores_of, -(-steps // _STRETCH)) for name, each in values.items()}
    scores = {name: scores_from(each, steps) for name, each in sums.items()}
    ours, metrics = sums.pop(""), scores.pop("")
    return {
        "metrics": metrics,
        "counts": counts_from(features, texts, counts),
        "baseline": next(iter(scores.values()), {}),
        "baselines": scores,
        **compared(ours, sums),
    }


def _groups(start: int, steps: int) -> NDArray[np.int64]:
    """Return the group of each step from `start` on: of each 2,000 stretches every one is in another, at random."""
    stretch = (start + np.arange(steps)) // _STRETCH
    rounds = {each: np.random.default_rng([0, each]).permutation(_GROUPS) for each in np.unique(stretch // _GROUPS)}
    found = np.empty(steps, np.int64)
    for each, order in rounds.items():
        inside = stretch // _GROUPS == each
        found[inside] = order[stretch[inside] % _GROUPS]
    return found


def _predicted(
    model: "SequenceGenerator", features: LanguageFeatures, pieces: Iterable[tuple[int, str]]
) -> Iterator[_Predicted]:
    """Yield all tokens in order: texts of one piece together, others piece by piece with the state carried over."""
    end = np.full(int(features.ends), END, np.int32)
    waiting: list[Ids] = []
    for _, numbered in groupby(pieces, itemgetter(0)):
        ids = (features.piece(text) for _, text in numbered)
        first, second = next(ids), next(ids, None)
        if second is None:
            waiting.append(np.concatenate([first, end]))
        if second is not None or sum(map(len, waiting)) >= _AT_ONCE:
            yield from _whole(model, waiting)
            waiting = []
        if second is not None:
            yield from _long(model, chain([first, second], ids, [end]))
    yield from _whole(model, waiting)


def _whole(model: "SequenceGenerator", texts: list[Ids]) -> Iterator[_Predicted]:
    if texts:
        sequences = Sequences.from_list(texts, np.int32)
        ours = model.log_probabilities(sequences)
        yield _Predicted(sequences.values, {"": ours} | model.baseline_answers(sequences), len(texts))


def _long(model: "SequenceGenerator", pieces: Iterable[Ids]) -> Iterator[_Predicted]:
    state, before, texts = None, np.zeros(0, np.int32), 1
    for ids in pieces:
        if not len(ids):
            continue
        last = before[-1] if len(before) else model.features.first
        ours, state = model.scorer.score(np.concatenate([[last], ids[:-1]]), ids, state)
        both = np.concatenate([before, ids])
        answers = model.baseline_answers(Sequences.from_list([both], np.int32))
        theirs = {name: each[len(before) :] for name, each in answers.items()}
        yield _Predicted(ids, {"": ours} | theirs, texts)
        before, texts = both[-_REACH:], 0
