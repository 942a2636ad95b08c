"""A small model of each task, and what strangers may give it: descriptions, lines, states, requests of a server."""

import asyncio
import json
import logging
import tempfile
import threading
import warnings
from contextlib import AbstractAsyncContextManager
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from files import Target, part, sounds
from small_trainings import TRAININGS

from penstock.errors import DataError, PenstockError
from penstock.runtime import Model, load, states

__all__ = ["TARGETS"]

LINES = {
    "text-classification": "good sea",
    "series-classification": "[0.5]",
    "series-regression": "0.5",
    "forecasting": '{"y": 0.5}',
    "anomaly-detection": "0.5",
    "tagging": "Ada sings .",
    "language-model": "the cat",
}
"""By task, a line that `penstock stream` reads; other tasks take no lines."""
SOUNDS = ("audio-classification", "speech-recognition")
BOUNDARY = "hostile"
JSON, FORM = "application/json", f"multipart/form-data; boundary={BOUNDARY}"
SECONDS = 60
"""After which a request has failed."""


@cache
def folder_of(name: str) -> tempfile.TemporaryDirectory[str]:
    """The folder of a model, trained at the first call, until the end of the process."""
    training = next(each for each in TRAININGS if each.name == name)
    folder = tempfile.TemporaryDirectory(prefix="penstock-hostile-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        changed = {"bidirectional": False} if name == "tagging" else {}  # so that it streams
        training.make(epochs=1, **changed).fit(*training.data(0)).save(Path(folder.name) / "model")
    return folder


def path_of(name: str) -> Path:
    return Path(folder_of(name).name) / "model"


def contents_of(name: str) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in path_of(name).iterdir() if each.is_file()}


@cache
def model_of(name: str) -> Model:
    return load(path_of(name))


def line_of(name: str) -> str:
    return LINES[name.partition(" ")[0]]


def used(name: str, model: Model) -> None:
    """Ask a model whose description is a strange one."""
    json.dumps(list(model.answers(given(name))))
    if name.partition(" ")[0] in LINES:
        streamed(model, [line_of(name)] * 3)


def streamed(model: Model, lines: list[str], state: bytes | None = None) -> None:
    stream = model.stream()
    if state is not None:
        stream.load(state)
    for line in lines:
        json.dumps(stream.as_json(stream.push(model.item(line))))
    json.dumps(stream.as_json(stream.finish()))


def read_lines(name: str, path: Path) -> None:
    streamed(model_of(name), path.read_bytes().decode(errors="replace").splitlines()[:20])


def read_state(name: str, path: Path) -> None:
    streamed(model_of(name), [line_of(name)] * 2, with_right_checksum(path.read_bytes()))


def with_right_checksum(data: bytes) -> bytes:
    """A state that somebody changed who can compute a checksum."""
    try:
        tensors, about = states._parse(data)
    except PenstockError:
        return data
    about["sha256"] = states._checksum(tensors, {key: value for key, value in about.items() if key != "sha256"})
    return safetensors.numpy.save(tensors, {states._ENTRY: json.dumps(about, sort_keys=True)})


def saved_states(name: str) -> list[bytes]:
    model = model_of(name)
    fresh, read = model.stream(), model.stream()
    for _ in range(3):
        read.push(model.item(line_of(name)))
    return [fresh.save(line=0), read.save(line=3)]


class Server:
    """The server's application in this process, without a network before it."""

    def __init__(self) -> None:
        from penstock.server.application import Service
        from penstock.server.backend import local
        from penstock.server.request_queue import RequestQueue
        from penstock.server.served_model import ServedModel
        from penstock.server.settings import ServerSettings

        logging.getLogger("penstock").setLevel(logging.CRITICAL)
        queue = RequestQueue(64)
        models = {slug(each.name): ServedModel(slug(each.name), path_of(each.name)) for each in TRAININGS}
        for name, backend in local({name: served.model for name, served in models.items()}, queue).items():
            models[name].backend = backend
        self.service = Service(models, ServerSettings(), queue)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._life: AbstractAsyncContextManager[None] = self.service._life(None)
        self._wait(self._life.__aenter__())

    def _wait(self, task: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(SECONDS)

    def post(self, path: str, body: bytes, kind: str) -> None:
        """Send a request; AssertionError if the server fails, DataError if it refuses."""
        head = [(b"content-type", kind.encode()), (b"host", b"127.0.0.1"), (b"content-length", b"%d" % len(body))]
        sent = self._call({"type": "http", "method": "POST", "headers": head}, path, [body_message(body)])
        status = next(each["status"] for each in sent if each["type"] == "http.response.start")
        assert status < 500, f"status {status} from {path}"
        if status >= 400:
            raise DataError(f"status {status}")

    def talk(self, path: str, messages: list[dict[str, Any]]) -> None:
        """Send the messages of a stream; AssertionError if the server fails."""
        calls = [{"type": "websocket.connect"}, *messages, {"type": "websocket.disconnect", "code": 1000}]
        sent = self._call({"type": "websocket", "headers": [(b"host", b"127.0.0.1")]}, path, calls)
        replies = [each.get("text") or "" for each in sent if each["type"] == "websocket.send"]
        assert all("InternalError" not in reply for reply in replies), replies[-1][:300]
        assert not [each for each in sent if each.get("code") == 1011], f"{path} was closed by an error"

    def _call(self, scope: dict[str, Any], path: str, arriving: list[dict[str, Any]]) -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        waiting = iter(arriving)

        async def receive() -> dict[str, Any]:
            found = next(waiting, None)
            if found is None:
                await asyncio.sleep(SECONDS)
            return found or {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        common = {"path": path, "raw_path": path.encode(), "query_string": b"", "scheme": "http", "root_path": ""}
        ends = {
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "http_version": "1.1",
            "asgi": {"version": "3.0"},
            "subprotocols": [],
        }
        self._wait(self.service.app(scope | common | ends, receive, send))
        return sent


def slug(name: str) -> str:
    return name.replace(" ", "-")


def body_message(body: bytes) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": False}


server = cache(Server)


def post(name: str, what: str, kind: str, path: Path) -> None:
    server().post(f"/v1/models/{slug(name)}/{what}", path.read_bytes(), kind)


def talk(name: str, path: Path) -> None:
    """Each line of the file is a message: a text, or bytes if it is no UTF-8."""
    messages = []
    for line in path.read_bytes().split(b"\n")[:20]:
        try:
            messages.append({"type": "websocket.receive", "text": line.decode(), "bytes": None})
        except UnicodeDecodeError:
            messages.append({"type": "websocket.receive", "text": None, "bytes": line})
    server().talk(f"/v1/models/{slug(name)}/stream", messages)


@cache
def given(name: str) -> list[Any]:
    """Two inputs of the training."""
    return list(next(each for each in TRAININGS if each.name == name).data(0)[0])[:2]


def bodies(name: str) -> list[bytes]:
    found = [getattr(each, "samples", each) for each in given(name)]  # of recordings
    inputs = [np.ravel(each)[:400].tolist() if isinstance(each, np.ndarray | np.float64) else each for each in found]
    return [json.dumps({"inputs": inputs, "options": {}}).encode()]


def forms() -> list[bytes]:
    table = "text\ngood\nbad sea\n"
    head = 'content-disposition: form-data; name="file"; filename="a.csv"\r\ncontent-type: text/csv'
    more = 'content-disposition: form-data; name="options"\r\n\r\n{}'
    return [f"--{BOUNDARY}\r\n{head}\r\n\r\n{table}\r\n--{BOUNDARY}\r\n{more}\r\n--{BOUNDARY}--\r\n".encode()]


def talks(name: str) -> list[bytes]:
    if name in SOUNDS:
        return [b"\xff\x01" * 400 + b'\n{"save": true}\n{"finish": true}']
    line = line_of(name)
    item = line if model_of(name).reads == "text" else json.loads(line)
    said: list[dict[str, Any]] = [{"push": item}, {"push": item, "next": 2}, {"push": item, "trace": True}]
    said += [{"save": True}, {"generate": 3, "seed": 1}, {"load": "AAAA"}, {"finish": True}, {"reset": True}]
    return ["\n".join(map(json.dumps, said)).encode()]


def targets() -> dict[str, Target]:
    found: dict[str, Target] = {}
    for name in [each.name for each in TRAININGS]:
        found[f"{slug(name)}.description"] = part("config.json", partial(contents_of, name), partial(used, name))
        found[f"{slug(name)}.body"] = Target(".json", partial(post, name, "predict", JSON), partial(bodies, name))
        if name.partition(" ")[0] in LINES:
            found[f"{slug(name)}.line"] = Target(".txt", partial(read_lines, name), partial(seeds_of_line, name))
            found[f"{slug(name)}.state"] = Target(".state", partial(read_state, name), partial(saved_states, name))
        if name != "translation":
            found[f"{slug(name)}.talk"] = Target(".txt", partial(talk, name), partial(talks, name))
        if name in SOUNDS:
            found[f"{slug(name)}.sound"] = Target(
                ".wav", partial(post, name, "predict", "audio/wav"), lambda: [sounds("WAV"), sounds("FLAC")]
            )
    text = "text-classification"
    question = Target(".json", partial(post, text, "attribute", JSON), lambda: [b'{"inputs": ["good sea"]}'])
    return found | {
        f"{text}.form": Target(".form", partial(post, text, "predict", FORM), forms),
        f"{text}.why": question,
    }


def seeds_of_line(name: str) -> list[bytes]:
    return [f"{line_of(name)}\n{line_of(name)}\n".encode()]


TARGETS: dict[str, Target] = targets()
"""The readers by name."""
