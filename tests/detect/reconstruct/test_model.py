"""Detectors that reproduce examples: what rows and examples are told, saved, streamed; what is refused."""

import numpy as np
import pytest

import penstock
from penstock import AnomalyDetector
from penstock.detect.conditions import CONDITIONS
from penstock.detect.readers import read_timelines
from penstock.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def judged(beats_table):
    """A table of three new beats, one with a spike, one of another shape and cut to half, and what is said of them."""
    table = beats_table(3, seed=5)
    table["current"][4] = 9.0
    table["current"][5] = None
    table["current"][12:24] = [-3.0, 3.0] * 6
    return {name: values[:30] for name, values in table.items()}


def read(table):
    return read_timelines(table, time="at", target="current", id="beat")


def test_rows_and_examples_are_told_apart(beats, judged):
    spiked, other, half = beats.predict(read(judged))
    assert np.nanargmax(spiked.score) == 4
    assert spiked.anomaly[4]
    assert CONDITIONS[spiked.condition[4]] == "outlier"
    assert CONDITIONS[spiked.condition[5]] == "missing"
    assert np.isnan(spiked.score[5])
    assert np.isfinite(spiked.expected).all()
    assert (spiked.low < spiked.high).all()
    assert other.examples.anomaly.tolist() == [True]
    assert half.examples.cuts.tolist() == [0, 6]
    assert half.examples.score[0] < other.examples.score[0]
    assert spiked.examples.evidence[0] == np.nanmean(spiked.evidence)


def test_a_score_does_not_depend_on_other_examples(beats, judged):
    together = beats.predict(read(judged))[1]
    alone = beats.predict(read({name: values[12:24] for name, values in judged.items()}))[0]
    for name in ("score", "expected", "low", "high"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(together, name))


def test_answers_are_rows_with_the_score_of_their_example(beats, judged):
    rows = list(beats.model_.answers(read(judged)))
    assert [row["current"] for row in rows] == judged["current"]
    assert list(rows[0])[3:] == [
        *("score", "threshold", "anomaly", "expected", "low", "high", "condition"),
        *("example", "example_score", "example_anomaly"),
    ]
    found = [int(each.examples.anomaly[0]) for each in beats.predict(read(judged))]
    assert [row["example_anomaly"] for row in rows[11:25]] == [found[0], *[1] * 12, found[2]]


def test_it_is_saved_and_loaded_with_the_same_bits(beats, judged, tmp_path):
    loaded = penstock.load(beats.save(tmp_path / "beats"))
    for one, other in zip(loaded.predict(read(judged)), beats.predict(read(judged)), strict=True):
        np.testing.assert_array_equal(one.score, other.score)
        np.testing.assert_array_equal(one.examples.score, other.examples.score)
    detection = loaded.info()["detection"]
    assert (detection["kind"], detection["window"], detection["series"]) == ("reconstruction", 12, 0)
    again = AnomalyDetector.load(tmp_path / "beats")
    assert again.get_params() == beats.get_params() | {"warm_start": True}
    assert type(again.model_) is type(loaded)


def test_a_stream_is_of_one_example_at_a_time(beats, judged):
    stream = beats.stream()
    rows = [dict(zip(judged, row, strict=True)) for row in zip(*judged.values(), strict=True)]
    told = [stream.push(row) for row in rows[:12]]
    assert told[:11] == [None] * 11
    (whole, *_) = beats.predict(read(judged))
    assert told[11].score == whole.examples.score[0]
    assert [row.score for row in told[11].rows if not row.missing] == whole.score[~np.isnan(whole.score)].tolist()
    stream.push(rows[12])  # another beat, whose times begin again
    with pytest.raises(
        DataError, match=r"rows of an example are of one series; got '2' too\. Finish or reset the stream first"
    ):
        stream.push(rows[24])
    assert len(stream.finish().rows) == 1
    as_json = stream.as_json(told[11])
    assert as_json["prediction"] == int(told[11].anomaly)
    assert [row["missing"] for row in as_json["rows"][4:6]] == [[], ["current"]]
    assert stream.as_json(None) == {"prediction": None}


def test_what_needs_rows_judged_one_by_one_is_refused(beats):
    model = beats.model_
    for use, message in (
        (lambda: model.stream(adapt=True), "adapt is of kind='forecast'"),
        (lambda: model.predict(np.zeros(5), adapt="output"), "adapt is of kind='forecast'"),
        (model.pool, "can't share a pool: each waits for the end of its own example"),
        (lambda: model.reading(np.zeros(5)), "can't be inspected: it reads each example from its begin"),
    ):
        with pytest.raises(ConfigError, match=message):
            use()


def test_labelled_examples_are_measured_and_reported(beats, judged):
    found = beats.model_.evaluate(read(judged), {"1": DAY})
    assert found["metrics"]["example_auc"] == 1.0
    assert found["metrics"]["vus_pr"] > 0.5


DAY = [("2024-01-01", "2024-01-02")]
WAVE = np.sin(np.arange(100) / 3)


@pytest.mark.parametrize(
    ("options", "data", "labels", "message"),
    [
        ({"window": 81}, WAVE, None, "window must be at most the 80 rows of the longest training series; got 81"),
        ({"window": 1}, WAVE, None, "window must be a whole number, at least 2"),
        ({}, WAVE, None, "each series is an example, and there is only one"),
        ({}, {"a": [1.0], "b": [2.0], "c": [3.0]}, None, "at least 2 rows without a labelled anomaly; there are none"),
        ({}, [WAVE[:5]] * 5, {str(n): [(0, 4)] for n in range(5)}, "at least 2 rows without a labelled anomaly"),
        ({"window": 9}, WAVE, [(80, 99)], "must have rows outside labelled windows, because they set the threshold"),
        ({"smoothing": 3}, WAVE, None, "smoothing is an option of kind='forecast'"),
        ({"chunk": 32}, WAVE, None, "chunk is an option of kind='forecast'"),
        ({"calendar": ["hour"]}, WAVE, None, "calendar is an option of kind='forecast'"),
        ({"kind": "forecast", "window": 5}, WAVE, None, "window is the length of examples, of kind='reconstruct'"),
        ({"kind": "rebuild"}, WAVE, None, "kind must be one of forecast, reconstruct; got 'rebuild'"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_before_training(options, data, labels, message):
    with pytest.raises((ConfigError, DataError), match=message):
        AnomalyDetector(**{"kind": "reconstruct", **options}).fit(data, labels)


def test_covariates_are_refused(beats_table):
    table = beats_table(4) | {"load": [1.0] * 48}
    data = read_timelines(table, time="at", target="current", id="beat", covariates=["load"])
    with pytest.raises(DataError, match="there can be no covariates, got load"):
        AnomalyDetector(kind="reconstruct").fit(data)
