"""Lines of text from a byte stream, each as soon as it arrives."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from penstock.errors import DataError

__all__ = ["text_lines"]


def text_lines(source: BinaryIO, name: str) -> Iterator[str]:
    """Yield the lines without line ends.

    Args:
        source: bytes in UTF-8, with or without a byte order mark.
        name: the name for messages.

    Raises:
        DataError: a line is not UTF-8.
    """
    # readline, not iteration, because a line of a pipe is needed before the next one arrives. A call, not iter(), so
    # that Ctrl-C at the end of the input is raised here and not while a caller cleans up.
    number = 0
    while line := source.readline():
        number += 1
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        try:
            yield line.rstrip(b"\r\n").decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name} must be text in UTF-8; line {number} has the byte 0x{line[error.start]:02x} "
                f"at position {error.start + 1}. Convert it: iconv -f OLD -t UTF-8"
            ) from error
