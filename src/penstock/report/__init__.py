"""Reports: HTML files that open offline, every number on them tied to the data that it shows."""

from penstock.report.chart import Line, line_chart
from penstock.report.classification import measured_part, render
from penstock.report.demonstration import render_demo
from penstock.report.figures import Figures, escape, pointer
from penstock.report.page import page, scrolled, section, table
from penstock.report.writing import write_report

__all__ = [
    "Figures",
    "Line",
    "escape",
    "line_chart",
    "measured_part",
    "page",
    "pointer",
    "render",
    "render_demo",
    "scrolled",
    "section",
    "table",
    "write_report",
]
