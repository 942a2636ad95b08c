"""Where the command begins and ends: what went wrong becomes one line on standard error and an exit code.

0 done; 1 failed; 2 bad input; 130 interrupted.
"""

import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import TextIO

from penstock.errors import DataWarning, InputError, MissingExtraError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: what follows `penstock`; those of the process if None.

    Returns:
        The exit code.
    """
    words, debug = _without_debug(list(sys.argv[1:] if arguments is None else arguments))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", DataWarning)
            warnings.showwarning = _warn
            return _run(words)
    except BrokenPipeError:
        # The reader has gone (`| head`); Python would try to flush into the closed pipe once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except Exception as error:
        if debug:
            traceback.print_exc()
        if isinstance(error, InputError):
            return _fail(str(error), 2)
        hint = "" if debug else " (--debug shows where)"
        return _fail(f"{type(error).__name__}: {error}{hint}", 1)


def _without_debug(words: list[str]) -> tuple[list[str], bool]:
    """The words without `--debug`, and whether it stood there.

    Anywhere on the line, as it is most often added to the end of one that has just failed; but what follows `--` is no
    flag.
    """
    end = words.index("--") if "--" in words else len(words)
    flags = [word for word in words[:end] if word != "--debug"]
    return flags + words[end:], len(flags) < end


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Data that is likely not what was meant is said in a line; other warnings are for developers, and say where."""
    if issubclass(category, DataWarning):
        print("penstock: warning: " + " ".join(str(message).split()), file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, filename, lineno, line), end="", file=sys.stderr)


def _run(words: Sequence[str]) -> int:
    try:
        import typer

        from penstock.cli.application import command
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        raise MissingExtraError("the commands need Typer and Rich: pip install 'penstock[cli]'") from error
    # Newer versions of Typer hold Click inside, by a private name: a public descendant leads to its errors.
    usage_error: type[Exception] = typer.BadParameter.__mro__[1]
    try:
        code = command().main(list(words), prog_name="penstock", standalone_mode=False)
    except typer.Abort as abort:
        raise KeyboardInterrupt from abort
    except usage_error as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # Click's private one: its message is the help
            print(error.format_message(), file=sys.stderr)  # type: ignore[attr-defined]
            return 2
        raise InputError(_usage(error)) from error
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _usage(error: BaseException) -> str:
    context = getattr(error, "ctx", None)
    words = getattr(error, "format_message", error.__str__)()
    return f"{words.rstrip('.')}. See {context.command_path if context else 'penstock'} --help"


def _fail(message: str, code: int) -> int:
    print("penstock: " + " ".join(message.split()), file=sys.stderr)
    return code
