"""Base class of all estimators: the training; `fitted` has what comes after it."""

import hashlib
import json
import logging
import secrets
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from penstock import __version__
from penstock.checks import check_number, check_whole
from penstock.datasets import Rows, parse_proportions, random_split
from penstock.errors import ConfigError, DivergedError, MissingExtraError
from penstock.events import peak_mb, say
from penstock.network import Network
from penstock.registry import find
from penstock.runtime import Model
from penstock.tasks.continuing import check_network, digest, put, say_continued
from penstock.tasks.documented import list_options
from penstock.tasks.memory import memory_of
from penstock.tasks.options import TrainingOptions
from penstock.tasks.provenance import call, made, used
from penstock.tasks.space import Range, ranges
from penstock.tasks.stages import Stage, run_stages, stage_figures
from penstock.tasks.verbosity import say_network

try:
    from penstock.tasks.fitted import FittedEstimator
except ModuleNotFoundError as error:
    if error.name != "sklearn":
        raise
    raise MissingExtraError("training needs scikit-learn and PyTorch: pip install 'penstock[train]'") from error

if TYPE_CHECKING:
    import torch

    from penstock.training import Callback, Checkpoint, History, Job, Objective, Recipe

__all__ = ["Estimator", "seed_of"]

_LEFT_OUT = ("cache", "checkpoint", "checkpoint_seconds", "on", "verbose", "warm_start")
_LOGGER = logging.getLogger("penstock.tasks")


@dataclass(kw_only=True, eq=False, repr=False)
class Estimator(TrainingOptions, FittedEstimator):
    """A trainable network with scikit-learn's interface.

    Subclasses define `task` and implement the methods that raise NotImplementedError here. The fields of the dataclass
    are the options; the constructor only stores them. `data` is the task's own object, made by its `fit`; it has
    `train`, with a length and a `digest`, and `labels`, `dropped` and `changed`.

    Attributes:
        model_: the `runtime.Model` that predicts.
        history_: one dict per epoch: epoch, train_loss, valid_loss and other validation metrics, the same metrics on
            some training rows (seen_loss, ...), learning_rate, seconds.
        metrics_: the contents of metrics.json; `tasks.measures` describes each part.
    """

    # If the size of the data decides on the epochs: enough steps for a small set, but a limit for a tiny one.
    usual_epochs: ClassVar[int] = 8
    fewest_steps: ClassVar[int] = 2000
    most_epochs: ClassVar[int] = 40
    few_rows: ClassVar[int] = 0
    """If `keep` is None: fewer training rows than this are trained to the end, without early stopping."""
    tuned_by: ClassVar[str] = "loss"
    """The metric of the validation data by which `penstock tune` judges a training."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        list_options(cls)

    def _on_disk(self, data: Any) -> Any:
        """Return the data, with what training reads on disk where inputs stay in their files."""
        return data

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

    def _inspected(self, data: Any) -> Any:
        """Return a few validation inputs, as `predict` takes them, for the memory horizon; None to measure none."""
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

    def search_space(self, fixed: Collection[str] = ()) -> dict[str, Range]:
        """Return the ranges that a search tries, by option: those of the class, around this estimator's own values.

        Args:
            fixed: options that are not searched. What has no effect beside their values is left out too.
        """
        left_out = {*fixed, *self._idle(fixed)}
        return {name: sought for name, sought in ranges(self).items() if name not in left_out}

    def _idle(self, fixed: Collection[str]) -> set[str]:
        """Return options that have no effect, whatever the others are that are not fixed; see `search_space`."""
        one_layer = "num_layers" in fixed and getattr(self, "num_layers", None) == 1
        return {"layer_dropout"} if one_layer else set()

    def _setting(self, name: str) -> Any:
        """Return the value of an option that counts, also where the option is None."""
        return getattr(self, name)

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

    def __sklearn_tags__(self) -> Any:
        """Declare that inputs are not arrays (samples, features), unless a subclass changes this."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags

    def _train(self, data: Any, *, seed: int, started: float, callbacks: Sequence["Callback"]) -> Self:
        """Train on prepared data, and set the fitted attributes.

        Args:
            data: the task's data object.
            seed: seed of all random numbers.
            started: `time.perf_counter()` when `fit` began.
            callbacks: called during training.
        """
        known = self._known()
        check_whole("examples", self.examples, at_least=0)
        check_whole("workers", self.workers, at_least=1)
        check_number("checkpoint_seconds", self.checkpoint_seconds, at_least=0)
        recipe = self._recipe(len(data.train))  # checks the options before anything takes long
        if self.workers != 1 or self.on is not None:
            from penstock.distributed.training import check_workers

            check_workers(self.workers, self.on, recipe.batch_size)
        say(_LOGGER, "features", "making features")
        data = self._on_disk(data)
        features, network = self._describe(data) if known is None else self._again(data, known)
        stages = self._stages(self._objective(data, features, network, seed), seed)
        if self.baseline:
            say(_LOGGER, "baselines", "fitting the baselines")
        arrays, settings = self._fit_baselines(data, features)
        say_network(network)
        run = partial(self._run_stage, data, features, network)
        module, histories = run_stages(stages, run, callbacks, self.max_seconds)
        history = histories[-1]
        trained = module.state_dict()
        tensors = {name: trained[name].numpy() for name in network.parameter_shapes()}
        model = find(self.task).model_class(getattr(features, "kind", None))
        self._keep(model(network, features, data.labels, tensors, baseline=arrays))
        self.history_ = history.rows()
        calibration = self._calibrate(self.model_, data)
        inspected = self._inspected(data)
        memory = {} if inspected is None else memory_of(self.model_, inspected)
        say(_LOGGER, "measuring", "measuring the network and its baselines")
        self.metrics_ = self._figures(history, data, settings) | stage_figures(stages, histories) | calibration
        self.metrics_ |= {"memory": memory, "input": history.input_figures()}
        self.metrics_ |= {
            "options": used(self._described(), network)
            | {"epochs": recipe.epochs, "keep": recipe.keep, "random_state": seed}
            | self._resolved(features, network),
            "call": call(type(self), self._described() | {"random_state": seed}),
        }
        self.metrics_ |= {"random_state": seed, "seconds": time.perf_counter() - started, "peak_mb": peak_mb()}
        self.model_.metrics = self.metrics_
        if history.stopped == "interrupted":
            raise KeyboardInterrupt(f"interrupted; the weights of epoch {history.best_epoch} are kept")
        if history.stopped == "diverged":
            raise DivergedError(f"{history.failure} The weights of epoch {history.best_epoch} are kept.")
        return self

    def _run_stage(
        self,
        data: Any,
        features: Any,
        network: Network,
        stage: Stage,
        objective: "Objective",
        callbacks: Sequence["Callback"],
        max_seconds: float | None,
    ) -> "tuple[torch.nn.Module, History]":
        """Train a module, from initial values or from the model whose training continues; return it and its history."""
        training, known = training_module(), self._known()
        with training.random_scope(stage.seed):
            module = self._module(data, features, network)
            if known is not None:
                put(module, known.tensors)
            job = training.Job(
                module=module,
                objective=objective,
                recipe=replace(self._recipe(len(data.train)), max_seconds=max_seconds),
                seed=stage.seed,
                checkpoint=self._open_checkpoint(data, network, stage),
                title=stage.title,
            )
            history = self._run(job, callbacks)
        if history.stopped == "diverged" and stage.name:
            raise DivergedError(history.failure)  # a teacher that must not teach
        return module, history

    def _run(self, job: "Job", callbacks: Sequence["Callback"]) -> "History":
        """Train in this process, or with workers."""
        if self.on is None:
            training_module().check_memory(job.module, job.objective, job.recipe)
        if self.workers == 1 and self.on is None:
            return job.run(callbacks)
        from penstock.distributed.training import train

        return train(job, self.workers, self.on, callbacks)

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
            "gradients": history.gradients,
            "data": self._data_figures(data, self.model_.features)
            | {"dropped": data.dropped, "changed": data.changed, "digest": data.train.digest()},
            **({"examples": self._stored_examples(data)} if self.examples else {}),
            "configuration": self._described(),
        } | self._measure(self.model_, data)
        for name, chosen in settings.items():
            figures["baseline"][name]["settings"] = chosen
        return figures

    def _again(self, data: Any, known: Model) -> tuple[Any, Network]:
        """Return features and network of the model whose training continues."""
        network = self._network(data, known.features)
        check_network(network, known.network)
        if known.labels:
            say_continued("classes", known.labels, data.labels, self._present(data))
        return known.features, network

    def _present(self, data: Any) -> list[Any]:
        """Return the classes that training rows have."""
        counts = data.train.class_counts(len(data.labels))
        return [label for label, count in zip(data.labels, counts, strict=True) if count]

    def _recipe(self, rows: int) -> "Recipe":
        """Return the settings of the optimisation for `rows` training rows."""
        recipe_class = training_module().Recipe
        names = [field.name for field in fields(recipe_class) if field.name != "epochs"]
        options = {name: self._setting(name) for name in names if hasattr(self, name)}  # some tasks lack some
        options["keep"] = self.keep or ("last" if rows < self.few_rows else "best")
        epochs = self._setting("epochs")
        recipe: Recipe = recipe_class(epochs=1 if epochs is None else epochs, **options)
        if epochs is not None:
            return recipe
        steps = max(1, -(-rows // recipe.batch_size))
        usual = min(max(self.usual_epochs, -(-self.fewest_steps // steps)), self.most_epochs)
        return replace(recipe, epochs=usual)

    def _known(self) -> Model | None:
        """Return the model to continue from, if there is one and `warm_start` is set."""
        return self.model_ if self.warm_start and hasattr(self, "model_") else None

    def _described(self) -> dict[str, Any]:
        """Return the constructor's arguments for metrics.json."""
        plain = {name: value for name, value in self.get_params().items() if name not in _LEFT_OUT}
        for name in plain.keys() & self.paths:
            plain[name] = None if plain[name] is None else Path(plain[name]).name
        return {name: value.item() if isinstance(value, np.generic) else value for name, value in plain.items()}

    def _open_checkpoint(self, data: Any, network: Network, stage: Stage) -> "Checkpoint | None":
        if self.checkpoint is None:
            return None
        options = self._described()
        if not stage.title:  # a single training may resume with another time limit; a taught network has other teachers
            del options["max_seconds"]
        parts = [options, network.to_json(), stage.seed, data.train.digest(), stage.name]
        known = self._known()
        parts += [] if known is None else [digest(known.tensors)]
        key = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
        path = f"{self.checkpoint}.{stage.name}" if stage.name else self.checkpoint
        return training_module().Checkpoint(path, key, every_seconds=self.checkpoint_seconds)


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
