"""Models of n-grams: looked up in sorted arrays, and trained by interpolated modified Kneser-Ney."""

from penstock.ngrams.backoff import NGrams
from penstock.ngrams.kneser_ney import MOST_NGRAMS, discounts, fit_kneser_ney

__all__ = ["MOST_NGRAMS", "NGrams", "discounts", "fit_kneser_ney"]
