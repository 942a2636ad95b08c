"""`penstock train TASK`: from a file of data to a saved model."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from penstock.cli.columns import column_flags, trained_columns
from penstock.cli.options import estimator_flags, parse_options
from penstock.cli.scores import say_verdict, show_scores
from penstock.cli.signatures import with_flags
from penstock.cli.splits import PROPORTIONS, read_parts
from penstock.report import baseline_words, measured_part
from penstock.tasks import TASKS, Columns, Task

if TYPE_CHECKING:
    from penstock.tasks import Estimator

__all__ = ["task_command"]

_FILE = "CSV, TSV, JSON lines or Parquet, plain or gzipped, or what else the task reads."
# Said by --from instead.
_NOT_FLAGS = ("warm_start",)


def task_command(task: Task) -> Any:
    """The command that trains for a task, with flags for its columns and for each option of its estimator."""
    estimator = task.estimator_class()
    flags = [flag for flag in estimator_flags(estimator) if flag.name not in _NOT_FLAGS]

    def train(
        invocation: typer.Context,
        data: Annotated[Path, typer.Argument(metavar="DATA", help=f"The data to train on: {_FILE}")],
        out: Annotated[Path, typer.Option("--out", help="The folder to write: the model with its report.")],
        valid: Annotated[Path | None, typer.Option("--valid", help="Validation data.")] = None,
        test: Annotated[Path | None, typer.Option("--test", help="Test data, measured once at the end.")] = None,
        split: Annotated[
            str | None,
            typer.Option(
                "--split",
                help="Shares of DATA to train on, validate and test with; two shares for no test. "
                f"{PROPORTIONS} where neither --valid nor --test is given.",
            ),
        ] = None,
        start: Annotated[
            Path | None,
            typer.Option("--from", help="A saved model to go on from; its options are kept where none are given."),
        ] = None,
        overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model that is there.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
        **options: Any,
    ) -> None:
        from penstock import bundle

        bundle.check_target(out, overwrite=overwrite)
        fitted = _estimator(estimator, invocation, options, start)
        columns = task.found(data, trained_columns(task, options))
        parts, dropped = read_parts(task, type(fitted), data, valid, test, split, columns, fitted.random_state or 0)
        before = getattr(fitted, "model_", None)  # of --from
        try:
            fitted.fit_rows(*parts, dropped=dropped)
        except KeyboardInterrupt:
            # The best weights so far are worth keeping, if there are any.
            if getattr(fitted, "model_", None) is before:
                typer.echo(f"penstock: stopped before there was a model; {out} was not written", err=True)
            else:
                _save(fitted, out, columns, overwrite=overwrite)
                typer.echo(f"penstock: stopped early; the best weights so far are in {out}", err=True)
            raise
        _save(fitted, out, columns, overwrite=overwrite)
        if as_json:
            print(json.dumps(bundle.plain(_answer(fitted.metrics_, out))))
        else:
            _show(fitted.metrics_, out)

    train.__doc__ = f"""{task.summary}

    Writes a folder with the model, what it needs to run without PyTorch, its metrics beside its baselines', and a
    report, report.html, that opens offline.{_siblings(task)}
    """
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(epilog=f"Example: penstock train {task.command} {task.example}")(
        with_flags(train, [*column_flags(task.columns), *flags])
    )
    command = get_command(app)
    command.name = task.command
    command.short_help = " ".join(each.summary for each in TASKS.values() if each.command == task.command)
    return command


def _siblings(task: Task) -> str:
    """How to reach the tasks that share this command."""
    others = [other for other in TASKS.values() if other.command == task.command and other is not task]
    words = [f"{other.summary} See: penstock train {task.command} {other.example} --help" for other in others]
    return "".join(f"\n\n    {word}" for word in words)


def _estimator(
    estimator: "type[Estimator]", invocation: typer.Context, options: dict[str, Any], start: Path | None
) -> "Estimator":
    """A new estimator, or a saved one with the options that were given set anew."""
    settings = parse_options(estimator, options)
    if start is None:
        return estimator(**settings)
    given = {name for name in settings if _is_given(invocation, name)}
    return estimator.load(start).set_params(**{name: settings[name] for name in given})


def _is_given(invocation: typer.Context, name: str) -> bool:
    source = invocation.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _save(fitted: "Estimator", out: Path, columns: Columns, *, overwrite: bool) -> None:
    # So that `evaluate` and `predict` find the same columns by themselves.
    fitted.metrics_["data"]["columns"] = columns
    fitted.save(out, overwrite=overwrite)


def _answer(metrics: dict[str, Any], out: Path) -> dict[str, Any]:
    part = measured_part(metrics)
    return {
        "out": str(out),
        "valid": metrics["valid"],
        "test": metrics["test"],
        "interval": metrics["interval"],
        "baseline": metrics["baseline"].get(metrics["main_baseline"], {}).get(part),
        "verdict": metrics["verdict"][part],
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
