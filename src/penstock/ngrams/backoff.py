"""Back-off models of n-grams, as a trie in sorted arrays.

The n-grams of order k are in lexical order of their ids. Those that extend the n-gram i of order k - 1 by one token are
at offsets_k[i] to offsets_k[i + 1], so that a look-up is a binary search for each order. As in ARPA files there are two
numbers for each n-gram: the log-probability of its last token after the others, already interpolated with all lower
orders, and the log of the weight that the lower orders get after it, for a next token that was never seen there.

`kneser_ney` trains them; nothing here needs more than NumPy.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import BundleError, DataError
from penstock.sequences import Sequences

__all__ = ["NGrams", "Text", "as_text"]

Ids = NDArray[np.int64]
_DAMAGED = "the n-grams are damaged: {}. Train the model again, or copy its folder again."


class Text(NamedTuple):
    """Texts one after another, with the id `begin` before each.

    Attributes:
        tokens: (steps,) ids.
        context: (steps,) number of tokens before each that may predict it: back to the last `begin`, which counts.
        predicted: (steps,) bool, False for what was put before a text.
    """

    tokens: Ids
    context: Ids
    predicted: NDArray[np.bool_]


class NGrams:
    """Predicts each token from those before it.

    Args:
        arrays: as `fit_kneser_ney` returns them: `vocabulary` int64 (1,), the number of ids that are
            predicted; `begin` int64 (1,), the id before each text, beyond which no n-gram reaches; `log_probs_1` and
            `backoffs_1` float32, a row for each id; and for each further order k `tokens_k` int32, `offsets_k` int64,
            `log_probs_k` and `backoffs_k` float32, the highest order without `backoffs_k`.

    Attributes:
        order: number of tokens of the longest n-grams.
        vocabulary_size: number of ids that are predicted.
        begin: the id before each text.

    Raises:
        BundleError: arrays are missing or do not match.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        try:
            self.vocabulary_size, self.begin = int(arrays["vocabulary"][0]), int(arrays["begin"][0])
            self._size = max(self.vocabulary_size, self.begin + 1)
            self._orders = [_Order(arrays, 1, np.arange(self._size), np.zeros(0, np.int64), self._size)]
            while f"tokens_{len(self._orders) + 1}" in arrays:
                order = len(self._orders) + 1
                tokens, offsets = (arrays[f"{name}_{order}"].astype(np.int64) for name in ("tokens", "offsets"))
                if not _nested(tokens, offsets, len(self._orders[-1].tokens), self._size):
                    raise BundleError(_DAMAGED.format(f"those of order {order} do not extend those before them"))
                self._orders.append(_Order(arrays, order, tokens, offsets, self._size))
        except (KeyError, IndexError) as error:
            raise BundleError(_DAMAGED.format(f"{error} is missing")) from error

    @property
    def order(self) -> int:
        """Number of tokens of the longest n-grams."""
        return len(self._orders)

    def log_probs(self, sequences: Sequences) -> NDArray[np.float64]:
        """Return the log-probability of each id after those before it in its sequence, (total,).

        Raises:
            DataError: an id is not in the vocabulary.
        """
        text = as_text(sequences, self.begin, self.vocabulary_size)
        found = self._orders[0].log_probs[text.tokens]
        for order, (at, before) in enumerate(self._places(text.tokens, text.context), start=1):
            weights = np.where(before >= 0, self._orders[order - 1].backoffs[before], 0.0)
            found = np.where(at >= 0, self._orders[order].log_probs[at], found + weights)
        return found[text.predicted]

    def next_log_probs(self, context: ArrayLike) -> NDArray[np.float64]:
        """Return the log-probability of each id as the next one, (vocabulary,).

        Args:
            context: the ids before it, from the begin of its text or only the last ones; at most `order` - 1 are read.
        """
        tokens = np.concatenate([[self.begin], np.asarray(context, np.int64)])[-max(self.order - 1, 1) :]
        reach = _reach(np.append(tokens, self.begin), self.begin)
        found = self._orders[0].log_probs[: self.vocabulary_size].copy()
        places = [tokens[-1], *(at[-1] for at, _ in self._places(tokens, reach[:-1]))]
        for place, shorter, longer in zip(places[: reach[-1]], self._orders, self._orders[1:], strict=False):
            if place < 0:
                continue
            children = slice(longer.offsets[place], longer.offsets[place + 1])
            found += shorter.backoffs[place]
            found[longer.tokens[children]] = longer.log_probs[children]
        return found

    def log_prob(self, context: Sequence[int], token: int) -> float:
        """Return the log-probability of one id as the next one; arguments as in `next_log_probs`, with its begin.

        Args:
            context: the ids before it, `begin` included where the text begins; at most `order` - 1 are read.
            token: the id.
        """
        found = float(self._orders[0].log_probs[token])
        for length in range(1, min(self.order - 1, len(context)) + 1):
            place = self._place(context[len(context) - length :])
            if place < 0:
                continue
            child = self._orders[length].find(place * self._size + token)
            if child >= 0:
                found = float(self._orders[length].log_probs[child])
            else:
                found += float(self._orders[length - 1].backoffs[place])
        return found

    def _place(self, tokens: Sequence[int]) -> int:
        """The place of an n-gram among those of its order, -1 where there is none."""
        place = tokens[0]
        for order, token in zip(self._orders[1:], tokens[1:], strict=False):
            if place >= 0:
                place = order.find(place * self._size + token)
        return place

    def _places(self, tokens: Ids, context: Ids) -> Iterator[tuple[Ids, Ids]]:
        """Yield for each order from 2 the places of the n-grams that end at each step, and of their first tokens.

        The second are places among the n-grams that are one shorter; both are -1 where there is none.
        """
        last = tokens
        for length, order in enumerate(self._orders[1:], start=1):
            if not len(order.keys):  # nor are there longer ones
                return
            before = np.where(context >= length, np.concatenate([[-1], last[:-1]]), -1)
            keys = before * self._size + tokens
            at = np.minimum(np.searchsorted(order.keys, keys), len(order.keys) - 1)
            last = np.where((before >= 0) & (order.keys[at] == keys), at, -1)
            yield last, before


class _Order:
    """The n-grams of one length.

    tokens: (n-grams,), the last token of each
    offsets: (n-grams that are one shorter + 1,)
    keys: (n-grams,), strictly rising: place of the tokens before the last, times the number of ids, plus the last
    log_probs, backoffs: (n-grams,)
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], order: int, tokens: Ids, offsets: Ids, size: int) -> None:
        self.tokens, self.offsets = tokens, offsets
        self.keys = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)) * size + tokens if order > 1 else tokens
        self.log_probs = arrays[f"log_probs_{order}"].astype(np.float64)
        highest = f"tokens_{order + 1}" not in arrays
        self.backoffs = np.zeros(len(tokens)) if highest else arrays[f"backoffs_{order}"].astype(np.float64)
        if not len(tokens) == len(self.log_probs) == len(self.backoffs):
            raise BundleError(_DAMAGED.format(f"those of order {order} have not one number each"))
        if (np.diff(self.keys) <= 0).any():
            raise BundleError(_DAMAGED.format(f"those of order {order} are not in order"))

    def find(self, key: int) -> int:
        """The place of a key, -1 where there is none."""
        place = int(self.keys.searchsorted(key))
        return place if place < len(self.keys) and self.keys[place] == key else -1


def _nested(tokens: Ids, offsets: Ids, parents: int, size: int) -> bool:
    """Whether tokens and offsets are those of n-grams that extend `parents` shorter ones."""
    fits = len(offsets) == parents + 1 and offsets[0] == 0 and offsets[-1] == len(tokens)
    return fits and bool((np.diff(offsets) >= 0).all() and (tokens >= 0).all() and (tokens < size).all())


def as_text(sequences: Sequences, begin: int, vocabulary_size: int) -> Text:
    """Return sequences of ids as one text.

    Raises:
        DataError: an id is not in the vocabulary.
    """
    ids, starts = sequences.values.astype(np.int64), sequences.offsets[:-1]
    if len(ids) and not 0 <= ids.min() <= ids.max() < vocabulary_size:
        raise DataError(f"ids must be from 0 to {vocabulary_size - 1}; got {ids.min()} to {ids.max()}")
    tokens = np.insert(ids, starts, begin)
    predicted = np.ones(len(tokens), np.bool_)
    predicted[starts + np.arange(len(starts))] = False
    return Text(tokens, np.where(predicted, _reach(tokens, begin), 0), predicted)


def _reach(tokens: Ids, begin: int) -> Ids:
    """Return the number of tokens before each back to the last `begin`, which counts, (steps,)."""
    steps = np.arange(len(tokens))
    last = np.maximum.accumulate(np.where(tokens == begin, steps, 0))
    return steps - np.concatenate([[0], last[:-1]]) if len(steps) else steps
