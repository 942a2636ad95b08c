"""Structured log: one JSON object per line on standard error."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

__all__ = ["configure", "log"]

_LOGGER = logging.getLogger("penstock.server")


def log(event: str, level: int = logging.INFO, *, always: bool = False, **fields: Any) -> None:
    """Write a line with time, level, event and fields.

    Args:
            event: a constant word or two, to search for.
            level: as in `logging`.
            always: write the line whatever the configured level is.
            fields: plain values; they must not contain data or tokens sent by clients.
    """
    if always or _LOGGER.isEnabledFor(level):
        _LOGGER.handle(_LOGGER.makeRecord(_LOGGER.name, level, "", 0, event, (), None, extra={"fields": fields}))


def configure(level: str) -> None:
    """Make loggers write JSON lines: the server's from `level` on (debug, info, warning, error), others' less."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    # The form parser warns of every invalid form, which is the client's error and gets status 400.
    others = {"uvicorn": "warning", "python_multipart": "error", "ray.serve": "warning"}
    for name, least in {"penstock.server": level, **others}.items():
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(least.upper())
        logger.propagate = False


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": when, "level": record.levelname.lower(), "event": record.getMessage().strip()}
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
