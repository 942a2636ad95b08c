"""Serves saved models: predictions by HTTP, streams by WebSocket, and a web page. Needs the extra `serve`."""

from penstock.server.settings import ServerSettings

__all__ = ["ServerSettings"]
