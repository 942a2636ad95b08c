"""The page as a file: whole, small, in two languages, with nothing from elsewhere; and its parts."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from penstock.errors import ConfigError
from penstock.lab import chinese, english, page
from penstock.lab.arrays import drawn, exact, unpacked
from penstock.lab.building import FIGURES, LANGUAGES, source
from penstock.lab.bundling import bundled
from penstock.lab.formulas import FORMULAS, mathml
from penstock.lab.snippets import SNIPPETS

HAN = re.compile("[\u4e00-\u9fff]")


class Parser(HTMLParser):
    """What a page has: identifiers, links, and addresses that would be loaded."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loaded = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if tag == "a" else []
        self.loaded += [found[name] for name in ("src", "srcset", "data") if name in found]
        self.loaded += [found["href"]] if tag == "link" else []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_one_small_file_that_loads_nothing(language):
    text = page(language)
    assert len(text.encode()) < 1_000_000
    assert text.startswith(f'<!DOCTYPE html>\n<html lang="{"en" if language == "en" else "zh-Hans"}">')
    found = Parser(text)
    assert found.loaded == ["data:,"]
    assert len(set(found.ids)) == len(found.ids)
    assert [link for link in found.links if link.removeprefix("#") not in found.ids] == []
    addresses = set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text)) - {"http://www.w3.org"}
    assert addresses == set()


def test_an_unknown_language_is_refused():
    with pytest.raises(ConfigError, match="language must be one of en, zh; got 'fr'"):
        page("fr")


def test_both_languages_say_the_same():
    for one, other in [(english.PROSE, chinese.PROSE), (english.WORDS, chinese.WORDS)]:
        assert list(one) == list(other)
        for key, text in one.items():
            assert sorted(re.findall(r"\{\w+\}|</?\w+>", text)) == sorted(re.findall(r"\{\w+\}|</?\w+>", other[key])), (
                key
            )
            years = re.findall(r"\b(?:19|20)\d\d\b", text)
            assert sorted(years) == sorted(re.findall(r"(?:19|20)\d\d", other[key])), key
            bare = re.sub(r"\{\w+\}|<[^>]+>|RNN|LSTM|GRU", "", text)
            if re.search("[A-Za-z]{2}", bare):
                assert HAN.search(other[key]), key
            assert not HAN.search(text), key


def test_every_text_is_used():
    shown = page()
    assert [key for key, text in english.PROSE.items() if key != "title" and text not in shown] == []
    script = "".join(source(f"{name}.js") for name in ("main", "language", "controls", *FIGURES))
    by_rule = {
        "language",
        "rnn",
        "forget",
        "input",
        "output",
        "update",
        "reset",
        "forgetBias1",
        "forgetBias3",
        "hGru",
        "identity",
    }
    assert [key for key in english.WORDS if key not in by_rule and not re.search(rf"\b{key}\b", script)] == []


def test_every_figure_names_its_sources():
    years = set(re.findall(r"(?:19|20)\d\d", " ".join(english.SOURCES)))
    cited = set(re.findall(r"\b(?:19|20)\d\d\b", " ".join(english.PROSE.values())))
    assert cited <= years
    for author in ("Hochreiter", "Bengio", "Gers", "Cho", "Le", "Saxe", "Pascanu", "Peng", "Jozefowicz"):
        assert any(author in text for text in english.PROSE.values()), author
        assert any(author in source for source in english.SOURCES), author


@pytest.mark.parametrize("formula", [text for lines in FORMULAS.values() for text, _ in lines])
def test_formulas_are_well_formed(formula):
    element = ElementTree.fromstring(mathml(formula))
    assert element.get("alttext") == formula
    letters = re.sub(r"frac|[\s{}_^]", "", formula).replace("-", "−")
    assert "".join(element.itertext()).replace(" ", "") == letters


def test_a_formula_has_its_scripts_and_fractions():
    assert mathml("h_{t-1}^2").endswith(
        "<mrow><msubsup><mi>h</mi><mrow><mi>t</mi><mo>−</mo><mn>1</mn></mrow><mn>2</mn></msubsup></mrow></math>"
    )
    below = '<mrow><mi>b</mi><mspace width="0.17em"/><mi>c</mi></mrow>'
    assert f"<mfrac><mrow><mi>a</mi></mrow>{below}</mfrac>" in mathml("frac{a}{b c}")
    assert "<munderover><mo>∏</mo><mi>k</mi><mi>t</mi></munderover>" in mathml("∏_k^t")


def test_the_lines_of_code_run():
    names = {}
    for name in FIGURES:
        exec(SNIPPETS[name], names)
    assert names["norms"].shape == (20,)
    assert 0 < names["steps"][0][0]["forget"].min() < 1


def test_arrays_come_back():
    values = np.random.default_rng(0).normal(size=(3, 5))
    span = values.max() - values.min()
    np.testing.assert_allclose(unpacked(drawn(values)), values, atol=span / 65535)
    np.testing.assert_allclose(unpacked(drawn(np.exp(9 * values), log=True)), np.exp(9 * values), rtol=9 * span / 65535)
    np.testing.assert_array_equal(unpacked(exact(values)), values.astype(np.float32))
    np.testing.assert_array_equal(unpacked(drawn([[2.0, 2.0]])), [[2.0, 2.0]])


def test_modules_are_joined_in_the_order_of_their_imports():
    modules = {
        "main.js": 'import { twice } from "./b.js";\nconst own = 1;\nglobal(twice(own));\n',
        "b.js": 'import { one } from "./a.js";\nconst own = one;\nexport function twice(x) {\n  return own * x;\n}\n',
        "a.js": "export const one = 2;\n",
    }
    script = bundled("main.js", modules.__getitem__)
    assert script.index('modules["a.js"] =') < script.index('modules["b.js"] =') < script.index('modules["main.js"] =')
    assert "import " not in script
    assert "export " not in script
    modules["a.js"] = 'import { twice } from "./b.js";\n'
    with pytest.raises(ValueError, match=r"main\.js → b\.js → a\.js → b\.js"):
        bundled("main.js", modules.__getitem__)
