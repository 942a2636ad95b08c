"""Translations as lines of text."""

from collections.abc import Mapping
from typing import Any

__all__ = ["as_line"]


def as_line(answer: Mapping[str, Any]) -> str:
    """Return a translation on one line; of several for a sentence, its number, log-probability and text, between tabs.

    Args:
        answer: `prediction`; if there are several for a sentence, also `row` and `score`.
    """
    text = " ".join(str(answer["prediction"]).splitlines())
    return f"{answer['row']}\t{answer['score']:.4f}\t{text}" if "rank" in answer else text
