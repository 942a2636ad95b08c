"""The view of a text classifier: what it shows is what the stream says."""

import itertools
import json
import math
import random

import pytest

import penstock
from penstock import bundle
from penstock.inspection import attribute
from penstock.tokens.spelling import tokenize

TEXT = "w1 w2, w3 unheard-of w5 (w6) w7's w8 w9 w10"
READ = f"document.querySelectorAll('.strip button[data-change]').length === {len(TEXT.split()) + 1}"  # unheard-, of


@pytest.fixture
def reading(server, opened):
    """A function that opens the page on the model `words`."""
    return lambda **options: opened(f"{server.url}/#words", **options)


def write(tab, text, words=None):
    """Put a text into the empty field, and wait until it is read."""
    tab.wait("document.querySelector('#text')")
    tab.click("#text")
    tab.write(text)
    words = len(text.split()) if words is None else words
    tab.wait(f"document.querySelectorAll('.strip button[data-change]').length === {words}")


def changes(tab):
    """What the page says each word changed."""
    return tab.value("[...document.querySelectorAll('.strip button')].map((b) => Number(b.dataset.change))")


def log_odds(answer, label):
    return math.log(answer[label]) - math.log(sum(p for name, p in answer.items() if name != label))


def streamed(model, pieces):
    stream = model.stream()
    return [stream.push(piece) for piece in ["", *pieces]]


def test_shows_what_the_stream_says(reading, words):
    pieces = TEXT.split()
    answers = streamed(words, pieces)
    with reading() as tab:
        write(tab, TEXT, len(pieces) + 1)
        for label in words.labels:
            bar = f"{100 * answers[-1][label]:.1f} %"
            assert tab.text(f"li[data-label={label}] output") == bar
            assert tab.text(".verdict strong") == max(answers[-1], key=answers[-1].get)


@pytest.mark.slow
def test_changes_are_log_odds_after_minus_before(reading, words):
    with reading() as tab:
        write(tab, TEXT, len(TEXT.split()) + 1)
        pieces = tab.value("[...document.querySelectorAll('.strip button span')].map((s) => s.textContent)")
        assert tokenize(" ".join(pieces)) == tokenize(TEXT)
        answers = streamed(words, pieces)
        for label in words.labels:
            tab.choose(".controls select", label)
            tab.wait(f"document.querySelector('#changed-title + .controls + p').textContent.includes('{label}')")
            odds = [log_odds(answer, label) for answer in answers]
            expected = [after - before for before, after in itertools.pairwise(odds)]
            # The probabilities come as they are; two libraries' logarithms differ in the last digit.
            assert changes(tab) == pytest.approx(expected, rel=1e-9, abs=1e-12)
            shown = tab.value("[...document.querySelectorAll('.strip small')].map((s) => s.textContent)")
            assert shown == [f"{change:+.2f}".replace("-", "−") for change in expected]


@pytest.mark.slow
def test_replacing_is_attribution_by_occlusion(reading, words):
    with reading() as tab:
        write(tab, TEXT, len(TEXT.split()) + 1)
        pieces = tab.value("[...document.querySelectorAll('.strip button span')].map((s) => s.textContent)")
        label = tab.text(".verdict strong")
        along = changes(tab)
        tab.click("input[value=out]")
        tab.wait(f"document.querySelectorAll('.strip button[data-change]').length === {len(pieces)} && "
                 f"Number(document.querySelector('.strip button').dataset.change) !== {along[0]}")  # fmt: skip
        found = attribute(words, "\n".join(pieces), method="occlusion", target=label)
        expected = [0.0] * len(pieces)
        for token, piece in enumerate(itertools.accumulate(gap.count("\n") for gap in found.gaps[:-1])):
            expected[piece] += found.values[token]
        assert changes(tab) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.slow
def test_typing_waits_for_the_end_of_a_word(reading, words):
    with reading() as tab:
        tab.wait("document.querySelector('#text')")
        tab.click("#text")
        for key in "w1 w2":
            tab.press(key)
        tab.wait("document.querySelectorAll('.strip button').length === 2")
        pushed = [json.loads(sent)["push"] for sent in tab.sent if "push" in json.loads(sent)]
        assert pushed == ["", "w1", "w2"]  # never "w"


@pytest.mark.slow
def test_an_edit_is_read_from_the_last_saved_state(reading, words):
    many = [f"w{n % 50}" for n in range(60)]
    with reading() as tab:
        write(tab, " ".join(many))
        before = len(tab.sent)
        tab.press("Backspace")
        tab.write("1 w7")
        tab.wait("document.querySelectorAll('.strip button[data-change]').length === 61")
        pieces = [*many[:-1], "w1", "w7"]
        odds = [log_odds(answer, tab.text(".verdict strong")) for answer in streamed(words, pieces)]
        expected = [after - before for before, after in itertools.pairwise(odds)]
        assert changes(tab) == pytest.approx(expected, rel=1e-9, abs=1e-12)
        pushed = [sent for sent in tab.sent[before:] if "push" in json.loads(sent)]
        assert len(pushed) <= 30  # twice the words since a saved state, not the whole text


@pytest.mark.slow
def test_the_map_shows_the_gates_of_the_engine(reading, words, picture):
    pieces = TEXT.split()
    _, (traced,) = words.stream().trace(pieces[0])
    with reading() as tab:
        write(tab, TEXT, len(pieces) + 1)
        tab.value("document.querySelector('canvas.heat').focus()")
        tab.press("Home")
        tab.press("ArrowDown", 3)
        readout = tab.text(".readout")
        assert readout == f"Unit 3 at “w1”: Forget gate {round(float(traced[0]['forget'][0, 3]), 4):.4f}"
        tab.choose(".inside label:nth-of-type(2) select", "c")
        assert tab.text(".readout") == f"Unit 3 at “w1”: Memory c {round(float(traced[0]['c'][0, 3]), 4):.4f}"
        assert tab.text(".unit h3") == "Unit 3 over the text"
        assert tab.text(".verdict + p") == "after “w1”, word 1"  # the cell's word is the one at hand everywhere


@pytest.mark.slow
def test_the_map_zooms_by_key_button_and_pointer(reading, picture):
    with reading() as tab:
        write(tab, TEXT, len(TEXT.split()) + 1)
        seen = "document.querySelector('canvas.heat').toDataURL()"
        whole = tab.value(seen)
        tab.value("document.querySelector('canvas.heat').focus()")
        tab.press("+", 2)
        by_key = tab.value(seen)
        assert by_key != whole
        tab.press("0")
        assert tab.value(seen) == whole
        tab.click(".zooms button:nth-child(1)")
        tab.click(".zooms button:nth-child(1)")
        assert tab.value(seen) == by_key
        picture(tab, "text-zoomed")
        tab.click(".zooms button:nth-child(3)")
        assert tab.value(seen) == whole
        tab.click("canvas.heat")
        assert tab.value("document.querySelector('.readout').textContent") != ""
        assert tab.value(seen) != whole  # another cell is at hand


def test_pieces_give_the_tokens_of_the_text(server, opened):
    draw = random.Random(0)
    parts = [
        *("ab", "c3", "don't", "'", "’", " ", "\n", "，", "“", "”", "(", ")", ".", "_", "-", "$", "=", "…"),
        *(
            "é",
            "e\u0301",
            "\u0301",
            "好",
            "々",
            "𠀀",
            "き",
            "が",
            "か\u3099",
            "ไม่",
            "๑",
            "ကို",
            "한국어",
            "می\u200cخواهم",
        ),
        *("😀", "👍🏽", "👨\u200d👩\u200d👧", "❤\ufe0f", "1\ufe0f\u20e3", "#\ufe0f\u20e3", "🇩🇪", "\u00ad", "\u200c"),
    ]
    texts = ["".join(draw.choices(parts, k=draw.randint(1, 12))) for _ in range(400)]
    with opened(f"{server.url}/") as tab:
        cut = tab.value(f"import('/page/pieces.js').then(({{ piecesOf }}) => {json.dumps(texts)}.map(piecesOf))")
    for text, pieces in zip(texts, cut, strict=True):
        assert [token for piece in pieces for token in tokenize(piece)] == tokenize(text), repr(text)


@pytest.mark.slow
def test_a_model_of_both_directions_answers_whole_texts(server, opened, folders, picture):
    import penstock

    model = penstock.load(folders["both-ways"])
    with opened(f"{server.url}/#both-ways") as tab:
        tab.wait("document.querySelector('#text')")
        tab.click("#text")
        tab.write("w1 w2 w3")
        tab.wait("document.querySelectorAll('.strip button').length === 3")
        answer = dict(zip(model.labels, model.predict_proba(["w1 w2 w3"])[0].tolist(), strict=True))
        assert tab.text("li[data-label=good] output") == f"{100 * answer['good']:.1f} %"
        assert "both directions" in tab.text("main")
        picture(tab, "text-whole")


def test_examples_are_those_that_the_model_holds(words, running, opened, tmp_path):
    features, metrics = words.features.to_json(), {"examples": ["w1 w2 w3", "w4"]}
    folder = bundle.save(
        tmp_path / "own", words.network, features, words.labels, words.tensors, task=words.task, metrics=metrics
    )
    with running(folder) as process, opened(f"{process.url}/#own") as tab:
        tab.wait("document.querySelector('.chips .chip')")
        shown = "[...document.querySelectorAll('.writing .chip:not(.plain)')].map((e) => e.textContent)"
        assert tab.value(shown) == ["w1 w2 w3", "w4"]
        tab.click(".writing .chip")
        tab.wait("document.querySelectorAll('.strip button[data-change]').length === 3")


def test_a_model_without_examples_offers_none(reading):
    with reading() as tab:
        tab.wait("document.querySelector('.chips')")
        assert tab.value("document.querySelectorAll('.writing .chip:not(.plain)').length") == 0


@pytest.mark.slow
def test_a_second_model_reads_the_same_text(reading, folders):
    other = penstock.load(folders["other"])
    with reading() as tab:
        write(tab, TEXT, len(TEXT.split()) + 1)
        tab.choose("#compare", "other")
        expected = streamed(other, TEXT.replace("unheard-of", "unheard- of").split())[-1]
        label = max(expected, key=expected.get)
        shown = "document.querySelector('[aria-labelledby=compare-title] .verdict').textContent"
        tab.wait(f"{shown} === '{label}{100 * expected[label]:.1f} %'")
        tab.choose("#compare", "")
        assert tab.value(shown) == ""
