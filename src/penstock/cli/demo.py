"""`penstock demo`: text classification, forecasts, spoken words and the vanishing gradient, live on one page."""

import json
import logging
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock import __version__
from penstock.cli.command import command, option
from penstock.cli.paths import check_new_folder
from penstock.cli.values import PATH
from penstock.errors import PenstockError
from penstock.events import Steps, say
from penstock.folders import whole_file
from penstock.locks import held

if TYPE_CHECKING:
    from rich.console import Console

_LOGGER = logging.getLogger("penstock.cli")
_RESULTS, _PAGE = "demo.json", "report.html"
_MODELS = _SENTIMENT, _SUNSPOTS, _WORDS = "sentiment", "sunspots", "words"


@command("demo", example="penstock demo --out demo-output")
@option("--out", type=PATH, default="demo-output", help="The folder to write; an earlier demo's is written over.")
def demo(out: Path) -> None:
    """Train a classifier of texts, a forecaster and a classifier of sounds, then see the vanishing gradient.

    Takes about a minute on two cores and writes one HTML page, and the models. Exits with 1 if something came out
    otherwise than it should.
    """
    check_new_folder(out, overwrite=_holds_a_demo(out))
    with held(out, "another demo writes there now. Wait for its end, or choose another --out."):
        _demonstrate(out)


def _demonstrate(out: Path) -> None:
    from rich.console import Console

    from penstock.report import render_demo

    out.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, markup=False)
    started = time.perf_counter()
    results: dict[str, Any] = {"penstock": __version__, "reviews": _sentiment(console, out / _SENTIMENT)}
    results["sunspots"] = _forecast(console, out / _SUNSPOTS)
    results["words"] = _words(console, out / _WORDS)
    results["adding"] = _adding(console)
    results["seconds"] = time.perf_counter() - started
    say(_LOGGER, "writing", f"writing {out / _PAGE}", path=str(out / _PAGE))
    for name, text in ((_PAGE, render_demo(results)), (_RESULTS, json.dumps(results, ensure_ascii=False, indent=1))):
        with whole_file(out / name) as new:
            new.write_text(text, encoding="utf-8")
    console.print(f"\nThe report: {(out / _PAGE).absolute()}", soft_wrap=True)
    if not_met := _not_met(results):
        raise PenstockError(f"the demo ran, but not all came out as it should: {'; '.join(not_met)}")


def _holds_a_demo(out: Path) -> bool:
    """Return whether a folder contains only the output of an earlier, possibly interrupted, demo."""
    return out.is_dir() and {path.name for path in out.iterdir()} <= {_RESULTS, _PAGE, *_MODELS}


def _sentiment(console: "Console", folder: Path) -> dict[str, Any]:
    from penstock.cli.demo_sentiment import SENTENCES, answers_as_they_come, learn, measure

    console.print("1. Sentiment of short reviews, English and Chinese, written for this demo", style="bold")
    model = learn(folder)
    found = measure(model)
    rows = found["rows"]
    console.print(f"   learned from {rows['train']}; accuracy on {rows['test']} held back:")
    _tell_scores(console, found["scores"], "LSTM", "accuracy", ".3f")
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


def _forecast(console: "Console", folder: Path) -> dict[str, Any]:
    from penstock.cli.demo_forecast import learn, measure

    console.print("\n2. Yearly sunspot numbers, forecast", style="bold")
    found = measure(learn(folder))
    console.print(f"   mean absolute error over {found['origins']} origins held back, {found['horizon']} years ahead:")
    _tell_scores(console, found["scores"], "Forecaster", "mae", ".1f")
    return found


def _words(console: "Console", folder: Path) -> dict[str, Any]:
    from penstock.cli.demo_words import learn, listen, measure

    console.print("\n3. Words that a synthesiser says, no person", style="bold")
    model = learn(folder)
    found = measure(model)
    console.print(f"   accuracy on {found['rows']['test']} recordings in other voices:")
    _tell_scores(console, found["scores"], "AudioClassifier", "accuracy", ".3f")
    found["stream"] = listen(model)
    heard = ", ".join(f"{each['seconds']:.2f} s" for each in found["stream"]["heard"]) or "no time"
    console.print(f"   “{found['stream']['keyword']}” heard in a stream of words at {heard}")
    return found


def _tell_scores(console: "Console", scores: dict[str, Any], model: str, metric: str, form: str) -> None:
    """Print a score of the model and of each baseline, with the verdict of the paired test."""
    from penstock.report import baseline_words

    console.print(f"   {model:<28} {scores['metrics'][metric]:{form}}")
    for name, each in scores["baselines"].items():
        verdict = scores["baseline_verdicts"][name][metric]
        console.print(f"   {baseline_words(name):<28} {each[metric]:{form}}   the model: {verdict}", soft_wrap=True)


def _adding(console: "Console") -> dict[str, Any]:
    from penstock.cli.demo_adding import CELLS, Settings, learn, verdict

    settings = Settings()
    console.print(
        f"\n4. The adding problem over {settings.steps} steps (Hochreiter and Schmidhuber 1997)", style="bold"
    )
    cells: dict[str, dict[str, Any]] = {}
    for cell in CELLS:
        with Steps(_LOGGER, cell.upper(), settings.updates, "updates") as steps:
            cells[cell] = found = learn(cell, settings, partial(_tell, steps))
        console.print(
            f"   {cell.upper():<5} mean squared error {found['error']:.4f} after {found['updates']} updates; "
            f"gradient {settings.steps - 1} steps back, before training: {found['gradient_before'][-1]:.0e}",
            soft_wrap=True,
        )
    return {"settings": asdict(settings), "cells": cells, "as_expected": verdict(cells, settings)}


def _tell(steps: Steps, updates: int, error: float) -> None:
    steps.advance(updates - steps.done, detail=f"{updates} updates, mean squared error {error:.4f}")


def _not_met(results: dict[str, Any]) -> list[str]:
    adding = results["adding"]
    missed = [
        f"the {cell.upper()}'s error on the adding problem is {adding['cells'][cell]['error']:.4f}"
        for cell, good in adding["as_expected"].items()
        if not good
    ]
    expected = {
        "the classifier is not better than the commonest class": results["reviews"]["as_expected"],
        "the forecasts are not better than the last value, or worse than others": results["sunspots"]["as_expected"],
        "the words are not told apart better than by the commonest class": results["words"]["as_expected"],
        "the keyword is not found in the stream as it was said": results["words"]["stream"]["as_expected"],
    }
    return [words for words, good in expected.items() if not good] + missed
