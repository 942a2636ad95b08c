"""A search for options by Optuna, with the manners of scikit-learn's searches."""

import inspect
import json
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sklearn.base import clone

from penstock.bundle import json_line, plain
from penstock.checks import check_whole
from penstock.errors import ConfigError, InputError, NotFittedError, PenstockError
from penstock.events import say
from penstock.report import chosen_language
from penstock.runtime.report_page import write_page
from penstock.tasks.space import Between, Range
from penstock.tuning.job import Data, Job
from penstock.tuning.record import described, record_of, trial_records
from penstock.tuning.report import render_search
from penstock.tuning.study import StudyTrials, open_study, optuna_module
from penstock.tuning.workers import run_here, run_in_processes

if TYPE_CHECKING:
    from penstock.tasks import Estimator

__all__ = ["Search"]

_LOGGER = logging.getLogger("penstock.tuning")
_NO_DIFFERENCE = ("baseline", "cache", "checkpoint", "checkpoint_seconds", "examples", "verbose", "warm_start")


class Search:
    """Searches the options of an estimator with Optuna (Akiba et al. 2019), and trains the best ones.

    The first trial has the estimator's own options; a tree-structured Parzen estimator (Bergstra et al. 2011) chooses
    those of the others. All trials train with the same seed on the same rows, and are judged on the validation data
    after each epoch; one whose validation curve falls below the median of the others' is pruned. The test data is not
    part of the search: at its end, the best options and the estimator's own are trained once more, and judged on it.

    A trial that fails, because it diverges, needs too much memory or its options don't go together, is recorded with
    the reason, and the search goes on.

    Args:
        estimator: an estimator, which is not changed.
        trials: number of trials in all, those of an earlier search of the same study included.
        space: the range of each option: a `Between`, or a list of values; None for `estimator.search_space()`.
        metric: name of the metric of the validation data, as the training logs it, such as "loss" or "accuracy"; None
            for the one of the task, `estimator.tuned_by`.
        storage: address of a database that keeps the study, such as "sqlite:///search.db" or
            "postgresql://USER@HOST/DATABASE", so that the same search resumes; None for none.
        study: name of the study in the storage.
        workers: number of processes that run trials at the same time, each with one thread; 1 for this process and all
            of its threads. More need `if __name__ == "__main__":` in a script, as everything with processes does.
        prune: end a trial early whose validation curve falls below the median of the others'.

    Attributes:
        best_estimator_: the estimator with the best options, trained and judged on the test data.
        best_params_: its options that were searched.
        best_score_: its metric on the validation data.
        best_trial_: the number of its trial, from 0; 0 has the estimator's own options.
        default_estimator_: the estimator with its own options, trained and judged alike.
        trials_: a dict for each trial: its number, state, value, params, seconds, epochs, and failure if it failed.
        record_: what the page shows, as plain values.
        study_: the study, an `optuna.Study`.

    Examples:
        >>> from penstock import TextClassifier
        >>> from penstock.tuning import Search
        >>> texts, labels = ["good food", "bad room"] * 8, ["good", "bad"] * 8
        >>> small = TextClassifier(hidden_size=4, embedding_size=4, epochs=1, baseline=False)
        >>> search = Search(small, trials=2, space={"cell": ["lstm", "gru"]}).fit(texts, labels)
        >>> search.best_params_.keys(), len(search.trials_)
        (dict_keys(['cell']), 2)
    """

    def __init__(
        self,
        estimator: "Estimator",
        *,
        trials: int = 20,
        space: Mapping[str, Between | Sequence[Any]] | None = None,
        metric: str | None = None,
        storage: str | None = None,
        study: str = "penstock",
        workers: int = 1,
        prune: bool = True,
    ) -> None:
        self.estimator, self.trials, self.space, self.metric = estimator, trials, space, metric
        self.storage, self.study, self.workers, self.prune = storage, study, workers, prune

    def fit(self, *args: Any, **options: Any) -> Self:
        """Search, and train the best options; the arguments are those of the estimator's `fit`.

        Raises:
            ConfigError: an invalid argument, an unknown option or metric, a storage that can't be reached, or a study
                of this name with other data or options.
            MissingExtraError: Optuna or the driver of the storage is not installed.
            InputError: the data or the estimator's own options are invalid.
            PenstockError: all trials failed.
            KeyboardInterrupt: Ctrl-C; with a storage, the same call resumes.
        """
        try:
            given = dict(inspect.signature(self.estimator.fit).bind(*args, **options).arguments)
        except TypeError as error:
            raise ConfigError(f"the arguments must be those of {type(self.estimator).__name__}.fit: {error}") from error
        return self._fit(Data("fit", given, "test_data", given.pop("test_data", None)))

    def fit_rows(self, train: Any, valid: Any, test: Any, **more: Any) -> Self:
        """Call `fit` with the results of the task's reader; `more` is passed on."""
        return self._fit(Data("fit_rows", {"train": train, "valid": valid, **more}, "test", test))

    def save(self, path: str | Path, overwrite: bool = False, *, language: str | None = None, **more: Any) -> Path:
        """Save the best model to a folder, with the search's page, search.html, and its trials, trials.jsonl.

        Args:
            path, overwrite, language: as for `Estimator.save`, and so are `more`.

        Raises:
            NotFittedError: `fit` has not been called.
            BundleError: the folder exists and `overwrite` is False, or it can't be written.
        """
        language = chosen_language(language)
        page = self._page(Path(path).name, language)
        files = {"search.html": page.encode("utf-8", "backslashreplace"), "trials.jsonl": self._lines()}
        return self.best_estimator_.save(path, overwrite, language=language, files=files, **more)

    def report(self, path: str | Path, *, language: str | None = None) -> Path:
        """Write the page of the search, an HTML file that opens offline.

        Raises:
            NotFittedError: `fit` has not been called.
            InputError: the file can't be written.
        """
        return write_page(self._page("", chosen_language(language)), path)

    def _page(self, title: str, language: str) -> str:
        if not hasattr(self, "record_"):
            raise NotFittedError("this search has found nothing yet: call fit")
        return render_search(self.record_ | {"trials": self.trials_}, title=title, language=language)

    def _lines(self) -> str:
        return "".join(map(json_line, self.trials_))

    def _fit(self, data: Data) -> Self:
        started = time.perf_counter()
        for name in ("trials", "workers"):
            check_whole(name, getattr(self, name), at_least=1)
        space, metric = self._space(), self.estimator.tuned_by if self.metric is None else self.metric
        defaults = {name: self.estimator._setting(name) for name in space}
        job = Job(clone(self.estimator), data.without_test(), metric)
        self.study_, is_new = open_study(self.storage, self.study, self._about(job, space))
        trials = StudyTrials(
            self.study_, space, defaults, trials=self.trials, seed=self._seed(), prune=self.prune, metric=metric
        )
        say(_LOGGER, "search", f"search: {self.trials} trials, {len(space)} options, by {metric}", trials=self.trials)
        try:
            with trials.steps:
                if self.workers == 1:
                    run_here(trials, job)
                else:
                    run_in_processes(trials, job, self.workers)
        except InputError:  # nothing was tried
            if is_new and self.storage is not None:
                optuna_module().delete_study(study_name=self.study, storage=self.storage)
            raise
        self._judge(data, space, defaults)
        self.record_ = plain(record_of(self, space, defaults, metric, time.perf_counter() - started))
        self.best_estimator_.metrics_["search"] = self.record_
        return self

    def _space(self) -> dict[str, Range]:
        """Return the space, checked against the estimator's options.

        Raises:
            ConfigError: it is empty, or has an unknown option, or a range of something else.
        """
        given = self.estimator.search_space() if self.space is None else self.space
        known = self.estimator.get_params()
        if not given:
            raise ConfigError("the space has no option to search: leave fewer options out, or give ranges of your own")
        found: dict[str, Range] = {}
        for name, sought in given.items():
            if name not in known or name in (*_NO_DIFFERENCE, "random_state"):
                searched = ", ".join(self.estimator.search_space())
                raise ConfigError(f"the space has {name!r:.60}, which can't be searched; usually searched: {searched}")
            if isinstance(sought, str) or not isinstance(sought, Between | Sequence) or not sought:
                raise ConfigError(f"the range of {name} must be a Between or a list of values; got {sought!r:.60}")
            found[name] = sought if isinstance(sought, Between) else tuple(sought)
        return found

    def _seed(self) -> int:
        seed = self.estimator.random_state
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise ConfigError(f"random_state must be a whole number, so that trials can be compared; got {seed!r:.40}")
        return seed

    def _about(self, job: Job, space: Mapping[str, Range]) -> dict[str, Any]:
        """Return what tells this search from others, as plain values."""
        import joblib

        options = {
            name: value
            for name, value in self.estimator._described().items()
            if name not in space and name not in _NO_DIFFERENCE
        }
        about = {
            "task": self.estimator.task,
            "data": joblib.hash(job.data),
            "options": plain(options),
            "space": {name: described(sought) for name, sought in space.items()},
            "metric": job.metric,
        }
        return dict(json.loads(json.dumps(about)))

    def _judge(self, data: Data, space: Mapping[str, Range], defaults: Mapping[str, Any]) -> None:
        """Train the best options and the estimator's own, and judge both on the test data.

        Raises:
            PenstockError: all trials failed.
        """
        self.trials_ = trial_records(self.study_)
        complete = [trial for trial in self.trials_ if trial["state"] == "complete"]
        if not complete:
            reason = next((trial["failure"] for trial in self.trials_ if trial.get("failure")), "none was complete")
            raise PenstockError(f"no trial of {len(self.trials_)} succeeded. The first failure: {reason}")
        best = self.study_.best_trial
        self.best_params_, self.best_score_, self.best_trial_ = dict(best.params), best.value, best.number
        say(_LOGGER, "best", f"training with the options of trial {best.number}, the best one", trial=best.number)
        self.best_estimator_ = self.default_estimator_ = clone(self.estimator).set_params(**self.best_params_)
        data.train(self.best_estimator_, [])
        if self.best_params_ != defaults:
            say(_LOGGER, "defaults", "training with the options as they were, to compare")
            self.default_estimator_ = clone(self.estimator).set_params(baseline=False)
            data.train(self.default_estimator_, [])
