"""Occlusion: how the prediction changes if a part of the input is replaced by its baseline (Zeiler and Fergus 2014).

It needs predictions alone, so it runs on the engine, without PyTorch, for every cell. Variants of the input are
computed in batches; `occluding` pauses after each, so that a server can do other work in between.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from penstock.checks import check_whole
from penstock.inspection.attribution import Attribution, attribution_of
from penstock.runtime.question import Question

__all__ = ["MOST_VARIANTS", "occluding", "occlusion"]

MOST_VARIANTS = 256
"""Variants of one input that are tried by default; in longer inputs, neighbouring cells are left out together."""
_STRETCHES = 32  # stretches of time of a series of numbers: a single step rarely matters
_FEWEST = 8  # stretches of time at least, however many columns there are
_STEPS = 16384


def occlusion(question: Question, *, window: int | None = None, most: int = MOST_VARIANTS) -> Attribution:
    """Return the result of `occluding`."""
    for found in occluding(question, window=window, most=most):
        if found is not None:
            return found
    raise AssertionError("occluding ends with its result")


def occluding(
    question: Question, *, window: int | None = None, most: int = MOST_VARIANTS, batch_steps: int = _STEPS
) -> Iterator[Attribution | None]:
    """Replace each part of the input by its baseline in turn; the loss of the explained number is the part's score.

    A part's score is shared equally among its cells that differ from their baseline, so that the sum of all scores is
    the sum of the parts'.

    Args:
        question: the input.
        window: steps or tokens that are left out together; None for one token, or 1/32 of a series of numbers, or more
            where the input is long.
        most: the most variants that are tried, without a `window`.
        batch_steps: steps of the network, over all variants of a batch.

    Yields:
        None after each batch of variants, at last the result.

    Raises:
        ConfigError: the window is not a whole number of at least 1.
    """
    if window is not None:
        check_whole("window", window, at_least=1)
    values, baseline = question.evidence.values, question.evidence.baseline
    sizes = _sizes(values.shape, question.evidence.together, window, most)
    ends = question.scores(np.stack([values, baseline]))
    # Parts that are like their baseline already change nothing.
    parts = [part for part in _parts(values.shape, sizes) if (values[part] != baseline[part]).any()]
    scores = np.zeros(values.shape)
    for batch in _batches(parts, max(1, batch_steps // question.steps)):
        variants = np.repeat(values[None], len(batch), axis=0)
        for variant, part in zip(variants, batch, strict=True):
            variant[part] = baseline[part]
        for part, score in zip(batch, question.scores(variants), strict=True):
            differs = values[part] != baseline[part]
            scores[part] = np.where(differs, (ends[0] - score) / differs.sum(), 0)
        yield None
    yield attribution_of(question, scores, ends, method="occlusion", window=sizes)


def _sizes(shape: tuple[int, ...], together: int, window: int | None, most: int) -> tuple[int, ...]:
    """Return the cells of a part along each axis."""
    steps = shape[0]
    if len(shape) == 1:
        return (window or -(-steps // most),)
    columns = max(together, -(-shape[1] * _FEWEST // most))
    groups = -(-shape[1] // columns)
    return (window or -(-steps // max(1, min(_STRETCHES, most // groups))), columns)


def _parts(shape: tuple[int, ...], sizes: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    along = [
        [slice(start, min(start + size, length)) for start in range(0, length, size)]
        for length, size in zip(shape, sizes, strict=True)
    ]
    return itertools.product(*along)


def _batches(parts: list[Any], size: int) -> Iterator[list[Any]]:
    return (parts[start : start + size] for start in range(0, len(parts), size))
