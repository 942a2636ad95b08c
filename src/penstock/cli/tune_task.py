"""`penstock tune TASK`: from a file of data to the best model of a search, with the search's page."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from penstock.cli.card import for_card
from penstock.cli.columns import trained_columns
from penstock.cli.command import SETTINGS, Command, Option
from penstock.cli.options import estimator_options
from penstock.cli.origin import repeated
from penstock.cli.ranges import parsed_ranges
from penstock.cli.resuming import with_folder
from penstock.cli.scores import show_scores
from penstock.cli.train_task import task_parameters
from penstock.cli.training_data import TrainingData
from penstock.cli.values import TEXT, Number
from penstock.errors import ConfigError, InputError
from penstock.events import say
from penstock.locks import held
from penstock.report import baseline_words, chosen_language, metric_words
from penstock.tasks import TASKS, Task

if TYPE_CHECKING:
    from penstock.tasks import Estimator

__all__ = ["NOT_OF_TUNE", "search_options", "tune_command"]

_LOGGER = logging.getLogger("penstock.cli")

NOT_OF_TUNE = ("start", "resume", "track", "checkpoint", "checkpoint_seconds")
"""Options of `penstock train` that a search does not have."""


def tune_command(task: Task) -> Command:
    """The command that searches for a task: the options of its training, and those of the search."""
    estimator = task.estimator_class()
    search = search_options()
    without = (*NOT_OF_TUNE, *(each.name for each in search))  # its workers run trials, not a training
    found = [each for each in task_parameters(task, estimator) if each.name not in without]
    arguments = [each for each in found if isinstance(each, click.Argument)]
    return Command(
        task.command,
        callback=click.pass_context(partial(_tune, task, estimator)),
        params=[*arguments, *search, *(each for each in found if each not in arguments)],
        help="\n\n".join([task.summary, _SAYS]),
        short_help=" ".join(each.summary for each in TASKS.values() if each.command == task.command),
        epilog=f"Example: penstock tune {task.command} {task.example}",
        context_settings=SETTINGS,
    )


_SAYS = (
    "Tries other options than the defaults, judges each training by the validation data, and writes the best model, "
    "with a page on the search, search.html. An option that is given on the command line is not searched, nor one that "
    "has no effect beside it. Test data is no part of the search. The same command resumes a search that was ended."
)


def search_options() -> list[Option]:
    """Return the options of the search itself."""
    panel = partial(Option, panel="search")
    return [
        panel(["--trials"], type=Number(whole=True, least=1), default=20, help="Number of trainings, in all."),
        panel(
            ["--workers"],
            type=Number(whole=True, least=1),
            default=1,
            help="Trainings at a time, each in a process of its own with one thread; 1: all threads for one.",
        ),
        panel(
            ["--search", "searched"],
            metavar="OPTION=RANGE,...",
            type=TEXT,
            help="Search these options alone: numbers as learning-rate=0.0005..0.01, values as cell=lstm|gru; a name "
            "without a range has its usual one.",
        ),
        panel(
            ["--metric"],
            type=TEXT,
            help="Metric of the validation that decides, such as loss or accuracy; default: that of the task.",
        ),
        panel(
            ["--prune/--no-prune"],
            default=True,
            help="End a training early whose validation curve falls below the median of the others'.",
        ),
        panel(
            ["--storage"],
            type=TEXT,
            help="Database of the study: sqlite:///FILE or postgresql://USER@HOST/DATABASE; default: the file "
            "OUT.study.db.",
        ),
        panel(["--study"], type=TEXT, help="Name of the study in the database; default: that of the folder OUT."),
    ]


def _tune(
    task: Task,
    estimator: "type[Estimator]",
    invocation: click.Context,
    data: Path,
    out: Path,
    valid: Path | None,
    test: Path | None,
    split: str | None,
    overwrite: bool,
    as_json: bool,
    language: str | None,
    license: str | None,
    datasets: str | None,
    trials: int,
    workers: int,
    searched: str | None,
    metric: str | None,
    prune: bool,
    storage: str | None,
    study: str | None,
    **options: Any,
) -> None:
    from penstock import bundle
    from penstock.tuning import Search

    bundle.check_target(out, overwrite=overwrite)
    language, card = chosen_language(language), for_card(license, datasets)
    given = TrainingData.given(task, data, valid, test, split, options)
    usual = estimator(**options)
    seed = 0 if usual.random_state is None else usual.random_state
    usual.set_params(random_state=seed)
    kept = out.absolute().with_name(f"{out.name}.study.db")
    search = Search(
        usual,
        trials=trials,
        space=_space(usual, searched, invocation),
        metric=metric,
        storage=storage or f"sqlite:///{kept}",
        study=study or out.name,
        workers=workers,
        prune=prune,
    )
    with (
        with_folder(out),
        held(out, "another command writes this model now. Wait for its end, or choose another --out."),
    ):
        parts, counts, columns = given.read(usual, trained_columns(task, given.named), seed)
        with _study_kept(kept):
            search.fit_rows(*parts, dropped=counts["dropped"], changed=counts["changed"])
        metrics = search.best_estimator_.metrics_
        metrics["data"] |= given.about(columns)
        metrics["command"] = repeated(invocation, seed, usual.paths, "tune")
        command = given.command(out, license=license, datasets=datasets)
        search.save(out, overwrite, language=language, command=command, **card)
    if as_json:
        print(json.dumps(bundle.plain({"out": str(out), **search.record_})))
    else:
        _show(search.record_, out)


@contextmanager
def _study_kept(path: Path) -> Iterator[None]:
    """Context of a search whose study may be in a file, which stays unless it is new and nothing was tried."""
    before = path.exists()
    try:
        yield
    except InputError:
        if not before:
            path.unlink(missing_ok=True)
        raise
    except KeyboardInterrupt:
        say(_LOGGER, "interrupted", "stopped; the same command resumes the search", level=logging.WARNING)
        raise


def _space(usual: "Estimator", searched: str | None, invocation: click.Context) -> dict[str, Any]:
    """Return what is searched: what `--search` names, or the task's space without the options that were given."""
    given = {
        option.name
        for option in estimator_options(type(usual))
        if (source := invocation.get_parameter_source(str(option.name))) is not None and source.name == "COMMANDLINE"
    }
    if searched is None:
        return usual.search_space(given)
    found = parsed_ranges(searched, usual.search_space())
    if both := sorted(given & found.keys()):
        flag = both[0].replace("_", "-")
        raise ConfigError(f"--{flag} is given, and --search searches {flag}. Leave one of them out.")
    return found


def _show(record: Mapping[str, Any], out: Path) -> None:
    scores, part = record["scores"], record["part"]
    columns = {"best": scores["best"], "defaults": scores["defaults"]}
    columns |= {baseline_words(name): found for name, found in scores["baselines"].items()}
    states = ", ".join(f"{count} {state}" for state, count in record["states"].items())
    name = metric_words(record["metric"])
    print(f"Trials: {states}. Validation {name}: {record['value']:.4f} by trial {record['best']}, ", end="")
    print(f"{record['default_value']:.4f} by the options as they were.")
    print(f"{'Test' if part == 'test' else 'Validation'} data:")
    show_scores(
        {name: found["metrics"] for name, found in columns.items()},
        {name: found["interval"] for name, found in columns.items()},
    )
    print(f"{record['seconds']:.0f} s. The best model: {out}, the search's page: {out / 'search.html'}")
