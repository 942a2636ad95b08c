"""The examples and the README's Python lines do what they say."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# The others add a task or a cell; `tests/tasks` and `tests/cells` try them.
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.py") if not path.stem.endswith("_of_your_own"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path, capsys):
    # Each asserts what it claims.
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out


def test_readme_lines_run(tmp_path, monkeypatch, capsys):
    lines = python_blocks(ROOT / "README.md")
    assert len(lines) == 1
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(lines[0], "README.md", "exec"), names)  # our own text, not input
    assert names["model"].predict(["lovely food", "服务差"]) == ["good", "bad"]
    assert (tmp_path / "sentiment" / "report.html").is_file()
    assert tuple(names["lstm"](names["lstm"].weight_ih_l0.new_zeros(2, 3, 64))[0].shape) == (2, 3, 128)
    assert "was kind" in capsys.readouterr().out


def python_blocks(path: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(
    "page", sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
)
def test_links_lead_somewhere(page):
    path = ROOT / page
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            leads_to = path.parent / target if target else path
            assert leads_to.exists(), f"{page} links to {target}"
            assert not anchor or anchor in anchors(leads_to), f"{page} links to {target}#{anchor}"


def anchors(path: Path) -> set[str]:
    """Of a page's headings, as GitHub makes them: small letters, no marks, spaces to hyphens."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
