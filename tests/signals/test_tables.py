"""Tables with a step in each row, of every package, in fit, predict, score and evaluate: as files are read."""

import numpy as np
import pandas
import polars
import pyarrow
import pytest

import penstock
from penstock import SeriesClassifier, SeriesRegressor
from penstock.errors import ConfigError, DataError

KINDS = {
    "pandas": lambda frame: frame,
    "polars": polars.from_pandas,
    "arrow": lambda frame: pyarrow.Table.from_pandas(frame, preserve_index=False),
    "batch": lambda frame: pyarrow.RecordBatch.from_pandas(frame, preserve_index=False),
}
OPTIONS = {"hidden_size": 2, "num_layers": 1, "epochs": 1, "baseline": False, "random_state": 0}
COLUMNS = {"series": ["x", "y"], "id": "case", "time": "day"}
CASES, STEPS = 12, 7


def long(seed=0):
    """Signals of several cases, their steps in any order; `signals` has the same as arrays."""
    rng = np.random.default_rng(seed)
    days = np.tile(pandas.date_range("2024-01-01", periods=STEPS), CASES)
    frame = pandas.DataFrame({"case": np.repeat(np.arange(CASES), STEPS), "day": days})
    frame[["x", "y"]] = rng.normal(size=(len(frame), 2))
    frame["mood"] = np.where(frame["case"] % 2, "up", "down")
    frame["wear"] = frame["case"] / 3
    return frame.sample(frac=1, random_state=seed)


def signals(frame):
    parts = [frame[frame["case"] == case].sort_values("day") for case in frame["case"].unique()]
    return [part[["x", "y"]].to_numpy() for part in parts], [part["mood"].iloc[0] for part in parts]


@pytest.fixture(scope="module")
def fitted():
    """Fitted on a table; not to be changed."""
    return SeriesClassifier(**OPTIONS).fit(long(), **COLUMNS, label="mood", test_data=polars.from_pandas(long(1)))


@pytest.mark.parametrize("kind", KINDS)
def test_tables_and_arrays_give_the_same(fitted, kind, tmp_path):
    table, (arrays, labels) = KINDS[kind](long()), signals(long())
    clf = SeriesClassifier(**OPTIONS).fit(table, **COLUMNS, label="mood")
    other = SeriesClassifier(**OPTIONS).fit(arrays, labels)
    np.testing.assert_array_equal(clf.predict_proba(table), other.predict_proba(arrays))
    assert clf.metrics_["data"]["columns"] == COLUMNS | {"label": "mood"}
    assert clf.score(table) == other.score(arrays, labels)
    model = penstock.load(fitted.save(tmp_path / "model"))
    assert model.evaluate(table) == fitted.model_.evaluate(arrays, labels)
    assert list(model.answers(table)) == list(model.answers(arrays))
    assert model.predict(table) == fitted.predict(table).tolist()


def test_other_parts_may_be_tables_or_arrays(fitted):
    data = fitted.metrics_["data"]
    assert [data[part]["rows"] for part in ("train", "valid", "test")] == [11, 1, 12]
    assert data["changed"].keys() == {"steps out of order, sorted by time"}
    given = {"validation_data": signals(long(1)), "test_data": (long(1), None, np.ones(CASES))}
    clf = SeriesClassifier(**OPTIONS).fit(long(), **COLUMNS, label="mood", **given, sample_weight=np.ones(CASES))
    assert clf.metrics_["data"]["valid"]["rows"] == clf.metrics_["data"]["test"]["rows"] == CASES


def test_numbers_and_patterns_and_the_only_column_of_labels():
    table = long().rename(columns={"x": "v1", "y": "v2"})
    model = SeriesRegressor(**OPTIONS).fit(table, series=["v*"], id="case", target="wear", time="day")
    assert model.metrics_["data"]["columns"]["series"] == ["v1", "v2"]
    assert model.score(table) == pytest.approx(model.model_.evaluate(table)["metrics"]["r2"])
    clf = SeriesClassifier(**OPTIONS).fit(table.drop(columns="wear"), series=["v1", "v2"], id="case", time="day")
    assert clf.metrics_["data"]["columns"]["label"] == "mood"


def test_steps_with_their_own_labels():
    table = long()
    table["mood"] = np.where(table["x"] > 0, "up", "down")
    clf = SeriesClassifier(**OPTIONS, window=3).fit(table, **COLUMNS, label="mood")
    assert clf.predict(table).shape == (CASES * STEPS,)
    assert clf.score(table) == pytest.approx(clf.model_.evaluate(table)["metrics"]["accuracy"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_with_a_signal_in_each_row(kind):
    wide = pandas.DataFrame(np.random.default_rng(0).normal(size=(12, 5)), columns=list("abcde"))
    wide.loc[2, "d":] = np.nan
    clf = SeriesClassifier(**OPTIONS).fit(KINDS[kind](wide), ["up", "down"] * 6)
    expected = clf.predict_proba([row[~np.isnan(row)] for row in wide.to_numpy()])
    np.testing.assert_array_equal(clf.predict_proba(KINDS[kind](wide)), expected)
    with pytest.raises(DataError, match=r"ground truth of a table with a signal in each row must be given"):
        clf.score(KINDS[kind](wide))


def test_a_table_with_other_names_is_read_by_its_own(fitted):
    other = long().rename(columns={"x": "X", "case": "run"})
    with pytest.raises(DataError, match=r"the table has no column x .did you mean 'X'..; it has run, day, X, y"):
        fitted.predict(other)
    rows = penstock.read_signals(other, series=["X", "y"], id="run", time="day", label="mood")
    np.testing.assert_array_equal(fitted.predict(rows.inputs), fitted.predict(long()))
    assert fitted.score(rows.inputs, rows.answers) == fitted.score(long())


def test_what_does_not_fit_together_is_said():
    clf = SeriesClassifier(**OPTIONS)
    arrays, labels = signals(long())
    with pytest.raises(DataError, match="series, id, time and label name columns of a table; got list"):
        clf.fit(arrays, labels, **COLUMNS)
    with pytest.raises(DataError, match="X: the ground truth is a column of the table"):
        clf.fit(long(), labels, **COLUMNS)
    with pytest.raises(ConfigError, match=r"name the columns of the series: .* numbers are in case, x, y, wear"):
        clf.fit(long(), id="case", label="mood")
    with pytest.raises(ConfigError, match="give label or target"):
        penstock.read_signals(long(), series=["x"], label="mood", target="wear")
    with pytest.raises(DataError, match="a path, a table or a dict of columns; got ndarray"):
        penstock.read_signals(np.zeros((2, 2)), series=["x"])
    with pytest.raises(ValueError, match="y"):
        clf.fit(long()[["x", "y"]])
