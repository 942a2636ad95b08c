"""Tagging: a label for each token of a sentence, such as its part of speech or the name that it belongs to."""
