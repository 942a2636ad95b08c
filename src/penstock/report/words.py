"""The texts of a report in each language, and display names for names in metrics.json; unknown names are unchanged."""

import os
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from penstock.checks import check_one_of
from penstock.registry import TASKS, resolve

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
"""The module of each language; its `TABLE` has the same keys in all languages. Tasks add their own, `Task.words`."""
_HTML = {"en": "en", "zh": "zh-Hans"}
_METRICS = (
    "f1",
    "precision",
    "recall",
    "accuracy",
    "accuracy_unknown",
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
    """The texts of one language.

    Args:
        language: "en" or "zh".
        more: "module:TABLE" of further texts, as `Task.words`; "" for none.

    Raises:
        ConfigError: the language is unknown.
    """

    def __init__(self, language: str = "en", more: str = "") -> None:
        check_one_of("language", language, LANGUAGES)
        self.language = language
        self.html = _HTML[language]
        self._table = _table(language, more)

    def __call__(self, key: str, **values: Any) -> str:
        """Return the text of a key with the values filled in; values may be HTML, the texts are plain."""
        text = self._table[key]
        return text.format(**values) if values else text

    def knows(self, key: str) -> bool:
        """Return whether there is a text for a key."""
        return key in self._table

    def name(self, kind: str, name: str) -> str:
        """Return the display name of a name in metrics.json, e.g. ("metric", "log_loss"); unknown names unchanged."""
        return self._table.get(f"{kind}.{name}", name)

    def spoken(self, kind: str, name: str) -> str:
        """Return the display name like `name`; an unknown name is written with spaces and a capital letter."""
        return self._table.get(f"{kind}.{name}") or name.replace("_", " ").replace("-", " ").capitalize()


def chosen_language(asked: str | None = None) -> str:
    """Return the output language: the requested one, else that of the locale if it is supported, else English.

    Raises:
        ConfigError: the requested language is not supported.
    """
    if asked is not None:
        return Words(asked).language
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, names), "")  # the first that is set decides, as POSIX specifies
    return "zh" if locale.lower().startswith("zh") else "en"


def metric_words(name: str) -> str:
    """Return the English display name of a metric, such as accuracy or f1_macro."""
    return Words().name("metric", name)


def metric_place(name: str) -> tuple[int, str]:
    """Return the sort key of a metric: known metrics in a fixed order, then the others by name."""
    return (_METRICS.index(name) if name in _METRICS else len(_METRICS), name)


def baseline_words(name: str) -> str:
    """Return the English display name of a baseline."""
    return Words().spoken("baseline", name)


def task_words(name: str) -> str:
    """Return the English display name of a task."""
    return Words().spoken("task", name)


def _table(language: str, more: str) -> Mapping[str, str]:
    several = (*(task.words for task in TASKS.values()), more)
    return _merged(language, tuple(words for words in several if words))


@cache
def _merged(language: str, several: tuple[str, ...]) -> Mapping[str, str]:
    table: dict[str, str] = dict(import_module(LANGUAGES[language]).TABLE)
    for words in several:
        table |= {key: texts[language] for key, texts in resolve(words).items()}
    return table
