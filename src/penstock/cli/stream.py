"""`penstock stream`: pieces of text in, one answer out for each, in constant memory."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from penstock.cli.lines import text_lines

if TYPE_CHECKING:
    from penstock.runtime import TextStream

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: printf 'the food\\nwas wonderful\\n' | penstock stream sentiment")
def stream(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="A trained model's folder.")],
) -> None:
    """Read pieces of a text from standard input, a line each; write an answer to the text so far after each.

    An answer is one JSON line: {"prediction": LABEL, "probabilities": {LABEL: P, ...}}. An empty line ends
    the text, without an answer of its own, and the next line starts a new one.
    """
    from penstock.runtime import load

    for answer in answers(load(model).stream(), sys.stdin.buffer):
        print(json.dumps(answer, ensure_ascii=False), flush=True)


def answers(stream: "TextStream", lines: BinaryIO) -> Iterator[dict[str, object]]:
    """An answer after each line that isn't empty; an empty one resets the stream."""
    for line in text_lines(lines, "standard input"):
        if not line.strip():
            stream.reset()
            continue
        probabilities = stream.push(line)
        yield {
            "prediction": max(probabilities, key=probabilities.__getitem__),
            "probabilities": probabilities,
        }
