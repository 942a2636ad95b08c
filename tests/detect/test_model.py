"""Detectors: predicted whole, streamed and pooled with the same bits; saved; what each row is told."""

import numpy as np
import pytest

import penstock
from penstock import AnomalyDetector
from penstock.detect.conditions import CONDITIONS
from penstock.detect.readers import read_timelines
from penstock.errors import ConfigError, DataError, ShapeError, StateError

ARRAYS = ("score", "threshold", "anomaly", "expected", "low", "high", "condition")


@pytest.fixture(scope="module")
def watched(long_table):
    """Series to judge: one that training knew, with an outlier and a missing value, and a shorter unknown one."""
    table = long_table(150)
    table["pump"] = ["new"] * 150 + ["b"] * 150
    table["flow"][200] += 9000.0
    table["flow"][20] = None
    cut = {name: values[:110] + values[150:] for name, values in table.items()}
    return read_timelines(cut, time="at", target="flow", id="pump", covariates=["load"])


def rows_of(series):
    for time, value, load in zip(series.times, series.values[:, 0], series.covariates[:, 0], strict=True):
        yield {"at": str(time), "flow": value, "load": load, "pump": series.name}


def same(found, row, step):
    """Whether a stream's or pool's judgement has the bits of the step of a prediction."""
    for name in ARRAYS[:-1]:
        np.testing.assert_array_equal(getattr(row, name), getattr(found, name)[step])


@pytest.mark.parametrize("adapt", [False, "output"])  # which follows location and spread as True does
def test_a_stream_says_what_the_whole_says(detector, watched, adapt):
    model = detector.model_
    for found in model.predict(watched, adapt=adapt):
        stream = model.stream(adapt=adapt)
        for step, item in enumerate(rows_of(found.series)):
            said = stream.push(item)
            same(found, said, step)
            assert said.condition == CONDITIONS[found.condition[step]]
        assert stream.finish().score == found.score[-1]


def test_a_stream_that_was_saved_or_forked_goes_on_with_the_same_bits(detector, watched):
    model, series = detector.model_, watched.series[1]
    items, stream = list(rows_of(series)), model.stream()
    for item in items[:60]:
        stream.push(item)
    twins = [stream.fork(), model.stream().load(stream.save())]
    for item in items[60:]:
        said = stream.push(item)
        for twin in twins:
            other = twin.push(item)
            assert (other.score, other.threshold, other.condition) == (said.score, said.threshold, said.condition)
    stream.reset()
    assert stream.push(items[0]).score == model.predict(watched)[1].score[0]


def test_a_pool_says_what_streams_say(detector, watched):
    model = detector.model_
    pool = model.pool()
    unknown, known = int(pool.open(1)[0]), int(pool.open(2, "b")[1])
    found = {unknown: model.predict(watched)[0], known: model.predict(watched)[1]}
    for step in range(110):
        both = [known, unknown] if step % 3 else [unknown, known]
        series = [found[each].series for each in both]
        told = pool.step(
            both,
            np.stack([each.values[step] for each in series]),
            np.stack([each.times[step] for each in series]),
            np.stack([each.covariates[step] for each in series]),
        )
        for place, each in enumerate(both):
            same(found[each], type(told)(*(array[place] for array in told)), step)


def test_pools_refuse_numbers_that_are_not_open_and_times_that_go_back(detector):
    pool = detector.model_.pool()
    streams, time = pool.open(2), np.array(["2024-02-01"] * 2, "datetime64[s]")
    pool.step(streams, np.ones((2, 1)), time, np.ones((2, 1)))
    for bad in ([0, 0], [0, 2], [[0, 1]]):
        with pytest.raises(ShapeError, match=r"streams must be \(n,\) different numbers"):
            pool.step(bad, np.ones((2, 1)), time, np.ones((2, 1)))
    with pytest.raises(ShapeError, match=r"covariates must be \(2, 1\)"):
        pool.step(streams, np.ones((2, 1)), time)
    with pytest.raises(DataError, match="before the last row of its stream"):
        pool.step(streams, np.ones((2, 1)), time - 1, np.ones((2, 1)))


def test_an_outlier_is_told_and_expected_values_are_in_the_unit_of_the_series(detector, watched):
    unknown, known = detector.predict(watched)
    assert known.anomaly[50]
    assert known.condition[50] == CONDITIONS.index("outlier")
    assert not known.anomaly[:50].any()
    assert np.isnan(unknown.score[20])
    assert unknown.condition[20] == CONDITIONS.index("missing")
    assert CONDITIONS[unknown.condition[19]] == "probation"
    assert 4000 < np.median(known.expected) < 6000
    assert 4 < np.median(unknown.expected) < 6
    assert (known.low < known.expected).all()
    assert (known.expected < known.high).all()


def test_it_is_saved_and_loaded_with_the_same_bits(detector, watched, tmp_path):
    loaded = penstock.load(detector.save(tmp_path / "watch"))
    for one, other in zip(loaded.predict(watched), detector.predict(watched), strict=True):
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert loaded.info()["detection"]["false_alarm_rate"] == 1e-4
    again = AnomalyDetector.load(tmp_path / "watch")
    assert again.get_params() == detector.get_params() | {"warm_start": True, "calendar": ["hour"]}


def test_answers_are_the_rows_of_the_table_in_its_order(detector, long_table):
    table = {name: values[::-1] for name, values in long_table(30).items()}
    data = read_timelines(table, time="at", target="flow", id="pump", covariates=["load"])
    rows = list(detector.model_.answers(data))
    assert [row["flow"] for row in rows] == table["flow"]
    assert [row["pump"] for row in rows] == table["pump"]
    assert list(rows[0])[4:] == ["score", "threshold", "anomaly", "expected", "low", "high", "condition"]


def test_gap_stuck_missing_and_shift_are_told_apart(detector, wave):
    model, start = detector.model_, np.datetime64("2024-03-01", "s")
    stream, flow = model.stream("a"), wave(400, seed=3)
    told = []
    for step in range(400):
        value = flow[100] if 100 <= step < 140 else flow[step] + (40 if step >= 220 else 0)
        time = start + 900 * step + (86_400 if step >= 60 else 0)
        told.append(stream.push({"at": str(time), "flow": None if step == 80 else value, "load": 1.0}))
    conditions = [each.condition for each in told]
    assert conditions[60] == "gap"
    assert conditions.count("gap") == 1
    assert (conditions[80], told[80].missing) == ("missing", ("flow",))
    stuck = [step for step, each in enumerate(conditions) if each == "stuck"]
    assert stuck == list(range(stuck[0], 140))
    assert 101 <= stuck[0] <= 110
    assert told[stuck[0]].anomaly
    assert conditions[220] == "outlier"
    assert [step for step, each in enumerate(conditions) if each == "level shift"] == [229]


def test_a_correction_learns_what_the_network_does_not_know(detector, wave):
    """A series that jumps to and fro, which the network of two waves can't expect."""
    start = np.datetime64("2024-03-01", "s")
    rows = [{"at": str(start + 900 * step), "flow": 5.0 + step % 2, "load": 1.0, "pump": "a"} for step in range(300)]
    errors = {}
    for adapt in (True, "output"):
        stream = detector.model_.stream(adapt=adapt)
        expected = np.array([stream.push(row).expected[0] for row in rows])
        errors[adapt] = np.abs(expected - [row["flow"] for row in rows])[200:].mean()
    assert errors["output"] < 0.5 * errors[True]
    with pytest.raises(ConfigError, match="adapt must be False, True or 'output'"):
        detector.model_.stream(adapt="all")


def test_rows_that_cannot_be_read_leave_a_stream_as_it_is(detector):
    stream = detector.model_.stream()
    row = {"at": "2024-01-02", "flow": 1.0, "load": 2.0, "pump": "a"}
    stream.push(row)
    before = stream.save()
    for change, match in (
        ({"flow": "x"}, "flow must be a number"),
        ({"flow": float("inf")}, "flow must be finite"),
        ({"at": "2024-01-01"}, "in the order of their times; 2024-01-01 is before 2024-01-02"),
        ({"pump": "b"}, "a stream is of one series"),
    ):
        with pytest.raises(DataError, match=match):
            stream.push(row | change)
    with pytest.raises(DataError, match="lacks load"):
        stream.push({"flow": 1.0, "at": "2024-01-03"})
    with pytest.raises(DataError, match="must be an object with its at"):
        stream.push([1.0, 2.0])
    assert stream.save() == before
    with pytest.raises(StateError):
        detector.model_.stream(adapt=True).load(before + b"x")


def test_two_series_that_training_did_not_know_are_not_mixed(detector):
    stream, row = detector.model_.stream(), {"at": "2024-01-02", "flow": 1.0, "load": 2.0}
    stream.push(row | {"pump": "new"})
    before = stream.save()
    later = detector.model_.stream().load(before)
    for each in (stream, later):
        with pytest.raises(DataError, match="a stream is of one series; got 'other' too"):
            each.push(row | {"pump": "other"})
        assert each.save() == before
    stream.push(row)  # a row without a name is of the same series
    stream.push(row | {"pump": "new"})
    stream.reset()
    stream.push(row | {"pump": "other"})
    known = detector.model_.stream("b")
    known.push(row)
    known.push(row | {"pump": "b"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"false_alarm_rate": 0.5}, "false_alarm_rate must be a number, above 0 and below 0.02"),
        ({"contamination": 0.7}, "contamination must be a number, at least 0 and below 0.5"),
        ({"smoothing": 0}, "smoothing must be a whole number, at least 1"),
        ({"bidirectional": True}, "a detector reads forward"),
        ({"calendar": ["hours"]}, "calendar must be none, auto or a list"),
    ],
)
def test_options_out_of_range_are_refused(options, message, tiny, wave):
    with pytest.raises(ConfigError, match=message):
        AnomalyDetector(**tiny | options).fit(wave(100))


WAVE = np.sin(np.arange(200) / 5)


@pytest.mark.parametrize(
    ("data", "labels", "message"),
    [
        (np.ones(200), None, "the target y must vary, or there is nothing to learn; it is 1 throughout"),
        (np.sin(np.arange(15.0)), None, "must have at least 20 steps; the longest has 12"),
        (WAVE, [(250, 260)], "must lie within their series; series 'series' is from 0 to 199"),
        (WAVE, [(60, 50)], "must lie within their series"),
        (WAVE, {"pump": [(1, 2)]}, "must be of these series, series; got 'pump'"),
        (WAVE, [5], r"must be \(start, end\) for each series"),
        (WAVE, [(0, 199)], "must have values to learn from; all are missing or labelled"),
    ],
)
def test_data_that_cannot_be_learned_from_is_refused_before_training(data, labels, message, tiny):
    with pytest.raises(DataError, match=message):
        AnomalyDetector(**tiny).fit(data, labels)
