"""The page in Chromium, as people see it: every test's tab must stay quiet and keep to its own server."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser import Browser, Tab, find_chromium, keep_picture


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium lies; tests that need it are skipped where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip("the page's tests need Chromium: apt-get install chromium, or name yours in CHROMIUM")
    return path


@pytest.fixture(scope="session")
def browser(chromium) -> Iterator[Browser]:
    """One Chromium for all tests; each tab has storage of its own."""
    with Browser(chromium) as running:
        yield running


@pytest.fixture(scope="session")
def server(folders, models, running) -> Iterator[Any]:
    """One server of the texts' models, and of each other model twice, as NAME and as twin-NAME."""
    others = sorted(models["folder"].iterdir())
    twice = (f"{prefix}{path.name}={path}" for path in others for prefix in ("", "twin-"))
    with running(*folders.values(), *twice) as process:
        yield process


@pytest.fixture
def opened(browser) -> Callable[..., AbstractContextManager[Tab]]:
    """A function that opens a tab at an address of a server, and closes it at the end of a with statement.

    Then whatever it asked for must have been the server's, and its console empty but for lines that hold a word of
    `expected`.
    """

    @contextmanager
    def open_tab(address: str, *, expected: tuple[str, ...] = (), **look: object) -> Iterator[Tab]:
        tab = browser.tab(address, **look)
        try:
            yield tab
            hosts = {urlsplit(asked).netloc for asked in tab.requests if urlsplit(asked).scheme not in ("data", "blob")}
            assert hosts == {urlsplit(address).netloc}
            assert [line for line in tab.complaints if not any(word in line for word in expected)] == []
        finally:
            tab.close()

    return open_tab


@pytest.fixture(scope="session")
def picture() -> Callable[[Tab, str], None]:
    """A function that keeps what a tab shows, under a name, where pictures are wanted."""
    return keep_picture
