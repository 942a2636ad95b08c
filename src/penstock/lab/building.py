"""Builds the page: prose in both languages, formulas, code, one script and the arrays, in one HTML file."""

import base64
import hashlib
import json
from functools import cache
from html import escape
from importlib.resources import files

from penstock.checks import check_one_of
from penstock.lab import chinese, english
from penstock.lab.bundling import bundled
from penstock.lab.formulas import FORMULAS, mathml
from penstock.lab.snippets import SNIPPETS

__all__ = ["FIGURES", "LANGUAGES", "page", "source"]

LANGUAGES = {"en": english, "zh": chinese}
"""The module of each language: `PROSE` and `WORDS` have the same keys in both."""
FIGURES = ("unroll", "gates", "gradients", "forgetting", "start", "clipping", "timing", "truncation")
"""In the order of the page."""
_HTML = {"en": "en", "zh": "zh-Hans"}
# Modules and style that the lab shares with the page of `penstock serve`, which is not imported for them.
_SHARED = ("chart.js", "colours.js", "elements.js", "heatmap.js", "page.css")


def page(language: str = "en") -> str:
    """Return the whole page.

    Args:
        language: "en" or "zh", the language that the page opens in; a switch on it changes it.

    Raises:
        ConfigError: the language is unknown.
    """
    check_one_of("language", language, LANGUAGES)
    script = bundled("main.js", source)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:"
    words = {name: module.WORDS | {"title": module.PROSE["title"]} for name, module in LANGUAGES.items()}
    contents = "".join(f'<li><a href="#{name}">{_both(f"{name}.title", "span")}</a></li>' for name in FIGURES)
    return (
        f'<!DOCTYPE html>\n<html lang="{_HTML[language]}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(LANGUAGES[language].PROSE['title'])}</title>\n"
        f"<style>\n{source('page.css')}{source('lab.css')}</style>\n</head>\n<body>\n{_HEAD}<main>\n"
        f'<header class="heading">{_both("title", "h1")}{_both("lead", "p", "lead")}</header>\n'
        f'<nav aria-labelledby="contents">{_contents_title()}<ol class="contents">{contents}</ol></nav>\n'
        + "\n".join(_section(number, name) for number, name in enumerate(FIGURES, start=1))
        + f'\n<section class="card" id="sources">{_both("sources.title", "h2")}<ul class="sources">{_sources()}</ul>'
        f"{_both('sources.how', 'p', 'quiet small')}</section>\n"
        f'</main>\n<noscript><p class="notice">{escape(_NO_SCRIPT)}</p></noscript>\n'
        f'<script type="application/json" id="words">{_json(words)}</script>\n'
        f'<script type="application/json" id="arrays">{source("arrays.json").strip()}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


_NO_SCRIPT = "The figures need JavaScript. 图中的交互需要 JavaScript。"
_HEAD = """<svg width="0" height="0" aria-hidden="true"><defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" \
markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs></svg>
<header class="top"><p class="brand">Penstock</p><div class="languages" role="group" data-say-label="language">
<button type="button" data-language="en" lang="en" aria-label="English">EN</button>
<button type="button" data-language="zh" lang="zh-Hans" aria-label="中文">中文</button></div></header>
"""


def _section(number: int, name: str) -> str:
    lines = "".join(
        f'<div class="formula">{mathml(formula)}{_both(f"formula.{label}", "span")}</div>'
        for formula, label in FORMULAS[name]
    )
    return (
        f'<section class="card" id="{name}" aria-labelledby="{name}-title">'
        f'<h2 id="{name}-title"><span class="number">{number}</span> {_both(f"{name}.title", "span")}</h2>\n'
        f"{_both(f'{name}.text')}\n{_named('look', f'{name}.look')}\n"
        f'<div class="live"></div>\n{_named("learn", f"{name}.learn")}\n'
        f"<details><summary>{_both('formulas', 'span')}</summary>"
        f'<div class="formulas" tabindex="0">{lines}</div></details>\n'
        f"<details open><summary>{_both('code', 'span')}</summary>"
        f'<pre tabindex="0"><code>{escape(SNIPPETS[name])}</code></pre></details></section>'
    )


def _both(key: str, tag: str = "p", kind: str = "") -> str:
    """Return the text of a key in both languages, of which the style shows one."""
    return "".join(
        f'<{tag} class="{f"{language} {kind}".strip()}" lang="{_HTML[language]}">{module.PROSE[key]}</{tag}>'
        for language, module in LANGUAGES.items()
    )


def _named(label: str, key: str) -> str:
    """Return a callout in both languages: its label, then the text of a key."""
    return "".join(
        f'<p class="{language} {label}" lang="{_HTML[language]}"><strong>{module.PROSE[label]}</strong> '
        f"{module.PROSE[key]}</p>"
        for language, module in LANGUAGES.items()
    )


def _contents_title() -> str:
    return f'<h2 class="unseen" id="contents">{_both("contents", "span")}</h2>'


def _sources() -> str:
    return "".join(f"<li>{source}</li>" for source in english.SOURCES)


def _json(value: object) -> str:
    # Only "<" could end the script element that holds it.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


@cache
def source(name: str) -> str:
    """Return a file of the page: the lab's own, or one that it shares with the page of `penstock serve`."""
    package = files("penstock")
    folder = package / "server" / "page" if name in _SHARED else package / "lab" / "page"
    path = package / "lab" / name if name == "arrays.json" else folder / name
    return path.read_text(encoding="utf-8")
