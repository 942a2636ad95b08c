"""Who may ask: names, tokens and origins, without a server."""

import errno

import pytest

from penstock.errors import ConfigError
from penstock.server.access import Access
from penstock.server.failures import failure_of
from penstock.server.settings import ServerSettings

HERE, ELSEWHERE = (b"host", b"127.0.0.1:8000"), (b"host", b"evil.example")


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ([HERE], None, ""),
        ([], None, ""),  # HTTP/1.0; a browser always sends one
        (
            [ELSEWHERE],
            421,
            "answers only to 127.0.0.1, ::1, localhost; got 'evil.example'. Call it so, or set a token.",
        ),
        ([ELSEWHERE, HERE], 400, "may stand once"),
        ([HERE, HERE], 400, "may stand once"),
        ([HERE, (b"origin", b"http://127.0.0.1:8000"), (b"origin", b"null")], 400, "may stand once"),
        ([(b"origin", b"http://127.0.0.1:8000")], 403, "may not use this server"),
    ],
)
def test_without_a_token_only_this_machine_may_ask(headers, status, words):
    refusal = Access(ServerSettings()).refusal("/healthz", headers)
    assert (refusal and refusal[0]) == status
    assert words in (refusal[2] if refusal else "")


@pytest.mark.parametrize("origin", ["*", "https://*.example", "example.org", "https://", "ftp://a.b", "https://a.b/c"])
def test_an_origin_that_no_page_has_is_refused(origin):
    with pytest.raises(ConfigError, match=r"must be a page's scheme and host, such as https://example\.org"):
        ServerSettings(origins=(origin,))
    assert ServerSettings(origins=("https://example.org:8443/",)).origins


def test_a_full_disk_is_told_as_such():
    failure = failure_of(OSError(errno.ENOSPC, "No space left on device"))
    assert (failure.status, failure.kind) == (507, "StorageError")
    assert "disk for uploads is full" in failure.message
    assert failure_of(OSError(errno.EIO, "broken")).status == 500
