"""`penstock stream`: pieces of input in, one answer out for each, in constant memory."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from penstock.datasets import text_lines

if TYPE_CHECKING:
    from penstock.runtime import Model

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: printf 'the food\\nwas wonderful\\n' | penstock stream sentiment")
def stream(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="A trained model's folder.")],
) -> None:
    """Read pieces of an input from standard input, a line each; write an answer to the input so far after each.

    For a text, a line is its next piece, and an answer is one JSON line: {"prediction": LABEL, "probabilities":
    {LABEL: P, ...}}. An empty line ends the input, without an answer of its own, and the next line starts a new one.
    """
    from penstock.runtime import load

    for answer in answers(load(model), sys.stdin.buffer):
        print(json.dumps(answer, ensure_ascii=False), flush=True)


def answers(model: "Model", lines: BinaryIO) -> Iterator[dict[str, Any]]:
    """An answer after each line that isn't empty; an empty one resets the stream."""
    stream: Any = model.stream()
    for line in text_lines(lines, "standard input"):
        if not line.strip():
            stream.reset()
        else:
            yield model.as_json(stream.push(model.item(line)))
