"""How far back predictions depend on the input: one sentence, what forgetting changes, how fast the layers forget."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.report.chart import chart
from penstock.report.figures import Figures, Marked
from penstock.report.marks import Line
from penstock.report.page import details, paragraph, section, table
from penstock.report.words import Words

__all__ = ["memory_section", "memory_sentence"]

_MOST_LINES = 6  # of a chart; the page has no more line styles that can be told apart
_LEAST_CHANGE = 0.02  # of a prediction, that can be seen
_LEAST = 1e-3  # what is left of a state is drawn down to here


def memory_sentence(memory: Mapping[str, Any], language: str = "en") -> str:
    """Return in one plain sentence what a prediction depends on; `memory` is the result of `memory_horizon`."""
    return _sentence(memory, Words(language), lambda name: f"{memory[name]:g}")


def memory_section(figures: Figures, words: Words) -> str:
    """Return the card; empty if metrics.json has no `memory`."""
    memory = figures.get("memory", default={})
    if not memory:
        return ""
    said = _sentence(memory, words, lambda name: figures.number("memory", name, form="g"))
    data = words("memory.examples", examples=figures.number("memory", "examples"), data=words.name("data", "valid"))
    return section(
        words("memory"),
        paragraph(Marked(f"<strong>{said}</strong>")),
        paragraph(words("list.sentence").join([words("memory.forgetting_note"), data]), "quiet"),
        paragraph(_gradients(figures, words), "callout"),
        f'<div class="charts">{_forgetting(memory, words)}{_layers(memory, words)}</div>',
        paragraph(words("memory.layers_note"), "quiet"),
        details(words("memory.half_lives"), _half_lives(figures, memory, words)),
    )


def _sentence(memory: Mapping[str, Any], words: Words, number: Callable[[str], str]) -> str:
    reach = memory["reach"]
    name = "length" if reach == "whole" else "horizon"
    key = "around" if memory["around"] and reach == "within" else reach
    return words(f"memory.{key}", span=_span(memory, name, words, number) if reach != "nothing" else "")


def _gradients(figures: Figures, words: Words) -> str:
    """Return the warning that gradients vanished or exploded in training; empty if they did not."""
    verdict = figures.get("gradients", "verdict", default="fine")
    if verdict == "fine":
        return ""
    reach, steps = (figures.number("gradients", name) for name in ("reach", "steps"))
    return words(f"memory.gradients.{verdict}", reach=reach, steps=steps)


def _span(memory: Mapping[str, Any], name: str, words: Words, number: Callable[[str], str]) -> str:
    unit = memory["unit"]
    key = f"span.{unit}" if memory[name] == 1 else f"spans.{unit}"
    return words(key, n=number(name)) if words.knows(key) else f"{number(name)} {unit}"


def _forgetting(memory: Mapping[str, Any], words: Words) -> str:
    rows = memory["forgetting"]
    last = max((place for place, row in enumerate(rows) if row["change"] >= _LEAST_CHANGE), default=0)
    rows = rows[: last + 2]  # beyond, the line lies on the axis
    line = Line(words("memory.change"), [row["distance"] for row in rows], [row["change"] for row in rows])
    unit = words.name("unit", memory["unit"])
    return chart(
        [line],
        title=words("memory.forgetting"),
        x_label=words("memory.remembered", unit=unit),
        y_label=words("memory.change"),
        marker=memory["horizon"] if memory["reach"] == "within" else None,
        marker_text=words("memory.mark"),
        within=(0.0, 1.0),
    )


def _layers(memory: Mapping[str, Any], words: Words) -> str:
    both = any(layer["direction"] == "backward" for layer in memory["layers"])
    lines = [
        Line(
            _name(layer, words, both),
            range(len(layer["left"])),
            [left if left >= _LEAST else float("nan") for left in layer["left"]],
            style=style,
        )
        for style, layer in enumerate(memory["layers"][:_MOST_LINES])
    ]
    return chart(
        lines, title=words("memory.layers"), x_label=words("memory.later"), y_label=words("memory.left"), log=True
    )


def _half_lives(figures: Figures, memory: Mapping[str, Any], words: Words) -> str:
    both = any(layer["direction"] == "backward" for layer in memory["layers"])
    rows = [
        (
            _name(layer, words, both),
            [
                figures.number("memory", "layers", place, name, form=".3g")
                if layer[name] is not None
                else words("memory.never")
                for name in ("half_gone", "half_life")
            ],
        )
        for place, layer in enumerate(memory["layers"])
    ]
    heads = [words(f"memory.{name}") for name in ("layer", "half_gone", "half_life")]
    return table(heads, rows)


def _name(layer: Mapping[str, Any], words: Words, both: bool) -> str:
    name = words("memory.number", number=layer["layer"])
    return words("memory.directed", layer=name, direction=words.name("direction", layer["direction"])) if both else name
