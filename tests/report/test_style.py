"""The page's colours can be told from what is behind them, in light, dark and on paper (WCAG 2.1, 1.4.3)."""

import re
from importlib.resources import files

import pytest

CSS = (files("penstock.report") / "page.css").read_text(encoding="utf-8")
BLOCKS = {
    "light": re.search(r":root \{(.*?)\}", CSS, re.DOTALL)[1],
    "dark": re.search(r"dark\) \{ :root \{(.*?)\}", CSS, re.DOTALL)[1],
    "print": re.search(r"print \{\s*:root \{(.*?)\}", CSS, re.DOTALL)[1],
}
TEXT = ("--ink", "--quiet", "--good", "--bad", *(f"--s{style}" for style in range(7)))


def colours(theme):
    return dict(re.findall(r"(--[\w]+): ([^;]+);", BLOCKS[theme]))


def rgb(text):
    if text.startswith("#"):
        digits = text[1:] if len(text) == 7 else "".join(2 * digit for digit in text[1:])
        return [int(digits[k : k + 2], 16) for k in (0, 2, 4)]
    return [int(part) for part in text.split()]


def luminance(colour):
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", BLOCKS)
def test_text_can_be_read(theme):
    found = colours(theme)
    for name in TEXT:
        assert contrast(rgb(found[name]), rgb(found["--card"])) >= 4.5, name


@pytest.mark.parametrize("theme", BLOCKS)
def test_numbers_can_be_read_on_the_darkest_cell_of_a_matrix(theme):
    found = colours(theme)
    most = float(found["--most"])
    cell = [
        most * heat + (1 - most) * card for heat, card in zip(rgb(found["--heat"]), rgb(found["--card"]), strict=True)
    ]
    assert contrast(rgb(found["--ink"]), cell) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_warning_can_be_read(theme):
    found = colours(theme)
    assert contrast(rgb(found["--ink"]), rgb(found["--warm"])) >= 4.5
