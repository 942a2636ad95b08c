"""Commands whose flags are not all written down in a function's signature."""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

__all__ = ["with_flags"]


def with_flags(function: Callable[..., None], flags: Iterable[inspect.Parameter]) -> Callable[..., None]:
    """The function with a parameter for each flag instead of its `**options`, as Typer can read it."""
    own = [p for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        function(*args, **kwargs)

    # Both, as Typer looks at either; `wraps` would lead it back to the function.
    parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in own] + list(flags)
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    del wrapped.__wrapped__
    return wrapped
