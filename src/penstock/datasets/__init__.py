"""From files and frames to texts and labels, split and put into batches."""

from penstock.datasets.batches import Batches, length_batches, shard
from penstock.datasets.chunks import Chunk, stream_chunks
from penstock.datasets.columns import as_labels, as_texts, text_table
from penstock.datasets.lines import text_lines
from penstock.datasets.readers import read_table
from penstock.datasets.rows import Rows
from penstock.datasets.series_table import read_series
from penstock.datasets.signal_files import is_ucr, read_ts, read_ucr
from penstock.datasets.signals import matching_columns, read_signals, signal_table
from penstock.datasets.splits import parse_proportions, random_split, stratified_split
from penstock.datasets.texts import read_inputs, read_texts
from penstock.labels import class_counts

__all__ = [
    "Batches",
    "Chunk",
    "Rows",
    "as_labels",
    "as_texts",
    "class_counts",
    "is_ucr",
    "length_batches",
    "matching_columns",
    "parse_proportions",
    "random_split",
    "read_inputs",
    "read_series",
    "read_signals",
    "read_table",
    "read_texts",
    "read_ts",
    "read_ucr",
    "shard",
    "signal_table",
    "stratified_split",
    "stream_chunks",
    "text_lines",
    "text_table",
]
