"""A self-contained HTML file: the style is inline, and there are no scripts, fonts or requests to other hosts."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from penstock.report.figures import escape
from penstock.report.words import Words

__all__ = ["PARTS", "details", "mark", "measured_part", "page", "paragraph", "scrolled", "section", "table"]

PARTS = ("train", "valid", "test")
"""The parts of the data, in order."""
_NARROW = 40  # approximate total width, in characters, of the columns that fit on a phone

# The policy makes the browser refuse external content, even if a text on the page refers to it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"


def measured_part(metrics: Mapping[str, Any]) -> str:
    """Return the part of the data that the model is judged by: the test part, else the validation part."""
    return "test" if metrics.get("test") else "valid"


def page(title: str, lead: str, sections: Iterable[str], language: str = "en") -> str:
    """Return the whole file.

    Args:
        title: plain text.
        lead: the text below the title, as HTML.
        sections: the results of `section`; empty ones are left out.
        language: one of `words.LANGUAGES`.
    """
    words = Words(language)
    hint = f'.scroll.wide::before {{ content: "{words("scroll")}"; }}'
    body = "\n".join(part for part in sections if part)
    return (
        f'<!DOCTYPE html>\n<html lang="{words.html}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_style()}{hint}\n</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{escape(title)}</h1>\n<p class="lead">{lead}</p>\n{body}\n</main>\n</body>\n</html>\n'
    )


def section(title: str, *parts: str) -> str:
    """Return one card of the page, made of parts that are HTML; empty if all parts are empty."""
    body = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>" if body else ""


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph of HTML; empty if there is no text.

    Args:
        text: HTML.
        kind: its CSS class: "quiet" or "callout".
    """
    return f"<p{f' class={kind}' if kind else ''}>{text}</p>" if text else ""


def details(summary: str, content: str) -> str:
    """Return content that the reader can expand; in print it is always expanded."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>" if content else ""


def table(
    columns: Sequence[str],
    rows: Iterable[tuple[str, Sequence[str]]],
    *,
    ours: str = "",
    caption: str = "",
    kind: str = "",
) -> str:
    """Return a table whose first column names the rows.

    Args:
        columns: headings, plain text; the first one is that of the names.
        rows: pairs of name (plain text, or HTML as `figures.Marked`) and cells (HTML).
        ours: the name of the row to highlight.
        caption: plain text above it.
        kind: its CSS class.
    """
    listed = [(name, list(cells)) for name, cells in rows]
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    lines = "".join(
        f'<tr{" class=ours" if name == ours else ""}><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
        for name, cells in listed
    )
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    style = f" class={kind}" if kind else ""
    names = max([len(name) for name, _ in listed] + [len(columns[0])], default=0)
    wide = min(names, 20) + sum(max(len(column), 8) + 2 for column in columns[1:]) > _NARROW
    return scrolled(f"<table{style}>{above}<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>", wide=wide)


def mark(good: bool) -> str:
    """Return a mark for an expected or an unexpected result, as HTML."""
    return '<strong class="good">yes</strong>' if good else '<strong class="bad">no</strong>'


def scrolled(content: str, *, wide: bool = False) -> str:
    """Wrap content that may be wider than a phone in a box that scrolls horizontally, also with the keyboard.

    Args:
        content: HTML.
        wide: whether it is wider than a phone; a narrow screen then shows a hint above it.
    """
    return f'<div class="scroll{" wide" if wide else ""}" tabindex="0">{content}</div>'


@cache
def _style() -> str:
    return (files("penstock.report") / "page.css").read_text(encoding="utf-8")
