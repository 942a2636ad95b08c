"""Tagged sentences as lines: a token and its tag, or words between blanks; and files with their tags filled in."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from penstock.datasets.layout import Layout
from penstock.registry import Columns
from penstock.tagging.forms import Form, find_form, find_place, marked_lines
from penstock.tagging.readers import file_text

__all__ = ["as_lines", "rewritten"]


def as_lines(answer: Mapping[str, Any]) -> str:
    """Return a sentence as text: its words between blanks, if tags say where words end, else a token and tag a line.

    Examples:
        >>> as_lines({"tokens": ["中", "国", "人"], "tags": ["B", "E", "S"], "words": ["中国", "人"]})
        '中国 人'
        >>> as_lines({"tokens": ["Ada", "sings"], "tags": ["NOUN", "VERB"]})
        'Ada\\tNOUN\\nsings\\tVERB\\n'
    """
    if "words" in answer:
        return " ".join(answer["words"])
    return "".join(f"{token}\t{tag}\n" for token, tag in zip(answer["tokens"], answer["tags"], strict=True))


def rewritten(path: Path, columns: Columns, answers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of a file with predictions.

    CoNLL-U gets its column of tags filled in. In other columns the tag is one more, the last; if the column before it
    has the true tags, that is what conlleval reads. All other lines are kept as they are.

    Args:
        path: the file that was read.
        columns: how it was read.
        answers: the predictions for its sentences, in order.
    """
    text = file_text(path, Layout(encoding=columns.get("encoding")))
    form = find_form(path, text, columns.get("form"), answers=False)
    if form.kind in ("text", "json"):
        yield from (as_lines(answer) for answer in answers)
        return
    tags = (tag for answer in answers for tag in answer["tags"])
    for _, line, cells, kind in marked_lines(text, form):
        yield line if kind != "token" or cells is None else _filled(path, form, columns, cells, next(tags))


def _filled(path: Path, form: Form, columns: Columns, cells: list[str], tag: str) -> str:
    if form.kind == "conllu":
        cells[find_place(path, form, columns.get("column") or "upos", -1)] = tag
        return "\t".join(cells)
    return ("\t" if form.tabs or form.width == 1 else " ").join([*cells, tag])
