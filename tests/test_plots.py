"""Charts show the figures that they are given, and refuse others by name."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from penstock import plots
from penstock.errors import ConfigError, ShapeError

HISTORY = [
    {"epoch": 1, "train_loss": 2.0, "seen_loss": 0.8, "valid_loss": 0.9, "valid_accuracy": 0.5},
    {"epoch": 2, "train_loss": 1.5, "seen_loss": 0.4, "valid_loss": 0.6, "valid_accuracy": 0.7},
]


@pytest.fixture
def ax():
    return Figure().subplots()


def drawn(ax):
    return {line.get_label(): list(line.get_ydata()) for line in ax.lines}


def test_a_learning_curve_shows_one_metric_on_both_parts(ax):
    assert plots.learning_curve(HISTORY, best_epoch=2, ax=ax) is ax
    lines = drawn(ax)
    assert lines["training"] == [0.8, 0.4]
    assert lines["validation"] == [0.9, 0.6]
    assert ax.lines[-1].get_label() == "kept: epoch 2"
    assert ax.lines[-1].get_xdata()[0] == 2


def test_a_metric_of_the_validation_alone_has_one_line(ax):
    plots.learning_curve(HISTORY, "accuracy", ax=ax)
    assert drawn(ax) == {"validation": [0.5, 0.7]}


@pytest.mark.parametrize(("history", "words"), [(HISTORY, "it has loss, accuracy"), ([], "no epochs")])
def test_an_unknown_metric_is_refused_with_those_that_there_are(ax, history, words):
    with pytest.raises(ConfigError, match=words):
        plots.learning_curve(history, "f1", ax=ax)


def test_a_confusion_matrix_is_coloured_by_shares_and_shows_counts(ax):
    plots.confusion([[8, 2], [0, 0]], ["bad", "good"], ax=ax)
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.8, 0.2], [0, 0]])
    assert [text.get_text() for text in ax.texts] == ["8", "2", "0", "0"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["bad", "good"]


def test_many_classes_have_no_numbers(ax):
    plots.confusion(np.eye(20), list(range(20)), ax=ax)
    assert not ax.texts


def test_a_confusion_matrix_must_fit_its_labels(ax):
    with pytest.raises(ShapeError, match=r"must be \(3, 3\), as there are labels; got \(2, 2\)"):
        plots.confusion(np.eye(2), ["a", "b", "c"], ax=ax)


def test_calibration_shows_observed_beside_predicted(ax):
    plots.calibration([0.2, 0.8], [0.1, 0.9], [10, 30], ax=ax)
    assert list(ax.lines[1].get_ydata()) == [0.1, 0.9]
    with pytest.raises(ShapeError, match="bins"):
        plots.calibration([0.2], [0.1, 0.9], ax=ax)


def test_a_forecast_has_its_intervals_and_the_series_before_it(ax):
    quantiles = [[1, 2, 3, 4, 5], [0, 2, 4, 6, 8]]
    times = np.array(["2024-01-03", "2024-01-04"], "datetime64[D]")
    before = (np.array(["2024-01-01", "2024-01-02"], "datetime64[D]"), [3, 3])
    plots.forecast(times, quantiles, [0.05, 0.1, 0.5, 0.9, 0.95], history=before, ax=ax)
    assert drawn(ax) == {"actual": [3, 3], "forecast": [3, 4]}
    assert [each.get_label() for each in ax.collections] == ["90 %", "80 %"]
    with pytest.raises(ShapeError, match=r"\(2, 3\); got \(2, 5\)"):
        plots.forecast(times, quantiles, [0.1, 0.5, 0.9], ax=ax)


def test_gates_are_rows_of_units_over_time(ax):
    traces = [[{"forget": np.array([[0.1, 0.9]]), "c": np.array([[-2.0, 1.0]])}] for _ in range(3)]
    plots.gates(traces, "forget", ax=ax)
    np.testing.assert_array_equal(ax.images[0].get_array(), [[0.1] * 3, [0.9] * 3])
    plots.gates(traces, "c", ax=Figure().subplots())
    with pytest.raises(ConfigError, match="it has forget, c"):
        plots.gates(traces, "output", ax=ax)
    with pytest.raises(ConfigError, match="got 0 steps"):
        plots.gates([], "c", ax=ax)


def test_new_axes_are_made_where_none_are_given():
    from matplotlib import pyplot

    drawn_on = plots.confusion([[1]], ["only"])
    pyplot.close(drawn_on.figure)
    assert drawn_on.get_xlabel() == "predicted"
