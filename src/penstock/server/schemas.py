"""Pydantic models of requests and responses, from which FastAPI makes the OpenAPI document.

They are used only for documentation: requests and predictions are large, and are checked elsewhere.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from penstock.server.options import schema
from penstock.server.uploads import FILES

__all__ = [
    "ABOUT",
    "ATTRIBUTE",
    "PREDICT",
    "Explanation",
    "Failure",
    "ModelInfo",
    "ModelList",
    "Predictions",
    "Readiness",
    "Status",
    "errors",
]

ABOUT = """Trained recurrent networks: whole inputs by HTTP, streams by WebSocket.

The WebSocket `/v1/models/{name}/stream` answers each message, in order: `{"push": item}` (with `"trace": true` also
every gate, of a language model with `"next": 10` also the likeliest next tokens), `{"finish": true}`, `{"save": true}`,
`{"load": state}`, `{"reset": true}`, and binary messages of 16-bit samples for audio. A language model answers
`{"generate": options}`, with the options of its predictions, once for each token that it draws, and last with
`"done": true`; `{"stop": true}` ends that early."""


class Status(BaseModel):
    """Liveness."""

    status: str


class Readiness(BaseModel):
    """Readiness, and the models whose folders have changed since they were loaded."""

    status: Literal["ready", "stopping"]
    changed_on_disk: list[str]


class ModelEntry(BaseModel):
    """A model in the list of models."""

    name: str
    task: str
    labels: list[Any]
    streams: bool = Field(description="whether it has a WebSocket stream")
    fingerprint: str = Field(description="identifies the model")


class ModelList(BaseModel):
    """The models."""

    models: list[ModelEntry]


class ModelInfo(ModelEntry):
    """All information about one model; kinds of models add fields."""

    model_config = ConfigDict(extra="allow")

    reads: Literal["text", "step", "samples"] = Field(description="what a stream's push takes")
    view: str = Field(description='how the page shows it, such as "text" or "forecast"; "" if it can\'t')
    changed_on_disk: bool
    report: bool = Field(description="whether GET /v1/models/{name}/report has the report of its training")


class Predict(BaseModel):
    """Whole inputs."""

    inputs: list[Any] = Field(
        description="texts; sentences, each a text or a list of tokens; or series, each a list of numbers, or of a "
        "list of numbers for each step"
    )
    options: dict[str, Any] = Field({}, json_schema_extra=schema())


class Predictions(BaseModel):
    """Rows as `penstock predict` writes them."""

    outputs: list[dict[str, Any]]


class Completeness(BaseModel):
    """The sum of all scores beside what they explain; occlusion promises no equality."""

    total: float | None
    difference: float | None = Field(description="score minus baseline_score")
    tolerance: float | None
    holds: bool | None


class Attribution(BaseModel):
    """A score for each part of one input."""

    method: Literal["occlusion"]
    target: Any = Field(description="the label or column that is explained; null if there is only one number")
    at: int | None = Field(description="the step whose prediction is explained, or the step ahead; null for the whole")
    unit: Literal["log-odds", "value"]
    score: float | None = Field(description="the explained number")
    baseline_score: float | None = Field(description="the same for the baseline")
    axes: list[str] = Field(description='["token"], or "time" and "channel", "band" or "column"')
    coordinates: dict[str, list[Any]] = Field(description="the names along each axis")
    gaps: list[str] = Field(description="for texts, what stands before each token and after the last one")
    values: list[Any] = Field(description="the scores, nested by axis; positive ones raise the number")
    inputs: list[Any] = Field(description="what the network reads in each cell: ids, or standardised numbers")
    window: list[int] = Field(description="cells along each axis that were replaced together")
    prediction: dict[str, Any]
    baseline_prediction: dict[str, Any]
    completeness: Completeness


class Explanation(BaseModel):
    """The attribution of one input."""

    attribution: Attribution


class Problem(BaseModel):
    """Reason for a failure."""

    type: str = Field(description="a name for programs")
    message: str = Field(description="what was expected, what was given, what to do")


class Failure(BaseModel):
    """An error response."""

    error: Problem


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the error responses of a route: those of all routes, and these."""
    return {status: {"model": Failure, "description": _WORDS[status]} for status in (403, 421, *statuses)}


_WORDS = {
    400: "Not JSON, not UTF-8, not a form, or cut short",
    401: "Missing or wrong token",
    403: "Request from a page of another origin",
    404: "No such model",
    408: "Request did not arrive in time",
    413: "Request too large",
    415: "Unknown content type",
    421: "Host name is not this server's",
    422: "Inputs that the model can't read",
    429: "Too many requests are waiting",
    501: "The server lacks a package for this file",
    503: "The server is stopping, or the work took too long",
    507: "The server's disk is full",
}
_FILE = {"type": "string", "format": "binary"}
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": _FILE,
        "options": {"type": "string", "description": "options of the prediction, as JSON"},
        "columns": {"type": "string", "description": "columns to read in place of those of the training, as JSON"},
    },
}
PREDICT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": Predict.model_json_schema()},
            "multipart/form-data": {"schema": _FORM},
            **{kind: {"schema": _FILE} for kind in FILES},
        },
    }
}
"""The request body of `predict`, which FastAPI cannot derive from the signature."""


def _parameter(name: str, kind: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": {"type": kind}, "description": description}


class Explain(BaseModel):
    """One whole input."""

    inputs: list[Any] = Field(min_length=1, max_length=1, description="one input, as of predict")


ATTRIBUTE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": PREDICT["requestBody"]["content"] | {"application/json": {"schema": Explain.model_json_schema()}},
    },
    "parameters": [
        _parameter("target", "string", "the label, or the column of a forecaster; by default the predicted, the first"),
        _parameter("at", "integer", "the step, from 1, or the step ahead; by default the last, the mean of all"),
    ],
}
"""The query and request body of `attribute`, which FastAPI cannot derive from the signature."""
