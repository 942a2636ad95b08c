"""What commands read, each with a line that says so: a saved model, a file of data."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.events import say

if TYPE_CHECKING:
    from penstock.runtime import Model
    from penstock.tasks import Columns, Task

__all__ = ["load_model", "read_data"]

_LOGGER = logging.getLogger("penstock.cli")


def load_model(path: Path) -> "Model":
    """The model in a folder; see `runtime.load`."""
    say(_LOGGER, "loading", f"loading the model {path}", path=str(path))
    from penstock.runtime import load

    return load(path)


def read_data(task: "Task", path: Path, columns: "Columns", *, answers: bool) -> Any:
    """What the task's reader makes of a file; see `Task.read`."""
    say(_LOGGER, "reading", f"reading {path}", path=str(path))
    return task.read(path, columns, answers)
