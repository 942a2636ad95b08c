"""Plain text files, read in pieces that join to the whole text, in constant memory."""

import codecs
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from penstock.datasets.changes import change
from penstock.datasets.encodings import text_encoding, wrong_words
from penstock.datasets.files import opened
from penstock.errors import DataError

__all__ = ["stream_plain"]

_LOGGER = logging.getLogger(__name__)

_BYTES = 1 << 18
_PIECE, _LONGEST = 1 << 16, 1 << 20
"""Characters after which a piece ends: at the next end of a line within as many again, else at the next blank; a text
without any is cut after the longest piece."""

# White space belongs to what follows it, as in the tokens of every level, which a cut there leaves as they are.
_LINE_END, _WORD_END = re.compile(r"(?<=\S)(?=\r?\n)"), re.compile(r"(?<=\S)(?=[ \r\n])")


def stream_plain(path: Path, encoding: str | None = None) -> Iterator[str]:
    """Yield the text of a file in pieces; line breaks of Windows become plain ones, which is counted.

    Where a piece ends depends on the text alone. None is blank, unless the whole text is.

    Args:
        path: the file, plain or .gz.
        encoding: the encoding; None for UTF-8, unless a byte order mark names another.

    Raises:
        DataError: the file can't be read, or is not text in that encoding; the message names the line.
    """
    piece, breaks = "", 0
    with opened(path) as file:
        for following in _cut(_decoded(path, file, encoding)):
            if following.strip() and piece.strip():
                breaks += piece.count("\r\n")
                yield piece.replace("\r\n", "\n")
                piece = ""
            piece += following
    breaks += piece.count("\r\n")
    kind = "line breaks of Windows, read as plain ones"
    change(_LOGGER, kind, breaks, f"{path}: {breaks:,} line breaks are CR LF")
    yield piece.replace("\r\n", "\n")


def _cut(parts: Iterator[str]) -> Iterator[str]:
    """Yield the same text in pieces; the last one may be shorter, or empty."""
    text, start = "", 0
    for part in parts:
        text, start = text[start:] + part, 0
        while (end := _end(text, start)) > 0:
            yield text[start:end]
            start = end
    yield text[start:]


def _end(text: str, start: int) -> int:
    """Return where the piece from `start` on ends; 0 if that depends on what follows the text."""
    least, usual, most = start + _PIECE, start + 2 * _PIECE, start + _LONGEST
    if len(text) < usual:
        return 0
    found = _LINE_END.search(text, least, usual) or _WORD_END.search(text, least, most)
    if found:
        return found.start()
    return most if len(text) >= most else 0


def _decoded(path: Path, file: BinaryIO, encoding: str | None) -> Iterator[str]:
    """Yield the text as it is read."""
    start = file.read(4)
    name, mark = text_encoding(start, encoding)
    decoder, data, lines = codecs.getincrementaldecoder(name)(), start[mark:], 0
    is_more = True
    while is_more:
        more = file.read(_BYTES)
        is_more, data = bool(more), data + more
        try:
            text = decoder.decode(data, final=not is_more)
        except UnicodeDecodeError as error:
            raise DataError(wrong_words(path, error.object, name, error.start, lines)) from error
        if "\0" in text:
            raise DataError(wrong_words(path, data, name, data.find(b"\0"), lines))
        yield text
        data, lines = b"", lines + data.count(b"\n")
