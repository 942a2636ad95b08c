"""The page of the lab, built once, and Chromium that opens it from its file."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from browser import Browser, Tab, find_chromium, keep_picture

from penstock.lab import page


@pytest.fixture(scope="session")
def node() -> str:
    """Where Node lies; tests that need it are skipped where there is none."""
    path = shutil.which("node")
    if path is None:
        pytest.skip("the cells in JavaScript are tested in Node: apt-get install nodejs")
    return path


@pytest.fixture(scope="session")
def lab_browser() -> Iterator[Browser]:
    """One Chromium for all tests of the lab."""
    path = find_chromium()
    if path is None:
        pytest.skip("the page's tests need Chromium: apt-get install chromium, or name yours in CHROMIUM")
    with Browser(path) as running:
        yield running


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> dict[str, Path]:
    """The page as a file, by the language that it opens in."""
    folder = tmp_path_factory.mktemp("lab")
    for language in ("en", "zh"):
        (folder / f"{language}.html").write_text(page(language), encoding="utf-8")
    return {language: folder / f"{language}.html" for language in ("en", "zh")}


@pytest.fixture
def opened(lab_browser, files) -> Callable[..., AbstractContextManager[Tab]]:
    """A function that opens the page from its file, and closes it at the end of a with statement.

    Then it must have asked for nothing but itself, and its console must be empty.
    """

    @contextmanager
    def open_tab(language: str = "en", **look: object) -> Iterator[Tab]:
        address = files[language].as_uri()
        tab = lab_browser.tab(address, **look)
        try:
            tab.wait("document.querySelector('html[data-ready]')")
            yield tab
            assert [asked for asked in tab.requests if not asked.startswith("data:")] == [address]
            assert tab.complaints == []
        finally:
            tab.close()

    return open_tab


@pytest.fixture(scope="session")
def picture() -> Callable[[Tab, str], None]:
    """A function that keeps what a tab shows, under a name, where pictures are wanted."""
    return keep_picture
