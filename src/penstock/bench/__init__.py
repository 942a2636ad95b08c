"""Measures the engine's speed against other installed libraries."""

from penstock.bench.measure import Measured, measure
from penstock.bench.peers import PEERS, installed
from penstock.bench.points import GRIDS, Point
from penstock.bench.summary import summary

__all__ = ["GRIDS", "PEERS", "Measured", "Point", "installed", "measure", "summary"]
