"""What `penstock predict` reads, some inputs at a time, and how their rows are written."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.cli.answers import Answer
from penstock.datasets import text_lines
from penstock.errors import ConfigError, InputError
from penstock.events import Steps
from penstock.shards.files import data_files
from penstock.tasks import Columns, Task

if TYPE_CHECKING:
    from penstock.runtime import Model

__all__ = ["Block", "predicted", "predicted_by_workers", "read_lines", "read_several"]

_LOGGER = logging.getLogger("penstock.cli")

# Inputs answered at once: enough to keep the engine busy, few enough for constant memory.
_INPUTS = 512


@dataclass(frozen=True)
class Block:
    """Inputs that are predicted together.

    Attributes:
        inputs: as `Model.answers` takes them.
        label: what is written before each of their rows, such as {"file": "a.csv"}.
        before: the number of inputs before these; rows that name their input (`row`) count on from there.
        whole: the inputs of which these are a part.
    """

    inputs: Any
    label: Mapping[str, Any] = field(default_factory=dict)
    before: int = 0
    whole: Any = None

    def written(self, answer: Answer) -> Answer:
        """Return a row of the model as it is written."""
        place = {"row": answer["row"] + self.before} if self.before and "row" in answer else {}
        return {**self.label, **answer, **place}

    def parts(self) -> "Iterator[Block]":
        """Cut a list into parts, which together have the same rows; others, such as a panel, stay whole."""
        if not isinstance(self.inputs, list) or len(self.inputs) <= _INPUTS:
            yield self
            return
        for start in range(0, len(self.inputs), _INPUTS):
            yield Block(self.inputs[start : start + _INPUTS], self.label, self.before + start, self.inputs)


def predicted(model: "Model", blocks: Iterable[Block], settings: Mapping[str, Any]) -> Iterator[Answer]:
    """Predict with settings that only models of this task know."""
    answers: Callable[..., Iterator[Answer]] = model.answers
    for block in blocks:
        yield from map(block.written, answers(block.inputs, **settings))


def predicted_by_workers(
    model: "Model", blocks: Iterable[Block], settings: Mapping[str, Any], workers: int, on: str | None
) -> Iterator[Answer]:
    """Predict the same rows with several processes; see `distributed.prediction.answers`."""
    from penstock.distributed.prediction import answers

    sent: deque[Block] = deque()

    def inputs() -> Iterator[Any]:
        for block in blocks:
            for part in block.parts():
                sent.append(part)
                yield part.inputs

    with Steps(_LOGGER, "predicting", None, "rows") as steps:
        try:
            for rows in answers(model, inputs(), settings, workers, on):
                yield from map(sent.popleft().written, rows)
                steps.advance(len(rows))
        except InputError:
            # An error says where in the part an input is; here it says where in the whole.
            if sent and sent[0].whole is not None:
                deque(predicted(model, [Block(sent[0].whole)], settings), maxlen=0)
            raise


def read_lines(task: Task, lines: BinaryIO) -> Iterator[Block]:
    """Yield the inputs of lines, in constant memory.

    Raises:
        ConfigError: the task has no inputs of one line.
    """
    if task.parse is None:
        raise ConfigError(
            f"a model for {task.name} does not read inputs line by line. Pass a file, or see penstock stream."
        )
    inputs = map(task.parse, text_lines(lines, "standard input"))
    before = 0
    while some := list(islice(inputs, _INPUTS)):
        yield Block(some, before=before)
        before += len(some)


def read_several(task: Task, data: Path, columns: Columns) -> Iterator[Block]:
    """Yield the inputs of a folder or address from file to file, in constant memory; each names its file.

    Raises:
        DataError: a file can't be read; those before it were yielded.
    """
    if task.folder:
        for rows in _rows(task, data, columns):
            yield Block(rows.inputs)
        return
    files = data_files(data)
    with Steps(_LOGGER, "predicting", len(files), "files") as steps:
        for path in files:
            name = path.relative_to(data).as_posix() if isinstance(path, Path) else str(path)
            for rows in _rows(task, path, columns):
                yield Block(rows.inputs, {"file": name})
            steps.advance()


def _rows(task: Task, path: Path, columns: Columns) -> Iterator[Any]:
    if task.blocks is not None:
        yield from task.blocks(path, columns)
    else:
        yield task.read(path, columns, False)
