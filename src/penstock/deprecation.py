"""Warnings of names and arguments that a later version drops: each warns for a version first."""

import warnings

from penstock import __version__

__all__ = ["deprecated"]


def deprecated(what: str, *, use: str, gone_in: str, stacklevel: int = 3) -> None:
    """Warn that something will go.

    Args:
        what: what the caller used, as it is written, such as "TextClassifier(vocab=)".
        use: what to write in its place.
        gone_in: the version that drops it, later than this one.
        stacklevel: as in `warnings.warn`; by default the caller of the function that calls this one is named.

    Raises:
        AssertionError: that version has come: the code that calls this is to be removed.

    Examples:
        >>> import warnings
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     deprecated("fit(vocab=)", use="vocabulary=", gone_in="99.0")
        >>> str(caught[0].message)
        'fit(vocab=) is deprecated and goes in Penstock 99.0: use vocabulary='
    """
    assert _numbers(gone_in) > _numbers(__version__), f"{what} was to go in {gone_in}; this is {__version__}"
    warnings.warn(f"{what} is deprecated and goes in Penstock {gone_in}: use {use}", FutureWarning, stacklevel)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
