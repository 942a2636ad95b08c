"""What readers change is counted by kind, whatever the file, and each kind has its words in the reports."""

import re
from pathlib import Path

import numpy as np
import pandas
import pytest

import penstock
from penstock import SeriesClassifier, read_series
from penstock.datasets.changes import counted
from penstock.datasets.columns import as_texts
from penstock.datasets.dates import read_dates
from penstock.datasets.layout import Layout
from penstock.datasets.numbers import number_columns
from penstock.errors import DataError
from penstock.registry import find
from penstock.report import Words
from penstock.signals.arrays import signal_list
from penstock.text.readers import read_inputs, read_texts


@pytest.mark.parametrize(
    ("read", "changed"),
    [
        (lambda: number_columns({"x": ["1,5", "2", "-3,25"]}), {"numbers with a decimal comma": 2}),
        (
            lambda: number_columns({"x": ["1.234,5", "2,5", "1.000"]}),
            {"numbers with a decimal comma": 2, "numbers with groups of thousands": 2},
        ),
        (lambda: number_columns({"x": ["1 234", "7"]}), {"numbers with groups of thousands": 1}),
        (lambda: number_columns({"x": ["1", "NA", "", None, "?"]}), {"words such as NA, read as missing": 2}),
        (lambda: number_columns({"x": ["1.5", None], "y": [1, 2]}), {}),
        (lambda: read_dates(["2024-01-31", "2024-02-01 13:00"], "ds"), {}),
        (lambda: read_dates(["2024-01-31 00:00:00+05:30", "2024-02-01T00:00Z"], "ds"), {}),
        (lambda: read_dates(["31 Jan 2024", "2024-02-01"], "ds"), {"dates in other forms than 2024-01-31": 1}),
        (lambda: read_dates(["31.01.2024", "01.02.2024"], "ds"), {"dates with the day first": 2}),
        (lambda: read_dates(["01/02/2024"], "ds", "month-first"), {"dates with the month first": 1}),
        (lambda: read_dates(["31.1.24"], "ds", "%d.%m.%y"), {"dates of the given format: %d.%m.%y": 1}),
        (lambda: as_texts(["good", "cut \ud83d"]), {"texts with half characters, replaced": 1}),
        (
            lambda: signal_list(np.array([[1.0, np.nan, np.nan], [np.nan, 2.0, 3.0]])),
            {"missing steps at the end of a signal, taken for padding": 2},
        ),
    ],
)
def test_changes_are_counted_where_they_are_made(read, changed):
    with counted() as found:
        read()
    assert dict(found) == changed


def test_a_block_counts_its_own_changes():
    with counted() as outer:
        number_columns({"x": ["1,5"]})
        with counted() as inner:
            number_columns({"x": ["1,5", "2,5"]})
    number_columns({"x": ["1,5"]})
    assert (sum(outer.values()), sum(inner.values())) == (1, 2)


def test_rows_of_every_family_say_what_was_changed(tmp_path):
    texts = tmp_path / "texts.csv"
    texts.write_bytes("text;label\n好;a\n差;b\n;a\n".encode("gb18030"))
    layout = Layout(encoding="gb18030")
    rows = {"rows split at another separator: ';'": 3, "rows in another encoding: gb18030": 3}
    assert read_texts(texts, layout=layout).changed == rows
    assert read_inputs(texts, layout=layout).changed == rows | {"rows without a text, read as empty": 1}
    (tmp_path / "texts.json").write_bytes('[{"text": "a", "label": 1}]'.encode("utf-16"))
    assert read_texts(tmp_path / "texts.json").changed == {"rows in another encoding: utf-16-le": 1}
    signals = tmp_path / "signals.csv"
    signals.write_text("id,t,x,label\n" + "".join(f'{k},{t},"{t},5",{k}\n' for k in "ab" for t in (2, 1, 3)))
    task = find("series-classification")
    columns = {"series": ["x"], "id": "id", "time": "t"}
    found = task.read(signals, columns, True)
    assert found.changed == {"numbers with a decimal comma": 6, "steps out of order, sorted by time": 2}
    (tmp_path / "ucr.tsv").write_text("1.0\t1\t2\tNaN\n2\t3\t4\t5\n")
    assert task.read(tmp_path / "ucr.tsv", {}, True).changed == {
        "labels that are whole numbers, written without a point": 1,
        "missing steps at the end of a signal, taken for padding": 1,
    }
    (tmp_path / "sounds.tsv").write_text("audio;label\n;a\na.wav;b\n")
    with pytest.raises(DataError, match=r"a.wav: can't be read"):
        find("audio-classification").read(tmp_path / "sounds.tsv", {"audio": None, "label": None}, True)


def test_series_to_forecast_say_what_was_changed(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("id;day;sold\n" + "".join(f" a;{day:02d}.01.2024;{day},5\n" for day in (3, 1, 2, 14, 13)))
    assert read_series(path, id="id").changed == {
        "rows split at another separator: ';'": 5,
        "numbers with a decimal comma": 5,
        "dates with the day first": 5,
        "names of series with blanks around them, trimmed": 5,
        "rows out of order, sorted by time": 2,
        "missing steps, filled in": 9,
    }


def test_a_fit_counts_the_changes_of_its_inputs():
    frame = pandas.DataFrame(np.random.default_rng(0).normal(size=(12, 6)))
    frame.loc[3, 4:] = np.nan
    clf = SeriesClassifier(hidden_size=2, num_layers=1, epochs=1, baseline=False, random_state=0)
    earlier = {"numbers with a decimal comma": 7}
    clf.fit(frame, ["a", "b"] * 6, test_data=(frame, ["a", "b"] * 6), changed=earlier)
    assert clf.metrics_["data"]["changed"] == {
        "missing steps at the end of a signal, taken for padding": 4,
        "numbers with a decimal comma": 7,
    }


def test_every_kind_has_its_words():
    root = Path(penstock.__file__).parent
    changes = re.compile(r'(?:change\(\s*_LOGGER,\s*f?|^PADDING = )"([a-z][^"{]+)', re.MULTILINE)
    kinds = {
        kind.removesuffix(": ") for path in root.rglob("*.py") for kind in changes.findall(path.read_text("utf-8"))
    }
    kinds |= set(re.findall(r'found\["([^"]+)"\]', (root / "panels/panel_columns.py").read_text("utf-8")))
    assert len(kinds) > 15
    for language in ("en", "zh"):
        assert {kind for kind in kinds if not Words(language).knows(f"change.{kind}")} <= {"dates with the "}
