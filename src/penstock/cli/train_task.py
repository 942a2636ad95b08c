"""`penstock train TASK`: from a file of data to a saved model."""

import json
import logging
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from penstock.cli.card import for_card
from penstock.cli.columns import (
    column_options,
    file_arguments,
    part_file_options,
    saved_columns,
    trained_columns,
)
from penstock.cli.command import SETTINGS, Command, Option, help_all
from penstock.cli.configuration import read_configuration
from penstock.cli.following import epochs_followed
from penstock.cli.interrupted import say_interrupted
from penstock.cli.options import estimator_options
from penstock.cli.origin import repeated
from penstock.cli.resuming import resumable, with_folder
from penstock.cli.scores import say_verdict, show_scores
from penstock.cli.splits import PROPORTIONS
from penstock.cli.training_data import TrainingData
from penstock.cli.values import FOLDER, PATH
from penstock.errors import ConfigError, DivergedError
from penstock.events import say
from penstock.locks import held
from penstock.report import LANGUAGES, baseline_words, chosen_language, measured_part
from penstock.tasks import TASKS, Task, find
from penstock.tasks.configuration import PANELS
from penstock.tasks.stored import ShardOptions

if TYPE_CHECKING:
    from penstock.tasks import Estimator
    from penstock.training import Callback

__all__ = ["saved_task", "task_command", "task_parameters"]

_LOGGER = logging.getLogger("penstock.cli")

_FILE = "CSV, TSV, JSON or Parquet, plain or gzipped, or what else the task reads"
_FOLDER = "a folder or an address of such files, which may be larger than memory"
# --from and --quiet say these instead.
_NOT_OPTIONS = ("warm_start", "verbose")


def task_command(task: Task) -> Command:
    """The command that trains for a task, with options for its columns and for each argument of its estimator."""
    estimator = task.estimator_class()
    return Command(
        task.command,
        callback=click.pass_context(partial(_train, task, estimator)),
        params=task_parameters(task, estimator),
        help="\n\n".join([task.summary, _WRITES, *_siblings(task)]),
        short_help=" ".join(each.summary for each in TASKS.values() if each.command == task.command),
        epilog=f"Example: penstock train {task.command} {task.example}",
        context_settings=SETTINGS,
    )


_WRITES = (
    "Writes a folder with the model, what it needs to run without PyTorch, its metrics beside its baselines', and a "
    "report, report.html, that opens offline."
)


def task_parameters(task: Task, estimator: "type[Estimator]") -> list[click.Parameter]:
    """Return those of every task, of its columns, and of its estimator, panel by panel."""
    shares = (
        "Shares of DATA to train on, validate and test with; two shares for no test; "
        f"default: {PROPORTIONS} where neither --valid nor --test is given."
    )

    def configure(ctx: click.Context, parameter: click.Parameter, path: Path | None) -> None:
        if path is not None:
            found = read_configuration(path)
            if not ctx.resilient_parsing:
                found.among([task])
                ctx.default_map = found.defaults(ctx.command)

    found = [
        *column_options(task.columns, panel="data"),
        Option(["--valid"], type=PATH, panel="data", help="Validation data."),
        *part_file_options(task.columns, "valid"),
        Option(["--test"], type=PATH, panel="data", help="Test data, evaluated once at the end."),
        *part_file_options(task.columns, "test"),
        Option(["--split"], panel="data", help=shares),
        Option(
            ["--config"],
            type=PATH,
            panel="data",
            is_eager=True,
            expose_value=False,
            callback=configure,
            help="A TOML file of options by these names, with or without panels, or a model's folder, which keeps one, "
            "train.toml. Paths are relative to the file; the command line wins.",
        ),
        Option(
            ["--from", "start"],
            type=FOLDER,
            panel="training",
            help="A saved model to continue training; its options are the defaults.",
        ),
        Option(
            ["--out"],
            type=FOLDER,
            required=True,
            panel="output",
            help="The folder to write: the model with its report.",
        ),
        Option(["--overwrite"], is_flag=True, panel="output", help="Replace an existing model."),
        Option(
            ["--resume"],
            is_flag=True,
            panel="output",
            help="Continue this training after it was ended.",
        ),
        Option(
            ["--track"],
            type=click.Choice(["tensorboard", "mlflow", "wandb"]),
            panel="output",
            everyday=False,
            help="Follow the training in TensorBoard, MLflow or Weights & Biases too, offline, beside --out.",
        ),
        Option(["--json", "as_json"], is_flag=True, panel="output", help="Print one JSON object instead."),
        Option(
            ["--language"],
            type=click.Choice(list(LANGUAGES)),
            panel="output",
            help="Language of the report; default: that of the locale.",
        ),
        Option(
            ["--license"],
            panel="output",
            everyday=False,
            help="The model's licence for its card, as the Hugging Face Hub writes it, such as mit.",
        ),
        Option(
            ["--datasets"],
            metavar="NAME,...",
            panel="output",
            everyday=False,
            help="The data sets for the card, by their names on the Hub.",
        ),
        *estimator_options(estimator, leave_out=_NOT_OPTIONS),
        help_all("output"),
    ]
    kinds = f"{_FILE}; {_FOLDER}" if issubclass(estimator, ShardOptions) and not task.folder else _FILE
    data = click.Argument(["data"], metavar="DATA", type=PATH, help=f"The data to train on: {kinds}.")
    return [data, *file_arguments(task.columns), *sorted(found, key=lambda each: PANELS.index(each.panel))]


def _train(
    task: Task,
    estimator: "type[Estimator]",
    invocation: click.Context,
    data: Path,
    out: Path,
    valid: Path | None,
    test: Path | None,
    split: str | None,
    start: Path | None,
    overwrite: bool,
    resume: bool,
    track: str | None,
    as_json: bool,
    language: str | None,
    license: str | None,
    datasets: str | None,
    **options: Any,
) -> None:
    from penstock import bundle

    bundle.check_target(out, overwrite=overwrite)
    language, card = chosen_language(language), for_card(license, datasets)
    given = TrainingData.given(task, data, valid, test, split, options)
    command = given.command(out, license=license, datasets=datasets, start=start)
    with (
        with_folder(out),
        held(out, "another training writes this model now. Wait for its end, or choose another --out."),
    ):
        if start is not None:
            saved_task(start, [task])
        fitted = _estimator(estimator, invocation, options, start)
        with resumable(fitted, out, resume=resume, overwrite=overwrite):
            # One seed for the parts and the training, which train.toml can tell.
            seed = secrets.randbits(32) if fitted.random_state is None else fitted.random_state
            fitted.set_params(random_state=seed)
            named = given.named
            wanted = trained_columns(task, named) if start is None else _as_before(task, fitted, invocation, named)
            parts, counts, columns = given.read(fitted, wanted, seed)
            about = given.about(columns)
            again = repeated(invocation, seed, fitted.paths)
            how = {"path": out, "overwrite": overwrite, "command": command, "language": language, **card}
            save = partial(_save, fitted, about, again, how)
            with epochs_followed(fitted, out, track) as callbacks:
                _fit(fitted, parts, counts, out, callbacks, save)
    if as_json:
        print(json.dumps(bundle.plain(_answer(fitted.metrics_, out))))
    else:
        _show(fitted.metrics_, out)


def _fit(
    fitted: "Estimator",
    parts: tuple[Any, Any, Any],
    counts: dict[str, dict[str, int]],
    out: Path,
    callbacks: "Sequence[Callback]",
    save: Callable[[], None],
) -> None:
    """Train and save; of a training that is interrupted or diverges, the best weights so far, if there are any."""
    before = getattr(fitted, "metrics_", None)  # of --from
    try:
        fitted.fit_rows(*parts, callbacks=callbacks, dropped=counts["dropped"], changed=counts["changed"])
    except (KeyboardInterrupt, DivergedError) as ending:
        is_trained = getattr(fitted, "metrics_", None) is not before
        if is_trained:
            save()
        if isinstance(ending, KeyboardInterrupt):
            say_interrupted(fitted, out, is_trained=is_trained)
        elif is_trained:
            say(_LOGGER, "diverged", f"the best weights so far are in {out}", level=logging.WARNING, out=str(out))
        raise
    save()


def _save(fitted: "Estimator", about: dict[str, Any], again: str, how: dict[str, Any]) -> None:
    """Save as `how` says, with what is known of the data and the command that makes the model again."""
    fitted.metrics_["data"] |= about
    fitted.metrics_["command"] = again
    fitted.save(**how)


def _siblings(task: Task) -> list[str]:
    """Return how to reach the other tasks of this command."""
    others = [other for other in TASKS.values() if other.command == task.command and other is not task]
    return [f"{other.summary} See: penstock train {task.command} {other.example} --help" for other in others]


def _estimator(
    estimator: "type[Estimator]", invocation: click.Context, settings: dict[str, Any], start: Path | None
) -> "Estimator":
    """A new estimator, or a saved one with the options that were given set anew."""
    if start is None:
        return estimator(**settings)
    given = {name for name in settings if _is_given(invocation, name)}
    return estimator.load(start).set_params(**{name: settings[name] for name in given})


def _as_before(task: Task, fitted: "Estimator", invocation: click.Context, named: dict[str, Any]) -> dict[str, Any]:
    """The columns that were given, else those of the training before."""
    given = {name: value if _is_given(invocation, name) else None for name, value in named.items()}
    return saved_columns(task, fitted.model_, given)


def saved_task(path: Path, tasks: Sequence[Task]) -> Task:
    """The task of a saved model; ConfigError if it is none of these."""
    from penstock import bundle

    task = find(bundle.load(path).task)
    if task not in tasks:
        raise ConfigError(f"{path}: is a model for {task.name}; train it on with: penstock train {task.command}")
    return task


def _is_given(invocation: click.Context, name: str) -> bool:
    return invocation.get_parameter_source(name) not in (None, ParameterSource.DEFAULT)


def _answer(metrics: dict[str, Any], out: Path) -> dict[str, Any]:
    part = measured_part(metrics)
    return {
        "out": str(out),
        "valid": metrics["valid"],
        "test": metrics["test"],
        "interval": metrics["interval"],
        "baseline": metrics["baseline"].get(metrics["main_baseline"], {}).get(part),
        "verdict": metrics["verdict"][part],
        "dropped": metrics["data"]["dropped"],
        "changed": metrics["data"]["changed"],
        "seconds": metrics["seconds"],
        "peak_mb": metrics["peak_mb"],
    }


def _show(metrics: dict[str, Any], out: Path) -> None:
    part = measured_part(metrics)
    print(f"{'Test' if part == 'test' else 'Validation'} data, {metrics[part]['rows']} rows:")
    scores, intervals = {"model": metrics[part]}, {"model": metrics["interval"][part]}
    for name, found in metrics["baseline"].items():
        scores[baseline_words(name)], intervals[baseline_words(name)] = found[part], found["interval"][part]
    show_scores(scores, intervals)
    say_verdict(metrics["verdict"][part], baseline_words(metrics["main_baseline"] or ""), metrics["units"][part])
    print(
        f"{metrics['seconds']:.0f} s, {metrics['peak_mb']:.0f} MB. The model: {out}, its report: {out / 'report.html'}"
    )
