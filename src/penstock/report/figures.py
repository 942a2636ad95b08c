"""Numbers on a page, each marked with its place in the data."""

import html
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["Figures", "Marked", "escape", "pointer", "readable"]


class Marked(str):
    """Text that is already HTML, in which each number is marked with its place."""


def escape(text: object) -> str:
    """Escape text for HTML; `Marked` text is returned unchanged."""
    return text if isinstance(text, Marked) else html.escape(str(text), quote=True)


def pointer(*keys: object) -> str:
    """Return the JSON pointer (RFC 6901) of a value: pointer("valid", "a/b") is /valid/a~1b."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


def readable(value: float) -> str:
    """Format a number with four decimals, or in scientific notation if it is too small or too large for that."""
    return f"{value:.4f}" if not value or 1e-3 <= abs(value) < 1e6 else f"{value:.3e}"


class Figures:
    """The data of a report; values are read by their place, so that the page and the data can't differ.

    Args:
        data: the contents of `metrics.json`, or any other nested dicts and lists.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data

    def get(self, *keys: object, default: Any = None) -> Any:
        """Return the value at these keys, or `default` if there is none or it is null."""
        value: Any = self.data
        for key in keys:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return default
        return default if value is None else value

    def text(self, *keys: object, code: bool = False) -> str:
        """Return the text at these keys as HTML, marked with its place; empty if there is none.

        Args:
            keys: the keys that lead to the text.
            code: whether the text is formatted as code.
        """
        value = self.get(*keys)
        if value is None:
            return ""
        tag = "code" if code else "span"
        return f'<{tag} data-metric="{escape(pointer(*keys))}">{escape(value)}</{tag}>'

    def interval(self, *keys: object, form: str = "") -> str:
        """Return both ends of the interval at these keys as HTML; empty if there is none."""
        if self.get(*keys) is None:
            return ""
        low, high = (self.number(*keys, end, form=form) for end in (0, 1))
        return f'<span class="interval">[{low}, {high}]</span>'

    def number(self, *keys: object, form: str = "", unit: str = "") -> str:
        """Return the number at these keys as HTML, marked with its place; a dash if there is none.

        Args:
            keys: the keys that lead to the number.
            form: a format specification as in `format`; `readable` is used if it is omitted.
            unit: text to append.
        """
        value = self.get(*keys)
        if not isinstance(value, int | float):
            return '<span class="none">–</span>'
        shown = f"{value:,}" if isinstance(value, int) else format(value, form) if form else readable(value)
        place = f'data-metric="{escape(pointer(*keys))}" data-value="{escape(json.dumps(value))}"'
        return f"<span {place}>{escape(shown + unit)}</span>"
