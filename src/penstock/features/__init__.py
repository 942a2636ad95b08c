"""From data to numbers: learned from the training data (`fit`), applied to all, pushed piece by piece."""

from penstock.features.text import TextFeatures, tokenize
from penstock.features.vectors import read_vectors

__all__ = ["TextFeatures", "read_vectors", "tokenize"]
