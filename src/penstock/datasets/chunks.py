"""Chunks of parallel streams, for networks that carry their state from one chunk to the next."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["Chunk", "stream_chunks"]

Draw = Callable[[int, np.random.Generator], tuple[np.ndarray, np.ndarray]]


class Chunk(NamedTuple):
    """The next steps of several streams.

    Attributes:
        rows: (streams,) int64, the sequence that each stream reads.
        starts: (streams,) int64, the step of that sequence at which the chunk starts.
        fresh: (streams,) bool, whether the stream starts there with a zero state.
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
    """Return chunks of streams; each chunk starts where the previous one ended.

    A stream restarts at a place that `draw` returns: at its first chunk, at the end of its sequence, and at random.

    Args:
        ends: (sequences,), the step of each sequence from which on no chunk may start.
        draw: (streams, generator) -> a sequence for each stream, and the step of it to start at, both (streams,).
        streams: number of streams.
        steps: length of a chunk; it is shorter at the end of a sequence.
        count: number of chunks.
        generator: the only source of randomness.
        reset_share: probability that a stream restarts before its sequence ends.
    """
    rows = np.zeros(streams, np.int64)
    starts = np.full(streams, np.iinfo(np.int64).max)  # beyond every end, so that all streams restart
    chunks = []
    for _ in range(count):
        fresh = (starts >= ends[rows]) | (generator.random(streams) < reset_share)
        new_rows, new_starts = draw(streams, generator)
        rows, starts = np.where(fresh, new_rows, rows), np.where(fresh, new_starts, starts)
        chunks.append(Chunk(rows, starts, fresh))
        starts = starts + steps
    return chunks
