"""The table of models, by the task's name that a bundle bears; each is imported when it is asked for."""

from importlib import import_module
from pathlib import Path

from penstock import bundle
from penstock.errors import BundleError, ConfigError
from penstock.runtime.model import Model

__all__ = ["MODELS", "load", "model_class", "register"]

MODELS = {
    "text-classification": "penstock.runtime.text_model:TextModel",
    "forecasting": "penstock.runtime.forecast_model:ForecastModel",
    "audio-classification": "penstock.runtime.audio_model:AudioModel",
    "series-classification": "penstock.runtime.signal_models:SignalClassModel",
    "series-regression": "penstock.runtime.signal_models:SignalRegressionModel",
}
"""Where the class of each task's model lies: "module:Class"."""


def register(task: str, model: str) -> None:
    """Let `load` know the models of another package's task.

    Args:
        task: the name that its bundles bear.
        model: "module:Class", a `Model`.
    """
    MODELS[task] = model


def model_class(task: str) -> type[Model]:
    """The class of a task's models.

    Raises:
        ConfigError: no such task.
    """
    if task not in MODELS:
        raise ConfigError(
            f"no model for the task {task!r}; there are: {', '.join(MODELS)}. "
            "Was it written by a newer Penstock, or by another package that has to be imported first?"
        )
    module, _, name = MODELS[task].partition(":")
    return getattr(import_module(module), name)


def load(path: str | Path) -> Model:
    """The model that was saved in a folder, ready to answer, without PyTorch.

    Raises:
        BundleError: no such folder, damaged, or written by a newer Penstock.
    """
    saved = bundle.load(path)
    try:
        return model_class(saved.task).from_bundle(saved)
    except ConfigError as error:
        raise BundleError(f"{path}: can't be used: {error}") from error
