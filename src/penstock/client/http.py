"""A client of the models that a server has: whole inputs by HTTP; it opens streams."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from penstock.client.messages import error_of, path_of, to_json
from penstock.client.streams import LastingStream, RemoteStream
from penstock.errors import ServerError

__all__ = ["Client"]


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
        return self._ask("GET", path_of(name))

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
        return self._ask("POST", path_of(name, "predict"), content=to_json(body), headers=headers)["outputs"]

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
        fields = {key: to_json(value) for key, value in (("columns", columns), ("options", options)) if value}
        with open(path, "rb") as file:
            files = {"file": (Path(path).name, file)}
            return self._ask("POST", path_of(name, "predict"), files=files, data=fields)["outputs"]

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
            path_of(name, "attribute"),
            params={key: value for key, value in asked.items() if value is not None},
            content=to_json({"inputs": [one]}),
            headers={"content-type": "application/json"},
        )["attribution"]

    async def stream(self, name: str, state: bytes | None = None) -> RemoteStream:
        """Open a stream of a model: `async with await client.stream("sentiment") as stream: ...`

        Args:
            name: the name of the model.
            state: a result of `RemoteStream.save`, to continue from there.

        Raises:
            StateError: the state is damaged or of another model.
        """
        # http becomes ws, https wss.
        address = "ws" + self.url.removeprefix("http") + path_of(name, "stream")
        try:
            socket = await connect(
                address, additional_headers=self._headers, max_size=None, compression=None, open_timeout=self.timeout
            )
        except InvalidStatus as refusal:
            raise error_of(refusal.response.status_code, bytes(refusal.response.body or b"")) from refusal
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

    def lasting_stream(self, name: str, *, save_every: int = 100, patience: float = 60.0) -> LastingStream:
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
            raise error_of(response.status_code, response.content)
        return response.json()
