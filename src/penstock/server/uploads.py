"""Predict requests as they come: JSON, a raw file, or a form with a file; read within a limit of bytes and time."""

import asyncio
import json
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_multipart.exceptions import FormParserError
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from penstock.audio.recordings import AUDIO_ENDINGS, decode
from penstock.errors import ConfigError
from penstock.registry import find
from penstock.runtime import Model
from penstock.server.failures import RequestError
from penstock.server.request_queue import Places
from penstock.server.settings import ServerSettings

__all__ = ["FILES", "Upload", "json_inputs", "read_request"]

FILES = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/jsonl": ".jsonl",
    "application/x-ndjson": ".jsonl",
    "application/vnd.apache.parquet": ".parquet",
    "text/plain": ".txt",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/flac": ".flac",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
}
"""Media types of files, and the endings by which the readers know them."""
_SMALL = 64 << 10  # bytes of a body that Uvicorn keeps anyway
_TABLES = (".csv", ".tsv", ".jsonl", ".parquet", ".txt")


@dataclass(frozen=True)
class Upload:
    """A file: its name, whose ending says what it is, and its bytes."""

    name: str
    data: bytes

    def inputs(self, model: Model) -> Any:
        """The inputs in it, as `penstock predict` reads them; InputError if there are none."""
        # A table for a model of sounds would name other files, and this machine's are none of a client's business.
        sound = model.reads == "samples"
        task, known = find(model.task), AUDIO_ENDINGS if sound else _TABLES
        ending = Path(self.name).suffix.lower()
        if ending not in known:
            raise ConfigError(f"a file for {task.name} must end in one of {', '.join(known)}; got {self.name!r:.60}")
        if sound:
            return [decode(self.data, self.name)]
        with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
            path = Path(folder) / f"upload{ending}"
            path.write_bytes(self.data)
            return task.read(path, _columns(task, model), False).inputs


async def read_request(request: Request, model: Model, settings: ServerSettings, places: Places) -> Any:
    """The request's inputs; or its file, to be read in another thread.

    Args:
        request: whose body has not been read.
        model: that the inputs are for.
        settings: for their limits.
        places: for bodies that are not small, while they arrive.

    Raises:
        BusyError: no place is free.
        RequestError: too large, too slow, of no known type, or not what its type says.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        kind = "application/json"  # curl -d says so unless it is told otherwise
    if kind not in ("application/json", "multipart/form-data", *FILES):
        known = ", ".join(("application/json", "multipart/form-data", *FILES))
        raise RequestError(415, "UnsupportedMediaType", f"content-type must be one of {known}; got {kind!r:.60}")
    try:
        async with asyncio.timeout(settings.slow_seconds):
            if kind == "multipart/form-data":
                return await _form(request, settings.max_body, places)
            data = await _body(request, settings.max_body, places)
    except TimeoutError:
        words = f"the body did not arrive within {settings.slow_seconds:g} s"
        raise RequestError(408, "Timeout", words, {"connection": "close"}) from None
    return json_inputs(data, model) if kind == "application/json" else Upload(f"body{FILES[kind]}", data)


async def _body(request: Request, most: int, places: Places) -> bytes:
    _check_length(request, most)
    parts, size = [], 0
    try:
        with ExitStack() as place:
            async for part in request.stream():
                if size <= _SMALL < size + len(part):
                    place.enter_context(places)
                size += len(part)
                if size > most:
                    raise _too_large(most)
                parts.append(part)
    except ClientDisconnect:
        raise RequestError(400, "Disconnected", "the body was cut short") from None
    return b"".join(parts)


async def _form(request: Request, most: int, places: Places) -> Upload:
    """The form's one file."""
    body = await _body(request, most, places)

    async def once() -> Any:
        yield body

    try:
        form = await MultiPartParser(request.headers, once(), max_files=1, max_part_size=most).parse()
    except (MultiPartException, FormParserError, KeyError, ValueError) as error:
        raise RequestError(400, "DataError", f"the form can't be read: {getattr(error, 'message', error)}") from error
    for value in form.values():
        if not isinstance(value, str):
            upload = Upload(value.filename or "file", await value.read())
            await form.close()
            return upload
    raise RequestError(400, "DataError", "the form must hold a file: curl -F file=@reviews.csv")


def _check_length(request: Request, most: int) -> None:
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > most:
        raise _too_large(most)


def _too_large(most: int) -> RequestError:
    # Closed at once: the rest of the body would have to be read, however long, before another request.
    return RequestError(413, "TooLarge", f"a body may have {most} bytes. Send it in parts.", {"connection": "close"})


def json_inputs(data: bytes, model: Model) -> list[Any]:
    """The inputs in a body of JSON: {"inputs": [...]}.

    Raises:
        RequestError: it is not UTF-8, not JSON, has no such list, or names files where inputs are numbers.
    """
    try:
        asked = json.loads(data.decode(), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise RequestError(400, "DataError", f"the body must be UTF-8: {error.reason} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise RequestError(400, "DataError", f"the body must be JSON: {error}") from error
    inputs = asked.get("inputs") if isinstance(asked, dict) else None
    if not isinstance(inputs, list):
        raise RequestError(422, "DataError", 'the body must be {"inputs": [...]}, a list with an input for each answer')
    if model.reads != "text" and any(isinstance(each, str) for each in inputs):
        # To some models a string is the path of a file, and this machine's files are none of a client's business.
        raise RequestError(422, "DataError", "inputs must be numbers. Upload a file as a form: curl -F file=@sound.wav")
    return inputs


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _columns(task: Any, model: Model) -> dict[str, Any]:
    """What training read, else the task's own default."""
    before = model.metrics.get("data", {}).get("columns", {})
    return {column.name: before.get(column.name, column.default) for column in task.columns}
