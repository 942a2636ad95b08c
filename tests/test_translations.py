"""The Chinese pages keep in step with the English ones: outline, commands, code, names, figures, places they lead to.

Compared with the comments taken out, so that these may speak Chinese: see `bare`. The words are for people to compare.
"""

import ast
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENGLISH_ONLY = {"cli", "performance-machines"}  # made from the commands, which speak English; tables of figures

DOCS = ROOT / "docs"
GUIDES = [*DOCS.glob("*.md"), *(DOCS / "cells").glob("*.md")]
ENGLISH = [ROOT / "README.md", *sorted(page for page in GUIDES if page.stem not in ENGLISH_ONLY)]

HEADING_OR_CODE = re.compile(r"^(#+) ([^\n]*)$|^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LANGUAGES = re.compile(r"^(English|\[English\]\(.*?\)) · .*\n", re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
MATH = re.compile(r"\$[^$\n]+\$")
LINK = re.compile(r"\]\(([^)#\s]*)[^)\s]*\)")
NUMBER = re.compile(r"\d+(?:[.,/]\d+)*")
MARK = "[，。；：、（）“”？！]"
HAN = r"[\u3400-\u9fff]"


def twin(page: Path) -> Path:
    """The Chinese page of an English one."""
    return ROOT / "README.zh-CN.md" if page.name == "README.md" else DOCS / "zh" / page.relative_to(DOCS)


@dataclass(frozen=True)
class Section:
    """From one heading to the next."""

    level: int
    title: str
    blocks: tuple[tuple[str, str], ...]  # language, code
    prose: str  # what is left without the blocks, heading included

    @property
    def rows(self) -> list[str]:
        """Of its tables, without the lines that hold no words."""
        return [line for line in self.prose.splitlines() if line.startswith("|") and set(line) - set("|-: ")]


def sections(page: Path) -> list[Section]:
    """Of a page, without the line that leads to its twin."""
    text = LANGUAGES.sub("", page.read_text(encoding="utf-8"))
    starts = [m.start() for m in HEADING_OR_CODE.finditer(text) if m[1]]
    found = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        parts = list(HEADING_OR_CODE.finditer(text, start, end))
        blocks = tuple((m[3], m[4]) for m in parts[1:])
        prose = HEADING_OR_CODE.sub(lambda m: m[0] if m[1] else "", text[start:end])
        found.append(Section(len(parts[0][1]), parts[0][2], blocks, prose))
    return found


def bare(language: str, code: str) -> object:
    """What has to be the same in both languages: code without comments; of drawings, lines and names."""
    match language:
        case "python":
            return python(code)
        case "sh":
            return shlex.split(code, comments=True)
        case "":
            names = re.findall(r"\w+[_A-Z]\w*", code, re.ASCII)  # of variables and classes, not words
            return len(code.splitlines()), names
    return re.sub(r"\\text\{[^}]*\}", "", code) if language == "math" else code


def python(code: str) -> str:
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Expr(ast.Constant("what it does"))
    return ast.unparse(tree)


def names(text: str) -> set[str]:
    """Inline code and formulas."""
    return {*INLINE.findall(text), *MATH.findall(text)}


def words(text: str) -> str:
    """Without inline code, formulas and addresses."""
    return LINK.sub("]", MATH.sub("`x`", INLINE.sub("`x`", text)))


def figures(text: str) -> list[str]:
    """Numbers in words, sorted: the order of words differs."""
    return sorted(NUMBER.findall(words(text)))


def destinations(page: Path, text: str) -> set[Path | str]:
    """Where links lead; to a page that both languages have, to the English one."""
    english = {twin(other): other for other in ENGLISH}
    found: set[Path | str] = set()
    for target in LINK.findall(text):
        path = Path(os.path.normpath(page.parent / target)) if target else page
        found.add(target if "://" in target else english.get(path, path))
    return found


def sides(page: Path) -> list[tuple[Section, Section]]:
    """Section beside section."""
    ours, theirs = sections(page), sections(twin(page))
    shown = f"{[s.title for s in theirs]} beside {[s.title for s in ours]}"
    assert [s.level for s in theirs] == [s.level for s in ours], shown
    return list(zip(ours, theirs, strict=True))


def each(pages: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", pages, ids=lambda page: page.stem)


@each(ENGLISH)
def test_page_has_its_twin_and_each_leads_to_the_other(page):
    chinese = twin(page)
    assert chinese.is_file(), f"{chinese.relative_to(ROOT)} is missing"
    for one, other, line in [(page, chinese, "English · [{}]({})"), (chinese, page, "[English]({1}) · {0}")]:
        name = "简体中文" if page.name == "README.md" else "中文"
        expected = line.format(name, os.path.relpath(other, one.parent))
        assert one.read_text(encoding="utf-8").splitlines()[2] == expected


def test_pages_are_cut_at_headings_and_code():
    found = sections(ROOT / "docs" / "streaming.md")
    assert [section.level for section in found] == [1, 2, 2, 2, 2]
    assert [language for language, _ in found[1].blocks] == ["python", "sh", "json", "sh"]
    assert "`bidirectional=True`" in found[1].prose
    assert "model.stream()" not in found[1].prose


@each(ENGLISH)
def test_code_is_the_same(page):
    for ours, theirs in sides(page):
        assert [language for language, _ in theirs.blocks] == [language for language, _ in ours.blocks], ours.title
        for one, other in zip(ours.blocks, theirs.blocks, strict=True):
            assert bare(*other) == bare(*one), ours.title


@each(ENGLISH)
def test_tables_have_the_same_rows(page):
    for ours, theirs in sides(page):
        assert len(theirs.rows) == len(ours.rows), ours.title
        for one, other in zip(ours.rows, theirs.rows, strict=True):
            assert other.count("|") == one.count("|"), other
            assert names(other) == names(one), other
            assert figures(other) == figures(one), other


@each(ENGLISH)
def test_names_figures_and_links_are_the_same(page):
    for ours, theirs in sides(page):
        assert names(theirs.prose) == names(ours.prose), ours.title
        assert figures(theirs.prose) == figures(ours.prose), ours.title
        assert destinations(twin(page), theirs.prose) == destinations(page, ours.prose), ours.title


@each(ENGLISH)
def test_chinese_is_set_alike_everywhere(page):
    """A space between Han and Latin, none beside Chinese marks but before formulas; no half-width marks beside Han."""
    for section in sections(twin(page)):
        for line in section.prose.splitlines():
            text = words(line).replace("*", "")
            cells = [cell.strip() for cell in text.split("|")] if line.startswith("|") else [text]
            for cell in cells:
                for wrong in (
                    rf"{HAN}[A-Za-z0-9`]|[A-Za-z0-9`%]{HAN}",
                    rf"{HAN} ?[,;:!?()]|[,;:!?()] ?{HAN}|{HAN}\.",
                    rf"[^-] {MARK}|{MARK} (?!`x`)",
                ):
                    assert not re.search(wrong, cell), f"{re.search(wrong, cell)}: {line}"


@each([path for page in ENGLISH for path in (page, twin(page))])
def test_formulas_stand_where_github_shows_them(page):
    """Behind white space, and not before a letter or digit; others stay dollar signs."""
    for section in sections(page):
        text = INLINE.sub("", section.prose)
        for formula in MATH.finditer(text):
            assert text[formula.start() - 1].isspace(), formula[0]
            assert not text[formula.end()].isalnum(), formula[0]
