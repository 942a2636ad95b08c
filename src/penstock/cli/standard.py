"""Standard input and output, which a caller may have closed."""

import os
import sys
from typing import BinaryIO

from penstock.errors import InputError

__all__ = ["check_output", "silence_output", "standard_input"]


def standard_input() -> BinaryIO:
    """The bytes of standard input; InputError where it is closed."""
    if sys.stdin is None:
        raise InputError("standard input is closed, and this command reads it. Redirect a file or a pipe to it.")
    return sys.stdin.buffer


def check_output() -> None:
    """Raise InputError if standard output is closed."""
    if sys.stdout is None:
        raise InputError("standard output is closed. Redirect it to a file, a pipe or /dev/null.")


def silence_output() -> None:
    """Let nothing more be written to a standard output that failed: Python tries it once more at exit."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
