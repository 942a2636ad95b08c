"""A report as a file that a browser shows."""

import tempfile
import webbrowser
from pathlib import Path

from penstock.errors import InputError
from penstock.folders import whole_file

__all__ = ["show_page", "write_page"]


def write_page(html: str, path: str | Path | None) -> Path:
    """Write a page; without a path into a new temporary folder.

    Raises:
        InputError: the file can't be written.
    """
    target = Path(tempfile.mkdtemp(prefix="penstock-")) / "report.html" if path is None else Path(path)
    try:
        with whole_file(target) as new:
            new.write_text(html, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise InputError(f"{target}: can't be written: {error.strerror or error}. Choose another path.") from error
    return target


def show_page(path: Path) -> None:
    """Show a page in the browser, where there is one."""
    webbrowser.open(path.resolve().as_uri())
