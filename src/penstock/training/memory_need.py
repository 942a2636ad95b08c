"""The memory that a training step needs, estimated before the first one, so that nobody waits for a killed process."""

import logging
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from penstock.datasets import row_count, shard
from penstock.errors import ConfigError
from penstock.events import say
from penstock.training.gradient_watch import undone
from penstock.training.objective import Objective
from penstock.training.recipe import Recipe

__all__ = ["available_bytes", "check_memory", "step_bytes"]

_LOGGER = logging.getLogger("penstock.training")

_PART = 16
"""The share of a batch's rows that is tried: one of so many."""
_ROOM = 0.8
"""The share of the available memory that a suggestion may use."""
_WORTH_SAYING = 1e9


def check_memory(module: torch.nn.Module, objective: Objective, recipe: Recipe) -> None:
    """Estimate the memory of a step, and refuse a training for which there is not enough.

    Raises:
        ConfigError: what a step keeps for its gradient, the gradient and the optimiser's state don't fit.
    """
    parameters = sum(each.numel() * each.element_size() for each in module.parameters())
    rows = step_bytes(module, objective)
    fixed = parameters * (3 if recipe.optimizer == "adamw" else 1)
    needed, available = rows + fixed, available_bytes()
    if needed > available:
        raise ConfigError(
            f"training needs about {_gb(needed)} of memory, of which {_gb(rows)} are for a batch; {_gb(available)} are "
            f"available. {_suggestion(rows, fixed, available, recipe.batch_size)}"
        )
    if needed > _WORTH_SAYING:
        message = f"memory: a step needs about {_gb(needed)}; {_gb(available)} are available"
        say(_LOGGER, "memory_needed", message, needed_mb=needed / 1e6, available_mb=available / 1e6)


def step_bytes(module: Any, objective: Objective) -> float:
    """Return the bytes that a batch of an epoch keeps for its gradient, as a part of the longest rows tells.

    Neither the module nor the objective nor any random state changes.
    """
    batch = max(objective.batches(np.random.default_rng(0)), key=objective.extent)
    count = row_count(batch)
    size = count // max(1, count // _PART)
    part, _ = shard(batch, size - 1, size)  # with the last row, the longest where rows are in order
    own = {each.untyped_storage().data_ptr() for each in module.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with undone(module, objective), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        objective.loss(module, part)
    return sum(kept.values()) * count / row_count(part)


def available_bytes() -> float:
    """Return the memory that this process may still take, with swap; infinity where the system does not tell."""
    return min(_of_machine(), _of_container())


def _of_machine() -> float:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    kilobytes = {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}
    return 1024.0 * (kilobytes.get("MemAvailable", kilobytes["MemTotal"]) + kilobytes.get("SwapFree", 0))


def _of_container() -> float:
    """The limit of a control group, version 2, less what it uses and can't give back."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except OSError:
        return math.inf
    return math.inf if limit == "max" else float(int(limit) - used + int(stat.get("inactive_file", 0)))


def _suggestion(rows: float, fixed: float, available: float, batch_size: int) -> str:
    fits = int(batch_size * (_ROOM * available - fixed) / rows)
    if fits < 1:
        return "Not even a batch of one sequence fits: choose shorter sequences or chunks, or a smaller hidden_size."
    return f"Try batch_size={2 ** int(math.log2(fits))} (now {batch_size}), or shorter sequences."


def _gb(size: float) -> str:
    return f"{size / 1e9:,.1f} GB"
