"""The training report: every number on the page is the one in metrics.json, and the file stands alone."""

import json
import re
from html.parser import HTMLParser
from importlib import import_module

import pytest

from penstock.report import Figures, readable, render
from penstock.report.words import LANGUAGES

# Elements without an end tag.
VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """Collects what is marked with its place, what is not, and checks that tags nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict]] = []
        self.marked: list[tuple[str, str | None, str]] = []
        self.unmarked: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: set[str] = set()
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append((tag, attributes))
            if "data-metric" in attributes:
                self.marked.append((attributes["data-metric"], attributes.get("data-value"), ""))

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop()[0] == tag

    def handle_data(self, data):
        inside = [attributes for _, attributes in self.open]
        if self.open and self.open[-1][0] in ("style", "title", "desc"):
            return
        if any("data-metric" in attributes for attributes in inside):
            place, value, text = self.marked[-1]
            self.marked[-1] = (place, value, text + data)
        elif not any(tag == "svg" for tag, _ in self.open):  # the axes' own numbers
            self.unmarked.append(data)


def at(data, pointer: str):
    for key in pointer.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        data = data[int(key)] if isinstance(data, list) else data[key]
    return data


def plain(text: str) -> str:
    return text.replace(",", "").removesuffix(" s").removesuffix(" MB").removesuffix(" B")


def test_each_number_on_the_page_is_that_of_the_metrics(metrics):
    page = Page(render(metrics))
    metrics = json.loads(json.dumps(metrics))
    numbers = [mark for mark in page.marked if mark[1] is not None]
    assert len(numbers) > 60
    for place, value, text in numbers:
        assert json.loads(value) == at(metrics, place), place
        decimals = len(plain(text).partition(".")[2])
        assert float(plain(text)) == pytest.approx(at(metrics, place), abs=0.5000001 * 10**-decimals), place
    shown = {place for place, _, _ in page.marked}
    for place in (
        "/test/accuracy",
        "/valid/log_loss",
        "/baseline/tfidf/test/f1_macro",
        "/baseline/majority/valid/accuracy",
    ):
        assert place in shown
    for place in (
        "/seconds",
        "/peak_mb",
        "/data/dropped/no text",
        "/data/changed/numbers with a decimal comma",
        "/data/changed/rows split at another separator: ';'",
        "/data/train/tokens",
        "/data/vocabulary",
        "/per_class/test/1/f1",
        "/confusion/matrix/1/0",
        "/interval/test/accuracy/0",
        "/baseline/majority/interval/valid/log_loss/1",
        "/baseline/tfidf/difference/test/f1_macro/interval/1",
        "/baseline/majority/difference/test/f1_macro/p",
        "/reliability/ece",
        "/two_classes/auc",
        "/two_classes/baseline/average_precision",
        "/two_classes/best_threshold",
        "/parameters",
        "/random_state",
        "/network/encoder/hidden_size",
        "/made/machine/threads",
        "/data/sources/train/bytes",
        "/memory/horizon",
        "/memory/layers/0/half_life",
    ):
        assert place in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_number_stands_on_the_page_without_its_place(metrics, language):
    text = " ".join(Page(render(metrics, language=language)).unmarked)
    table = import_module(LANGUAGES[language]).TABLE  # whose words may hold numbers: 95 %, F1
    known = {number for words in table.values() for number in re.findall(r"[\d.]*\d", words)}
    assert set(re.findall(r"[\d.]*\d", text)) <= known


def test_texts_are_shown_as_they_are_and_never_run(metrics):
    html = render(metrics)
    page = Page(html)
    shown = {place: text for place, _, text in page.marked}
    assert shown["/mistakes/0/text"] == metrics["mistakes"][0]["text"]
    assert shown["/mistakes/1/text"] == "服务员虽然慢了一点，菜却一点也不差。"
    assert "script" not in page.tags
    assert "<script" not in html


def test_labels_are_escaped_and_may_hold_anything(metrics):
    labels = ["a/b <i>", '~"quoted"']
    metrics["labels"] = labels
    metrics["data"]["train"]["classes"] = dict(zip(labels, (7, 8), strict=True))
    page = Page(render(metrics))
    found = {place: text for place, _, text in page.marked}
    assert found["/data/train/classes/a~1b <i>"] == "7"
    assert found['/data/train/classes/~0"quoted"'] == "8"
    assert "i" not in page.tags


def test_the_page_asks_nothing_of_any_host(metrics):
    page = Page(render(metrics))
    assert not page.tags & {"script", "iframe", "img", "object", "embed", "base", "form"}
    for tag, name, value in page.attributes:
        if name in ("src", "href", "action", "data", "srcset", "xlink:href"):
            assert value.startswith(("data:", "#")), (tag, name, value)
    assert "@import" not in render(metrics)
    assert "url(" not in render(metrics)


def test_a_loss_to_the_baseline_is_said(metrics):
    metrics["verdict"]["test"] |= {"accuracy": "worse"}
    page = render(metrics)
    unclear = '<strong class="quiet">no clear difference</strong>: macro F1, log loss'
    assert f'<strong class="bad">worse</strong>: accuracy; {unclear}.' in page


def test_little_data_is_said(metrics):
    assert "class=callout" not in render(metrics)
    metrics["units"]["test"] = 3
    few = "<p class=callout>Few cases: [^<]*<[^>]*>3</span> that are independent.[^<]*Too few for intervals"
    assert re.search(few, render(metrics))
    metrics["units"]["test"] = 12
    assert "Too few for intervals" not in render(metrics)


def test_the_top_says_where_the_model_comes_from(metrics):
    html = render(metrics, title="sentiment")
    page = Page(html)
    assert "<h1>sentiment: Text classifier</h1>" in html
    shown = {place: text for place, _, text in page.marked}
    expected = {
        "/made/date": "2025-03-01 12:30:00 UTC",
        "/data/sources/train/file": "my reviews.csv",
        "/data/sources/train/sha256": "ab" * 32,
        "/data/columns/text": "review",
        "/command": metrics["command"],
        "/parameters": "123,456",
        "/random_state": "7",
        "/made/versions/torch": "2.5.0+cpu",
        "/made/machine/engine": "native, avx2",
    }
    assert {place: shown[place] for place in expected} == expected
    assert html.index("/made/date") < html.index("/test/accuracy")


def test_options_are_shown_as_they_were_used(metrics):
    page = Page(render(metrics | {"options": {"context": 48, "class_weight": None, "quantiles": [0.1, 0.5]}}))
    shown = {place: text for place, _, text in page.marked if place.startswith("/options")}
    assert shown == {"/options/context": "48", "/options/class_weight": "none", "/options/quantiles": "0.1, 0.5"}


def test_curves_show_one_metric_on_both_parts_and_the_epoch_that_was_kept(metrics):
    html = render(metrics)
    charts = dict(re.findall(r"<figcaption>([^<]+)</figcaption>(<svg.*?</svg>)", html))
    for title in ("Loss", "Accuracy"):
        label = re.search('aria-label="([^"]+)"', charts[title])[1]
        assert "training " in label
        assert "validation " in label
        assert charts[title].count('class="marker"') == 1
        assert ">kept</text>" in charts[title]
    assert "What training minimises: What training minimises 0.7 →" in charts["What training minimises"]


def test_curves_of_an_older_model_do_not_mix_losses(metrics):
    for row in metrics["curves"]:
        row.pop("seen_loss"), row.pop("seen_accuracy")
    charts = dict(re.findall(r"<figcaption>([^<]+)</figcaption>(<svg.*?</svg>)", render(metrics)))
    assert charts["Loss"].count("<polyline") == 1


def test_charts_tell_their_values_where_they_are_pointed_at(metrics):
    titles = re.findall("<title>([^<]+)</title>", render(metrics))
    assert "validation, epoch 5: 0.4" in titles
    assert "probability of the prediction 0.55: 0.6" in titles


def test_a_wide_table_can_be_scrolled_on_a_phone(metrics):
    html = render(metrics)
    assert '.scroll.wide::before { content: "Wider than the screen: scroll sideways →"; }' in html
    assert '<div class="scroll wide" tabindex="0"><table class=scores>' in html
    assert '<div class="scroll" tabindex="0">' in html  # one that is not


@pytest.mark.parametrize(
    "key",
    [
        "test",
        "baseline",
        "curves",
        "confusion",
        "mistakes",
        "data",
        "configuration",
        "peak_mb",
        "made",
        "network",
        "units",
        "interval",
        "verdict",
        "difference",
        "reliability",
        "two_classes",
        "options",
        "command",
    ],
)
def test_what_was_not_measured_is_left_out(metrics, key):
    del metrics[key]
    text = render(metrics)
    assert "None" not in text
    assert "nan" not in text


def test_a_page_of_almost_nothing_is_a_page():
    assert "<h1>Text classifier</h1>" in render({"task": "text-classification"})


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0.0000"), (0.00123, "0.0012"), (-12.5, "-12.5000"), (1.234e-12, "1.234e-12"), (5.9148e22, "5.915e+22")],
)
def test_numbers_of_any_size_can_be_read(value, shown):
    assert readable(value) == shown
    assert f">{shown}<" in Figures({"a": value}).number("a")


def test_of_many_classes_the_confusion_matrix_shows_those_with_errors(metrics):
    classes = 300
    matrix = [[10 if truth == answer else 0 for answer in range(classes)] for truth in range(classes)]
    matrix[7][250] = 3
    metrics |= {"labels": [f"c{number}" for number in range(classes)], "confusion": {"part": "test", "matrix": matrix}}
    html = render(metrics)
    assert 'data-metric="/confusion/matrix/7/250"' in html
    assert html.count('data-metric="/confusion/matrix/') == 30**2
    assert "Only the classes with the most errors" in html
    assert "Only the classes" not in render(metrics | {"confusion": {"part": "test", "matrix": [[3, 0], [1, 4]]}})
