"""A model says in a line and in a small table what it is, and draws its training."""

import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import penstock
from penstock.errors import ConfigError

RELEASED = sorted((Path(__file__).resolve().parents[1] / "released" / "0.1.0").glob("*/model"))
TEXT = next(path for path in RELEASED if path.parent.name == "text-lstm")


@pytest.fixture(params=RELEASED, ids=lambda path: path.parent.name)
def model(request):
    return penstock.load(request.param)


def test_repr_is_a_line_that_names_cell_and_size(model):
    size = sum(array.size for array in model.tensors.values())
    line = repr(model)
    assert line.startswith(f"{type(model).__name__}({model.network.encoder.cell} {model.network.encoder.hidden_size}")
    assert line.endswith(f"{size:,} parameters)")
    assert len(line) < 120
    assert "\n" not in line


def test_html_has_each_score_beside_the_baseline(model):
    page = model._repr_html_()
    part = "test" if model.metrics.get("test") else "valid"
    main = model.metrics["main_baseline"]
    baseline = model.metrics["baseline"][main][part]
    assert model.task in page
    for name, value in model.metrics[part].items():
        if name != "rows":
            shown = re.search(rf"{re.escape(name)}, \w+</th><td[^>]*>([^<]*)", page)
            assert shown, name
            assert shown[1].startswith(f"{value:.4g}")
            assert (f"{main} {baseline[name]:.4g}" if name in baseline else "") in shown[1]


def test_html_shows_labels_as_text():
    model = penstock.load(TEXT)
    model.labels = ["<b>", *map(str, range(9))]
    assert "&lt;b&gt;, 0, 1, 2, 3, 4, 5, 6 and 2 more" in model._repr_html_()


def test_plot_draws_the_learning_curve_that_was_measured(model):
    ax = model.plot("learning_curve", ax=Figure().subplots())
    line = next(line for line in ax.lines if line.get_label() == "validation")
    assert list(line.get_ydata()) == [row["valid_loss"] for row in model.metrics["curves"]]


def test_plot_without_a_kind_is_the_confusion_of_a_classifier(model):
    ax = model.plot(ax=Figure().subplots())
    assert ax.get_xlabel() == ("predicted" if model.metrics.get("confusion") else "epoch")


def test_an_unknown_chart_is_refused_with_those_that_there_are(model):
    with pytest.raises(ConfigError, match=r"no chart 'pie'; it has learning_curve"):
        model.plot("pie")


def test_a_stream_says_whose_it_is():
    model = penstock.load(TEXT)
    stream = model.stream()
    assert repr(stream) == f"{type(stream).__name__}(of {model!r}, open)"
    stream.push("a word")
    stream.finish()
    assert repr(stream).endswith(", finished)")
