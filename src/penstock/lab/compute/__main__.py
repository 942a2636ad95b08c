"""Writes `arrays.json` beside the page: `python -m penstock.lab.compute`."""

import json
import sys
from pathlib import Path

import torch

from penstock.lab.compute import brackets, cliff, forgetting, gradients, start, timing, truncation

_FILE = Path(__file__).resolve().parents[1] / "arrays.json"
_FIGURES = {
    "brackets": brackets.figure,
    "gradients": gradients.figure,
    "forgetting": forgetting.figure,
    "start": start.figure,
    "cliff": cliff.figure,
    "timing": timing.figure,
    "truncation": truncation.figure,
}


def main(names: list[str]) -> None:
    """Compute the figures by these names, or all of them, and keep the others."""
    torch.set_num_threads(1)
    arrays = json.loads(_FILE.read_text(encoding="utf-8")) if _FILE.exists() and names else {}
    for name in names or _FIGURES:
        print(f"computing {name}", flush=True)
        arrays[name] = _FIGURES[name]()
    text = json.dumps(
        {name: arrays[name] for name in _FIGURES if name in arrays}, separators=(",", ":"), allow_nan=False
    )
    _FILE.write_text(text.replace('},"', '},\n"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
