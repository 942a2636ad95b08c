"""The ASGI application: routes and their handlers."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Security, WebSocket
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.websockets import WebSocketDisconnect

from penstock import __version__
from penstock.server.access import Access
from penstock.server.access_log import AccessLog
from penstock.server.explanations import MOST_BYTES, asked_of
from penstock.server.failures import RequestError, as_json, error_response, failure_of
from penstock.server.logs import log
from penstock.server.metrics import Metrics
from penstock.server.options import checked_options
from penstock.server.page_files import REPORT_HEADERS, index, page_file
from penstock.server.request_queue import RequestQueue
from penstock.server.running_requests import RunningRequests, stopping
from penstock.server.schemas import (
    ABOUT,
    ATTRIBUTE,
    PREDICT,
    Explanation,
    Failure,
    ModelInfo,
    ModelList,
    Predictions,
    Readiness,
    Status,
    errors,
)
from penstock.server.served_model import ServedModel
from penstock.server.settings import ServerSettings
from penstock.server.stream_session import StreamSession
from penstock.server.uploads import Given, Upload, read_request

__all__ = ["Service"]

_NO_422: dict[int | str, Any] = {"4XX": {"model": Failure, "description": "Refused"}}
_Answer = Callable[[ServedModel, Any, dict[str, Any], bool], Awaitable[str]]
"""Makes the body of the answer to a request: the model, its inputs, the options, and whether they take long."""
_CHECK_SECONDS = 1.0  # between checks for idle streams and changed bundles


class Service:
    """Models behind an ASGI application.

    Args:
        models: by name, each with its backend.
        settings: limits and access.
        queue: the queue of predict requests.

    Attributes:
        app: the ASGI application, to be run by Uvicorn.
        sessions: the open streams.
        stopping: whether the server is stopping, so that nothing more is accepted.
    """

    def __init__(self, models: Mapping[str, ServedModel], settings: ServerSettings, queue: RequestQueue) -> None:
        self.models, self.settings, self.queue = models, settings, queue
        self.metrics = Metrics({name: served.backend.counters for name, served in models.items()})
        self.sessions: set[StreamSession] = set()
        self.stopping = False
        self._streams_ended = False
        self._running = RunningRequests(settings.deadline_seconds)
        api = FastAPI(
            title="Penstock",
            version=__version__,
            description=ABOUT,
            docs_url=None,
            redoc_url=None,
            lifespan=self._life,
        )
        self._add_routes(api)
        access = Access(settings)
        # A browser lets a page of another origin read a response only if CORS headers allow it, and first sends a
        # preflight request without the token.
        self.app = CORSMiddleware(
            AccessLog(api, access, self.metrics),
            allow_origins=sorted(access.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
        )

    async def stop(self) -> None:
        """Stop accepting requests, finish those accepted, then close the streams; give up what takes too long."""
        self.stopping = True
        for session in list(self.sessions):
            session.end(1012, "the server is stopping: reconnect and load your last saved state")
        end = asyncio.get_running_loop().time() + self.settings.grace_seconds
        while (self.sessions or self._running) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.02)
        self._running.give_up()

    def idle(self) -> bool:
        """Whether no thread computes, after the end."""
        return self.queue.idle() and self._streams_ended

    def _add_routes(self, api: FastAPI) -> None:
        # One handler per class: an exception caught only as `Exception` is raised again and ends the connection.
        for kind in (RequestError, HTTPException, Exception):
            api.exception_handler(kind)(_failed)
        api.get("/healthz", operation_id="healthz", response_model=Status, responses=errors())(self.healthz)
        ready: dict[int | str, Any] = errors() | {503: {"model": Readiness, "description": "The server stops"}}
        api.get("/readyz", operation_id="readyz", response_model=Readiness, responses=ready)(self.readyz)
        self._add_guarded_routes(api)
        api.websocket("/v1/models/{name}/stream")(self.stream)
        api.get("/", include_in_schema=False)(index)
        api.get("/page/{file}", include_in_schema=False)(page_file)

    def _add_guarded_routes(self, api: FastAPI) -> None:
        """Add the routes that need the token, if there is one. `AccessLog` enforces it; here it is only documented."""
        guard = [Security(HTTPBearer(scheme_name="token", auto_error=False))] if self.settings.token else []
        refused = (401,) if self.settings.token else ()
        guarded = APIRouter(dependencies=guard, responses=errors(*refused))
        text = {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Metrics"}
        guarded.get("/metrics", operation_id="metrics", response_class=Response, responses={200: text})(self.prometheus)
        guarded.get("/v1/models", operation_id="models", response_model=ModelList)(self.list_models)
        # The name in the path can be any string, so remove FastAPI's 422 response from the schema.
        guarded.get(
            "/v1/models/{name}", operation_id="model", response_model=ModelInfo, responses=errors(404) | _NO_422
        )(self.model_info)
        guarded.get("/v1/models/{name}/report", include_in_schema=False)(self.report)
        guarded.post(
            "/v1/models/{name}/predict",
            operation_id="predict",
            response_model=Predictions,
            responses=errors(400, 404, 408, 413, 415, 422, 429, 501, 503, 507),
            openapi_extra=PREDICT,
        )(self.predict)
        guarded.post(
            "/v1/models/{name}/attribute",
            operation_id="attribute",
            response_model=Explanation,
            responses=errors(400, 404, 408, 413, 415, 422, 429, 501, 503, 507),
            openapi_extra=ATTRIBUTE,
        )(self.attribute)
        api.include_router(guarded)

    @asynccontextmanager
    async def _life(self, app: FastAPI) -> AsyncIterator[None]:
        backends = [served.backend for served in self.models.values()]
        for backend in backends:
            backend.start()
        checks = asyncio.create_task(self._check_regularly())
        try:
            yield
        finally:
            checks.cancel()
            self._streams_ended = all(await asyncio.gather(*(backend.stop() for backend in backends)))

    async def _check_regularly(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            oldest = asyncio.get_running_loop().time() - self.settings.idle_seconds
            for session in [session for session in self.sessions if session.heard < oldest]:
                self.metrics.refused.labels("idle").inc()
                session.end(1008, f"no message for {self.settings.idle_seconds:g} s")
            for served in self.models.values():
                if served.check_files():
                    log("bundle changed", logging.WARNING, model=served.name, path=str(served.path))

    async def healthz(self) -> Response:
        """Liveness."""
        return _json({"status": "ok"})

    async def readyz(self) -> Response:
        """Readiness, and the models whose bundles have changed on disk, so that a restart would load other models."""
        changed = [served.name for served in self.models.values() if served.changed]
        body = {"status": "stopping" if self.stopping else "ready", "changed_on_disk": changed}
        return _json(body, 503 if self.stopping else 200)

    async def prometheus(self) -> Response:
        """Metrics in Prometheus' format."""
        return Response(self.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def list_models(self) -> Response:
        """List the models."""
        return _json({"models": [served.entry() for served in self.models.values()]})

    async def model_info(self, name: str) -> Response:
        """All information about one model."""
        return _json(self._served(name).info())

    async def report(self, name: str) -> Response:
        """The report of a model's training, a page that loads nothing else."""
        path = self._served(name).report
        if path is None:
            raise RequestError(404, "NotFound", f"the folder of {name!r:.80} holds no report.html")
        return Response(await asyncio.to_thread(path.read_bytes), headers=REPORT_HEADERS)

    async def predict(self, name: str, request: Request) -> Response:
        """Predict for whole inputs: JSON, or a file as `penstock predict` reads it."""

        async def outputs(served: ServedModel, inputs: Any, options: dict[str, Any], long: bool) -> str:
            return f'{{"outputs": {await served.answers(inputs, options, long=long)}}}'

        return await self._answer(name, request, self.settings, outputs)

    async def attribute(self, name: str, request: Request) -> Response:
        """Explain one input, given as for `predict`: how much each part of it contributed to the prediction.

        A part's score is what the explained number loses if the part is replaced by its baseline (occlusion).
        """

        async def attribution(served: ServedModel, inputs: Any, options: dict[str, Any], long: bool) -> str:
            if options:
                raise RequestError(422, "ConfigError", "an explanation has no options. Leave them out.")
            target, at = asked_of(request.query_params)
            return as_json({"attribution": await served.backend.explained(inputs, target, at)})

        limited = replace(self.settings, max_body=min(self.settings.max_body, MOST_BYTES))
        return await self._answer(name, request, limited, attribution)

    async def _answer(
        self,
        name: str,
        request: Request,
        settings: ServerSettings,
        answer: _Answer,
    ) -> Response:
        """Return the answer to a request with inputs, or its failure."""
        try:
            with self._running.counted():
                served = self._served(name)
                if self.stopping:
                    raise stopping()
                received = await read_request(request, served.model, settings, self.queue.reading)
                with self.queue.places:
                    options = checked_options(served.model.task, received.options)
                    work = self._worked(served, received, options, answer)
                    return Response(await self._running.awaited(request, work), media_type="application/json")
        except Exception as error:
            failure = failure_of(error)
            self.metrics.errors.labels(failure.kind).inc()
            return error_response(failure)

    async def _worked(
        self,
        served: ServedModel,
        received: Given | Upload,
        options: dict[str, Any],
        answer: _Answer,
    ) -> str:
        if isinstance(received, Given):
            return await answer(served, received.inputs, options, received.long)
        inputs = await self.queue.run(partial(received.inputs, served.model), long=True)
        return await answer(served, inputs, options, True)

    async def stream(self, socket: WebSocket, name: str) -> None:
        """Serve one stream; see `stream_session`."""
        subprotocol = next((each for each in socket.scope["subprotocols"] if each.startswith("bearer.")), None)
        try:
            served = self._served(name)
        except RequestError as failure:
            await socket.send_denial_response(error_response(failure))
            return
        await socket.accept(subprotocol)
        if not served.model.streams:
            await socket.close(1003, f"{served.name} cannot be streamed: use predict")
            return
        if reason := self._full():
            self.metrics.refused.labels("streams").inc()
            await socket.close(1013, reason)
            return
        await self._serve(StreamSession(socket, served, self.metrics), served, socket)

    def _full(self) -> str | None:
        if self.stopping:
            return "the server is stopping: try again in a moment"
        if len(self.sessions) >= self.settings.max_streams:
            return f"{self.settings.max_streams} streams are open: try again later"
        return None

    async def _serve(self, session: StreamSession, served: ServedModel, socket: WebSocket) -> None:
        gauge = self.metrics.streams.labels(served.name)
        self.sessions.add(session)
        gauge.inc()
        items, code, reason = 0, 1006, ""
        try:
            items, code, reason = await session.run()
        except WebSocketDisconnect:  # while a reply was being sent
            pass
        finally:
            gauge.dec()
            self.sessions.discard(session)
            log("stream closed", model=served.name, items=items, code=code, reason=reason)

    def _served(self, name: str) -> ServedModel:
        if name not in self.models:
            raise RequestError(404, "NotFound", f"no model {name!r:.80}; available: {', '.join(self.models)}")
        return self.models[name]


def _json(value: Any, status: int = 200) -> Response:
    return Response(as_json(value), status, media_type="application/json")


async def _failed(request: Request, error: Exception) -> Response:
    return error_response(failure_of(error))
