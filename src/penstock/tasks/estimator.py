"""Base class of all estimators: training, evaluation, saving, loading, streaming."""

import hashlib
import json
import logging
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from penstock import __version__, bundle
from penstock.datasets import Rows, parse_proportions, random_split
from penstock.errors import BundleError, ConfigError, MissingExtraError, NotFittedError
from penstock.events import say
from penstock.network import Network
from penstock.registry import find, resolve
from penstock.report import chosen_language
from penstock.runtime import Model, Stream
from penstock.runtime.report_page import show_page, write_page
from penstock.tasks.configuration import train_toml
from penstock.tasks.documented import list_options
from penstock.tasks.measures import peak_mb
from penstock.tasks.options import TrainingOptions
from penstock.tasks.provenance import call, made, used
from penstock.tasks.stages import Stage, run_stages, stage_figures
from penstock.tasks.verbosity import say_network

try:
    from sklearn.base import BaseEstimator
    from sklearn.exceptions import NotFittedError as SklearnNotFittedError
    from sklearn.utils import estimator_html_repr
except ModuleNotFoundError as error:
    if error.name != "sklearn":
        raise
    raise MissingExtraError("training needs scikit-learn and PyTorch: pip install 'penstock[train]'") from error

if TYPE_CHECKING:
    import torch
    from matplotlib.axes import Axes

    from penstock.training import Callback, Checkpoint, History, Objective, Recipe

__all__ = ["Estimator", "seed_of"]

_VERSION = "_penstock"
_LEFT_OUT = ("checkpoint", "verbose", "warm_start")
_LOGGER = logging.getLogger("penstock.tasks")


class _NotFittedError(NotFittedError, SklearnNotFittedError):
    """Penstock's error, derived from scikit-learn's too, so that its tools recognise it."""


@dataclass(kw_only=True, eq=False, repr=False)
class Estimator(TrainingOptions, BaseEstimator):
    """A trainable network with scikit-learn's interface.

    Subclasses define `task` and implement the methods that raise NotImplementedError here. The fields of the dataclass
    are the options; the constructor only stores them. `data` is the task's own object, made by its `fit`; it has
    `train`, with a length and a `digest`, and `labels` and `dropped`.

    Attributes:
        model_: the `runtime.Model` that predicts.
        history_: one dict per epoch: epoch, train_loss, valid_loss and other validation metrics, the same metrics on
            some training rows (seen_loss, ...), learning_rate, seconds.
        metrics_: the contents of metrics.json; `tasks.measures` describes each part.
    """

    task: ClassVar[str]
    """The name in `penstock.registry.TASKS`."""
    paths: ClassVar[tuple[str, ...]] = ()
    """Options that are paths; metrics.json stores only their file names."""
    # If the size of the data decides on the epochs: enough steps for a small set, but a limit for a tiny one.
    usual_epochs: ClassVar[int] = 8
    fewest_steps: ClassVar[int] = 2000
    most_epochs: ClassVar[int] = 40

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        list_options(cls)

    def _describe(self, data: Any) -> tuple[Any, Network]:
        """Return features, fitted to the training data, and the description of the network for them."""
        raise NotImplementedError

    def _network(self, data: Any, features: Any) -> Network:
        """Return the network that the options describe for these features; also used to check a warm start."""
        raise NotImplementedError

    def _objective(self, data: Any, features: Any, network: Network, seed: int) -> "Objective":
        """Return the training objective."""
        raise NotImplementedError

    def _fit_baselines(self, data: Any, features: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Fit the baselines; return their arrays, and the chosen settings by baseline name."""
        raise NotImplementedError

    def _measure(self, model: Any, data: Any) -> dict[str, Any]:
        """Return the metrics of the model and of its baselines."""
        raise NotImplementedError

    def _stored_examples(self, data: Any) -> list[Any]:
        """Return `examples` inputs as JSON values that a server's `predict` takes; empty if the task has none."""
        return []

    def _data_figures(self, data: Any, features: Any) -> dict[str, Any]:
        """Return the description of the data for metrics.json."""
        raise NotImplementedError

    def _module(self, data: Any, features: Any, network: Network) -> "torch.nn.Module":
        """Return the module to train, initialised; its state_dict has the names of `network.parameter_shapes`."""
        from penstock import nn

        return nn.build(network, init="orthogonal")

    def _stages(self, objective: Any, seed: int) -> list[Stage]:
        """Return the training stages in order; the last one's module becomes the model."""
        return [Stage(seed=seed, objective=lambda earlier: objective)]

    def _calibrate(self, model: Any, data: Any) -> dict[str, Any]:
        """Calibrate the trained model on the validation data; return entries for metrics.json."""
        return {}

    def _resolved(self, features: Any, network: Network) -> dict[str, Any]:
        """Return the values of options that were chosen by the data."""
        return {}

    def _report(self, title: str = "", language: str = "en") -> str:
        """Return the report as one HTML page."""
        return resolve(find(self.task).report)(self.metrics_, title=title, language=language)

    @classmethod
    def _saved_options(cls, saved: bundle.Bundle) -> dict[str, Any]:
        """Return options that can be inferred from a saved model's parts, if its metrics have no configuration."""
        return {}

    parse_split = staticmethod(parse_proportions)
    """Parses the argument of `--split`: the proportions for `split`."""

    @staticmethod
    def split(rows: Any, proportions: Sequence[float], random_state: int) -> list[Any]:
        """Split the rows of a file into parts for training, validation and optionally testing."""
        return [rows.take(part) for part in random_split(len(rows), proportions, random_state=random_state)]

    def fit_rows(self, train: Rows, valid: Rows | None, test: Rows | None, **more: Any) -> Self:
        """Call `fit` with the results of the task's reader; `more` is passed on."""
        valid_data, test_data = ((rows.inputs, rows.answers) if rows else None for rows in (valid, test))
        return self.fit(train.inputs, train.answers, validation_data=valid_data, test_data=test_data, **more)

    def stream(self) -> Stream:
        """Start a stream for an input that arrives piece by piece.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: the network is bidirectional.
        """
        return self._fitted().stream()

    def plot(self, *args: Any, **options: Any) -> "Axes":
        """Draw a figure of the training or of a prediction: see `plot` of the model, `model_`.

        Raises:
            NotFittedError: `fit` has not been called.
        """
        return self._fitted().plot(*args, **options)

    def _repr_html_(self) -> str:
        """Representation in notebooks: scikit-learn's box of options, and after `fit` the model's table."""
        fitted: Model | None = getattr(self, "model_", None)
        return str(estimator_html_repr(self)) + (fitted._repr_html_() if fitted else "")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """As `_repr_html_`, for IPython, which calls this first."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def save(
        self,
        path: str | Path,
        overwrite: bool = False,
        *,
        command: Mapping[str, Mapping[str, Any]] | None = None,
        language: str | None = None,
    ) -> Path:
        """Save the model, its report and metrics to a folder, which `penstock.load` reads without PyTorch.

        Args:
            path: the folder; missing parents are created.
            overwrite: replace an existing model.
            command: other arguments of `penstock train`, by the panel of its help, for train.toml.
            language: language of the report, "en" or "zh"; None for that of the locale.

        Raises:
            NotFittedError: `fit` has not been called.
            BundleError: the folder exists and `overwrite` is False, or it cannot be written.
            ConfigError: an unknown language.
        """
        model = self._fitted()
        say(_LOGGER, "writing", f"writing {path}", path=str(path))
        report = self._report(Path(path).name, chosen_language(language))
        return bundle.save(
            path,
            model.network,
            model.features.to_json(),
            model.labels,
            model.tensors,
            task=self.task,
            baseline=model.baseline,
            metrics=self.metrics_,
            files={
                # Labels and paths may contain bytes that are not text.
                "report.html": report.encode("utf-8", "backslashreplace"),
                "train.toml": train_toml(self, Path(path), command or {}).encode("utf-8", "backslashreplace"),
            },
            overwrite=overwrite,
        )

    def report(self, path: str | Path | None = None, *, language: str | None = None, show: bool = True) -> Path:
        """Write the report on the training and open it in a browser.

        Args:
            path: the HTML file to write; None for a new temporary one.
            language: "en" or "zh"; None for that of the locale.
            show: whether to open it.

        Returns:
            Where it is.

        Raises:
            NotFittedError: before `fit`.
            ConfigError: an unknown language.
            InputError: the file can't be written.
        """
        self._fitted()
        target = write_page(self._report("", chosen_language(language)), path)
        if show:
            show_page(target)
        return target

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load a saved estimator; `fit` continues its training (it has `warm_start=True`).

        Raises:
            BundleError: the folder does not exist, is damaged, or was written by a newer Penstock.
        """
        saved = bundle.load(path)
        if saved.task != cls.task:
            raise ConfigError(f"{path}: is a model for {saved.task}; {cls.__name__} loads {cls.task}")
        known = cls().get_params()
        encoder = saved.network.encoder
        # JSON has no infinity: null stands for it in options that are numbers by default, such as `clip`.
        options: dict[str, Any] = {
            name: float("inf") if value is None and isinstance(known.get(name), float) else value
            for name, value in saved.metrics.get("configuration", {}).items()
        }
        options |= encoder.arguments()
        options |= cls._saved_options(saved) | dict.fromkeys((*cls.paths, "checkpoint")) | {"warm_start": True}
        loaded = cls(**{name: value for name, value in options.items() if name in known})
        loaded._keep(find(cls.task).model_class().from_bundle(saved))
        loaded.metrics_ = saved.metrics
        loaded.history_ = saved.metrics.get("curves", [])
        return loaded

    def __sklearn_tags__(self) -> Any:
        """Declare that inputs are not arrays (samples, features), unless a subclass changes this."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {_VERSION: __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        given = dict(state)
        version = given.pop(_VERSION, "0.1.0")
        options = {name for name in given if not (name.startswith("_") or name.endswith("_"))}
        differing = sorted(options ^ set(self._get_param_names()))
        if differing and version != __version__:
            raise BundleError(
                f"a pickled {type(self).__name__} of Penstock {version} has other options than that of this Penstock "
                f"({__version__}): {', '.join(differing)}. A pickle works only with its own version: save the model "
                f"there with save(folder), and load it here with {type(self).__name__}.load(folder)."
            )
        super().__setstate__(given)

    def _train(self, data: Any, *, seed: int, started: float, callbacks: Sequence["Callback"]) -> Self:
        """Train on prepared data, and set the fitted attributes.

        Args:
            data: the task's data object.
            seed: seed of all random numbers.
            started: `time.perf_counter()` when `fit` began.
            callbacks: called during training.
        """
        known = self._known()
        say(_LOGGER, "features", "making features")
        features, network = self._describe(data) if known is None else self._again(data, known)
        whole = isinstance(self.examples, int | np.integer) and not isinstance(self.examples, bool)
        if not whole or self.examples < 0:
            raise ConfigError(f"examples must be a whole number, at least 0; got {self.examples!r:.40}")
        self._recipe(len(data.train))  # checks the options before anything takes long
        stages = self._stages(self._objective(data, features, network, seed), seed)
        if self.baseline:
            say(_LOGGER, "baselines", "fitting the baselines")
        arrays, settings = self._fit_baselines(data, features)
        say_network(network)
        module, histories = run_stages(stages, partial(self._run_stage, data, features, network), callbacks)
        history = histories[-1]
        trained = module.state_dict()
        tensors = {name: trained[name].numpy() for name in network.parameter_shapes()}
        model = find(self.task).model_class()
        self._keep(model(network, features, data.labels, tensors, baseline=arrays))
        self.history_ = history.rows()
        calibration = self._calibrate(self.model_, data)
        say(_LOGGER, "measuring", "measuring the network and its baselines")
        self.metrics_ = self._figures(history, data, settings) | stage_figures(stages, histories) | calibration
        self.metrics_ |= {
            "options": used(self._described(), network)
            | {"epochs": self._recipe(len(data.train)).epochs, "random_state": seed}
            | self._resolved(features, network),
            "call": call(type(self), self._described() | {"random_state": seed}),
        }
        self.metrics_ |= {"random_state": seed, "seconds": time.perf_counter() - started, "peak_mb": peak_mb()}
        self.model_.metrics = self.metrics_
        if history.stopped == "interrupted":
            raise KeyboardInterrupt(f"interrupted; the weights of epoch {history.best_epoch} are kept")
        return self

    def _run_stage(
        self,
        data: Any,
        features: Any,
        network: Network,
        stage: Stage,
        objective: "Objective",
        callbacks: Sequence["Callback"],
    ) -> "tuple[torch.nn.Module, History]":
        """Train a module, from initial values or from the model whose training continues; return it and its history."""
        training, known = training_module(), self._known()
        with training.random_scope(stage.seed):
            module = self._module(data, features, network)
            if known is not None:
                _put(module, known.tensors)
            trainer = training.Trainer(
                module,
                objective,
                self._recipe(len(data.train)),
                generator=np.random.default_rng([stage.seed, 1]),
                callbacks=callbacks,
                checkpoint=self._open_checkpoint(data, network, stage),
                title=stage.title,
            )
            return module, trainer.fit()

    def _figures(self, history: "History", data: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the contents of metrics.json, except time and memory."""
        figures: dict[str, Any] = {
            "task": self.task,
            "penstock": __version__,
            "made": made(),
            "network": self.model_.network.to_json(),
            "parameters": sum(array.size for array in self.model_.tensors.values()),
            "curves": history.rows(),
            "best_epoch": history.best_epoch,
            "stopped": history.stopped,
            "data": self._data_figures(data, self.model_.features)
            | {"dropped": data.dropped, "digest": data.train.digest()},
            **({"examples": self._stored_examples(data)} if self.examples else {}),
            "configuration": self._described(),
        } | self._measure(self.model_, data)
        for name, chosen in settings.items():
            figures["baseline"][name]["settings"] = chosen
        return figures

    def _again(self, data: Any, known: Model) -> tuple[Any, Network]:
        """Return features and network of the model whose training continues."""
        network = self._network(data, known.features)
        if network != known.network:
            raise ConfigError(_another_network(network, known.network))
        return known.features, network

    def _recipe(self, rows: int) -> "Recipe":
        """Return the settings of the optimisation for `rows` training rows."""
        recipe_class = training_module().Recipe
        options = {field.name: getattr(self, field.name) for field in fields(recipe_class) if field.name != "epochs"}
        recipe: Recipe = recipe_class(epochs=1 if self.epochs is None else self.epochs, **options)
        if self.epochs is not None:
            return recipe
        steps = max(1, -(-rows // recipe.batch_size))
        epochs = min(max(self.usual_epochs, -(-self.fewest_steps // steps)), self.most_epochs)
        return recipe_class(epochs=epochs, **options)

    def _known(self) -> Model | None:
        """Return the model to continue from, if there is one and `warm_start` is set."""
        return self.model_ if self.warm_start and hasattr(self, "model_") else None

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            raise _NotFittedError(f"this {type(self).__name__} has no weights yet: call fit, or load(path)")
        return self.model_

    def _keep(self, model: Any) -> None:
        self.model_ = model

    def _described(self) -> dict[str, Any]:
        """Return the constructor's arguments for metrics.json."""
        plain = {name: value for name, value in self.get_params().items() if name not in _LEFT_OUT}
        for name in self.paths:
            plain[name] = None if plain[name] is None else Path(plain[name]).name
        return {name: value.item() if isinstance(value, np.generic) else value for name, value in plain.items()}

    def _open_checkpoint(self, data: Any, network: Network, stage: Stage) -> "Checkpoint | None":
        if self.checkpoint is None:
            return None
        parts = [self._described(), network.to_json(), stage.seed, data.train.digest(), stage.name]
        key = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
        path = f"{self.checkpoint}.{stage.name}" if stage.name else self.checkpoint
        return training_module().Checkpoint(path, key)


def training_module() -> ModuleType:
    """Import and return `penstock.training`; MissingExtraError without PyTorch."""
    if "torch" not in sys.modules:
        say(_LOGGER, "loading", "loading PyTorch")
    try:
        from penstock import training
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("training needs PyTorch: pip install 'penstock[train]'") from error
    return training


def seed_of(random_state: Any) -> int:
    """Return the seed: an integer unchanged, one drawn from a NumPy generator, or a random one for None.

    Raises:
        ConfigError: `random_state` is of another type, or negative.
    """
    if random_state is None:
        return secrets.randbits(32)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool) and random_state >= 0:
        return int(random_state)
    raise ConfigError(f"random_state must be a whole number, at least 0, or None; got {random_state!r}")


def _put(module: "torch.nn.Module", tensors: Mapping[str, np.ndarray]) -> None:
    """Load weights into the module; extra parameters, such as those of an auxiliary loss, stay initialised."""
    import torch

    missing, unexpected = module.load_state_dict(
        {name: torch.tensor(array) for name, array in tensors.items()}, strict=False
    )
    assert not unexpected, unexpected
    assert not set(missing) & set(tensors), missing


def _another_network(asked: Network, known: Network) -> str:
    before, now = known.to_json(), asked.to_json()
    differ = [
        f"{name} is {value!r}, was {before[part].get(name)!r}"
        for part, values in now.items()
        for name, value in values.items()
        if before[part].get(name) != value
    ]
    return (
        f"warm_start continues the existing network, but the arguments describe another: {', '.join(differ)}. "
        "Change them back, or set warm_start=False for a new model."
    )
