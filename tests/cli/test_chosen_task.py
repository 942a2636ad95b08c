"""`penstock train` finds the task by the data and the flags, in whatever order they come."""

import json

import pytest

from penstock.cli.task_group import chosen_task
from penstock.cli.train_task import task_command

TEXT, SERIES, AUDIO = "text-classification", "series-classification", "audio-classification"
QUICK = ("--epochs", "1", "--hidden-size", "4", "--embedding-size", "4", "--no-baseline")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder: a table, and things that have the names of values."""
    rows = "".join(f"{text},{label}\n" for text, label in [("great food", "good"), ("rude staff", "bad")] * 12)
    for name in ("reviews.csv", "-reviews.csv", "8"):
        (tmp_path / name).write_text("text,label\n" + rows)
    for name in ("m", "label", "text", "sounds", "-sounds"):
        (tmp_path / name).mkdir()
    (tmp_path / "ucr.tsv").write_text("1\t0.5\t0.25\t1.5\n2\t0.5\t0.25\t1.5\n")
    (tmp_path / "words.tsv").write_text("text\tlabel\ngreat food\tgood\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("data", "flags", "task"),
    [
        ("reviews.csv", ["--out m", "--overwrite", "--embedding-size 8"], TEXT),
        ("reviews.csv", ["--label label", "--text text", "--out=m"], TEXT),
        ("reviews.csv", ["--no-bidirectional", "--valid sounds", "--test=sounds"], TEXT),
        ("reviews.csv", ["--series v*", "--id 8"], SERIES),
        ("reviews.csv", ["--series=v*", "--label sounds"], SERIES),
        ("reviews.csv", ["--audio path", "--label label"], AUDIO),
        ("sounds", ["--out m", "--mel-bins 8", "--overwrite"], AUDIO),
        ("label", ["--label label", "--out reviews.csv"], AUDIO),
        ("ucr.tsv", ["--out m", "--stride 8"], SERIES),
        ("words.tsv", ["--out m", "--label label"], TEXT),
        ("gestures.ts", ["--out sounds"], SERIES),
        ("recordings.zip", ["--out m", "--help"], AUDIO),
        ("not-there.tsv", ["--help"], TEXT),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
@pytest.mark.usefixtures("folder")
def test_the_order_of_flags_changes_nothing(data, flags, task):
    for place in range(len(flags) + 1):
        words = " ".join([*flags[:place], data, *flags[place:]])
        assert chosen_task("classify", words.split(), task_command).name == task, words


@pytest.mark.parametrize(
    ("words", "task"),
    [
        ("", TEXT),
        ("--help", TEXT),
        ("--out m -- -reviews.csv", TEXT),
        ("--out m -- -sounds", AUDIO),
        ("--out m -- --series", TEXT),
        ("--label -- --out m sounds", AUDIO),
        ("reviews.csv sounds --out m", TEXT),
        ("--out", TEXT),
        ("sounds --out", TEXT),
        ("--hidden-size many sounds", AUDIO),
        ("--mel-bins 8 not-there", AUDIO),
        ("--stride 8 not-there", SERIES),
    ],
)
@pytest.mark.usefixtures("folder")
def test_unknown_flags_and_wrong_values(words, task):
    assert chosen_task("classify", words.split(), task_command).name == task


@pytest.mark.usefixtures("folder")
def test_only_the_task_that_reads_the_words_is_made():
    """The others say by the data alone whether it is theirs."""
    made = []

    def noted(task):
        made.append(task)
        return task_command(task)

    assert chosen_task("classify", ["sounds", "--epochs", "2"], noted).name == AUDIO
    assert [task.name for task in made] == [TEXT]
    assert chosen_task("forecast", ["sales.csv", "--epochs", "2"], noted).name == "forecasting"
    assert len(made) == 1


@pytest.mark.usefixtures("folder")
def test_numbers_of_series_have_a_command_of_their_own():
    words = ["--out", "m", "engines.csv", "--series", "x"]
    assert chosen_task("regress", words, task_command).name == "series-regression"
    assert chosen_task("forecast", ["--out", "sounds", "sales.csv"], task_command).name == "forecasting"


@pytest.mark.parametrize(
    "words", ["--from {} --out m reviews.csv", "reviews.csv --from={}", "--epochs 8 --from {} sounds"]
)
@pytest.mark.usefixtures("folder")
def test_a_saved_model_says_which_task(saved, words):
    assert chosen_task("classify", words.format(saved).split(), task_command).name == TEXT


@pytest.mark.parametrize("command", ["regress", "forecast"])
def test_a_saved_model_is_not_trained_on_by_another_command(penstock, saved, folder, command):
    result = penstock("train", command, "reviews.csv", "--from", saved, "--out", "new")
    assert (result.code, result.out) == (2, "")
    assert "train it on with: penstock train classify" in result.err
    assert not (folder / "new").exists()


@pytest.mark.slow
def test_training_with_the_data_last_overwrites_as_with_the_data_first(penstock, folder):
    first = penstock("train", "classify", "reviews.csv", "--out", "model", *QUICK)
    assert (first.code, first.err) == (0, "")
    weights = (folder / "model" / "model.safetensors").read_bytes()
    last = penstock("train", "classify", "--label", "label", *QUICK, "--out", "model", "--overwrite", "reviews.csv")
    assert (last.code, last.err) == (0, "")
    dashed = penstock("train", "classify", *QUICK, "--out=other", "--", "-reviews.csv")
    assert (dashed.code, dashed.err) == (0, "")
    assert (folder / "model" / "model.safetensors").read_bytes() == weights
    assert (folder / "other" / "model.safetensors").read_bytes() == weights
    evaluated = penstock("evaluate", "--json", "--label", "label", "--", "model", "-reviews.csv")
    assert set(json.loads(evaluated.out)) >= {"metrics", "baseline"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "new", "reviews.csv", "sounds"], "penstock train classify takes DATA; got also sounds."),
        (["--out", "new", "-reviews.csv"], "there is no option -r. A path that begins with - stands after --."),
        (["--out", "new", "--colour", "red", "reviews.csv"], "there is no option --colour."),
        (["--out", "new", "--embeding-size", "8", "reviews.csv"], "Did you mean --embedding-size?"),
        (["--out", "new", "--mel-bin", "8", "sounds"], "Did you mean --mel-bins?"),
        (["reviews.csv", "--out"], "--out needs a value."),
        (["reviews.csv", "--json=5"], "--json takes no value."),
        (["--out", "new"], "DATA is missing: the data to train on"),
        (["reviews.csv"], "--out is missing: the folder to write"),
        (["reviews.csv", "--out", "new", "--cell", "lsmt"], "got 'lsmt'. Did you mean lstm?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_words_are_named_by_the_commands_own_error(penstock, folder, words, message):
    result = penstock("train", "classify", *words)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert message in result.err
    assert result.err.endswith(" See penstock train classify --help\n")
    assert not (folder / "new").exists()


def test_help_is_that_of_the_data_that_is_meant_though_it_is_not_there(penstock):
    for words, flag in (("gestures.csv --series x", "--stride"), ("--out b sounds.zip", "--mel-bins")):
        result = penstock("train", "classify", *words.split(), "--help-all")
        assert result.code == 0
        assert flag in result.out


def test_debug_after_two_dashes_is_a_path(penstock, saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = penstock("evaluate", saved, "--", "--debug")
    assert result.code == 2
    assert result.err.startswith("penstock: --debug: must end in")
    assert "Traceback" not in result.err
