"""`penstock demo`: a bilingual classifier and the vanishing gradient, computed live, on one page."""

import json
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock import __version__
from penstock.cli.paths import check_new_folder
from penstock.errors import PenstockError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_RESULTS, _PAGE, _MODEL = "demo.json", "report.html", "sentiment"


@app.command(epilog="Example: penstock demo --out demo-output")
def demo(
    out: Annotated[Path, typer.Option("--out", help="The folder to write; an earlier demo's is written over.")] = Path(
        "demo-output"
    ),
) -> None:
    """Train a sentiment classifier in two languages and let it answer word by word; then see the vanishing gradient.

    Takes under three minutes on two cores and writes one HTML page. Exits with 1 if something came out otherwise than
    it should.
    """
    from rich.console import Console

    from penstock.report import render_demo

    check_new_folder(out, overwrite=_holds_a_demo(out))
    out.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, markup=False)
    started = time.perf_counter()
    results: dict[str, Any] = {"penstock": __version__, "reviews": _sentiment(console, out / _MODEL)}
    results["adding"] = _adding(console)
    results["seconds"] = time.perf_counter() - started
    (out / _PAGE).write_text(render_demo(results), encoding="utf-8")
    (out / _RESULTS).write_text(json.dumps(results, ensure_ascii=False, indent=1), encoding="utf-8")
    console.print(f"\nThe report: {(out / _PAGE).absolute()}", soft_wrap=True)
    if not_met := _not_met(results):
        raise PenstockError(f"the demo ran, but not all came out as it should: {'; '.join(not_met)}")


def _holds_a_demo(out: Path) -> bool:
    """Whether a folder holds nothing but what an earlier demo, perhaps an interrupted one, left there."""
    return out.is_dir() and {path.name for path in out.iterdir()} <= {_RESULTS, _PAGE, _MODEL}


def _sentiment(console: "Console", folder: Path) -> dict[str, Any]:
    from penstock.cli.demo_sentiment import SENTENCES, answers_as_they_come, learn, measure

    console.print("1. Sentiment of short reviews, English and Chinese, written for this demo", style="bold")
    model = learn(folder)
    found = measure(model)
    rows = found["rows"]
    console.print(f"   learned from {rows['train']}; accuracy on {rows['test']} held back:")
    for name, words in (("metrics", "LSTM"), ("tfidf", "TF-IDF"), ("majority", "commonest class")):
        console.print(f"   {words:<16} {found[name]['accuracy']:.3f}")
    console.print("   and as sentences stream in, the probability of a positive one:")
    found["streams"] = []
    for language, sentence in SENTENCES:
        console.print("  ", end="")
        said = []
        for piece, positive in answers_as_they_come(model, language, sentence):
            console.print(f" {piece} {positive:.2f}", end="", soft_wrap=True)
            said.append({"piece": piece, "positive": positive})
        console.print()
        found["streams"].append({"language": language, "pieces": said})
    return found


def _adding(console: "Console") -> dict[str, Any]:
    from penstock.cli.demo_adding import CELLS, Settings, learn, verdict

    settings = Settings()
    console.print(
        f"\n2. The adding problem over {settings.steps} steps (Hochreiter and Schmidhuber 1997)", style="bold"
    )
    cells: dict[str, dict[str, Any]] = {}
    for cell in CELLS:
        with console.status(cell.upper()) as status:
            cells[cell] = found = learn(cell, settings, partial(_tell, status, cell))
        console.print(
            f"   {cell.upper():<5} mean squared error {found['error']:.4f} after {found['updates']} updates; "
            f"gradient {settings.steps - 1} steps back, before training: {found['gradient_before'][-1]:.0e}",
            soft_wrap=True,
        )
    return {"settings": asdict(settings), "cells": cells, "as_expected": verdict(cells, settings)}


def _tell(status: "Status", cell: str, updates: int, error: float) -> None:
    status.update(f"{cell.upper()}: {updates} updates, mean squared error {error:.4f}")


def _not_met(results: dict[str, Any]) -> list[str]:
    adding = results["adding"]
    missed = [
        f"the {cell.upper()}'s error on the adding problem is {adding['cells'][cell]['error']:.4f}"
        for cell, good in adding["as_expected"].items()
        if not good
    ]
    if not results["reviews"]["as_expected"]:
        missed.insert(0, "the classifier does not beat the commonest class")
    return missed
