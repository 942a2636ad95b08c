"""The epochs of a training while it runs: as JSON lines, and in TensorBoard, MLflow and Weights & Biases.

The last three are reached by their own libraries, offline unless their environment variables say otherwise.
"""

import json
import logging
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from penstock.bundle import json_line, plain
from penstock.errors import MissingExtraError
from penstock.events import say
from penstock.folders import whole_file
from penstock.training.history import Epoch, History
from penstock.training.progress import Callback

__all__ = ["TRACKERS", "EpochLines", "track"]

_LOGGER = logging.getLogger("penstock.training")
_PROJECT = "penstock"


class _Silent:
    """A callback that does nothing."""

    def on_start(self, epochs: int) -> None:
        """Do nothing."""

    def on_step(self, epoch: int, step: int, steps: int, rows: int, loss: float) -> None:
        """Do nothing."""

    def on_epoch(self, epoch: Epoch) -> None:
        """Do nothing."""

    def on_end(self, history: History) -> None:
        """Do nothing."""


class EpochLines(_Silent):
    """Writes a line of JSON for each epoch, see `Epoch.row`, as soon as it has ended.

    A training that is resumed goes on with the lines of the epochs before. A disk that is full is a warning.

    Args:
        path: the file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._has_begun = False

    def on_epoch(self, epoch: Epoch) -> None:
        """Write the line."""
        try:
            if not self._has_begun:
                before = [line for line in self._lines() if _number(line) < epoch.epoch]
                with whole_file(self.path) as new:
                    new.write_text("".join(f"{line}\n" for line in before), encoding="utf-8")
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json_line(epoch.row()))
            self._has_begun = True
        except OSError as error:
            say(_LOGGER, "tracking", f"{self.path}: can't be written: {error.strerror}", level=logging.WARNING)

    def _lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []


class TensorBoard(_Silent):
    """Writes scalars for TensorBoard to `runs/NAME` in a folder: `tensorboard --logdir runs` shows them."""

    def __init__(self, folder: Path, name: str, options: Mapping[str, Any]) -> None:
        self._writer = _library("torch.utils.tensorboard", "tensorboard").SummaryWriter(str(folder / "runs" / name))
        self._writer.add_text("options", f"```\n{json.dumps(options, indent=1)}\n```")

    def on_epoch(self, epoch: Epoch) -> None:
        """Write the epoch's numbers."""
        for name, value in _numbers(epoch).items():
            self._writer.add_scalar(name, value, epoch.epoch)
        self._writer.flush()

    def on_end(self, history: History) -> None:
        """Close the file."""
        self._writer.close()


class MLflow(_Silent):
    """Logs a run to MLflow: where MLFLOW_TRACKING_URI says, else to `mlflow.db` in a folder."""

    def __init__(self, folder: Path, name: str, options: Mapping[str, Any]) -> None:
        place = os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{(folder / 'mlflow.db').absolute()}")
        library = _library("mlflow", "mlflow", MLFLOW_DISABLE_TELEMETRY="true", MLFLOW_LOGGING_LEVEL="WARNING")
        self._client = library.MlflowClient(tracking_uri=place)
        known = self._client.get_experiment_by_name(_PROJECT)
        experiment = self._client.create_experiment(_PROJECT) if known is None else known.experiment_id
        self._run = self._client.create_run(experiment, run_name=name).info.run_id
        for option, value in options.items():
            self._client.log_param(self._run, option, value)

    def on_epoch(self, epoch: Epoch) -> None:
        """Log the epoch's numbers."""
        for name, value in _numbers(epoch).items():
            self._client.log_metric(self._run, name, value, step=epoch.epoch)

    def on_end(self, history: History) -> None:
        """End the run."""
        self._client.set_terminated(self._run, "FINISHED" if sys.exception() is None else "KILLED")


class WeightsAndBiases(_Silent):
    """Logs a run to Weights & Biases: as WANDB_MODE says, else offline, to `wandb` in a folder."""

    def __init__(self, folder: Path, name: str, options: Mapping[str, Any]) -> None:
        mode = os.environ.get("WANDB_MODE", "offline")
        library = _library("wandb", "wandb", WANDB_ERROR_REPORTING="false", WANDB_SILENT="true")
        self._run = library.init(project=_PROJECT, name=name, dir=str(folder), config=dict(options), mode=mode)

    def on_epoch(self, epoch: Epoch) -> None:
        """Log the epoch's numbers."""
        self._run.log(_numbers(epoch), step=epoch.epoch)

    def on_end(self, history: History) -> None:
        """End the run."""
        self._run.finish(exit_code=0 if sys.exception() is None else 1)


TRACKERS: dict[str, Any] = {"tensorboard": TensorBoard, "mlflow": MLflow, "wandb": WeightsAndBiases}


def track(
    kind: Literal["tensorboard", "mlflow", "wandb"], folder: str | Path, name: str, options: Mapping[str, Any]
) -> Callback:
    """Return a callback that follows a training in TensorBoard, MLflow or Weights & Biases.

        classifier.fit(texts, labels, callbacks=[track("tensorboard", ".", "first", classifier.get_params())])

    Args:
        kind: which one.
        folder: where it writes, unless its environment variables name another place.
        name: the name of the run.
        options: settings to note with it, plain values.

    Raises:
        MissingExtraError: its library is not installed.
    """
    tracker: Callback = TRACKERS[kind](Path(folder), name, plain(options))
    return tracker


def _numbers(epoch: Epoch) -> dict[str, float]:
    """The epoch's numbers, without those that are not finite, which not every library takes."""
    return {name: value for name, value in plain(epoch.row()).items() if name != "epoch" and value is not None}


def _number(line: str) -> int:
    """The epoch of a line; of a line that was cut, one that is never kept."""
    try:
        return int(json.loads(line)["epoch"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return sys.maxsize


def _library(module: str, extra: str, **variables: str) -> Any:
    """Import a library, with environment variables that are set unless you have set them.

    They keep it from looking for its makers' hosts, and from lines of its own among ours (each is JSON with `--json`).
    """
    for name, value in variables.items():
        os.environ.setdefault(name, value)
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"to track with {extra}, install it: pip install 'penstock[{extra}]'") from error
