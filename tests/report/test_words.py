"""Both languages have the same keys and the same places for values, and every key that is asked for is there."""

import re
from importlib import import_module
from pathlib import Path
from string import Formatter

import pytest

import penstock
from penstock.errors import ConfigError
from penstock.registry import TASKS, resolve
from penstock.report import Words, chosen_language
from penstock.report.words import LANGUAGES

OF_TASKS = [resolve(task.words) for task in TASKS.values() if task.words]
OF_TASKS.append(resolve("penstock.tuning.report_words:TABLE"))
TABLES = {
    language: import_module(module).TABLE | {key: texts[language] for table in OF_TASKS for key, texts in table.items()}
    for language, module in LANGUAGES.items()
}


def places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_all_languages_have_the_same_keys_with_the_same_values():
    english = TABLES["en"]
    for language, table in TABLES.items():
        assert table.keys() == english.keys(), language
        for key, text in table.items():
            assert places(text) == places(english[key]), (language, key)
            assert not set("<>&") & set(text), (language, key)  # plain text, which becomes HTML as it is


def test_every_text_is_asked_for_and_every_key_that_is_asked_for_is_there():
    root = Path(penstock.__file__).parent
    source = "\n".join(path.read_text(encoding="utf-8") for path in root.glob("**/report*/**/*.py"))
    source += "\n".join(path.read_text("utf-8") for path in root.glob("*/report.py"))
    asked = set(re.findall(r'words\(\s*"([^"]+)"', source))
    assert len(asked) > 80
    assert not asked - TABLES["en"].keys()


def test_no_two_tables_have_the_same_key():
    several = [import_module(LANGUAGES["en"]).TABLE, *OF_TASKS]
    assert sum(map(len, several)) == len(TABLES["en"])
    assert all(set(texts) == set(LANGUAGES) for table in OF_TASKS for texts in table.values())


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_name_in_every_language(task):
    assert all(f"task.{task}" in table for table in TABLES.values())


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW", "LC_ALL": "C"}, "en"),
        ({"LC_MESSAGES": "zh_CN", "LANG": "de_DE"}, "zh"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
    ],
)
def test_the_locale_chooses_the_language(variables, language, monkeypatch):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert chosen_language() == language
    assert chosen_language("zh") == "zh"


def test_an_unknown_language_is_refused():
    with pytest.raises(ConfigError, match="language must be one of en, zh; got 'de'"):
        Words("de")


def test_an_unknown_name_reads_as_it_is():
    words = Words("zh")
    assert words.name("metric", "my_metric") == "my_metric"
    assert words.spoken("baseline", "my_baseline") == "My baseline"
