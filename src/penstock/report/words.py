"""How a report reads in each language, and what names in metrics.json are called; an unknown name reads as it is."""

import os
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from penstock.errors import ConfigError

__all__ = [
    "LANGUAGES",
    "Words",
    "baseline_words",
    "chosen_language",
    "metric_place",
    "metric_words",
    "task_words",
]

LANGUAGES = {"en": "penstock.report.english", "zh": "penstock.report.chinese"}
"""Each language's module, which has a `TABLE`; all have the same keys."""
_HTML = {"en": "en", "zh": "zh-Hans"}
_METRICS = (
    "accuracy",
    "f1_macro",
    "log_loss",
    "mse",
    "rmse",
    "mae",
    "r2",
    "smape",
    "mase",
    "coverage_80",
)


class Words:
    """The words of one language.

    Args:
        language: "en" or "zh".

    Raises:
        ConfigError: another one.
    """

    def __init__(self, language: str = "en") -> None:
        if language not in LANGUAGES:
            raise ConfigError(f"language must be one of {', '.join(LANGUAGES)}; got {language!r:.40}")
        self.language = language
        self.html = _HTML[language]
        self._table = _table(language)

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key, with values put in; values may be HTML, the texts are plain."""
        text = self._table[key]
        return text.format(**values) if values else text

    def knows(self, key: str) -> bool:
        """Whether there is a text for a key."""
        return key in self._table

    def name(self, kind: str, name: str) -> str:
        """What a name in metrics.json is called, such as a metric's ("metric", "log_loss"); itself where unknown."""
        return self._table.get(f"{kind}.{name}", name)

    def spoken(self, kind: str, name: str) -> str:
        """The same; an unknown name with blanks and a capital letter."""
        return self._table.get(f"{kind}.{name}") or name.replace("_", " ").replace("-", " ").capitalize()


def chosen_language(asked: str | None = None) -> str:
    """The language to write in: what is asked for, else the locale's if there are words for it, else English.

    Raises:
        ConfigError: it is asked for one that there are no words for.
    """
    if asked is not None:
        return Words(asked).language
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, names), "")  # the first that is set decides, as POSIX has it
    return "zh" if locale.lower().startswith("zh") else "en"


def metric_words(name: str) -> str:
    """accuracy, f1_macro, ... for people, in English."""
    return Words().name("metric", name)


def metric_place(name: str) -> tuple[int, str]:
    """Metrics in an order of their own: those known here first, then the rest."""
    return (_METRICS.index(name) if name in _METRICS else len(_METRICS), name)


def baseline_words(name: str) -> str:
    """A baseline's name for people, in English."""
    return Words().spoken("baseline", name)


def task_words(name: str) -> str:
    """A task's name for people, in English."""
    return Words().spoken("task", name)


@cache
def _table(language: str) -> Mapping[str, str]:
    return import_module(LANGUAGES[language]).TABLE
