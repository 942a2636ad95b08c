"""A saved text model takes tables: by the columns of training, the usual ones, or the only one that can be meant."""

import pandas
import polars
import pyarrow
import pytest

from penstock.errors import DataError
from penstock.text.model import TextModel

TEXTS = ["the ferry sailed", "", "早餐 didn't", "3.5 stars!"]
COLUMNS = {"data": {"columns": {"text": "review", "label": "stars"}}}
KINDS = [pandas.DataFrame, polars.DataFrame, pyarrow.table, pyarrow.RecordBatch.from_pydict]


@pytest.fixture(scope="module")
def model(text_parts):
    return TextModel(*text_parts(), metrics=COLUMNS)


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize(("text", "label"), [("review", "stars"), ("text", "label"), ("Text", "Label"), ("a", "label")])
def test_columns_are_found(model, make, text, label):
    labels = model.predict(TEXTS)[::-1]
    table = make({"n": [1, 2, 3, 4], label: labels, text: TEXTS})
    assert model.predict(table) == model.predict(TEXTS)
    assert list(model.answers(table)) == list(model.answers(TEXTS))
    assert model.evaluate(table) == model.evaluate(TEXTS, labels)
    assert model.evaluate(table, model.predict(TEXTS)) == model.evaluate(TEXTS, model.predict(TEXTS))


def test_columns_that_are_not_there_are_named(model):
    table = pyarrow.table({"a": TEXTS, "b": TEXTS})
    with pytest.raises(DataError, match=r"the table may have it in 'a' or 'b'. Pass the column itself.*table\['a'\]"):
        model.predict(table)
    with pytest.raises(DataError, match="the table has no column stars; it has a, b"):
        model.evaluate(table)
    with pytest.raises(DataError, match=r"no column review .did you mean 'Reviews'..; it has Reviews"):
        model.predict(polars.DataFrame({"Reviews": [1, 2]}))
