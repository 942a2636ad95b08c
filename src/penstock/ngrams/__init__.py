"""Models of n-grams: looked up in sorted arrays, trained by interpolated modified Kneser-Ney, read from ARPA files."""

from penstock.ngrams.arpa import read_arpa, write_arpa
from penstock.ngrams.backoff import NGrams
from penstock.ngrams.kneser_ney import MOST_NGRAMS, discounts, fit_kneser_ney
from penstock.ngrams.named import BEGIN_NAME, END_NAME, SPACE_NAME, UNKNOWN_NAME, NamedNGrams

__all__ = [
    "BEGIN_NAME",
    "END_NAME",
    "MOST_NGRAMS",
    "SPACE_NAME",
    "UNKNOWN_NAME",
    "NGrams",
    "NamedNGrams",
    "discounts",
    "fit_kneser_ney",
    "read_arpa",
    "write_arpa",
]
