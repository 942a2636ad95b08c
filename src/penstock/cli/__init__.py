"""The command `penstock`."""

from penstock.cli.entry import main

__all__ = ["main"]
