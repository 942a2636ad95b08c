"""The spoken words on the demo's page: synthetic speech, classified and detected in a stream."""

from penstock.report.chart import chart
from penstock.report.figures import Figures, escape
from penstock.report.marks import Line
from penstock.report.page import mark, section
from penstock.report.scores import evaluation_table
from penstock.report.words import Words

__all__ = ["words_section"]


def words_section(figures: Figures) -> str:
    """Return the scores on voices that were not in training, and the keyword's score over a stream."""
    if not figures.get("words", "scores"):
        return ""
    return section(
        "Spoken words, from a synthesiser",
        "<p>No person speaks here: a small formant synthesiser says the words, in "
        f"{figures.number('words', 'rows', 'train')} recordings to learn from and "
        f"{figures.number('words', 'rows', 'test')} in other voices. They are easier than speech; how good the models "
        "are on people's recordings, the guide says.</p>",
        evaluation_table(figures, Words(), "Other voices", "AudioClassifier", ("words", "scores")),
        f"<p>By a paired test, better than the commonest class? {mark(bool(figures.get('words', 'as_expected')))}</p>",
        _stream(figures),
    )


def _stream(figures: Figures) -> str:
    stream = figures.get("words", "stream", default={})
    if not stream:
        return ""
    keyword = stream["keyword"]
    said = ", ".join(
        f"{figures.number('words', 'stream', 'said', k, 'seconds', form='.2f', unit=' s')}"
        for k, each in enumerate(stream["said"])
        if each["word"] == keyword
    )
    heard = ", ".join(
        figures.number("words", "stream", "heard", k, "seconds", form=".2f", unit=" s")
        for k in range(len(stream["heard"]))
    )
    drawn = chart(
        [Line(keyword, stream["seconds"], stream["scores"])],
        title=f"Score of “{keyword}” over a stream of words", x_label="seconds", y_label="score",
    )  # fmt: skip
    return (
        f"{drawn}<p>“{escape(keyword)}” was said until {said or 'never'}, and heard at {heard or 'no time'}; each "
        "should be heard near the time at which it ended, and nothing else. "
        f"{mark(bool(stream['as_expected']))}</p>"
    )
