"""Saved models on the network: whole inputs by HTTP, streams by WebSocket, a page to see them. Extra `serve`."""

from penstock.server.settings import ServerSettings

__all__ = ["ServerSettings"]
