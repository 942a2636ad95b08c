"""`penstock train classify` from a file to a saved model, and what stops it before it starts."""

import gzip
import hashlib
import html
import json
import shlex
import signal
import subprocess
import sys
import tomllib

import pytest

from penstock.cli import entry
from penstock.locks import held
from penstock.runtime import load

GOOD = ["great food", "kind staff", "lovely room", "真好吃", "很喜欢", "服务好"]
BAD = ["awful food", "rude staff", "dirty room", "真难吃", "不喜欢", "服务差"]
QUICK = ["--epochs", "3", "--hidden-size", "8", "--embedding-size", "8"]


def rows(times):
    return [(text, label) for _ in range(times) for label, texts in (("good", GOOD), ("bad", BAD)) for text in texts]


def write_csv(path, pairs, header="text,label"):
    path.write_text(header + "\n" + "".join(f"{text},{label}\n" for text, label in pairs), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("data") / "reviews.csv", rows(10))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained") / "model"
    assert entry.main(["train", "classify", str(data), "--out", str(out), *QUICK, "--cell", "gru"]) == 0
    return out


def test_a_saved_model_has_everything(trained):
    names = {path.name for path in trained.iterdir()}
    assert names == {
        "README.md", "baseline.safetensors", "config.json", "epochs.jsonl", "metrics.json", "model.safetensors",
        "report.html", "train.toml",
    }  # fmt: skip
    assert load(trained).info()["network"]["encoder"]["cell"] == "gru"


def test_zoneout_has_a_share_for_each_state(trained, data, tmp_path):
    quick = ["--epochs", "1", "--hidden-size", "4", "--embedding-size", "4", "--no-baseline"]
    for given, kept in (("0.05,0.5", [0.05, 0.5]), ("0.1", 0.1)):
        out = tmp_path / given
        assert entry.main(["train", "classify", str(data), "--out", str(out), *quick, "--zoneout", given]) == 0
        assert load(out).info()["network"]["encoder"]["zoneout"] == kept
    written = tomllib.loads((tmp_path / "0.05,0.5" / "train.toml").read_text())
    assert written["network"]["zoneout"] == [0.05, 0.5]
    assert "zoneout" not in load(trained).info()["network"]["encoder"]


def test_default_shares_are_eighty_ten_ten(trained):
    data = json.loads((trained / "metrics.json").read_text())["data"]
    assert [data[part]["rows"] for part in ("train", "valid", "test")] == [96, 12, 12]


def test_a_model_says_where_it_comes_from(penstock, trained, data, tmp_path):
    metrics = json.loads((trained / "metrics.json").read_text())
    source = metrics["data"]["sources"]["train"]
    content = data.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert source == {"file": data.name, "bytes": len(content), "sha256": digest}
    assert str(data.parent) not in (trained / "metrics.json").read_text()  # no path in a saved model
    page = (trained / "report.html").read_text(encoding="utf-8")
    assert digest in page
    assert f'<code data-metric="/command">{html.escape(metrics["command"])}</code>' in page
    words = shlex.split(metrics["command"])
    assert words[:2] == ["penstock", "train"]
    again = [str(data) if word == data.name else str(tmp_path / "b") if word == "model" else word for word in words[1:]]
    assert penstock(*again).code == 0
    assert (tmp_path / "b" / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()


def test_the_report_is_in_the_language_asked_for_or_of_the_locale(penstock, data, tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    for out, flags in (("locale", []), ("asked", ["--language", "en"])):
        assert penstock("train", "classify", data, "--out", tmp_path / out, *QUICK, *flags).code == 0
    pages = [(tmp_path / out / "report.html").read_text(encoding="utf-8") for out in ("locale", "asked")]
    assert '<html lang="zh-Hans">' in pages[0]
    assert "学习曲线" in pages[0]
    assert "Learning curves" in pages[1]
    refused = penstock("train", "classify", data, "--out", tmp_path / "no", *QUICK, "--language", "fr")
    assert refused.code == 2
    assert "--language 'fr' is not one of 'en', 'zh'" in refused.err


def test_the_report_is_made_of_the_metrics(trained):
    from penstock.report import render

    metrics = json.loads((trained / "metrics.json").read_text())
    assert (trained / "report.html").read_text(encoding="utf-8") == render(metrics, title=trained.name)
    assert "TF-IDF" in render(metrics)


def test_json_for_programs(penstock, data, tmp_path):
    card = ("--license", "mit", "--datasets", "imdb, someone/reviews")
    result = penstock("train", "classify", data, "--out", tmp_path / "model", *QUICK, "--json", *card)
    assert (result.code, result.err) == (0, "")
    readme = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert 'license: "mit"\ndatasets: ["imdb", "someone/reviews"]\n' in readme
    assert 'datasets = "imdb, someone/reviews"' in (tmp_path / "model" / "train.toml").read_text(encoding="utf-8")
    found = json.loads(result.out)
    assert (found["dropped"], found["changed"]) == ({}, {})
    assert found.keys() == {
        "baseline", "changed", "dropped", "interval", "out", "peak_mb", "seconds", "test", "valid", "verdict",
    }  # fmt: skip
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text())
    assert found["test"] == metrics["test"]
    assert found["baseline"] == metrics["baseline"]["tfidf"]["test"]
    for scores in (found["valid"], found["test"], found["baseline"]):
        assert {"accuracy", "f1_macro", "log_loss"} <= set(scores)


def test_the_same_command_gives_the_same_weights(penstock, data, trained, tmp_path):
    penstock("train", "classify", data, "--out", tmp_path / "again", *QUICK, "--cell", "gru")
    for name in ("model.safetensors", "baseline.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (trained / name).read_bytes()


def test_files_of_their_own_for_each_part(penstock, tmp_path):
    train = write_csv(tmp_path / "train.csv", rows(4), "review,stars")
    valid = write_csv(tmp_path / "valid.csv", [*rows(1), ("", "good")], "review,stars")
    valid.write_text(valid.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-16")
    lines = [json.dumps({"review": text, "stars": label}) for text, label in rows(2)]
    test = tmp_path / "test.jsonl.gz"
    test.write_bytes(gzip.compress("\n".join(lines).encode()))
    columns = ["--text", "review", "--label", "stars"]
    result = penstock(
        "train", "classify", train, "--valid", valid, "--test", test, *columns, "--out", tmp_path / "model", *QUICK
    )
    assert result.code == 0
    data = json.loads((tmp_path / "model" / "metrics.json").read_text())["data"]
    assert [data[part]["rows"] for part in ("train", "valid", "test")] == [48, 12, 24]
    assert data["dropped"] == {"no text": 1}
    assert data["changed"] == {"rows split at another separator: ';'": 13, "rows in another encoding: utf-16-le": 13}
    # The model knows its columns.
    assert penstock("evaluate", tmp_path / "model", test).code == 0


def test_two_shares_leave_no_test(penstock, data, tmp_path):
    result = penstock("train", "classify", data, "--split", "0.5/0.5", "--out", tmp_path / "m", *QUICK, "--json")
    found = json.loads(result.out)
    assert found["test"] is None
    assert found["valid"]["rows"] == 60
    assert set(found["baseline"]) >= {"accuracy"}


def test_trained_models_answer(penstock, trained, data):
    found = json.loads(penstock("evaluate", trained, data, "--json").out)
    assert found["baseline"]["accuracy"] > 0.9
    assert penstock("stream", trained, stdin=b"great food\n").code == 0
    assert "probability_good" in penstock("predict", trained, data).out


def test_going_on_from_a_saved_model(penstock, data, trained, tmp_path):
    result = penstock("train", "classify", data, "--from", trained, "--out", tmp_path / "more", "--epochs", "2")
    assert result.code == 0
    metrics = json.loads((tmp_path / "more" / "metrics.json").read_text())
    assert metrics["configuration"]["hidden_size"] == 8
    assert metrics["configuration"]["epochs"] == 2
    old, new = ((path / "config.json").read_text() for path in (trained, tmp_path / "more"))
    assert json.loads(old)["features"] == json.loads(new)["features"]


def check(result, *words):
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("penstock: ")
    assert result.err.count("\n") == 1
    for word in words:
        assert word in result.err


@pytest.fixture
def untrained(monkeypatch):
    """Fails the test if training starts."""
    from penstock.tasks import TextClassifier

    def fit(*args, **kwargs):
        raise AssertionError("training started")

    monkeypatch.setattr(TextClassifier, "fit", fit)


@pytest.mark.usefixtures("untrained")
class TestBeforeTraining:
    """What must be known before any work is done."""

    def test_a_folder_that_is_there(self, penstock, data, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine.txt").write_text("mine")
        check(penstock("train", "classify", data, "--out", tmp_path / "out"), "exists already")
        check(penstock("train", "classify", data, "--out", tmp_path / "out", "--overwrite"), "not a model folder")
        assert (tmp_path / "out" / "mine.txt").read_text() == "mine"

    def test_a_path_that_cannot_be_written(self, penstock, data):
        check(penstock("train", "classify", data, "--out", data / "model"), "can't be written")

    def test_a_column_that_is_not_there(self, penstock, data, tmp_path):
        check(penstock("train", "classify", data, "--text", "body", "--out", tmp_path / "m"), "body", "text, label")

    def test_one_class_only(self, penstock, tmp_path):
        path = write_csv(tmp_path / "one.csv", [(text, "good") for text in GOOD * 5])
        check(penstock("train", "classify", path, "--out", tmp_path / "m"), "two classes", "good")

    @pytest.mark.parametrize("split", ["0.8", "0.8/0.3", "eighty/twenty", "0.7/0.1/0.1/0.1"])
    def test_invalid_shares(self, penstock, data, tmp_path, split):
        check(penstock("train", "classify", data, "--split", split, "--out", tmp_path / "m"), split)

    def test_shares_beside_files(self, penstock, data, tmp_path):
        check(
            penstock("train", "classify", data, "--split", "0.8/0.2", "--test", data, "--out", tmp_path / "m"),
            "--split",
        )

    @pytest.mark.parametrize(
        ("content", "word"),
        [(b"", "empty"), (b"a\xff\xfe\x00", "UTF-8"), (b"text,label\n", "no rows")],
        ids=["empty", "noise", "header"],
    )
    def test_files_that_cannot_be_used(self, penstock, tmp_path, content, word):
        path = tmp_path / "data.csv"
        path.write_bytes(content)
        check(penstock("train", "classify", path, "--out", tmp_path / "m"), "data.csv", word)
        assert [file.name for file in tmp_path.iterdir()] == ["data.csv"]

    def test_a_folder_that_another_training_writes_to(self, penstock, data, tmp_path):
        with held(tmp_path / "m", "in use"):
            check(
                penstock("train", "classify", data, "--out", tmp_path / "m"), "another training writes this model now"
            )
        assert list(tmp_path.iterdir()) == []

    def test_a_missing_model_to_continue_from(self, penstock, data, tmp_path):
        check(penstock("train", "classify", data, "--from", tmp_path / "none", "--out", tmp_path / "m"), "none")


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--cell", "elman"], "rnn"),
        (["--hidden-size", "0"], "hidden_size"),
        (["--hidden-size", "many"], "--hidden-size"),
        (["--epochs", "0"], "epochs"),
        (["--colour", "red"], "--colour"),
        (["--license", "my own"], "license must be an identifier of the Hub"),
        (["--datasets", "imdb,my reviews.csv"], "datasets must be names as on the Hub"),
        (["--class-weight", "heavy"], "--class-weight"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_invalid_options(penstock, data, tmp_path, flags, word):
    check(penstock("train", "classify", data, "--out", tmp_path / "m", *flags), word)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def interrupted(monkeypatch):
    """Lets the next training of texts be interrupted at an event, by its callback's name."""
    from penstock.tasks import TextClassifier

    fit = TextClassifier.fit

    class Interrupt:
        def on_start(self, epochs): ...
        def on_step(self, *args): ...
        def on_epoch(self, epoch): ...
        def on_end(self, history): ...

    def interrupt(*args):
        raise KeyboardInterrupt

    def at(event):
        told = Interrupt()
        setattr(told, event, interrupt)
        monkeypatch.setattr(
            TextClassifier,
            "fit",
            lambda self, *args, **options: fit(
                self, *args, **(options | {"callbacks": [*options.get("callbacks", ()), told]})
            ),
        )

    return at


def test_an_interrupted_training_keeps_its_best_weights(penstock, data, tmp_path, interrupted):
    interrupted("on_epoch")
    result = penstock("train", "classify", data, "--out", tmp_path / "model", *QUICK)
    assert result.code == 130
    assert "best weights so far" in result.err
    assert len(json.loads((tmp_path / "model" / "metrics.json").read_text())["curves"]) == 1


@pytest.mark.parametrize("more", [False, True], ids=["new", "from"])
def test_an_interrupt_before_the_first_epoch_ends_writes_nothing_and_is_reported(
    penstock, data, trained, tmp_path, interrupted, more
):
    interrupted("on_step")
    options = ("--from", trained) if more else QUICK
    result = penstock("train", "classify", data, "--out", tmp_path / "model", *options)
    assert result.code == 130
    assert f"{tmp_path / 'model'} was not written" in result.err
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
from penstock.cli import main
from penstock.training import Trainer, checkpoint

step, checkpoint._SHARE, checkpoint._SOON = Trainer._step, 1e9, 0

def ending(self, number, batch):
    if (number, self.batches.position) == (2, 2):
        os.kill(os.getpid(), signal.SIGKILL)
    step(self, number, batch)

Trainer._step = ending
sys.exit(main(sys.argv[1:]))
"""
"""A training that is killed in the middle of its second epoch, with a state after each step."""


@pytest.mark.slow
@pytest.mark.filterwarnings("default:.*can't be read as a checkpoint")
def test_a_training_that_was_killed_resumes_with_the_same_bits(penstock, data, tmp_path):
    words = ["train", "classify", data, *QUICK, "--no-baseline", "--checkpoint-seconds", "0", "--out"]
    out, state = tmp_path / "new" / "m", tmp_path / "new" / "m.checkpoint"
    assert penstock(*words, tmp_path / "whole").code == 0
    killed = subprocess.run([sys.executable, "-c", KILLED, *map(str, [*words, out])], capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert state.exists()
    assert not out.exists()
    check(penstock(*words, out), "m.checkpoint", "Pass --resume to continue it, or --overwrite")
    state.write_bytes(state.read_bytes()[:-1])
    resumed = penstock(*words, out, "--resume")
    assert resumed.code == 0
    assert "Training resumes from the one before it" in resumed.err
    assert "; 1 are done" in resumed.said
    assert [path.name for path in out.parent.iterdir()] == ["m"]
    bits = [(folder / "model.safetensors").read_bytes() for folder in (out, tmp_path / "whole")]
    assert bits[0] == bits[1]
    assert "there is no " in penstock(*words, tmp_path / "other", "--resume").said
