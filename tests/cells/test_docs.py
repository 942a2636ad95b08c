"""The code in docs/cells runs, and its assertions hold."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs" / "cells"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_there_is_a_page_for_each_cell():
    assert {"rnn", "lstm", "gru", "zoneout", "from-the-article", "of-your-own"} == {
        path.stem for path in DOCS.glob("*.md")
    }


@pytest.mark.usefixtures("cells_as_before")
@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda path: path.stem)
def test_code_on_the_page_runs(page):
    text = page.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert blocks
    names: dict[str, object] = {"__name__": page.stem}
    for block in blocks:  # one after the other, as a reader would; line numbers are the page's
        lines_before = text.count("\n", 0, block.start(1))
        exec(compile("\n" * lines_before + block.group(1), str(page), "exec"), names)
    assert "assert" in text
