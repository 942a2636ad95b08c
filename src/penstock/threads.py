"""One setting for the engine's threads and, where PyTorch is loaded, for PyTorch's."""

import sys

from penstock import engine

__all__ = ["set_num_threads"]


def set_num_threads(threads: int) -> None:
    """Use `threads` (1 or more) threads in the engine and in PyTorch's operators from the next call on.

    Raises:
        ConfigError: `threads` is not a whole number of 1 or more.

    Examples:
        >>> import penstock
        >>> from penstock.engine import get_num_threads
        >>> before = get_num_threads()
        >>> penstock.set_num_threads(1)
        >>> get_num_threads()
        1
        >>> penstock.set_num_threads(before)
    """
    engine.set_num_threads(threads)
    if "torch" in sys.modules:  # without it there is nothing to set
        sys.modules["torch"].set_num_threads(threads)
