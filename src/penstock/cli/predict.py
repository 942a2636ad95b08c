"""`penstock predict`: predictions of a saved model for a file, or for lines as they arrive."""

import logging
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.cli.answers import Answer, check_answer_file, is_text_file, write_answers
from penstock.cli.columns import saved_columns, several_tasks_options, several_tasks_settings, split_settings
from penstock.cli.command import argument, command, option
from penstock.cli.inputs import load_model, read_data
from penstock.cli.standard import standard_input
from penstock.cli.values import PATH
from penstock.datasets import text_lines
from penstock.datasets.readers import is_table
from penstock.errors import ConfigError
from penstock.events import Steps, say
from penstock.shards.files import data_files, is_several
from penstock.tasks import Columns, Task, find

if TYPE_CHECKING:
    from penstock.runtime import Model

_LOGGER = logging.getLogger("penstock.cli")

# Lines answered at once: enough to keep the engine busy, few enough for constant memory.
_LINES = 512
_SETTINGS = attrgetter("settings")


@command(
    "predict",
    example="penstock predict sentiment reviews.csv -o answers.csv",
    params=[*several_tasks_settings(_SETTINGS), *several_tasks_options(answers=False)],
)
@argument("model", metavar="DIR", type=PATH, help="A trained model's folder.")
@argument(
    "data",
    metavar="INPUT",
    type=PATH,
    help="Data of a kind as in training, for texts also .txt with one a line; a folder or an address such as "
    "s3://bucket/reviews, read file by file; or - for standard input, an input per line.",
)
@option(
    "--output",
    "-o",
    type=PATH,
    help="Output file: .jsonl, .csv, .tsv, .parquet or, for models that write text, .txt, .conll, .conllu; default: "
    "JSON lines on standard output, or text if the model writes text and INPUT is no table.",
)
@option("--json", "as_json", is_flag=True, help="Print JSON lines in any case.")
def predict(model: Path, data: Path, output: Path | None, as_json: bool, **options: Any) -> None:
    """Predict for each input: `prediction`, and for classes all probabilities (`probability_<label>`)."""
    check_answer_file(output, text=True)
    loaded = load_model(model)
    task = find(loaded.task)
    columns, settings = split_settings(task, options, _SETTINGS)
    several = data != Path("-") and is_several(data)
    as_text = None if as_json or (output is None and (several or is_table(data))) else task.as_text
    if as_text is None:
        check_answer_file(output)
    if data == Path("-"):
        answers = answer_lines(task, loaded, standard_input(), settings)
    elif several:
        answers = _answers_of_several(task, loaded, data, saved_columns(task, loaded, columns), settings)
    else:
        wanted = saved_columns(task, loaded, columns)
        rows = read_data(task, data, wanted, answers=False)
        say(_LOGGER, "predicting", "predicting")
        answers = _answers(loaded, rows.inputs, settings)
        if task.rewrite is not None and as_text is not None and is_text_file(output) and not is_table(data):
            write_answers(task.rewrite(data, wanted, answers), output, str)
            return
    write_answers(answers, output, as_text)


def _answers(model: "Model", inputs: Any, settings: Mapping[str, Any]) -> Iterator[Answer]:
    """Predict with settings that only models of this task know."""
    answers: Callable[..., Iterator[Answer]] = model.answers
    return answers(inputs, **settings)


def _answers_of_several(
    task: Task, model: "Model", data: Path, columns: Columns, settings: Mapping[str, Any]
) -> Iterator[Answer]:
    """Predict from file to file of a folder or address, in constant memory; each answer names its file.

    Raises:
        DataError: a file can't be read; those before it were predicted.
    """
    if task.folder:
        for rows in _blocks(task, data, columns):
            yield from _answers(model, rows.inputs, settings)
        return
    files = data_files(data)
    with Steps(_LOGGER, "predicting", len(files), "files") as steps:
        for path in files:
            name = path.relative_to(data).as_posix() if isinstance(path, Path) else str(path)
            for rows in _blocks(task, path, columns):
                for answer in _answers(model, rows.inputs, settings):
                    yield {"file": name, **answer}
            steps.advance()


def _blocks(task: Task, path: Path, columns: Columns) -> Iterator[Any]:
    if task.blocks is not None:
        yield from task.blocks(path, columns)
    else:
        yield task.read(path, columns, False)


def answer_lines(task: Task, model: "Model", lines: BinaryIO, settings: Mapping[str, Any]) -> Iterator[Answer]:
    """Predict for each line, in constant memory.

    Raises:
        ConfigError: the task has no inputs of one line.
    """
    if task.parse is None:
        raise ConfigError(
            f"a model for {task.name} does not read inputs line by line. Pass a file, or see penstock stream."
        )
    inputs = map(task.parse, text_lines(lines, "standard input"))
    before = 0
    while some := list(islice(inputs, _LINES)):
        for answer in _answers(model, some, settings):
            yield answer | {"row": answer["row"] + before} if "row" in answer else answer
        before += len(some)
