"""The training report: every number on the page is the one in metrics.json, and the file stands alone."""

import json
import re
from html.parser import HTMLParser

import pytest

from penstock.report import Figures, readable, render

# Elements without an end tag.
VOID = {"meta", "link", "br", "line", "circle", "polyline"}


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
    return text.replace(",", "").removesuffix(" s").removesuffix(" MB")


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
        "/data/train/tokens",
        "/data/vocabulary",
        "/per_class/test/1/f1",
        "/confusion/matrix/1/0",
    ):
        assert place in shown


def test_no_number_stands_on_the_page_without_its_place(metrics):
    words = " ".join(Page(render(metrics)).unmarked)
    assert not [word for word in re.findall(r"\S*\d\S*", words) if word.strip(",").upper() != "F1"]


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
    metrics["verdict"] = {"test": {"accuracy": "worse", "f1_macro": "no clear difference"}}
    assert 'accuracy <strong class="bad">worse</strong>' in render(metrics)
    assert 'accuracy <strong class="good">better</strong>' not in render(metrics)


@pytest.mark.parametrize(
    "key", ["test", "baseline", "curves", "confusion", "mistakes", "data", "configuration", "peak_mb"]
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
    assert html.count('data-metric="/confusion/matrix/') == 100**2
    assert "Only the classes with the most errors" in html
    assert "Only the classes" not in render(metrics | {"confusion": {"part": "test", "matrix": [[3, 0], [1, 4]]}})
