"""Reading of files and frames, splits, and batches."""

from penstock.datasets.batches import Batches, length_batches, row_count, shard
from penstock.datasets.chunks import Chunk, stream_chunks
from penstock.datasets.columns import as_labels, as_texts, text_table
from penstock.datasets.layout import Layout
from penstock.datasets.lines import text_lines
from penstock.datasets.readers import read_table
from penstock.datasets.rows import Rows
from penstock.datasets.splits import parse_proportions, random_split, stratified_split
from penstock.labels import class_counts

__all__ = [
    "Batches",
    "Chunk",
    "Layout",
    "Rows",
    "as_labels",
    "as_texts",
    "class_counts",
    "length_batches",
    "parse_proportions",
    "random_split",
    "read_table",
    "row_count",
    "shard",
    "stratified_split",
    "stream_chunks",
    "text_lines",
    "text_table",
]
