"""Forms of files of tagged sentences: which one a file has, and what each of its lines is.

`columns`   a token a line, with columns split at tabs or blanks, and an empty line after each sentence
`conllu`    the same with ten columns by tabs, as Universal Dependencies has them
`text`      a sentence a line; to train, its words are separated by blanks
`json`      rows with a list of tokens and a list of tags, in JSON or Parquet
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from penstock.checks import check_one_of
from penstock.errors import DataError

__all__ = ["FORMS", "WANTED", "Form", "Line", "find_form", "find_place", "marked_lines", "words_of"]

FORMS = ("columns", "conllu", "text", "json")
WANTED = (
    "must hold tagged sentences: a token and its tags on each line, and an empty line after each sentence; or CoNLL-U, "
    "JSON lines with tokens and tags, or text with blanks between words"
)
_TABLES = (".jsonl", ".ndjson", ".json", ".parquet")
_NOT_TAGGED = (".csv", ".xlsx", ".xls", ".ods", ".zip", ".wav", ".flac", ".ts")
_UNIVERSAL = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_CONLL = {3: ("form", "pos", "chunk"), 4: ("form", "pos", "chunk", "ner")}
"""The columns of CoNLL-2000 and CoNLL-2003."""

_WORDS = re.compile(r"[^ \t]+")
_SPECIAL = re.compile(r"\d+([-.])\d+")
_NUMBERED = re.compile(r"\d+(?:[-.]\d+)?\t")
_NAMED_COLUMNS = re.compile(r"# ?global\.columns ?= ?(.+)")
_REMARK = re.compile(r"#(?:\s*[\w.:-]+\s*=|\s*(?:id|newdoc|newpar)\b)")
_HEAD, _SHARE = 1000, 0.8


@dataclass(frozen=True)
class Form:
    """How the lines of a file are read.

    Attributes:
        kind: one of `FORMS`.
        names: names of the columns, as far as they are known.
        tabs: whether tabs separate columns; otherwise blanks do.
        width: number of columns.
    """

    kind: str
    names: tuple[str, ...] = ()
    tabs: bool = False
    width: int = 0

    def cells(self, line: str) -> list[str]:
        """Split a line into its columns."""
        return line.split("\t") if self.tabs else words_of(line)


class Line(NamedTuple):
    """A line of a file in columns.

    number: from 1
    text: without its end
    cells: the columns of a token; None for any other line
    kind: "token"; "end" of a sentence; or what is left out: "comments", "document marks", "multiword tokens", "empty
        nodes"
    """

    number: int
    text: str
    cells: list[str] | None
    kind: str


def words_of(text: str) -> list[str]:
    """Split a text at blanks and tabs alone: other white space, such as the ideographic space, may be a token."""
    return _WORDS.findall(text)


def find_form(path: Path, text: str, given: str | None = None, *, answers: bool = True) -> Form:
    """Return the form of a file.

    Args:
        path: its name; the endings of JSON, Parquet and CoNLL-U decide.
        text: what it holds; for JSON and Parquet it isn't read.
        given: one of `FORMS`; None to detect it.
        answers: whether there must be tags.

    Raises:
        ConfigError: an unknown form.
        DataError: the file is empty, or holds another kind of data.
    """
    if given is not None:
        check_one_of("form", given, FORMS)
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(_TABLES):
        return Form("json")
    if not text.strip():
        raise DataError(f"{path}: is empty; expected a token and its tags on each line")
    if name.endswith(_NOT_TAGGED):
        raise DataError(f"{path}: {WANTED}")
    if (named := _NAMED_COLUMNS.match(text)) is not None:
        names = tuple(each.lower() for each in words_of(named[1]))
        return Form("columns", names, tabs=True, width=len(names))
    if name.endswith((".conllu", ".conll-u")) or given == "conllu":
        return Form("conllu", _UNIVERSAL, tabs=True, width=len(_UNIVERSAL))
    if given in ("text", "json"):
        return Form(given)
    return _seen_form(text, given, answers=answers)


def _seen_form(text: str, given: str | None, *, answers: bool) -> Form:
    """Detect the form from the first lines."""
    lines = list(islice((line.rstrip("\r\n") for line in _line_starts(text)), _HEAD))
    filled = [line for line in lines if line.strip(" \t") and not line.startswith(("-DOCSTART-", "#"))]
    filled = filled or [line for line in lines if line.strip(" \t")]
    tabs = "\t" in filled[0]
    if given is None and _NUMBERED.match(filled[0]) and filled[0].count("\t") == len(_UNIVERSAL) - 1:
        return Form("conllu", _UNIVERSAL, tabs=True, width=len(_UNIVERSAL))
    width, count = Counter(len(line.split("\t") if tabs else words_of(line)) for line in filled).most_common(1)[0]
    # Tokens alone, to predict for, have empty lines between sentences, which lines of text do not have.
    alone = width == 1 and (answers or len(filled) == len(lines))
    if given == "columns" or tabs or (count >= _SHARE * len(filled) and not (alone and given is None)):
        return Form("columns", _CONLL.get(width, ("form",)), tabs=tabs, width=width)
    return Form("text")


def _line_starts(text: str) -> Iterator[str]:
    """Yield lines as they end in files; `str.splitlines` also splits at characters that may be tokens."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start:end].removesuffix("\r")
        start = end + 1


def find_place(path: Path, form: Form, named: str | None, default: int) -> int:
    """Return the place of a column, from 0.

    Args:
        path: the file, for messages.
        form: its form.
        named: a name of a column, or its number, from 1; None for the default.
        default: a place, from 0; -1 for the last one.

    Raises:
        DataError: there is no such column.
    """
    if named is None:
        return default if default >= 0 else form.width - 1
    wanted = named.strip().lower()
    if wanted.isdecimal() and 1 <= int(wanted) <= form.width:
        return int(wanted) - 1
    if wanted in form.names:
        return form.names.index(wanted)
    if not wanted.isdecimal() and form.kind == "columns" and form.width == 2 and default == -1:
        return 1  # a token and its tag, whatever it is called
    known = f" ({', '.join(form.names)})" if len(form.names) == form.width else ""
    raise DataError(
        f"{path}: has no column {named!r:.40}; it has {form.width}{known}. Name a column, or give its number from 1"
    )


def marked_lines(text: str, form: Form) -> Iterator[Line]:
    """Yield each line of a file in columns or CoNLL-U with what it is; the columns of a token are not yet counted."""
    inside = False
    for number, line in enumerate(_line_starts(text), start=1):
        cells = form.cells(line) if line.strip(" \t\r") or (form.tabs and "\t" in line) else None
        kind = "end" if cells is None else _kind(line, cells, form, inside=inside)
        inside = inside if kind == "comments" else kind not in ("end", "document marks")
        yield Line(number, line, cells if kind == "token" else None, kind)


def _kind(line: str, cells: Sequence[str], form: Form, *, inside: bool) -> str:
    if form.kind == "conllu":
        if line.startswith("#"):
            return "comments"
        apart = _SPECIAL.fullmatch(cells[0])
        return "token" if apart is None else "multiword tokens" if apart[1] == "-" else "empty nodes"
    if line.startswith("-DOCSTART-"):
        return "document marks"
    # Where a sentence may start, `#` may be a token, or begin a remark.
    if line.startswith("#") and not inside and (len(cells) != form.width or _REMARK.match(line)):
        return "comments"
    return "token"
