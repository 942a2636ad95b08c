"""evaluate, predict, stream and info on a saved model: what they print, and where answers go."""

import csv
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

from penstock.cli import blocks
from penstock.distributed import prediction
from penstock.distributed.predictor import Predictor
from penstock.errors import DataError
from penstock.runtime import load

PROBABILITIES = ["probability_bad", "probability_good"]


@pytest.fixture
def texts():
    return ["good food", "rude staff", "很好"]


@pytest.fixture
def texts_file(tmp_path, texts):
    path = tmp_path / "texts.csv"
    path.write_text("id,text\n" + "".join(f"{i},{t}\n" for i, t in enumerate(texts)), encoding="utf-8")
    return path


def expected(saved, texts):
    model = load(saved)
    return [
        {"prediction": label, **dict(zip(PROBABILITIES, row.tolist(), strict=True))}
        for label, row in zip(model.predict(texts), model.predict_proba(texts), strict=True)
    ]


def test_evaluate_prints_one_json_object(penstock, saved, table):
    result = penstock("evaluate", saved, table, "--json")
    assert (result.code, result.err) == (0, "")
    found = json.loads(result.out)
    assert set(found) >= {"metrics", "interval", "baseline", "verdict", "units"}
    low, high = found["interval"]["accuracy"]
    assert low <= found["metrics"]["accuracy"] <= high
    assert found["verdict"]["accuracy"] == "no clear difference"  # of six rows, half of which are hit
    assert sorted(found["metrics"]) == sorted(found["baseline"]) == ["accuracy", "f1_macro", "log_loss"]
    assert found["baseline"]["accuracy"] == 0.5


def test_evaluate_prints_a_table_for_people(penstock, saved, table):
    found = json.loads(penstock("evaluate", saved, table, "--json").out)
    result = penstock("evaluate", saved, table)
    assert result.code == 0
    assert f"{found['metrics']['accuracy']:.4f}" in result.out
    assert f"[{found['interval']['accuracy'][0]:.3f}, {found['interval']['accuracy'][1]:.3f}]" in result.out
    assert "Beside “Commonest class” – no clear difference: accuracy" in result.out
    assert "only 6. These scores are uncertain" in result.out


def test_evaluate_says_what_was_left_out(penstock, saved, tmp_path):
    path = tmp_path / "gaps.csv"
    path.write_text("text,label\ngood food,good\n,bad\nrude staff,\n", encoding="utf-8")
    assert "left out: 1 rows with no text, 1 rows with no label" in penstock("evaluate", saved, path).out


def test_evaluate_reads_other_columns(penstock, saved, tmp_path):
    path = tmp_path / "other.tsv"
    path.write_text("review\tstars\ngood food\tgood\nrude staff\tbad\n", encoding="utf-8")
    assert penstock("evaluate", saved, path, "--text", "review", "--label", "stars", "--json").code == 0


def test_predict_prints_json_lines(penstock, saved, texts, texts_file):
    result = penstock("predict", saved, texts_file)
    assert (result.code, result.err) == (0, "")
    assert [json.loads(line) for line in result.out.splitlines()] == expected(saved, texts)


def test_predict_reads_lines_from_standard_input(penstock, saved, texts):
    result = penstock("predict", saved, "-", stdin="\n".join(texts).encode())
    assert [json.loads(line) for line in result.out.splitlines()] == expected(saved, texts)


def test_predict_reads_a_text_file(penstock, saved, texts, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(texts).encode())
    assert [json.loads(line) for line in penstock("predict", saved, path).out.splitlines()] == expected(saved, texts)


def test_predict_keeps_a_row_for_each_row(penstock, saved, tmp_path):
    path = tmp_path / "gaps.jsonl"
    path.write_text('{"text": "good food"}\n{"text": null}\n{"text": "很好"}\n', encoding="utf-8")
    answers = [json.loads(line) for line in penstock("predict", saved, path).out.splitlines()]
    assert answers == expected(saved, ["good food", "", "很好"])


@pytest.mark.parametrize(("ending", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_predict_writes_separated_values(penstock, saved, texts, texts_file, tmp_path, ending, delimiter):
    path = tmp_path / "new" / f"answers.{ending}"
    result = penstock("predict", saved, texts_file, "-o", path)
    assert result == (0, "", "")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=delimiter))
    assert list(rows[0]) == ["prediction", *PROBABILITIES]
    assert [{k: v if k == "prediction" else float(v) for k, v in row.items()} for row in rows] == expected(saved, texts)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ["jsonl", "ndjson"])
def test_predict_writes_json_lines(penstock, saved, texts, texts_file, tmp_path, ending):
    path = tmp_path / f"answers.{ending}"
    assert penstock("predict", saved, texts_file, "--output", path).code == 0
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == expected(saved, texts)


def test_predict_writes_parquet(penstock, saved, texts, texts_file, tmp_path):
    from pyarrow import parquet

    path = tmp_path / "answers.parquet"
    assert penstock("predict", saved, texts_file, "-o", path).code == 0
    assert parquet.read_table(path).to_pylist() == expected(saved, texts)


def test_info_prints_one_json_object(penstock, saved):
    result = penstock("info", saved, "--json")
    found = json.loads(result.out)
    assert result.code == 0
    assert found["labels"] == ["bad", "good"]
    assert found["network"]["encoder"]["cell"] == "gru"


def test_info_for_people(penstock, saved):
    out = penstock("info", saved).out
    for words in ("bad, good", "cell gru", "accuracy 0.7500", "parameters"):
        assert words in out


def test_stream_answers_each_line_and_starts_again_after_an_empty_one(penstock, saved):
    lines = "good food\nrude staff\n\n很好\r\n"
    result = penstock("stream", saved, stdin=lines.encode())
    assert (result.code, result.err) == (0, "")
    answers = [json.loads(line) for line in result.out.splitlines()]
    whole = load(saved).predict_proba(["good food", "good food\nrude staff", "很好"])
    assert [list(answer["probabilities"].values()) for answer in answers] == whole.tolist()
    assert [answer["prediction"] for answer in answers] == [["bad", "good"][row.argmax()] for row in whole]


def test_stream_answers_before_the_next_line_comes(saved):
    command = [sys.executable, "-m", "penstock", "stream", str(saved)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8") as run:
        for piece in ("good food", "rude staff"):
            run.stdin.write(piece + "\n")
            run.stdin.flush()
            assert set(json.loads(run.stdout.readline())) == {"prediction", "probabilities"}
        run.stdin.close()
        assert run.wait(timeout=30) == 0


def test_answering_never_imports_pytorch(saved, table, tmp_path):
    # A module that can't be imported stands where PyTorch would be found first.
    (tmp_path / "torch.py").write_text("raise ImportError('PyTorch was imported')")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    code = """
import io, sys
from penstock.cli import main
saved, table, out = sys.argv[1:]
sys.stdin = io.TextIOWrapper(io.BytesIO(b"good food"))
commands = ["--version"], ["--help"], ["info", saved], ["evaluate", saved, table, "--json"]
for words in (*commands, ["predict", saved, table, "-o", out], ["stream", saved]):
    assert main(words) == 0, words
assert "torch" not in sys.modules
"""
    subprocess.run(
        [sys.executable, "-c", code, str(saved), str(table), str(tmp_path / "answers.csv")],
        env={**os.environ, "PYTHONPATH": path},
        check=True,
    )


def test_answers_are_those_of_the_library(saved, texts):
    assert np.isclose(sum(expected(saved, texts)[0][name] for name in PROBABILITIES), 1)


@contextmanager
def in_this_process(content, workers):
    """Predicts here in place of `predictors_here`."""
    with ThreadPoolExecutor(1) as threads:
        yield partial(threads.submit, Predictor(content, 1))


def test_predict_of_a_folder_goes_from_file_to_file(penstock, saved, texts_file, texts, tmp_path, monkeypatch):
    folder = tmp_path / "several"
    (folder / "more").mkdir(parents=True)
    for name in ("a.csv", "more/b.csv"):
        (folder / name).write_bytes(texts_file.read_bytes())
    result = penstock("predict", saved, folder)
    assert (result.code, result.err) == (0, "")
    answers = expected(saved, texts)
    assert list(map(json.loads, result.out.splitlines())) == [
        {"file": name, **answer} for name in ("a.csv", "more/b.csv") for answer in answers
    ]
    assert penstock("evaluate", saved, folder).code == 2  # texts alone, without labels
    monkeypatch.setattr(prediction, "predictors_here", in_this_process)
    assert penstock("predict", saved, folder, "--workers", "2") == result


def test_workers_share_the_rows_of_one_file(penstock, saved, texts, texts_file, tmp_path, monkeypatch):
    monkeypatch.setattr(prediction, "predictors_here", in_this_process)
    monkeypatch.setattr(blocks, "_INPUTS", 2)
    alone = penstock("predict", saved, texts_file)
    assert penstock("predict", saved, texts_file, "--workers", "3") == alone
    refused = penstock("predict", saved, texts_file, "--workers", "0")
    assert (refused.code, "--workers" in refused.err) == (2, True)
    closed = penstock("predict", saved, texts_file, "--on", "nowhere", "-o", tmp_path / "answers.csv")
    assert (closed.code, list(tmp_path.glob("answers*"))) == (2, [])


class Numbered:
    """A model with two rows for each number, which it counts; it refuses numbers above 9."""

    def answers(self, inputs):
        for row, number in enumerate(inputs, start=1):
            if number > 9:
                raise DataError(f"input {row} must be at most 9; got {number}")
            yield from ({"row": row, "prediction": number} for _ in range(2))


def test_rows_and_errors_of_parts_count_from_the_whole(monkeypatch):
    monkeypatch.setattr(prediction, "predictors_here", in_this_process)
    monkeypatch.setattr(blocks, "_INPUTS", 2)

    def rows(inputs):
        return blocks.predicted_by_workers(Numbered(), [blocks.Block(inputs)], {}, 2, None)

    assert list(rows([1, 2, 3, 4, 5])) == list(Numbered().answers([1, 2, 3, 4, 5]))
    written = []
    with pytest.raises(DataError, match="input 4 must be at most 9; got 12"):
        written.extend(rows([1, 2, 3, 12, 5]))
    assert written == list(Numbered().answers([1, 2]))  # once, though the error was looked for in the whole
