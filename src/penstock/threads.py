"""One setting for the number of threads of the engine and, if PyTorch is loaded, of PyTorch."""

import sys

from penstock import engine

__all__ = ["set_num_threads"]


def set_num_threads(threads: int) -> None:
    """Set the number of threads, 1 or more, of the engine and of PyTorch's operators from the next call on.

    Raises:
        ConfigError: `threads` is not a whole number from 1 to 1024.

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
    if "torch" in sys.modules:  # PyTorch is not imported just to set it
        sys.modules["torch"].set_num_threads(int(threads))  # which takes no NumPy integer
