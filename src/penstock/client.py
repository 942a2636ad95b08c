"""A client of `penstock serve`: predictions for whole inputs, and streams with asyncio. Needs the extra `client`."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

from penstock import errors
from penstock.errors import DataError, MissingExtraError, PenstockError, ServerError

try:
    import httpx
    from websockets.asyncio.client import ClientConnection, connect
    from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
except ModuleNotFoundError as error:
    raise MissingExtraError(f"penstock.Client needs {error.name}: pip install 'penstock[client]'") from error

__all__ = ["Client", "LastingStream", "RemoteStream"]

_AGAIN = frozenset({1001, 1006, 1011, 1012, 1013, 408, 503})
"""Codes after which reconnecting makes sense: gone, cut off, failed, restarted, full; and HTTP's for late and full."""
_Result = TypeVar("_Result")


class Client:
    """A client for the models of one server.

    Args:
        url: the server's address.
        token: the server's bearer token, if it needs one.
        timeout: seconds to wait for a reply, also of streams.
    """

    def __init__(self, url: str = "http://127.0.0.1:8000", *, token: str | None = None, timeout: float = 60.0) -> None:
        self.url, self.timeout = url.rstrip("/"), timeout
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=self.url, headers=self._headers, timeout=timeout)

    def models(self) -> list[dict[str, Any]]:
        """Return each model's name, task, labels and fingerprint, and whether it can be streamed.

        Raises:
            ServerError: the server is unreachable or refuses, here and in every method below.
        """
        return self._ask("GET", "/v1/models")["models"]

    def model(self, name: str) -> dict[str, Any]:
        """Return all information about one model."""
        return self._ask("GET", _path(name))

    def predict(self, name: str, inputs: list[Any], **options: Any) -> list[dict[str, Any]]:
        """Return the model's predictions, as `penstock predict` writes them.

        Args:
            name: the name of the model.
            inputs: JSON values: texts, sentences as lists of tokens, or series as lists.
            options: those of the model's task in `penstock predict`, such as `beam=8, n_best=3` of a translator.

        Raises:
            InputError: the model cannot read the inputs, or has no such option; the class is that of the model's own
                error.
        """
        headers = {"content-type": "application/json"}
        body = {"inputs": inputs, **({"options": options} if options else {})}
        return self._ask("POST", _path(name, "predict"), content=_json(body), headers=headers)["outputs"]

    def translate(self, name: str, texts: list[str], **options: Any) -> list[list[dict[str, Any]]]:
        """Return the translations of each text, the best first: `prediction`, `score` and, if asked for, `alignment`.

        Args:
            name: the name of a translator.
            texts: what it translates.
            options: `n_best`, `beam`, `max_length`, `alignment`; see `predict`.
        """
        found: list[list[dict[str, Any]]] = [[] for _ in texts]
        for number, row in enumerate(self.predict(name, texts, **options)):
            found[row.get("row", number + 1) - 1].append(row)
        return found

    def generate(self, name: str, prompt: Any = "", **options: Any) -> Any:
        """Return what a language model draws after a prompt; `RemoteStream.generate` has it token by token.

        Args:
            name: the name of a language model.
            prompt: a text, or frames of notes.
            options: `tokens`, `temperature`, `top_k`, `top_p`, `seed`; see `predict`.
        """
        return self.predict(name, [prompt], **options)[0]["prediction"]

    def tag(self, name: str, sentences: list[Any], **options: Any) -> list[list[Any]]:
        """Return the tags of each sentence's tokens.

        Args:
            name: the name of a tagger.
            sentences: lists of tokens, or texts, which the model splits.
            options: see `predict`.
        """
        return [row["tags"] for row in self.predict(name, sentences, **options)]

    def predict_file(
        self, name: str, path: str | Path, columns: Mapping[str, Any] | None = None, **options: Any
    ) -> list[dict[str, Any]]:
        """Return the predictions for the inputs in a file, which the server reads like `penstock predict`.

        Args:
            name: the name of the model.
            path: the file.
            columns: the columns to read, by the names of the task's flags, such as {"token": "2"} of a tagger; None for
                those of the training.
            options: as for `predict`.

        Raises:
            InputError: as `predict`, or the file can't be read.
        """
        fields = {key: _json(value) for key, value in (("columns", columns), ("options", options)) if value}
        with open(path, "rb") as file:
            files = {"file": (Path(path).name, file)}
            return self._ask("POST", _path(name, "predict"), files=files, data=fields)["outputs"]

    def attribute(self, name: str, one: Any, *, target: Any = None, at: int | None = None) -> dict[str, Any]:
        """Return how much each part of one input contributed to the prediction, by occlusion.

        Args:
            name: the name of the model.
            one: a JSON value: a text, or a series as a list.
            target: the label that is explained, or a forecaster's column; None for the predicted one, or the first.
            at: the step that is explained, from 1, or the step ahead; None for the last, or the mean of all.

        Returns:
            `values`, the scores, nested by the axes that `axes` and `coordinates` name, and more: as
            `penstock.inspection.Attribution.to_json`.

        Raises:
            InputError: the model cannot read the input, has no such label or step, or the input is too long.
        """
        asked = {"target": target, "at": at}
        return self._ask(
            "POST",
            _path(name, "attribute"),
            params={key: value for key, value in asked.items() if value is not None},
            content=_json({"inputs": [one]}),
            headers={"content-type": "application/json"},
        )["attribution"]

    async def stream(self, name: str, state: bytes | None = None) -> "RemoteStream":
        """Open a stream of a model: `async with await client.stream("sentiment") as stream: ...`

        Args:
            name: the name of the model.
            state: a result of `RemoteStream.save`, to continue from there.

        Raises:
            StateError: the state is damaged or of another model.
        """
        # http becomes ws, https wss.
        address = "ws" + self.url.removeprefix("http") + _path(name, "stream")
        try:
            socket = await connect(
                address, additional_headers=self._headers, max_size=None, compression=None, open_timeout=self.timeout
            )
        except InvalidStatus as refusal:
            raise _error(refusal.response.status_code, bytes(refusal.response.body or b"")) from refusal
        except (OSError, WebSocketException) as error:
            raise ServerError(f"can't reach {address}: {error}") from error
        stream = RemoteStream(socket, self.timeout)
        if state is not None:
            try:
                await stream.load(state)
            except BaseException:
                await stream.close()
                raise
        return stream

    def lasting_stream(self, name: str, *, save_every: int = 100, patience: float = 60.0) -> "LastingStream":
        """Return a stream that reconnects when the connection or the server breaks, and continues bit for bit.

        Args:
            name: the name of the model.
            save_every: save the state after this many items; later items are kept here, to be sent again.
            patience: seconds to try reconnecting before giving up.
        """
        return LastingStream(lambda state: self.stream(name, state), save_every=save_every, patience=patience)

    def close(self) -> None:
        """Close the HTTP connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        try:
            response = self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise ServerError(f"can't reach {self.url}: {error}") from error
        if response.is_error:
            raise _error(response.status_code, response.content)
        return response.json()


class RemoteStream:
    """One stream of a server; concurrent calls run one after the other. Made by `Client.stream`.

    Every method raises ServerError if the connection is lost or no reply comes in time. Cancelling a call closes the
    connection too, because its reply could otherwise be taken for that of the next call.

    Attributes:
        item: the number of items read since the stream's start, also restored by `load`.
    """

    def __init__(self, socket: ClientConnection, timeout: float) -> None:
        self._socket, self._timeout, self.item = socket, timeout, 0
        self._turn = asyncio.Lock()

    async def push(self, item: Any) -> dict[str, Any]:
        """Return the prediction after this item: a text, a number or a list of numbers, or bytes of 16-bit samples.

        Raises:
            InputError: the model cannot read the item; the stream does not change.
        """
        return (await self._ask(item if isinstance(item, bytes) else {"push": item}))["answer"]

    async def trace(self, item: Any) -> tuple[dict[str, Any], list[Any]]:
        """Return the prediction, and the gates and states of each step and layer by name."""
        reply = await self._ask({"push": item, "trace": True})
        return reply["answer"], reply["trace"]

    async def generate(self, **options: Any) -> AsyncIterator[dict[str, Any]]:
        """Yield what a language model draws after what the stream has read, token by token; the stream reads it too.

        Leaving the loop early stops the model. Other calls wait until the loop has ended.

        Args:
            options: `tokens`, the most to draw, `temperature`, `top_k`, `top_p`, `seed`.

        Raises:
            InputError: the model has no such option, or does not go on with what it reads.
        """
        async with self._turn:
            more = True
            try:
                reply = self._checked(await self._received(_json({"generate": options})))
                while "done" not in reply:
                    yield reply["answer"]
                    reply = self._checked(await self._received())
                more = False
            except (PenstockError, asyncio.CancelledError):
                more = False
                raise
            finally:
                if more:
                    await self._stop()

    async def finish(self) -> dict[str, Any]:
        """Return the prediction for the whole input; call `reset` to start the next one."""
        return (await self._ask({"finish": True}))["answer"]

    async def save(self) -> bytes:
        """Return the stream's state, for `load` or for the model's own `stream().load`."""
        return base64.b64decode((await self._ask({"save": True}))["state"])

    async def load(self, state: bytes) -> None:
        """Continue from a saved state; StateError if it is damaged or of another model."""
        await self._ask({"load": base64.b64encode(state).decode()})

    async def reset(self) -> None:
        """Start the next input."""
        await self._ask({"reset": True})

    async def close(self) -> None:
        """Close the stream."""
        await self._socket.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def _ask(self, message: Mapping[str, Any] | bytes) -> dict[str, Any]:
        data = message if isinstance(message, bytes) else _json(message)
        async with self._turn:
            return self._checked(await self._received(data, text=not isinstance(message, bytes)))

    def _checked(self, data: str | bytes) -> dict[str, Any]:
        reply: dict[str, Any] = json.loads(data)
        if "error" in reply:
            raise _named(reply["error"], 0)
        self.item = reply["item"]
        return reply

    async def _stop(self) -> None:
        """End a `generate`: read what was drawn meanwhile, and the reply to the end."""
        reply = self._checked(await self._received(_json({"stop": True})))
        while "stopped" not in reply:
            reply = self._checked(await self._received())

    async def _received(self, data: bytes | None = None, *, text: bool = True) -> str | bytes:
        """Return the next message, after sending `data`, if any."""
        try:
            async with asyncio.timeout(self._timeout):
                if data is not None:
                    await self._socket.send(data, text=text)
                return await self._socket.recv()
        except ConnectionClosed as closed:
            code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "cut off")
            raise ServerError(f"the stream was closed: {reason or 'without a reason'} ({code})", code) from closed
        except TimeoutError as error:
            self._socket.transport.abort()
            raise ServerError(f"no reply within {self._timeout:g} s", 1006) from error
        except asyncio.CancelledError:
            self._socket.transport.abort()
            raise


class LastingStream:
    """A stream that survives a lost connection. Made by `Client.lasting_stream`.

    It keeps the last saved state and the items since then. After a break it reconnects, loads the state and pushes the
    items again. So every item gets one prediction, bit for bit that of an unbroken stream.

    Attributes:
        reconnected: the number of reconnections; -1 before the first connection.
    """

    def __init__(
        self, opened: Callable[[bytes | None], Awaitable[RemoteStream]], *, save_every: int, patience: float
    ) -> None:
        self._open, self._every, self._patience = opened, save_every, patience
        self.reconnected = -1
        self._stream: RemoteStream | None = None
        self._state: bytes | None = None
        self._since: list[Any] = []

    @property
    def item(self) -> int:
        """Items read since the stream's start."""
        return self._stream.item if self._stream else 0

    async def push(self, item: Any) -> dict[str, Any]:
        """See `RemoteStream.push`; raises ServerError only when `patience` has run out."""
        answer = await self._lasting(lambda stream: stream.push(item))
        self._since.append(item)
        if len(self._since) >= self._every:
            self._state = await self._lasting(lambda stream: stream.save())
            self._since.clear()
        return answer

    async def finish(self) -> dict[str, Any]:
        """See `RemoteStream.finish`."""
        return await self._lasting(lambda stream: stream.finish())

    async def reset(self) -> None:
        """See `RemoteStream.reset`."""
        await self._lasting(lambda stream: stream.reset())
        self._state = None
        self._since.clear()

    async def close(self) -> None:
        """Close the stream."""
        if self._stream is not None:
            await self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _lasting(self, work: Callable[[RemoteStream], Awaitable[_Result]]) -> _Result:
        clock, wait = asyncio.get_running_loop(), 0.05
        end = clock.time() + self._patience
        while True:
            try:
                return await work(await self._connected())
            except ServerError as error:
                self._stream = None
                if error.code not in _AGAIN or clock.time() + wait > end:
                    raise
            await asyncio.sleep(wait)
            wait = min(2 * wait, 2.0)

    async def _connected(self) -> RemoteStream:
        if self._stream is None:
            stream = await self._open(self._state)
            for item in self._since:
                await stream.push(item)
            self._stream = stream
            self.reconnected += 1
        return self._stream


def _path(name: str, *more: str) -> str:
    return "/".join(("/v1/models", quote(name, safe=""), *more))


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise DataError(f"expected JSON values (texts, numbers and lists): {error}") from error


def _error(status: int, body: bytes) -> PenstockError:
    try:
        return _named(json.loads(body)["error"], status)
    except (ValueError, KeyError, TypeError):
        return ServerError(f"the server responded with status {status}", status)


def _named(error: Mapping[str, str], status: int) -> PenstockError:
    """Make the error of the class that the server names, if it is an InputError; otherwise ServerError."""
    kind = getattr(errors, error["type"], None)
    if isinstance(kind, type) and issubclass(kind, errors.InputError):
        return kind(error["message"])
    return ServerError(f"{error['type']}: {error['message']}", status)
