"""Data larger than memory: rows in many files, read once into a cache of numbers that training reads from disk."""

from penstock.shards.cache import Cache, default_cache
from penstock.shards.files import data_files, is_large, is_several
from penstock.shards.stored import StoredSequences, StoredTokens
from penstock.shards.table import Shards
from penstock.shards.writer import Writer

__all__ = [
    "Cache",
    "Shards",
    "StoredSequences",
    "StoredTokens",
    "Writer",
    "data_files",
    "default_cache",
    "is_large",
    "is_several",
]
