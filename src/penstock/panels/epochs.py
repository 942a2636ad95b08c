"""How much of long series an epoch draws."""

__all__ = ["drawn_in_an_epoch"]

_FEWEST_BATCHES, _MOST_BATCHES = 25, 100


def drawn_in_an_epoch(examples: int, batch_size: int) -> int:
    """Return how many examples an epoch draws of those that there are: 25 to 100 whole batches."""
    return min(max(-(-examples // batch_size), _FEWEST_BATCHES), _MOST_BATCHES) * batch_size
