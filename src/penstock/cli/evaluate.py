"""`penstock evaluate`: metrics of a saved model and its baseline on labelled data."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.cli.columns import (
    saved_columns,
    several_tasks_files,
    several_tasks_options,
    several_tasks_settings,
    split_settings,
)
from penstock.cli.command import argument, command, option
from penstock.cli.inputs import load_model, read_data
from penstock.cli.scores import say_verdict, show_classes, show_scores, show_speakers
from penstock.cli.values import PATH
from penstock.datasets.changes import counted
from penstock.datasets.rows import Rows
from penstock.events import say
from penstock.shards import Shards
from penstock.tasks import find

if TYPE_CHECKING:
    from penstock.runtime import Model

_LOGGER = logging.getLogger("penstock.cli")
_BESIDE = ("baseline", "baseline_intervals", "verdict", "difference", "baseline_verdicts")
_MEASURING = attrgetter("measuring")
_FIGURES = ("metrics", "interval", *_BESIDE, "units", "per_class", "speakers")


@command(
    "evaluate",
    example="penstock evaluate sentiment reviews.csv --json",
    params=[*several_tasks_settings(_MEASURING), *several_tasks_options(answers=True)],
)
@argument("model", metavar="DIR", type=PATH, help="A trained model's folder.")
@argument(
    "data",
    metavar="DATA",
    type=PATH,
    help="Labelled data in the same form as in training; of texts also a folder or an address, read file by file.",
)
@several_tasks_files
@option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def evaluate(model: Path, data: Path, as_json: bool, **options: Any) -> None:
    """Evaluate a model and its baseline, which was fitted on the same training data, on labelled data."""
    from penstock.bundle import plain
    from penstock.report import baseline_words

    loaded = load_model(model)
    task = find(loaded.task)
    columns, settings = split_settings(task, options, _MEASURING)
    rows = read_data(task, data, saved_columns(task, loaded, columns), answers=True)
    say(_LOGGER, "measuring", "measuring the network and its baselines")
    if isinstance(rows, Shards):
        found, counts = _by_blocks(loaded, rows, settings)
    else:
        found = loaded.evaluate(rows.inputs, rows.answers, **settings)
        counts = {"dropped": rows.dropped, "changed": getattr(rows, "changed", {})}
    if as_json:
        print(json.dumps(plain({name: found[name] for name in _FIGURES if name in found} | counts)))
        return
    _say_dropped(counts["dropped"])
    words = {name: baseline_words(name) for name in found["baselines"]}
    show_scores(
        {"model": found["metrics"]} | {words[name]: each for name, each in found["baselines"].items()},
        {"model": found["interval"]} | {words[name]: each for name, each in found["baseline_intervals"].items()},
    )
    show_classes(found.get("per_class", ()))
    show_speakers(found.get("speakers", ()))
    say_verdict(found["verdict"], next(iter(words.values()), ""), found["units"])


def _by_blocks(
    model: "Model", rows: Shards, settings: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, dict[str, int]]]:
    """Evaluate rows that stay in their files; return the figures, and what was dropped and changed."""
    rows.check()
    dropped: Counter[str] = Counter()

    def blocks() -> Iterator[Rows]:
        for block in rows.rows("measuring", _LOGGER):
            dropped.update(block.dropped)
            yield block

    with counted() as changed:
        found = model.evaluate_blocks(blocks(), **settings)
    return found, {"dropped": dict(dropped), "changed": dict(changed)}


def _say_dropped(dropped: Mapping[str, int]) -> None:
    if dropped:
        print("left out: " + ", ".join(f"{count} rows with {reason}" for reason, count in dropped.items()))
