"""Streams read side by side, chunk after chunk, for networks that carry their state from one chunk to the next."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["Chunk", "stream_chunks"]

Draw = Callable[[int, np.random.Generator], tuple[np.ndarray, np.ndarray]]


class Chunk(NamedTuple):
    """The next steps of several streams.

    rows: (streams,) int64, the sequence that each stream reads
    starts: (streams,) int64, the step of that sequence at which the chunk begins
    fresh: (streams,) bool, whether the stream begins there, with an empty state
    """

    rows: np.ndarray
    starts: np.ndarray
    fresh: np.ndarray


def stream_chunks(
    ends: np.ndarray,
    draw: Draw,
    *,
    streams: int,
    steps: int,
    count: int,
    generator: np.random.Generator,
    reset_share: float = 0.0,
) -> list[Chunk]:
    """Chunks of streams, each of which begins where the one before it ended.

    At its first chunk, at the end of its sequence, and by chance, a stream begins anew, at a place that `draw` gives.

    Args:
        ends: (sequences,), the step of each sequence at which no chunk may begin any more.
        draw: (streams, generator) -> a sequence for each stream, and a step of it to begin at, both (streams,).
        streams: number of streams.
        steps: length of a chunk; a sequence that ends sooner makes a shorter one.
        count: number of chunks.
        generator: decides on all that is random.
        reset_share: probability that a stream begins anew before its sequence ends.
    """
    rows = np.zeros(streams, np.int64)
    starts = np.full(streams, np.iinfo(np.int64).max)  # beyond every end: all streams begin anew
    chunks = []
    for _ in range(count):
        fresh = (starts >= ends[rows]) | (generator.random(streams) < reset_share)
        new_rows, new_starts = draw(streams, generator)
        rows, starts = np.where(fresh, new_rows, rows), np.where(fresh, new_starts, starts)
        chunks.append(Chunk(rows, starts, fresh))
        starts = starts + steps
    return chunks
