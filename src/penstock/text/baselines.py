"""Baselines of text classifiers, from arrays alone: the most frequent class, and TF-IDF with logistic regression."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import BundleError
from penstock.tokens.spelling import tokenize

_TFIDF = ("vocabulary", "idf", "coef", "intercept", "ngram_range", "sublinear_tf")


class TextBaselines:
    """The baselines saved with a text classifier: "tfidf", if there is one, and "majority".

    Args:
        arrays: as in `baseline.safetensors`: `class_counts` int64 (classes,), training rows per class; and, all or
            none, `vocabulary` uint8, the terms in UTF-8 joined by newlines, a term being tokens joined by spaces;
            `idf` (terms,); `coef` (classes, terms) and `intercept` (classes,), one row for two classes; `ngram_range`
            int64 (2,); `sublinear_tf` int64 (1,). Vectors are normalised to length 1, as with scikit-learn's l2.

    Raises:
        BundleError: arrays are missing or do not match each other.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        needed = ("class_counts", *_TFIDF) if any(name in arrays for name in _TFIDF) else ("class_counts",)
        if missing := [name for name in needed if name not in arrays]:
            raise BundleError(
                f"the baseline lacks {', '.join(missing)}. Train the model again, or copy its folder again."
            )
        self.class_counts = arrays["class_counts"]
        self.has_tfidf = "coef" in arrays
        self.names: tuple[str, ...] = ("tfidf", "majority") if self.has_tfidf else ("majority",)
        if self.has_tfidf:
            self._read_tfidf(arrays)

    def _read_tfidf(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        terms = arrays["vocabulary"].tobytes().decode().split("\n")
        self._columns = {term: column for column, term in enumerate(terms)}
        self._idf = arrays["idf"].astype(np.float64)
        self._coef = arrays["coef"].astype(np.float64)
        self._intercept = arrays["intercept"].astype(np.float64)
        self._shortest, self._longest = (int(size) for size in arrays["ngram_range"])
        self._sublinear = bool(arrays["sublinear_tf"][0])
        rows = 1 if len(self.class_counts) == 2 and len(self._coef) == 1 else len(self.class_counts)
        if (
            self._coef.shape != (rows, len(terms))
            or self._idf.shape != (len(terms),)
            or self._intercept.shape != (rows,)
        ):
            raise BundleError(
                f"the baseline's coef must be (classes={rows}, terms={len(terms)}), idf (terms,), "
                f"intercept (classes,); got {self._coef.shape}, {self._idf.shape}, {self._intercept.shape}"
            )

    def answers(self, name: str, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probabilities (texts, classes) of a baseline."""
        return self.predict_proba(texts) if name == "tfidf" else self.majority(len(texts))

    def majority(self, rows: int) -> NDArray[np.float64]:
        """Return the share of each class in training for every row: (rows, classes)."""
        return np.tile(self.class_counts / self.class_counts.sum(), (rows, 1))

    def predict_proba(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probabilities (texts, classes) of TF-IDF with logistic regression, or else of the majority."""
        if not self.has_tfidf:
            return self.majority(len(texts))
        scores = np.array([self._score(text) for text in texts]).reshape(len(texts), len(self._coef))
        if scores.shape[1] == 1:
            scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def _score(self, text: str) -> NDArray[np.float64]:
        tokens = tokenize(text)
        counts: Counter[int] = Counter()
        for size in range(self._shortest, self._longest + 1):
            for start in range(len(tokens) - size + 1):
                column = self._columns.get(" ".join(tokens[start : start + size]))
                if column is not None:
                    counts[column] += 1
        if not counts:
            return self._intercept
        columns = np.fromiter(counts, np.int64, len(counts))
        frequency = np.fromiter(counts.values(), np.float64, len(counts))
        weights = (1 + np.log(frequency) if self._sublinear else frequency) * self._idf[columns]
        length = np.sqrt((weights**2).sum())
        return self._intercept + self._coef[:, columns] @ weights / (length or 1.0)
