"""The layer of each parameter, for layers that train at different rates or not from the start."""

import re

import torch
from torch.nn import Parameter

__all__ = ["depths"]

_LAYER = re.compile(r"_l(\d+)(?:_reverse)?$")


def depths(module: torch.nn.Module) -> list[tuple[int, Parameter]]:
    """Return each parameter with its depth, the number of layers that are nearer to the output.

    It is 0 for the head, and whatever else is neither `encoder` nor `inputs`; from 1 for the layers of `encoder`, the
    last one first; and one more for `inputs`.
    """
    numbers = {name: int(match[1]) for name, _ in module.named_parameters() if (match := _LAYER.search(name))}
    layers = max((number for name, number in numbers.items() if name.startswith("encoder.")), default=0) + 1
    found = []
    for name, parameter in module.named_parameters():
        part = name.split(".")[0]
        depth = {"encoder": layers - numbers.get(name, layers - 1), "inputs": layers + 1}.get(part, 0)
        found.append((depth, parameter))
    return found
