"""Export to C99: a header and a source that run a network step by step, without malloc and without other libraries."""

from penstock.convert.exporting.c.export import to_c

__all__ = ["to_c"]
