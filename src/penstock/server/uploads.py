"""Reads predict requests: JSON, a raw file, or a form with a file, within limits of size and time."""

import asyncio
import json
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_multipart.exceptions import FormParserError
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from penstock.decoded import at_most
from penstock.errors import ConfigError
from penstock.registry import find
from penstock.runtime import Model
from penstock.server.failures import RequestError
from penstock.server.request_queue import Places
from penstock.server.settings import ServerSettings
from penstock.sounds.recordings import AUDIO_ENDINGS, decode

__all__ = ["FILES", "Given", "Upload", "json_given", "read_request"]

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
"""Media types of files, and the file name endings by which readers identify them."""
_MOST_DECODED = 256 << 20  # bytes of a file once decoded
_SMALL = 64 << 10  # bytes of a body that Uvicorn buffers anyway
_MOST_MARKS = 1 << 19
"""Commas, colons and opening brackets of a JSON body, about as many as its values.

JSON is parsed in one go, in which no other thread runs. So many values take some tens of milliseconds, and texts of 16
MiB too; numbers of 16 MiB would take a quarter of a second, and empty lists or different keys a whole one.
"""
_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".txt", ".conll", ".conllu")


@dataclass(frozen=True)
class Given:
    """What a JSON body holds: inputs, and options of the prediction, which are not checked yet.

    Attributes:
        long: whether the body is long.
    """

    inputs: list[Any]
    options: Any
    long: bool = False


@dataclass(frozen=True)
class Upload:
    """An uploaded file: its name, whose ending gives its type, and its bytes; and what else the form holds.

    Attributes:
        options: options of the prediction, which are not checked yet.
        columns: which columns to read, as text or flags by the task's names, in place of those of the training.
    """

    name: str
    data: bytes
    options: Any = field(default_factory=dict)
    columns: Any = field(default_factory=dict)

    def inputs(self, model: Model) -> Any:
        """Read the inputs as `penstock predict` does.

        Raises:
            InputError: they are invalid, or too large when decoded.
            RequestError: JSON has too many values.
        """
        with at_most(_MOST_DECODED):
            return self._read(model)

    def _read(self, model: Model) -> Any:
        sound = model.reads == "samples"
        task, ending = find(model.task), Path(self.name).suffix.lower()
        if model.names_files and not sound:
            raise ConfigError(f"this model for {task.name} takes no files. Send its inputs as JSON.")
        known = AUDIO_ENDINGS if sound else _TABLES
        if ending not in known:
            raise ConfigError(f"a file for {task.name} must end in one of {', '.join(known)}; got {self.name!r:.60}")
        if sound:
            return [decode(self.data, self.name)]
        if ending == ".json":
            _check_marks(self.data, "Send JSON lines: .jsonl.")
        elif ending in (".jsonl", ".ndjson"):
            for line in self.data.split(b"\n"):
                _check_marks(line, "Write shorter lines.")
        with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
            path = Path(folder) / f"upload{ending}"
            path.write_bytes(self.data)
            return task.read(path, _columns(task, model, self.columns), False).inputs


async def read_request(request: Request, model: Model, settings: ServerSettings, places: Places) -> Given | Upload:
    """Return the request's inputs, or its file, to be read in another thread.

    Args:
        request: the request, with its body unread.
        model: the model that the inputs are for.
        settings: limits of size and time.
        places: taken by large bodies while they arrive.

    Raises:
        BusyError: no place is free.
        RequestError: the body is too large, too slow, of unknown type or encoding, or invalid for its type.
    """
    if (coding := request.headers.get("content-encoding", "identity").strip().lower()) != "identity":
        words = f"a body with content-encoding {coding!r:.40} is not read. Send it without."
        raise RequestError(415, "UnsupportedMediaType", words, {"accept-encoding": "identity"})
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        kind = "application/json"  # the default of curl -d
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
    return json_given(data, model) if kind == "application/json" else Upload(f"body{FILES[kind]}", data)


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
    """Return the form's only file, with the options and columns that it holds as JSON."""
    body = await _body(request, most, places)

    async def once() -> Any:
        yield body

    try:
        form = await MultiPartParser(request.headers, once(), max_files=1, max_part_size=most).parse()
    except (MultiPartException, FormParserError, KeyError, ValueError) as error:
        raise RequestError(400, "DataError", f"the form can't be read: {getattr(error, 'message', error)}") from error
    more = {name: _form_json(name, form[name]) for name in ("options", "columns") if name in form}
    for value in form.values():
        if not isinstance(value, str):
            upload = Upload(value.filename or "file", await value.read(), **more)
            await form.close()
            return upload
    raise RequestError(400, "DataError", "the form must hold a file: curl -F file=@reviews.csv")


def _form_json(name: str, text: Any) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestError(400, "DataError", f"{name} of the form must be JSON: {error}") from error


def _check_length(request: Request, most: int) -> None:
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > most:
        raise _too_large(most)


def _too_large(most: int) -> RequestError:
    # Close at once: otherwise the rest of the body would have to be read before another request.
    return RequestError(
        413, "TooLarge", f"a body may have at most {most} bytes. Send it in parts.", {"connection": "close"}
    )


def json_given(data: bytes, model: Model) -> Given:
    """Return what a JSON body holds: {"inputs": [...]}, or {"inputs": [...], "options": {...}}.

    Raises:
        RequestError: the body has too many values, is not UTF-8, not JSON, has no such list, names files where inputs
            are numbers, or has an option beside the inputs.
    """
    _check_marks(data, "Send it in parts, or a file.")
    try:
        body = json.loads(data.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise RequestError(400, "DataError", f"the body must be UTF-8: {error.reason} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise RequestError(400, "DataError", f"the body must be JSON: {error}") from error
    inputs = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(inputs, list):
        raise RequestError(422, "DataError", 'the body must be {"inputs": [...]}, a list of inputs')
    if model.reads != "text" and any(isinstance(each, str) for each in inputs):
        # Some models read a string as a file path, and clients must not read files of this machine.
        raise RequestError(422, "DataError", "inputs must be numbers. Upload a file as a form: curl -F file=@sound.wav")
    if misplaced := body.keys() & {setting.name for setting in find(model.task).settings}:
        words = f'{min(misplaced)} must be in "options": {{"inputs": [...], "options": {{...}}}}'
        raise RequestError(422, "DataError", words)
    return Given(inputs, body.get("options", {}), len(data) > _SMALL)


def _check_marks(data: bytes, advice: str) -> None:
    if len(data) > _MOST_MARKS and sum(map(data.count, (b",", b":", b"[", b"{"))) > _MOST_MARKS:
        words = f"JSON may have at most {_MOST_MARKS} commas, colons and opening brackets. {advice}"
        raise RequestError(413, "TooLarge", words)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _columns(task: Any, model: Model, given: Any) -> dict[str, Any]:
    """Return the columns to read: the given ones, else those that training read, else the task's defaults.

    Raises:
        ConfigError: a given column does not exist in this task, or is no text and no flag.
    """
    known = [column.name for column in task.columns if not (column.file or column.answer)]
    if not isinstance(given, dict) or not given.keys() <= set(known):
        raise ConfigError(f"columns of a file for {task.name} may be {', '.join(known)}; got {given!r:.60}")
    for column in task.columns:
        kind = bool if isinstance(column.default, bool) else str
        if column.name in given and not isinstance(given[column.name], kind):
            raise ConfigError(f"the column {column.name} must be a {kind.__name__}; got {given[column.name]!r:.60}")
    before = model.metrics.get("data", {}).get("columns", {})
    return {column.name: before.get(column.name, column.default) for column in task.columns} | given
