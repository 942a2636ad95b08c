"""The files of the web page, from the folder `page`."""

from pathlib import Path

from starlette.responses import Response

from penstock.server.failures import RequestError, error_response

__all__ = ["REPORT_HEADERS", "index", "page_file"]

_FOLDER = Path(__file__).with_name("page")
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
# Load nothing from other hosts; no embedding in other pages' frames.
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}

# A bundle may be a stranger's: its report may show itself, and neither load anything nor run a script.
REPORT_HEADERS = _HEADERS | {
    "content-type": _TYPES[".html"],
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-popups",
}


async def index() -> Response:
    """The page itself."""
    return await page_file("index.html")


async def page_file(file: str) -> Response:
    """Return a file by name; nothing outside the folder can be named."""
    path = next((each for each in _FOLDER.iterdir() if each.name == file and each.suffix in _TYPES), None)
    if path is None:
        return error_response(RequestError(404, "NotFound", f"there is no {file!r:.80}"))
    return Response(path.read_bytes(), headers={"content-type": _TYPES[path.suffix], **_HEADERS})
