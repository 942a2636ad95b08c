"""Charts as inline SVG, without a library or a script; the colours follow the light or dark theme of the page.

A charting library would add a megabyte of script to each report. The content security policy of the page forbids
scripts, and a printed page can't run them. Reports need only four kinds of marks on two axes. SVG `title` elements show
the values as tooltips.
"""

from collections.abc import Sequence

from penstock.report.axes import Axis, Frame, frame, number_axis, power_axis, word_axis
from penstock.report.figures import escape
from penstock.report.marks import Mark

__all__ = ["chart"]

# Width and height are small so that the text stays readable when a phone scales the drawing down.
_WIDE, _SQUARE = Frame(480, 300), Frame(380, 360, left=58, right=16)


def chart(
    marks: Sequence[Mark],
    *,
    title: str,
    x_label: str,
    y_label: str,
    log: bool = False,
    marker: float | None = None,
    marker_text: str = "",
    names: Sequence[tuple[float, str]] = (),
    within: tuple[float, float] | None = None,
    square: bool = False,
) -> str:
    """Draw a figure with its legend, as HTML.

    Args:
        marks: the marks, in drawing order; a chart without points shows a dash.
        title: the caption; the text for screen readers adds the first, last and extreme values of the marks.
        x_label, y_label: the names of the axes, with units.
        log: whether the y axis is logarithmic; points that are not above 0 are then left out.
        marker: the x position of a vertical line.
        marker_text: the label of that line.
        names: labels for values of x in ascending order, such as dates; the axis shows them instead of numbers.
        within: the range that the y axis must cover; in a square chart, both axes.
        square: whether both axes show the same quantity.
    """
    points = [point for mark in marks for point in mark.extent(log)]
    if not points:
        return f"<figure><figcaption>{escape(title)}</figcaption><p>–</p></figure>"
    size = _SQUARE if square else _WIDE
    across, up = _axes(points, size, log=log, names=names, within=within, square=square)
    words = dict(names)
    drawing = frame(across, up, size, x_label, y_label)
    if marker is not None:
        drawing += _marker(across(marker), size, marker_text)
    drawing += "".join(mark.drawn(across, up, log, lambda x: words.get(x, f"{x_label} {x:.6g}")) for mark in marks)
    legend = "".join(
        f'<li><svg class="sample" viewBox="0 0 28 8" aria-hidden="true">{mark.sample()}</svg>{escape(mark.name)}</li>'
        for mark in marks
    )
    spoken = escape(f"{title}: {'; '.join(mark.spoken() for mark in marks)}")
    return (
        f"<figure{' class=square' if square else ''}><figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {size.width} {size.height}" role="img" aria-label="{spoken}">{drawing}</svg>'
        f'<ul class="legend">{legend}</ul></figure>'
    )


def _axes(
    points: Sequence[tuple[float, float]],
    size: Frame,
    *,
    log: bool,
    names: Sequence[tuple[float, str]],
    within: tuple[float, float] | None,
    square: bool,
) -> tuple[Axis, Axis]:
    more = list(within or ())
    xs, ys = [x for x, _ in points], [*(y for _, y in points), *more]
    left, right, top, bottom = size.left, size.width - size.right, size.top, size.height - size.bottom
    up = power_axis(ys, bottom, top) if log else number_axis(ys, bottom, top, about=5, wide=True)
    if names:
        inside = [(x, word) for x, word in names if min(xs) <= x <= max(xs)]
        return word_axis(inside, left, right), up
    return number_axis([*xs, *(more if square else [])], left, right, about=5 if square else 6), up


def _marker(at: float, size: Frame, text: str) -> str:
    line = f'<line class="marker" x1="{at:.1f}" x2="{at:.1f}" y1="{size.top}" y2="{size.height - size.bottom}"/>'
    if not text:
        return line
    is_late = at > (size.left + size.width - size.right) / 2
    anchor, beside = ("end", at - 5) if is_late else ("start", at + 5)
    return f'{line}<text x="{beside:.1f}" y="{size.top + 11}" text-anchor="{anchor}">{escape(text)}</text>'
