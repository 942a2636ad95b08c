"""What data looks like that a task can't read, and the commands that learn from such data."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.datasets.dates import looks_dated
from penstock.datasets.finding import Head, holds_labels, holds_numbers, holds_phrases, holds_words, is_index
from penstock.datasets.readers import first_rows, is_table
from penstock.errors import ConfigError, DataError
from penstock.registry import TASKS, Task

__all__ = ["check_no_model", "hint"]

_TEXT = "plain text"
_SOUND = ("audio-classification", "speech-recognition")
_PLAIN, _TAGGED = (".txt", ".md", ".text"), (".conll", ".conllu", ".conll-u", ".bio", ".iob", ".bmes")


@dataclass(frozen=True)
class _Look:
    """What data looks like, in words, and the tasks that learn from it, each with the options that it needs."""

    words: str
    tasks: dict[str, str]


def check_no_model(path: Path) -> None:
    """Check that data is no saved model.

    Raises:
        ConfigError: it is the folder of one.
    """
    if (path / "config.json").is_file() and (path / "model.safetensors").is_file():
        raise ConfigError(
            f"{path}: is the folder of a saved model; expected data to learn from. To continue its training, give it "
            "with --from; to use it, see penstock predict and penstock evaluate."
        )


def hint(task: Task, path: Path) -> str:
    """Return a sentence that names the commands for data that a task could not use; empty if it may be its own data."""
    look = _look(path)
    if look is None or task.name in look.tasks:
        return ""
    commands = dict.fromkeys(f"{TASKS[name].command}{options}" for name, options in look.tasks.items())
    how = " To classify texts, list them in a table with a label for each."
    more = how if look.words == _TEXT and task.command == "classify" else ""
    return f" It looks like {look.words}, for penstock train {' or '.join(commands)}.{more}"


def _look(path: Path) -> _Look | None:
    from penstock.sounds.files import Folder

    name = path.name.lower().removesuffix(".gz")
    if path.is_dir():
        if Folder(path).names():
            return _Look("recordings", dict.fromkeys(_SOUND, ""))
        return _Look(_TEXT, {"language-model": ""}) if any(path.glob("**/*.txt")) else None
    if name.endswith(_PLAIN):
        return _Look(_TEXT, dict.fromkeys(("language-model", "tagging", "translation"), ""))
    if name.endswith(_TAGGED):
        return _Look("tagged sentences", {"tagging": ""})
    if not is_table(path):
        return None
    try:
        return _look_of_table(first_rows(path))
    except DataError:  # the error that a hint is for says more
        return None


def _look_of_table(head: Head) -> _Look | None:
    from penstock.sounds.files import holds_paths

    columns = {name: values for name, values in head.items() if not is_index(name)}

    def those(fits: Any) -> list[str]:
        return [name for name, values in columns.items() if fits(values)]

    lists, paths, numbers = those(_holds_lists), those(holds_paths), those(holds_numbers)
    labels, phrases, words = those(holds_labels), those(holds_phrases), those(holds_words)
    times = [name for name in those(looks_dated) if name not in numbers]
    texts = [name for name in phrases if name not in labels]
    if len(lists) > 1:
        return _Look("tagged sentences", {"tagging": ""})
    if paths:
        return _Look("recordings in a table", dict.fromkeys(_SOUND, f" --audio {paths[0]}"))
    if times and numbers:
        return _Look("time series", {"forecasting": "", "anomaly-detection": ""})
    if len(texts) == 2 and len(words) == 2:
        return _Look("pairs of texts", {"translation": ""})
    if texts and (set(numbers) <= set(labels) if labels else len(numbers) == 1):  # labels may be numbers
        return _Look("texts with labels", {"text-classification": ""})
    if len(numbers) > 1 and labels:
        return _Look(
            "signals", {"series-classification": " --series COL,COL", "series-regression": " --series COL,COL"}
        )
    return None


def _holds_lists(values: Sequence[Any]) -> bool:
    """Whether values are lists of texts."""
    given = [value for value in values if value]
    return bool(given) and all(isinstance(value, list) and isinstance(value[0], str) for value in given)
