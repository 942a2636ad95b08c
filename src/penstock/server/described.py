"""The OpenAPI document: what each address takes and gives, beside what FastAPI knows."""

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from penstock.server.uploads import FILES

if TYPE_CHECKING:
    from penstock.server.settings import ServerSettings

__all__ = ["describe"]

_ABOUT = """Trained recurrent networks: whole inputs by HTTP, streams by WebSocket.

The WebSocket `/v1/models/{name}/stream` answers each message, in order: `{"push": item}` (with `"trace": true` also
every gate), `{"finish": true}`, `{"save": true}`, `{"load": state}`, `{"reset": true}`, and binary messages of 16-bit
samples for audio."""

_ANY = {"type": "object", "additionalProperties": True}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}
_MODEL = {
    "type": "object",
    "required": ["name", "task", "labels", "streams", "fingerprint"],
    "properties": {
        "name": {"type": "string"},
        "task": {"type": "string"},
        "labels": {"type": "array", "items": {}},
        "streams": {"type": "boolean", "description": "whether it has a WebSocket stream"},
        "fingerprint": {"type": "string", "description": "tells the model from any other"},
    },
}
_STATUS = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}}
_READY = {
    "type": "object",
    "required": ["status", "changed_on_disk"],
    "properties": {
        "status": {"enum": ["ready", "stopping"]},
        "changed_on_disk": {"type": "array", "items": {"type": "string"}},
    },
}
_INPUTS = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "inputs": {
            "type": "array",
            "items": {},
            "description": "texts; or series, each a list of numbers, or of a list of numbers for each step",
        }
    },
}
_OUTPUTS = {
    "type": "object",
    "required": ["outputs"],
    "properties": {
        "outputs": {"type": "array", "items": _ANY, "description": "rows as `penstock predict` writes them"}
    },
}
_NAME = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "the model's name",
}


def describe(api: FastAPI, settings: "ServerSettings") -> None:
    """Let the application give the document at /openapi.json."""

    def document() -> dict[str, Any]:
        if api.openapi_schema is None:
            api.openapi_schema = _document(api.version, secured=settings.token is not None)
        return api.openapi_schema

    api.openapi = document  # type: ignore[method-assign]


def _document(version: str, *, secured: bool) -> dict[str, Any]:
    paths: dict[str, Any] = {
        "/healthz": {"get": _operation("healthz", "Whether the process is alive", _json(_STATUS), secured=False)},
        "/readyz": {
            "get": _operation(
                "readyz", "Whether requests are accepted", _json(_READY), {"503": _json(_READY)}, secured=False
            )
        },
        "/metrics": {
            "get": _operation("metrics", "Figures for Prometheus", {"text/plain": {"schema": {"type": "string"}}})
        },
        "/v1/models": {"get": _operation("models", "The models", _json(_listed()))},
        "/v1/models/{name}": {
            "parameters": [_NAME],
            "get": _operation("model", "Everything about one model", _json(_MODEL), _errors(404)),
        },
        "/v1/models/{name}/predict": {"parameters": [_NAME], "post": _predict()},
    }
    scheme = {"token": {"type": "http", "scheme": "bearer"}}
    whole: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Penstock", "version": version, "description": _ABOUT},
        "paths": paths,
    }
    if secured:
        whole |= {"components": {"securitySchemes": scheme}, "security": [{"token": []}]}
        for path in paths.values():
            for name, operation in path.items():
                if name != "parameters" and "security" not in operation:
                    operation["responses"] |= _responses(_errors(401))
    return whole


def _predict() -> dict[str, Any]:
    operation = _operation(
        "predict", "Answer whole inputs", _json(_OUTPUTS), _errors(400, 404, 408, 413, 415, 422, 429, 501, 503)
    )
    form = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
    files = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILES}
    content = {"application/json": {"schema": _INPUTS}, "multipart/form-data": {"schema": form}, **files}
    return operation | {"requestBody": {"required": True, "content": content}}


def _operation(
    name: str, summary: str, content: dict[str, Any], others: dict[str, Any] | None = None, *, secured: bool = True
) -> dict[str, Any]:
    # 421 and 403: asked for by a foreign name, or by a foreign page.
    responses = _responses({"200": content, **_errors(403, 421), **(others or {})})
    open_to_all: dict[str, Any] = {} if secured else {"security": []}
    return {"operationId": name, "summary": summary, "responses": responses, **open_to_all}


_WORDS = {
    "200": "Done",
    "400": "Not JSON, not UTF-8, no form, or cut short",
    "401": "No token, or a wrong one",
    "403": "From a page of another origin",
    "404": "No such model",
    "408": "Not arrived in time",
    "413": "Larger than allowed",
    "415": "Of a type that is not known",
    "421": "Asked for by a name that is not this server's",
    "422": "Inputs that the model can't read",
    "429": "Too many requests wait",
    "501": "A file for which this server lacks a package",
    "503": "The server stops",
}


def _responses(contents: dict[str, Any]) -> dict[str, Any]:
    return {status: {"description": _WORDS[status], "content": content} for status, content in contents.items()}


def _errors(*statuses: int) -> dict[str, Any]:
    return {str(status): _json(_ERROR) for status in statuses}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _listed() -> dict[str, Any]:
    return {"type": "object", "required": ["models"], "properties": {"models": {"type": "array", "items": _MODEL}}}
