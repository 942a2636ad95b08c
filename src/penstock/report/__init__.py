"""Reports: HTML files that open offline; each number carries a pointer to its place in the data."""

from penstock.report.chart import chart
from penstock.report.comparison import render_comparison
from penstock.report.demonstration import render_demo
from penstock.report.figures import Figures, escape, pointer, readable
from penstock.report.marks import Band, Bars, Line, Points
from penstock.report.memory import memory_sentence
from penstock.report.page import measured_part, page, scrolled, section, table
from penstock.report.scores import metric_names
from penstock.report.training import render
from penstock.report.words import LANGUAGES, Words, baseline_words, chosen_language, metric_words, task_words

__all__ = [
    "LANGUAGES",
    "Band",
    "Bars",
    "Figures",
    "Line",
    "Points",
    "Words",
    "baseline_words",
    "chart",
    "chosen_language",
    "escape",
    "measured_part",
    "memory_sentence",
    "metric_names",
    "metric_words",
    "page",
    "pointer",
    "readable",
    "render",
    "render_comparison",
    "render_demo",
    "scrolled",
    "section",
    "table",
    "task_words",
]
