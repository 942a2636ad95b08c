"""The licence and the data sets of a model's card, as they are typed."""

from typing import Any

__all__ = ["for_card"]


def for_card(license: str | None, datasets: str | None) -> dict[str, Any]:
    """Return the arguments of `save`, checked before any work is done; names are separated by commas.

    Raises:
        ConfigError: what can't be a licence or a data set.
    """
    from penstock.model_card import published

    names = [name.strip() for name in datasets.split(",")] if datasets is not None else None
    published(license, names)
    return {"license": license, "datasets": names}
