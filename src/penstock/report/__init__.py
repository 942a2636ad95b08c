"""Reports: HTML files that open offline, every number on them tied to the data that it shows."""

from penstock.report.chart import Band, Line, line_chart
from penstock.report.demonstration import render_demo
from penstock.report.figures import Figures, escape, pointer, readable
from penstock.report.page import PARTS, measured_part, page, scrolled, section, table
from penstock.report.training import metric_names, render
from penstock.report.words import baseline_words, metric_words, task_words

__all__ = [
    "PARTS",
    "Band",
    "Figures",
    "Line",
    "baseline_words",
    "escape",
    "line_chart",
    "measured_part",
    "metric_names",
    "metric_words",
    "page",
    "pointer",
    "readable",
    "render",
    "render_demo",
    "scrolled",
    "section",
    "table",
    "task_words",
]
