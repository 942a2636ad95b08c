"""Context in which a training changes PyTorch's random numbers and threads, and restores them afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from penstock import engine
from penstock.nn.threads import engine_threads_of

__all__ = ["random_scope"]


@contextmanager
def random_scope(seed: int) -> Iterator[None]:
    """Seed PyTorch, and give it one thread and the engine all of its threads.

    PyTorch's workers spin after each operator and would take cores from the engine, which does nearly all of the work.
    On exit PyTorch's generator and number of threads are restored.

    Args:
        seed: seed of PyTorch's global generator, which the dropout between layers uses.
    """
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]), engine_threads_of(engine.get_num_threads()):
        torch.random.default_generator.manual_seed(
            seed
        )  # only the CPU's generator, because the others are not saved above
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
