"""Searches for options: many trainings with other options, judged on the validation data."""

from penstock.tasks.space import Between
from penstock.tuning.search import Search

__all__ = ["Between", "Search"]
