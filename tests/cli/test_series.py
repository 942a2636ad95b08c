"""Signals on the command line: long tables, archives' files, windows, lines and streams."""

import json

import numpy as np
import pytest

QUICK = ("--epochs", "3", "--hidden-size", "6", "--no-baseline")


@pytest.fixture
def table(tmp_path):
    draw = np.random.default_rng(0)
    lines = ["case,t,x,y,label,level"]
    for case in range(30):
        slope = 1 if case % 2 else -1
        for step in range(6 + case % 3):
            x, y = slope * step + draw.normal(0, 0.1), draw.normal()
            lines.append(f"{case},{step},{x:.3f},{y:.3f},{'up' if slope > 0 else 'down'},{slope * 10 + case}")
    path = tmp_path / "waves.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def answers(result):
    assert result.code == 0, result.err
    return [json.loads(line) for line in result.out.splitlines()]


def test_classes_from_training_to_a_stream(penstock, table, tmp_path):
    out = tmp_path / "model"
    columns = ("--series", "x,y", "--id", "case", "--time", "t", "--label", "label")
    (trained,) = answers(penstock("train", "classify", table, *columns, "--out", out, *QUICK, "--json"))
    assert set(trained["test"]) == {"rows", "accuracy", "f1_macro", "log_loss"}
    (found,) = answers(penstock("evaluate", out, table, "--json"))
    assert found["baseline"]["accuracy"] == 0.5
    rows = answers(penstock("predict", out, table))
    assert len(rows) == 30
    assert set(rows[0]) == {"prediction", "probability_down", "probability_up"}
    whole = [[float(cell) for cell in line.split(",")[2:4]] for line in table.read_text().splitlines()[1:7]]
    line = json.dumps(whole).encode()
    assert answers(penstock("predict", out, "-", stdin=line + b"\n")) == rows[:1]
    steps = "".join(f"{x},{y}\n" for x, y in whole) + "\n" + json.dumps({"y": whole[0][1], "x": whole[0][0]}) + "\n"
    streamed = answers(penstock("stream", out, stdin=steps.encode()))
    assert len(streamed) == 7
    assert streamed[0] == streamed[6]
    assert streamed[5]["probabilities"]["up"] == rows[0]["probability_up"]
    info = json.loads(penstock("info", out, "--json").out)
    assert (info["task"], info["streams"]) == ("series-classification", True)
    refused = penstock("stream", out, stdin=b"1,2,3\n")
    assert (refused.code, refused.err) == (2, "penstock: a step must be 2 numbers, one for each channel; got '1,2,3'\n")


def test_a_pattern_means_the_channels_of_training(penstock, table, tmp_path):
    out, lines = tmp_path / "model", [line.split(",") for line in table.read_text().splitlines()]
    columns = ("--series", "?", "--id", "case", "--time", "t")
    assert penstock("train", "classify", table, *columns, "--out", out, *QUICK).code == 0
    other = tmp_path / "other.csv"
    for order in ((0, 1, 3, 2, 4, 5), (5, 4, 3, 2, 1, 0)):
        other.write_text("\n".join(",".join(line[place] for place in order) for line in lines) + "\n", encoding="utf-8")
        assert answers(penstock("predict", out, other)) == answers(penstock("predict", out, table))
    assert answers(penstock("stream", out, stdin=b'{"y": 1, "x": 2}\n')) == answers(
        penstock("stream", out, stdin=b"2,1\n")
    )
    other.write_text(table.read_text().replace("x,y", "x,z"), encoding="utf-8")
    assert "has no column y; it has case, t, x, z" in penstock("predict", out, other).err


def test_numbers(penstock, table, tmp_path):
    out = tmp_path / "model"
    columns = ("--series", "x,y", "--id", "case", "--target", "level")
    (trained,) = answers(penstock("train", "regress", table, *columns, "--out", out, *QUICK, "--json"))
    assert set(trained["test"]) == {"rows", "mse", "rmse", "mae", "r2"}
    assert set(answers(penstock("evaluate", out, table, "--json"))[0]["metrics"]) == {"mse", "rmse", "mae", "r2"}
    assert answers(penstock("predict", out, table))[0].keys() == {"prediction"}
    assert answers(penstock("stream", out, stdin=b"1,2\n"))[0].keys() == {"prediction"}


def test_a_label_for_each_step(penstock, tmp_path):
    draw = np.random.default_rng(0)
    path, out = tmp_path / "room.csv", tmp_path / "model"
    light = draw.normal(0, 1, 120)
    rows = (f"2024-01-01T{step // 60:02d}:{step % 60:02d},{x:.3f},{int(x > 0)}\n" for step, x in enumerate(light))
    path.write_text("date,light,occupied\n" + "".join(rows))
    columns = ("--series", "light", "--time", "date", "--label", "occupied")
    penstock("train", "classify", path, *columns, "--window", "4", "--out", out, *QUICK)
    metrics = json.loads((out / "metrics.json").read_text())
    assert [metrics[part]["rows"] for part in ("valid", "test")] == [12, 12]
    rows = answers(penstock("predict", out, path))
    assert len(rows) == 120
    streamed = answers(penstock("stream", out, stdin="".join(f"{x:.3f}\n" for x in light).encode()))
    assert [each["prediction"] for each in streamed] == [each["prediction"] for each in rows]
    refused = penstock("train", "classify", path, *columns, "--out", tmp_path / "no", *QUICK)
    assert refused.code == 2
    assert "need `window`" in refused.err
    assert not (tmp_path / "no").exists()


def test_files_of_the_archives_need_no_columns(penstock, tmp_path):
    ucr, ts, out = tmp_path / "two_TRAIN.tsv", tmp_path / "two.ts", tmp_path / "model"
    draw = np.random.default_rng(0)
    cells = [(row % 2, draw.normal(row % 2, 0.1, 5).round(3).tolist()) for row in range(30)]
    ucr.write_text("".join("\t".join(map(str, [label, *values])) + "\n" for label, values in cells))
    body = "".join(",".join(map(str, values)) + f":{label}\n" for label, values in cells)
    ts.write_text("@problemName two\n@classLabel true 0 1\n@data\n" + body)
    assert penstock("train", "classify", ucr, "--out", out, *QUICK).code == 0
    found = [answers(penstock("evaluate", out, path, "--json"))[0] for path in (ucr, ts)]
    assert found[0] == found[1]
    assert answers(penstock("predict", out, ts)) == answers(penstock("predict", out, ucr))
    assert len(answers(penstock("predict", out, "-", stdin=b"1,1,1\n0 0 0\n"))) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",label", ",class", "column of labels may be 't' or 'class'"),
        ("\n3,", "\n,", "a signal id in each row"),
        (",up", ",down", "at least two classes; got only 'down'"),
    ],
)
def test_bad_data_is_one_line_and_nothing_is_written(penstock, table, tmp_path, old, new, message):
    table.write_text(table.read_text().replace(old, new))
    columns = ("--series", "x,y", "--id", "case")
    result = penstock("train", "classify", table, *columns, "--out", tmp_path / "model", *QUICK)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert message in result.err
    assert not (tmp_path / "model").exists()


def test_text_in_a_numeric_column(penstock, table, tmp_path):
    columns = ("--series", "x,label", "--id", "case", "--label", "label")
    result = penstock("train", "classify", table, *columns, "--out", tmp_path / "model", *QUICK)
    assert result.code == 2
    assert "the column label must hold numbers; row 1 has 'down'" in result.err
