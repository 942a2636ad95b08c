"""Export to C99: a header and a source that run a network step by step, without malloc and without other libraries."""

from penstock.convert.c.export import Exported, to_c

__all__ = ["Exported", "to_c"]
