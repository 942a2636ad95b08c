"""Translations by the commands: two files or a table in, lines or rows out; and files that can't be used."""

import csv
import json

import numpy as np
import pytest

from penstock.translate.synthetic_dates import date_pairs

QUICK = ("--level", "char", "--hidden-size", "12", "--embedding-size", "8", "--epochs", "1", "--batch-size", "16")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of dates: 90 lines in words, and as many in ISO's form."""
    folder = tmp_path_factory.mktemp("dates")
    for name, texts in zip(("words", "iso"), date_pairs(90, np.random.default_rng(0)), strict=True):
        (folder / name).write_text("\n".join(texts) + "\n", encoding="utf-8")
    return folder / "words", folder / "iso"


@pytest.fixture(scope="module")
def trained(files, tmp_path_factory):
    """A translator of dates, and what its training printed."""
    from penstock.cli import main

    out = tmp_path_factory.mktemp("models") / "dates"
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("builtins.print", lambda *words, **_: lines.append(" ".join(map(str, words))))
        code = main(["train", "translate", *map(str, files), *QUICK, "--out", str(out), "--json"])
    assert code == 0
    return out, json.loads(lines[-1])


def test_two_files_are_trained_on(trained, files):
    out, figures = trained
    assert set(figures["test"]) == {"rows", "bleu", "chrf", "exact_match"}
    assert figures["test"]["rows"] == 9
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert set(metrics["baseline"]) == {"ibm1", "copy", "most_frequent"}
    source = metrics["data"]["sources"]["train"]
    assert (source["file"], source["beside"][0]["file"]) == ("words", "iso")
    assert metrics["command"].startswith("penstock train translate words iso --level char")
    report = (out / "report.html").read_text(encoding="utf-8")
    assert metrics["signatures"]["bleu"] in report
    assert 'target-file = "' in (out / "train.toml").read_text(encoding="utf-8")


def test_evaluate_measures_the_second_file(penstock, trained, files, tmp_path):
    few = [tmp_path / name for name in ("words", "iso")]
    for whole, part in zip(files, few, strict=True):
        part.write_text("".join(whole.read_text(encoding="utf-8").splitlines(keepends=True)[:8]), encoding="utf-8")
    found = json.loads(penstock("evaluate", trained[0], *few, "--json").out)
    assert set(found["metrics"]) == set(found["verdict"]) == {"bleu", "chrf", "exact_match"}
    assert set(found["baseline_intervals"]) == {"ibm1", "copy", "most_frequent"}
    assert found["units"] == 8
    alone = penstock("evaluate", trained[0], few[0])
    assert (alone.code, "TARGET_FILE" in alone.err) == (2, True)


def test_lines_in_and_lines_out(penstock, trained, files, tmp_path):
    out, lines = trained[0], files[0].read_text(encoding="utf-8").splitlines()[:4]
    some = tmp_path / "some.txt"
    some.write_text("\n".join([*lines[:2], "", *lines[2:]]), encoding="utf-8")
    written = penstock("predict", out, some)
    assert written.code == 0, written.err
    translations = written.out.splitlines()
    assert len(translations) == 5
    answers = [json.loads(line) for line in penstock("predict", out, some, "--json").out.splitlines()]
    assert [answer["prediction"] for answer in answers] == translations
    assert all(answer["score"] <= 0 for answer in answers)
    piped = penstock("predict", out, "-", stdin=some.read_bytes())
    assert piped.out == written.out
    assert penstock("predict", out, some, "-o", tmp_path / "found.txt").code == 0
    assert (tmp_path / "found.txt").read_text(encoding="utf-8") == written.out


def test_tables_in_and_tables_out(penstock, trained, files, tmp_path):
    out, sources = trained[0], files[0].read_text(encoding="utf-8").splitlines()[:3]
    table, found = tmp_path / "dates.csv", tmp_path / "found.csv"
    table.write_text("id,source\n" + "".join(f'{row},"{text}"\n' for row, text in enumerate(sources)), encoding="utf-8")
    assert penstock("predict", out, table, "-o", found).code == 0
    with found.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lines = [json.loads(line) for line in penstock("predict", out, table).out.splitlines()]
    assert [row["prediction"] for row in rows] == [line["prediction"] for line in lines]
    assert len(rows) == 3
    greedy = penstock("predict", out, table, "--beam", "1")
    assert greedy.code == 0


def test_several_translations_of_each(penstock, trained):
    found = penstock("predict", trained[0], "-", "--beam", "3", "--n-best", "2", stdin=b"1 May 1999\n2 May 1999\n")
    rows = [line.split("\t") for line in found.out.splitlines()]
    assert [row[0] for row in rows[:4]] == ["1", "1", "2", "2"]
    assert float(rows[0][1]) >= float(rows[1][1])
    assert len(rows) == 4


def test_numbers_of_lines_go_on_over_pieces(penstock, trained, monkeypatch):
    monkeypatch.setattr("penstock.cli.blocks._INPUTS", 2)
    flags = ("--beam", "2", "--n-best", "2", "--json")
    found = penstock("predict", trained[0], "-", *flags, stdin=b"1 May 1999\n2 May 1999\n3 May 1999\n")
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert [(each["row"], each["rank"]) for each in rows] == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]


def test_info_shows_tokens_and_search(penstock, trained):
    info = json.loads(penstock("info", trained[0], "--json").out)
    assert info["task"] == "translation"
    assert info["tokens"]["level"] == "char"
    shown = penstock("info", trained[0]).out
    assert "level char" in shown
    assert "decoder (cell gru" in " ".join(shown.split())
    assert "decoder (cell gru" in (trained[0] / "README.md").read_text(encoding="utf-8")


def test_the_saved_options_repeat_the_training(penstock, trained):
    out = trained[0]
    again = penstock("train", "--config", out / "train.toml", "--json")
    assert again.code == 0, again.err
    weights = [(folder / "model.safetensors").read_bytes() for folder in (out, out.with_name("dates-again"))]
    assert weights[0] == weights[1]


def test_what_is_wrong_is_said_before_training(penstock, files, tmp_path):
    short = tmp_path / "short"
    short.write_text("1999-01-01\n", encoding="utf-8")

    def refused(*words):
        result = penstock("train", "translate", *words, *QUICK, "--out", tmp_path / "model")
        assert result.code == 2
        assert not (tmp_path / "model").exists()
        return result.err

    assert "has 90 lines and" in refused(files[0], short)
    assert "are the same file" in refused(files[0], files[0])
    assert "TARGET_FILE" in refused(files[0])
    assert "--valid is not" in refused(*files, "--valid-target-file", short)
    assert "TARGET_FILE" in refused(*files, "--valid", short)


def test_options_of_translators_are_refused_by_others(penstock, saved, table, files):
    assert (
        "a model for text-classification has no option --beam" in penstock("predict", saved, table, "--beam", "2").err
    )
    adapted = penstock("evaluate", saved, table, "--adapt", "cache")
    assert (adapted.code, "a model for text-classification has no option --adapt" in adapted.err) == (2, True)
    assert "reads one file of data; got also" in penstock("evaluate", saved, table, files[1]).err
    assert "must end in one of" in penstock("predict", saved, table, "-o", "found.txt").err
