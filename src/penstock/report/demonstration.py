"""The page of `penstock demo`, a pure function of its `demo.json`."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.report.chart import chart
from penstock.report.demo_forecast import forecast_section
from penstock.report.demo_words import words_section
from penstock.report.figures import Figures, escape
from penstock.report.marks import Line
from penstock.report.page import mark, page, section, table
from penstock.report.scores import evaluation_table
from penstock.report.words import Words

__all__ = ["render_demo"]

_CELLS = {"rnn": "plain RNN", "lstm": "LSTM", "gru": "GRU"}
_LANGUAGES = {"en": "English", "zh": "Chinese"}


def render_demo(results: Mapping[str, Any]) -> str:
    """Return the page as one HTML file.

    Every number on it is taken from `results`; the attribute `data-metric` of its element holds the JSON pointer.

    Args:
        results: `reviews` with `rows`, `scores`, `languages`, `streams`, `as_expected`; `sunspots` with `rows`,
            `horizon`, `origins`, `scores`, `fan`, `as_expected`; `words` with `rows`, `scores`, `stream`,
            `as_expected`; `adding` with `settings`, `cells`, `as_expected`; `seconds`, `penstock`. `scores` are results
            of `Model.evaluate`.
    """
    figures = Figures(results)
    lead = f"Computed in this run, in {figures.number('seconds', form=',.0f', unit=' s')} altogether."
    sections = [
        _reviews(figures),
        _streams(figures),
        forecast_section(figures),
        words_section(figures),
        _adding(figures),
        _gradients(figures),
    ]
    return page("Penstock demo", lead, sections)


def _reviews(figures: Figures) -> str:
    languages = ", ".join(
        f"{words} {figures.number('reviews', 'languages', language)}"
        for language, words in _LANGUAGES.items()
        if figures.get("reviews", "languages", language) is not None
    )
    return section(
        "Sentiment, in two languages at once",
        "<p>Short reviews in English and Chinese, written for this demo: "
        f"{figures.number('reviews', 'rows', 'train')} to learn from, "
        f"{figures.number('reviews', 'rows', 'test')} held back. So little text shows how the parts "
        "fit together, not how good the model is.</p>",
        evaluation_table(figures, Words(), "Held-back reviews", "LSTM", ("reviews", "scores")),
        f"<p>Accuracy by language: {languages}.</p>" if languages else "",
        _verdict(
            figures.get("reviews", "as_expected"),
            "By a paired test, better than the commonest class?",
        ),
    )


def _streams(figures: Figures) -> str:
    parts = []
    for index, stream in enumerate(figures.get("reviews", "streams", default=[])):
        pieces = "".join(_piece(figures, index, at) for at in range(len(stream["pieces"])))
        parts.append(f'<p class="pieces" dir="auto" lang="{escape(stream["language"])}">{pieces}</p>')
    if not parts:
        return ""
    words = "<p>Below each piece, the probability of a positive review once the model has read so far.</p>"
    return section("Answered as they stream in", words, *parts)


def _piece(figures: Figures, stream: int, at: int) -> str:
    place = ("reviews", "streams", stream, "pieces", at)
    return (
        f'<span style="--share:{figures.get(*place, "positive"):.3f}">{escape(figures.get(*place, "piece"))}'
        f"<small>{figures.number(*place, 'positive', form='.2f')}</small></span>"
    )


def _adding(figures: Figures) -> str:
    cells = [cell for cell in _CELLS if figures.get("adding", "cells", cell)]
    if not cells:
        return ""
    curves = [_curve(figures, cell, style) for style, cell in enumerate(cells)]
    rows = [
        (
            _CELLS[cell],
            [
                figures.number("adding", "cells", cell, "error", form=".4f"),
                figures.number("adding", "cells", cell, "updates"),
                figures.number("adding", "cells", cell, "seconds", form=".1f", unit=" s"),
                mark(bool(figures.get("adding", "as_expected", cell))),
            ],
        )
        for cell in cells
    ]
    return section(
        "The adding problem",
        _adding_words(figures),
        table(["Cell", "test error", "updates", "time", "as expected"], rows),
        chart(curves, title="Validation error", x_label="updates", y_label="mean squared error", log=True),
    )


def _adding_words(figures: Figures) -> str:
    steps, solved, unsolved = (
        figures.number("adding", "settings", name, form="g") for name in ("steps", "solved", "unsolved")
    )
    return (
        f"<p>Two of {steps} numbers are marked; the answer is their sum (Hochreiter and Schmidhuber, 1997). "
        "Who always answers one is wrong by a mean squared error of a sixth. The gated cells should come below "
        f"{solved}, the plain RNN stay above {unsolved}. Data, units, optimiser and limits are the same "
        "for all; the gates start as in Tallec and Ollivier (2018), and an RNN has none.</p>"
    )


def _curve(figures: Figures, cell: str, style: int) -> Line:
    points: Sequence[Sequence[float]] = figures.get("adding", "cells", cell, "curve", default=[])
    return Line(_CELLS[cell], [x for x, _ in points], [y for _, y in points], style)


def _gradients(figures: Figures) -> str:
    cells = [cell for cell in _CELLS if figures.get("adding", "cells", cell)]
    if not cells:
        return ""
    charts = [
        chart(
            [_reach(figures, cell, key, style) for style, cell in enumerate(cells)],
            title=title,
            x_label="steps back from the last one",
            y_label="gradient norm, relative",
            log=True,
        )
        for key, title in (("gradient_before", "Before training"), ("gradient_after", "After training"))
    ]
    last = {cell: len(figures.get("adding", "cells", cell, "gradient_before", default=[])) - 1 for cell in cells}
    rows = [
        (
            _CELLS[cell],
            [
                figures.number("adding", "cells", cell, key, last[cell], form=".1e")
                for key in ("gradient_before", "gradient_after")
            ],
        )
        for cell in cells
    ]
    return section(
        "The vanishing gradient, seen",
        "<p>How strongly the loss still depends on the state, the further back one looks: the norm of its "
        "gradient with respect to the state, relative to that of the last step, computed in this run by the "
        "engine.</p>",
        f'<div class="charts">{"".join(charts)}</div>',
        table(["At the first step", "before training", "after training"], rows),
    )


def _reach(figures: Figures, cell: str, key: str, style: int) -> Line:
    norms = figures.get("adding", "cells", cell, key, default=[])
    return Line(_CELLS[cell], range(len(norms)), norms, style)


def _verdict(as_expected: object, expectation: str) -> str:
    return f"<p>{escape(expectation)} {mark(bool(as_expected))}</p>"
