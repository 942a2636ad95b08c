"""`penstock compare`: two models on the same data."""

import json
import logging
from pathlib import Path
from typing import Any

import click

from penstock.cli.answers import check_answer_file, write_answers, written_whole
from penstock.cli.columns import saved_columns, several_tasks_files, several_tasks_options
from penstock.cli.command import argument, command, option
from penstock.cli.inputs import load_model, read_data
from penstock.cli.paths import check_new_file
from penstock.cli.scores import show_scores
from penstock.cli.values import PATH
from penstock.console import printable
from penstock.errors import ConfigError
from penstock.events import say
from penstock.report import LANGUAGES, metric_words, readable
from penstock.shards import Shards
from penstock.tasks import find

_LOGGER = logging.getLogger("penstock.cli")


@command(
    "compare",
    example="penstock compare sentiment sentiment-gru reviews.csv --report compare.html",
    params=several_tasks_options(answers=True),
)
@argument("first", metavar="A", type=PATH, help="A trained model's folder.")
@argument("second", metavar="B", type=PATH, help="Another one's, for the same task.")
@argument("data", metavar="DATA", type=PATH, help="Labelled data in the same form as in training.")
@several_tasks_files
@option("--out", type=PATH, help="Where the models disagree: a .csv, .tsv, .jsonl or .parquet file.")
@option("--report", type=PATH, help="The comparison as an HTML page.")
@option("--language", type=click.Choice(list(LANGUAGES)), help="Language of the page; default: that of the locale.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def compare(
    first: Path,
    second: Path,
    data: Path,
    out: Path | None,
    report: Path | None,
    language: str | None,
    as_json: bool,
    **columns: Any,
) -> None:
    """Compare two models of one task: scores with paired tests, calibration, speed, size, and where they disagree."""
    check_answer_file(out)
    if report is not None:
        check_new_file(report)
    a, b = load_model(first), load_model(second)
    if a.task != b.task:
        raise ConfigError(f"{first} is a model for {a.task} and {second} one for {b.task}. Compare models of one task.")
    task = find(a.task)
    chosen = [saved_columns(task, model, columns) for model in (a, b)]
    rows = _in_memory(read_data(task, data, chosen[0], answers=True))
    # Models of one task may read other columns, such as other covariates.
    theirs = None if chosen[0] == chosen[1] else _in_memory(read_data(task, data, chosen[1], answers=True)).inputs
    from penstock.inspection import compare as compared

    say(_LOGGER, "measuring", "measuring both models")
    found = compared(a, b, rows.inputs, rows.answers, b_inputs=theirs, names=(str(first), str(second)))
    if out is not None:
        write_answers(found.disagreements, out)
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(report) as page:
            found.report(page, language=language)
    if as_json:
        print(json.dumps(found.figures, ensure_ascii=False))
    else:
        _show(found.figures, out, report)


def _in_memory(rows: Any) -> Any:
    """Return rows in memory, where the page needs their texts."""
    return rows.loaded() if isinstance(rows, Shards) else rows


def _show(figures: dict[str, Any], out: Path | None, report: Path | None) -> None:
    for side, model in figures["models"].items():
        size = f"{model['parameters']:,} parameters, {model['bytes']:,} bytes"
        speed = figures["speed"][side]["per_second"]
        print(f"{side.upper()}: {printable(model['name'])}, {size}, {speed:,.0f} predictions per second")
    ratio = figures["speed"]["ratio"]
    ends = " to ".join(f"{end:.2f}" for end in ratio["range"])
    print(f"A is {ratio['value']:.2f} times as fast as B ({ends} in half of {figures['speed']['rounds']} rounds)\n")
    show_scores(
        {side.upper(): each for side, each in figures["metrics"].items()},
        {side.upper(): each for side, each in figures["interval"].items()},
    )
    for name, verdict in figures["verdict"].items():
        print(f"{metric_words(name)}: {_judged(verdict, figures['difference'][name])}")
    print(f"(95 % intervals over {figures['units']} independent cases; paired tests at the 5 % level)\n")
    if test := figures["mcnemar"]:
        print(f"right only by A: {test['only_a']:,} rows, only by B: {test['only_b']:,} (McNemar: p = {test['p']:.4f})")
    if calibration := figures["calibration"]:
        errors = ", ".join(f"{side.upper()} {each['ece']:.3f}" for side, each in calibration.items())
        print(f"expected calibration error: {errors}")
    apart = figures["disagreements"]
    print(f"the models disagree on {apart['rows']:,} of {figures['rows']:,} rows{f': {out}' if out else ''}")
    if report:
        print(f"The report: {report}")


def _judged(verdict: str, difference: dict[str, Any]) -> str:
    words = {"better": "A is better", "worse": "A is worse"}.get(verdict, verdict)
    ends = difference["interval"]
    interval = "" if ends is None else f" [{', '.join(map(readable, ends))}]"
    p = "" if difference["p"] is None else f", p = {difference['p']:.4f}"
    return f"{words} (A − B: {readable(difference['value'])}{interval}{p})"
