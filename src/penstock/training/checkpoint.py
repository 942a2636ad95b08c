"""The state of a training on disk after each epoch, so that it can go on after an end that nobody planned.

One safetensors file: weights, their average, the best ones and the optimiser's moments as tensors; history and
generators as JSON in its header. No pickle.
"""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from penstock.errors import BundleError
from penstock.training.averaging import restore
from penstock.training.history import Epoch

__all__ = ["Checkpoint"]


class Checkpoint:
    """A file that the loop writes after each epoch and takes up if it is there.

    Args:
        path: the file.
        key: what tells this training from another (its settings and data); only its own file is taken up.
        generators: PyTorch generators, besides the loop's own, whose state belongs to the training.
    """

    def __init__(self, path: str | Path, key: str, generators: tuple[torch.Generator, ...] = ()) -> None:
        self.path, self.key = Path(path), key
        self.generators = (torch.random.default_generator, *generators)

    def write(self, run: Any) -> None:
        """Write the loop's state, whole or not at all."""
        optimizer = run.optimizer.state_dict()
        tensors = {
            **_named("module", run.module.state_dict()),
            **_named("average", run.average.weights),
            **_named("best", run.best),
            **{f"generator.{k}": each.get_state() for k, each in enumerate(self.generators)},
        }
        for index, state in optimizer["state"].items():
            tensors |= _named(f"optimizer.{index}", state)
        rows = [epoch.row() for epoch in run.history.epochs]
        plain = {
            "key": self.key,
            "epochs": rows,
            "best_epoch": run.history.best_epoch,
            "seconds": sum(row["seconds"] for row in rows),
            "steps": run.average.steps,
            "generator": run.generator.bit_generator.state,
        }
        beside = self.path.with_name(f".{self.path.name}.new")
        save_file(
            {name: tensor.contiguous().clone() for name, tensor in tensors.items()},
            beside,
            metadata={"penstock": json.dumps(plain)},
        )
        os.replace(beside, self.path)

    def take_up(self, run: Any) -> None:
        """Bring the loop to the state in the file, if there is one.

        Raises:
            BundleError: the file is damaged, or of another training.
        """
        if not self.path.exists():
            return
        plain, tensors = self._read()
        if plain["key"] != self.key:
            raise BundleError(
                f"{self.path}: is the checkpoint of a training with other settings or data. "
                "Remove it, or choose another file."
            )
        restore(run.module, _under("module", tensors))
        run.best, run.average.weights = _under("best", tensors), _under("average", tensors)
        run.average.steps = plain["steps"]
        optimizer = run.optimizer.state_dict()
        count = sum(len(group["params"]) for group in optimizer["param_groups"])
        optimizer["state"] = {k: state for k in range(count) if (state := _under(f"optimizer.{k}", tensors))}
        run.optimizer.load_state_dict(optimizer)
        for index, generator in enumerate(self.generators):
            generator.set_state(tensors[f"generator.{index}"])
        run.generator.bit_generator.state = plain["generator"]
        run.history.epochs = [Epoch.from_row(row) for row in plain["epochs"]]
        run.history.best_epoch, run.history.seconds = plain["best_epoch"], plain["seconds"]

    def _read(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        try:
            with safe_open(self.path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
                return json.loads(file.metadata()["penstock"]), tensors
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise BundleError(f"{self.path}: can't be read as a checkpoint: {error}. Remove it.") from error


def _named(prefix: str, tensors: dict[str, Any]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": torch.as_tensor(value) for name, value in tensors.items()}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
