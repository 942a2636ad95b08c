"""Computes the arrays that the lab's page shows, by the engine and the layers of `penstock.nn`.

`python -m penstock.lab.compute` writes `arrays.json` anew, in about ten minutes on one core. Opening the page needs
neither this nor PyTorch.
"""
