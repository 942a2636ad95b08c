"""The study of a search: its trials in a storage of Optuna's, from which the same search resumes."""

import logging
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock.errors import ConfigError, InputError, MissingExtraError
from penstock.events import Steps, say
from penstock.tasks.space import Between, Range
from penstock.tuning.job import Outcome

if TYPE_CHECKING:
    import optuna

__all__ = ["StudyTrials", "is_higher_better", "open_study"]

_LOGGER = logging.getLogger("penstock.tuning")
_ABOUT, _EPOCHS, _FAILURE, _RUNS, _SECONDS = "penstock", "epochs", "failure", "runs_in", "seconds"
_FIRST_TRIALS = 4
"""Trials that must be complete before others are pruned."""


def is_higher_better(metric: str) -> bool:
    """Return whether a metric of the validation, such as accuracy, is to be maximised; a loss is not."""
    return metric != "loss"


def optuna_module() -> Any:
    """Import and return Optuna; MissingExtraError without it."""
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingExtraError("a search needs Optuna: pip install 'penstock[tune]'") from error
    return optuna


def open_study(storage: str | None, name: str, about: Mapping[str, Any]) -> tuple["optuna.Study", bool]:
    """Create a study, or open the one of this name, and return it with whether it is new.

    Args:
        storage: an address such as "sqlite:///search.db" or "postgresql://user@host/database"; None for this process
            alone.
        name: the name of the study.
        about: what the study is about, plain values: its data, options, space and metric.

    Raises:
        MissingExtraError: Optuna or the driver of the storage is not installed.
        ConfigError: the storage can't be reached, or the study of this name is about something else.
    """
    optuna = optuna_module()
    found = optuna.storages.InMemoryStorage() if storage is None else _storage(storage)
    try:
        return _opened(found, name, about)
    except (optuna.exceptions.StorageInternalError, UnicodeError) as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise ConfigError(f"the study {name!r} can't be read from its storage: {reason:.300}") from error


def _opened(found: Any, name: str, about: Mapping[str, Any]) -> tuple["optuna.Study", bool]:
    optuna = optuna_module()
    with _silent(optuna):
        known = name in optuna.get_all_study_names(found)
        direction = "maximize" if is_higher_better(about["metric"]) else "minimize"
        pruner = optuna.pruners.MedianPruner(n_startup_trials=_FIRST_TRIALS, n_warmup_steps=1)
        if not known:
            study = optuna.create_study(storage=found, study_name=name, direction=direction, pruner=pruner)
            study.set_user_attr(_ABOUT, dict(about))
            return study, True
        study = optuna.load_study(storage=found, study_name=name, pruner=pruner)
    _check_same(study.user_attrs.get(_ABOUT), about, name)
    return study, False


def _storage(address: str) -> Any:
    """Return the storage at an address; errors do not show its password."""
    optuna = optuna_module()
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    expected = "expected an address such as sqlite:///search.db or postgresql://USER@HOST/DATABASE"
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise ConfigError(f"storage: {address!r:.60} is no address; {expected}") from error
    shown = url.render_as_string(hide_password=True)
    try:
        with _silent(optuna):
            return optuna.storages.RDBStorage(address)
    except ImportError as error:
        raise MissingExtraError(
            f"storage: {shown} needs a driver that is not installed; for PostgreSQL: pip install 'psycopg[binary]'"
        ) from error
    except (SQLAlchemyError, RuntimeError, UnicodeError, optuna.exceptions.StorageInternalError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error.__cause__ or error).split())
        raise ConfigError(f"storage: {shown} can't be opened: {reason:.300}; {expected}") from error


def _check_same(before: Any, about: Mapping[str, Any], name: str) -> None:
    if not isinstance(before, Mapping):
        raise ConfigError(f"the study {name!r} was not made by Penstock. Choose another name for this one.")
    if differing := sorted(key for key in {*before, *about} if before.get(key) != about.get(key)):
        raise ConfigError(
            f"the study {name!r} differs from this search in its {', '.join(differing)}, so that trials can't be "
            "compared. Repeat that search as it was, or choose another name for this study."
        )


@contextmanager
def _silent(optuna: Any) -> Iterator[None]:
    """Context in which Optuna logs warnings alone."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


class StudyTrials:
    """Hands out the trials of a study until it has enough, and writes down what becomes of them.

    The first trial has the options of the estimator itself. Trials of a process on this machine that was killed are
    run again, with their own options.

    Args:
        study: the study.
        space: what is searched.
        defaults: the estimator's own values of these options.
        trials: the number of trials in all, those of earlier searches included.
        seed: of the random numbers; what a trial tries depends on it, its number and the trials before it.
        prune: whether to end trials early whose validation curve is below the median of the others'.
        metric: the metric of the validation that decides.
    """

    def __init__(
        self,
        study: "optuna.Study",
        space: Mapping[str, Range],
        defaults: Mapping[str, Any],
        *,
        trials: int,
        seed: int,
        prune: bool,
        metric: str,
    ) -> None:
        self._optuna = optuna_module()
        self.study, self._space, self._trials, self._seed, self._prune = study, space, trials, seed, prune
        self._metric, self._running = metric, dict[int, Any]()
        self._epochs, self._started = dict[int, list[dict[str, Any]]](), dict[int, float]()
        self._again = [trial for trial in study.trials if trial.state.name == "RUNNING" and _is_left(trial)]
        self.steps = Steps(_LOGGER, "search", trials, "trials")
        self.steps.done = sum(trial.state.is_finished() for trial in study.trials)
        if not study.trials:
            study.enqueue_trial({name: value for name, value in defaults.items() if _is_within(value, space[name])})

    def begin(self) -> tuple[int, dict[str, Any]] | None:
        """Return the number and the options of the next trial; None if there are enough."""
        if self._again:
            # Optuna has no public name for the id of a trial that it gave back.
            trial = self._optuna.trial.Trial(self.study, self._again.pop(0)._trial_id)
        elif sum(trial.state.name != "WAITING" for trial in self.study.trials) < self._trials:
            number = len(self.study.trials)
            draw = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
            self.study.sampler = self._optuna.samplers.TPESampler(seed=draw)
            trial = self.study.ask()
        else:
            return None
        trial.set_user_attr(_RUNS, [socket.gethostname(), os.getpid()])
        options = {name: _suggested(trial, name, sought) for name, sought in self._space.items()}
        self._running[trial.number], self._epochs[trial.number] = trial, []
        self._started[trial.number] = time.perf_counter()
        return trial.number, options

    def note(self, number: int, epoch: Mapping[str, float]) -> bool:
        """Note an epoch of a trial, and return whether to prune it."""
        trial, value, step = self._running[number], epoch[f"valid_{self._metric}"], int(epoch["epoch"]) - 1
        self._epochs[number].append(dict(epoch))
        if step not in self.study.trials[number].intermediate_values:  # of a trial that is run again
            trial.report(value, step)
        self.steps.advance(0, detail=f"trial {number}, epoch {step + 1}: {self._metric} {value:.4g}")
        return self._prune and bool(trial.should_prune())

    def end(self, number: int, outcome: Outcome) -> None:
        """Note the end of a trial.

        Raises:
            InputError: the first trial of all, with the estimator's own options, was refused: so would be the others.
        """
        trial, epochs = self._running.pop(number), self._epochs.pop(number)
        if number == 0 and outcome.is_input:
            raise InputError(outcome.failure.partition(": ")[2])
        trial.set_user_attr(_EPOCHS, epochs)
        trial.set_user_attr(_SECONDS, time.perf_counter() - self._started.pop(number))
        states = self._optuna.trial.TrialState
        if outcome.failure:
            trial.set_user_attr(_FAILURE, outcome.failure)
            self.study.tell(trial, state=states.FAIL)
        elif outcome.value is None:
            self.study.tell(trial, state=states.PRUNED)
        else:
            self.study.tell(trial, outcome.value)
        self._say_end(number, outcome)

    def _say_end(self, number: int, outcome: Outcome) -> None:
        self.steps.advance()
        width = len(str(self._trials - 1))
        if outcome.failure:
            message, level = f"trial {number:>{width}} failed: {outcome.failure}", logging.WARNING
        else:
            ended = "pruned" if outcome.value is None else f"{self._metric} {outcome.value:.4g}"
            done = [trial for trial in self.study.trials if trial.state.name == "COMPLETE"]
            best = f"; best: {self.study.best_value:.4g}, trial {self.study.best_trial.number}" if done else ""
            message, level = f"trial {number:>{width}}: {ended}{best}", logging.INFO
        say(_LOGGER, "trial", message, level=level, trial=number, value=outcome.value, failure=outcome.failure)


def _is_left(trial: Any) -> bool:
    """Return whether a running trial belongs to a process of this machine that is no more, or to this one."""
    host, process = trial.user_attrs.get(_RUNS, [None, 0])
    if host != socket.gethostname():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return bool(process == os.getpid())


def _is_within(value: Any, sought: Range) -> bool:
    if isinstance(sought, Between):
        return isinstance(value, int | float) and sought.low <= value <= sought.high
    return value in sought


def _suggested(trial: Any, name: str, sought: Range) -> Any:
    if not isinstance(sought, Between):
        return trial.suggest_categorical(name, sought)
    if isinstance(sought.low, int) and isinstance(sought.high, int):
        return trial.suggest_int(name, sought.low, sought.high, log=sought.log)
    return trial.suggest_float(name, sought.low, sought.high, log=sought.log)
