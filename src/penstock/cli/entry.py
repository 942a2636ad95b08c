"""The entry point of the command: an error becomes one line on standard error and an exit code.

Exit codes: 0 success; 1 failure; 2 bad input; 130 interrupted.
"""

import errno
import logging
import sys
import warnings
from collections.abc import Sequence
from typing import Any, TextIO

from penstock import __version__
from penstock.cli.standard import check_output, silence_output
from penstock.console import output, shown
from penstock.errors import DataWarning, InputError, MissingExtraError
from penstock.events import say

__all__ = ["main"]

_LOGGER = logging.getLogger("penstock.cli")

# The disk is full or no longer available.
_OUTPUT_FAILED = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)

# Packages of the extra "cli".
_NEEDED = ("click", "docstring_parser", "rich")

# These commands start with imports that take seconds.
_SLOW = ("train", "tune", "demo")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the arguments after `penstock`; those of the process if None.

    Returns:
        The exit code.
    """
    words, flags = _without_flags(list(sys.argv[1:] if arguments is None else arguments), ("--debug", "--quiet"))
    handler = output(sys.stderr, as_json="--json" in _before_data(words))
    with shown(handler, logging.WARNING if "--quiet" in flags else logging.DEBUG), warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = _warn
        return _guarded(words, debug="--debug" in flags)


def _guarded(words: list[str], *, debug: bool) -> int:
    try:
        return _run(words)
    except BrokenPipeError:
        # The reader closed the pipe, for example `| head`.
        silence_output()
        return 1
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OUTPUT_FAILED and error.filename is None:
            silence_output()
            return _fail(f"standard output can't be written: {error.strerror}", 1, debug=debug)
        if isinstance(error, InputError):
            return _fail(str(error), 2, debug=debug)
        hint = "" if debug else " (--debug shows where)"
        return _fail(f"{type(error).__name__}: {error}{hint}", 1, debug=debug)


def _without_flags(words: list[str], flags: Sequence[str]) -> tuple[list[str], set[str]]:
    """Remove flags that are allowed anywhere on the line; return the other words and the flags found.

    Users mostly append these flags to a line. Words after `--` are not flags.
    """
    before = _before_data(words)
    return [word for word in before if word not in flags] + words[len(before) :], set(before) & set(flags)


def _before_data(words: list[str]) -> list[str]:
    """Return the words that may be flags: those before `--`."""
    return words[: words.index("--")] if "--" in words else words


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Log a `DataWarning` as one line; other warnings are for developers and include their location."""
    if issubclass(category, DataWarning):
        _LOGGER.warning("%s", message)
    else:
        _LOGGER.warning("%s", warnings.formatwarning(message, category, filename, lineno, line))


def _run(words: Sequence[str]) -> int:
    if words and words[0] in _SLOW and not {"--help", "--help-all"} & set(words):
        say(_LOGGER, "start", f"penstock {__version__}: starting", version=__version__, command=words[0])
    check_output()
    try:
        code = _result(list(words))
    except ModuleNotFoundError as error:
        if error.name not in _NEEDED:
            raise
        raise MissingExtraError(f"the commands need {error.name}: pip install 'penstock[cli]'") from error
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _result(words: list[str]) -> Any:
    """Return the result of the command; 2 if it had no arguments and printed its help."""
    import click

    from penstock.cli.application import command
    from penstock.cli.usage import usage_words

    try:
        return command().main(words, prog_name="penstock", standalone_mode=False)
    except click.Abort as abort:
        raise KeyboardInterrupt from abort
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        return 2
    except click.ClickException as error:
        raise InputError(usage_words(error)) from error


def _fail(message: str, code: int, *, debug: bool = False) -> int:
    _LOGGER.error("%s", message, exc_info=debug, extra={"event": "error", "fields": {"exit_code": code}})
    return code
