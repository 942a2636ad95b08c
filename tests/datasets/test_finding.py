"""Columns that nobody named are found where only one is possible, and said; else the error names those that are."""

import logging

import pytest

from penstock.datasets.finding import (
    find_column,
    holds_labels,
    holds_numbers,
    holds_phrases,
    holds_texts,
    holds_words,
    usual_name,
)
from penstock.datasets.naming import absent_words, near_name
from penstock.errors import DataError
from penstock.text.readers import read_inputs, read_texts

HEAD = {
    "no": ["1", "2", "3", "4"],
    "review": ["good food", "bad food", "kind staff", None],
    "stars": ["5", "1", "5", "1"],
    "day": ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"],
}


@pytest.mark.parametrize(
    ("fits", "names"),
    [
        (holds_texts, ["review"]),
        (holds_words, ["review"]),
        (holds_phrases, ["review"]),
        (holds_labels, ["stars"]),
        (holds_numbers, ["no", "stars"]),
    ],
)
def test_what_columns_look_like(fits, names):
    assert [name for name, values in HEAD.items() if fits(values)] == names


def found(head, taken=(), fits=holds_labels):
    return find_column(head, taken, fits, usual="label", what="labels", flag="--label")


def test_the_usual_name_comes_first_in_any_case():
    assert found(HEAD | {"label": ["a", "b", "c", "d"]}) == "label"
    assert found(HEAD | {" Label": ["a", "b", "c", "d"]}) == " Label"
    assert usual_name("label", ["LABEL", "Label"]) is None
    assert usual_name("unique_id", ["Unique_ID"]) == "Unique_ID"


def test_the_only_column_that_fits_is_taken():
    assert found(HEAD) == "stars"
    with pytest.raises(DataError, match=r"the column of labels may be 'stars' or 'cat'. Name it: --label COL \(label="):
        found(HEAD | {"cat": ["x", "x", "y", "y"]})
    assert found(HEAD | {"cat": ["x", "x", "y", "y"]}, iter(["stars"])) == "cat"
    with pytest.raises(DataError, match=r"no column label .did you mean 'labels'.., and none that looks like labels"):
        found({"labels": ["a", "b"]})


def test_near_names_are_offered():
    names = ["coarse", "fine", "text"]
    assert absent_words(["Coarse"], names) == "has no column Coarse (did you mean 'coarse'?); it has coarse, fine, text"
    assert near_name("tex t", names) == "text"
    assert near_name("fnie", names) == "fine"
    assert near_name("review", names) is None


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_texts_and_labels_of_a_file_are_found_and_said(tmp_path, caplog, ending):
    import pyarrow
    from pyarrow import csv, parquet

    caplog.set_level(logging.INFO, "penstock")
    path = tmp_path / f"data{ending}"
    table = pyarrow.table({name: HEAD[name] for name in ("no", "review", "stars")})
    if ending == ".csv":
        csv.write_csv(table, path)
    elif ending == ".parquet":
        parquet.write_table(table, path)
    else:
        path.write_text("\n".join(map(str, table.to_pylist())).replace("'", '"').replace("None", "null"))
    rows = read_texts(path)
    assert (rows.inputs, rows.answers) == (HEAD["review"][:3], HEAD["stars"][:3])
    assert rows.columns == {"text": "review", "label": "stars"}
    assert [record.message for record in caplog.records] == [
        f"{path}: reading texts from 'review', labels from 'stars'"
    ]
    assert read_inputs(path).inputs == [*HEAD["review"][:3], ""]
    assert caplog.records[-1].message == f"{path}: 1 rows without a text are predicted as empty texts"


RECURRING = {"phrase": ["good food", "bad room"] * 4, "mood": ["up", "down"] * 4, "stars": ["5", "1"] * 4}


def table(tmp_path, **columns):
    rows = zip(*columns.values(), strict=True)
    (tmp_path / "data.csv").write_text("\n".join(",".join(row) for row in [columns, *rows]))
    return tmp_path / "data.csv"


@pytest.mark.parametrize(
    ("names", "label"),
    [
        ({"phrase": "phrase", "label": "stars"}, None),  # the label has its usual name
        ({"city": "mood", "label": "stars"}, None),  # the only column of words, also of one word each
        ({"phrase": "phrase", "class": "stars"}, "class"),  # the label is named
        ({"phrase": "phrase", "class": "mood"}, None),  # of two columns of words, one has several in a row
    ],
)
def test_texts_that_recur_are_found_where_nothing_else_is_possible(tmp_path, caplog, names, label):
    caplog.set_level(logging.INFO, "penstock")
    path = table(tmp_path, **{name: RECURRING[kind] for name, kind in names.items()})
    rows = read_texts(path, label=label)
    text, answers = names
    assert rows.columns == {"text": text, "label": answers}
    assert rows.inputs == RECURRING[names[text]]
    assert [record.message for record in caplog.records] == [
        f"{path}: reading texts from {text!r}, labels from {answers!r}",
        f"{path}: texts in {text!r} recur: 2 different ones; --text names another column",
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"a": "phrase", "b": "phrase", "label": "stars"}, "texts may be 'a' or 'b'. Name it: --text COL"),
        ({"a": "phrase", "b": "stars"}, "has no column text, .* Words that recur are in a: texts, or labels?"),
        ({"a": "mood", "b": "mood"}, "Words that recur are in a, b"),
        ({"a": "phrase", "label": "mood", "x": "stars", "y": "stars"}, "recur are in a, label.* --series x,y"),
        ({"Texts": "mood", "x": "stars"}, "has no column text .did you mean 'Texts'"),
    ],
)
def test_texts_that_recur_are_not_guessed(tmp_path, names, message):
    with pytest.raises(DataError, match=message):
        read_texts(table(tmp_path, **{name: RECURRING[kind] for name, kind in names.items()}))


def test_texts_that_recur_are_found_to_predict(tmp_path):
    assert read_inputs(table(tmp_path, phrase=RECURRING["phrase"])).inputs == RECURRING["phrase"]
