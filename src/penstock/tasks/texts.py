"""Targets that are texts, such as translations and transcripts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Texts"]


class Texts(Sequence[str]):
    """The targets of a part that are texts: some can be chosen by an array of rows, and all can be hashed."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = list(texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, rows: Any) -> Any:
        return Texts([self._texts[row] for row in rows]) if isinstance(rows, np.ndarray) else self._texts[rows]

    def tobytes(self) -> bytes:
        """All texts as bytes, for a hash."""
        return "\0".join(self._texts).encode("utf-8", "surrogatepass")
