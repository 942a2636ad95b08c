"""`penstock predict`: a saved model's answers to a file of texts, or to lines as they come."""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from penstock.cli.answers import Answer, as_answers, check_answer_file, write_answers
from penstock.cli.lines import text_lines
from penstock.cli.tables import column_name, texts_to_answer

if TYPE_CHECKING:
    from penstock.runtime import Model

app = typer.Typer(add_completion=False, rich_markup_mode=None)

# Lines answered at once: enough to keep the engine busy, few enough for constant memory.
_LINES = 512


@app.command(epilog="Example: penstock predict sentiment reviews.csv -o answers.csv")
def predict(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="A trained model's folder.")],
    data: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="CSV, TSV, JSON lines or Parquet, plain or gzipped; .txt, or - for standard input, a text per line.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Where answers go: .jsonl, .csv, .tsv or .parquet; else JSON lines are printed."
        ),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="The column of texts; as in training if left out.")] = None,
) -> None:
    """Answer each text with the likeliest label (`prediction`) and all probabilities (`probability_<label>`)."""
    from penstock.runtime import load

    check_answer_file(output)
    loaded = load(model)
    if data == "-":
        answers = answer_lines(loaded, sys.stdin.buffer)
    else:
        texts = texts_to_answer(Path(data), column_name(loaded, "text", text))
        answers = as_answers(loaded.labels, loaded.predict_proba(texts))
    write_answers(answers, output)


def answer_lines(model: "Model", lines: BinaryIO) -> Iterator[Answer]:
    """An answer for each line, in constant memory."""
    texts = text_lines(lines, "standard input")
    while some := list(islice(texts, _LINES)):
        yield from as_answers(model.labels, model.predict_proba(some))
