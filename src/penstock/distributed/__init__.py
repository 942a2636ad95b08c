"""Work that several processes share, of this machine or of a Ray cluster."""

MOST_LOSSES = 3
"""Losses of processes after which work goes on; one more ends it."""
