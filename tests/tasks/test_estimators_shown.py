"""What a notebook shows of an estimator, and its charts."""

import pytest
from matplotlib.figure import Figure

from penstock import TextClassifier
from penstock.errors import NotFittedError


@pytest.fixture(scope="module")
def fitted():
    texts, labels = ["good food", "kind staff", "bad food", "rude staff"] * 6, ["good", "good", "bad", "bad"] * 6
    return TextClassifier(hidden_size=4, embedding_size=4, epochs=2).fit(texts, labels)


def test_a_notebook_shows_options_and_after_fit_the_model(fitted):
    shown = fitted._repr_mimebundle_()
    assert shown["text/plain"] == repr(fitted)
    assert "hidden_size" in shown["text/html"]
    assert fitted.model_._repr_html_() in shown["text/html"]
    assert "accuracy, valid" in shown["text/html"]
    assert "<caption>" not in TextClassifier()._repr_html_()


def test_a_fitted_estimator_draws_its_learning_curve(fitted):
    ax = fitted.plot("learning_curve", metric="accuracy", ax=Figure().subplots())
    line = next(line for line in ax.lines if line.get_label() == "validation")
    assert list(line.get_ydata()) == [row["valid_accuracy"] for row in fitted.history_]


def test_a_fitted_classifier_draws_its_calibration(fitted):
    ax = fitted.plot("calibration", ax=Figure().subplots())
    bins = fitted.metrics_["reliability"]["bins"]
    assert list(ax.lines[1].get_ydata()) == [each["accuracy"] for each in bins]


def test_one_that_is_not_fitted_has_nothing_to_draw():
    with pytest.raises(NotFittedError, match="call fit"):
        TextClassifier().plot()
