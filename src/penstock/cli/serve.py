"""`penstock serve`: serves saved models to programs and browsers."""

import math

from penstock.cli.command import argument, command, option
from penstock.cli.values import NUMBER, Number, OneOf
from penstock.errors import ConfigError, MissingExtraError

_COUNT = Number(whole=True, least=1)


@command("serve", example="penstock serve sentiment --port 8000")
@argument("models", metavar="DIR...", nargs=-1, required=True, help="Trained models' folders, or NAME=DIR.")
@option("--host", default="127.0.0.1", help="Address to listen on; one that other machines can reach needs a token.")
@option("--port", type=Number(whole=True, least=0), default=8000, help="Port to listen on; 0 chooses a free one.")
@option("--token", envvar="PENSTOCK_TOKEN", help="Bearer token; prefer the environment variable PENSTOCK_TOKEN.")
@option(
    "--allow-origin",
    multiple=True,
    help="Origin, such as https://example.org, whose pages may use the server; repeatable.",
)
@option("--max-body-mb", type=NUMBER, default=16, help="Maximum size of a request, in MiB.")
@option("--max-message-kb", type=NUMBER, default=128, help="Maximum size of a WebSocket message, in KiB.")
@option("--max-streams", type=_COUNT, default=10_000, help="Maximum number of open streams.")
@option("--max-waiting", type=_COUNT, default=256, help="Maximum number of waiting messages per stream.")
@option(
    "--max-requests",
    type=_COUNT,
    default=64,
    help="Maximum number of waiting predict requests, and of bodies above 64 KiB read at once.",
)
@option("--max-connections", type=_COUNT, default=12_000, help="Maximum number of connections.")
@option("--idle-seconds", type=NUMBER, default=600, help="Close a stream after this time without a message.")
@option("--slow-seconds", type=NUMBER, default=10, help="Time limit for receiving a request and for sending a reply.")
@option("--deadline-seconds", type=NUMBER, default=60, help="Time limit for the work of a request.")
@option("--grace-seconds", type=NUMBER, default=10, help="Time to finish accepted requests when stopping.")
@option("--replicas", type=_COUNT, default=1, help="Processes that compute, on Ray; 1 without --on: this one.")
@option(
    "--on",
    help='Address of a Ray cluster for replicas: "ray://HOST:10001", "HOST:6379", or "auto" on one of its machines; '
    "default: this machine.",
)
@option(
    "--log-level",
    type=OneOf(("debug", "info", "warning", "error")),
    default="info",
    help="debug, info, warning or error.",
)
def serve(
    models: tuple[str, ...],
    host: str,
    port: int,
    token: str | None,
    allow_origin: tuple[str, ...],
    max_body_mb: float,
    max_message_kb: float,
    max_streams: int,
    max_waiting: int,
    max_requests: int,
    max_connections: int,
    idle_seconds: float,
    slow_seconds: float,
    deadline_seconds: float,
    grace_seconds: float,
    replicas: int,
    on: str | None,
    log_level: str,
) -> None:
    """Serve models by HTTP and WebSocket, with a page at / to see them at work.

    Logs are JSON lines on standard error; the first says the address. SIGTERM answers what was accepted, then stops.
    """
    from penstock.server.settings import ServerSettings

    settings = ServerSettings(
        host=host,
        port=port,
        token=token,
        origins=allow_origin,
        max_body=_bytes(max_body_mb * 1024**2, "--max-body-mb"),
        max_message=_bytes(max_message_kb * 1024, "--max-message-kb"),
        max_streams=max_streams,
        max_waiting=max_waiting,
        max_requests=max_requests,
        max_connections=max_connections,
        idle_seconds=idle_seconds,
        slow_seconds=slow_seconds,
        deadline_seconds=deadline_seconds,
        grace_seconds=grace_seconds,
    )
    try:
        from penstock.server.run import serve as run
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("penstock"):
            raise
        raise MissingExtraError(f"the server needs {error.name}: pip install 'penstock[serve]'") from error
    run(list(models), settings, replicas=replicas, on=on, log_level=log_level)


def _bytes(size: float, flag: str) -> int:
    if not math.isfinite(size):
        raise ConfigError(f"{flag} must be a finite number; got {size}")
    return int(size)
