"""Recordings and what can be computed from them, for every family that reads sound: samples, files, features."""
