"""The report on a training, a pure function of its `metrics.json`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from penstock.report.classes import classes_section
from penstock.report.confusion import confusion_section
from penstock.report.curves import curves_section
from penstock.report.data import data_section
from penstock.report.figures import Figures
from penstock.report.memory import memory_section
from penstock.report.mistakes import mistakes_section
from penstock.report.numbers import numbers_section
from penstock.report.options import options_section
from penstock.report.origin import lead, origin_section
from penstock.report.page import page
from penstock.report.reliability import reliability_section
from penstock.report.scores import scores_section
from penstock.report.two_classes import two_classes_section
from penstock.report.words import Words

__all__ = ["Section", "render"]

Section = Callable[[Figures, Words], str]
"""A function that returns a card of the page as HTML; empty if metrics.json has no data for it."""


def render(
    metrics: Mapping[str, Any],
    *,
    title: str = "",
    language: str = "en",
    extra: Iterable[Section] = (),
    classes: Section = classes_section,
    mistakes: Section = mistakes_section,
) -> str:
    """Return the report as one HTML file.

    Every number on the page is taken from `metrics`; the attribute `data-metric` of its element holds the JSON pointer.

    Args:
        metrics: the contents of `metrics.json`, see `tasks.measures`. Cards without data are left out.
        title: the model's name, plain text.
        language: "en" or "zh".
        extra: task-specific cards, shown after the learning curves.
        classes, mistakes: the cards of the classes and of errors; a task may replace the default.

    Raises:
        ConfigError: an unknown language.
    """
    figures, words = Figures(metrics), Words(language)
    task = words.spoken("task", metrics.get("task", "model"))
    cards: list[Section] = [
        origin_section,
        scores_section,
        curves_section,
        *extra,
        numbers_section,
        classes,
        confusion_section,
        two_classes_section,
        reliability_section,
        memory_section,
        mistakes,
        data_section,
        options_section,
    ]
    heading = words("title", name=title, task=task) if title else task
    return page(heading, lead(figures, words), (card(figures, words) for card in cards), language)
