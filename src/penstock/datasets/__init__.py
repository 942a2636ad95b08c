"""From files and frames to texts and labels, split and put into batches."""

from penstock.datasets.batches import length_batches
from penstock.datasets.columns import TextTable, as_labels, as_texts, class_counts, text_table
from penstock.datasets.readers import read_table, read_texts
from penstock.datasets.splits import parse_proportions, stratified_split

__all__ = [
    "TextTable",
    "as_labels",
    "as_texts",
    "class_counts",
    "length_batches",
    "parse_proportions",
    "read_table",
    "read_texts",
    "stratified_split",
    "text_table",
]
