"""What is measured of a detector with labelled windows, and its report."""

import copy
import re

import numpy as np
import pytest

from penstock.detect.baseline_training import fit_baselines
from penstock.detect.baselines import BASELINES
from penstock.detect.data import DetectData, TrainingTimelines
from penstock.detect.figures import detection_figures
from penstock.detect.readers import read_timelines
from penstock.detect.report import render_report


@pytest.fixture(scope="module")
def figures(detector, long_table):
    """Of a series with a spike in its labelled window, and one with a window in which nothing happens."""
    table = long_table()
    table["flow"][250] += 40
    data = read_timelines(table, time="at", target="flow", id="pump", covariates=["load"])
    day = "2024-01-03"
    data = data.labelled({"a": [(f"{day}T14:00", f"{day}T16:00")], "b": [(f"{day}T14:00", f"{day}T16:00")]})
    valid = data.with_series([series.until(len(series), 200) for series in data])
    model = copy.copy(detector.model_)
    arrays, _ = fit_baselines([model.features.standardised(series) for series in data])
    model.baselines = model.read_baselines(arrays)
    return detection_figures(model, DetectData(TrainingTimelines(data, 0), valid, None, {}, {}))


def test_scores_stand_beside_those_of_all_baselines(figures) -> None:
    names = {"nab_standard", "nab_low_fp", "nab_low_fn", "vus_pr", "alarms_per_week"}
    assert figures["valid"].keys() == {"rows", *names}
    assert figures["valid"]["rows"] == 200
    assert list(figures["baseline"]) == list(BASELINES)
    for found in figures["baseline"].values():
        assert found["valid"].keys() == {"rows", *names}
        assert found["test"] is None


def test_the_series_with_missed_windows_comes_first(figures) -> None:
    first, second = figures["series"]
    assert (first["series"], first["windows"], first["found"]) == ("b", 1, 0)
    assert (second["series"], second["windows"], second["found"]) == ("a", 1, 1)
    assert figures["windows"]["windows"] == 2
    assert figures["windows"]["found"] == 1
    alarm = next(alarm for alarm in second["chart"]["alarms"] if alarm["right"])
    assert alarm["time"] == "2024-01-03 14:30:00"
    assert alarm["place"] == 50
    assert second["chart"]["windows"] == [[48, 56]]
    assert len(second["chart"]["times"]) == len(second["chart"]["score"]) == 100


def test_tail_probabilities_are_compared_with_shares(figures) -> None:
    (tail,) = figures["tails"][:1]
    assert tail["p"] == 0.1
    assert tail["values"] == 200 - 18  # without the labelled windows
    assert 0 <= tail["share"] <= 1
    assert [each["p"] for each in figures["tails"]] == [0.1, 0.01]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_shows_series_windows_and_alarms(detector, figures, language) -> None:
    page = render_report(detector.metrics_ | figures, title="Pumps", language=language)
    words = {
        "en": ("labelled window", "alarm inside a window", "expected range", "Do the probabilities hold?"),
        "zh": ("标注窗口", "窗口内的告警", "预期范围", "概率是否可信？"),
    }[language]
    for word in words:
        assert word in page
    assert page.count("<figure") >= 4
    assert re.search(r'data-metric="/windows/found" data-value="1"', page)
    assert "detect." not in re.sub(r"<code.*?</code>", "", page)  # a word without a text would show its key


def test_without_labels_the_report_tells_alarms_alone(detector) -> None:
    metrics = detector.metrics_
    assert not metrics["windows"]["labelled"]
    page = render_report(metrics, title="Pumps")
    assert "which has no labels" in page
    assert "alarm inside a window" not in page
    assert "NAB" not in page


def test_long_series_are_drawn_in_few_places(detector, wave, long_table) -> None:
    table = long_table(1000)
    data = read_timelines(table, time="at", target="flow", id="pump", covariates=["load"])
    found = detection_figures(detector.model_, DetectData(TrainingTimelines(data, 0), data, None, {}, {}))
    chart = found["series"][0]["chart"]
    assert len(chart["times"]) == 250  # of four steps each
    values = np.array(table["flow"][:1000] if found["series"][0]["series"] == "a" else table["flow"][1000:])
    np.testing.assert_array_equal(chart["high"], values.reshape(250, 4).max(axis=1))
    np.testing.assert_array_equal(chart["low"], values.reshape(250, 4).min(axis=1))


def test_the_report_counts_examples_and_those_that_were_labelled(beats, beats_table) -> None:
    data = read_timelines(beats_table(3), time="at", target="current", id="beat")
    labelled = data.labelled({"1": [("2024-01-01T00:03", "2024-01-01T00:05")]})
    found = detection_figures(beats.model_, DetectData(TrainingTimelines(data, 0), labelled, None, {}, {}))
    cut = found["cut"]
    assert (cut["window"], cut["examples"], cut["labelled"]) == (12, 3, 1)
    assert 0 <= cut["found"] <= cut["flagged"] <= 3
    words = {"en": "of 3 examples were flagged as a whole, among them", "zh": "整体被标记为异常，含标注行的"}
    for language, told in words.items():
        page = render_report(beats.metrics_ | found, title="Beats", language=language)
        assert told in re.sub(r"<[^>]*>", "", page)
        assert "detect." not in re.sub(r"<code.*?</code>", "", page)
