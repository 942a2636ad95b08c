"""The tables of `penstock inspect`."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["show_inspection"]

_MOST_UNITS = 8  # of a list


def show_inspection(figures: Mapping[str, Any]) -> None:
    """Print how far back the network remembers, its saturated gates, dead units, and units that follow something."""
    from penstock.report import memory_sentence

    memory = figures["memory"]
    if not memory:
        print("No input has two network steps and a finite prediction: there is no memory to measure.")
    else:
        print(memory_sentence(memory))
        rows = [
            [_place(each), *(_steps(each[name]) for name in ("half_gone", "half_life"))] for each in memory["layers"]
        ]
        _table("Memory of the layers", ["layer", "half is gone after", "the rest then halves every"], rows)
    _show_saturation(figures["saturation"])
    _show_followed(figures["units"])


def _show_saturation(found: Mapping[str, Any]) -> None:
    if not found:
        return
    rows = [
        [each["gate"], _place(each), f"{each['closed']:.1%}", f"{each['open']:.1%}", _units(each["stuck"])]
        for each in found["gates"]
    ]
    heads = ["gate", "layer", "near its lower end", "near its upper end", "units that stay there"]
    _table(f"Saturation of the gates, over {found['steps']:,} steps", heads, rows)
    dead = [f"{_place(each)}: {_units(each['units'])} of {each['of']}" for each in found["dead"] if each["units"]]
    print(f"Dead units, whose output hardly changes: {'; '.join(dead) or 'none'}.")


def _show_followed(found: Mapping[str, Any]) -> None:
    if found["too_few"]:
        print("Too few steps to look for units that follow something: give more inputs.")
        return
    rows = [
        [each["property"], f"{each['state']} {each['unit']}", _place(each), f"{each['score']:+.2f}"]
        for each in found["followed"]
    ]
    if not rows:
        print(f"No unit follows a known property of the input ({found['pairs']:,} pairs were looked at).")
        return
    _table("Units that follow something", ["property", "unit", "layer", "correlation"], rows)
    print(f"(On inputs that were held out; significant after correcting for {found['pairs']:,} pairs.)")


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        return
    table = Table(*heads, title=title, title_justify="left", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)


def _place(each: Mapping[str, Any]) -> str:
    return f"{each['layer']}, backward" if each["direction"] == "backward" else str(each["layer"])


def _steps(value: float | None) -> str:
    return "never" if value is None else f"{value:.3g} steps"


def _units(units: Sequence[int]) -> str:
    shown = ", ".join(map(str, units[:_MOST_UNITS]))
    return f"{len(units)} ({shown}{', …' if len(units) > _MOST_UNITS else ''})" if units else "0"
