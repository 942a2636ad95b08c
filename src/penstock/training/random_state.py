"""A training that leaves the process as it found it: PyTorch's random numbers and threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from penstock import engine
from penstock.nn.threads import engine_threads_of

__all__ = ["random_scope"]


@contextmanager
def random_scope(seed: int) -> Iterator[None]:
    """Seeded random numbers and one thread for PyTorch, all of the engine's threads for the engine.

    PyTorch's workers spin after each operator and would take the cores from the engine, which does nearly all of
    the work. On leaving, by whatever way, PyTorch's generator and number of threads are as before.

    Args:
        seed: for what draws from PyTorch's global generator inside, such as the dropout between layers.
    """
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]), engine_threads_of(engine.get_num_threads()):
        torch.random.default_generator.manual_seed(seed)  # of the CPU alone: the others are not saved above
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
