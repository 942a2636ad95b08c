"""`penstock train --config FILE`, and the file that every model keeps, by which its training is repeated."""

import json
import tomllib

import pytest

from penstock.cli import main
from penstock.tasks import TextClassifier

QUICK = ["--epochs", "1", "--hidden-size", "4", "--embedding-size", "4", "--quiet"]
FILES = ("model.safetensors", "baseline.safetensors")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data, and a model that was trained with what isn't the default."""
    place = tmp_path_factory.mktemp("place")
    pairs = [("great food", "good"), ("kind staff", "good"), ("rude staff", "bad"), ("dirty room", "bad")] * 8
    rows = "".join(f"{label},{text},{'xy'[row % 2]}\n" for row, (text, label) in enumerate(pairs))
    (place / "reviews.csv").write_text("stars,review,shop\n" + rows)  # stars or shop could be labels
    weights = ["--class-weight", '{"good": 2.0}', "--clip", "inf", "--random-state", "7", "--split", "0.5/0.25/0.25"]
    columns = ["--text", "review", "--label", "stars", "--cell", "gru", "--bidirectional"]
    assert (
        main(["train", "classify", str(place / "reviews.csv"), "--out", str(place / "m"), *QUICK, *columns, *weights])
        == 0
    )
    return place


def write(folder, text):
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def trained(place):
    return [(place / name).read_bytes() for name in FILES]


def test_a_models_own_file_repeats_its_training_from_anywhere(penstock, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = penstock("train", "--config", place / "m" / "train.toml", "--quiet")
    assert (result.code, result.err) == (0, "")
    assert trained(place / "m-again") == trained(place / "m")
    first, again = (json.loads((place / name / "metrics.json").read_text()) for name in ("m", "m-again"))
    for name in ("configuration", "valid", "test", "data", "random_state", "baseline"):
        assert first[name] == again[name], name
    once_more = penstock("train", "--config", place / "m")
    assert (once_more.code, once_more.out) == (2, "")
    assert "m-again: exists already" in once_more.err


def test_the_file_has_all_options_by_panel_and_no_path_but_relative_ones(place):
    text = (place / "m" / "train.toml").read_text()
    found = tomllib.loads(text)
    assert list(found) == ["task", "data", "network", "training", "output"]
    assert found["task"] == "text-classification"
    assert found["data"]["data"] == "../reviews.csv"
    assert (found["data"]["text"], found["data"]["split"]) == ("review", "0.5/0.25/0.25")
    assert (found["network"]["cell"], found["network"]["bidirectional"]) == ("gru", True)
    assert found["training"]["class-weight"] == {"good": 2.0}
    assert found["training"]["clip"] == float("inf")
    assert found["output"] == {"out": "../m-again"}
    assert str(place) not in text


def test_a_forecast_is_repeated_too(penstock, tmp_path):
    rows = "".join(f"2024-01-{day:02},{day % 7}\n" for day in range(1, 32))
    (tmp_path / "sales.csv").write_text("ds,y\n" + rows)
    quick = ["--horizon", "2", "--context", "4", "--epochs", "1", "--hidden-size", "3", "--quantiles", "0.2,0.5"]
    first = penstock("train", "forecast", tmp_path / "sales.csv", "--out", tmp_path / "m", *quick, "--quiet")
    assert (first.code, first.err) == (0, "")
    assert tomllib.loads((tmp_path / "m" / "train.toml").read_text())["data"]["quantiles"] == [0.2, 0.5]
    again = penstock("train", "forecast", "--config", tmp_path / "m" / "train.toml", "--out", tmp_path / "n", "--quiet")
    assert (again.code, again.err) == (0, "")
    assert trained(tmp_path / "n") == trained(tmp_path / "m")


def test_a_training_from_a_saved_model_reads_its_columns_and_is_repeated_too(penstock, place, tmp_path):
    more = ["--from", place / "m", "--epochs", "1", "--quiet"]
    assert penstock("train", "classify", place / "reviews.csv", "--out", tmp_path / "m", *more).code == 0
    assert penstock("train", "--config", tmp_path / "m" / "train.toml", "--quiet").code == 0
    assert trained(tmp_path / "m-again") == trained(tmp_path / "m")
    assert trained(tmp_path / "m")[0] != trained(place / "m")[0]


@pytest.mark.parametrize("panels", [True, False], ids=["panels", "flat"])
def test_the_command_line_wins_over_the_file(penstock, place, panels):
    network = "[network]\n" if panels else ""
    path = write(place, f'task = "classify"\n{network}hidden_size = 5\nembedding-size = 4\ncell = "gru"\n')
    words = [place / "reviews.csv", "--text", "review", "--label", "stars", "--epochs", "1", "--overwrite", "--quiet"]
    out = place / f"wins-{panels}"
    assert penstock("train", "--config", path, *words, "--cell", "rnn", "--out", out).code == 0
    encoder = json.loads((out / "config.json").read_text())["network"]["encoder"]
    assert (encoder["cell"], encoder["hidden_size"]) == ("rnn", 5)


def test_a_model_that_python_saved_keeps_its_options(penstock, place, tmp_path):
    texts, labels = ["great food", "rude staff"] * 12, ["good", "bad"] * 12
    options = {"epochs": 1, "hidden_size": 3, "embedding_size": 4, "cell": "rnn", "random_state": None}
    fitted = TextClassifier(**options).fit(texts, labels)
    fitted.save(tmp_path / "m")
    found = tomllib.loads((tmp_path / "m" / "train.toml").read_text())
    assert found["training"]["random-state"] == fitted.metrics_["random_state"]
    assert "data" not in found["data"]
    assert "output" not in found
    missing = penstock("train", "--config", tmp_path / "m" / "train.toml", "--out", tmp_path / "n")
    assert "DATA is missing" in missing.err
    words = [place / "reviews.csv", "--text", "review", "--label", "stars", "--out", tmp_path / "n", "--quiet"]
    assert penstock("train", "--config", tmp_path / "m" / "train.toml", *words).code == 0
    assert json.loads((tmp_path / "n" / "config.json").read_text())["network"]["encoder"]["cell"] == "rnn"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hiden-size = 4", "mine.toml: there is no option hiden-size. Did you mean hidden-size?"),
        ("[network]\nhiden_size = 4", "there is no option hiden-size. Did you mean hidden-size?"),
        ("[netwrk]\nhidden-size = 4", "there is no option netwrk."),
        ("config = 'other.toml'", "there is no option config."),
        ("hidden-size = 4\nhidden_size = 5", "hidden-size is there twice"),
        ("hidden-size = 4.5", "hidden-size must be a whole number; got 4.5"),
        ("hidden-size = 'many'", "hidden-size must be a whole number; got 'many'"),
        ("bidirectional = 1", "bidirectional must be true or false; got 1"),
        ("cell = 'lsmt'", "cell must be one of rnn, lstm, gru; got 'lsmt'. Did you mean lstm?"),
        ("out = 5", "out must be text; got 5"),
        ("hidden-size = ", "mine.toml: is not TOML:"),
        ("task = 5", "task must be text; got 5"),
        ("task = 'forecasting'", "is for forecasting. Use it with: penstock train forecast"),
    ],
)
def test_a_wrong_file_is_refused_by_name(penstock, place, text, message):
    path = write(place, text)
    result = penstock("train", "classify", "--config", path, place / "reviews.csv", "--out", place / "new", "--quiet")
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert message in result.err
    assert not (place / "new").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no task. Add one, such as task = "),
        ("task = 'clasify'", "there is no task clasify; there are: "),
        ("task = 'text-clasification'", "Did you mean text-classification?"),
        (None, "can't be read: No such file"),
    ],
)
def test_without_a_command_the_file_must_name_its_task(penstock, place, text, message):
    path = place / "none.toml" if text is None else write(place, text)
    result = penstock("train", f"--config={path}", place / "reviews.csv", "--out", place / "new", "--quiet")
    assert (result.code, result.out) == (2, "")
    assert message in result.err


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("task = 'series-classification'", "--stride"),
        ("task = 'classify'\nseries = ['x', 'y']", "--stride"),
        ("task = 'classify'\ndata = 'sounds.zip'", "--mel-bins"),
        ("task = 'classify'\ndata = 'reviews.csv'", "--embedding-size"),
    ],
)
def test_the_file_says_which_task_it_is(penstock, place, text, option):
    result = penstock("train", "--config", write(place, text), "--help-all")
    assert result.code == 0
    assert option in result.out
