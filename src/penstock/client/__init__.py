"""A client of `penstock serve`: predictions for whole inputs, and streams with asyncio. Needs the extra `client`."""

from penstock.errors import MissingExtraError

try:
    from penstock.client.http import Client
    from penstock.client.streams import LastingStream, RemoteStream
except ModuleNotFoundError as error:
    raise MissingExtraError(f"penstock.Client needs {error.name}: pip install 'penstock[client]'") from error

__all__ = ["Client", "LastingStream", "RemoteStream"]
