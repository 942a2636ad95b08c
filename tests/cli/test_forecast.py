"""Forecasts by the commands: train, evaluate, predict, stream, info; and files that can't be used."""

import csv
import json

import numpy as np
import pytest

QUICK = ("--horizon", "3", "--context", "12", "--hidden-size", "8", "--epochs", "2", "--batch-size", "16")


def write(path, rows=120, columns=("month", "sold", "rain"), values=None):
    months = np.arange("2010-01", "2040-01", dtype="datetime64[M]")[:rows]
    sold = 20 + 5 * np.sin(2 * np.pi * np.arange(rows) / 12) if values is None else values
    with path.open("w") as to:
        table = csv.writer(to)
        table.writerow(columns)
        table.writerows(zip(months, sold, np.arange(rows) % 7, strict=True))
    return path


@pytest.fixture
def sales(tmp_path):
    return write(tmp_path / "sales.csv")


def test_from_a_file_to_a_stream(penstock, sales, tmp_path):
    out = tmp_path / "model"
    named = ("--time", "month", "--target", "sold")
    trained = penstock("train", "forecast", sales, *named, *QUICK, "--split", "90/15/15", "--out", out, "--json")
    assert trained.code == 0, trained.err
    figures = json.loads(trained.out)
    assert figures["test"]["rows"] == 13
    assert set(figures["baseline"]) == {"rows", "mse", "mae", "smape", "mase"}
    found = json.loads(penstock("evaluate", out, sales, "--json").out)
    assert set(found["metrics"]) == {"mse", "mae", "smape", "mase", "coverage_80"}
    answers = [json.loads(line) for line in penstock("predict", out, sales).out.splitlines()]
    assert [(row["unique_id"], row["ds"], row["step"]) for row in answers] == [
        ("series", "2020-01-01", 1),
        ("series", "2020-02-01", 2),
        ("series", "2020-03-01", 3),
    ]
    lines = "".join(line.split(",")[1] + "\n" for line in sales.read_text().splitlines()[1:]).encode()
    streamed = [json.loads(line) for line in penstock("stream", out, stdin=lines).out.splitlines()]
    assert streamed[10] == {"prediction": None}
    assert streamed[-1]["prediction"] == [row["prediction"] for row in answers]
    assert streamed[-1]["quantiles"]["0.9"] == [row["quantile_0.9"] for row in answers]
    info = json.loads(penstock("info", out, "--json").out)
    assert (info["task"], info["forecast"]["horizon"], info["forecast"]["frequency"]) == ("forecasting", 3, "1 month")
    assert "Error by step ahead" in (out / "report.html").read_text(encoding="utf-8")


def test_names_of_columns_may_hold_commas_and_marks_of_html(penstock, tmp_path):
    table = write(tmp_path / "sales.csv", columns=("month", "load, <kW>", "雨, mm"))
    flags = ("--time", "month", "--target", '"load, <kW>"', "--past", ' "雨, mm"')
    assert penstock("train", "forecast", table, *flags, *QUICK, "--out", tmp_path / "model").code == 0
    assert penstock("evaluate", tmp_path / "model", table).code == 0
    report = (tmp_path / "model" / "report.html").read_text(encoding="utf-8")
    assert "load, &lt;kW&gt;" in report
    assert "<kW>" not in report


def test_parts_in_files_of_their_own_continue_after_each_other(penstock, sales, tmp_path):
    lines = sales.read_text().splitlines(keepends=True)
    parts = {"train": lines[1:91], "valid": lines[91:106], "test": lines[106:]}
    for name, rows in parts.items():
        (tmp_path / f"{name}.csv").write_text("".join([lines[0], *rows]))
    files = ("--valid", tmp_path / "valid.csv", "--test", tmp_path / "test.csv")
    named = ("--time", "month", "--target", "sold", *QUICK, "--json")
    apart = penstock("train", "forecast", tmp_path / "train.csv", *files, *named, "--out", tmp_path / "a")
    whole = penstock("train", "forecast", sales, "--split", "90/15/15", *named, "--out", tmp_path / "b")
    assert json.loads(apart.out)["test"] == json.loads(whole.out)["test"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--target", "price"), "has no column price; it has month, sold, rain"),
        (("--target", "month"), "the column month must hold numbers"),
        (("--target", "sold", "--context", "300"), "context + horizon = 300 + 3"),
        (("--target", "sold", "--past", "sold"), "sold is named twice"),
        (("--target", "sold", "--split", "0.5/0.2"), "must have the sum 1"),
        (("--target", "sold", "--split", "100/100/100"), "--split asks for 300 steps"),
        (("--target", "sold", "--time", "rain"), "stands twice"),
    ],
)
def test_what_cannot_be_used_is_one_line(penstock, sales, tmp_path, flags, message):
    done = penstock("train", "forecast", sales, "--time", "month", *QUICK, *flags, "--out", tmp_path / "model")
    assert done.code == 2
    assert message in done.err
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "model").exists()


def test_evaluating_too_little_is_refused(penstock, sales, tmp_path):
    named = ("--time", "month", "--target", "sold")
    penstock("train", "forecast", sales, *named, *QUICK, "--out", tmp_path / "model")
    short = write(tmp_path / "short.csv", rows=13)
    done = penstock("evaluate", tmp_path / "model", short)
    assert done.code == 2
    assert "at least context + horizon = 12 + 3 steps" in done.err
    assert penstock("stream", tmp_path / "model", stdin=b"1.0\nnothing\n").code == 2


def test_what_is_not_defined_is_null_for_programs(penstock, tmp_path):
    """MASE divides by the error of the season before, which a constant series has none of."""
    path = tmp_path / "constant.csv"
    path.write_text("y\n" + "3\n" * 120)
    words = ("--horizon", 2, "--context", 8, "--epochs", 1, "--hidden-size", 4, "--json", "--out", tmp_path / "model")
    trained = penstock("train", "forecast", path, *words)
    assert trained.code == 0, trained.err
    assert "NaN" not in trained.out
    assert json.loads(trained.out)["test"]["mase"] is None
    assert json.loads(penstock("evaluate", tmp_path / "model", path, "--json").out)["metrics"]["mase"] is None
