"""Graphs to files for other runtimes: each is verified before it is written. `targets` is the table of all."""
