"""Bad input: one line on standard error, exit code 2, and nothing half-written."""

import gzip
import json
import shutil
import subprocess
import sys

import pytest

from penstock.cli import main
from penstock.locks import held


def check(result, *words):
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("penstock: ")
    assert result.err.count("\n") == 1
    for word in words:
        assert word in result.err
    return result


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", ["empty"]),
        ("header.csv", b"text,label\n", ["no rows"]),
        ("other.csv", b"stars,label\n5,good\n", ["no column text", "stars"]),
        ("latin.csv", "text,label\ngar\xe7on,good\n".encode("latin-1"), ["UTF-8", "0xe7", "line 2"]),
        ("noise.csv", bytes(range(256)) * 8, ["UTF-8"]),
        ("noise.parquet", bytes(range(256)) * 8, ["Parquet"]),
        ("noise.csv.gz", b"\x1f\x8b" + bytes(range(256)), ["can't be read"]),
        ("cut.csv.gz", gzip.compress(b"text,label\ngood,good\n" * 99)[:-20], ["can't be read"]),
        ("broken.jsonl", b'{"text": "good", "label": "good"}\n{"text": \n', ["line 2", "JSON"]),
        ("reviews.docx", b"text", ["must end in"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_files_that_cannot_be_read(penstock, saved, tmp_path, command, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    check(penstock(command, saved, path), name, *words)


def test_what_a_file_may_hold_when_decoded_can_be_set(penstock, saved, tmp_path):
    path = tmp_path / "blank.csv.gz"
    path.write_bytes(gzip.compress(b"text\n" + b"good food\n" * 1000))
    few = ["--max-decoded-gib", "0.000005"]
    check(penstock(*few, "predict", saved, path), "more than 5,368 bytes", "penstock --max-decoded-gib")
    assert penstock("predict", saved, path).code == 0
    check(penstock("--max-decoded-gib", "much", "predict", saved, path), "must be a number of GiB", "'much'")


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_a_file_that_is_not_there(penstock, saved, tmp_path, command):
    check(penstock(command, saved, tmp_path / "none.csv"), "none.csv")


def test_labels_that_the_model_does_not_know(penstock, saved, tmp_path):
    path = tmp_path / "stars.csv"
    path.write_text("text,label\ngood food,five\n")
    check(penstock("evaluate", saved, path), "'five'", "'bad', 'good'")


@pytest.mark.parametrize("command", ["predict", "stream"])
def test_standard_input_that_is_not_text(penstock, saved, command):
    words = [command, saved, *(["-"] if command == "predict" else [])]
    result = penstock(*words, stdin=b"good food\ngar\xe7on\n")
    assert result.code == 2
    assert "line 2 has the byte 0xe7 at position 4" in result.err


@pytest.mark.parametrize("command", ["info", "evaluate", "predict", "stream"])
def test_a_model_that_is_not_there(penstock, table, tmp_path, command):
    check(
        penstock(command, tmp_path / "none", *([table] if command in ("evaluate", "predict") else [])), "no such folder"
    )


def tampered(saved, to, name, change):
    folder = shutil.copytree(saved, to / "model")
    path = folder / name
    path.write_bytes(change(path.read_bytes()))
    return folder


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("model.safetensors", lambda data: data[:-7]),
        ("model.safetensors", lambda data: data[:-1] + bytes([data[-1] ^ 1])),
        ("metrics.json", lambda data: data.replace(b"0.75", b"0.99")),
        ("config.json", lambda data: data[: len(data) // 2]),
    ],
    ids=["truncated", "one bit", "metrics", "description"],
)
def test_a_model_that_was_changed(penstock, saved, tmp_path, name, change):
    check(penstock("info", tampered(saved, tmp_path, name, change)), name)


def test_a_model_of_a_newer_format(penstock, saved, tmp_path):
    def newer(data):
        return json.dumps(json.loads(data) | {"format": 2}).encode()

    check(penstock("info", tampered(saved, tmp_path, "config.json", newer)), "format 2", "upgrade")


@pytest.mark.parametrize("ending", ["xlsx", ""])
def test_answers_with_an_ending_that_is_not_known(penstock, saved, table, tmp_path, ending):
    check(penstock("predict", saved, table, "-o", tmp_path / f"answers.{ending}"), ".jsonl")


def test_answers_that_cannot_be_written(penstock, saved, table, tmp_path):
    check(penstock("predict", saved, table, "-o", table / "answers.csv"), "can't be written")
    (tmp_path / "folder.csv").mkdir()
    check(penstock("predict", saved, table, "-o", tmp_path / "folder.csv"), "is a folder")


def test_answers_are_written_whole_or_not_at_all(penstock, saved, tmp_path):
    answers = tmp_path / "answers.csv"
    answers.write_text("old")
    result = penstock("predict", saved, "-", "-o", answers, stdin=b"good food\n\xff\n")
    assert result.code == 2
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("answers.csv", "old")]


@pytest.mark.parametrize("words", [["nonsense"], ["info"], ["info", "a", "b"], ["info", "--colour"]], ids=" ".join)
def test_commands_that_are_not_there(penstock, words):
    check(penstock(*words), "--help")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tran"], "there is no command tran. Did you mean train? See penstock --help"),
        (["clasify"], "there is no command clasify. Did you mean train classify?"),
        (
            ["train", "clasify", "x.csv"],
            "there is no command clasify. Did you mean classify? See penstock train --help",
        ),
        (["train", "parse", "x.csv"], "there is no command parse. See penstock train --help"),
        (["--verson"], "there is no option --verson. Did you mean --version?"),
        (["info", "--jsn", "x"], "there is no option --jsn. Did you mean --json?"),
        (
            ["bench", "--grid", "quik"],
            "--grid must be one of quick, core, ragged, full; got 'quik'. Did you mean quick?",
        ),
        (["bench", "--cells", "lstm,gur"], "--cells must be among rnn, lstm, gru; got 'gur'. Did you mean gru?"),
        (["bench", "--threads", "0"], "--threads must be a whole number, at least 1; got '0'."),
        (["info"], "DIR is missing: a trained model's folder."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_misspelled_is_offered_as_it_should_be(penstock, words, message):
    check(penstock(*words), message)


@pytest.mark.parametrize("debug", [False, True])
def test_what_is_not_an_input_error_fails_with_1(penstock, monkeypatch, saved, debug):
    def fail(path):
        raise RuntimeError("out of\nluck")

    monkeypatch.setattr("penstock.runtime.load", fail)
    result = penstock("info", saved, *(["--debug"] if debug else []))
    assert (result.code, result.out) == (1, "")
    assert ("Traceback" in result.err) == debug
    assert result.err.splitlines()[-1].startswith("penstock: RuntimeError: out of luck")


def test_interrupted_is_130(monkeypatch, capsys):
    from penstock.cli import application

    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(application, "command", interrupt)
    assert main(["info", "x"]) == 130
    assert capsys.readouterr().err == "penstock: interrupted\n"


def test_a_reader_that_has_gone_ends_the_command_quietly(saved):
    command = [sys.executable, "-m", "penstock", "stream", str(saved)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        run.stdout.close()
        run.stdin.write(b"good food\n" * 10)
        run.stdin.close()
        assert run.wait(timeout=30) == 1
        assert run.stderr.read() == b""


def test_answers_into_a_file_that_another_command_writes(penstock, saved, table, tmp_path):
    with held(tmp_path / "answers.csv", "in use"):
        check(penstock("predict", saved, table, "-o", tmp_path / "answers.csv"), "another command writes this file now")
    assert penstock("predict", saved, table, "-o", tmp_path / "answers.csv").code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"reviews.csv", "answers.csv"}


def test_answers_that_the_disk_refuses(penstock, saved, tmp_path):
    (tmp_path / "new.txt").write_text("good\n")
    (tmp_path / ".answers.csv.new").mkdir()  # stands where the file would be written
    (tmp_path / ".answers.csv.new" / "full").write_text("")
    check(penstock("predict", saved, tmp_path / "new.txt", "-o", tmp_path / "answers.csv"), "can't be written")
    assert not (tmp_path / "answers.csv").exists()


@pytest.mark.parametrize("words", [(), ("train",)], ids=["penstock", "penstock train"])
def test_without_words_the_help_is_shown_line_by_line(penstock, words):
    result = penstock(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Usage: penstock")
    assert result.err.count("\n") > 8
