"""Numbers on a page, each tied to the place in the data that it shows."""

import html
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["Figures", "Marked", "escape", "pointer", "readable"]


class Marked(str):
    """Text that is HTML already, with the place of each number."""


def escape(text: object) -> str:
    """Text as HTML that shows exactly this text; what is `Marked` stays as it is."""
    return text if isinstance(text, Marked) else html.escape(str(text), quote=True)


def pointer(*keys: object) -> str:
    """Where a value lies, as a JSON pointer (RFC 6901): pointer("valid", "a/b") is /valid/a~1b."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


def readable(value: float) -> str:
    """Four digits behind the point; where these say nothing, or too many stand before it, four digits and a power."""
    return f"{value:.4f}" if not value or 1e-3 <= abs(value) < 1e6 else f"{value:.3e}"


class Figures:
    """What a report shows, taken from the data by where it lies, so that page and data can't differ.

    Args:
        data: what `metrics.json` holds, or any other nest of dicts and lists.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data

    def get(self, *keys: object, default: Any = None) -> Any:
        """The value that lies at these keys, `default` if there is none (or null)."""
        value: Any = self.data
        for key in keys:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return default
        return default if value is None else value

    def text(self, *keys: object, code: bool = False) -> str:
        """The text at these keys as HTML, marked with its place; nothing if there is none.

        Args:
            keys: where it lies.
            code: whether it is set as code.
        """
        value = self.get(*keys)
        if value is None:
            return ""
        tag = "code" if code else "span"
        return f'<{tag} data-metric="{escape(pointer(*keys))}">{escape(value)}</{tag}>'

    def interval(self, *keys: object, form: str = "") -> str:
        """The two ends of an interval at these keys as HTML; nothing if there is none."""
        if self.get(*keys) is None:
            return ""
        low, high = (self.number(*keys, end, form=form) for end in (0, 1))
        return f'<span class="interval">[{low}, {high}]</span>'

    def number(self, *keys: object, form: str = "", unit: str = "") -> str:
        """The number at these keys as HTML, marked with its place; a dash if there is none.

        Args:
            keys: where it lies.
            form: how it is written, as in `format`; as `readable` does it, if left out.
            unit: what is written behind it.
        """
        value = self.get(*keys)
        if not isinstance(value, int | float):
            return '<span class="none">–</span>'
        shown = f"{value:,}" if isinstance(value, int) else format(value, form) if form else readable(value)
        place = f'data-metric="{escape(pointer(*keys))}" data-value="{escape(json.dumps(value))}"'
        return f"<span {place}>{escape(shown + unit)}</span>"
