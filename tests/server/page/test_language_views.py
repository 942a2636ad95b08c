"""The views of taggers, language models and translators: what they show is what the models say."""

import re

import pytest
from language_models import SENTENCE, save_all

import penstock
from penstock.inspection import attribute

WORDS = "[...document.querySelectorAll('.tags .word')]"
MARKED = "[...document.querySelectorAll('.surprisal span')]"
BARS = "[...document.querySelectorAll('.bars li')].map((e) => [e.dataset.label, e.querySelector('output').textContent])"
LOOKS = [(390, True, "zh-CN")]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("views")
    save_all(folder)
    return {path.name: penstock.load(path) for path in folder.iterdir()} | {"folder": folder}


@pytest.fixture(scope="module")
def server(served, running):
    with running(*sorted(served["folder"].iterdir())) as process:
        yield process


def percent(share):
    return f"{100 * share:.1f} %"


def test_tags_appear_as_one_types_and_chunks_are_one_span(server, served, opened, picture):
    model = served["tags"]
    with opened(f"{server.url}/#tags") as tab:
        tab.wait("document.querySelector('#text')")
        assert tab.text("h1") == "Watch it tag"
        tab.click("#text")
        tab.write(" ".join(SENTENCE[:3]))
        tab.wait(f"{WORDS}.length === 3")
        tab.wait(f"!{WORDS}.at(-1).classList.contains('pending')")  # the text has come to rest: its last tag is known
        assert any('{"push":["Ada"]' in message for message in tab.sent)
        tab.write(" " + " ".join(SENTENCE[3:]) + ".")
        tab.wait(f"{WORDS}.length === 7 && !document.querySelector('.tags .pending')")
        tokens = [*SENTENCE, "."]
        assert tab.value(f"{WORDS}.map((word) => [word.textContent, word.dataset.tag])") == [
            list(pair) for pair in zip(tokens, model.predict([tokens])[0], strict=True)
        ]
        assert "A tag is final one token later." in tab.text("#text-how")
        spans = tab.value("[...document.querySelectorAll('.tags li')].map((e) => e.querySelectorAll('.word').length)")
        assert sum(spans) == 7
        assert max(spans) > 1
        tab.click(".tags .word")
        (row,) = model.answers([tokens], probabilities=True)
        shares = row["probabilities"][0]
        assert tab.value(BARS) == [[label, percent(shares[label])] for label in sorted(shares, key=shares.get)[::-1]]
        title = tab.value(f"{WORDS}[0].title")
        assert title == f"{row['tags'][0]} {percent(row['probability'][0])}"
        scores = "[...document.querySelectorAll('.matter .coloured span')].map((each) => Number(each.dataset.score))"
        expected = attribute(model, tokens, method="occlusion", at=1).values.tolist()
        # Until the answer is there, the scores of the word before may be shown.
        tab.wait(f"{scores}.length === 7 && {expected}.every((each, n) => Math.abs(each - {scores}[n]) < 1e-5)")
        assert tab.value("document.querySelector('.inside canvas').checkVisibility()")
        tab.choose("#compare", "tags-whole")
        second = served["tags-whole"].predict([tokens])[0]
        listed = "[...document.querySelectorAll('.others-tags > span')]"
        tab.wait(f"{listed}.length === 7")
        assert tab.value(f"{listed}.map((each) => each.dataset.tag)") == second
        differ = [one != other for one, other in zip(second, model.predict([tokens])[0], strict=True)]
        assert tab.value(f"{listed}.map((each) => each.className === 'other')") == differ
        assert tab.text("[aria-labelledby=compare-title] .verdict") == f"{sum(differ)} of 7 tags differ."
        picture(tab, "tags")


def test_surprisal_and_what_comes_next_are_the_models_and_it_goes_on(server, served, opened, picture):
    model = served["letters"]
    stream = model.stream()
    first = stream.upcoming(8)
    with opened(f"{server.url}/#letters") as tab:
        tab.wait(f"{BARS}.length === 8")
        shown = {"\n": "↵", "</s>": "↵", " ": "␣"}
        assert tab.value(BARS) == [[shown.get(token, token), percent(share)] for token, share in first]
        tab.click("#text")
        tab.write("the cat")
        tab.wait(f"{MARKED}.length === 7")
        surprisal = model.as_json(stream.push("the cat"))["surprisal"]
        bits = tab.value(f"{MARKED}.map((each) => Number(each.dataset.bits))")
        assert bits == pytest.approx([nats / 0.6931471805599453 for nats in surprisal])
        tab.wait(f"JSON.stringify({BARS}.map(([, p]) => p)) === '{_json(stream.upcoming(8))}'")
        tab.value("document.querySelector('[name=tokens]').value = 30")
        tab.value("document.querySelector('[name=seed]').value = 7")
        tab.click("button.main")
        tab.wait(
            "document.querySelector('#text').value.length === 37 && !document.querySelector('button.main').disabled"
        )
        expected = "the cat" + model.generate("the cat", 30, temperature=0.8, seed=7)
        assert tab.value("document.querySelector('#text').value") == expected
        tab.wait(f"{MARKED}.length === 37")
        assert tab.value(f"{MARKED}.map((each) => each.className === 'written')") == [False] * 7 + [True] * 30
        tab.value("document.querySelector('.surprisal').focus()")
        tab.press("Home")
        assert tab.text(".surprisal [aria-selected=true]") == "t"
        assert re.match("“t”: .* bits, probability", tab.text(".surprisal + .readout"))
        tab.value("document.querySelector('[name=tokens]').value = 1000")
        tab.click("button.main")
        tab.wait("document.querySelector('#text').value.length > 60")
        tab.click("button.main + button")
        tab.wait("!document.querySelector('button.main').disabled")
        assert tab.value("document.querySelector('#text').value.length") < 1037
        picture(tab, "language")


def _json(upcoming):
    return "[" + ",".join(f'"{percent(share)}"' for _, share in upcoming) + "]"


def test_translations_have_alternatives_and_an_alignment(server, served, opened, picture):
    model = served["backwards"]
    found = list(model.answers(["abcd"], 3, beam=3, alignment=True))
    with opened(f"{server.url}/#backwards") as tab:
        tab.wait("document.querySelector('#text')")
        tab.click("#text")
        tab.write("abcd")
        tab.wait("document.querySelectorAll('.others-list li').length === 3")
        assert tab.text(".translated") == found[0]["prediction"]
        listed = "[...document.querySelectorAll('.others-list button span')].map((e) => e.textContent)"
        assert tab.value(listed) == [row["prediction"] or "(an empty text)" for row in found]
        tab.value("document.querySelectorAll('.others-list button')[1].click()")
        alignment = found[1]["alignment"]
        tokens = "[...document.querySelectorAll('.aligned .token')]"
        assert tab.value(f"{tokens}.map((e) => e.textContent)") == [*alignment["target"][:-1], "■"]
        tab.value(f"{tokens}[1].focus()")
        weights = tab.value("[...document.querySelectorAll('.aligned span')].map((e) => Number(e.dataset.weight))")
        assert weights == alignment["weights"][1]
        cells = len(alignment["source"]) * len(alignment["target"])
        tab.wait(f"document.querySelectorAll('.alignment rect:not(.frame)').length === {cells}")
        assert tab.value("document.querySelector('.alignment .chosen').dataset.row") == "1"
        tab.choose("#compare", "forwards")
        tab.wait("document.querySelector('.beside .translated')")
        assert tab.text(".beside .translated") == served["forwards"].predict(["abcd"])[0]
        picture(tab, "translation")


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark", "language"), LOOKS)
@pytest.mark.parametrize("name", ["tags", "tags-whole", "letters", "words", "notes", "backwards"])
def test_every_look_fits_and_has_names(server, opened, picture, name, width, dark, language):
    with opened(f"{server.url}/#{name}", width=width, height=800, dark=dark, language=language) as tab:
        tab.wait("document.querySelector('.heading')")
        if name != "notes":
            tab.click("#text")
            tab.write("the cat sat abc")
            tab.wait("document.querySelector('.tags .word, .surprisal span, .others-list li')")
        assert tab.value("document.documentElement.scrollWidth") <= width
        roles = {"button", "textbox", "spinbutton", "checkbox", "listbox", "option", "region", "group"}
        named = [node for node in tab.tree() if node["role"] in roles]
        assert [node for node in named if not node["name"].strip() and node["role"] != "option"] == []
        if language == "zh-CN":
            latin = tab.value("[...document.querySelectorAll('[data-say]')].map((e) => e.textContent)")
            assert all(re.search(r"[\u4e00-\u9fff]", text) for text in latin)
        picture(tab, f"{name}-{width}")
