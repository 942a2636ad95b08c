"""`penstock serve`: saved models for other programs and for a browser."""

import math
from typing import Annotated

import typer

from penstock.errors import ConfigError, MissingExtraError

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_LEVELS = ("debug", "info", "warning", "error")


@app.command(epilog="Example: penstock serve sentiment --port 8000")
def serve(
    models: Annotated[list[str], typer.Argument(metavar="DIR...", help="Trained models' folders, or NAME=DIR.")],
    host: Annotated[str, typer.Option(help="Address to listen on; one that others can reach needs a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(envvar="PENSTOCK_TOKEN", help="Bearer token; prefer the environment variable PENSTOCK_TOKEN."),
    ] = None,
    allow_origin: Annotated[
        list[str] | None, typer.Option(help="A page's origin, like https://example.org, that may use it; repeatable.")
    ] = None,
    max_body_mb: Annotated[float, typer.Option(help="Largest request, in MiB.")] = 16,
    max_message_kb: Annotated[float, typer.Option(help="Largest WebSocket message, in KiB.")] = 128,
    max_streams: Annotated[int, typer.Option(help="Streams open at once.")] = 10_000,
    max_waiting: Annotated[int, typer.Option(help="Messages of one stream that may wait for answers.")] = 256,
    max_requests: Annotated[
        int, typer.Option(help="Predict requests that may wait at once, and bodies beyond 64 KiB that may be read.")
    ] = 64,
    max_connections: Annotated[int, typer.Option(help="Connections at once.")] = 12_000,
    idle_seconds: Annotated[float, typer.Option(help="Close a stream after so long without a message.")] = 600,
    slow_seconds: Annotated[float, typer.Option(help="Time for a request to arrive and for answers to be taken.")] = 10,
    grace_seconds: Annotated[float, typer.Option(help="Time to answer what was accepted, once told to stop.")] = 10,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve models by HTTP and WebSocket, with a page at / to see them at work.

    Logs are JSON lines on standard error; the first says the address. SIGTERM answers what was accepted, then stops.
    """
    from penstock.server.settings import ServerSettings

    if log_level not in _LEVELS:
        raise ConfigError(f"--log-level must be one of {', '.join(_LEVELS)}; got {log_level!r}")
    settings = ServerSettings(
        host=host,
        port=port,
        token=token,
        origins=tuple(allow_origin or ()),
        max_body=_bytes(max_body_mb * 1024**2, "--max-body-mb"),
        max_message=_bytes(max_message_kb * 1024, "--max-message-kb"),
        max_streams=max_streams,
        max_waiting=max_waiting,
        max_requests=max_requests,
        max_connections=max_connections,
        idle_seconds=idle_seconds,
        slow_seconds=slow_seconds,
        grace_seconds=grace_seconds,
    )
    try:
        from penstock.server.run import serve as run
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("penstock"):
            raise
        raise MissingExtraError(f"the server needs {error.name}: pip install 'penstock[serve]'") from error
    run(models, settings, log_level=log_level)


def _bytes(size: float, flag: str) -> int:
    if not math.isfinite(size):
        raise ConfigError(f"{flag} must be a finite number; got {size}")
    return int(size)
