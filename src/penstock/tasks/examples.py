"""Which rows stand for all of them: as a model's examples, and where its memory is measured."""

import numpy as np

__all__ = ["evenly"]


def evenly(rows: int, most: int) -> list[int]:
    """Return the numbers of at most `most` of `rows` rows, evenly spread from the first to the last."""
    found: list[int] = np.linspace(0, rows - 1, min(most, rows), dtype=int).tolist()
    return found
