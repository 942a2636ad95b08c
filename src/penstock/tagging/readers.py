"""Reads sentences of tokens with their tags from files; `forms` says which forms there are."""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from penstock.datasets.changes import change, counted
from penstock.datasets.finding import find_column, say_found
from penstock.datasets.layout import DETECT, Layout
from penstock.datasets.readers import first_rows, read_table, read_text
from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.registry import Columns
from penstock.tagging.forms import WANTED, Form, find_form, find_place, marked_lines, words_of
from penstock.tagging.schemes import SCHEMES, Chunk, write_chunks

__all__ = ["file_text", "read_tag_rows", "read_tags", "text_tags"]

_LOGGER = logging.getLogger(__name__)
_LONGEST = 1000
"""Characters of a token; longer ones are lines of text that nobody has split."""
_POSITION = re.compile(r"(\D+|.)(\d{1,2})")

Sentences = tuple[list[Any], list[list[str]] | None]


def read_tags(
    path: str | Path,
    *,
    column: str | None = None,
    token: str | None = None,
    form: str | None = None,
    answers: bool = True,
    layout: Layout = DETECT,
) -> Rows:
    """Read sentences of tokens and their tags.

    Args:
        path: the file, plain or gzipped.
        column: the column of tags: its name or, in a file of lines, its number from 1; None for the last one, `upos` of
            CoNLL-U, and `tags` of JSON or the only column of lists beside the tokens.
        token: the same for the tokens; None for the first one, `form` of CoNLL-U, `tokens` of JSON.
        form: "columns", "conllu", "text" or "json"; None to detect it.
        answers: False to read tokens alone; each line of a text is then one sentence as it is.
        layout: the encoding of a text file.

    Returns:
        Rows: `inputs`, a list of tokens for each sentence; `answers`, their tags. Of text, inputs are characters, and
        tags of the scheme BMES say where its words end.

    Raises:
        DataError: the file can't be read, has no sentence, or a line with another number of columns (the message names
            it), without a tag, or with a token of over 1,000 characters.
        ConfigError: an unknown form.
    """
    path = Path(path)
    with counted() as changed:
        text = file_text(path, layout)
        found = find_form(path, text, form, answers=answers)
        if found.kind == "json":
            inputs, tags = _read_json(path, column, token, answers, layout)
        elif found.kind == "text":
            inputs, tags = _read_words(path, text) if answers else (_filled_lines(text), None)
        else:
            inputs, tags = _read_columns(path, text, found, column, token, answers)
    if not inputs:
        raise DataError(f"{path}: has no sentence")
    kept = {"form": "text"} if found.kind == "text" and answers else {}
    return Rows(inputs, tags, changed=dict(changed), columns=kept)


def read_tag_rows(path: Path, columns: Columns, answers: bool) -> Rows:
    """Read the sentences of a file by the columns of the task."""
    return read_tags(
        path,
        column=columns.get("column"),
        token=columns.get("token"),
        form=columns.get("form"),
        answers=answers,
        layout=Layout(encoding=columns.get("encoding")),
    )


def file_text(path: Path, layout: Layout) -> str:
    """Return the text of a file; empty for a table, which `read_table` reads."""
    is_table = path.name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson", ".json", ".parquet"))
    return "" if is_table else read_text(path, layout)


def text_tags(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the characters of words, and tags of the scheme BMES that say where the words end.

    Examples:
        >>> text_tags(["中国", "人"])
        (['中', '国', '人'], ['B', 'E', 'S'])
    """
    several = list(words)
    characters = list("".join(several))
    found, start = [], 0
    for word in several:
        found.append(Chunk("", start, start + len(word)))
        start += len(word)
    return characters, SCHEMES["BMES"].from_inner(write_chunks(found, start))


def _read_columns(path: Path, text: str, form: Form, column: str | None, token: str | None, answers: bool) -> Sentences:
    """Read the tokens and tags of a file in columns or CoNLL-U."""
    universal = form.kind == "conllu"
    at = find_place(path, form, token, form.names.index("form") if "form" in form.names else 0)
    tag_at = find_place(path, form, column or ("upos" if universal else None), -1) if answers else at
    if answers and at == tag_at:
        raise DataError(
            f"{path}: has tokens without tags: {form.width} {'column' if form.width == 1 else 'columns'}, and the "
            f"column of tags must not be that of the tokens. Expected a token and its tags on each line"
        )
    inputs: list[list[str]] = [[]]
    tags: list[list[str]] = [[]]
    left_out: Counter[str] = Counter()
    for number, line, cells, kind in marked_lines(text, form):
        if cells is None:
            left_out[kind] += 1
            if kind in ("end", "document marks") and inputs[-1]:
                inputs.append([])
                tags.append([])
            continue
        if len(cells) != form.width:
            raise DataError(_misaligned(path, number, line, len(cells), form))
        if not cells[at] or not cells[tag_at] or len(cells[at]) > _LONGEST:
            raise DataError(_unusable(path, number, cells[at], cells[tag_at]))
        inputs[-1].append(cells[at])
        tags[-1].append(cells[tag_at])
    if not inputs[-1]:
        del inputs[-1], tags[-1]
    if answers and form.tabs and (_are_texts(inputs) or _are_texts(tags)):
        raise DataError(f"{path}: {WANTED}. Most of its lines have texts of several words between tabs")
    for kind in ("document marks", "multiword tokens", "empty nodes"):
        change(_LOGGER, f"{kind}, left out", left_out[kind], f"{path}: {left_out[kind]:,} {kind} left out")
    inputs = _without_positions(path, inputs)
    if answers:
        names = form.names if len(form.names) == form.width else [str(place + 1) for place in range(form.width)]
        say_found(f"{path}: ", {"tokens": names[at], "tags": names[tag_at]})
    return inputs, tags if answers else None


def _are_texts(sentences: Sequence[Sequence[str]]) -> bool:
    """Whether most of what should be tokens, or tags, are texts of several words."""
    cells = [cell for sentence in sentences for cell in sentence]
    return 2 * sum(" " in cell.strip() for cell in cells) > len(cells)


def _misaligned(path: Path, number: int, line: str, width: int, form: Form) -> str:
    split = "tabs" if form.tabs else "blanks"
    lone = "" if width > 1 else " Is a tag missing?"
    return (
        f"{path}, line {number}: must have {form.width} columns split at {split}, like the other lines; got {width}: "
        f"{line!r:.60}.{lone}"
    )


def _unusable(path: Path, number: int, token: str, tag: str) -> str:
    if len(token) > _LONGEST:
        return (
            f"{path}, line {number}: a token must have at most {_LONGEST:,} characters; got {len(token):,}, starting "
            f"with {token[:20]!r}. Is it a text that isn't split into tokens?"
        )
    return f"{path}, line {number}: must have a token and a tag; got {token!r:.40} and {tag!r:.40}"


def _without_positions(path: Path, sentences: list[list[str]]) -> list[list[str]]:
    """Return characters without the digits of their places in a word, as the Weibo corpus has them."""
    found = [[_POSITION.fullmatch(token) for token in sentence] for sentence in sentences[:100]]
    first = [each[0][2] == "0" for each in found if all(each) and each[0] is not None]
    if not found or len(first) < len(found) or not any(first):
        return sentences
    cut = [[match[1] if (match := _POSITION.fullmatch(token)) else token for token in each] for each in sentences]
    change(
        _LOGGER,
        "characters with the digits of their places in words, cut off",
        sum(map(len, cut)),
        f"{path}: cutting off the digits behind each character, which are its place in a word",
    )
    return cut


def _read_words(path: Path, text: str) -> Sentences:
    """Read the characters of text whose words are separated by blanks, and tags for the words' ends."""
    sentences: list[tuple[list[str], list[str]]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        words = words_of(line.rstrip("\r"))
        if words and max(map(len, words)) > _LONGEST:
            raise DataError(_unusable(path, number, max(words, key=len), "word"))
        if words:
            sentences.append(text_tags(words))
    if all("B" not in tags and "M" not in tags for _, tags in sentences):
        raise DataError(f"{path}: each of its words has one character. Expected text with blanks between whole words")
    if all(tags.count("E") + tags.count("S") <= 1 for _, tags in sentences):
        raise DataError(
            f"{path}: has no tags: expected a token and its tags on each line, or text with blanks between words"
        )
    _LOGGER.info("%s: text with blanks between words, read as tags of characters", path)
    return [characters for characters, _ in sentences], [tags for _, tags in sentences]


def _filled_lines(text: str) -> list[str]:
    return [line for each in text.split("\n") if (line := each.strip(" \t\r"))]


def _read_json(path: Path, column: str | None, token: str | None, answers: bool, layout: Layout) -> Sentences:
    """Read the lists of tokens and tags of JSON or Parquet."""
    head = first_rows(path, layout)
    names = {"tokens": token or _list_column(path, head, [], "tokens", "--token")}
    if answers:
        names["tags"] = column or _list_column(path, head, names.values(), "tags", "--column")
        say_found(f"{path}: ", names)
    table = read_table(path, list(names.values()), layout)
    inputs = [_texts(path, row, names["tokens"], each) for row, each in enumerate(table[names["tokens"]], start=1)]
    tags = None
    if answers:
        tags = [_texts(path, row, names["tags"], each) for row, each in enumerate(table[names["tags"]], start=1)]
        for row, (tokens, its) in enumerate(zip(inputs, tags, strict=True), start=1):
            if len(tokens) != len(its):
                raise DataError(
                    f"{path}, row {row}: must have a tag for each token; got {len(tokens)} tokens and {len(its)} tags"
                )
    filled = [row for row, tokens in enumerate(inputs) if tokens] if answers else range(len(inputs))
    count = len(inputs) - len(filled)
    change(_LOGGER, "rows without tokens, left out", count, f"{path}: {count:,} rows without tokens left out")
    return [inputs[row] for row in filled], None if tags is None else [tags[row] for row in filled]


def _list_column(path: Path, head: Any, taken: Iterable[str], usual: str, flag: str) -> str:
    """Return the column of lists that is called as usual, or the only one of strings or numbers."""

    def fits(values: Sequence[Any]) -> bool:
        given = [value for value in values if value]
        return bool(given) and all(isinstance(value, list) and isinstance(value[0], str | int) for value in given)

    try:
        return find_column(head, taken, fits, usual=usual, what=f"lists of {usual}", flag=flag)
    except DataError as error:
        raise DataError(f"{path}: {error} Tagged rows have a list of tokens and a list of their tags.") from error


def _texts(path: Path, row: int, name: str, values: Any) -> list[str]:
    """Return a row's tokens or tags; numbers are written as text."""
    wanted = f"{path}, row {row}: {name} must be a list of texts"
    if not isinstance(values, list):
        raise DataError(f"{wanted}; got {values!r:.60}")
    for value in values:
        if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
            raise DataError(f"{wanted}, none of them empty; got {value!r:.60} among them")
        if len(str(value)) > _LONGEST:
            raise DataError(f"{wanted} of at most {_LONGEST:,} characters; got one of {len(str(value)):,}")
    return list(map(str, values))
