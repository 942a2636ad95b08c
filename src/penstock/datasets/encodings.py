"""Decoding of text: by a byte order mark, the given encoding, or UTF-8.

The encoding is not guessed from the text, because many encodings decode the same bytes without an error. Text that is
not UTF-8 raises an error that shows the line in common encodings, for the user to choose from.
"""

import codecs
from pathlib import Path

from penstock.errors import ConfigError, DataError

__all__ = ["as_utf8", "check_encoding", "first_text", "text_encoding", "wrong_words"]

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16's, which it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    b"\x84\x31\x95\x33": "gb18030",
}
_TRIED = ("gb18030", "cp1252", "big5", "shift_jis", "euc_kr", "cp1251", "latin-1")
"""Encodings to suggest, in this order."""
_WITHOUT_MARK = {"utf-8": "utf-8", "utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""What Python's names mean of text without a byte order mark; little-endian, as on almost all machines."""
_NOT_OF_FILES = ("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape")
_MOST_OFFERED = 4
_TRIED_BYTES = 1 << 20
_SHOWN = 40
"""Number of bytes of a line that are shown in each encoding."""


def check_encoding(name: str) -> None:
    """Raise ConfigError unless this is the name of a text encoding."""
    try:
        "".encode(name)
        if codecs.lookup(name).name in _NOT_OF_FILES:
            raise LookupError(name)
    except (LookupError, ValueError) as error:
        raise ConfigError(
            f"the encoding must be one that Python knows, such as utf-8, gb18030, utf-16 or latin-1; got {name!r:.40}"
        ) from error


def text_encoding(start: bytes, given: str | None = None) -> tuple[str, int]:
    """Return the encoding of text that starts with these bytes, and the length of its byte order mark.

    Args:
        start: at least the first four bytes.
        given: the encoding given by the user; a byte order mark takes precedence.
    """
    for mark, name in _MARKS.items():
        if start.startswith(mark):
            return name, len(mark)
    name = (given or "utf-8").lower()
    return _WITHOUT_MARK.get(codecs.lookup(name).name, name), 0


def as_utf8(path: Path | str, data: bytes, given: str | None = None) -> bytes:
    """Convert a whole text to UTF-8 without a byte order mark.

    Args:
        path: the name for messages.
        data: the text as stored.
        given: the encoding; None for UTF-8, unless a byte order mark names another.

    Raises:
        DataError: it is not text in that encoding; the message names the line and suggests others.
    """
    name, mark = text_encoding(data[:4], given)
    data = data[mark:] if mark else data
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        raise DataError(wrong_words(path, data, name, error.start)) from error
    if "\0" in text:
        raise DataError(wrong_words(path, data, name, data.find(b"\0")))
    return data if name == "utf-8" else text.encode()


def first_text(data: bytes, given: str | None, *, whole: bool) -> str:
    """Decode the first bytes of a file, without a byte order mark; invalid bytes become U+FFFD.

    Args:
        data: the first bytes.
        given: the encoding, as in `as_utf8`.
        whole: whether that is the whole file; otherwise an incomplete character at the end is dropped.
    """
    name, mark = text_encoding(data[:4], given)
    return codecs.getincrementaldecoder(name)("replace").decode(data[mark:], final=whole)


def wrong_words(path: Path | str, data: bytes, name: str, place: int, before: int = 0) -> str:
    """Return the error message for an invalid byte, with encodings in which the text can be read.

    Args:
        path: the name for messages.
        data: the text as stored, or a part of it.
        name: the encoding in which it should be.
        place: of the byte in `data`.
        before: number of lines before `data`.
    """
    line = before + data.count(b"\n", 0, place) + 1
    found = "a zero byte" if data[place] == 0 else f"the byte 0x{data[place]:02x}"
    said = f"{path}, line {line}: must be text in {name.upper()}; got {found}"
    if offered := _readable(data, name, place):
        return f"{said}. Say what it is with --encoding (Layout(encoding=...)); this line in {', in '.join(offered)}"
    return f"{said}, and it is no text in any usual encoding. Is it the right file?"


def _readable(data: bytes, refused: str, place: int) -> list[str]:
    """Return encodings in which the text can be read, each with the decoded text around a byte."""
    tried = ("utf-16-le", "utf-16-be") if b"\0" in data[:_TRIED_BYTES] else _TRIED
    offered: list[str] = []
    for name in tried:
        if name == refused or (name == "latin-1" and offered):
            continue
        decoder = codecs.getincrementaldecoder(name)()
        try:
            text = decoder.decode(data[:_TRIED_BYTES], final=len(data) <= _TRIED_BYTES)
        except UnicodeDecodeError:
            continue
        if "\0" not in text and _is_lines(text):
            offered.append(f"{name}: {_around(data, place, name)!r}")
    return offered[:_MOST_OFFERED]


def _is_lines(text: str) -> bool:
    """Whether text has no control characters except tabs and line breaks."""
    return not any(character < " " and character not in "\t\r\n\f" for character in text)


def _around(data: bytes, place: int, name: str) -> str:
    """Return some characters of the line around a byte."""
    if name.startswith("utf-16"):
        return data[:_SHOWN].decode(name, "ignore")
    start = max(data.rfind(b"\n", 0, place) + 1, place - _SHOWN // 2)
    while start > 0 and data[start] > 127 and data[start - 1] != 10:  # not within a character
        start -= 1
    end = data.find(b"\n", place)
    return data[start : min(end if end >= 0 else len(data), place + _SHOWN // 2)].decode(name, "ignore").strip()
