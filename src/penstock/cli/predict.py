"""`penstock predict`: predictions of a saved model for a file, or for lines as they arrive."""

import logging
from collections.abc import Iterable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

from penstock.cli.answers import check_answer_file, is_text_file, write_answers
from penstock.cli.blocks import Block, predicted, predicted_by_workers, read_lines, read_several
from penstock.cli.columns import saved_columns, several_tasks_options, several_tasks_settings, split_settings
from penstock.cli.command import argument, command, option
from penstock.cli.inputs import load_model, read_data
from penstock.cli.standard import standard_input
from penstock.cli.values import PATH, TEXT, Number
from penstock.datasets.readers import is_table
from penstock.errors import ConfigError
from penstock.events import say
from penstock.shards.files import is_several
from penstock.tasks import Task, find

_LOGGER = logging.getLogger("penstock.cli")

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
@option(
    "--workers",
    type=Number(whole=True, least=1),
    default=1,
    help="Number of processes that share the inputs, on this machine or where --on says.",
)
@option(
    "--on",
    type=TEXT,
    help='Address of a Ray cluster for the workers: "ray://HOST:10001", "HOST:6379", or "auto" on one of its machines; '
    "default: this machine.",
)
def predict(
    model: Path, data: Path, output: Path | None, as_json: bool, workers: int, on: str | None, **options: Any
) -> None:
    """Predict for each input: `prediction`, and for classes all probabilities (`probability_<label>`)."""
    check_answer_file(output, text=True)
    if on is not None:
        from penstock.distributed.cluster.connection import check_address

        check_address(on)
    loaded = load_model(model)
    task = find(loaded.task)
    columns, settings = split_settings(task, options, _SETTINGS)
    if on is not None:
        _check_files(task, settings)
    wanted = saved_columns(task, loaded, columns)
    several = data != Path("-") and is_several(data)
    as_text = None if as_json or (output is None and (several or is_table(data))) else task.as_text
    if as_text is None:
        check_answer_file(output)
    blocks: Iterable[Block]
    if data == Path("-"):
        blocks = read_lines(task, standard_input())
    elif several:
        blocks = read_several(task, data, wanted)
    else:
        blocks = [Block(read_data(task, data, wanted, answers=False).inputs)]
        say(_LOGGER, "predicting", "predicting")
    if workers == 1 and on is None:
        answers = predicted(loaded, blocks, settings)
    else:
        answers = predicted_by_workers(loaded, blocks, settings, workers, on)
    if isinstance(blocks, list) and task.rewrite and as_text and is_text_file(output) and not is_table(data):
        write_answers(task.rewrite(data, wanted, answers), output, str)
    else:
        write_answers(answers, output, as_text)


def _check_files(task: Task, settings: Mapping[str, Any]) -> None:
    """Check that no setting names a file of this machine, which a cluster's machines can't read."""
    for setting in task.settings:
        if setting.local and setting.name in settings:
            flag = setting.name.replace("_", "-")
            raise ConfigError(f"--{flag} names a file of this machine, which workers --on a cluster can't read")
